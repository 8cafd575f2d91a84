package mapping

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"unicode"

	"github.com/lockstep-sync/lockstep/internal/crm"
)

// standard takes the pairs that mean the same in every account.
func (s *suggestion) standard() {
	for _, p := range s.preset.pairs {
		t := s.target(p.salesforceObject)
		if t == nil {
			continue
		}
		why := p.why
		var options []string
		if p.blank != "" {
			options = append(options, "blank: "+yamlScalar(p.blank))
			why = sentence(why, "Salesforce needs a value; this text stands in for a blank and never flows back")
		}
		options = append(options, p.options...)
		if p.times != "" {
			options = append(options, "times: "+p.times)
		}
		s.addStandard(t, p, why, options...)
	}
}

// constants takes the lines that give a Salesforce field a value.
func (s *suggestion) constants() {
	for _, c := range s.preset.computed {
		for _, t := range s.targets {
			f := t.Field(c.salesforce)
			if f == nil || !f.Creatable || s.usedSalesforce[t.Name][c.salesforce] {
				continue
			}
			s.usedSalesforce[t.Name][c.salesforce] = true
			s.put(suggestedField{salesforce: c.salesforce, options: []string{"from: " + yamlExpression(c.from)}, why: c.why}, t)
		}
	}
}

// alike takes further pairs: fields that one of the two accounts made itself,
// with the same name or label and the same kind on both sides.
func (s *suggestion) alike() {
	for i := range s.hubspot.Fields {
		h := &s.hubspot.Fields[i]
		if strings.HasPrefix(h.Name, "hs_") || s.usedHubSpot[h.Name] {
			continue
		}
		for _, t := range s.targets {
			for j := range t.Fields {
				f := &t.Fields[j]
				if s.usedSalesforce[t.Name][f.Name] || f.ExternalID || familyOf(h.Kind) != familyOf(f.Kind) || familyOf(h.Kind) == familyID {
					continue
				}
				if !strings.HasSuffix(f.Name, "__c") && h.Label != f.Label {
					continue
				}
				if plain(h.Name) == plain(f.Name) {
					s.add(t, h.Name, f.Name, "same name and type")
				} else if h.Label != "" && plain(h.Label) == plain(f.Label) {
					s.add(t, h.Name, f.Name, "same label and type")
				}
			}
		}
	}
}

// plain is a name without case, spaces, underscores and the ending of custom
// fields.
func plain(name string) string {
	name = strings.TrimSuffix(strings.ToLower(name), "__c")
	return strings.Map(func(r rune) rune {
		if unicode.IsLetter(r) || unicode.IsDigit(r) {
			return r
		}
		return -1
	}, name)
}

func (s *suggestion) target(name string) *crm.Object {
	for _, t := range s.targets {
		if t.Name == name {
			return t
		}
	}
	return nil
}

func writable(f *crm.Field) bool { return !f.Calculated && f.Updatable }

// add suggests one pair if it can work, in the directions in which it can.
func (s *suggestion) add(t *crm.Object, hubspot, salesforce, why string) {
	s.addStandard(t, standardPair{hubspot: hubspot, salesforce: salesforce}, why)
}

func (s *suggestion) addStandard(t *crm.Object, p standardPair, why string, options ...string) {
	hubspot, salesforce := p.hubspot, p.salesforce
	h, f := s.hubspot.Field(hubspot), t.Field(salesforce)
	if h == nil || f == nil || s.usedSalesforce[t.Name][salesforce] {
		return
	}
	to, back := writable(f) && converts(h.Kind, f.Kind), writable(h) && converts(f.Kind, h.Kind)
	if !to && (!back || f.Required) {
		return
	}
	line := suggestedField{hubspot: hubspot, salesforce: salesforce, why: why, options: options}
	switch {
	case p.direction != "":
		if p.direction == string(ToSalesforce) && !to || p.direction == string(ToHubSpot) && !back {
			return
		}
		line.options = append(line.options, "direction: "+p.direction)
	case !back:
		line.options = append(line.options, "direction: to-salesforce")
		line.why = sentence(line.why, "HubSpot does not let this be written")
		if writable(h) {
			line.why = sentence(why, "not every Salesforce value fits HubSpot")
		}
	case !to:
		line.options = append(line.options, "direction: to-hubspot")
		line.why = sentence(line.why, "Salesforce does not let this be written")
	}
	if len(options) == 0 && (h.Kind == crm.KindPercent || f.Kind == crm.KindPercent) && p.times == "" {
		line.why = sentence(line.why, "percents: compare one record, then add times: 100 or times: 1")
	}
	if !s.picks(&line, t, h, f, p.table) {
		return
	}
	s.usedHubSpot[hubspot] = true
	s.usedSalesforce[t.Name][salesforce] = true
	s.put(line, t)
}

func sentence(a, b string) string {
	switch {
	case a == "":
		return b
	case b == "":
		return a
	}
	return a + "; " + b
}

