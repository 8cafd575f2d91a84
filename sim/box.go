package main

import (
	"fmt"
	"strings"
	"time"

	"github.com/lockstep-sync/lockstep/internal/crm"
	"github.com/lockstep-sync/lockstep/sandbox"
	"github.com/lockstep-sync/lockstep/sandbox/hubspot"
	"github.com/lockstep-sync/lockstep/sandbox/salesforce"
)

// newBox makes both vendors, empty, with the fields of the simulation.
func newBox(seed uint64) (*sandbox.Sandbox, error) {
	box, err := sandbox.New(sandbox.Config{Seed: "empty", Random: seed, Accounts: 1})
	if err != nil {
		return nil, err
	}
	for _, object := range []string{"companies", "contacts"} {
		for _, p := range hubFields() {
			if err := box.HubSpot().AddProperty(object, p); err != nil {
				return nil, fmt.Errorf("add %s to %s: %w", p.Name, object, err)
			}
		}
	}
	for _, object := range []string{"Account", "Contact", "Lead"} {
		for _, f := range sfFields() {
			if err := box.Salesforce().AddField(object, f); err != nil {
				return nil, fmt.Errorf("add %s to %s: %w", f.Name, object, err)
			}
		}
	}
	return box, nil
}

func hubFields() []hubspot.Property {
	option := func(values ...string) (options []hubspot.Option) {
		for i, v := range values {
			options = append(options, hubspot.Option{Label: "kind " + v, Value: v, DisplayOrder: i})
		}
		return options
	}
	return []hubspot.Property{
		{Name: "sim_score", Label: "Score", Type: "number", FieldType: "number"},
		{Name: "sim_seats", Label: "Seats", Type: "number", FieldType: "number"},
		{Name: "sim_since", Label: "Since", Type: "date", FieldType: "date"},
		{Name: "sim_seen", Label: "Seen", Type: "datetime", FieldType: "date"},
		{Name: "sim_vip", Label: "VIP", Type: "bool", FieldType: "booleancheckbox"},
		{Name: tierHub, Label: "Tier", Type: "enumeration", FieldType: "select", Options: option("gold", "silver", "internal", strayTierHub)},
		{Name: "sim_tags", Label: "Tags", Type: "enumeration", FieldType: "checkbox", Options: []hubspot.Option{{Label: "red", Value: "red"}, {Label: "green", Value: "green", DisplayOrder: 1}, {Label: "blue", Value: "blue", DisplayOrder: 2}}},
		{Name: "sim_note", Label: "Note", Type: "string", FieldType: "textarea"},
		{Name: canaryHub, Label: "Canary", Type: "string", FieldType: "text"},
	}
}

func sfFields() []salesforce.Field {
	values := func(all ...string) (list []salesforce.PicklistValue) {
		for _, v := range all {
			list = append(list, salesforce.PicklistValue{Value: v})
		}
		return list
	}
	return []salesforce.Field{
		{Name: "Score__c", Type: "double", Precision: 16, Scale: 2},
		{Name: "Seats__c", Type: "double", Precision: 10, Scale: 0},
		{Name: "Since__c", Type: "date"},
		{Name: "Seen__c", Type: "datetime"},
		{Name: "Vip__c", Type: "boolean"},
		{Name: tierSF, Type: "picklist", Restricted: true, Picklist: values("G", "S", "I", strayTierSF)},
		{Name: "Tags__c", Type: "multipicklist", Picklist: values("red", "green", "blue")},
		{Name: "Note__c", Type: "string", Length: 40},
		{Name: "Motto__c", Type: "string", Length: 255},
		{Name: canarySF, Type: "string", Length: 40},
	}
}

