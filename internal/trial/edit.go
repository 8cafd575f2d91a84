package trial

import (
	"context"
	"fmt"
	"strings"

	"github.com/lockstep-sync/lockstep/internal/crm"
	"github.com/lockstep-sync/lockstep/internal/mapping"
	"github.com/lockstep-sync/lockstep/internal/store"
)

// editor edits linked records as people on both sides do: every mapped field is
// set, blanked, and set differently on both sides at once, each on a pair of its
// own where there are enough.
type editor struct {
	*world
	pairs map[string][]store.Link
	next  map[string]int
	made  int
	// edits that a server took.
	edits int
}

// pairsOfEach bounds how many linked pairs of one object are edited.
const pairsOfEach = 1000

func (e *editor) all(ctx context.Context) error {
	e.pairs, e.next = map[string][]store.Link{}, map[string]int{}
	e.later()
	for _, o := range e.pair.Bound.Objects {
		links, err := e.pair.Store.LinkPage(ctx, o.Name, "", pairsOfEach)
		if err != nil {
			return err
		}
		for _, l := range links {
			key := o.Name + " " + l.SalesforceObject
			e.pairs[key] = append(e.pairs[key], l)
		}
		for _, t := range o.Targets {
			for i := range t.Fields {
				e.field(o, t, &t.Fields[i])
			}
		}
	}
	e.later()
	return nil
}

// field edits one field on up to five pairs.
func (e *editor) field(o *mapping.BoundObject, t *mapping.BoundTarget, f *mapping.BoundField) {
	if f.HubSpotField == nil || f.SalesforceField == nil || isKey(o, f) {
		return
	}
	for _, edit := range []struct{ hubspot, salesforce, blank bool }{
		{hubspot: true}, {salesforce: true}, {hubspot: true, blank: true}, {salesforce: true, blank: true}, {hubspot: true, salesforce: true},
	} {
		if edit.hubspot && !f.Direction.Flows(crm.Salesforce) || edit.salesforce && !f.Direction.Flows(crm.HubSpot) && !edit.hubspot {
			continue
		}
		link, ok := e.take(o.Name + " " + t.Object)
		if !ok {
			return
		}
		if edit.hubspot {
			e.took(e.box.HubSpot().Update(o.HubSpot, link.HubSpotID, map[string]string{f.HubSpot: e.value(f.HubSpotField, edit.blank)}))
		}
		if edit.salesforce {
			e.later()
			e.took(e.box.Salesforce().Update(t.Object, link.SalesforceID, map[string]any{f.Salesforce: typed(f.SalesforceField, e.value(f.SalesforceField, edit.blank))}))
		}
	}
}

// took counts an edit. What a server refuses as a person's edit (a validation
// rule, a field that is not editable) is none; nothing is lost by that.
func (e *editor) took(err error) {
	if err == nil {
		e.edits++
	}
}

// take hands out one pair after the other, and begins again at the end.
func (e *editor) take(key string) (store.Link, bool) {
	list := e.pairs[key]
	if len(list) == 0 {
		return store.Link{}, false
	}
	n := e.next[key]
	e.next[key]++
	return list[n%len(list)], true
}

// isKey tells whether records are found by the field: editing it would make
// other pairs match.
func isKey(o *mapping.BoundObject, f *mapping.BoundField) bool {
	for _, m := range o.Match {
		if m.HubSpot == f.HubSpot || m.Salesforce == f.Salesforce {
			return true
		}
	}
	return false
}

// value is something that the field can hold; "" where it is blanked, or where
// nothing is known of what it holds.
func (e *editor) value(f *crm.Field, blank bool) string {
	if blank && f.Kind != crm.KindBool {
		return ""
	}
	e.made++
	switch f.Kind {
	case crm.KindBool:
		if e.made%2 == 0 {
			return "true"
		}
		return "false"
	case crm.KindInteger, crm.KindNumber, crm.KindCurrency:
		return fmt.Sprint(e.made)
	case crm.KindPercent:
		return fmt.Sprint(e.made % 100)
	case crm.KindDate:
		return fmt.Sprintf("2026-03-%02d", e.made%28+1)
	case crm.KindDateTime:
		return fmt.Sprintf("2026-03-%02dT09:00:00Z", e.made%28+1)
	case crm.KindPicklist, crm.KindMultiPicklist:
		var active []string
		for _, option := range f.Options {
			if option.Active {
				active = append(active, option.Value)
			}
		}
		if len(active) > 0 {
			return active[e.made%len(active)]
		}
		return ""
	case crm.KindPhone:
		return fmt.Sprintf("+1 312 555 %04d", e.made%10_000)
	case crm.KindEmail:
		return fmt.Sprintf("edited%d@example.com", e.made)
	case crm.KindURL:
		return fmt.Sprintf("https://edited%d.example.com", e.made)
	case crm.KindText, crm.KindLongText, crm.KindHTML:
		text := fmt.Sprintf("Edited %d", e.made)
		if f.Length > 0 && len(text) > f.Length {
			return text[:f.Length]
		}
		return text
	}
	return ""
}

// typed is a value as Salesforce's JSON has it.
func typed(f *crm.Field, text string) any {
	switch f.Kind {
	case crm.KindBool:
		return strings.EqualFold(text, "true")
	case crm.KindInteger, crm.KindNumber, crm.KindCurrency, crm.KindPercent:
		var n float64
		if _, err := fmt.Sscan(text, &n); err == nil {
			return n
		}
		return nil
	}
	if text == "" {
		return nil
	}
	return text
}
