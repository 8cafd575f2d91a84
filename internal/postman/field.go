package postman

import (
	"strings"

	"github.com/lockstep-sync/lockstep/internal/crm"
	"github.com/lockstep-sync/lockstep/internal/mapping"
	"github.com/lockstep-sync/lockstep/internal/reconcile"
)

// fieldRule is how one field is filled, as scripts/values.js reads it.
type fieldRule struct {
	From string `json:"from"`
	To   string `json:"to"`
	// As is what Salesforce stores: text, email, number, bool, date, time, pick or
	// picks; AsFrom what HubSpot stores where that matters to a text.
	As     string `json:"as"`
	AsFrom string `json:"asFrom,omitempty"`
	// SeveralFrom: HubSpot holds "a;b".
	SeveralFrom bool   `json:"severalFrom,omitempty"`
	Length      int    `json:"length,omitempty"`
	TooLong     string `json:"tooLong,omitempty"`
	Precision   int    `json:"precision,omitempty"`
	Scale       *int   `json:"scale,omitempty"`
	Blank       string `json:"blank,omitempty"`
	// Options and Table say what a value becomes, by its exact text, else by that
	// in lower case; null: it becomes nothing.
	Options  map[string]*string `json:"options,omitempty"`
	Table    map[string]*string `json:"table,omitempty"`
	Unmapped string             `json:"unmapped,omitempty"`
	Use      string             `json:"use,omitempty"`
	Create   bool               `json:"create"`
	Update   bool               `json:"update"`
	// Keeps: what Salesforce holds is never overwritten.
	Keeps bool `json:"keeps,omitempty"`
}

// field writes one field; false when it is left out.
func (w *ruleWriter) field(t *mapping.BoundTarget, f *mapping.BoundField) (string, bool) {
	target, source := f.SalesforceField, f.HubSpotField
	if target == nil || !target.Creatable && !target.Updatable {
		return "", false
	}
	what := "field " + t.Object + "." + target.Name
	if t.Object == "Product2" && target.Name == mapping.StandardPrice {
		w.leave(what, "it is a price book entry, a record of its own, which this chain does not write")
		return "", false
	}
	rule := &fieldRule{From: f.HubSpot, To: target.Name, Blank: f.Blank, Create: target.Creatable, Update: target.Updatable, TooLong: f.TooLong,
		Keeps: f.Wins == mapping.WinsSalesforce || f.Wins == mapping.WinsSalesforceUnlessBlank || f.Wins == mapping.WinsHold}
	compute := ""
	if f.Program != nil || source == nil {
		if f.Program == nil {
			return "", false
		}
		text, err := translate(f.Program.Source, w.object.HubSpotSchema, t.Schema)
		if err != nil {
			w.leave(what, "of its expression %s, %v", quoted(f.Program.Source), err)
			return "", false
		}
		for _, name := range f.Program.HubSpotFields {
			w.ask(name)
		}
		compute, rule.From = text, "the expression for "+target.Name
		source = &crm.Field{Kind: crm.KindText}
	}
	if why := rule.shape(f, source, target); why != "" {
		w.leave(what, "%s", why)
		return "", false
	}
	w.ask(f.HubSpot)
	text := literal(rule)
	if compute != "" {
		text = "// " + strings.Join(strings.Fields(f.Program.Source), " ") + "\n        " +
			strings.TrimSuffix(text, "}") + `,"compute":(h, s) => ` + compute + "}"
	}
	return text, true
}

