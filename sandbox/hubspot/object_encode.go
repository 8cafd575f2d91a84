package hubspot

import (
	"cmp"
	"encoding/base64"
	"slices"
	"strconv"
	"strings"
)

// selection is what an answer shows of each record.
type selection struct {
	properties   []*propertyDefinition // by name
	history      []*propertyDefinition
	associations []*table
}

// choose finds the properties that were asked for. None asked means the type's
// default set; unknown ones are left out without a word.
func (t *table) choose(names, history []string) selection {
	var sel selection
	if len(names) == 0 {
		names = t.kind.defaults
	}
	for _, name := range history {
		if p := t.property(name); p != nil {
			sel.history = append(sel.history, p)
		}
	}
	sel.properties = make([]*propertyDefinition, 0, len(names)+len(history)+3)
	for _, list := range [][]string{{t.kind.created, t.kind.modified, "hs_object_id"}, names, history} {
		for _, name := range list {
			if p := t.property(name); p != nil {
				sel.properties = append(sel.properties, p)
			}
		}
	}
	slices.SortFunc(sel.properties, func(a, b *propertyDefinition) int { return cmp.Compare(a.Name, b.Name) })
	sel.properties = slices.Compact(sel.properties)
	return sel
}

// record writes one record; traceID and isNew only where they apply.
func (e *encoder) record(s *Server, t *table, r *record, sel *selection) {
	e.object()
	e.recordMembers(s, t, r, sel)
	e.endObject()
}

func (e *encoder) recordMembers(s *Server, t *table, r *record, sel *selection) {
	e.idField("id", r.id)
	e.key("properties")
	e.object()
	e.unpack(t, r)
	for _, p := range sel.properties {
		e.key(p.Name)
		if p.computed == nil {
			if v := e.values[p.number]; v != "" {
				e.text(v)
			} else {
				e.null()
			}
			continue
		}
		switch p.Name { // the three that every answer has, without a detour by text
		case t.kind.modified:
			e.millis(r.modified)
		case t.kind.created:
			e.millis(r.created)
		case "hs_object_id":
			e.id(r.id)
		default:
			if v := p.computed(s, t, r); v != "" {
				e.text(v)
			} else {
				e.null()
			}
		}
	}
	e.endObject()
	if len(sel.history) > 0 {
		e.key("propertiesWithHistory")
		e.object()
		for _, p := range sel.history {
			e.key(p.Name)
			e.history(s, s.revisions(t, r, p))
		}
		e.endObject()
	}
	e.millisField("createdAt", r.created)
	e.millisField("updatedAt", r.modified)
	e.boolField("archived", r.archivedAt != 0)
	if r.archivedAt != 0 {
		e.millisField("archivedAt", r.archivedAt)
	}
	if len(sel.associations) > 0 {
		e.associations(s, t, r, sel.associations)
	}
}

// unpack lays a record's stored values out by property number, so that an answer
// with many properties goes through the packed record once.
func (e *encoder) unpack(t *table, r *record) {
	if len(e.values) != len(t.properties) {
		e.values = make([]string, len(t.properties))
	}
	clear(e.values)
	p := r.packed
	for len(p) > 0 {
		n, size := uvarint(p)
		length, size2 := uvarint(p[size:])
		start := size + size2
		e.values[n] = p[start : start+length]
		p = p[start+length:]
	}
}

func (e *encoder) history(s *Server, revisions []revision) {
	e.array()
	for _, h := range revisions {
		by := s.sources[h.Source]
		e.object()
		e.textField("value", h.Value)
		e.millisField("timestamp", h.At)
		e.textField("sourceType", by.Type)
		if by.ID != "" {
			e.textField("sourceId", by.ID)
		}
		if by.Detail != "" {
			e.textField("sourceLabel", by.Detail)
		}
		if by.UserID != 0 {
			e.numberField("updatedByUserId", by.UserID)
		}
		e.endObject()
	}
	e.endArray()
}

// associationPage is how many associations of a type a record's answer holds.
const associationPage = 100

// associations writes what a record is linked to; a type without links is missing.
func (e *encoder) associations(s *Server, t *table, r *record, to []*table) {
	opened := false
	for _, other := range to {
		p := s.pair(t, other)
		if len(p.links[r.id]) == 0 {
			continue
		}
		if !opened {
			e.key("associations")
			e.object()
			opened = true
		}
		e.anyKey(cmp.Or(other.kind.fullName, other.kind.name))
		e.object()
		e.key("results")
		e.array()
		links := p.links[r.id]
		for _, l := range links[:min(len(links), associationPage)] {
			e.typedLinks(p, l)
		}
		e.endArray()
		if len(links) > associationPage {
			after := linkCursor(t, links[associationPage-1].to)
			e.paging(after, *s.origin.Load()+"/crm/v3/objects/"+t.kind.typeID+"/"+strconv.FormatInt(r.id, 10)+
				"/associations/"+other.kind.typeID+"?portalId="+strconv.FormatInt(s.config.PortalID, 10)+"&after="+after)
		}
		e.endObject()
	}
	if opened {
		e.endObject()
	}
}

// typedLinks writes a link as v3 has it: once for each of its types.
func (e *encoder) typedLinks(p *pair, l link) {
	p.typesOf(l, func(t *associationType) {
		e.object()
		e.idField("id", l.to)
		e.textField("type", t.name)
		e.endObject()
	})
}

func (e *encoder) paging(after, link string) {
	e.key("paging")
	e.object()
	e.key("next")
	e.object()
	e.textField("after", after)
	e.textField("link", link)
	e.endObject()
	e.endObject()
}

// linkCursor names the last link of a page, already escaped for a URL as the
// vendor sends it.
func linkCursor(from *table, last int64) string {
	_, number, _ := strings.Cut(from.kind.typeID, "-")
	plain := "0-" + number + "-" + strconv.FormatInt(last, 10)
	return strings.ReplaceAll(base64.StdEncoding.EncodeToString([]byte(plain)), "=", "%3D")
}

// readLinkCursor gives the id that the next page starts after.
func readLinkCursor(after string) (int64, *problem) {
	if after == "" {
		return 0, nil
	}
	if id, err := strconv.ParseInt(after, 10, 64); err == nil {
		return id, nil
	}
	plain, err := base64.StdEncoding.DecodeString(strings.ReplaceAll(after, "%3D", "="))
	if err == nil {
		if i := strings.LastIndexByte(string(plain), '-'); i > 0 {
			if id, err := strconv.ParseInt(string(plain[i+1:]), 10, 64); err == nil {
				return id, nil
			}
		}
	}
	return 0, invalid("Invalid value for after: %q is not a cursor of this API", after)
}
