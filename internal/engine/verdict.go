package engine

import (
	"context"
	"slices"

	"github.com/lockstep-sync/lockstep/internal/crm"
	"github.com/lockstep-sync/lockstep/internal/fault"
	"github.com/lockstep-sync/lockstep/internal/store"
)

// conclude works out what became of a thing.
func (b *batch) conclude(j *job) {
	if j.outcome != "" {
		return
	}
	if len(j.sends) == 0 {
		j.outcome, j.reason = j.d.Outcome, j.d.Reason
		return
	}
	if b.block != nil {
		j.outcome, j.reason = crm.Pending, *b.block
		return
	}
	for _, s := range j.sends {
		if (s.ready || !j.prepared) && !s.ok() {
			b.fail(j, s)
			return
		}
	}
	j.outcome, j.reason = j.d.Outcome, j.d.Reason
}

// fail turns what a vendor said about one write into an outcome.
func (b *batch) fail(j *job, s *send) {
	vendor := s.planned.Side.Title()
	if !s.sent {
		j.outcome = crm.Pending
		j.reason = crm.Reason{Code: CodePendingStopped, Text: "the run stopped before this record's turn", Mend: "run `lockstep sync` again: it goes on from here"}
		if fault.KindOf(b.c.stopped) == fault.RateLimited {
			j.reason = crm.Reason{Code: CodePendingBudget, Text: vendor + ": " + errorText(b.c.stopped), Mend: fault.MendOf(b.c.stopped)}
		}
		return
	}
	text, mend := errorText(s.result.Err), fault.MendOf(s.result.Err)
	field := ""
	if len(s.result.Fields) > 0 {
		field = s.result.Fields[0]
	}
	if s.result.Cause != "" {
		text = s.result.Cause + ": " + text
	}
	because := func(o crm.Outcome, code, verb string) {
		j.outcome, j.reason = o, crm.Reason{Code: code, Text: vendor + " " + verb + ": " + text, Mend: mend, Field: field}
	}
	if s.result.Unknown {
		if s.planned.Op == crm.Create {
			because(crm.Pending, CodePendingUnknownCreate, "did not answer a create")
			j.reason.Mend = "it is looked up before anything is repeated: run `lockstep sync` again"
			return
		}
		because(crm.Failed, CodeFailedUnavailable, "did not answer")
		j.now = true
		return
	}
	kind := fault.KindOf(s.result.Err)
	related := kind == fault.NotFound && b.doubtEnds(j, s)
	switch {
	case s.result.Later:
		because(crm.Pending, CodePendingNotYet, "cannot take it yet")
		j.now = true
	case kind == fault.RateLimited:
		because(crm.Pending, CodePendingBudget, "has no calls left")
	case kind == fault.Denied:
		because(crm.Failed, CodeFailedDenied, "does not allow it")
	case kind == fault.Conflict && s.planned.Op == crm.Create:
		because(crm.Held, CodeHeldDuplicate, "says that it exists already")
	case kind == fault.Conflict && s.planned.Op == crm.Update:
		// Another record has a value that only one may have: that does not pass.
		because(crm.Failed, CodeFailedRefused, "refused it")
	case related && (s.planned.Op == crm.Create || s.planned.Op == crm.Relate):
		because(crm.Failed, CodeFailedUnavailable, "does not have every record that it is to relate")
		j.reason.Mend = "one of them was deleted since it was read: it is looked at again"
		j.now = true
	case kind == fault.NotFound && s.planned.Op != crm.Create && s.planned.Relation == nil:
		// It was deleted under the plan: look again, then decide.
		ref, _ := j.d.on(s.planned.Side)
		j.reread = append(j.reread, store.Change{Mapping: b.o.Name, Ref: ref, Due: true, Wake: store.WakeChanged})
		because(crm.Pending, CodePendingChanged, "does not have the record any more")
		j.now = true
		b.c.leave(b.e, j.d, changedOn(s.planned.Side, true))
	case kind == fault.Conflict, kind == fault.Unavailable, kind == fault.Internal:
		because(crm.Failed, CodeFailedUnavailable, "could not do it now")
	default:
		because(crm.Failed, CodeFailedRefused, "refused it")
	}
}

func errorText(err error) string {
	if err == nil {
		return "no reason was given"
	}
	if f, ok := fault.As(err); ok {
		return f.What
	}
	return err.Error()
}

// doubtEnds notes the records that a write relates its own to, and tells whether
// there are any: the vendor may not have one of them any more, which is to be
// known before the thing is decided again.
func (b *batch) doubtEnds(j *job, s *send) bool {
	side := s.planned.Side
	if r := s.planned.Relation; r != nil && s.write.Relation.ID != "" && r.FarMapping != "" {
		j.doubted = append(j.doubted, standKey{r.FarMapping, crm.Ref{Side: side, Object: r.FarObject, ID: s.write.Relation.ID}})
	}
	for _, ch := range s.changes {
		for _, t := range b.o.Targets {
			for i := range t.Associations {
				a := &t.Associations[i]
				if a.Slot != ch.Slot || !ch.After.IsPresent() || ch.Field != a.Salesforce && ch.Field != a.By {
					continue
				}
				for _, end := range a.Ends {
					objects := a.ReferenceTo
					if side == crm.HubSpot {
						objects = []string{end.HubSpot}
					}
					for _, object := range objects {
						j.doubted = append(j.doubted, standKey{end.Mapping, crm.Ref{Side: side, Object: object, ID: ch.After.Text}})
					}
				}
			}
		}
	}
	return len(j.doubted) > 0
}

// endsInDoubt are those of the noted records that are linked, so that they are to
// be read and decided.
func (b *batch) endsInDoubt(ctx context.Context) ([]dueRef, error) {
	var due []dueRef
	for _, j := range b.jobs {
		for _, d := range j.doubted {
			links, err := b.e.store.Links(ctx, d.mapping, d.ref.Side, []string{d.ref.ID})
			if err != nil {
				return nil, err
			}
			l, ok := links[d.ref.ID]
			at := dueRef(d)
			if ok && (d.ref.Side == crm.HubSpot || l.SalesforceObject == d.ref.Object) && !slices.Contains(due, at) {
				due = append(due, at)
			}
		}
	}
	return due, nil
}
