package hubspot

import (
	"encoding/json"
	"io"
	"strconv"
	"strings"
	"sync"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/lockstep-sync/lockstep/internal/crm"
)

// page is one answer that holds records: of a list, a search or a batch.
type page struct {
	records []crm.Record
	// after is the next page's cursor; empty on the last page.
	after string
	// total of a search; -1 elsewhere.
	total int
	// refusals of a batch that was answered with 207.
	refusals []refusal
	// traces are objectWriteTraceId of each record, and made its "new"; both
	// are only filled by decodeBatch.
	traces []string
	made   []bool
	// archivedMicros belongs to each record: when it was archived. nil when no
	// record was.
	archivedMicros []int64
	// overflow names the relations of which not all travelled along.
	overflow []overflow
	// labelled: a relation has a type that is not one of HubSpot's two plain ones.
	labelled bool
}

// overflow is one record whose relations to an object go on.
type overflow struct {
	record int
	object string
}

// decoder reads pages as a stream of tokens straight into records. The texts of
// a page share one backing string and its values one slice, so a page of a
// hundred records costs a handful of allocations.
type decoder struct {
	json   *jsontext.Decoder
	text   []byte
	cells  []cell // one per record and field of the layout
	rows   []row
	far    []farEnd
	order  []orderedKey // the keys of the record before: the next has the same
	merged *cell        // where the current record's merged ids go
	layout *crm.Layout
	batch  bool
}

// cell is one value: where its text lies.
type cell struct {
	from, to int
	state    crm.State
}

type row struct {
	id, trace, merged cell
	created, modified int64
	gone              int64 // archivedAt
	archived, made    bool
	farFrom, farTo    int
}

type farEnd struct {
	object   int // index in the relations asked for
	id, kind cell
}

const (
	// mergedProperty lists the ids that a record has swallowed.
	mergedProperty = "hs_merged_object_ids"
	unasked        = -1 // a property that the layout does not hold
	mergedIndex    = -2
)

type orderedKey struct {
	name  string
	index int
}

var decoders = sync.Pool{New: func() any {
	return &decoder{json: jsontext.NewDecoder(strings.NewReader(""), tolerant...)}
}}

// tolerant is how vendors' JSON is read: what is no text is replaced, and a key
// that comes twice is the vendor's business.
var tolerant = []jsontext.Options{jsontext.AllowDuplicateNames(true), jsontext.AllowInvalidUTF8(true)}

// decodePage reads a list, search or batch answer with the fields of read.Layout.
func decodePage(body io.Reader, read crm.Read, into *page) error {
	d := decoders.Get().(*decoder)
	defer decoders.Put(d)
	d.reset(body, read.Layout, false)
	return d.page(read, into)
}

// decodeBatch reads the answer of a batch write: ids, stamps, traces, refusals.
func decodeBatch(body io.Reader, into *page) error {
	d := decoders.Get().(*decoder)
	defer decoders.Put(d)
	d.reset(body, nothing, true)
	return d.page(crm.Read{Layout: nothing}, into)
}

// nothing is the layout of records whose values do not matter.
var nothing = crm.NewLayout("", nil)

func (d *decoder) reset(body io.Reader, layout *crm.Layout, batch bool) {
	d.json.Reset(body, tolerant...)
	d.text, d.cells, d.rows, d.far, d.order = d.text[:0], d.cells[:0], d.rows[:0], d.far[:0], d.order[:0]
	d.layout, d.batch = layout, batch
}

func (d *decoder) page(read crm.Read, into *page) error {
	*into = page{total: -1}
	err := d.object(func(key string) error {
		switch key {
		case "results":
			return d.array(func() error { return d.record(read) })
		case "total":
			value, err := d.json.ReadValue()
			if err == nil {
				into.total, err = strconv.Atoi(string(value))
			}
			return err
		case "paging":
			after, err := d.paging()
			into.after = after
			return err
		case "errors":
			return d.array(func() error {
				value, err := d.json.ReadValue()
				if err != nil {
					return err
				}
				var r refusal
				err = json.Unmarshal(value, &r)
				into.refusals = append(into.refusals, r)
				return err
			})
		}
		return d.json.SkipValue()
	})
	if err != nil {
		return err
	}
	d.finish(read, into)
	return nil
}

// decodeRecord reads one record that is the whole answer.
func decodeRecord(body io.Reader, read crm.Read) (crm.Record, error) {
	d := decoders.Get().(*decoder)
	defer decoders.Put(d)
	d.reset(body, read.Layout, false)
	if err := d.record(read); err != nil {
		return crm.Record{}, err
	}
	var p page
	d.finish(read, &p)
	return p.records[0], nil
}

