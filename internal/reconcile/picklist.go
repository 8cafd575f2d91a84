package reconcile

import (
	"slices"
	"strconv"
	"strings"

	"github.com/lockstep-sync/lockstep/internal/crm"
	"github.com/lockstep-sync/lockstep/internal/mapping"
)

// table looks a value up in the field's value table; for HubSpot the first
// HubSpot value of several is the way back.
func (c *conversion) table(text string) (string, bool) {
	if all := c.fromTable(text); len(all) > 0 {
		return all[0], true
	}
	return "", false
}

func (c *conversion) fromTable(text string) []string {
	var out []string
	text = canonicalOption(c.source, text)
	for _, pair := range c.f.Values {
		switch {
		case c.to == crm.Salesforce && pair.HubSpot == text:
			return []string{pair.Salesforce}
		case c.to == crm.HubSpot && strings.EqualFold(pair.Salesforce, text):
			out = append(out, pair.HubSpot)
		}
	}
	return out
}

// counterparts are the values that text may become, best first: what the table
// says, then what has the same name and stands for nothing else in the table.
func (c *conversion) counterparts(text string) []string {
	out := c.fromTable(text)
	if len(out) > 0 && c.to == crm.Salesforce {
		return out
	}
	if len(c.target.Options) == 0 {
		if len(out) == 0 {
			out = []string{text}
		}
		return out
	}
	value := canonicalOption(c.source, text)
	option := crm.Option{Value: value}
	for _, o := range c.source.Options {
		if o.Value == value {
			option = o
		}
	}
	add := func(value string) {
		elsewhere := c.to == crm.HubSpot && slices.ContainsFunc(c.f.Values, func(p mapping.ValuePair) bool { return p.HubSpot == value })
		if !elsewhere && !slices.Contains(out, value) {
			out = append(out, value)
		}
	}
	if same := mapping.SameOption(option, c.target.Options); same != nil && (same.Active || same.Value == c.place.Current.Text) {
		add(same.Value)
	}
	if c.f.StagePipeline == nil || c.to != crm.HubSpot {
		return out
	}
	// The same stage name may exist in several pipelines.
	for _, o := range c.target.Options {
		if o.Active && mapping.SameOption(option, []crm.Option{o}) != nil {
			add(o.Value)
		}
	}
	return out
}

func (c *conversion) pick(text string) Native {
	if parts := splitSet(text); c.source.Kind == crm.KindMultiPicklist && len(parts) > 1 {
		return c.hold(CodeUnmapped, "map it to a field that takes several values", "%s holds %d values, %s takes one", c.name(c.to.Other()), len(parts), c.name(c.to))
	}
	return c.choose(text)
}

func (c *conversion) choose(text string) Native {
	found := c.counterparts(text)
	if len(found) == 0 {
		return c.unmapped(text)
	}
	if c.to != crm.HubSpot {
		return Native{Value: crm.Text(found[0])}
	}
	if c.f.StagePipeline == nil {
		// What HubSpot holds already means the same: no reason to change it.
		if slices.Contains(found, c.place.Current.Text) {
			return Native{Value: c.place.Current}
		}
		return Native{Value: crm.Text(found[0])}
	}
	return c.stage(text, found)
}

// stage chooses the HubSpot stage: one of the record's own pipeline, the
// current one when it already means the same.
func (c *conversion) stage(text string, found []string) Native {
	pipeline := c.place.Pipeline
	if pipeline == "" {
		pipeline = c.f.StagePipeline[found[0]]
	}
	inside := slices.DeleteFunc(slices.Clone(found), func(s string) bool { return c.f.StagePipeline[s] != pipeline })
	switch {
	case slices.Contains(inside, c.place.Current.Text):
		return Native{Value: c.place.Current}
	case len(inside) > 0:
		return Native{Value: crm.Text(inside[0])}
	case c.f.Unmapped == "skip":
		return c.leave(NoteSkipped, "no stage of pipeline %s stands for %s, and `unmapped` says skip", pipeline, strconv.Quote(text))
	}
	return c.hold(CodeUnmapped, "add a stage of that pipeline to the table: values: {…: "+strconv.Quote(text)+"}", "no stage of HubSpot pipeline %s stands for %s %s", pipeline, c.name(crm.Salesforce), strconv.Quote(text))
}

func (c *conversion) pickSeveral(text string) Native {
	parts := []string{text}
	if c.source.Kind == crm.KindMultiPicklist || isTextKind(c.source.Kind) {
		parts = splitSet(text)
	}
	var out []string
	add := func(values ...string) {
		for _, v := range values {
			if !slices.Contains(out, v) {
				out = append(out, v)
			}
		}
	}
	for _, part := range parts {
		one := c.choose(part)
		if one.Action != Write {
			return one
		}
		if kept := c.kept(part); len(kept) > 0 {
			add(kept...)
			continue
		}
		add(splitSet(one.Value.Text)...)
	}
	return Native{Value: crm.Text(strings.Join(out, ";"))}
}

// kept are the values that HubSpot holds already and that mean the part: all of
// them stay, where several have the one Salesforce value.
func (c *conversion) kept(part string) []string {
	if c.to != crm.HubSpot {
		return nil
	}
	means := c.counterparts(part)
	return slices.DeleteFunc(splitSet(c.place.Current.Text), func(v string) bool { return !slices.Contains(means, v) })
}

func isTextKind(k crm.Kind) bool {
	return k == crm.KindText || k == crm.KindLongText || k == crm.KindHTML
}

// unmapped follows `unmapped`. The value of {use: …} is Salesforce's unless the
// field only goes to HubSpot, so it is never written to the wrong side.
func (c *conversion) unmapped(text string) Native {
	useHere := c.f.Unmapped == "use" && (c.to == crm.Salesforce || c.f.Direction == mapping.ToHubSpot)
	switch {
	case useHere:
		return Native{Value: crm.Text(c.f.UnmappedValue)}
	case c.f.Unmapped == "skip", c.f.Unmapped == "use":
		return c.leave(NoteSkipped, "%s is %s, which %s does not know, and `unmapped` says %s", c.name(c.to.Other()), shortQuote(text), c.name(c.to), c.f.Unmapped)
	}
	line := shortQuote(text) + ": …"
	if c.to == crm.HubSpot {
		line = "…: " + shortQuote(text)
	}
	return c.hold(CodeUnmapped, "add values: {"+line+"} or unmapped: skip to the field "+c.pairName(), "%s is %s, which %s does not know", c.name(c.to.Other()), shortQuote(text), c.name(c.to))
}

func shortQuote(s string) string {
	if r := []rune(s); len(r) > 40 {
		s = string(r[:39]) + "…"
	}
	return strconv.Quote(s)
}
