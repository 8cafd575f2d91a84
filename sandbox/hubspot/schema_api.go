package hubspot

import (
	"net/http"
	"slices"
)

type schemaInput struct {
	Name   string `json:"name"`
	Labels struct {
		Singular string `json:"singular"`
		Plural   string `json:"plural"`
	} `json:"labels"`
	Description                *string         `json:"description"`
	PrimaryDisplayProperty     string          `json:"primaryDisplayProperty"`
	RequiredProperties         []string        `json:"requiredProperties"`
	SearchableProperties       []string        `json:"searchableProperties"`
	SecondaryDisplayProperties []string        `json:"secondaryDisplayProperties"`
	Properties                 []propertyInput `json:"properties"`
	AssociatedObjects          []string        `json:"associatedObjects"`
}

func listSchemas(c *call) (int, *problem) {
	archived := c.flag("archived")
	c.s.mu.RLock()
	defer c.s.mu.RUnlock()
	c.out.object()
	c.out.key("results")
	c.out.array()
	for _, t := range c.s.tables {
		if t.schema != nil && t.schema.archived == archived {
			c.out.schema(t)
		}
	}
	c.out.endArray()
	c.out.endObject()
	return http.StatusOK, nil
}

// oneSchema finds the custom object type that the path names, archived or not.
func (c *call) oneSchema(name string) (*table, *problem) {
	for _, t := range c.s.tables {
		if t.schema != nil && (t.kind.typeID == name || t.kind.fullName == name || t.kind.name == name) {
			return t, nil
		}
	}
	if c.s.table(name) != nil {
		return nil, &problem{status: http.StatusBadRequest, category: "VALIDATION_ERROR",
			subCategory: "ObjectSchemaError.CANNOT_MODIFY_HUBSPOT_DEFINED_OBJECT_TYPE", message: "The object type " + name + " is defined by HubSpot"}
	}
	return nil, objectNotFound("Schema %s does not exist", name)
}

func readOneSchema(c *call) (int, *problem) {
	c.s.mu.RLock()
	defer c.s.mu.RUnlock()
	t, refused := c.oneSchema(c.arg("name"))
	if refused != nil {
		return 0, refused
	}
	c.out.schema(t)
	return http.StatusOK, nil
}

func createSchema(c *call) (int, *problem) {
	var in schemaInput
	if refused := c.decode(&in); refused != nil {
		return 0, refused
	}
	if in.Name == "" || in.Labels.Singular == "" || in.Labels.Plural == "" {
		return 0, missingFields("name", "labels")
	}
	schema := Schema{Name: in.Name, Singular: in.Labels.Singular, Plural: in.Labels.Plural, PrimaryDisplayProperty: in.PrimaryDisplayProperty,
		RequiredProperties: in.RequiredProperties, SearchableProperties: in.SearchableProperties,
		SecondaryDisplayProperties: in.SecondaryDisplayProperties, AssociatedObjects: in.AssociatedObjects}
	assign(&schema.Description, in.Description)
	for _, p := range in.Properties {
		own := Property{Name: p.Name}
		p.into(&own)
		schema.Properties = append(schema.Properties, own)
	}
	c.s.mu.Lock()
	defer c.s.mu.Unlock()
	t, err := c.s.addSchema(schema)
	if err != nil {
		return 0, err.(*problem)
	}
	c.s.version.Add(1)
	c.out.schema(t)
	return http.StatusCreated, nil
}

func updateSchema(c *call) (int, *problem) {
	var in schemaInput
	if refused := c.decode(&in); refused != nil {
		return 0, refused
	}
	c.s.mu.Lock()
	defer c.s.mu.Unlock()
	t, refused := c.oneSchema(c.arg("name"))
	if refused != nil {
		return 0, refused
	}
	for _, list := range [][]string{in.RequiredProperties, in.SearchableProperties, in.SecondaryDisplayProperties} {
		for _, name := range list {
			if t.property(name) == nil {
				return 0, invalid("Property %q does not exist", name)
			}
		}
	}
	sc := t.schema
	for _, f := range []struct {
		to   *string
		from string
	}{{&sc.Singular, in.Labels.Singular}, {&sc.Plural, in.Labels.Plural}, {&sc.PrimaryDisplayProperty, in.PrimaryDisplayProperty}} {
		if f.from != "" {
			*f.to = f.from
		}
	}
	assign(&sc.Description, in.Description)
	if in.RequiredProperties != nil {
		sc.RequiredProperties = in.RequiredProperties
	}
	if in.SearchableProperties != nil {
		sc.SearchableProperties = in.SearchableProperties
	}
	if in.SecondaryDisplayProperties != nil {
		sc.SecondaryDisplayProperties = in.SecondaryDisplayProperties
	}
	sc.updatedAt = c.s.nowMillis()
	c.s.version.Add(1)
	c.out.schema(t)
	return http.StatusOK, nil
}

// deleteSchema archives a type without records; a second delete with
// archived=true frees its name.
func deleteSchema(c *call) (int, *problem) {
	c.s.mu.Lock()
	defer c.s.mu.Unlock()
	t, refused := c.oneSchema(c.arg("name"))
	if refused != nil {
		return 0, refused
	}
	if len(t.records) > 0 {
		return 0, invalid("The object type %s still has %d records", t.kind.name, len(t.records))
	}
	if t.schema.archived && !c.flag("archived") {
		return 0, objectNotFound("Schema %s does not exist", c.arg("name"))
	}
	if c.flag("archived") {
		for name, other := range c.s.tableByName {
			if other == t {
				delete(c.s.tableByName, name)
			}
		}
		t.kind.name += " (deleted)"
		t.kind.fullName, t.kind.typeID = "", ""
	}
	t.schema.archived = true
	c.s.version.Add(1)
	return http.StatusNoContent, nil
}

func batchReadSchemas(c *call) (int, *problem) {
	var in struct {
		Inputs []text `json:"inputs"`
	}
	if refused := c.decode(&in); refused != nil {
		return 0, refused
	}
	c.s.mu.RLock()
	defer c.s.mu.RUnlock()
	c.openBatch()
	for _, input := range in.Inputs {
		if t, refused := c.oneSchema(input.value); refused == nil {
			c.out.schema(t)
		}
	}
	return c.closeBatch(http.StatusOK, nil)
}

func createSchemaAssociation(c *call) (int, *problem) {
	var in struct {
		From string `json:"fromObjectTypeId"`
		To   string `json:"toObjectTypeId"`
		Name string `json:"name"`
	}
	if refused := c.decode(&in); refused != nil {
		return 0, refused
	}
	c.s.mu.Lock()
	defer c.s.mu.Unlock()
	t, refused := c.oneSchema(c.arg("name"))
	if refused != nil {
		return 0, refused
	}
	from, to := c.s.table(in.From), c.s.table(in.To)
	if from == nil || to == nil {
		return 0, unknownType(in.From + " or " + in.To)
	}
	a := c.s.addSchemaAssociation(t, from, to, in.Name)
	c.s.version.Add(1)
	c.out.schemaAssociation(a, t.schema)
	return http.StatusCreated, nil
}

func deleteSchemaAssociation(c *call) (int, *problem) {
	c.s.mu.Lock()
	defer c.s.mu.Unlock()
	t, refused := c.oneSchema(c.arg("name"))
	if refused != nil {
		return 0, refused
	}
	t.schema.definition = slices.DeleteFunc(t.schema.definition, func(a schemaAssociation) bool { return a.id == c.arg("id") })
	c.s.version.Add(1)
	return http.StatusNoContent, nil
}
