package hubspot

import (
	"slices"
	"sort"
	"strings"
)

// table holds the records and definitions of one object type.
type table struct {
	kind       objectKind
	number     int // position among the tables
	properties []*propertyDefinition
	byName     map[string]*propertyDefinition
	groups     []*PropertyGroup
	pipelines  []*Pipeline
	schema     *Schema // of custom objects
	lists      []*list

	ids     []int64 // of the live records, ascending; records has the same order
	records []*record
	// archived records, by id, ascending.
	archived []*record
	// erased and merged-away ids never come back.
	merged   map[int64]int64 // old id to the record that it became part of
	created  timeIndex
	modified timeIndex
	unique   map[int]map[string]int64 // by property number: folded value to id
	history  map[int64][]revision     // newest last; only of records that were edited
	lagging  map[int64][]lagged       // states that search still shows
	caughtUp int64                    // when lagging was last cleared, Unix milliseconds
	losing   map[int64]bool           // whose next change search loses; 0: of the next new record
	lastID   int64
}

func newTable(kind objectKind, number int) *table {
	return &table{
		kind: kind, number: number,
		byName: map[string]*propertyDefinition{}, merged: map[int64]int64{},
		unique: map[int]map[string]int64{}, history: map[int64][]revision{},
		lagging: map[int64][]lagged{},
	}
}

func (t *table) property(name string) *propertyDefinition {
	if p := t.byName[name]; p != nil && !p.Archived {
		return p
	}
	return nil
}

// live returns a live record, or nil.
func (t *table) live(id int64) *record {
	if n, ok := slices.BinarySearch(t.ids, id); ok {
		return t.records[n]
	}
	return nil
}

// follow returns a live record by its id or by an id that was merged into it.
func (t *table) follow(id int64) *record {
	if r := t.live(id); r != nil {
		return r
	}
	return t.live(t.successor(id))
}

// successor is the id that a merged-away id leads to in the end; any other id is
// its own.
func (t *table) successor(id int64) int64 {
	for next, ok := t.merged[id]; ok; next, ok = t.merged[id] {
		id = next
	}
	return id
}

func (t *table) archivedRecord(id int64) *record {
	n := sort.Search(len(t.archived), func(i int) bool { return t.archived[i].id >= id })
	if n < len(t.archived) && t.archived[n].id == id {
		return t.archived[n]
	}
	return nil
}

// insert adds a live record and indexes it.
func (t *table) insert(r *record) {
	if n := len(t.ids); n == 0 || t.ids[n-1] < r.id {
		t.ids = append(t.ids, r.id)
		t.records = append(t.records, r)
	} else {
		n, _ := slices.BinarySearch(t.ids, r.id)
		t.ids = slices.Insert(t.ids, n, r.id)
		t.records = slices.Insert(t.records, n, r)
	}
	t.created.add(r.created, r)
	t.modified.add(r.modified, r)
	t.index(r)
}

// replace puts a new state of a live record in the place of the old one.
func (t *table) replace(was, is *record) {
	n, _ := slices.BinarySearch(t.ids, was.id)
	t.records[n] = is
	was.superseded = true
	if was.created == is.created {
		t.created.swap(is.created, was, is)
	} else {
		t.created.stale++
		t.created.add(is.created, is)
	}
	if was.modified == is.modified {
		t.modified.swap(is.modified, was, is)
	} else {
		t.modified.stale++
		t.modified.add(is.modified, is)
	}
	t.unindex(was)
	t.index(is)
}

// remove takes a live record out; the caller keeps it elsewhere or drops it.
func (t *table) remove(was *record) {
	n, _ := slices.BinarySearch(t.ids, was.id)
	t.ids = slices.Delete(t.ids, n, n+1)
	t.records = slices.Delete(t.records, n, n+1)
	was.superseded = true
	t.created.stale++
	t.modified.stale++
	t.unindex(was)
}

// archive moves a live record among the archived ones.
func (t *table) archive(was *record, at int64) {
	t.remove(was)
	is := *was
	is.superseded = false
	is.archivedAt = at
	t.putArchived(&is)
}

func (t *table) putArchived(r *record) {
	n := sort.Search(len(t.archived), func(i int) bool { return t.archived[i].id >= r.id })
	t.archived = slices.Insert(t.archived, n, r)
}

func (t *table) removeArchived(r *record) {
	t.archived = slices.DeleteFunc(t.archived, func(x *record) bool { return x.id == r.id })
}

// index and unindex keep the unique values of one state.
func (t *table) index(r *record) {
	for number, values := range t.unique {
		t.eachUnique(r, number, func(v string) {
			if _, taken := values[v]; !taken {
				values[v] = r.id
			}
		})
	}
}

func (t *table) unindex(r *record) {
	for number, values := range t.unique {
		t.eachUnique(r, number, func(v string) {
			if values[v] == r.id {
				delete(values, v)
			}
		})
	}
}

// eachUnique calls f for what a state claims of a unique property: its value,
// and for a contact's e-mail the additional addresses as well.
func (t *table) eachUnique(r *record, number int, f func(string)) {
	if v, ok := r.value(number); ok {
		f(t.properties[number].fold(v))
	}
	if t.kind.name == "contacts" && t.properties[number].Name == "email" {
		more, _ := r.value(t.byName["hs_additional_emails"].number)
		for v := range strings.SplitSeq(more, ";") {
			if v != "" {
				f(v)
			}
		}
	}
}

// holder returns the live record that holds a unique value, or nil.
func (t *table) holder(p *propertyDefinition, value string) *record {
	if id, ok := t.unique[p.number][p.fold(value)]; ok {
		return t.live(id)
	}
	return nil
}

// makeUnique starts the index of a unique property.
func (t *table) makeUnique(p *propertyDefinition) {
	t.unique[p.number] = map[string]int64{}
	for _, r := range t.records {
		t.eachUnique(r, p.number, func(v string) { t.unique[p.number][v] = r.id })
	}
}
