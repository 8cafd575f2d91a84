package hubspot

import (
	"net/http"
	"slices"
	"strconv"
)

const (
	linkListLimit  = 500   // associations a page, v4
	linkListV3     = 100   // associations a page, v3
	linkBatchLimit = 2_000 // inputs of a batch that writes
	linkBatchReads = 1_000 // inputs of a batch that reads
)

// ends finds the two live records that a path names.
func (c *call) ends() (from, to int64, refused *problem) {
	if from, refused = liveID(c.from, c.arg("id")); refused != nil {
		return 0, 0, refused
	}
	to, refused = liveID(c.to, c.arg("toId"))
	return from, to, refused
}

func liveID(t *table, text string) (int64, *problem) {
	id, err := strconv.ParseInt(text, 10, 64)
	if err != nil {
		return 0, notNumeric(text)
	}
	if r := t.follow(id); r != nil {
		return r.id, nil
	}
	return 0, &problem{status: http.StatusNotFound, category: "OBJECT_NOT_FOUND", subCategory: "crm.associations.TO_OBJECT_NOT_FOUND",
		message: "No " + t.kind.singular + " with ID " + text + " exists"}
}

// listLinks answers GET objects/{from}/{id}/associations/{to}, in v4 and dated form.
func listLinks(c *call) (int, *problem) {
	limit, refused := c.limit(linkListLimit, linkListLimit)
	if refused != nil {
		if n, err := strconv.Atoi(c.parsedQuery().Get("limit")); err == nil && n > linkListLimit {
			refused = invalid("You can only request at most %d associations at once.", linkListLimit)
			refused.context = []contextEntry{{"limit", []string{strconv.Itoa(n)}}}
		}
		return 0, refused
	}
	after, refused := readLinkCursor(c.parsedQuery().Get("after"))
	if refused != nil {
		return 0, refused
	}
	c.s.mu.RLock()
	defer c.s.mu.RUnlock()
	id, refused := liveID(c.from, c.arg("id"))
	if refused != nil {
		return 0, notFound()
	}
	p := c.s.pair(c.from, c.to)
	c.out.object()
	c.out.key("results")
	c.writeLinks(p, id, after, limit)
	c.out.endObject()
	return http.StatusOK, nil
}

// writeLinks writes a page of links as v4 has them, and the cursor to the next.
func (c *call) writeLinks(p *pair, from, after int64, limit int) {
	links := p.links[from]
	start, _ := slices.BinarySearchFunc(links, after+1, compareLink)
	end := min(start+limit, len(links))
	c.out.array()
	for _, l := range links[start:end] {
		c.out.object()
		c.out.numberField("toObjectId", l.to)
		c.out.key("associationTypes")
		c.out.array()
		p.typesOf(l, c.out.associationType)
		c.out.endArray()
		c.out.endObject()
	}
	c.out.endArray()
	if end < len(links) {
		cursor := linkCursor(p.from, links[end-1].to)
		c.out.paging(cursor, *c.s.origin.Load()+c.request.URL.Path+"?after="+cursor)
	}
}

func (e *encoder) associationType(t *associationType) {
	e.object()
	e.textField("category", t.category)
	e.numberField("typeId", int64(t.id))
	e.key("label")
	if t.label == "" {
		e.null()
	} else {
		e.text(t.label)
	}
	e.endObject()
}

// types finds the association types that a caller names.
func (c *call) types(in []typeInput) ([]*associationType, *problem) {
	p := c.s.pair(c.from, c.to)
	var out []*associationType
	for _, wanted := range in {
		t := p.typeByID(wanted.Category, wanted.ID)
		if t == nil {
			for _, other := range c.s.pairs {
				if other.typeByID(wanted.Category, wanted.ID) != nil && other.from != c.from {
					return nil, invalid("invalid from object type %s for associations to be created. expected: %s", c.from.kind.typeID, other.from.kind.typeID)
				}
			}
			return nil, invalid("%d is not a valid association type between %s and %s", wanted.ID, c.from.kind.typeID, c.to.kind.typeID)
		}
		out = append(out, t)
	}
	return out, nil
}

// setLink answers PUT objects/{from}/{id}/associations/{to}/{toId}: the labels
// sent take the place of those there.
func setLink(c *call) (int, *problem) {
	var in []typeInput
	if refused := c.decode(&in); refused != nil {
		return 0, refused
	}
	if len(in) == 0 {
		return 0, invalid("At least one association type is required")
	}
	c.s.mu.Lock()
	defer c.s.mu.Unlock()
	types, refused := c.types(in)
	if refused != nil {
		return 0, refused
	}
	from, to, refused := c.ends()
	if refused != nil {
		return 0, refused
	}
	c.s.associate(c.token.by, c.from, c.to, from, to, types, true)
	c.s.version.Add(1)
	c.out.object()
	c.writeLabels(from, to, types)
	c.out.endObject()
	return http.StatusCreated, nil
}