// put joins a line with the same one for another target, or limits it.
func (s *suggestion) put(line suggestedField, t *crm.Object) {
	if len(s.targets) > 1 {
		line.on = []string{t.Name}
		for i := range s.lines {
			l := &s.lines[i]
			if l.hubspot != line.hubspot || l.salesforce != line.salesforce || !slices.Equal(l.options, line.options) || !slices.Equal(l.table, line.table) {
				continue
			}
			if l.on = append(l.on, t.Name); len(l.on) == len(s.targets) {
				l.on = nil
			}
			return
		}
	}
	s.lines = append(s.lines, line)
}

// picks adds what a picklist needs: a table where values differ by name only,
// and `unmapped: skip` where not every value has a counterpart. A pair of
// picklists that share nothing is not suggested.
func (s *suggestion) picks(line *suggestedField, t *crm.Object, h, f *crm.Field, table []string) bool {
	from, into := options(s.hubspot, h), options(t, f)
	pick := func(k crm.Kind) bool { return k == crm.KindPicklist || k == crm.KindMultiPicklist }
	if !pick(f.Kind) && !pick(h.Kind) || len(into) == 0 && len(from) == 0 {
		return true
	}
	told := map[string]string{}
	for _, entry := range table {
		if findOption(from, before(entry)) != nil && (len(into) == 0 || findOption(into, after(entry)) != nil) {
			told[before(entry)] = after(entry)
		}
	}
	// In the order of the preset: the first of several values is the way back.
	for _, entry := range table {
		if value, ok := told[before(entry)]; ok {
			line.table = append(line.table, yamlScalar(before(entry))+": "+yamlScalar(value))
		}
	}
	if len(into) == 0 && len(told) > 0 {
		line.options = append(line.options, "unmapped: skip")
		line.why = sentence(line.why, "free text in Salesforce; what is not in the table is left alone")
		return true
	}
	if len(from) == 0 || len(into) == 0 {
		// Free text on one side: what is not in the list is skipped.
		line.options = append(line.options, "unmapped: skip")
		line.why = sentence(line.why, "free text on one side; what is not in the other's list is left alone")
		return true
	}
	var alone, shared []string
	usedBack := map[string]bool{}
	stages := h.Name == stageProperty(s.hubspot)
	for _, o := range from {
		if !o.Active {
			continue
		}
		if value, ok := told[o.Value]; ok {
			usedBack[value] = true
			shared = append(shared, o.Value)
			continue
		}
		if same := SameOption(o, into); same != nil {
			usedBack[same.Value] = true
			shared = append(shared, o.Value)
			continue
		}
		value, why := similar(o, into), ""
		if value == "" && stages {
			value, why = stageByProbability(s.hubspot, o.Value, into)
		}
		if value == "" {
			alone = append(alone, o.Value)
			continue
		}
		usedBack[value] = true
		shared = append(shared, o.Value)
		entry := yamlScalar(o.Value) + ": " + yamlScalar(value)
		if o.Label != "" && o.Label != o.Value || why != "" {
			entry += "   # " + sentence(o.Label, why)
		}
		line.table = append(line.table, entry)
	}
	if len(shared) == 0 {
		return false
	}
	var back []string
	for _, o := range into {
		if o.Active && !usedBack[o.Value] {
			back = append(back, o.Value)
		}
	}
	switch {
	case len(alone) > 0 && f.Required:
		line.why = sentence(line.why, "add the missing values to the table, records with them are held: "+strings.Join(alone, ", "))
	case len(alone) > 0 || len(back) > 0:
		line.options = append(line.options, "unmapped: skip")
		line.why = sentence(line.why, fmt.Sprintf("values without a counterpart are left alone: %s", counted(len(alone), len(back), alone, back)))
	case len(line.table) == 0:
		line.why = sentence(line.why, "all values have the same names")
	}
	return true
}

func counted(nHubSpot, nSalesforce int, hubspot, salesforce []string) string {
	var parts []string
	show := func(n int, side string, names []string) {
		if n == 0 {
			return
		}
		if n > 3 {
			names = append(slices.Clone(names[:3]), "…")
		}
		parts = append(parts, fmt.Sprintf("%d in %s (%s)", n, side, strings.ReplaceAll(strings.Join(names, ", "), "\n", " ")))
	}
	show(nHubSpot, "HubSpot", hubspot)
	show(nSalesforce, "Salesforce", salesforce)
	return strings.Join(parts, ", ")
}

// similar finds the option with the same letters, give or take a plural or the
// word "pipeline".
func similar(o crm.Option, into []crm.Option) string {
	bare := func(text string) string {
		return strings.TrimSuffix(strings.TrimSuffix(plain(text), "pipeline"), "s")
	}
	for _, a := range []string{o.Label, o.Value} {
		for _, b := range into {
			if b.Active && bare(a) != "" && (bare(a) == bare(b.Value) || bare(a) == bare(b.Label)) {
				return b.Value
			}
		}
	}
	return ""
}

