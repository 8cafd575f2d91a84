package engine

// Reason codes that the engine gives itself; package reconcile gives the
// others. They are stable: programs and runbooks match on them.
const (
	// CodeFailedRefused: the vendor refused the record; it is tried again when
	// the record or the mapping changes.
	CodeFailedRefused = "failed.refused"
	// CodeFailedUnavailable: the vendor could not be reached or had an error of
	// its own; it is tried again in the next cycle.
	CodeFailedUnavailable = "failed.unavailable"
	// CodeFailedDenied: the credential may not do this.
	CodeFailedDenied = "failed.denied"
	// CodeHeldDuplicate: the vendor says that the record exists there already.
	CodeHeldDuplicate = "held.duplicate-at-target"
	// CodeHeldUnknownCreate: the answer to a create was lost and several new
	// records on the other side could be the one.
	CodeHeldUnknownCreate = "held.unknown-create"
	// CodePendingUnknownCreate: the answer to a create was lost, and the other
	// side could not be looked at yet.
	CodePendingUnknownCreate = "pending.unknown-create"
	// CodePendingBrake: a brake of the mapping waits for a person.
	CodePendingBrake = "pending.brake"
	// CodePendingChanged: the record changed after the plan was made.
	CodePendingChanged = "pending.changed-since-plan"
	// CodePendingStopped: the run stopped before this record's turn.
	CodePendingStopped = "pending.stopped"
	// CodePendingNotYet: something that the record needs on the other side is not
	// there yet, such as the price of a line item's product.
	CodePendingNotYet = "pending.not-yet"
	// CodePendingBudget: the quota or our share of it is used up.
	CodePendingBudget = "pending.budget"
	// CodeUndone: an undo brought back what was before the run.
	CodeUndone = "synced.undone"
	// CodeUndoneAlready: nothing of the run is left to undo.
	CodeUndoneAlready = "unchanged.undone-already"
	// CodeHeldUndone: a run was undone for this thing; it rests as it is until a
	// side changes.
	CodeHeldUndone = "held.undone"
	// CodeHeldCascade: its deletion in Salesforce would delete others with it.
	CodeHeldCascade = "held.would-cascade"
	// CodeLeftChanged: a field holds something else than the run wrote.
	CodeLeftChanged = "held.changed-since-run"
	// CodeLeftRestore: the vendor cannot restore a record, a person can.
	CodeLeftRestore = "held.restore-by-hand"
	// CodeLeftUndo: it cannot be undone, for the reason that is told.
	CodeLeftUndo = "held.undo-left"
	// CodeExcludedGone: the record is archived or deleted and was never linked.
	CodeExcludedGone = "excluded.gone"
)
