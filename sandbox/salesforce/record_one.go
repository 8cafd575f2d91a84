package salesforce

import (
	"crypto/sha1"
	"encoding/base64"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"
)

// writeAttributes writes the attributes member that every record starts with.
func (c *call) writeAttributes(w *jsonWriter, o *object, r *row) {
	w.comma()
	w.b = append(w.b, `"attributes":`...)
	w.b = c.appendAttributes(w.b, o, r)
}

func (c *call) appendAttributes(b []byte, o *object, r *row) []byte {
	b = append(b, `{"type":"`...)
	b = append(b, o.name...)
	b = append(b, `","url":"/services/data/v`...)
	b = appendNumber(b, float64(c.version), true)
	b = append(b, "/sobjects/"...)
	b = append(b, o.name...)
	b = append(b, '/')
	b = append(b, r.id...)
	return append(b, `"}`...)
}

// saved writes the answer to a create or upsert.
func saved(id string, created *bool) []byte {
	w := &jsonWriter{}
	w.open('{').key("id").str(id).key("success").bool(true).key("errors").strs(nil)
	if created != nil {
		w.key("created").bool(*created)
	}
	return w.close('}').b
}

// bodyObject reads the body as one JSON object.
func (c *call) bodyObject() (*node, *failure) {
	n, problem := parseBody(c.body)
	if problem != nil {
		return nil, problem
	}
	if n.kind != '{' {
		return nil, plain(http.StatusBadRequest, "JSON_PARSER_ERROR", "Cannot deserialize instance of the record from "+n.token()+" at [line:1, column:2]")
	}
	return n, nil
}

func (c *call) createOne() (*reply, error) {
	o, _, problem := c.object()
	if problem != nil {
		return nil, problem
	}
	n, problem := c.bodyObject()
	if problem != nil {
		return nil, problem
	}
	mark := c.tx.mark()
	r, problems := c.create(o, n, nil)
	if problems != nil {
		c.tx.rollback(mark)
		return nil, problems
	}
	return answer(http.StatusCreated, saved(r.id, nil)).with("Location", c.base()+"/sobjects/"+o.name+"/"+r.id), nil
}

// rowByID finds the record of the path by id: not found, deleted or malformed are refused.
func (c *call) rowByID(o *object, text string) (*row, *failure) {
	id, ok := longID(text)
	if !ok || id[:3] != o.prefix {
		if ok && c.server.objectOf(id) != nil {
			return nil, plain(http.StatusBadRequest, "MALFORMED_ID", o.label+" ID: id value of incorrect type: "+text)
		}
		return nil, notFound()
	}
	r := o.find(id)
	if r == nil {
		return nil, notFound()
	}
	if r.deleted {
		return nil, deletedEntity()
	}
	return r, nil
}

func (c *call) readOne() (*reply, error) {
	o, a, problem := c.object()
	if problem != nil {
		return nil, problem
	}
	if !a.Read {
		return nil, notFound()
	}
	r, problem := c.rowByID(o, c.params["id"])
	if problem != nil {
		return nil, problem
	}
	return c.show(o, a, r)
}

// show answers with one record, or with 304 when the client has it.
func (c *call) show(o *object, a *access, r *row) (*reply, error) {
	fields, problem := c.namedFields(o, a, c.query.Get("fields"))
	if problem != nil {
		return nil, problem
	}
	modified := time.Unix(r.stamp, 0).UTC()
	if since, err := http.ParseTime(c.header.Get("If-Modified-Since")); err == nil && !modified.After(since) {
		return answer(http.StatusNotModified, nil), nil
	}
	done := answer(http.StatusOK, c.appendRecord(nil, o, r, fields)).with("Last-Modified", modified.Format(http.TimeFormat))
	if o.name == "Account" {
		tag := etag(r)
		if match := c.header.Get("If-None-Match"); match != "" && sameTag(match, tag) {
			return answer(http.StatusNotModified, nil), nil
		}
		done.with("ETag", tag)
	}
	return done, nil
}

// etag identifies a state of a record; the platform gives it on accounts alone.
// https://developer.salesforce.com/docs/atlas.en-us.api_rest.meta/api_rest/intro_rest_conditional_requests.htm
func etag(r *row) string {
	sum := sha1.Sum(fmt.Appendf(nil, "%s %d %v", r.id, r.stamp, r.cells))
	return `"` + base64.StdEncoding.EncodeToString(sum[:]) + `-gzip"`
}