func (d *decoder) record(read crm.Read) error {
	r := row{farFrom: len(d.far)}
	d.merged = &r.merged
	first := len(d.cells)
	for range d.layout.Fields {
		d.cells = append(d.cells, cell{})
	}
	err := d.object(func(key string) error {
		var err error
		switch key {
		case "id":
			r.id, err = d.value()
		case "properties":
			err = d.properties(first)
		case "createdAt":
			r.created, err = d.stamp()
		case "updatedAt":
			r.modified, err = d.stamp()
		case "archived":
			r.archived, err = d.truth()
		case "archivedAt":
			r.gone, err = d.stamp()
		case "new":
			r.made, err = d.truth()
		case "objectWriteTraceId":
			r.trace, err = d.value()
		case "associations":
			err = d.associations(read)
		default:
			err = d.json.SkipValue()
		}
		return err
	})
	r.farTo = len(d.far)
	d.rows = append(d.rows, r)
	return err
}

// properties reads values into the cells from first on. Keys come in the same
// order for every record, so the place of the last record's key is tried first.
func (d *decoder) properties(first int) error {
	at := 0
	return d.keys(func(name []byte) error {
		index := -1
		if at < len(d.order) && d.order[at].name == string(name) {
			index = d.order[at].index
		} else {
			index = d.layout.Index(string(name))
			if index < 0 && string(name) == mergedProperty {
				index = mergedIndex
			}
			d.order = append(d.order[:at], orderedKey{string(name), index})
		}
		at++
		if index == unasked {
			return d.json.SkipValue()
		}
		value, err := d.value()
		if index == mergedIndex {
			*d.merged = value
		} else {
			d.cells[first+index] = value
		}
		return err
	})
}

// associations reads {"companies":{"results":[{"id","type"}],"paging":{…}}}.
func (d *decoder) associations(read crm.Read) error {
	return d.object(func(key string) error {
		object := relationIndex(read.Relations, key)
		if object < 0 {
			return d.json.SkipValue()
		}
		return d.object(func(key string) error {
			switch key {
			case "results":
				return d.array(func() error {
					end := farEnd{object: object}
					err := d.object(func(key string) error {
						var err error
						switch key {
						case "id":
							end.id, err = d.value()
						case "type":
							end.kind, err = d.value()
						default:
							err = d.json.SkipValue()
						}
						return err
					})
					d.far = append(d.far, end)
					return err
				})
			case "paging":
				after, err := d.paging()
				if after != "" {
					d.far = append(d.far, farEnd{object: object}) // without an id: more than travelled
				}
				return err
			}
			return d.json.SkipValue()
		})
	})
}

// relationIndex finds the relation that HubSpot answers under key: it says
// "companies" also when it was asked for "0-2".
func relationIndex(relations []string, key string) int {
	for i, relation := range relations {
		if relation == key {
			return i
		}
	}
	for i, relation := range relations {
		if s := standardOf(relation); s != nil && (s.name == key || strings.ReplaceAll(s.name, "_", " ") == key) {
			return i
		}
	}
	if len(relations) == 1 {
		return 0
	}
	return -1
}

// finish turns what was noted into records on one shared text.
func (d *decoder) finish(read crm.Read, into *page) {
	text := string(d.text)
	cut := func(c cell) string { return text[c.from:c.to] }
	fields := len(d.layout.Fields)
	values := make([]crm.Value, len(d.cells))
	for i, c := range d.cells {
		values[i] = crm.Value{State: c.state, Text: cut(c)}
	}
	into.records = make([]crm.Record, len(d.rows))
	for i, r := range d.rows {
		record := &into.records[i]
		record.Layout, record.ID = d.layout, cut(r.id)
		record.CreatedMicros, record.ModifiedMicros, record.Archived = r.created, r.modified, r.archived
		record.Values = values[i*fields : (i+1)*fields : (i+1)*fields]
		for _, end := range d.far[r.farFrom:r.farTo] {
			object := read.Relations[end.object]
			if end.id.state != crm.Present {
				into.overflow = append(into.overflow, overflow{record: i, object: object})
				continue
			}
			if relate(record, d.layout.Object, object, cut(end.id), cut(end.kind)) {
				into.labelled = true
			}
		}
		if r.gone != 0 && into.archivedMicros == nil {
			into.archivedMicros = make([]int64, len(d.rows))
		}
		if r.gone != 0 {
			into.archivedMicros[i] = r.gone
		}
		if r.merged.state == crm.Present {
			record.TookIn = idsIn(cut(r.merged), record.ID)
		}
		if d.batch {
			into.traces = append(into.traces, cut(r.trace))
			into.made = append(into.made, r.made)
		}
	}
}

// idsIn are the ids in a list of them ("1;2"), one's own left out.
func idsIn(list, own string) (ids []string) {
	for id := range strings.SplitSeq(list, ";") {
		if id = strings.TrimSpace(id); id != "" && id != own {
			ids = append(ids, id)
		}
	}
	return ids
}

func (d *decoder) paging() (after string, err error) {
	err = d.object(func(key string) error {
		if key != "next" {
			return d.json.SkipValue()
		}
		return d.object(func(key string) error {
			if key != "after" {
				return d.json.SkipValue()
			}
			c, err := d.value()
			after = string(d.text[c.from:c.to])
			return err
		})
	})
	return after, err
}
