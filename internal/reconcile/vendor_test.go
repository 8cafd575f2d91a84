package reconcile_test

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"golang.org/x/net/html"
	"golang.org/x/net/html/atom"

	"github.com/lockstep-sync/lockstep/internal/crm"
	"github.com/lockstep-sync/lockstep/internal/mapping"
)

// A vendor model is what a vendor makes of a text that is written into a field.
// ok is false where it refuses it: what we send must never be refused.
type vendorModel struct {
	// tidy: the vendor also does what it is only sometimes seen to do, such as
	// trimming in HubSpot and sorting what was picked.
	tidy bool
}

func (m vendorModel) stores(side crm.Side, f *crm.Field, text string) (string, bool) {
	if side == crm.HubSpot {
		return m.hubspot(f, text)
	}
	return m.salesforce(f, text)
}

// hubspot stores text as it is sent, numbers without their last zeros, times
// without milliseconds that are zero, e-mail addresses in lower case, HTML after
// it was sanitised; it refuses options that it does not have.
func (m vendorModel) hubspot(f *crm.Field, text string) (string, bool) {
	if text == "" {
		return "", true
	}
	switch f.Kind {
	case crm.KindEmail:
		return strings.ToLower(strings.TrimSpace(text)), strings.Contains(text, "@")
	case crm.KindInteger, crm.KindNumber, crm.KindCurrency, crm.KindPercent:
		if strings.Trim(text, "0123456789.-") != "" {
			return "", false
		}
		if strings.Contains(text, ".") {
			text = strings.TrimRight(strings.TrimRight(text, "0"), ".")
		}
		return text, true
	case crm.KindBool:
		return text, text == "true" || text == "false"
	case crm.KindDate:
		_, err := time.Parse(time.DateOnly, text)
		return text, err == nil
	case crm.KindDateTime:
		t, ok := mapping.ParseTime(text)
		return t.Format("2006-01-02T15:04:05.999Z"), ok
	case crm.KindPicklist:
		return text, slices.ContainsFunc(f.Options, func(o crm.Option) bool { return o.Value == text })
	case crm.KindMultiPicklist:
		parts := strings.Split(text, ";")
		for _, p := range parts {
			if !slices.ContainsFunc(f.Options, func(o crm.Option) bool { return o.Value == p }) {
				return "", false
			}
		}
		if m.tidy {
			slices.Sort(parts)
		}
		return strings.Join(parts, ";"), true
	case crm.KindHTML:
		return sanitised(text, false), true
	case crm.KindText, crm.KindLongText:
		if m.tidy {
			text = strings.TrimSpace(text)
		}
	}
	return text, true
}

// salesforce trims, keeps whole seconds, prints numbers as doubles, never
// rounds, sorts picked values as its list is, and refuses what is too long.
func (m vendorModel) salesforce(f *crm.Field, text string) (string, bool) {
	text = strings.TrimSpace(text)
	if text == "" {
		if f.Kind == crm.KindBool {
			return "false", true
		}
		return "", true
	}
	switch f.Kind {
	case crm.KindInteger, crm.KindNumber, crm.KindCurrency, crm.KindPercent:
		n, err := strconv.ParseFloat(text, 64)
		whole, _, _ := strings.Cut(strings.TrimLeft(text, "-0"), ".")
		if err != nil || f.Precision > 0 && len(whole) > f.Precision-f.Scale || f.Kind == crm.KindInteger && n != float64(int64(n)) {
			return "", false
		}
		out := strconv.FormatFloat(n, 'f', -1, 64)
		if f.Kind != crm.KindInteger && !strings.Contains(out, ".") {
			out += ".0"
		}
		return out, true
	case crm.KindBool:
		return text, text == "true" || text == "false"
	case crm.KindDate:
		t, err := time.Parse(time.DateOnly, text)
		return text, err == nil && t.Year() >= 1700 && t.Year() <= 4000
	case crm.KindDateTime:
		t, ok := mapping.ParseTime(text)
		return t.Truncate(time.Second).Format("2006-01-02T15:04:05.000+0000"), ok && t.Year() >= 1700 && t.Year() <= 4000
	case crm.KindTime:
		t, err := time.Parse("15:04:05.999Z", text)
		return t.Format("15:04:05.000Z"), err == nil
	case crm.KindPicklist:
		return m.option(f, text)
	case crm.KindMultiPicklist:
		var out []string
		for _, o := range f.Options {
			for part := range strings.SplitSeq(text, ";") {
				if strings.EqualFold(o.Value, part) && !slices.Contains(out, o.Value) {
					out = append(out, o.Value)
				}
			}
		}
		return strings.Join(out, ";"), len(out) == strings.Count(text, ";")+1
	case crm.KindHTML:
		return sanitised(text, true), len([]rune(text)) <= f.Length
	case crm.KindEmail:
		if !strings.Contains(text, "@") {
			return "", false
		}
	case crm.KindLongText:
		if m.tidy {
			text = strings.ReplaceAll(strings.ReplaceAll(text, "\r\n", "\n"), "\n", "\r\n")
		}
	}
	return text, f.Length == 0 || len([]rune(text)) <= f.Length
}

// option finds the list's own spelling.
func (m vendorModel) option(f *crm.Field, text string) (string, bool) {
	for _, o := range f.Options {
		if strings.EqualFold(o.Value, text) {
			return o.Value, true
		}
	}
	return text, false
}

// sanitised is HTML as a vendor stores it: parsed, without scripts, styles and
// attributes, blocks named alike; strict also renames what is emphasised and
// drops elements that it does not know.
func sanitised(text string, strict bool) string {
	body := &html.Node{Type: html.ElementNode, Data: "body", DataAtom: atom.Body}
	nodes, err := html.ParseFragment(strings.NewReader(text), body)
	if err != nil {
		panic(err)
	}
	var b strings.Builder
	for _, n := range nodes {
		for _, kept := range purified(n, strict) {
			if err := html.Render(&b, kept); err != nil {
				panic(err)
			}
		}
	}
	if out := b.String(); out == "" || strings.HasPrefix(out, "<p>") || strict {
		return out
	}
	return "<p>" + b.String() + "</p>"
}

func purified(n *html.Node, strict bool) []*html.Node {
	switch {
	case n.Type == html.TextNode:
		return []*html.Node{{Type: html.TextNode, Data: n.Data}}
	case n.Type != html.ElementNode, n.DataAtom == atom.Script, n.DataAtom == atom.Style:
		return nil
	}
	var children []*html.Node
	for c := n.FirstChild; c != nil; c = c.NextSibling {
		children = append(children, purified(c, strict)...)
	}
	name := n.Data
	if strict {
		switch n.DataAtom {
		case atom.B:
			name = "strong"
		case atom.Div:
			name = "p"
		case atom.Span:
			return children
		}
	}
	out := &html.Node{Type: html.ElementNode, Data: name, DataAtom: atom.Lookup([]byte(name))}
	for _, a := range n.Attr {
		if a.Key == "href" {
			out.Attr = append(out.Attr, a)
			if strict {
				out.Attr = append(out.Attr, html.Attribute{Key: "target", Val: "_blank"})
			}
		}
	}
	for _, c := range children {
		out.AppendChild(c)
	}
	return []*html.Node{out}
}

// refused says what a vendor would not take.
func refused(side crm.Side, f *crm.Field, text string) string {
	return fmt.Sprintf("%s refuses %q in %s (%s)", side.Title(), text, f.Name, f.Kind)
}