func sameTag(header, tag string) bool {
	for t := range strings.SplitSeq(header, ",") {
		if t = strings.TrimSpace(t); t == "*" || t == tag || strings.TrimSuffix(strings.Trim(t, `"`), "-gzip") == strings.TrimSuffix(strings.Trim(tag, `"`), "-gzip") {
			return true
		}
	}
	return false
}

// namedFields resolves a comma-separated list; all readable fields when empty.
func (c *call) namedFields(o *object, a *access, list string) ([]*field, *failure) {
	if list == "" {
		var all []*field
		for _, f := range o.fields {
			if a.canRead(f) {
				all = append(all, f)
			}
		}
		return all, nil
	}
	var fields []*field
	for name := range strings.SplitSeq(list, ",") {
		f := o.field(strings.TrimSpace(name))
		if f == nil || !a.canRead(f) {
			return nil, noSuchColumn(strings.TrimSpace(name), o.name)
		}
		if !slices.Contains(fields, f) {
			fields = append(fields, f)
		}
	}
	// The id comes with every record that is read by it.
	if id := o.byName["id"]; !slices.Contains(fields, id) {
		fields = append(fields, id)
	}
	return fields, nil
}

func (c *call) appendRecord(b []byte, o *object, r *row, fields []*field) []byte {
	b = append(b, `{"attributes":`...)
	b = c.appendAttributes(b, o, r)
	for _, f := range fields {
		b = append(b, ',')
		b = append(b, f.key...)
		b = r.appendField(b, f)
	}
	return append(b, '}')
}

func (c *call) updateOne() (*reply, error) {
	o, _, problem := c.object()
	if problem != nil {
		return nil, problem
	}
	r, problem := c.rowByID(o, c.params["id"])
	if problem != nil {
		return nil, problem
	}
	if problem := c.precondition(o, r); problem != nil {
		return nil, problem
	}
	n, problem := c.bodyObject()
	if problem != nil {
		return nil, problem
	}
	mark := c.tx.mark()
	if problems := c.update(o, r, n, ""); problems != nil {
		c.tx.rollback(mark)
		return nil, problems
	}
	return answer(http.StatusNoContent, nil), nil
}

// precondition refuses a write whose If-Unmodified-Since or If-Match no longer holds.
func (c *call) precondition(o *object, r *row) *failure {
	failed := plain(http.StatusPreconditionFailed, "PRECONDITION_FAILED", "The record was changed since.")
	if since, err := http.ParseTime(c.header.Get("If-Unmodified-Since")); err == nil && time.Unix(r.stamp, 0).After(since) {
		return failed
	}
	if match := c.header.Get("If-Match"); match != "" && o.name == "Account" && !sameTag(match, etag(r)) {
		return failed
	}
	return nil
}

func (c *call) deleteOne() (*reply, error) {
	o, _, problem := c.object()
	if problem != nil {
		return nil, problem
	}
	r, problem := c.rowByID(o, c.params["id"])
	if problem != nil {
		return nil, problem
	}
	return c.deleted1(o, r)
}

func (c *call) deleted1(o *object, r *row) (*reply, error) {
	mark := c.tx.mark()
	if problem := c.remove(o, r); problem != nil {
		c.tx.rollback(mark)
		return nil, problem
	}
	return answer(http.StatusNoContent, nil), nil
}

// keyField finds the external id field of the path.
func (c *call) keyField(o *object, name string) (*field, *failure) {
	f := o.field(name)
	if f == nil || !f.idLookup() || !c.server.access(c.user, o).canRead(f) {
		return nil, plain(http.StatusNotFound, "NOT_FOUND", "Provided external ID field does not exist or is not accessible: "+name)
	}
	return f, nil
}

// byKey finds the records that the path's external id names.
func (c *call) byKey(o *object) (key *field, v value, rows []*row, problem *failure) {
	if key, problem = c.keyField(o, c.params["field"]); problem != nil {
		return
	}
	v, wrong := parseText(key, strings.TrimSpace(c.params["value"]))
	if wrong != "" || v.null() {
		return key, v, nil, plain(http.StatusBadRequest, "INVALID_FIELD", key.Label+": "+wrong)
	}
	return key, v, o.match(key, v), nil
}

