package salesforce

import (
	"errors"
	"io"
	"strconv"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/lockstep-sync/lockstep/internal/crm"
)

// page is one answer to a query.
type page struct {
	records []crm.Record
	// total counts the rows of the whole result.
	total int
	// next is the path of the next page; empty on the last one.
	next string
	// children are subqueries that have further pages.
	children []child
	// serverMicros is when Salesforce answered; 0 when it did not say.
	serverMicros int64
}

// child is a subquery of one record that has further pages.
type child struct {
	record   int
	junction *junction
	next     string
}

// rowsPerSlab is how many records share one allocation of values.
const rowsPerSlab = 64

var errForm = errors.New("this is not the form of a Salesforce query result")

// column says where the value of one key of a row goes.
type column struct {
	field    int // index in the layout, or -1
	role     columnRole
	junction *junction
}

type columnRole uint8

const (
	roleNone columnRole = iota
	roleID
	roleModified
	roleCreated
	roleDeleted
	roleMaster
	roleChildren
)

// rowReader turns rows into records, token by token: no map and no any.
type rowReader struct {
	layout  *crm.Layout
	columns map[string]column
	slab    []crm.Value
	scratch []byte
}

func newRowReader(q *query) *rowReader {
	r := &rowReader{layout: q.layout, columns: make(map[string]column, len(q.layout.Fields)+6)}
	for i, field := range q.layout.Fields {
		r.columns[field] = column{field: i}
	}
	for name, role := range map[string]columnRole{
		"Id": roleID, "SystemModstamp": roleModified, "CreatedDate": roleCreated,
		"IsDeleted": roleDeleted, "MasterRecordId": roleMaster,
	} {
		c, ok := r.columns[name]
		if !ok {
			c.field = -1
		}
		c.role = role
		r.columns[name] = c
	}
	for i := range q.junctions {
		if q.junctions[i].relationship == "" {
			continue
		}
		r.columns[q.junctions[i].relationship] = column{field: -1, role: roleChildren, junction: &q.junctions[i]}
	}
	return r
}

func newDecoder(body io.Reader) *jsontext.Decoder {
	return jsontext.NewDecoder(body, jsontext.AllowDuplicateNames(true), jsontext.AllowInvalidUTF8(true))
}

// members walks an object. handle must read exactly the value that follows.
func members(d *jsontext.Decoder, handle func(name []byte) error) error {
	if d.PeekKind() != '{' {
		return unexpected(d)
	}
	if _, err := d.ReadToken(); err != nil {
		return err
	}
	var buffer [64]byte
	for d.PeekKind() != '}' {
		raw, err := d.ReadValue()
		if err != nil {
			return err
		}
		name, err := jsontext.AppendUnquote(buffer[:0], raw)
		if err != nil {
			return err
		}
		if err := handle(name); err != nil {
			return err
		}
	}
	_, err := d.ReadToken()
	return err
}

// elements walks an array. handle must read exactly one element.
func elements(d *jsontext.Decoder, handle func() error) error {
	if d.PeekKind() != '[' {
		return unexpected(d)
	}
	if _, err := d.ReadToken(); err != nil {
		return err
	}
	for d.PeekKind() != ']' {
		if err := handle(); err != nil {
			return err
		}
	}
	_, err := d.ReadToken()
	return err
}

// unexpected tells a broken body from one of another form.
func unexpected(d *jsontext.Decoder) error {
	if _, err := d.ReadToken(); err != nil {
		return err
	}
	return errForm
}

// readPage reads one answer to q.
func readPage(body io.Reader, q *query) (*page, error) {
	d, r, p := newDecoder(body), newRowReader(q), &page{}
	err := members(d, func(name []byte) error {
		switch string(name) {
		case "totalSize":
			text, err := r.text(d)
			p.total, _ = strconv.Atoi(text)
			return err
		case "nextRecordsUrl":
			var err error
			p.next, err = r.text(d)
			return err
		case "records":
			return elements(d, func() error { return r.row(d, p) })
		}
		return d.SkipValue()
	})
	if err != nil {
		return nil, err
	}
	return p, nil
}