// valueFor is the n-th value that somebody gives a field: n picks the shape and
// stands in the value where there is room, so that values differ.
func (f *field) valueFor(side crm.Side, n int) string {
	shape := n % 7
	switch f.kind {
	case email:
		if shape == 0 {
			return fmt.Sprintf("Moved%d@Moved.Example", n)
		}
		return fmt.Sprintf("moved%d@moved.example", n)
	case domain:
		if side == crm.Salesforce && shape < 3 {
			return fmt.Sprintf("https://www.moved%d.test/", n)
		}
		return fmt.Sprintf("moved%d.test", n)
	case phone:
		if shape == 0 {
			return ""
		}
		return fmt.Sprintf([...]string{"", "(555) %04d", "0049 30 %04d", "+49-30-%04d", "555.%04d", "+1555%04d", "555 %04d"}[shape], 1000+n)
	case number:
		switch shape {
		case 0:
			return ""
		case 1:
			if side == crm.HubSpot {
				return fmt.Sprintf("%d.3449", n)
			}
		case 2:
			return fmt.Sprintf("-%d", n+1)
		}
		return fmt.Sprint(n)
	case checkbox:
		if shape == 0 && side == crm.HubSpot {
			return ""
		}
		return [...]string{"false", "true"}[n%2]
	case date:
		if shape == 0 {
			return ""
		}
		return fmt.Sprintf("2026-%02d-%02d", 1+n%12, 1+n%28)
	case moment:
		if shape == 0 {
			return ""
		}
		if side == crm.HubSpot && shape == 1 {
			return fmt.Sprintf("2026-%02d-%02dT10:%02d:07.531Z", 1+n%12, 1+n%28, n%60)
		}
		return fmt.Sprintf("2026-%02d-%02dT10:%02d:00.000Z", 1+n%12, 1+n%28, n%60)
	case choice:
		if shape == 0 {
			return ""
		}
		if side == crm.HubSpot {
			return [...]string{"gold", "silver", "internal", "gold", "silver", "gold", "silver", "gold", "silver", "internal", strayTierHub}[n%11]
		}
		return [...]string{"G", "S", "I", "G", "S", "G", "S", "G", "S", "I", strayTierSF}[n%11]
	case set:
		return [...]string{"", "red", "green;red", "blue", "blue;green", "green", "red;blue"}[shape]
	}
	long := f.limit > 0 && f.limit <= 40 && n%13 == 0 && side == crm.HubSpot
	switch {
	case long:
		return fmt.Sprintf("%d is %s", n, strings.Repeat("long ", 12))
	case shape == 0 && !f.required:
		return ""
	case shape == 0 && side == crm.HubSpot && n%3 == 0:
		return "" // Salesforce needs it
	case shape == 1:
		return fmt.Sprintf("Zoe\u0308 %d", n)
	case shape == 2:
		return fmt.Sprintf("  Ana %d ", n)
	}
	return fmt.Sprintf("Value %d", n)
}

// sfValues turns texts into what the Salesforce sandbox's Go methods take.
func (o *object) sfValues(values map[string]string) map[string]any {
	out := map[string]any{}
	for name, v := range values {
		f := o.fieldOf(crm.Salesforce, name)
		switch {
		case f != nil && f.kind == checkbox:
			out[name] = v == "true"
		case v == "":
			out[name] = nil
		case f != nil && f.kind == number:
			var n float64
			if _, err := fmt.Sscan(v, &n); err == nil {
				out[name] = n
			}
		case f != nil && (f.kind == date || f.kind == moment):
			t, err := time.Parse(time.RFC3339Nano, v)
			if err != nil {
				t, _ = time.Parse("2006-01-02", v)
			}
			out[name] = t
		default:
			out[name] = tidyForSF(v)
		}
	}
	return out
}

// tidyForSF trims as Salesforce does when somebody saves.
func tidyForSF(v string) string { return strings.TrimSpace(v) }

func (o *object) fieldOf(side crm.Side, name string) *field {
	for _, f := range append(o.fields, o.key) {
		if f.name(side) == name {
			return f
		}
	}
	return nil
}
