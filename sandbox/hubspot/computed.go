package hubspot

import (
	"math"
	"strconv"
	"strings"
)

// equip gives a built-in property its computation, when its value is not stored
// but follows from the record, its stage or its associations.
func (s *Server) equip(t *table, p *propertyDefinition) {
	p.computed = computedEverywhere[p.Name]
	switch {
	case p.Name == t.kind.created || p.Name == t.kind.modified:
		p.computed = stampOf(p.Name == t.kind.modified)
	case t.kind.name == "contacts" && (p.Name == "hs_createdate" || p.Name == "hs_lastmodifieddate"):
		p.computed = stampOf(p.Name == "hs_lastmodifieddate")
	case t.kind.activity && (p.Name == "createdate"):
		p.computed = stampOf(false)
	}
	if f, ok := computedByType[t.kind.name][p.Name]; ok {
		p.computed = f
	}
	if t.kind.name == "contacts" && p.Name == "associatedcompanyid" {
		p.assign = assignPrimaryCompany
	}
	if t.kind.name == "companies" && p.Name == "hs_parent_company_id" {
		p.assign = assignParent
	}
}

type computation = func(s *Server, t *table, r *record) string

func stampOf(modified bool) computation {
	if modified {
		return func(_ *Server, _ *table, r *record) string { return formatMillis(r.modified) }
	}
	return func(_ *Server, _ *table, r *record) string { return formatMillis(r.created) }
}

var computedEverywhere = map[string]computation{
	"hs_object_id":              func(_ *Server, _ *table, r *record) string { return strconv.FormatInt(r.id, 10) },
	"hs_object_source":          func(s *Server, _ *table, r *record) string { return s.sources[r.source].Type },
	"hs_object_source_id":       func(s *Server, _ *table, r *record) string { return s.sources[r.source].ID },
	"hs_object_source_label":    func(s *Server, _ *table, r *record) string { return s.sources[r.source].Label },
	"hs_object_source_detail_1": func(s *Server, _ *table, r *record) string { return s.sources[r.source].Detail },
	"hs_createdate": func(_ *Server, t *table, r *record) string {
		if v, ok := t.stored(r, "hs_createdate"); ok { // createdate was written by a user
			return v
		}
		return formatMillis(r.created)
	},
	"hs_body_preview": func(_ *Server, t *table, r *record) string {
		for _, name := range []string{"hs_note_body", "hs_call_body", "hs_email_text", "hs_meeting_body", "hs_task_body"} {
			if v, ok := t.stored(r, name); ok {
				return preview(v)
			}
		}
		return ""
	},
}