// readRecords reads an array of records in which null stands for a record that
// is not there; it comes back with an empty ID.
func readRecords(body io.Reader, q *query) (*page, error) {
	d, r, p := newDecoder(body), newRowReader(q), &page{}
	err := elements(d, func() error {
		if d.PeekKind() == 'n' {
			p.records = append(p.records, crm.Record{Layout: q.layout})
			return d.SkipValue()
		}
		return r.row(d, p)
	})
	if err != nil {
		return nil, err
	}
	return p, nil
}

// row reads one record.
func (r *rowReader) row(d *jsontext.Decoder, p *page) error {
	if n := len(r.layout.Fields); len(r.slab) < n {
		r.slab = make([]crm.Value, n*rowsPerSlab)
	}
	record := crm.Record{Layout: r.layout}
	n := len(r.layout.Fields)
	record.Values, r.slab = r.slab[:n:n], r.slab[n:]
	err := members(d, func(name []byte) error {
		c, ok := r.columns[string(name)]
		if !ok {
			return d.SkipValue()
		}
		if c.role == roleChildren {
			next, err := r.children(d, c.junction, &record.Relations)
			if next != "" {
				p.children = append(p.children, child{record: len(p.records), junction: c.junction, next: next})
			}
			return err
		}
		value, err := r.value(d)
		if err != nil {
			return err
		}
		r.place(&record, c, value)
		return nil
	})
	if err != nil {
		return err
	}
	p.records = append(p.records, record)
	return nil
}

func (r *rowReader) place(record *crm.Record, c column, value crm.Value) {
	if c.field >= 0 {
		record.Values[c.field] = value
	}
	switch c.role {
	case roleID:
		record.ID = longID(value.Text)
	case roleModified:
		record.ModifiedMicros = parseStamp(value.Text)
	case roleCreated:
		record.CreatedMicros = parseStamp(value.Text)
	case roleDeleted:
		record.Archived = value.Text == "true"
	case roleMaster:
		record.MergedInto = longID(value.Text)
	}
}

// value reads any value: texts unquoted, numbers and booleans as they stand,
// compound values as JSON, null as Blank.
func (r *rowReader) value(d *jsontext.Decoder) (crm.Value, error) {
	raw, err := d.ReadValue()
	if err != nil {
		return crm.Value{}, err
	}
	switch raw.Kind() {
	case 'n':
		return crm.Value{State: crm.Blank}, nil
	case '"':
		if r.scratch, err = jsontext.AppendUnquote(r.scratch[:0], raw); err != nil && len(r.scratch) == 0 {
			return crm.Value{}, err
		}
		return crm.Text(string(r.scratch)), nil
	}
	return crm.Text(string(raw)), nil
}

func (r *rowReader) text(d *jsontext.Decoder) (string, error) {
	v, err := r.value(d)
	return v.Text, err
}

// children reads the rows of a subquery, which is null when there are none.
func (r *rowReader) children(d *jsontext.Decoder, j *junction, relations *[]crm.Relation) (next string, err error) {
	if d.PeekKind() == 'n' {
		return "", d.SkipValue()
	}
	err = members(d, func(name []byte) error {
		switch string(name) {
		case "nextRecordsUrl":
			next, err = r.text(d)
			return err
		case "records":
			return elements(d, func() error { return r.childRow(d, j, relations) })
		}
		return d.SkipValue()
	})
	return next, err
}

func (r *rowReader) childRow(d *jsontext.Decoder, j *junction, relations *[]crm.Relation) error {
	relation, deleted := crm.Relation{Object: j.far, Junction: j.object}, false
	err := members(d, func(name []byte) error {
		if string(name) == "attributes" {
			return d.SkipValue()
		}
		// The name is copied, because reading the value may overwrite it.
		key := string(name)
		text, err := r.text(d)
		switch key {
		case "Id":
			relation.RowID = longID(text)
		case j.farField:
			relation.ID = longID(text)
		case j.role:
			relation.Label = text
		case j.primary:
			relation.Primary = text == "true"
		case "IsDeleted":
			deleted = text == "true"
		}
		return err
	})
	if err == nil && !deleted && relation.ID != "" {
		*relations = append(*relations, relation)
	}
	return err
}

// longID keeps what Salesforce sent when it is no id after all.
func longID(id string) string {
	if long, ok := ID18(id); ok {
		return long
	}
	return id
}
