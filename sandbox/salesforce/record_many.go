package salesforce

import (
	"fmt"
	"net/http"
	"strings"
)

// The collections take 200 records in at most ten runs of one type.
// https://developer.salesforce.com/docs/atlas.en-us.api_rest.meta/api_rest/resources_composite_sobjects_collections.htm
const (
	collectionLimit = 200
	collectionRuns  = 10
	readManyLimit   = 2000
)

// outcome is what became of one record of a collection.
type outcome struct {
	id       string
	created  *bool
	problems failures
}

func (r *outcome) write(w *jsonWriter) {
	w.open('{')
	if r.problems == nil {
		w.key("id").str(r.id).key("success").bool(true).key("errors").strs(nil)
		if r.created != nil {
			w.key("created").bool(*r.created)
		}
		w.close('}')
		return
	}
	if r.id != "" {
		w.key("id").str(r.id)
	}
	w.key("success").bool(false).key("errors").open('[')
	for _, p := range r.problems {
		p.write(w, "statusCode")
	}
	w.close(']')
	if r.created != nil {
		w.key("created").bool(false)
	}
	w.close('}')
}

// collect runs each over n records; with allOrNone one failure takes all back.
func (c *call) collect(n int, allOrNone bool, each func(i int) outcome) *reply {
	outcomes := make([]outcome, n)
	start := c.tx.mark()
	failed := false
	rowsBefore := c.rows
	for i := range n {
		mark := c.tx.mark()
		outcomes[i] = each(i)
		if outcomes[i].problems != nil {
			failed = true
			c.tx.rollback(mark)
		}
	}
	if failed && allOrNone {
		c.tx.rollback(start)
		c.rows = rowsBefore
		for i := range outcomes {
			if outcomes[i].problems == nil {
				outcomes[i] = outcome{created: outcomes[i].created, problems: failures{refuse("ALL_OR_NONE_OPERATION_ROLLED_BACK",
					"Record rolled back because not all records were valid and the request was using AllOrNone header")}}
			}
		}
	}
	w := &jsonWriter{b: make([]byte, 0, 64*n+2)}
	w.open('[')
	for i := range outcomes {
		outcomes[i].write(w)
	}
	return answer(http.StatusOK, w.close(']').b)
}

// bodyRecords reads {"allOrNone":…,"records":[…]} of a collection call.
func (c *call) bodyRecords(needType bool) (records []*node, allOrNone bool, problem *failure) {
	n, problem := c.bodyObject()
	if problem != nil {
		return nil, false, problem
	}
	list := n.get("records")
	if list == nil || list.kind != '[' || len(list.items) == 0 {
		return nil, false, plain(http.StatusBadRequest, "REQUIRED_FIELD_MISSING", "The required field(s) are missing: [records]")
	}
	if len(list.items) > collectionLimit {
		return nil, false, plain(http.StatusBadRequest, "INVALID_INPUT", fmt.Sprintf("The number of records (%d) exceeds the maximum of %d.", len(list.items), collectionLimit))
	}
	runs, last := 0, ""
	for _, r := range list.items {
		if r.kind != '{' {
			return nil, false, plain(http.StatusBadRequest, "JSON_PARSER_ERROR", "Cannot deserialize a record from "+r.token())
		}
		name := r.typeName()
		if needType && name == "" {
			return nil, false, plain(http.StatusBadRequest, "INVALID_INPUT", "Include a type in the attributes of each record.")
		}
		if !strings.EqualFold(name, last) {
			runs, last = runs+1, name
		}
	}
	if needType && runs > collectionRuns {
		return nil, false, plain(http.StatusBadRequest, "INVALID_INPUT", fmt.Sprintf("Records of more than %d chunks of one type can't be processed in one call.", collectionRuns))
	}
	return list.items, n.get("allOrNone").truth(), nil
}

// typed finds the object of a record by its attributes.
func (c *call) typed(n *node) (*object, failures) {
	o := c.server.object(n.typeName())
	if o == nil {
		return nil, failures{invalidType(n.typeName())}
	}
	return o, nil
}

