package hubspot

import (
	"net/http"
)

// listProperties answers GET properties/{type}, without pages.
func listProperties(c *call) (int, *problem) {
	c.s.mu.RLock()
	defer c.s.mu.RUnlock()
	sensitivity := c.parsedQuery().Get("dataSensitivity")
	c.out.object()
	c.out.key("results")
	c.out.array()
	for _, p := range c.table.liveProperties(c.flag("archived")) {
		if p.shownFor(sensitivity) {
			c.out.property(c.table, p)
		}
	}
	c.out.endArray()
	c.out.endObject()
	return http.StatusOK, nil
}

// shownFor hides sensitive properties from callers who did not ask for them.
func (p *propertyDefinition) shownFor(sensitivity string) bool {
	own := p.DataSensitivity
	if own == "" {
		own = "non_sensitive"
	}
	if sensitivity == "" {
		sensitivity = "non_sensitive"
	}
	return own == sensitivity
}

func readProperty(c *call) (int, *problem) {
	c.s.mu.RLock()
	defer c.s.mu.RUnlock()
	p := c.table.byName[c.arg("name")]
	if p == nil || p.Archived != c.flag("archived") {
		return 0, noProperty(c.arg("name"))
	}
	c.out.property(c.table, p)
	return http.StatusOK, nil
}

func noProperty(name string) *problem { return objectNotFound("Property %q does not exist", name) }

// propertyInput is a definition as callers send it. Members that are nil keep
// what an update finds.
type propertyInput struct {
	Name                 string        `json:"name"`
	Label                *string       `json:"label"`
	Type                 *string       `json:"type"`
	FieldType            *string       `json:"fieldType"`
	GroupName            *string       `json:"groupName"`
	Description          *string       `json:"description"`
	Options              []optionInput `json:"options"`
	DisplayOrder         *int          `json:"displayOrder"`
	HasUniqueValue       *bool         `json:"hasUniqueValue"`
	Hidden               *bool         `json:"hidden"`
	FormField            *bool         `json:"formField"`
	ExternalOptions      *bool         `json:"externalOptions"`
	ShowCurrencySymbol   *bool         `json:"showCurrencySymbol"`
	ReferencedObjectType *string       `json:"referencedObjectType"`
	CalculationFormula   *string       `json:"calculationFormula"`
	CurrencyPropertyName *string       `json:"currencyPropertyName"`
	DataSensitivity      *string       `json:"dataSensitivity"`
	NumberDisplayHint    *string       `json:"numberDisplayHint"`
	TextDisplayHint      *string       `json:"textDisplayHint"`
}

type optionInput struct {
	Label        string `json:"label"`
	Value        string `json:"value"`
	Description  string `json:"description"`
	DisplayOrder int    `json:"displayOrder"`
	Hidden       bool   `json:"hidden"`
}

func assign[T any](to *T, from *T) {
	if from != nil {
		*to = *from
	}
}

// into applies what was sent to a definition.
func (in *propertyInput) into(p *Property) {
	assign(&p.Label, in.Label)
	assign(&p.Type, in.Type)
	assign(&p.FieldType, in.FieldType)
	assign(&p.GroupName, in.GroupName)
	assign(&p.Description, in.Description)
	assign(&p.DisplayOrder, in.DisplayOrder)
	assign(&p.HasUniqueValue, in.HasUniqueValue)
	assign(&p.Hidden, in.Hidden)
	assign(&p.FormField, in.FormField)
	assign(&p.ExternalOptions, in.ExternalOptions)
	assign(&p.ShowCurrencySymbol, in.ShowCurrencySymbol)
	assign(&p.ReferencedObjectType, in.ReferencedObjectType)
	assign(&p.CalculationFormula, in.CalculationFormula)
	assign(&p.CurrencyPropertyName, in.CurrencyPropertyName)
	assign(&p.DataSensitivity, in.DataSensitivity)
	assign(&p.NumberDisplayHint, in.NumberDisplayHint)
	assign(&p.TextDisplayHint, in.TextDisplayHint)
	if in.Options != nil {
		p.Options = make([]Option, len(in.Options))
		for i, o := range in.Options {
			p.Options[i] = Option(o)
		}
	}
}