func (c *call) writeLabels(from, to int64, types []*associationType) {
	c.out.textField("fromObjectTypeId", c.from.kind.typeID)
	c.out.numberField("fromObjectId", from)
	c.out.textField("toObjectTypeId", c.to.kind.typeID)
	c.out.numberField("toObjectId", to)
	var labels []string
	for _, t := range types {
		if t.label != "" {
			labels = append(labels, t.label)
		}
	}
	c.out.textsField("labels", labels)
}

// setDefaultLink answers PUT objects/{from}/{id}/associations/default/{to}/{toId}.
func setDefaultLink(c *call) (int, *problem) {
	c.s.mu.Lock()
	defer c.s.mu.Unlock()
	from, to, refused := c.ends()
	if refused != nil {
		return 0, refused
	}
	c.s.associate(c.token.by, c.from, c.to, from, to, nil, false)
	c.s.version.Add(1)
	c.openBatch()
	c.writeDefaultLink(from, to)
	return c.closeBatch(http.StatusOK, nil)
}

// writeDefaultLink writes both directions of a plain link.
func (c *call) writeDefaultLink(from, to int64) {
	for _, side := range []struct {
		p        *pair
		from, to int64
	}{{c.s.pair(c.from, c.to), from, to}, {c.s.pair(c.to, c.from), to, from}} {
		standard := side.p.standardType()
		c.out.object()
		c.out.key("from")
		c.writeIDObject(side.from)
		c.out.key("to")
		c.writeIDObject(side.to)
		c.out.key("associationSpec")
		c.out.object()
		c.out.textField("associationCategory", standard.category)
		c.out.numberField("associationTypeId", int64(standard.id))
		c.out.endObject()
		c.out.endObject()
	}
}

func (c *call) writeIDObject(id int64) {
	c.out.object()
	c.out.idField("id", id)
	c.out.endObject()
}

// deleteLink answers DELETE objects/{from}/{id}/associations/{to}/{toId}.
func deleteLink(c *call) (int, *problem) {
	c.s.mu.Lock()
	defer c.s.mu.Unlock()
	from, to, refused := c.ends()
	if refused == nil { // what is not there needs no deleting
		c.s.dissociate(c.token.by, c.from, c.to, from, to, nil)
		c.s.version.Add(1)
	}
	return http.StatusNoContent, nil
}

// linkInput is one association of a batch.
type linkInput struct {
	From  idInput     `json:"from"`
	To    idInput     `json:"to"`
	Types []typeInput `json:"types"`
	Type  string      `json:"type"` // v3
}

func (c *call) decodeLinks() ([]linkInput, *problem) {
	var in struct {
		Inputs []linkInput `json:"inputs"`
	}
	if refused := c.decode(&in); refused != nil {
		return nil, refused
	}
	if len(in.Inputs) == 0 {
		return nil, missingFields("inputs")
	}
	if len(in.Inputs) > linkBatchLimit {
		return nil, invalid("The maximum number of inputs supported in a batch is %d. Please reduce the number of items and try again", linkBatchLimit)
	}
	return in.Inputs, nil
}

// batchSetLinks answers associations/{from}/{to}/batch/create, v4 and dated.
func batchSetLinks(c *call) (int, *problem) {
	inputs, refused := c.decodeLinks()
	if refused != nil {
		return 0, refused
	}
	c.s.mu.Lock()
	defer c.s.mu.Unlock()
	types := make([][]*associationType, len(inputs)) // all are judged before any is written
	for i, in := range inputs {
		if len(in.Types) == 0 {
			return 0, missingFields("types")
		}
		if types[i], refused = c.types(in.Types); refused != nil {
			return 0, refused
		}
	}
	var errors []*problem
	c.openBatch()
	for i, in := range inputs {
		from, to, refused := c.inputEnds(in)
		if refused != nil {
			errors = append(errors, refused)
			continue
		}
		c.s.associate(c.token.by, c.from, c.to, from, to, types[i], false)
		c.out.object()
		c.writeLabels(from, to, types[i])
		c.out.endObject()
	}
	c.s.version.Add(1)
	return c.closeBatch(http.StatusCreated, errors)
}

func (c *call) inputEnds(in linkInput) (from, to int64, refused *problem) {
	if from, refused = liveID(c.from, in.From.ID.value); refused != nil {
		return 0, 0, refused
	}
	to, refused = liveID(c.to, in.To.ID.value)
	return from, to, refused
}