// shape fills in the kinds; the result says why that cannot be said, or "".
func (r *fieldRule) shape(f *mapping.BoundField, source, target *crm.Field) string {
	r.SeveralFrom = source.Kind == crm.KindMultiPicklist
	isText := false
	switch target.Kind {
	case crm.KindInteger, crm.KindNumber, crm.KindCurrency, crm.KindPercent:
		if f.Shift != 0 {
			return "`times` moves its point, which JavaScript cannot do without rounding"
		}
		r.As = "number"
		r.Precision = target.Precision
		if scale := target.Scale; target.Kind == crm.KindInteger || target.Precision > 0 {
			if target.Kind == crm.KindInteger {
				scale = 0
			}
			r.Scale = &scale
		}
	case crm.KindBool:
		r.As = "bool"
		if len(source.Options) > 0 {
			r.Options = outcomes(f, source, target)
		}
	case crm.KindDate:
		r.As = "date"
	case crm.KindDateTime:
		r.As = "time"
	case crm.KindEmail:
		r.As, isText = "email", true
	case crm.KindPicklist, crm.KindMultiPicklist:
		if len(target.Options) == 0 {
			r.As, isText = "text", true
			break
		}
		r.As = "pick"
		if target.Kind == crm.KindMultiPicklist {
			r.As = "picks"
			// A text of several values is taken apart, too.
			r.SeveralFrom = r.SeveralFrom || source.Kind == crm.KindText || source.Kind == crm.KindLongText
		}
		r.Options, r.Unmapped, r.Use = outcomes(f, source, target), f.Unmapped, f.UnmappedValue
	case crm.KindTime:
		return "a time of day has no form here"
	case crm.KindReference, crm.KindOwner, crm.KindID, crm.KindOther:
		return "it holds no plain value"
	default:
		r.As, isText = "text", true
	}
	if source.Kind == crm.KindHTML && (isText && target.Kind != crm.KindHTML || r.As == "pick" || r.As == "picks") {
		return "JavaScript has no safe way to make text of HTML here"
	}
	if r.Options == nil && len(f.Values) > 0 {
		r.Table = table(f, source)
	}
	if isText {
		r.Length = target.Length
		switch {
		case source.Kind != crm.KindHTML && target.Kind == crm.KindHTML:
			r.AsFrom = "plain"
		case source.Kind == crm.KindDate:
			r.AsFrom = "date"
		case source.Kind == crm.KindDateTime:
			r.AsFrom = "time"
		case source.Kind == crm.KindBool:
			r.AsFrom = "bool"
		}
	} else {
		r.TooLong = ""
	}
	return ""
}

// outcomes asks the rules of a sync what each value becomes that could come: the
// options of both sides by value and by label, and the table.
func outcomes(f *mapping.BoundField, source, target *crm.Field) map[string]*string {
	out := map[string]*string{}
	strict := *f
	strictField := *f.Field
	strictField.Unmapped, strictField.UnmappedValue = "hold", ""
	strict.Field = &strictField
	become := func(text string) *string {
		n := reconcile.Convert(&strict, crm.Salesforce, crm.Text(text), reconcile.Place{})
		if n.Action != reconcile.Write || !n.Value.IsPresent() {
			return nil
		}
		return &n.Value.Text
	}
	var exact []string
	for _, pair := range f.Values {
		exact = append(exact, pair.HubSpot)
	}
	for _, side := range [][]crm.Option{source.Options, target.Options} {
		for _, o := range side {
			for _, name := range []string{o.Value, o.Label} {
				if name == "" {
					continue
				}
				exact = append(exact, name)
				lower := strings.ToLower(name)
				if _, known := out[lower]; !known {
					if v := become(lower); v != nil {
						out[lower] = v
					}
				}
			}
		}
	}
	// A text whose own case counts is told apart from the same in lower case.
	for _, name := range exact {
		v, lower := become(name), out[strings.ToLower(name)]
		if (v == nil) != (lower == nil) || v != nil && *v != *lower {
			out[name] = v
		}
	}
	return out
}

// table is the value table, with the labels of HubSpot's options as keys, too.
func table(f *mapping.BoundField, source *crm.Field) map[string]*string {
	out := map[string]*string{}
	for i := range f.Values {
		pair := &f.Values[i]
		for _, o := range source.Options {
			if o.Value == pair.HubSpot {
				for _, name := range []string{o.Value, o.Label} {
					if lower := strings.ToLower(name); name != "" && out[lower] == nil {
						out[lower] = &pair.Salesforce
					}
				}
			}
		}
	}
	for i := range f.Values {
		out[f.Values[i].HubSpot] = &f.Values[i].Salesforce
	}
	return out
}