// define creates one property of a call.
func (c *call) define(in *propertyInput) (*propertyDefinition, *problem) {
	if in.Name == "" || in.Label == nil || in.Type == nil || in.FieldType == nil || in.GroupName == nil {
		return nil, missingFields("name", "label", "type", "fieldType", "groupName")
	}
	p := Property{Name: in.Name}
	in.into(&p)
	if p.CalculationFormula != "" {
		p.Calculated, p.ReadOnly = true, true
	}
	d, err := c.s.defineProperty(c.table, p, "")
	if err != nil {
		return nil, err.(*problem)
	}
	return d, nil
}

func createProperty(c *call) (int, *problem) {
	var in propertyInput
	if refused := c.decode(&in); refused != nil {
		return 0, refused
	}
	c.s.mu.Lock()
	defer c.s.mu.Unlock()
	p, refused := c.define(&in)
	if refused != nil {
		return 0, refused
	}
	c.s.version.Add(1)
	c.out.property(c.table, p)
	return http.StatusCreated, nil
}

// updateProperty answers PATCH: options replace the whole list; the name, the
// uniqueness and the sensitivity stay.
func updateProperty(c *call) (int, *problem) {
	var in propertyInput
	if refused := c.decode(&in); refused != nil {
		return 0, refused
	}
	c.s.mu.Lock()
	defer c.s.mu.Unlock()
	p := c.table.property(c.arg("name"))
	if p == nil {
		return 0, noProperty(c.arg("name"))
	}
	changed := p.Property
	in.into(&changed)
	changed.HasUniqueValue, changed.DataSensitivity = p.HasUniqueValue, p.DataSensitivity
	changed.ExternalOptions, changed.ReferencedObjectType = p.ExternalOptions, p.ReferencedObjectType
	if p.HubSpotDefined {
		// The definition is HubSpot's; an account may add options and labels to some.
		changed.Type, changed.FieldType, changed.GroupName = p.Type, p.FieldType, p.GroupName
	}
	if c.table.group(changed.GroupName) == nil {
		return 0, invalidProperty(p.Name, "property group \""+changed.GroupName+"\" does not exist")
	}
	if in.Options != nil {
		if err := checkOptions(changed); err != nil {
			return 0, err.(*problem)
		}
	}
	p.Property = changed
	p.setOptions(changed.Options)
	p.updatedAt = c.s.nowMillis()
	c.s.version.Add(1)
	c.out.property(c.table, p)
	return http.StatusOK, nil
}

func archiveProperty(c *call) (int, *problem) {
	c.s.mu.Lock()
	defer c.s.mu.Unlock()
	p := c.table.property(c.arg("name"))
	if p == nil {
		return 0, noProperty(c.arg("name"))
	}
	if p.HubSpotDefined {
		return 0, invalid("Property %q is defined by HubSpot and cannot be archived", p.Name)
	}
	c.retire(p)
	return http.StatusNoContent, nil
}

func (c *call) retire(p *propertyDefinition) {
	p.Archived = true
	p.archivedAt = c.s.nowMillis()
	c.s.version.Add(1)
}

type nameInput struct {
	Name string `json:"name"`
}

func batchReadProperties(c *call) (int, *problem) {
	var in struct {
		Inputs   []nameInput `json:"inputs"`
		Archived bool        `json:"archived"`
	}
	if refused := c.decode(&in); refused != nil {
		return 0, refused
	}
	if refused := batchSize(len(in.Inputs)); refused != nil {
		return 0, refused
	}
	c.s.mu.RLock()
	defer c.s.mu.RUnlock()
	var missing []string
	c.openBatch()
	for _, input := range in.Inputs {
		p := c.table.byName[input.Name]
		if p == nil || p.Archived != in.Archived {
			missing = append(missing, input.Name)
			continue
		}
		c.out.property(c.table, p)
	}
	var errors []*problem
	if len(missing) > 0 {
		p := objectNotFound("Could not get some properties, they may be archived or not exist.")
		p.context = []contextEntry{{"name", missing}}
		errors = append(errors, p)
	}
	return c.closeBatch(http.StatusOK, errors)
}