func (c *call) createMany() (*reply, error) {
	records, allOrNone, problem := c.bodyRecords(true)
	if problem != nil {
		return nil, problem
	}
	return c.collect(len(records), allOrNone, func(i int) outcome {
		o, problems := c.typed(records[i])
		if problems != nil {
			return outcome{problems: problems}
		}
		r, problems := c.create(o, records[i], nil)
		if problems != nil {
			return outcome{problems: problems}
		}
		return outcome{id: r.id}
	}), nil
}

func (c *call) updateMany() (*reply, error) {
	records, allOrNone, problem := c.bodyRecords(true)
	if problem != nil {
		return nil, problem
	}
	seen := map[string]bool{}
	return c.collect(len(records), allOrNone, func(i int) outcome {
		o, problems := c.typed(records[i])
		if problems != nil {
			return outcome{problems: problems}
		}
		return c.updateIn(o, records[i], seen)
	}), nil
}

// updateIn updates one record of a collection; its id stands in the record.
func (c *call) updateIn(o *object, n *node, seen map[string]bool) outcome {
	given := n.get("Id").str()
	if given == "" {
		return outcome{problems: failures{refuse("MISSING_ARGUMENT", "Id not specified in an update call")}}
	}
	id, ok := longID(given)
	if !ok {
		return outcome{problems: failures{refuse("MALFORMED_ID", "malformed id "+given, "Id")}}
	}
	if id[:3] != o.prefix {
		return outcome{problems: failures{refuse("MALFORMED_ID", o.label+" ID: id value of incorrect type: "+given, "Id")}}
	}
	if seen[id] {
		return outcome{problems: failures{refuse("DUPLICATE_VALUE", "Duplicate id specified: "+id)}}
	}
	seen[id] = true
	r := o.find(id)
	if r == nil {
		return outcome{id: id, problems: failures{refuse("INVALID_CROSS_REFERENCE_KEY", "invalid cross reference id")}}
	}
	if r.deleted {
		return outcome{id: id, problems: failures{deletedEntity()}}
	}
	if problems := c.update(o, r, n, "Id"); problems != nil {
		return outcome{id: id, problems: problems}
	}
	return outcome{id: id}
}

func (c *call) upsertMany() (*reply, error) {
	if c.version < 46 {
		return nil, notFound()
	}
	o, _, problem := c.object()
	if problem != nil {
		return nil, problem
	}
	key, problem := c.keyField(o, c.params["field"])
	if problem != nil {
		return nil, problem
	}
	records, allOrNone, problem := c.bodyRecords(false)
	if problem != nil {
		return nil, problem
	}
	updateOnly := strings.EqualFold(c.query.Get("updateOnly"), "true")
	// A key that comes twice in one call fails in all its places.
	times := map[string]int{}
	for _, n := range records {
		times[strings.ToLower(n.get(key.Name).str())]++
	}
	return c.collect(len(records), allOrNone, func(i int) outcome {
		n := records[i]
		sent := n.get(key.Name)
		if sent.isNull() || sent.str() == "" {
			if key.source == fromID && !updateOnly {
				return c.createIn(o, n, nil)
			}
			return outcome{created: new(false), problems: failures{refuse("MISSING_ARGUMENT", key.Name+" not specified")}}
		}
		if key.source == fromID {
			done := c.updateIn(o, n, map[string]bool{})
			done.created = new(false)
			return done
		}
		if times[strings.ToLower(sent.str())] > 1 {
			return outcome{created: new(false), problems: failures{refuse("DUPLICATE_VALUE", "Duplicate external id specified: "+sent.str(), key.Name)}}
		}
		v, wrong := fromJSON(key, sent, nil)
		if wrong != nil {
			return outcome{created: new(false), problems: failures{wrong}}
		}
		rows := o.match(key, v)
		switch {
		case len(rows) > 1:
			return outcome{created: new(false), problems: failures{refuse("DUPLICATE_EXTERNAL_ID", key.Name+": more than one record found for external id field: ["+rows[0].id+", "+rows[1].id+"]", key.Name)}}
		case len(rows) == 1:
			if problems := c.update(o, rows[0], n, key.Name); problems != nil {
				return outcome{id: rows[0].id, created: new(false), problems: problems}
			}
			return outcome{id: rows[0].id, created: new(false)}
		case updateOnly:
			return outcome{created: new(false), problems: failures{notFound()}}
		}
		return c.createIn(o, n, &assignment{key, v})
	}), nil
}