// batchDefaultLinks answers associations/{from}/{to}/batch/associate/default.
func batchDefaultLinks(c *call) (int, *problem) {
	inputs, refused := c.decodeLinks()
	if refused != nil {
		return 0, refused
	}
	c.s.mu.Lock()
	defer c.s.mu.Unlock()
	var errors []*problem
	c.openBatch()
	for _, in := range inputs {
		from, to, refused := c.inputEnds(in)
		if refused != nil {
			errors = append(errors, refused)
			continue
		}
		c.s.associate(c.token.by, c.from, c.to, from, to, nil, false)
		c.writeDefaultLink(from, to)
	}
	c.s.version.Add(1)
	return c.closeBatch(http.StatusOK, errors)
}

// batchReadLinks answers associations/{from}/{to}/batch/read, v4 and dated: a
// record without associations is an entry in errors.
func batchReadLinks(c *call) (int, *problem) {
	ids, refused := c.decodeLinkReads()
	if refused != nil {
		return 0, refused
	}
	c.s.mu.RLock()
	defer c.s.mu.RUnlock()
	p := c.s.pair(c.from, c.to)
	var errors []*problem
	c.openBatch()
	for _, in := range ids {
		id, _ := strconv.ParseInt(in.ID.value, 10, 64)
		after, refused := readLinkCursor(in.After)
		if refused != nil {
			return 0, refused
		}
		if len(p.links[id]) == 0 {
			errors = append(errors, c.noAssociations(in.ID.value))
			continue
		}
		c.out.object()
		c.out.key("from")
		c.writeIDObject(id)
		c.out.key("to")
		c.writeLinks(p, id, after, linkListLimit)
		c.out.endObject()
	}
	return c.closeBatch(http.StatusOK, errors)
}

type linkReadInput struct {
	ID    text   `json:"id"`
	After string `json:"after"`
}

func (c *call) decodeLinkReads() ([]linkReadInput, *problem) {
	var in struct {
		Inputs []linkReadInput `json:"inputs"`
	}
	if refused := c.decode(&in); refused != nil {
		return nil, refused
	}
	if len(in.Inputs) == 0 {
		return nil, missingFields("inputs")
	}
	if len(in.Inputs) > linkBatchReads {
		return nil, invalid("The maximum number of inputs supported in a batch is %d. Please reduce the number of items and try again", linkBatchReads)
	}
	return in.Inputs, nil
}

func (c *call) noAssociations(id string) *problem {
	return &problem{status: http.StatusNotFound, category: "OBJECT_NOT_FOUND", subCategory: "crm.associations.NO_ASSOCIATIONS_FOUND",
		message: "No " + c.to.kind.singular + " is associated with " + c.from.kind.singular + " " + id + ".",
		context: []contextEntry{{"fromObjectId", []string{id}}, {"fromObjectType", []string{c.from.kind.typeID}}, {"toObjectType", []string{c.to.kind.typeID}}}}
}

// batchDeleteLinks answers associations/{from}/{to}/batch/archive, v4 and dated.
func batchDeleteLinks(c *call) (int, *problem) {
	var in struct {
		Inputs []struct {
			From idInput   `json:"from"`
			To   []idInput `json:"to"`
		} `json:"inputs"`
	}
	if refused := c.decode(&in); refused != nil {
		return 0, refused
	}
	if len(in.Inputs) == 0 {
		return 0, missingFields("inputs")
	}
	c.s.mu.Lock()
	defer c.s.mu.Unlock()
	for _, input := range in.Inputs {
		for _, to := range input.To {
			from, target, refused := c.inputEnds(linkInput{From: input.From, To: to})
			if refused == nil {
				c.s.dissociate(c.token.by, c.from, c.to, from, target, nil)
			}
		}
	}
	c.s.version.Add(1)
	return http.StatusNoContent, nil
}

// batchDeleteLabels answers associations/{from}/{to}/batch/labels/archive.
func batchDeleteLabels(c *call) (int, *problem) {
	inputs, refused := c.decodeLinks()
	if refused != nil {
		return 0, refused
	}
	c.s.mu.Lock()
	defer c.s.mu.Unlock()
	for _, in := range inputs {
		types, refused := c.types(in.Types)
		if refused != nil {
			return 0, refused
		}
		from, to, refused := c.inputEnds(in)
		if refused == nil && len(types) > 0 {
			c.s.dissociate(c.token.by, c.from, c.to, from, to, types)
		}
	}
	c.s.version.Add(1)
	return http.StatusNoContent, nil
}