func batchCreateProperties(c *call) (int, *problem) {
	var in struct {
		Inputs []propertyInput `json:"inputs"`
	}
	if refused := c.decode(&in); refused != nil {
		return 0, refused
	}
	if refused := batchSize(len(in.Inputs)); refused != nil {
		return 0, refused
	}
	c.s.mu.Lock()
	defer c.s.mu.Unlock()
	var errors []*problem
	c.openBatch()
	for i := range in.Inputs {
		p, refused := c.define(&in.Inputs[i])
		if refused != nil {
			refused.context = append(refused.context, contextEntry{"name", []string{in.Inputs[i].Name}})
			errors = append(errors, refused)
			continue
		}
		c.out.property(c.table, p)
	}
	c.s.version.Add(1)
	return c.closeBatch(http.StatusCreated, errors)
}

// batchArchiveProperties answers 204 whatever the names.
func batchArchiveProperties(c *call) (int, *problem) {
	var in struct {
		Inputs []nameInput `json:"inputs"`
	}
	if refused := c.decode(&in); refused != nil {
		return 0, refused
	}
	c.s.mu.Lock()
	defer c.s.mu.Unlock()
	for _, input := range in.Inputs {
		if p := c.table.property(input.Name); p != nil && !p.HubSpotDefined {
			c.retire(p)
		}
	}
	return http.StatusNoContent, nil
}

type groupInput struct {
	Name         string  `json:"name"`
	Label        *string `json:"label"`
	DisplayOrder *int    `json:"displayOrder"`
}

func listGroups(c *call) (int, *problem) {
	c.s.mu.RLock()
	defer c.s.mu.RUnlock()
	c.out.object()
	c.out.key("results")
	c.out.array()
	for _, g := range c.table.groups {
		if !g.Archived {
			c.out.group(g)
		}
	}
	c.out.endArray()
	c.out.endObject()
	return http.StatusOK, nil
}

func createGroup(c *call) (int, *problem) {
	var in groupInput
	if refused := c.decode(&in); refused != nil {
		return 0, refused
	}
	if in.Name == "" || in.Label == nil {
		return 0, missingFields("name", "label")
	}
	c.s.mu.Lock()
	defer c.s.mu.Unlock()
	if c.table.group(in.Name) != nil {
		return 0, &problem{status: http.StatusConflict, category: "OBJECT_ALREADY_EXISTS", message: "A property group named '" + in.Name + "' already exists."}
	}
	g := &PropertyGroup{Name: in.Name, Label: *in.Label, DisplayOrder: -1}
	assign(&g.DisplayOrder, in.DisplayOrder)
	c.table.groups = append(c.table.groups, g)
	c.s.version.Add(1)
	c.out.group(g)
	return http.StatusCreated, nil
}

// oneGroup finds the group that the path names.
func (c *call) oneGroup() (*PropertyGroup, *problem) {
	if g := c.table.group(c.arg("name")); g != nil {
		return g, nil
	}
	return nil, objectNotFound("Property group %q does not exist", c.arg("name"))
}

func readGroup(c *call) (int, *problem) {
	c.s.mu.RLock()
	defer c.s.mu.RUnlock()
	g, refused := c.oneGroup()
	if refused != nil {
		return 0, refused
	}
	c.out.group(g)
	return http.StatusOK, nil
}

func updateGroup(c *call) (int, *problem) {
	var in groupInput
	if refused := c.decode(&in); refused != nil {
		return 0, refused
	}
	c.s.mu.Lock()
	defer c.s.mu.Unlock()
	g, refused := c.oneGroup()
	if refused != nil {
		return 0, refused
	}
	assign(&g.Label, in.Label)
	assign(&g.DisplayOrder, in.DisplayOrder)
	c.s.version.Add(1)
	c.out.group(g)
	return http.StatusOK, nil
}

func archiveGroup(c *call) (int, *problem) {
	c.s.mu.Lock()
	defer c.s.mu.Unlock()
	g, refused := c.oneGroup()
	if refused != nil {
		return 0, refused
	}
	for _, p := range c.table.properties {
		if p.GroupName == g.Name && !p.Archived {
			return 0, &problem{status: http.StatusBadRequest, category: "VALIDATION_ERROR", subCategory: "PropertyGroupError.GROUP_WITH_ACTIVE_PROPERTIES",
				message: "The property group " + g.Name + " still has properties"}
		}
	}
	g.Archived = true
	c.s.version.Add(1)
	return http.StatusNoContent, nil
}