func (c *call) readByKey() (*reply, error) {
	o, a, problem := c.object()
	if problem != nil {
		return nil, problem
	}
	if !a.Read {
		return nil, notFound()
	}
	if id, ok := longID(c.params["field"]); ok && id[:3] == o.prefix {
		return c.related(o, a, id)
	}
	_, _, rows, problem := c.byKey(o)
	if problem != nil {
		return nil, problem
	}
	switch len(rows) {
	case 0:
		return nil, notFound()
	case 1:
		return c.show(o, a, rows[0])
	}
	return c.choices(o, rows), nil
}

// choices answers 300 with the records that an external id fits.
func (c *call) choices(o *object, rows []*row) *reply {
	w := &jsonWriter{}
	w.open('[')
	for _, r := range rows {
		w.str(c.base() + "/sobjects/" + o.name + "/" + r.id)
	}
	return answer(http.StatusMultipleChoices, w.close(']').b)
}

// related answers a friendly URL: the parent record, or the list of children.
func (c *call) related(o *object, a *access, id string) (*reply, error) {
	r, problem := c.rowByID(o, id)
	if problem != nil {
		return nil, problem
	}
	name := strings.ToLower(c.params["value"])
	if f := o.byName[name]; f != nil && f.Type == "base64" && a.canRead(f) {
		return c.blob(f, r), nil
	}
	if f := o.parents[name]; f != nil && a.canRead(f) {
		parentID := r.get(f).text
		p := c.server.objectOf(parentID)
		if p == nil || p.find(parentID) == nil {
			return nil, notFound()
		}
		return c.show(p, c.server.access(c.user, p), p.find(parentID))
	}
	f := o.children[name]
	if f == nil {
		return nil, notFound()
	}
	childAccess := c.server.access(c.user, f.object)
	fields, problem := c.namedFields(f.object, childAccess, c.query.Get("fields"))
	if problem != nil {
		return nil, problem
	}
	b := []byte{}
	n := 0
	for _, child := range f.object.match(f, textOf(id)) {
		if n > 0 {
			b = append(b, ',')
		}
		b = c.appendRecord(b, f.object, child, fields)
		n++
	}
	return answer(http.StatusOK, fmt.Appendf(nil, `{"totalSize":%d,"done":true,"records":[%s]}`, n, b)), nil
}

func (c *call) deleteByKey() (*reply, error) {
	o, _, problem := c.object()
	if problem != nil {
		return nil, problem
	}
	_, _, rows, problem := c.byKey(o)
	switch {
	case problem != nil:
		return nil, problem
	case len(rows) == 0:
		return nil, notFound()
	case len(rows) > 1:
		return c.choices(o, rows), nil
	}
	return c.deleted1(o, rows[0])
}

// upsertOne creates or updates by an external id. From v46 an update answers
// 200 with a body and says whether it created, before it answered 204.
// https://developer.salesforce.com/docs/atlas.en-us.api_rest.meta/api_rest/dome_upsert.htm
func (c *call) upsertOne() (*reply, error) {
	o, _, problem := c.object()
	if problem != nil {
		return nil, problem
	}
	key, v, rows, problem := c.byKey(o)
	if problem != nil {
		return nil, problem
	}
	n, problem := c.bodyObject()
	if problem != nil {
		return nil, problem
	}
	if len(rows) > 1 {
		return c.choices(o, rows), nil
	}
	mark := c.tx.mark()
	if len(rows) == 1 {
		if problem := c.precondition(o, rows[0]); problem != nil {
			return nil, problem
		}
		if problems := c.update(o, rows[0], n, key.Name); problems != nil {
			c.tx.rollback(mark)
			return nil, problems
		}
		if c.version < 46 {
			return answer(http.StatusNoContent, nil), nil
		}
		return answer(http.StatusOK, saved(rows[0].id, new(false))), nil
	}
	if key.source == fromID || strings.EqualFold(c.query.Get("updateOnly"), "true") {
		return nil, notFound()
	}
	r, problems := c.create(o, n, &assignment{key, v})
	if problems != nil {
		c.tx.rollback(mark)
		return nil, problems
	}
	var created *bool
	if c.version >= 46 {
		created = new(true)
	}
	return answer(http.StatusCreated, saved(r.id, created)).with("Location", c.base()+"/sobjects/"+o.name+"/"+r.id), nil
}