// stageByProbability finds the Salesforce stage for a HubSpot stage: closed ones
// by their name, open ones by the nearest probability. A schema does not tell
// the probability of Salesforce stages, so only those of a new organisation are
// known: https://help.salesforce.com/s/articleView?id=sf.customize_stages.htm
func stageByProbability(o *crm.Object, id string, into []crm.Option) (value, why string) {
	stage := findStage(o, id)
	if stage == nil {
		return "", ""
	}
	if findOption(into, "Closed Won") == nil {
		return ticketStatus(o, id, into)
	}
	if stage.Closed {
		name := "Closed Won"
		if stage.Probability < 0.5 {
			name = "Closed Lost"
		}
		if findOption(into, name) != nil {
			return name, "closed"
		}
		return "", ""
	}
	best := math.Inf(1)
	for _, known := range []struct {
		name        string
		probability float64
	}{{"Prospecting", 0.1}, {"Qualification", 0.1}, {"Needs Analysis", 0.2}, {"Value Proposition", 0.5}, {"Id. Decision Makers", 0.6},
		{"Perception Analysis", 0.7}, {"Proposal/Price Quote", 0.75}, {"Negotiation/Review", 0.9}} {
		if findOption(into, known.name) == nil {
			continue
		}
		if gap := math.Abs(known.probability - stage.Probability); gap < best-1e-9 {
			best, value = gap, known.name
		}
	}
	if value == "" {
		return "", ""
	}
	return value, fmt.Sprintf("nearest to %d %% likely", int(math.Round(stage.Probability*100)))
}

// ticketStatus finds the status of a Case for a stage: closed ones are Closed,
// the first is New, all others are being worked on.
func ticketStatus(o *crm.Object, id string, into []crm.Option) (value, why string) {
	name, why := "Working", "open"
	for _, p := range o.Pipelines {
		for i, stage := range p.Stages {
			switch {
			case stage.ID != id:
			case stage.Closed:
				name, why = "Closed", "closed"
			case i == 0:
				name, why = "New", "first"
			}
		}
	}
	if findOption(into, name) == nil {
		return "", ""
	}
	return name, why
}

func findStage(o *crm.Object, id string) *crm.Stage {
	for i := range o.Pipelines {
		for j := range o.Pipelines[i].Stages {
			if o.Pipelines[i].Stages[j].ID == id {
				return &o.Pipelines[i].Stages[j]
			}
		}
	}
	return nil
}

// maxListedFields keeps the list of what was left out readable.
const maxListedFields = 40

// unsuggested lists what could be written and is not: properties first, then
// each Salesforce object.
func (s *suggestion) unsuggested() {
	var names []string
	for i := range s.hubspot.Fields {
		f := &s.hubspot.Fields[i]
		if writable(f) && !s.usedHubSpot[f.Name] && !strings.HasPrefix(f.Name, "hs_") && familyOf(f.Kind) != familyNone && f.Name != "associatedcompanyid" {
			names = append(names, f.Name)
		}
	}
	s.leave("HubSpot "+s.hubspot.Name, names)
	for _, t := range s.targets {
		names = nil
		for i := range t.Fields {
			f := &t.Fields[i]
			if writable(f) && !s.usedSalesforce[t.Name][f.Name] && familyOf(f.Kind) != familyNone && familyOf(f.Kind) != familyID && !f.ExternalID {
				names = append(names, f.Name)
			}
		}
		s.leave("Salesforce "+t.Name, names)
	}
}

// unfitting lists the fields whose type cannot be kept in step, one line a
// reason.
func (s *suggestion) unfitting() []string {
	var lines []string
	list := func(object string, fields []crm.Field) {
		names, reasons := map[string][]string{}, []string{}
		for i := range fields {
			f := &fields[i]
			if f.Kind != crm.KindOther || f.Unfit == "" || strings.HasPrefix(f.Name, "hs_") {
				continue
			}
			if names[f.Unfit] == nil {
				reasons = append(reasons, f.Unfit)
			}
			names[f.Unfit] = append(names[f.Unfit], f.Name)
		}
		for _, why := range reasons {
			lines = append(lines, object+"."+strings.Join(names[why], ", ")+": "+why)
		}
	}
	list("HubSpot "+s.hubspot.Name, s.hubspot.Fields)
	for _, t := range s.targets {
		list("Salesforce "+t.Name, t.Fields)
	}
	return lines
}

func (s *suggestion) leave(object string, names []string) {
	if len(names) == 0 {
		return
	}
	more := ""
	if len(names) > maxListedFields {
		more = fmt.Sprintf(" and %d more", len(names)-maxListedFields)
		names = names[:maxListedFields]
	}
	line := object + ": "
	for i, n := range names {
		if i > 0 {
			line += ", "
		}
		if len(line)+len(n) > 140 {
			s.left = append(s.left, strings.TrimRight(line, " "))
			line = "  "
		}
		line += n
	}
	s.left = append(s.left, line+more)
}
