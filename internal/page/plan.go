package page

import (
	"context"
	"errors"
	"fmt"
	"html/template"
	"io"

	"github.com/lockstep-sync/lockstep/internal/crm"
	"github.com/lockstep-sync/lockstep/internal/engine"
)

// Plan is what the page of a plan is made from.
type Plan struct {
	*engine.Plan
	// HubSpot and Salesforce name the two accounts.
	HubSpot, Salesforce string
	Costs               []Cost
	// SealedIn is the name of the sealed plan's file and SHA256 its hash; both
	// empty when it was not sealed.
	SealedIn string
	SHA256   string
	// Shown is how many things of each group are shown; 0 means 25.
	Shown int
	// Version of the program, for the foot of the page.
	Version string

	// items walks over the things of the plan; nil takes the engine's.
	items func(context.Context, engine.ItemFilter, func(engine.Item) error) error
}

const defaultShown = 25

// group is things alike: one heading of the details.
type group struct {
	ID      string
	Heading string
	Total   int
	Things  []thing
	// Reason and Mend of held and excluded things.
	Code string
	Mend string
}

// More is how many things of the group are not shown.
func (g *group) More() int { return g.Total - len(g.Things) }

// thing is one record or pair.
type thing struct {
	Title      string
	HubSpot    *engine.Record
	Salesforce *engine.Record
	Reason     crm.Reason
	Changes    []change
	Notes      []crm.Reason
	// What is written besides fields: "associated with …".
	What []string
}

type change struct {
	Field  string
	Before Text
	After  Text
	// Fresh: a new record, so there is no before.
	Fresh bool
	Why   string
}

type object struct {
	Name   string
	Groups []*group
}

type planView struct {
	Plan
	Held     []*group
	Excluded []*group
	Failed   []*group
	Details  []object
	Columns  columns
	Sentence string
	Beyond   string
}

// columns says which columns of the overview hold anything.
type columns struct {
	ArchiveHubSpot, ArchiveSalesforce, RelateHubSpot, RelateSalesforce, Failed, Pending bool
}

// SideSpan is how many columns belong to one side.
func (c columns) SideSpan(side string) int {
	n := 2
	if side == "hubspot" && c.ArchiveHubSpot || side == "salesforce" && c.ArchiveSalesforce {
		n++
	}
	if side == "hubspot" && c.RelateHubSpot || side == "salesforce" && c.RelateSalesforce {
		n++
	}
	return n
}

// RestSpan is how many columns belong to neither side.
func (c columns) RestSpan() int {
	n := 4
	if c.Pending {
		n++
	}
	if c.Failed {
		n++
	}
	return n
}

var planTemplate = template.Must(template.New("plan.tmpl").Funcs(functions).ParseFS(files, "*.tmpl"))

// WritePlan writes the page of a plan.
func WritePlan(ctx context.Context, w io.Writer, p Plan) error {
	if p.Shown <= 0 {
		p.Shown = defaultShown
	}
	if p.items == nil {
		p.items = p.Items
	}
	view := planView{Plan: p, Sentence: CostInWords(p.Costs), Beyond: Days(p.Costs)}
	for i := range p.Objects {
		o := &p.Objects[i]
		view.Columns.add(o)
		detail, err := details(ctx, p, o)
		if err != nil {
			return err
		}
		if len(detail.Groups) > 0 {
			view.Details = append(view.Details, detail)
		}
		for _, r := range o.Reasons {
			var into *[]*group
			switch r.Outcome {
			case crm.Held:
				into = &view.Held
			case crm.Excluded:
				into = &view.Excluded
			case crm.Failed, crm.Pending:
				into = &view.Failed
			default:
				continue
			}
			g, err := reasons(ctx, p, o.Name, r)
			if err != nil {
				return err
			}
			*into = append(*into, g)
		}
	}
	if err := planTemplate.Execute(w, view); err != nil {
		return fmt.Errorf("write the page of the plan: %w", err)
	}
	return nil
}

func (c *columns) add(o *engine.PlanObject) {
	c.ArchiveHubSpot = c.ArchiveHubSpot || o.Archives[crm.HubSpot] > 0
	c.ArchiveSalesforce = c.ArchiveSalesforce || o.Archives[crm.Salesforce] > 0
	c.RelateHubSpot = c.RelateHubSpot || o.Relates[crm.HubSpot] > 0
	c.RelateSalesforce = c.RelateSalesforce || o.Relates[crm.Salesforce] > 0
	c.Failed = c.Failed || o.Tally.Failed > 0
	c.Pending = c.Pending || o.Tally.Pending > 0
}

// errFull ends a walk over a plan of which enough is shown.
var errFull = errors.New("enough is shown")