var computedByType = map[string]map[string]computation{
	"contacts": {
		"associatedcompanyid": func(s *Server, t *table, r *record) string { return s.primaryCompany(t, r) },
		"hs_all_contact_vids": func(_ *Server, _ *table, r *record) string { return strconv.FormatInt(r.id, 10) },
		"hs_is_contact":       func(*Server, *table, *record) string { return "true" },
		"hs_is_unworked": func(_ *Server, t *table, r *record) string {
			_, worked := t.stored(r, "notes_last_contacted")
			return strconv.FormatBool(!worked)
		},
		"hs_email_domain": func(_ *Server, t *table, r *record) string {
			v, _ := t.stored(r, "email")
			_, domain, _ := strings.Cut(v, "@")
			return domain
		},
		"hs_full_name_or_email": func(_ *Server, t *table, r *record) string {
			first, _ := t.stored(r, "firstname")
			last, _ := t.stored(r, "lastname")
			if name := strings.TrimSpace(first + " " + last); name != "" {
				return name
			}
			email, _ := t.stored(r, "email")
			return email
		},
		"hs_calculated_phone_number":            func(_ *Server, t *table, r *record) string { full, _ := phoneOf(t, r); return full },
		"hs_searchable_calculated_phone_number": func(_ *Server, t *table, r *record) string { _, short := phoneOf(t, r); return short },
		"num_associated_deals":                  func(s *Server, t *table, r *record) string { return s.countLinks(t, r, "deals") },
		"recent_deal_amount":                    func(s *Server, t *table, r *record) string { return s.deals(t, r).recentAmount },
		"recent_deal_close_date":                func(s *Server, t *table, r *record) string { return s.deals(t, r).recentClose },
		"total_revenue":                         func(s *Server, t *table, r *record) string { return s.deals(t, r).revenue },
		"first_deal_created_date":               func(s *Server, t *table, r *record) string { return s.deals(t, r).firstCreated },
	},
	"companies": {
		"num_associated_contacts": func(s *Server, t *table, r *record) string { return s.countLinks(t, r, "contacts") },
		"num_associated_deals":    func(s *Server, t *table, r *record) string { return s.countLinks(t, r, "deals") },
		"hs_num_open_deals":       func(s *Server, t *table, r *record) string { return s.deals(t, r).open },
		"hs_total_deal_value":     func(s *Server, t *table, r *record) string { return s.deals(t, r).openValue },
		"recent_deal_amount":      func(s *Server, t *table, r *record) string { return s.deals(t, r).recentAmount },
		"recent_deal_close_date":  func(s *Server, t *table, r *record) string { return s.deals(t, r).recentClose },
		"total_revenue":           func(s *Server, t *table, r *record) string { return s.deals(t, r).revenue },
		"first_deal_created_date": func(s *Server, t *table, r *record) string { return s.deals(t, r).firstCreated },
		"hs_parent_company_id": func(s *Server, t *table, r *record) string {
			p := s.pair(t, t)
			return idOrNone(p.targetOf(r.id, p.typeByID(hubspotDefined, childToParent)))
		},
		"hs_num_child_companies": func(s *Server, t *table, r *record) string {
			p := s.pair(t, t)
			parent, n := p.typeByID(hubspotDefined, parentToChild), 0
			for _, l := range p.links[r.id] {
				if l.types&(1<<parent.bit) != 0 {
					n++
				}
			}
			return strconv.Itoa(n)
		},
	},
	"deals": {
		"hs_is_closed":     func(_ *Server, t *table, r *record) string { return strconv.FormatBool(stageOf(t, r).Closed) },
		"hs_is_closed_won": func(_ *Server, t *table, r *record) string { return strconv.FormatBool(stageOf(t, r).won()) },
		"hs_is_closed_lost": func(_ *Server, t *table, r *record) string {
			st := stageOf(t, r)
			return strconv.FormatBool(st.Closed && !st.won())
		},
		"hs_deal_stage_probability":            func(_ *Server, t *table, r *record) string { return stageOf(t, r).Probability },
		"amount_in_home_currency":              func(_ *Server, t *table, r *record) string { v, _ := t.stored(r, "amount"); return v },
		"hs_closed_amount":                     closedAmount,
		"hs_closed_amount_in_home_currency":    closedAmount,
		"hs_projected_amount":                  projectedAmount,
		"hs_projected_amount_in_home_currency": projectedAmount,
		"hs_forecast_amount":                   projectedAmount,
		"hs_primary_associated_company":        func(s *Server, t *table, r *record) string { return s.primaryCompany(t, r) },
		"num_associated_contacts":              func(s *Server, t *table, r *record) string { return s.countLinks(t, r, "contacts") },
		"hs_num_of_associated_line_items":      func(s *Server, t *table, r *record) string { return s.countLinks(t, r, "line_items") },
		"days_to_close":                        func(_ *Server, t *table, r *record) string { return daysBetween(t, r, "closedate") },
	},
	"tickets": {
		"hs_ticket_id":  func(_ *Server, _ *table, r *record) string { return strconv.FormatInt(r.id, 10) },
		"hs_is_closed":  func(_ *Server, t *table, r *record) string { return strconv.FormatBool(stageOf(t, r).Closed) },
		"time_to_close": timeToClose,
	},
	"line_items": {
		"amount": func(_ *Server, t *table, r *record) string {
			quantity, ok := numberOf(t, r, "quantity")
			price, ok2 := numberOf(t, r, "price")
			if !ok || !ok2 {
				return ""
			}
			discount, _ := numberOf(t, r, "discount")
			share, _ := numberOf(t, r, "hs_discount_percentage")
			return formatNumber(quantity * (price - discount) * (1 - share/100))
		},
	},
	"emails": {
		"hs_email_from_email":     headerOf("from", "email"),
		"hs_email_from_firstname": headerOf("from", "firstName"),
		"hs_email_from_lastname":  headerOf("from", "lastName"),
		"hs_email_to_email":       headerOf("to", "email"),
		"hs_email_to_firstname":   headerOf("to", "firstName"),
		"hs_email_to_lastname":    headerOf("to", "lastName"),
	},
	"tasks": {
		"hs_task_is_completed": func(_ *Server, t *table, r *record) string {
			v, _ := t.stored(r, "hs_task_status")
			return strconv.FormatBool(v == "COMPLETED")
		},
	},
}

const (
	parentToChild = 13
	childToParent = 14
)

// stored returns a stored value by name.
func (t *table) stored(r *record, name string) (string, bool) {
	p := t.byName[name]
	if p == nil {
		return "", false
	}
	return r.value(p.number)
}

// valueOf returns a property's value, stored or computed; "" means null.
func (s *Server) valueOf(t *table, r *record, p *propertyDefinition) string {
	if p.computed != nil {
		return p.computed(s, t, r)
	}
	v, _ := r.value(p.number)
	return v
}

func (s *Server) primaryCompany(t *table, r *record) string {
	return idOrNone(s.pair(t, s.tableByName["companies"]).primaryTarget(r.id))
}

func idOrNone(id int64) string {
	if id == 0 {
		return ""
	}
	return strconv.FormatInt(id, 10)
}

func (s *Server) countLinks(t *table, r *record, to string) string {
	return strconv.Itoa(len(s.pair(t, s.tableByName[to]).links[r.id]))
}

