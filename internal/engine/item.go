package engine

import (
	"github.com/lockstep-sync/lockstep/internal/crm"
	"github.com/lockstep-sync/lockstep/internal/reconcile"
	"github.com/lockstep-sync/lockstep/internal/store"
)

// Record names one record for people and files.
type Record struct {
	Side   crm.Side `json:"side"`
	Object string   `json:"object"`
	ID     string   `json:"id"`
	URL    string   `json:"url,omitempty"`
}

func recordOf(r crm.Ref) Record { return Record{Side: r.Side, Object: r.Object, ID: r.ID} }

func (r Record) ref() crm.Ref { return crm.Ref{Side: r.Side, Object: r.Object, ID: r.ID} }

// Item is one thing of a plan: what it is made of, what would become of it,
// and the writes with field-level before and after.
type Item struct {
	Mapping    string       `json:"mapping"`
	Title      string       `json:"title,omitempty"`
	HubSpot    *Record      `json:"hubspot,omitempty"`
	Salesforce *Record      `json:"salesforce,omitempty"`
	Outcome    crm.Outcome  `json:"outcome"`
	Reason     crm.Reason   `json:"reason"`
	Notes      []crm.Reason `json:"notes,omitempty"`
	// Link: the two records become a pair.
	Link   bool        `json:"link,omitempty"`
	Unlink bool        `json:"unlink,omitempty"`
	Writes []ItemWrite `json:"writes,omitempty"`
	// Breaks names the policies of the mapping that its writes break, or would.
	Breaks []string `json:"breaks,omitempty"`
}

// ItemWrite is one write of an Item.
type ItemWrite struct {
	Side   crm.Side `json:"side"`
	Op     crm.Op   `json:"op"`
	Object string   `json:"object"`
	ID     string   `json:"id,omitempty"`
	// ExternalField makes a create an upsert.
	ExternalField string        `json:"external_field,omitempty"`
	ExternalValue string        `json:"external_value,omitempty"`
	Changes       []ItemChange  `json:"changes,omitempty"`
	Relation      *ItemRelation `json:"relation,omitempty"`
	Reason        crm.Reason    `json:"reason"`
}

// ItemChange is one field of a write; nil values are blank.
type ItemChange struct {
	Field  string  `json:"field"`
	Before *string `json:"before"`
	After  *string `json:"after"`
	// Reference: After is the id of the record that this one is linked with.
	Reference *ItemReference `json:"reference,omitempty"`
	Why       string         `json:"why,omitempty"`
	// Slot is the field's place in the base of the pair; -1 for none.
	Slot int `json:"slot"`
}

// ItemReference points at a record of the source side.
type ItemReference struct {
	Mapping string `json:"mapping"`
	Record
}

// ItemRelation is an association row to add or remove.
type ItemRelation struct {
	Far        *ItemReference `json:"far,omitempty"`
	Object     string         `json:"object,omitempty"`
	FarObject  string         `json:"far_object,omitempty"`
	FarField   string         `json:"far_field,omitempty"`
	NearField  string         `json:"near_field,omitempty"`
	LabelField string         `json:"label_field,omitempty"`
	Role       string         `json:"role,omitempty"`
	Primary    bool           `json:"primary,omitempty"`
	// FarID is the far record where it is written to, of an association to remove.
	FarID string `json:"far_id,omitempty"`
	RowID string `json:"row_id,omitempty"`
}

func textOf(v crm.Value) *string {
	if !v.IsPresent() {
		return nil
	}
	return &v.Text
}

func itemChanges(changes []reconcile.Change) []ItemChange {
	items := make([]ItemChange, len(changes))
	for i, c := range changes {
		items[i] = ItemChange{Field: c.Field, Before: textOf(c.Before), After: textOf(c.After), Why: c.Why, Slot: c.Slot}
		if c.Ref != nil {
			items[i].Reference = &ItemReference{c.RefMapping, recordOf(*c.Ref)}
		}
	}
	return items
}

// item shows a decision.
func (e *Engine) item(d *decided) Item {
	it := Item{Mapping: d.Mapping, Title: d.Title, Outcome: d.Outcome, Reason: d.Reason, Notes: d.Notes, Link: d.NewLink != nil, Unlink: d.Unlink, Breaks: d.Breaks}
	show := func(ref crm.Ref) *Record {
		if ref.ID == "" {
			return nil
		}
		r := recordOf(ref)
		r.URL = e.sides[ref.Side].RecordURL(ref.Object, ref.ID)
		return &r
	}
	it.HubSpot, it.Salesforce = show(d.HubSpot), show(d.Salesforce)
	for _, w := range d.Writes {
		iw := ItemWrite{Side: w.Side, Op: w.Op, Object: w.Object, ID: w.ID, ExternalField: w.ExternalField, ExternalValue: w.ExternalValue,
			Changes: itemChanges(w.Changes), Reason: w.Reason}
		if r := w.Relation; r != nil {
			iw.Relation = &ItemRelation{Object: r.Object, FarObject: r.FarObject, FarField: r.FarField, NearField: r.NearField, LabelField: r.LabelField, Role: r.Role, Primary: r.Primary, FarID: r.FarID, RowID: r.RowID}
			if !r.Far.IsZero() {
				iw.Relation.Far = &ItemReference{r.FarMapping, recordOf(r.Far)}
			}
		}
		it.Writes = append(it.Writes, iw)
	}
	return it
}

// rowOf makes the plan's row of a decision.
func rowOf(d *decided) store.PlanRow {
	row := store.PlanRow{Mapping: d.Mapping, Side: crm.HubSpot, ID: d.HubSpot.ID, SalesforceID: d.Salesforce.ID, Ops: opsOf(d),
		Outcome: d.Outcome, Code: d.Reason.Code, Decided: now(), Body: encodeDecided(d)}
	if row.ID == "" {
		row.Side, row.ID = crm.Salesforce, d.Salesforce.ID
	}
	return row
}
