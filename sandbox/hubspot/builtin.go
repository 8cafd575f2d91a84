package hubspot

import (
	"embed"
	"fmt"
	"strconv"
	"strings"
)

// builtinFiles hold HubSpot's own properties, option sets and association types,
// one a line, in the order of their first line.
//
//go:embed builtin/*.txt
var builtinFiles embed.FS

// builtinBirthday is when HubSpot's own definitions say they were made.
const builtinBirthday = 1_577_836_800_000 // 2020-01-01T00:00:00Z

func builtinLines(name string) []string {
	b, err := builtinFiles.ReadFile("builtin/" + name + ".txt")
	if err != nil {
		panic(err) // embedded: only a wrong program misses it
	}
	var out []string
	for line := range strings.Lines(string(b)) {
		if line = strings.TrimSpace(line); line != "" && line[0] != '#' {
			out = append(out, line)
		}
	}
	return out
}

// groupLabels are the property groups of HubSpot's own types, first one first.
var groupLabels = map[string][]string{
	"contacts": {"contactinformation", "Contact Information", "sales_properties", "Sales Properties", "contact_activity", "Contact Activity",
		"deal_information", "Deal Information", "emailinformation", "Email Information", "analyticsinformation", "Analytics History",
		"conversioninformation", "Conversion Information", "socialmediainformation", "Social Media Information", "facebook_ads_properties", "Facebook Ads Properties"},
	"companies":  {"companyinformation", "Company Information", "company_activity", "Company Activity"},
	"deals":      {"dealinformation", "Deal Information", "deal_activity", "Deal Activity", "deal_revenue", "Deal Revenue"},
	"tickets":    {"ticketinformation", "Ticket Information", "ticketactivity", "Ticket Activity"},
	"products":   {"productinformation", "Product Information"},
	"line_items": {"lineiteminformation", "Line Item Information"},
	"notes":      {"note", "Note", "engagement", "Activity"},
	"tasks":      {"task", "Task", "engagement", "Activity"},
	"calls":      {"call", "Call", "engagement", "Activity"},
	"meetings":   {"meeting", "Meeting", "engagement", "Activity"},
	"emails":     {"email", "Email", "engagement", "Activity"},
}

func (s *Server) loadBuiltin() {
	options := map[string][]Option{}
	for _, line := range builtinLines("options") {
		name, list, _ := strings.Cut(line, " = ")
		for i, item := range strings.Split(list, "; ") {
			value, label, _ := strings.Cut(item, "=")
			options[name] = append(options[name], Option{Value: value, Label: label, DisplayOrder: i})
		}
	}
	for _, kind := range kinds() {
		t := s.addTable(kind)
		labels := groupLabels[kind.name]
		for i := 0; i < len(labels); i += 2 {
			t.groups = append(t.groups, &PropertyGroup{Name: labels[i], Label: labels[i+1], DisplayOrder: i / 2})
		}
		for _, line := range builtinLines(kind.name) {
			t.addBuiltin(line, options)
		}
		for _, p := range t.properties {
			s.equip(t, p)
		}
	}
	s.loadPipelines()
	for _, line := range builtinLines("associations") {
		f := strings.Fields(line)
		id, _ := strconv.Atoi(f[2])
		back, _ := strconv.Atoi(f[3])
		name := ""
		if len(f) > 4 {
			name = f[4]
		}
		s.addStandardType(s.tableByName[f[0]], s.tableByName[f[1]], id, back, name)
	}
}

// addBuiltin reads one line of a definition file.
func (t *table) addBuiltin(line string, options map[string][]Option) {
	f := strings.Split(line, "|")
	if len(f) != 6 {
		panic(fmt.Sprintf("hubspot: builtin line %q", line))
	}
	for i := range f {
		f[i] = strings.TrimSpace(f[i])
	}
	p := &propertyDefinition{HubSpotDefined: true, number: len(t.properties), table: t, createdAt: builtinBirthday, updatedAt: builtinBirthday}
	p.Property = Property{Name: f[0], Label: f[1], Type: f[2], FieldType: f[3], ReadOnly: f[4] == "read-only", GroupName: f[5],
		HasUniqueValue: f[4] == "unique", DisplayOrder: -1}
	p.Calculated = strings.HasPrefix(p.FieldType, "calculation")
	p.FormField = !p.ReadOnly && t.kind.name == "contacts"
	p.Hidden = t.kind.name == "contacts" && (p.Name == "hs_createdate" || p.Name == "hs_lastmodifieddate")
	switch {
	case p.Name == "hubspot_owner_id":
		p.ExternalOptions, p.ReferencedObjectType = true, "OWNER"
	case p.Name == "hubspot_team_id" || p.Name == "hs_all_owner_ids":
		p.ExternalOptions = true
	case p.Name == "lifecyclestage":
		p.ExternalOptions = true
	case p.Name == "amount":
		p.NumberDisplayHint, p.ShowCurrencySymbol = "currency", true
	}
	p.setOptions(options[t.kind.name+"."+p.Name])
	if p.Type == "bool" && len(p.Options) == 0 {
		p.setOptions([]Option{{Label: "True", Value: "true"}, {Label: "False", Value: "false", DisplayOrder: 1}})
	}
	t.properties = append(t.properties, p)
	t.byName[p.Name] = p
	if p.HasUniqueValue || t.kind.name == "contacts" && p.Name == "email" {
		t.unique[p.number] = map[string]int64{}
	}
}