// details collects the first things of each kind of write of an object.
func details(ctx context.Context, p Plan, o *engine.PlanObject) (object, error) {
	out := object{Name: o.Name}
	byKey := map[string]*group{}
	room := 0
	add := func(key, heading string, total int) {
		if total > 0 {
			g := &group{ID: o.Name + "-" + key, Heading: heading, Total: total}
			byKey[key] = g
			out.Groups = append(out.Groups, g)
			room += min(total, p.Shown)
		}
	}
	for _, side := range []crm.Side{crm.Salesforce, crm.HubSpot} {
		for _, op := range []struct {
			op    crm.Op
			words string
			count map[crm.Side]int
		}{
			{crm.Archive, "Delete in ", o.Archives}, {crm.Update, "Change in ", o.Updates},
			{crm.Create, "Create in ", o.Creates}, {crm.Relate, "Associate in ", o.Relates},
		} {
			add(string(op.op)+"-"+string(side), op.words+side.Title(), op.count[side])
		}
	}
	add("link", "Link, with nothing to write", o.LinksOnly)
	if room == 0 {
		return out, nil
	}
	err := p.items(ctx, engine.ItemFilter{Mapping: o.Name}, func(it engine.Item) error {
		mine := map[*group]bool{}
		for i := range it.Writes {
			w := &it.Writes[i]
			g := byKey[string(kindOf(w.Op))+"-"+string(w.Side)]
			switch {
			case g == nil:
			case mine[g] && w.Relation != nil: // one of several associations
				t := &g.Things[len(g.Things)-1]
				t.What = append(t.What, relationInWords(w.Op, w.Relation))
			case !mine[g] && len(g.Things) < p.Shown:
				g.Things = append(g.Things, thingOf(&it, w))
				mine[g] = true
				room--
			}
		}
		if g := byKey["link"]; g != nil && it.Link && len(it.Writes) == 0 && len(g.Things) < p.Shown {
			g.Things = append(g.Things, thingOf(&it, nil))
			room--
		}
		if room <= 0 {
			return errFull
		}
		return nil
	})
	if err != nil && !errors.Is(err, errFull) {
		return out, err
	}
	return out, nil
}

func kindOf(op crm.Op) crm.Op {
	if op == crm.Unrelate {
		return crm.Relate
	}
	return op
}

func thingOf(it *engine.Item, w *engine.ItemWrite) thing {
	t := thing{Title: it.Title, HubSpot: known(it.HubSpot), Salesforce: known(it.Salesforce), Reason: it.Reason, Notes: it.Notes}
	if w == nil {
		return t
	}
	t.Reason = w.Reason
	if r := w.Relation; r != nil {
		t.What, t.Notes = []string{relationInWords(w.Op, r)}, nil // they stand with the record's fields
		return t
	}
	for _, c := range w.Changes {
		after := textOf(c.After)
		if c.Reference != nil {
			to := "the " + c.Reference.Side.Other().Title() + " record of " + c.Reference.Object + " " + c.Reference.ID
			after = textOf(&to)
		}
		if w.Op == crm.Create && c.Why == "new record" {
			c.Why = "" // the heading says so
		}
		t.Changes = append(t.Changes, change{Field: c.Field, Before: textOf(c.Before), After: after, Fresh: w.Op == crm.Create, Why: c.Why})
	}
	return t
}

// known leaves out a record that does not exist yet.
func known(r *engine.Record) *engine.Record {
	if r == nil || r.ID == "" {
		return nil
	}
	return r
}

func relationInWords(op crm.Op, r *engine.ItemRelation) string {
	if op == crm.Unrelate {
		return "the association is removed"
	}
	text := "associated"
	if r.Far != nil {
		text += " with the counterpart of " + r.Far.Side.Title() + " " + r.Far.Object + " " + r.Far.ID
	}
	if r.Role != "" {
		text += ", as " + r.Role
	}
	return text
}

func reasons(ctx context.Context, p Plan, name string, r engine.ReasonCount) (*group, error) {
	g := &group{ID: name + "-" + r.Code, Heading: name, Total: r.Count, Code: r.Code}
	err := p.items(ctx, engine.ItemFilter{Mapping: name, Outcome: r.Outcome, Code: r.Code, Limit: p.Shown}, func(it engine.Item) error {
		g.Things = append(g.Things, thingOf(&it, nil))
		return nil
	})
	if len(g.Things) > 0 {
		g.Mend = g.Things[0].Reason.Mend
	}
	for _, t := range g.Things {
		if t.Reason.Mend != g.Mend {
			g.Mend = "" // each says its own
		}
	}
	return g, err
}
