package hubspot

import (
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
)

// createObject answers POST objects/{type} with 201.
func createObject(c *call) (int, *problem) {
	var in objectInput
	if refused := c.decode(&in); refused != nil {
		return 0, refused
	}
	if in.Properties == nil {
		return 0, missingFields("properties")
	}
	c.s.mu.Lock()
	defer c.s.mu.Unlock()
	done, refused := c.judgeInput(&in, nil, nil)
	if refused != nil {
		return 0, refused
	}
	r := c.apply(done)
	setHeader(c.header, "Location", *c.s.origin.Load()+strings.TrimSuffix(c.request.URL.Path, "/")+"/"+strconv.FormatInt(r.id, 10))
	c.writeResult(done, r)
	return http.StatusCreated, nil
}

// updateObject answers PATCH objects/{type}/{id}.
func updateObject(c *call) (int, *problem) {
	var in objectInput
	if refused := c.decode(&in); refused != nil {
		return 0, refused
	}
	if in.Properties == nil {
		return 0, missingFields("properties")
	}
	c.s.mu.Lock()
	defer c.s.mu.Unlock()
	was, refused := c.locate(c.arg("id"), c.parsedQuery().Get("idProperty"), true)
	if refused != nil {
		return 0, refused
	}
	done, refused := c.judgeInput(&in, was, nil)
	if refused != nil {
		return 0, refused
	}
	c.writeResult(done, c.apply(done))
	return http.StatusOK, nil
}

// archiveObject answers DELETE objects/{type}/{id}; an archived one again is no error.
func archiveObject(c *call) (int, *problem) {
	c.s.mu.Lock()
	defer c.s.mu.Unlock()
	id := c.arg("id")
	r, refused := c.locate(id, c.parsedQuery().Get("idProperty"), false)
	if refused != nil {
		number, err := strconv.ParseInt(id, 10, 64)
		if err == nil && c.table.archivedRecord(number) != nil {
			return http.StatusNoContent, nil
		}
		return 0, refused
	}
	c.s.archive(c.table, r, c.token.by)
	return http.StatusNoContent, nil
}

// pending is a write that was found to be valid.
type pending struct {
	change       *change
	associations []pendingAssociation
	written      []string // names of the properties that the caller sent
	traceID      string
	isNew        bool
	upsert       bool
}

type pendingAssociation struct {
	to    *table
	id    int64
	types []*associationType
}

// judgeInput checks one input: its values and, for a create, its associations.
func (c *call) judgeInput(in *objectInput, was *record, taken claims) (*pending, *problem) {
	given := plain(in.Properties)
	if was == nil && len(given) == 0 && c.table.kind.name == "contacts" {
		return nil, invalid("At least one property is needed to create a contact")
	}
	change, refused := c.s.judge(c.table, was, given, c.writer(), taken)
	if refused != nil {
		return nil, refused
	}
	p := &pending{change: change, written: slices.Collect(maps.Keys(given)), traceID: in.TraceID, isNew: was == nil}
	for _, a := range in.Associations {
		found, refused := c.judgeAssociation(a)
		if refused != nil {
			return nil, refused
		}
		p.associations = append(p.associations, found)
	}
	return p, nil
}

// judgeAssociation finds the object type that the association types lead to: a
// create names only ids and types.
func (c *call) judgeAssociation(in associationInput) (pendingAssociation, *problem) {
	var out pendingAssociation
	id, err := strconv.ParseInt(in.To.ID.value, 10, 64)
	if err != nil || len(in.Types) == 0 {
		return out, missingFields("to", "types")
	}
	out.id = id
	for _, wanted := range in.Types {
		var found *associationType
		for _, other := range c.s.tables {
			if out.to != nil && out.to != other {
				continue
			}
			if t := c.s.pair(c.table, other).typeByID(wanted.Category, wanted.ID); t != nil {
				found, out.to = t, other
				break
			}
		}
		if found == nil {
			return out, invalid("One or more association types are invalid: %d is no association type of %s", wanted.ID, c.table.kind.typeID)
		}
		out.types = append(out.types, found)
	}
	if out.to.live(id) == nil {
		p := invalid("One or more associations are invalid")
		p.context = []contextEntry{{"objectId", []string{in.To.ID.value}}, {"objectType", []string{strings.ToUpper(out.to.kind.singular)}},
			{"INVALID_OBJECT_IDS", []string{in.To.ID.value}}}
		return out, p
	}
	return out, nil
}

// apply carries out a valid write.
func (c *call) apply(p *pending) *record {
	by := c.token.by
	var r *record
	if p.isNew {
		r = c.s.create(c.table, p.change, by)
	} else {
		r = c.s.update(c.table, p.change, by)
	}
	for _, a := range p.associations {
		c.s.associate(by, c.table, a.to, r.id, a.id, a.types, false)
	}
	if len(p.associations) > 0 {
		r = c.table.live(r.id)
	}
	return r
}

