package mapping

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/lockstep-sync/lockstep/internal/crm"
)

// probeLimit bounds how many made-up records are tried on a pair of filters.
const probeLimit = 20_000

// overlaps warns where two objects of the mapping share a Salesforce object and one
// record of it would be taken by both: it would become two records in HubSpot.
// Nobody can decide that for any two expressions. So records are made up of the
// values that the filters themselves name (and others, and none), and each is shown
// to both: what is found is certain, what is not found may still be.
func (b *binder) overlaps(objects []*BoundObject) {
	for i, o := range objects {
		for _, other := range objects[:i] {
			for _, t := range o.Targets {
				if o.WhereSalesforce == nil || other.WhereSalesforce == nil || sameFilter(o.Object, other.Object) ||
					!slices.ContainsFunc(other.Targets, func(u *BoundTarget) bool { return u.Object == t.Object }) {
					continue
				}
				if example := bothTake(t.Schema, o.WhereSalesforce, other.WhereSalesforce); example != "" {
					b.problems.warnf(o.Where.SalesforcePos, "mapping.filters-overlap", "narrow one of the two filters",
						"%s and %s would both take a Salesforce %s with %s", other.Name, o.Name, t.Object, example)
				}
			}
		}
	}
}

// sameFilter tells whether two objects let the same Salesforce records in, by what
// is written: an error of its own, which needs no schema.
func sameFilter(a, b *Object) bool {
	plain := func(source string) string {
		return strings.Join(strings.Fields(strings.ReplaceAll(source, "'", `"`)), " ")
	}
	return plain(a.Where.Salesforce) == plain(b.Where.Salesforce)
}

// bothTake makes up a record that passes both filters, and says how it looks.
func bothTake(schema *crm.Object, a, b *Program) string {
	var fields []*crm.Field
	var values [][]string
	tries := 1
	literals := literalsOf(a.Source + "\n" + b.Source)
	for _, name := range slices.Concat(a.SalesforceFields, b.SalesforceFields) {
		f := schema.Field(name)
		if f == nil || slices.Contains(fields, f) {
			continue
		}
		fields, values = append(fields, f), append(values, probes(f, literals))
		if tries *= len(values[len(values)-1]); tries > probeLimit {
			return ""
		}
	}
	names := make([]string, len(fields))
	for i, f := range fields {
		names[i] = f.Name
	}
	rec := crm.Record{Layout: crm.NewLayout(schema.Name, names), ID: "made up", Values: make([]crm.Value, len(fields))}
	for n := range tries {
		rest := n
		for i := range fields {
			rec.Values[rec.Layout.Index(fields[i].Name)] = crm.Text(values[i][rest%len(values[i])])
			rest /= len(values[i])
		}
		takenByA, err := a.Bool(nil, &rec)
		if err != nil || !takenByA {
			continue
		}
		if takenByB, err := b.Bool(nil, &rec); err == nil && takenByB {
			return shownRecord(&rec)
		}
	}
	return ""
}

func shownRecord(rec *crm.Record) string {
	var parts []string
	for i, name := range rec.Layout.Fields {
		text := "blank"
		if v := rec.Values[i]; v.IsPresent() {
			text = v.Text
			if _, err := strconv.ParseFloat(text, 64); err != nil && text != "true" && text != "false" {
				text = strconv.Quote(text)
			}
		}
		parts = append(parts, name+" "+text)
	}
	if len(parts) == 0 {
		return "any values"
	}
	return strings.Join(parts, ", ")
}

type literals struct{ texts, numbers []string }

var (
	quotedText   = regexp.MustCompile("\"[^\"\\\\\n]*\"|'[^'\\\\\n]*'")
	plainNumbers = regexp.MustCompile(`\b\d{1,15}(\.\d{1,6})?\b`)
)

// literalsOf lists the texts and numbers that expressions name.
func literalsOf(source string) literals {
	var l literals
	for _, text := range quotedText.FindAllString(source, -1) {
		if text = text[1 : len(text)-1]; !slices.Contains(l.texts, text) {
			l.texts = append(l.texts, text)
		}
	}
	for _, number := range plainNumbers.FindAllString(quotedText.ReplaceAllString(source, ""), -1) {
		n, err := strconv.ParseFloat(number, 64)
		if err != nil {
			continue
		}
		for _, near := range []float64{n, n - 1, n + 1} {
			if text := strconv.FormatFloat(near, 'f', -1, 64); !slices.Contains(l.numbers, text) {
				l.numbers = append(l.numbers, text)
			}
		}
	}
	return l
}

// probes are values that a field might hold: those that the filters name, one that
// they do not, and none.
func probes(f *crm.Field, l literals) []string {
	var out []string
	switch f.Kind {
	case crm.KindBool:
		return []string{"false", "true"}
	case crm.KindInteger, crm.KindNumber, crm.KindCurrency, crm.KindPercent:
		out = append(slices.Clone(l.numbers), "7")
	case crm.KindPicklist, crm.KindMultiPicklist:
		other := ""
		for _, option := range f.Options {
			switch {
			case slices.Contains(l.texts, option.Value):
				out = append(out, option.Value)
			case other == "":
				other = option.Value
			}
		}
		out = append(out, other)
	case crm.KindDate, crm.KindDateTime, crm.KindTime:
	default:
		out = append(slices.Clone(l.texts), fmt.Sprintf("some %s", strings.ToLower(f.Name)))
	}
	out = append(out, "")
	slices.Sort(out)
	out = slices.Compact(out)
	slices.Reverse(out) // blank last: an example with values says more
	return out
}
