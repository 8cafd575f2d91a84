package engine

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/lockstep-sync/lockstep/internal/crm"
	"github.com/lockstep-sync/lockstep/internal/fault"
	"github.com/lockstep-sync/lockstep/internal/mapping"
	"github.com/lockstep-sync/lockstep/internal/reconcile"
)

// Deleting a Salesforce Account deletes its Contacts and Opportunities, and a
// master its details, without a question. In HubSpot nothing hangs like that: who
// archives a company keeps its contacts. So an archive that would take records
// along that nobody deleted is not sent; it waits until they are gone or moved.
// https://developer.salesforce.com/docs/atlas.en-us.api.meta/api/sforce_api_calls_delete.htm

// takenAlong are the standard objects whose records go with their Account.
// Activities go as well, and are meant to.
var takenAlong = []string{"Contact", "Opportunity"}

// cascades lists what of Salesforce refers to records of an object in such a way
// that it is deleted with them: child object → field. Of the mapping's own
// objects custom ones count, for which the administrator said so.
func (e *Engine) cascades(object string) map[string]string {
	fields := map[string]string{}
	if object == "Account" {
		for _, child := range takenAlong {
			fields[child] = "AccountId"
		}
	}
	for _, o := range e.mapping.Objects {
		for _, t := range o.Targets {
			for i := range t.Associations {
				a := &t.Associations[i]
				if f := t.Schema.Field(a.Salesforce); !a.Junction && f != nil && f.Cascade && strings.HasSuffix(t.Object, "__c") && slices.Contains(a.ReferenceTo, object) {
					fields[t.Object] = a.Salesforce
				}
			}
		}
	}
	return fields
}

// wouldTake finds, for Salesforce records of an object, one record each that
// would be deleted with it. What the credential cannot see stands in no way.
func (e *Engine) wouldTake(ctx context.Context, object string, ids []string) (map[string]crm.Ref, error) {
	taken := map[string]crm.Ref{}
	fields := e.cascades(object)
	for _, child := range inOrder(fields) {
		field := fields[child]
		found, err := e.sides[crm.Salesforce].Find(ctx, crm.Read{Layout: crm.NewLayout(child, []string{field})}, field, ids)
		switch fault.KindOf(err) {
		case fault.Denied, fault.NotFound, fault.Invalid:
			continue
		}
		if err != nil {
			return nil, err
		}
		for i := range found {
			if id := wideID(found[i].Value(field).Text); taken[id].IsZero() && !found[i].Archived {
				taken[id] = crm.Ref{Side: crm.Salesforce, Object: child, ID: found[i].ID}
			}
		}
	}
	return taken, nil
}

func cascadeReason(id string, child crm.Ref) crm.Reason {
	return crm.Reason{Code: CodeHeldCascade, Text: fmt.Sprintf("deleting Salesforce record %s would delete %s with it, which nobody deleted", id, refName(child)),
		Mend: "move what hangs on it to another record, or delete it, then run `lockstep sync`; or delete it in Salesforce by hand"}
}

// cascading finds for the subjects of a batch that may be archived in Salesforce
// what that would take along, by record id.
func (d *decider) cascading(ctx context.Context, subjects []*subject) (map[string]crm.Ref, error) {
	ids := map[string][]string{}
	for _, s := range subjects {
		if s.link != nil && (s.snapshot.HubSpotGone || d.o.Leaves == mapping.LeavesArchive) && !s.snapshot.SalesforceGone && len(d.e.cascades(s.link.SalesforceObject)) > 0 {
			ids[s.link.SalesforceObject] = append(ids[s.link.SalesforceObject], s.link.SalesforceID)
		}
	}
	all := map[string]crm.Ref{}
	for _, object := range inOrder(ids) {
		taken, err := d.e.wouldTake(ctx, object, ids[object])
		if err != nil {
			return nil, err
		}
		maps.Copy(all, taken)
	}
	return all, nil
}

// keepBack holds a decision that would delete more than its own record.
func (d *decider) keepBack(s *subject, decision reconcile.Decision) reconcile.Decision {
	for _, w := range decision.Writes {
		child, ok := d.taken[w.ID]
		if !ok || w.Op != crm.Archive || w.Side != crm.Salesforce {
			continue
		}
		decision.Writes, decision.Unlink, decision.Departed = nil, false, s.snapshot.Departed
		decision.Outcome, decision.Reason = crm.Held, cascadeReason(w.ID, child)
		break
	}
	return decision
}

// spare looks once more before archives leave: somebody may have moved a Contact
// to the Account meanwhile.
func (b *batch) spare(ctx context.Context) error {
	ids := map[string][]string{}
	for _, j := range b.jobs {
		for _, s := range j.sends {
			if s.planned.Op == crm.Archive && s.planned.Side == crm.Salesforce && j.outcome == "" {
				ids[s.planned.Object] = append(ids[s.planned.Object], s.planned.ID)
			}
		}
	}
	for _, object := range inOrder(ids) {
		taken, err := b.e.wouldTake(ctx, object, ids[object])
		if err != nil {
			return err
		}
		for _, j := range b.jobs {
			for _, s := range j.sends {
				if child, ok := taken[s.planned.ID]; ok && s.planned.Op == crm.Archive && s.planned.Side == crm.Salesforce && j.outcome == "" {
					j.outcome, j.reason = crm.Held, cascadeReason(s.planned.ID, child)
				}
			}
		}
	}
	return nil
}
