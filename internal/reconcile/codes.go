package reconcile

// Codes of reasons and notes. They are stable: programs may compare them. The
// part before the point is the outcome, or "note" for a remark on one field
// that did not decide the outcome.
const (
	// Synced.
	CodeCreated  = "synced.created"  // a record was created on the other side
	CodeUpdated  = "synced.updated"  // fields or associations were written
	CodeLinked   = "synced.linked"   // two records were linked and already agreed
	CodeArchived = "synced.archived" // the other record was deleted, so this one is archived

	CodeLeft = "synced.left" // the record left the filter, so its counterpart is archived

	// Unchanged.
	CodeInStep = "unchanged.in-step" // both sides agree as far as the mapping goes

	// Excluded: a rule of the mapping leaves it out.
	CodeFilter        = "excluded.filter"         // `where` is false for it
	CodeFilterOther   = "excluded.filter-other"   // its counterpart is left out by `where`
	CodeNoCreate      = "excluded.no-create"      // `create` does not allow it on the other side
	CodeNoTarget      = "excluded.no-target"      // no `when` takes it
	CodeGone          = "excluded.gone"           // deleted on one side, and `deletes` says ignore
	CodeBothGone      = "excluded.both-gone"      // deleted on both sides
	CodeKept          = "excluded.kept"           // deleted on one side, and a person said that the other record stays
	CodeReturned      = "excluded.returned"       // back in the filter; its archived counterpart is given up
	CodeConvertedLead = "excluded.converted-lead" // the Lead became a Contact

	// Held: a person has to decide or mend something first.
	CodeAmbiguous      = "held.ambiguous-match" // several records could be the same
	CodeAlreadyLinked  = "held.already-linked"  // the only match belongs to another record
	CodeRequiredBlank  = "held.required-blank"  // the other side needs a value that is blank here
	CodeUnmapped       = "held.value-unmapped"  // a picklist value has no counterpart
	CodeTooLong        = "held.too-long"        // text is longer than the other side's field
	CodeInvalidValue   = "held.value-invalid"   // a value cannot be what the other field takes
	CodeOutOfRange     = "held.out-of-range"    // a number has more digits than the other field
	CodeConflict       = "held.conflict"        // both sides changed and `wins` says hold
	CodeDeleted        = "held.deleted"         // deleted on one side, and `deletes` says ask
	CodeMerged         = "held.merged"          // merged into another record on its side
	CodeLeadConverted  = "held.lead-converted"  // the linked Lead became a Contact
	CodeExpression     = "held.expression"      // an expression of the mapping cannot be evaluated
	CodeNotWritable    = "held.not-writable"    // the credential may not create or delete there
	CodeUnread         = "held.unread"          // a record of the pair could not be read
	CodePolicy         = "held.policy"          // a policy of the mapping forbids the write
	CodePolicyStop     = "held.policy-stop"     // the same, and the whole plan waits for a person
	CodePolicyUnjudged = "held.policy-unjudged" // a policy could not be evaluated

	// Notes.
	NoteLeftAlone    = "note.one-way"          // changed on the side that does not give this field
	NoteSkipped      = "note.value-skipped"    // `unmapped` or `too-long` says skip
	NoteCut          = "note.text-cut"         // text was cut to the other side's length
	NoteUnreadable   = "note.unreadable"       // the credential may not read the field
	NoteCreateOnly   = "note.create-only"      // the field can only be set on create
	NoteBackwards    = "note.stage-backwards"  // HubSpot does not move a lifecycle stage back
	NoteOwnerUnknown = "note.owner-unknown"    // the owner has no counterpart by e-mail
	NoteWaits        = "note.reference-waits"  // the referenced record is not on the other side yet
	NoteReference    = "note.reference-left"   // a reference differs and is left alone
	NoteWrongObject  = "note.reference-object" // the referenced record became another kind of object
	NoteFallbackText = "note.blank-text"       // the text of `blank` does not flow back
	NoteSeveral      = "note.several"          // several associations where one fits; one was chosen
	NoteExternalID   = "note.external-id"      // the external id names another record
	NoteResolved     = "note.resolved"         // a person decided it
	NoteOnlyRead     = "note.only-read"        // HubSpot fills the list itself, so nothing is written to it
	NoteAlsoHeld     = "note.also-held"        // a further reason to hold, besides the first
)
