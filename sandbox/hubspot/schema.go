package hubspot

import (
	"cmp"
	"fmt"
	"strconv"
	"strings"
)

// Schema defines a custom object type.
// https://developers.hubspot.com/docs/api-reference/latest/crm/objects/custom-objects/guide
type Schema struct {
	Name                       string
	Singular                   string // labels
	Plural                     string
	Description                string
	PrimaryDisplayProperty     string
	RequiredProperties         []string
	SearchableProperties       []string
	SecondaryDisplayProperties []string
	Properties                 []Property
	AssociatedObjects          []string // "CONTACT", "contacts", "0-1"

	id         int64
	archived   bool
	createdAt  int64
	updatedAt  int64
	definition []schemaAssociation
}

// schemaAssociation is one direction of an association that a schema defines.
type schemaAssociation struct {
	id       string
	from, to *table
	name     string
}

// AddSchema defines a custom object type as an administrator would, and returns
// its id, "2-…". It panics when the definition is not valid.
func (s *Server) AddSchema(schema Schema) (objectTypeID string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	t, err := s.addSchema(schema)
	if err != nil {
		panic("hubspot: AddSchema: " + err.Error())
	}
	s.version.Add(1)
	return t.kind.typeID
}

func (s *Server) addSchema(in Schema) (*table, error) {
	if !namePattern.MatchString(strings.ToLower(in.Name)) {
		return nil, invalid("%q is not a valid name of a custom object", in.Name)
	}
	if s.table(in.Name) != nil {
		return nil, &problem{status: 409, category: "OBJECT_ALREADY_EXISTS", message: "An object type named '" + in.Name + "' already exists."}
	}
	if in.PrimaryDisplayProperty == "" || len(in.Properties) == 0 {
		return nil, missingFields("primaryDisplayProperty", "properties")
	}
	var ends []*table
	for _, name := range in.AssociatedObjects {
		other := s.table(name)
		if other == nil {
			return nil, unknownType(name)
		}
		ends = append(ends, other)
	}
	now := s.nowMillis()
	s.lastTypeID += 1 + int64(s.random.IntN(3))
	s.lastSchemaID++
	kind := objectKind{name: in.Name, singular: in.Name, typeID: "2-" + strconv.FormatInt(s.lastTypeID, 10),
		fullName: fmt.Sprintf("p%d_%s", s.config.PortalID, in.Name), created: "hs_createdate", modified: "hs_lastmodifieddate",
		custom: true, mergeable: true, display: []string{in.PrimaryDisplayProperty}}
	t := newTable(kind, len(s.tables))
	group := in.Name + "_information"
	t.groups = []*PropertyGroup{{Name: group, Label: cmp.Or(in.Singular, in.Name) + " Information"}}
	for _, line := range builtinLines("custom") {
		t.addBuiltin(line+group, nil)
	}
	for _, p := range in.Properties {
		if _, err := s.defineProperty(t, p, ""); err != nil {
			return nil, err
		}
	}
	for _, name := range append(append([]string{in.PrimaryDisplayProperty}, in.RequiredProperties...), in.SearchableProperties...) {
		if t.property(name) == nil {
			return nil, invalid("Property %q does not exist", name)
		}
	}
	in.id, in.createdAt, in.updatedAt = s.lastTypeID, now, now
	in.Singular, in.Plural = cmp.Or(in.Singular, in.Name), cmp.Or(in.Plural, in.Name)
	t.schema = &in
	s.register(t)
	for _, p := range t.properties {
		if p.HubSpotDefined {
			s.equip(t, p)
		}
	}
	for _, end := range ends {
		s.addSchemaAssociation(t, t, end, "")
	}
	return t, nil
}

// addSchemaAssociation lets two types be associated and notes it in the schema.
func (s *Server) addSchemaAssociation(owner, from, to *table, name string) schemaAssociation {
	standard := s.ensureStandard(from, to)
	a := schemaAssociation{id: strconv.Itoa(standard.id), from: from, to: to, name: cmp.Or(name, from.kind.singular+"_to_"+to.kind.singular)}
	b := schemaAssociation{id: strconv.Itoa(standard.inverse.id), from: to, to: from, name: to.kind.singular + "_to_" + from.kind.singular}
	owner.schema.definition = append(owner.schema.definition, a)
	if from != to {
		owner.schema.definition = append(owner.schema.definition, b)
	}
	return a
}

func (e *encoder) schema(t *table) {
	sc := t.schema
	e.object()
	e.textField("id", strconv.FormatInt(sc.id, 10))
	e.textField("objectTypeId", t.kind.typeID)
	e.textField("fullyQualifiedName", t.kind.fullName)
	e.textField("name", sc.Name)
	if sc.Description != "" {
		e.textField("description", sc.Description)
	}
	e.key("labels")
	e.object()
	e.textField("singular", sc.Singular)
	e.textField("plural", sc.Plural)
	e.endObject()
	e.textField("primaryDisplayProperty", sc.PrimaryDisplayProperty)
	e.textsField("requiredProperties", sc.RequiredProperties)
	e.textsField("searchableProperties", sc.SearchableProperties)
	e.textsField("secondaryDisplayProperties", sc.SecondaryDisplayProperties)
	e.key("properties")
	e.array()
	for _, p := range t.liveProperties(false) {
		e.property(t, p)
	}
	e.endArray()
	e.key("associations")
	e.array()
	for _, a := range sc.definition {
		e.schemaAssociation(a, sc)
	}
	e.endArray()
	e.boolField("archived", sc.archived)
	e.millisField("createdAt", sc.createdAt)
	e.millisField("updatedAt", sc.updatedAt)
	e.endObject()
}

func (e *encoder) schemaAssociation(a schemaAssociation, sc *Schema) {
	e.object()
	e.textField("id", a.id)
	e.textField("fromObjectTypeId", a.from.kind.typeID)
	e.textField("toObjectTypeId", a.to.kind.typeID)
	e.textField("name", a.name)
	e.millisField("createdAt", sc.createdAt)
	e.millisField("updatedAt", sc.updatedAt)
	e.endObject()
}
