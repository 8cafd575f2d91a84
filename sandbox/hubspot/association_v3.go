package hubspot

import (
	"net/http"
	"slices"
	"strconv"
)

// listLinksV3 answers GET /crm/v3/objects/{from}/{id}/associations/{to}.
func listLinksV3(c *call) (int, *problem) {
	limit, refused := c.limit(linkListV3, linkListLimit)
	if refused != nil {
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
	links := p.links[id]
	start, _ := slices.BinarySearchFunc(links, after+1, compareLink)
	end := min(start+limit, len(links))
	c.out.object()
	c.out.key("results")
	c.out.array()
	for _, l := range links[start:end] {
		c.out.typedLinks(p, l)
	}
	c.out.endArray()
	if end < len(links) {
		cursor := linkCursor(c.from, links[end-1].to)
		c.out.paging(cursor, *c.s.origin.Load()+c.request.URL.Path+"?after="+cursor)
	}
	c.out.endObject()
	return http.StatusOK, nil
}

func (c *call) typeNamed(name string) (*associationType, *problem) {
	if t := c.s.pair(c.from, c.to).typeByName(name); t != nil {
		return t, nil
	}
	p := invalid("%s is not a valid association type between %s and %s", name, c.from.kind.name, c.to.kind.name)
	p.subCategory = "crm.associations.INVALID_ASSOCIATION_TYPE"
	return nil, p
}

// setLinkV3 answers PUT /crm/v3/objects/{from}/{id}/associations/{to}/{toId}/{kind}
// with the record and its associations.
func setLinkV3(c *call) (int, *problem) {
	c.s.mu.Lock()
	defer c.s.mu.Unlock()
	t, refused := c.typeNamed(c.arg("kind"))
	if refused != nil {
		return 0, refused
	}
	from, to, refused := c.ends()
	if refused != nil {
		return 0, refused
	}
	c.s.associate(c.token.by, c.from, c.to, from, to, []*associationType{t}, false)
	c.s.version.Add(1)
	sel := c.from.choose(nil, nil)
	sel.associations = []*table{c.to}
	c.out.record(c.s, c.from, c.from.live(from), &sel)
	return http.StatusOK, nil
}

// deleteLinkV3 answers DELETE of the same path.
func deleteLinkV3(c *call) (int, *problem) {
	c.s.mu.Lock()
	defer c.s.mu.Unlock()
	t, refused := c.typeNamed(c.arg("kind"))
	if refused != nil {
		return 0, refused
	}
	if from, to, refused := c.ends(); refused == nil {
		c.s.dissociate(c.token.by, c.from, c.to, from, to, []*associationType{t})
		c.s.version.Add(1)
	}
	return http.StatusNoContent, nil
}

// batchSetLinksV3 answers /crm/v3/associations/{from}/{to}/batch/create.
func batchSetLinksV3(c *call) (int, *problem) {
	inputs, refused := c.decodeLinks()
	if refused != nil {
		return 0, refused
	}
	c.s.mu.Lock()
	defer c.s.mu.Unlock()
	var errors []*problem
	c.openBatch()
	for _, in := range inputs {
		t, refused := c.typeNamed(in.Type)
		if refused != nil {
			return 0, refused
		}
		from, to, refused := c.inputEnds(in)
		if refused != nil {
			errors = append(errors, refused)
			continue
		}
		c.s.associate(c.token.by, c.from, c.to, from, to, []*associationType{t}, false)
		c.out.object()
		c.out.key("from")
		c.writeIDObject(from)
		c.out.key("to")
		c.writeIDObject(to)
		c.out.textField("type", t.name)
		c.out.endObject()
	}
	c.s.version.Add(1)
	return c.closeBatch(http.StatusCreated, errors)
}

// batchReadLinksV3 answers /crm/v3/associations/{from}/{to}/batch/read.
func batchReadLinksV3(c *call) (int, *problem) {
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
		if len(p.links[id]) == 0 {
			errors = append(errors, c.noAssociations(in.ID.value))
			continue
		}
		c.out.object()
		c.out.key("from")
		c.writeIDObject(id)
		c.out.key("to")
		c.out.array()
		for _, l := range p.links[id] {
			c.out.typedLinks(p, l)
		}
		c.out.endArray()
		c.out.endObject()
	}
	return c.closeBatch(http.StatusOK, errors)
}

// batchDeleteLinksV3 answers /crm/v3/associations/{from}/{to}/batch/archive.
func batchDeleteLinksV3(c *call) (int, *problem) {
	inputs, refused := c.decodeLinks()
	if refused != nil {
		return 0, refused
	}
	c.s.mu.Lock()
	defer c.s.mu.Unlock()
	for _, in := range inputs {
		t, refused := c.typeNamed(in.Type)
		if refused != nil {
			return 0, refused
		}
		if from, to, refused := c.inputEnds(in); refused == nil {
			c.s.dissociate(c.token.by, c.from, c.to, from, to, []*associationType{t})
		}
	}
	c.s.version.Add(1)
	return http.StatusNoContent, nil
}

// listTypesV3 answers GET /crm/v3/associations/{from}/{to}/types.
func listTypesV3(c *call) (int, *problem) {
	c.s.mu.RLock()
	defer c.s.mu.RUnlock()
	c.out.object()
	c.out.key("results")
	c.out.array()
	for _, t := range c.s.pair(c.from, c.to).types {
		if !t.removed {
			c.out.object()
			c.out.textField("id", strconv.Itoa(t.id))
			c.out.textField("name", t.name)
			c.out.endObject()
		}
	}
	c.out.endArray()
	c.out.endObject()
	return http.StatusOK, nil
}
