package hubspot

import (
	"net/http"
	"regexp"
	"strconv"
	"strings"
)

// listLabels answers GET associations/{from}/{to}/labels.
func listLabels(c *call) (int, *problem) {
	c.s.mu.Lock() // two custom objects may get their plain type only now
	c.s.ensureStandard(c.from, c.to)
	c.s.mu.Unlock()
	c.s.mu.RLock()
	defer c.s.mu.RUnlock()
	c.out.object()
	c.out.key("results")
	c.out.array()
	for _, t := range c.s.pair(c.from, c.to).types {
		if !t.removed {
			c.out.associationType(t)
		}
	}
	c.out.endArray()
	c.out.endObject()
	return http.StatusOK, nil
}

type labelInput struct {
	Name    string `json:"name"`
	Label   string `json:"label"`
	Inverse string `json:"inverseLabel"`
	TypeID  int    `json:"associationTypeId"`
}

var notSlug = regexp.MustCompile(`[^a-z0-9]+`)

// createLabel answers POST associations/{from}/{to}/labels with both directions.
func createLabel(c *call) (int, *problem) {
	var in labelInput
	if refused := c.decode(&in); refused != nil {
		return 0, refused
	}
	if in.Label == "" {
		return 0, missingFields("label")
	}
	slug := strings.Trim(notSlug.ReplaceAllString(strings.ToLower(in.Name), "_"), "_")
	if slug == "" {
		slug = strings.Trim(notSlug.ReplaceAllString(strings.ToLower(in.Label), "_"), "_")
	}
	c.s.mu.Lock()
	defer c.s.mu.Unlock()
	c.s.ensureStandard(c.from, c.to)
	count := 0
	for _, t := range c.s.pair(c.from, c.to).types {
		if t.removed || t.category != userDefined || t.standard {
			continue
		}
		if t.slug == slug || t.label == in.Label {
			return 0, &problem{status: http.StatusConflict, category: "OBJECT_ALREADY_EXISTS", message: "A label named '" + in.Label + "' already exists."}
		}
		count++
	}
	if count >= labelsPerPair {
		return 0, invalid("At most %d labels are allowed between two object types", labelsPerPair)
	}
	a, b := c.s.addLabel(c.from, c.to, slug, in.Label, in.Inverse)
	c.s.version.Add(1)
	c.out.object()
	c.out.key("results")
	c.out.array()
	c.out.associationType(a)
	if b != a {
		c.out.associationType(b)
	}
	c.out.endArray()
	c.out.endObject()
	return http.StatusOK, nil
}

// updateLabel answers PUT associations/{from}/{to}/labels.
func updateLabel(c *call) (int, *problem) {
	var in labelInput
	if refused := c.decode(&in); refused != nil {
		return 0, refused
	}
	if in.Label == "" || in.TypeID == 0 {
		return 0, missingFields("associationTypeId", "label")
	}
	c.s.mu.Lock()
	defer c.s.mu.Unlock()
	t := c.s.pair(c.from, c.to).typeByID(userDefined, in.TypeID)
	if t == nil {
		return 0, objectNotFound("Association type %d does not exist", in.TypeID)
	}
	t.label = in.Label
	if in.Inverse != "" {
		t.inverse.label = in.Inverse
	}
	c.s.version.Add(1)
	return http.StatusNoContent, nil
}

// deleteLabel answers DELETE associations/{from}/{to}/labels/{typeId}: links keep
// their plain type.
func deleteLabel(c *call) (int, *problem) {
	id, _ := strconv.Atoi(c.arg("typeId"))
	c.s.mu.Lock()
	defer c.s.mu.Unlock()
	p := c.s.pair(c.from, c.to)
	t := p.typeByID(userDefined, id)
	if t == nil || t.standard {
		return 0, objectNotFound("Association type %s does not exist", c.arg("typeId"))
	}
	for _, side := range []struct {
		p *pair
		t *associationType
	}{{p, t}, {c.s.pair(c.to, c.from), t.inverse}} {
		side.t.removed = true
		for _, links := range side.p.links {
			for i := range links {
				links[i].types &^= 1 << side.t.bit
			}
		}
	}
	c.s.version.Add(1)
	return http.StatusNoContent, nil
}
