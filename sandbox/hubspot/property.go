package hubspot

import (
	"cmp"
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// Property defines one property of an object type.
// https://developers.hubspot.com/docs/api-reference/latest/crm/properties/guide
type Property struct {
	Name        string
	Label       string
	Type        string // string, number, enumeration, bool, date, datetime, phone_number
	FieldType   string // text, textarea, select, checkbox …
	GroupName   string // "" means the type's first group
	Description string
	Options     []Option
	// HasUniqueValue makes the property usable as idProperty; at most ten per type.
	HasUniqueValue bool
	Hidden         bool
	FormField      bool
	// ReadOnly refuses values by API, as for calculated properties.
	ReadOnly bool
	// DisplayOrder is the place in its group; 0 and less mean last.
	DisplayOrder         int
	Calculated           bool
	ExternalOptions      bool
	ReferencedObjectType string
	CalculationFormula   string
	CurrencyPropertyName string
	DataSensitivity      string // "" means non_sensitive
	NumberDisplayHint    string
	TextDisplayHint      string
	ShowCurrencySymbol   bool
}

// Option is one value of an enumeration.
type Option struct {
	Label        string
	Value        string
	Description  string
	DisplayOrder int
	Hidden       bool
}

// PropertyGroup gathers properties on HubSpot's record page.
type PropertyGroup struct {
	Name         string
	Label        string
	DisplayOrder int
	Archived     bool
}

// propertyDefinition is a property as the account holds it.
type propertyDefinition struct {
	Property
	number         int // in its table
	table          *table
	HubSpotDefined bool
	Archived       bool
	createdAt      int64
	updatedAt      int64
	archivedAt     int64
	createdUserID  string
	options        map[string]bool // by value, of Options
	// computed gives the value of a property that is not stored; nil when it is.
	computed func(s *Server, t *table, r *record) string
	// assign takes a write to a property that is not stored; nil refuses or stores it.
	assign func(s *Server, t *table, id int64, value string, by source)
}

func (p *propertyDefinition) setOptions(options []Option) {
	p.Options = options
	p.options = make(map[string]bool, len(options))
	for _, o := range options {
		p.options[o.Value] = true
	}
}

func (p *propertyDefinition) multiple() bool {
	return p.Type == "enumeration" && p.FieldType == "checkbox"
}

// fold is the form in which unique values are compared.
func (p *propertyDefinition) fold(v string) string {
	if p.Name == "email" {
		return strings.ToLower(strings.TrimSpace(v))
	}
	return v
}

var (
	namePattern = regexp.MustCompile(`^[a-z][a-z0-9_]{0,99}$`)
	fieldTypes  = map[string][]string{
		"string":       {"text", "textarea", "html", "file", "phonenumber", "calculation_equation"},
		"number":       {"number", "calculation_equation"},
		"enumeration":  {"select", "radio", "checkbox", "booleancheckbox", "calculation_equation"},
		"bool":         {"booleancheckbox", "calculation_equation"},
		"date":         {"date"},
		"datetime":     {"date"},
		"phone_number": {"phonenumber"},
	}
)

// uniqueProperties is how many properties with unique values a type may have.
const uniqueProperties = 10

// AddProperty defines a property as an administrator would.
func (s *Server) AddProperty(objectType string, p Property) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	t := s.table(objectType)
	if t == nil {
		return unknownType(objectType)
	}
	if p.Type == "bool" && len(p.Options) == 0 {
		p.Options = []Option{{Label: "Yes", Value: "true"}, {Label: "No", Value: "false", DisplayOrder: 1}}
	}
	if _, err := s.defineProperty(t, p, ""); err != nil {
		return err
	}
	s.version.Add(1)
	return nil
}

// defineProperty checks and adds a custom property. An archived property of the
// same name comes back.
func (s *Server) defineProperty(t *table, p Property, userID string) (*propertyDefinition, error) {
	if !namePattern.MatchString(p.Name) {
		return nil, invalidProperty(p.Name, "Property name must start with a lower case letter and hold only lower case letters, digits and underscores")
	}
	if p.Label == "" {
		return nil, missingFields("label")
	}
	allowed, known := fieldTypes[p.Type]
	if !known {
		return nil, invalidProperty(p.Name, fmt.Sprintf("%q is not a property type", p.Type))
	}
	if !slices.Contains(allowed, p.FieldType) {
		return nil, invalidProperty(p.Name, fmt.Sprintf("fieldType %q does not fit type %q", p.FieldType, p.Type))
	}
	if old := t.byName[p.Name]; old != nil && !old.Archived {
		return nil, propertyTaken(p.Name)
	}
	if p.GroupName == "" && len(t.groups) > 0 {
		p.GroupName = t.groups[0].Name
	}
	if t.group(p.GroupName) == nil {
		return nil, invalidProperty(p.Name, fmt.Sprintf("property group %q does not exist", p.GroupName))
	}
	if err := checkOptions(p); err != nil {
		return nil, err
	}
	if p.HasUniqueValue && t.uniqueCount() >= uniqueProperties {
		return nil, invalidProperty(p.Name, "an object type can have at most 10 properties with unique values")
	}
	now := s.nowMillis()
	d := &propertyDefinition{Property: p, table: t, createdAt: now, updatedAt: now, createdUserID: userID}
	if old := t.byName[p.Name]; old != nil { // archived: it comes back with its old birthday and values
		d.number, d.createdAt = old.number, old.createdAt
		t.properties[d.number] = d
	} else {
		d.number = len(t.properties)
		t.properties = append(t.properties, d)
	}
	if d.DisplayOrder <= 0 {
		d.DisplayOrder = -1
	}
	d.setOptions(p.Options)
	t.byName[d.Name] = d
	if d.HasUniqueValue {
		t.makeUnique(d)
	}
	return d, nil
}

