package hubspot

import (
	"strconv"
	"strings"
)

// objectKind says what is peculiar to one object type.
// https://developers.hubspot.com/docs/api-reference/latest/crm/using-object-apis
type objectKind struct {
	name     string // plural, as in paths: "contacts"
	singular string // "contact", as in association type names
	typeID   string // "0-1"
	// fullName is p{portal}_{name} of a custom object, empty otherwise.
	fullName                              string
	created                               string // the property that shows when it was created
	modified                              string // the property that shows when it was last modified
	defaults                              []string
	query                                 []string // what a search's free text looks at
	display                               []string // what names a record on a page
	required                              []string // on create
	oneOf                                 []string // on create at least one of these
	pipeline                              string   // the property that names the pipeline
	stage                                 string   // and the one that names the stage
	mergeable, erasable, activity, custom bool
}

func kinds() []objectKind {
	crm := func(name, singular, typeID string, defaults ...string) objectKind {
		return objectKind{name: name, singular: singular, typeID: typeID, created: "createdate",
			modified: "hs_lastmodifieddate", defaults: defaults}
	}
	contacts := crm("contacts", "contact", "0-1", "email", "firstname", "lastname")
	contacts.modified = "lastmodifieddate"
	contacts.query = []string{"firstname", "lastname", "email", "phone", "hs_additional_emails", "fax", "mobilephone", "company", "hs_marketable_until_renewal"}
	contacts.display = []string{"firstname", "lastname", "email"}
	contacts.mergeable, contacts.erasable = true, true

	companies := crm("companies", "company", "0-2", "name", "domain")
	companies.query = []string{"website", "phone", "name", "domain"}
	companies.display = []string{"name", "domain"}
	companies.oneOf = []string{"name", "domain"}
	companies.mergeable = true

	deals := crm("deals", "deal", "0-3", "dealname", "amount", "closedate", "pipeline", "dealstage")
	deals.query = []string{"dealname", "pipeline", "dealstage", "description", "dealtype"}
	deals.display = []string{"dealname"}
	deals.required = []string{"dealname", "dealstage"}
	deals.pipeline, deals.stage = "pipeline", "dealstage"
	deals.mergeable = true

	tickets := crm("tickets", "ticket", "0-5", "subject", "content", "hs_pipeline", "hs_pipeline_stage", "hs_ticket_category", "hs_ticket_priority")
	tickets.query = []string{"subject", "content", "hs_pipeline_stage", "hs_ticket_category", "hs_ticket_id"}
	tickets.display = []string{"subject"}
	tickets.required = []string{"subject", "hs_pipeline_stage"}
	tickets.pipeline, tickets.stage = "hs_pipeline", "hs_pipeline_stage"
	tickets.mergeable = true

	products := crm("products", "product", "0-7", "name", "description", "price")
	products.query = []string{"name", "description", "price", "hs_sku"}
	products.display = []string{"name"}
	products.required = []string{"name"}

	lineItems := crm("line_items", "line_item", "0-8", "quantity", "amount", "price")
	lineItems.display = []string{"name"}

	activity := func(name, singular, typeID, display string, query ...string) objectKind {
		return objectKind{name: name, singular: singular, typeID: typeID, created: "hs_createdate", modified: "hs_lastmodifieddate",
			required: []string{"hs_timestamp"}, display: []string{display}, query: query, activity: true}
	}
	emails := activity("emails", "email", "0-49", "hs_email_subject", "hs_email_subject", "hs_email_text")
	emails.required = append(emails.required, "hs_email_direction")
	return []objectKind{
		contacts, companies, deals, tickets, products, lineItems,
		activity("notes", "note", "0-46", "hs_note_body", "hs_note_body"),
		activity("tasks", "task", "0-27", "hs_task_subject", "hs_task_subject", "hs_task_body"),
		activity("calls", "call", "0-48", "hs_call_title", "hs_call_title", "hs_call_body"),
		activity("meetings", "meeting", "0-47", "hs_meeting_title", "hs_meeting_title", "hs_meeting_body"),
		emails,
	}
}

func (s *Server) addTable(kind objectKind) *table {
	t := newTable(kind, len(s.tables))
	s.register(t)
	return t
}

// register makes a table known by all its names, with its pairs.
func (s *Server) register(t *table) {
	// Ids of different types start far apart, so that one taken for the other is noticed.
	t.lastID = 10_000_000_000 + int64(t.number)*7_000_000_000%80_000_000_000 + int64(s.config.Seed%1_000_000)
	s.tables = append(s.tables, t)
	s.addPairs(t)
	kind := t.kind
	for _, name := range []string{kind.name, kind.singular, kind.typeID, kind.fullName} {
		if name != "" {
			s.tableByName[strings.ToLower(name)] = t
		}
	}
	if !kind.custom { // p{portal}_contact is seen as well
		s.tableByName["p"+strconv.FormatInt(s.config.PortalID, 10)+"_"+kind.singular] = t
	}
}

// table finds an object type by any of its names; nil when there is none.
func (s *Server) table(name string) *table {
	if t, ok := s.tableByName[name]; ok {
		return t.alive()
	}
	if t, ok := s.tableByName[strings.ToLower(name)]; ok {
		return t.alive()
	}
	if i := strings.IndexByte(name, '_'); i > 1 && name[0] == 'p' { // p{portal}_line_item
		if _, err := strconv.ParseInt(name[1:i], 10, 64); err == nil {
			if t := s.tableByName[strings.ToLower(name[i+1:])]; t != nil {
				return t.alive()
			}
		}
	}
	return nil
}

// alive is nil for a custom object whose schema was archived.
func (t *table) alive() *table {
	if t.schema != nil && t.schema.archived {
		return nil
	}
	return t
}

// nextID gives the next id of the type: ascending, with gaps, 11 digits.
func (s *Server) nextID(t *table) int64 {
	t.lastID += 1 + int64(s.random.IntN(37))
	return t.lastID
}