// writeAnswer is what a write shows beside what was written.
var writeAnswer = map[string][]string{
	"contacts": {"hs_all_contact_vids", "hs_email_domain", "hs_is_contact", "hs_is_unworked", "hs_lifecyclestage_lead_date",
		"hs_marketable_status", "hs_marketable_until_renewal", "hs_object_source", "hs_object_source_id", "hs_object_source_label",
		"hs_pipeline", "lifecyclestage"},
}

// writeResult writes a record the way a write answers: the properties written,
// those that follow, and none that is unset.
func (c *call) writeResult(p *pending, r *record) {
	names := slices.Clone(p.written)
	if p.isNew {
		names = append(names, c.table.kind.defaults...)
		names = append(names, writeAnswer[c.table.kind.name]...)
		names = append(names, "hs_object_source", "hs_object_source_id", "hs_object_source_label")
	}
	for name := range p.change.values {
		names = append(names, name)
	}
	sel := c.table.choose(names, nil)
	sel.properties = slices.DeleteFunc(sel.properties, func(d *propertyDefinition) bool {
		return c.s.valueOf(c.table, r, d) == "" && !slices.Contains(p.written, d.Name)
	})
	c.out.object()
	c.out.recordMembers(c.s, c.table, r, &sel)
	if p.traceID != "" {
		c.out.textField("objectWriteTraceId", p.traceID)
	}
	if p.upsert {
		c.out.boolField("new", p.isNew)
	}
	if len(p.change.warnings) > 0 {
		c.out.key("warnings")
		c.out.array()
		for _, w := range p.change.warnings {
			c.out.object()
			c.out.textField("category", "PROPERTY_VALUE_NORMALIZED")
			c.out.context([]contextEntry{{"propertyName", []string{w.property}}, {"rawValue", []string{w.raw}}, {"normalizedValue", []string{w.normalized}}})
			c.out.textField("message", w.property+" was normalized")
			c.out.endObject()
		}
		c.out.endArray()
	}
	c.out.endObject()
}

// mergeObjects answers POST objects/{type}/merge: a new record, to which both old ids lead.
func mergeObjects(c *call) (int, *problem) {
	var in struct {
		Primary text `json:"primaryObjectId"`
		Other   text `json:"objectIdToMerge"`
	}
	if refused := c.decode(&in); refused != nil {
		return 0, refused
	}
	if in.Primary.value == "" || in.Other.value == "" {
		return 0, missingFields("primaryObjectId", "objectIdToMerge")
	}
	if !c.table.kind.mergeable {
		return 0, invalid("Objects of type %s cannot be merged", c.table.kind.typeID)
	}
	c.s.mu.Lock()
	defer c.s.mu.Unlock()
	primary, refused := c.locate(in.Primary.value, "", true)
	if refused != nil {
		return 0, refused
	}
	other, refused := c.locate(in.Other.value, "", true)
	if refused != nil {
		return 0, refused
	}
	if primary == other {
		return 0, invalid("Cannot merge an object into itself: %s", in.Primary.value)
	}
	r := c.s.merge(c.table, primary, other, c.token.by)
	sel := c.table.choose(append(slices.Clone(c.table.kind.defaults), "hs_merged_object_ids"), nil)
	c.out.record(c.s, c.table, r, &sel)
	return http.StatusOK, nil
}

// eraseContact answers POST objects/contacts/gdpr-delete: the contact is gone
// for good, and an e-mail that no contact has is blocked.
func eraseContact(c *call) (int, *problem) {
	var in struct {
		ID         text   `json:"objectId"`
		IDProperty string `json:"idProperty"`
	}
	if refused := c.decode(&in); refused != nil {
		return 0, refused
	}
	if in.ID.value == "" {
		return 0, missingFields("objectId")
	}
	if !c.table.kind.erasable {
		return 0, invalid("Objects of type %s cannot be deleted for GDPR", c.table.kind.typeID)
	}
	c.s.mu.Lock()
	defer c.s.mu.Unlock()
	r, refused := c.locate(in.ID.value, in.IDProperty, true)
	switch {
	case refused == nil:
		c.s.erase(c.table, r, c.token.by)
	case in.IDProperty == "email" && refused.status == http.StatusNotFound:
		c.s.blocked[strings.ToLower(in.ID.value)] = true
		c.s.version.Add(1)
	default:
		number, err := strconv.ParseInt(in.ID.value, 10, 64)
		archived := c.table.archivedRecord(number)
		if err != nil || archived == nil {
			return 0, refused
		}
		c.s.erase(c.table, archived, c.token.by)
	}
	return http.StatusNoContent, nil
}