// assignPrimaryCompany makes a written associatedcompanyid the association that
// it mirrors.
func assignPrimaryCompany(s *Server, t *table, id int64, value string, by source) {
	companies := s.tableByName["companies"]
	p := s.pair(t, companies)
	if old := p.primaryTarget(id); old != 0 && value == "" {
		s.dissociate(by, t, companies, id, old, nil)
	}
	if to, err := strconv.ParseInt(value, 10, 64); err == nil && companies.live(to) != nil {
		s.associate(by, t, companies, id, to, []*associationType{p.primaryType()}, false)
	}
}

func assignParent(s *Server, t *table, id int64, value string, by source) {
	p := s.pair(t, t)
	child := p.typeByID(hubspotDefined, childToParent)
	if old := p.targetOf(id, child); old != 0 {
		s.dissociate(by, t, t, id, old, nil)
	}
	if to, err := strconv.ParseInt(value, 10, 64); err == nil && t.live(to) != nil && to != id {
		s.associate(by, t, t, id, to, []*associationType{child}, false)
	}
}

func stageOf(t *table, r *record) Stage {
	id, _ := t.stored(r, t.kind.stage)
	if _, st := t.stage(id); st != nil {
		return *st
	}
	return Stage{}
}

func closedAmount(_ *Server, t *table, r *record) string {
	if st := stageOf(t, r); !st.won() {
		return "0"
	}
	v, _ := t.stored(r, "amount")
	return v
}

func projectedAmount(_ *Server, t *table, r *record) string {
	amount, ok := numberOf(t, r, "amount")
	if !ok {
		return ""
	}
	st := stageOf(t, r)
	return formatNumber(amount * st.probability())
}

func numberOf(t *table, r *record, name string) (float64, bool) {
	v, ok := t.stored(r, name)
	if !ok {
		return 0, false
	}
	n, err := strconv.ParseFloat(v, 64)
	return n, err == nil
}

func formatNumber(v float64) string {
	return strconv.FormatFloat(math.Round(v*1e6)/1e6, 'f', -1, 64)
}

func daysBetween(t *table, r *record, name string) string {
	v, ok := t.stored(r, name)
	at, valid := parseTime(v)
	if !ok || !valid {
		return ""
	}
	return strconv.FormatInt(max(0, (at-r.created)/dayMillis), 10)
}

func timeToClose(_ *Server, t *table, r *record) string {
	v, ok := t.stored(r, "closed_date")
	at, valid := parseTime(v)
	if !ok || !valid {
		return ""
	}
	return strconv.FormatInt(at-r.created, 10)
}

// dealSums is what a company or contact shows of its deals.
type dealSums struct {
	open, openValue, revenue, recentAmount, recentClose, firstCreated string
}

func (s *Server) deals(t *table, r *record) (sums dealSums) {
	deals := s.tableByName["deals"]
	p := s.pair(t, deals)
	open, openValue, revenue := 0, 0.0, 0.0
	var recent, first int64
	for _, l := range p.links[r.id] {
		d := deals.live(l.to)
		if d == nil {
			continue
		}
		if first == 0 || d.created < first {
			first = d.created
			sums.firstCreated = formatMillis(first)
		}
		amount, _ := numberOf(deals, d, "amount")
		st := stageOf(deals, d)
		if !st.Closed {
			open++
			openValue += amount
			continue
		}
		if !st.won() {
			continue
		}
		revenue += amount
		v, _ := deals.stored(d, "closedate")
		if at, ok := parseTime(v); ok && at >= recent {
			recent, sums.recentClose = at, v
			sums.recentAmount, _ = deals.stored(d, "amount")
		}
	}
	sums.open = strconv.Itoa(open)
	sums.openValue = formatNumber(openValue)
	if revenue > 0 {
		sums.revenue = formatNumber(revenue)
	}
	return sums
}

// phoneOf guesses the international and the national form of a telephone number;
// a ten-digit number without a country is taken for a North American one.
func phoneOf(t *table, r *record) (full, national string) {
	v, ok := t.stored(r, "phone")
	if !ok {
		v, ok = t.stored(r, "mobilephone")
	}
	if !ok {
		return "", ""
	}
	var digits strings.Builder
	for _, c := range v {
		if c >= '0' && c <= '9' {
			digits.WriteRune(c)
		}
		if c == 'x' || c == 'X' { // an extension is no part of the number
			break
		}
	}
	d := digits.String()
	switch {
	case strings.HasPrefix(strings.TrimSpace(v), "+1") && len(d) == 11:
		return "+" + d, d[1:]
	case strings.HasPrefix(strings.TrimSpace(v), "+") && len(d) > 7:
		return "+" + d, d[2:]
	case len(d) == 11 && d[0] == '1':
		return "+" + d, d[1:]
	case len(d) == 10 && d[0] != '0':
		return "+1" + d, d
	}
	return "", ""
}

// previewLimit is how many characters of a body an activity's preview has.
const previewLimit = 200

// preview is a body without its tags.
func preview(html string) string {
	var b strings.Builder
	inside, n := false, 0
	for _, c := range html {
		switch {
		case c == '<':
			inside = true
		case c == '>':
			inside = false
		case !inside:
			if n++; n > previewLimit {
				return strings.TrimSpace(b.String())
			}
			b.WriteRune(c)
		}
	}
	return strings.TrimSpace(b.String())
}
