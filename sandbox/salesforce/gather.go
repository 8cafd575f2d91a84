package salesforce

import (
	"net/http"
	"strings"
)

type assignment struct {
	field *field
	value value
}

// gather reads the fields of a record in a request: names are looked up and
// checked for the user's rights, values converted, parents named by an external
// id found. key names a field to pass over (the id or external id of the call).
func (c *call) gather(o *object, a *access, n *node, creating bool, key string) ([]assignment, failures) {
	var set []assignment
	var fixed []string
	body := c.body
	if c.inner || !strings.Contains(strings.ToLower(c.path), "/sobjects/") || strings.Contains(c.path, "/composite/") {
		body = nil
	}
	for _, m := range n.members {
		if strings.EqualFold(m.name, "attributes") || strings.EqualFold(m.name, key) {
			continue
		}
		f := o.field(m.name)
		if f == nil || !a.canRead(f) {
			if parent := o.parents[strings.ToLower(m.name)]; parent != nil && a.canRead(parent) && m.node.kind == '{' {
				v, problem := c.byExternalID(o, parent, m.node)
				if problem != nil {
					return nil, failures{problem}
				}
				if !mayWrite(parent, a, creating) {
					fixed = append(fixed, parent.Name)
					continue
				}
				set = append(set, assignment{parent, v})
				continue
			}
			return nil, failures{noSuchColumn(m.name, o.name)}
		}
		if f.source == fromID {
			if creating {
				if m.node.isNull() {
					continue
				}
				return nil, failures{refuse("INVALID_FIELD_FOR_INSERT_UPDATE", "cannot specify Id in an insert call", "Id")}
			}
			return nil, failures{plain(http.StatusBadRequest, "INVALID_FIELD", "The Id field should not be specified in the sobject data.")}
		}
		if !mayWrite(f, a, creating) {
			fixed = append(fixed, f.Name)
			continue
		}
		if m.node.kind == '{' || m.node.kind == '[' {
			return nil, failures{plain(http.StatusBadRequest, "JSON_PARSER_ERROR", "Cannot deserialize instance of "+f.Type+" from "+m.node.token()+" or request may be missing a required field")}
		}
		v, problem := fromJSON(f, m.node, body)
		if problem != nil {
			return nil, failures{problem}
		}
		set = append(set, assignment{f, v})
	}
	if len(fixed) > 0 {
		return nil, failures{notWritable(fixed)}
	}
	return set, nil
}

func mayWrite(f *field, a *access, creating bool) bool {
	if creating {
		return f.createable() && a.canEdit(f)
	}
	return f.updateable() && a.canEdit(f)
}

// byExternalID finds the parent that {"Key__c": value} names.
func (c *call) byExternalID(o *object, f *field, n *node) (value, *failure) {
	targets := f.multi
	if name := n.typeName(); name != "" {
		targets = nil
		for _, t := range f.multi {
			if strings.EqualFold(t.name, name) {
				targets = []*object{t}
			}
		}
	}
	for _, m := range n.members {
		if strings.EqualFold(m.name, "attributes") {
			continue
		}
		for _, t := range targets {
			key := t.field(m.name)
			if key == nil || !key.idLookup() {
				continue
			}
			if m.node.isNull() {
				return value{}, nil
			}
			v, problem := parseText(key, m.node.literal())
			if problem != "" {
				continue
			}
			matches := t.match(key, v)
			switch {
			case len(matches) == 1:
				return textOf(matches[0].id), nil
			case len(matches) > 1:
				return value{}, refuse("DUPLICATE_EXTERNAL_ID", key.Name+": more than one record found for external id field: "+v.String(), f.Name)
			}
			return value{}, plain(http.StatusBadRequest, "INVALID_FIELD",
				"Foreign key external ID: "+strings.ToLower(v.String())+" not found for field "+key.Name+" in entity "+t.name)
		}
		return value{}, plain(http.StatusBadRequest, "INVALID_FIELD", "Field name provided, "+m.name+" is not an External ID or indexed field for "+strings.Join(f.ReferenceTo, ","))
	}
	return value{}, nil
}

// match returns the live rows of an object whose key field holds v.
func (o *object) match(key *field, v value) []*row {
	var found []*row
	if v.null() {
		return nil
	}
	if key.source == fromID {
		if id, ok := longID(v.text); ok {
			if r := o.find(id); r != nil && !r.deleted {
				found = append(found, r)
			}
		}
		return found
	}
	if ix := o.indexes[key.index]; ix != nil {
		ix.find(v, func(r *row) bool {
			if !r.deleted {
				found = append(found, r)
			}
			return true
		})
		return found
	}
	for _, r := range o.rows {
		if r != nil && !r.deleted && compare(r.get(key), v) == 0 {
			found = append(found, r)
		}
	}
	return found
}