func (c *call) createIn(o *object, n *node, key *assignment) outcome {
	r, problems := c.create(o, n, key)
	if problems != nil {
		return outcome{created: new(false), problems: problems}
	}
	return outcome{id: r.id, created: new(true)}
}

func (c *call) deleteMany() (*reply, error) {
	ids := splitList(c.query.Get("ids"))
	if len(ids) == 0 {
		return nil, plain(http.StatusBadRequest, "REQUIRED_FIELD_MISSING", "The required parameter(s) are missing: [ids]")
	}
	if len(ids) > collectionLimit {
		return nil, plain(http.StatusBadRequest, "INVALID_INPUT", fmt.Sprintf("The number of ids (%d) exceeds the maximum of %d.", len(ids), collectionLimit))
	}
	return c.collect(len(ids), strings.EqualFold(c.query.Get("allOrNone"), "true"), func(i int) outcome {
		id, ok := longID(ids[i])
		o := c.server.objectOf(id)
		if !ok || o == nil {
			return outcome{problems: failures{refuse("MALFORMED_ID", "malformed id "+ids[i])}}
		}
		r := o.find(id)
		if r == nil {
			return outcome{id: id, problems: failures{refuse("INVALID_CROSS_REFERENCE_KEY", "invalid cross reference id")}}
		}
		if r.deleted {
			return outcome{id: id, problems: failures{deletedEntity()}}
		}
		if problem := c.remove(o, r); problem != nil {
			return outcome{id: id, problems: failures{problem}}
		}
		return outcome{id: id}
	}), nil
}

func splitList(s string) []string {
	var list []string
	for part := range strings.SplitSeq(s, ",") {
		if part = strings.TrimSpace(part); part != "" {
			list = append(list, part)
		}
	}
	return list
}

// readMany answers records in the order of their ids, null where there is none.
func (c *call) readMany() (*reply, error) {
	o, a, problem := c.object()
	if problem != nil {
		return nil, problem
	}
	ids, names := splitList(c.query.Get("ids")), c.query.Get("fields")
	if c.method == http.MethodPost {
		n, problem := c.bodyObject()
		if problem != nil {
			return nil, problem
		}
		ids = nil
		if list := n.get("ids"); list != nil {
			for _, item := range list.items {
				ids = append(ids, item.str())
			}
		}
		var fields []string
		if list := n.get("fields"); list != nil {
			for _, item := range list.items {
				fields = append(fields, item.str())
			}
		}
		names = strings.Join(fields, ",")
	}
	if len(ids) == 0 || names == "" {
		return nil, plain(http.StatusBadRequest, "REQUIRED_FIELD_MISSING", "The required parameter(s) are missing: [ids, fields]")
	}
	if len(ids) > readManyLimit {
		return nil, plain(http.StatusBadRequest, "INVALID_INPUT", fmt.Sprintf("The number of ids (%d) exceeds the maximum of %d.", len(ids), readManyLimit))
	}
	fields, problem := c.namedFields(o, a, names)
	if problem != nil {
		return nil, problem
	}
	b := make([]byte, 0, 256*len(ids))
	b = append(b, '[')
	for i, text := range ids {
		if i > 0 {
			b = append(b, ',')
		}
		id, _ := longID(text)
		r := o.find(id)
		if r == nil || r.deleted || !a.Read {
			b = append(b, "null"...)
			continue
		}
		b = c.appendRecord(b, o, r, fields)
	}
	return answer(http.StatusOK, append(b, ']')), nil
}