// checkOptions refuses an enumeration without options and a bool with others
// than true and false.
func checkOptions(p Property) error {
	switch {
	case p.Type == "bool":
		var values []string
		for _, o := range p.Options {
			values = append(values, o.Value)
		}
		slices.Sort(values)
		if !slices.Equal(values, []string{"false", "true"}) {
			return &problem{status: 400, category: "VALIDATION_ERROR", subCategory: "PropertyValidationError.INVALID_BOOLEAN_OPTION",
				message: fmt.Sprintf("Property %q is a boolean and needs exactly the options true and false", p.Name)}
		}
	case p.Type == "enumeration" && len(p.Options) == 0 && !p.ExternalOptions && p.FieldType != "calculation_equation":
		return &problem{status: 400, category: "VALIDATION_ERROR", subCategory: "PropertyValidationError.MISSING_OPTIONS",
			message: fmt.Sprintf("Property %q is an enumeration and needs options", p.Name)}
	}
	seen := map[string]bool{}
	for _, o := range p.Options {
		if o.Value == "" || o.Label == "" {
			return invalidProperty(p.Name, "an option needs a label and a value")
		}
		if seen[o.Value] {
			return invalidProperty(p.Name, fmt.Sprintf("the option %q occurs twice", o.Value))
		}
		seen[o.Value] = true
	}
	return nil
}

func (t *table) uniqueCount() int {
	n := 0
	for _, p := range t.properties {
		if p.HasUniqueValue && !p.HubSpotDefined && !p.Archived {
			n++
		}
	}
	return n
}

func (t *table) group(name string) *PropertyGroup {
	for _, g := range t.groups {
		if g.Name == name && !g.Archived {
			return g
		}
	}
	return nil
}

// liveProperties returns the definitions by name.
func (t *table) liveProperties(archived bool) []*propertyDefinition {
	var out []*propertyDefinition
	for _, p := range t.properties {
		if p.Archived == archived {
			out = append(out, p)
		}
	}
	slices.SortFunc(out, func(a, b *propertyDefinition) int { return cmp.Compare(a.Name, b.Name) })
	return out
}

// optionsNow returns the options of a property; those of stages and pipelines
// follow the account's pipelines.
func (t *table) optionsNow(p *propertyDefinition) []Option {
	var out []Option
	switch {
	case p.Name == t.kind.pipeline && p.Name != "":
		for i, pl := range t.pipelines {
			out = append(out, Option{Label: pl.Label, Value: pl.ID, DisplayOrder: i})
		}
	case p.Name == t.kind.stage && p.Name != "":
		for _, pl := range t.pipelines {
			for _, st := range pl.Stages {
				out = append(out, Option{Label: st.Label, Value: st.ID, DisplayOrder: len(out)})
			}
		}
	default:
		return p.Options
	}
	return out
}

func (e *encoder) property(t *table, p *propertyDefinition) {
	e.object()
	e.millisField("updatedAt", p.updatedAt)
	e.millisField("createdAt", p.createdAt)
	if p.Archived {
		e.millisField("archivedAt", p.archivedAt)
	}
	e.textField("name", p.Name)
	e.textField("label", p.Label)
	e.textField("type", p.Type)
	e.textField("fieldType", p.FieldType)
	e.textField("description", p.Description)
	e.textField("groupName", p.GroupName)
	e.key("options")
	e.array()
	options := t.optionsNow(p)
	for _, o := range options {
		e.object()
		e.textField("label", o.Label)
		e.textField("value", o.Value)
		if o.Description != "" {
			e.textField("description", o.Description)
		}
		e.numberField("displayOrder", int64(o.DisplayOrder))
		e.boolField("hidden", o.Hidden)
		e.endObject()
	}
	e.endArray()
	if p.ReferencedObjectType != "" {
		e.textField("referencedObjectType", p.ReferencedObjectType)
	}
	if p.createdUserID != "" {
		e.textField("createdUserId", p.createdUserID)
		e.textField("updatedUserId", p.createdUserID)
	}
	e.numberField("displayOrder", int64(p.DisplayOrder))
	e.boolField("calculated", p.Calculated)
	e.boolField("externalOptions", p.ExternalOptions)
	e.boolField("archived", p.Archived)
	e.boolField("hasUniqueValue", p.HasUniqueValue)
	e.boolField("hidden", p.Hidden)
	if p.HubSpotDefined {
		e.boolField("hubspotDefined", true)
	}
	if p.ShowCurrencySymbol {
		e.boolField("showCurrencySymbol", true)
	}
	for _, f := range [][2]string{{"calculationFormula", p.CalculationFormula}, {"currencyPropertyName", p.CurrencyPropertyName},
		{"numberDisplayHint", p.NumberDisplayHint}, {"textDisplayHint", p.TextDisplayHint}} {
		if f[1] != "" {
			e.textField(f[0], f[1])
		}
	}
	e.key("modificationMetadata")
	e.object()
	e.boolField("archivable", !p.HubSpotDefined)
	e.boolField("readOnlyDefinition", p.HubSpotDefined)
	if len(options) > 0 {
		e.boolField("readOnlyOptions", p.HubSpotDefined && (p.ReadOnly || p.Type == "bool"))
	}
	e.boolField("readOnlyValue", p.ReadOnly)
	e.endObject()
	e.boolField("formField", p.FormField)
	e.textField("dataSensitivity", cmp.Or(p.DataSensitivity, "non_sensitive"))
	e.endObject()
}

func (e *encoder) group(g *PropertyGroup) {
	e.object()
	e.textField("name", g.Name)
	e.textField("label", g.Label)
	e.numberField("displayOrder", int64(g.DisplayOrder))
	e.boolField("archived", g.Archived)
	e.endObject()
}
