package engine_test

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/lockstep-sync/lockstep/internal/crm"
	"github.com/lockstep-sync/lockstep/internal/engine"
	"github.com/lockstep-sync/lockstep/internal/fault"
	"github.com/lockstep-sync/lockstep/internal/mapping"
	"github.com/lockstep-sync/lockstep/internal/mapping/mappingtest"
	"github.com/lockstep-sync/lockstep/internal/store"
	"github.com/lockstep-sync/lockstep/internal/store/storetest"
)

// vendor is a small, honest CRM in memory: it gives ids, stamps every change,
// refuses what its schema forbids, reads only what is asked for, and can lose
// answers, die and refuse on demand.
type vendor struct {
	side    crm.Side
	schemas map[string]*crm.Object
	account string

	mu      sync.Mutex
	objects map[string]map[string]*row
	next    int64
	clock   int64 // microseconds; every write moves it
	calls   int
	applied int // writes that changed something
	// readCalls is what Forecast says of a complete read; 0: one call for 200.
	readCalls int
	created   map[string]int
	deleted   map[string]bool

	// before and after are asked around every Apply and every read; an error
	// ends the call there.
	before func(call string) error
	after  func(call string) error
	// lose makes the answer to the n-th created record get lost (counted from 1).
	lose map[int]bool
	// vanish: this write never arrives, and no answer comes.
	vanish func(crm.Write) bool
	// historic: it keeps what fields held, as HubSpot does.
	historic bool
	// timed counts the records whose field times were asked for.
	timed int
	// reads is shown every live record that is read.
	reads func(*row)
	// order puts the ids of a stream into another order; nil leaves them.
	order func(ids []string)
	// merges: records were merged.
	merges bool
	// late: the change feed tells nothing yet.
	late bool
	// refuse gives the error for a write, or nil.
	refuse func(crm.Write) error
	// blame names the fields of refusals.
	blame []string
	// counted is what reads say that the vendor counted; -1 for nothing.
	counted int
}

type row struct {
	values    map[string]string
	created   int64
	modified  int64
	archived  bool
	merged    string // the record that it was merged into
	set       map[string]crm.FieldTime
	past      map[string][]crm.FieldRevision
	by        string // who changed it last
	relations []crm.Relation
}

func newVendor(side crm.Side) *vendor {
	v := &vendor{side: side, account: "acme", objects: map[string]map[string]*row{}, next: 1000, clock: time.Now().UnixMicro(),
		created: map[string]int{}, deleted: map[string]bool{}, lose: map[int]bool{}, counted: -1}
	v.schemas = mappingtest.HubSpot()
	if side == crm.Salesforce {
		v.schemas = mappingtest.Salesforce()
		v.clock -= 60_000_000 // so that HubSpot's records are the newer ones
	}
	for name := range v.schemas {
		v.objects[name] = map[string]*row{}
	}
	return v
}

var prefixes = map[string]string{"Account": "001", "Contact": "003", "Lead": "00Q", "Opportunity": "006"}

func (v *vendor) newID(object string) string {
	v.next++
	if v.side == crm.HubSpot {
		return strconv.FormatInt(v.next, 10)
	}
	return fmt.Sprintf("%s%012dAAA", prefixes[object], v.next)
}

func (v *vendor) tick() int64 {
	v.clock += 1_000_000
	return v.clock
}

// add makes a record as a person would, and returns its id. Fields come as
// name, value pairs.
func (v *vendor) add(object string, fields ...string) string {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.insert(object, pairs(fields))
}

func (v *vendor) insert(object string, values map[string]string) string {
	id := v.newID(object)
	at := v.tick()
	v.objects[object][id] = &row{values: values, created: at, modified: at}
	if v.historic {
		v.objects[object][id].past = map[string][]crm.FieldRevision{}
		for field := range values {
			v.objects[object][id].stamp(field)
		}
	}
	return id
}

func pairs(fields []string) map[string]string {
	m := map[string]string{}
	for i := 0; i+1 < len(fields); i += 2 {
		m[fields[i]] = fields[i+1]
	}
	return m
}

// edit changes fields as a person would.
func (v *vendor) edit(object, id string, fields ...string) {
	v.mu.Lock()
	defer v.mu.Unlock()
	r := v.objects[object][id]
	v.clock += 60_000_000 // people are slower than we are
	r.modified, r.by = v.tick(), "Ann"
	for name, value := range pairs(fields) {
		r.values[name] = value
		r.stamp(name)
	}
}

// stamp notes when a field was set, and by whom.
func (r *row) stamp(field string) {
	if r.set == nil {
		r.set = map[string]crm.FieldTime{}
	}
	r.set[field] = crm.FieldTime{Micros: r.modified, By: r.by}
	if r.past != nil {
		r.past[field] = append(r.past[field], crm.FieldRevision{Value: crm.Text(r.values[field]), FieldTime: r.set[field]})
	}
}

// FieldHistory tells what a historic vendor's fields held.
func (v *vendor) FieldHistory(ctx context.Context, object, id string, _ []string) (map[string][]crm.FieldRevision, map[string]bool, error) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if err := v.around(ctx, "history"); err != nil || !v.historic {
		return nil, nil, err
	}
	whole := map[string]bool{}
	for field := range v.objects[object][id].past {
		whole[field] = true
	}
	return v.objects[object][id].past, whole, v.done("history")
}

// FieldTimes tells HubSpot's times field by field, Salesforce's record by record.
func (v *vendor) FieldTimes(ctx context.Context, object string, ids, fields []string) (map[string]map[string]crm.FieldTime, error) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if err := v.around(ctx, "times"); err != nil {
		return nil, err
	}
	v.timed += len(ids)
	times := map[string]map[string]crm.FieldTime{}
	for _, id := range ids {
		r := v.objects[object][id]
		if r == nil || r.archived {
			continue
		}
		times[id] = map[string]crm.FieldTime{}
		for _, f := range fields {
			if t, ok := r.set[f]; ok && v.side == crm.HubSpot {
				times[id][f] = t
			} else if v.side == crm.Salesforce {
				times[id][f] = crm.FieldTime{Micros: r.modified, By: r.by, OfRecord: true}
			}
		}
	}
	return times, v.done("times")
}

func (v *vendor) archive(object, id string) {
	v.mu.Lock()
	defer v.mu.Unlock()
	r := v.objects[object][id]
	r.archived, r.modified = true, v.tick()
}

// associate and dissociate change an association as people do in HubSpot: the
// record's stamp stays as it was.
func (v *vendor) associate(object, id, far, farID string, primary bool) {
	v.mu.Lock()
	defer v.mu.Unlock()
	r := v.objects[object][id]
	r.relations = append(r.relations, crm.Relation{Object: far, ID: farID, Primary: primary})
}

func (v *vendor) dissociate(object, id, far, farID string) {
	v.mu.Lock()
	defer v.mu.Unlock()
	r := v.objects[object][id]
	r.relations = slices.DeleteFunc(r.relations, func(x crm.Relation) bool { return x.Object == far && x.ID == farID })
}

func (v *vendor) relate(object, id, far, farID string) {
	v.mu.Lock()
	defer v.mu.Unlock()
	r := v.objects[object][id]
	r.relations = append(r.relations, crm.Relation{Object: far, ID: farID, Primary: len(r.relations) == 0})
	r.modified = v.tick()
}

func (v *vendor) value(object, id, field string) string {
	v.mu.Lock()
	defer v.mu.Unlock()
	if r := v.objects[object][id]; r != nil {
		return r.values[field]
	}
	return "<no record>"
}

// live lists the records of an object as "field=value …", sorted.
func (v *vendor) live(object string, fields ...string) []string {
	v.mu.Lock()
	defer v.mu.Unlock()
	var out []string
	for _, r := range v.objects[object] {
		if r.archived {
			continue
		}
		var parts []string
		for _, f := range fields {
			parts = append(parts, f+"="+r.values[f])
		}
		out = append(out, strings.Join(parts, " "))
	}
	slices.Sort(out)
	return out
}

func (v *vendor) around(ctx context.Context, call string) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	v.calls++
	if v.before != nil {
		return v.before(call)
	}
	return nil
}

func (v *vendor) done(call string) error {
	if v.after != nil {
		return v.after(call)
	}
	return nil
}

func (v *vendor) Name() crm.Side { return v.side }

func (v *vendor) Account(context.Context) (crm.Account, error) {
	return crm.Account{Side: v.side, ID: v.account + "-" + string(v.side), Name: v.account}, nil
}

func (v *vendor) Objects(context.Context) ([]crm.Object, error) { return nil, nil }

func (v *vendor) Describe(_ context.Context, object string) (*crm.Object, error) {
	return v.schemas[object], nil
}

func (v *vendor) Owners(context.Context) ([]crm.Owner, error) {
	if v.side == crm.HubSpot {
		return []crm.Owner{{ID: "71", Email: "Ann@acme.test", Name: "Ann", Active: true}}, nil
	}
	return []crm.Owner{{ID: "005000000000001AAA", Email: "ann@acme.test", Name: "Ann", Active: true}}, nil
}

func (v *vendor) record(read crm.Read, id string, r *row) crm.Record {
	out := crm.Record{Layout: read.Layout, ID: id, CreatedMicros: r.created, ModifiedMicros: r.modified, Archived: r.archived, MergedInto: v.survivor(read.Layout.Object, r)}
	if r.archived {
		return out
	}
	if v.side == crm.HubSpot && v.merges {
		out.TookIn = v.sorted(read.Layout.Object, func(r *row) bool { return r.merged == id })
	}
	if v.reads != nil {
		v.reads(r)
	}
	out.Values = make([]crm.Value, len(read.Layout.Fields))
	for i, f := range read.Layout.Fields {
		switch f {
		case "Id", "hs_object_id":
			out.Values[i] = crm.Text(id)
		default:
			out.Values[i] = crm.Text(r.values[f])
		}
	}
	for _, x := range r.relations {
		joined := slices.ContainsFunc(read.Junctions, func(j crm.Junction) bool { return j.Object == x.Junction })
		if slices.Contains(read.Relations, x.Object) || joined {
			out.Relations = append(out.Relations, x)
		}
	}
	if v.side == crm.HubSpot {
		// An association is seen from both of its ends.
		for _, far := range read.Relations {
			for _, farID := range v.sorted(far, func(f *row) bool { return !f.archived && f.related(read.Layout.Object, id) }) {
				out.Relations = append(out.Relations, crm.Relation{Object: far, ID: farID})
			}
		}
	}
	return out
}

func (r *row) related(object, id string) bool {
	return slices.ContainsFunc(r.relations, func(x crm.Relation) bool { return x.Object == object && x.ID == id })
}

func (v *vendor) sorted(object string, keep func(*row) bool) []string {
	var ids []string
	for id, r := range v.objects[object] {
		if keep(r) {
			ids = append(ids, id)
		}
	}
	slices.SortFunc(ids, func(a, b string) int { return cmp.Or(cmp.Compare(len(a), len(b)), cmp.Compare(a, b)) })
	return ids
}

func (v *vendor) stream(ctx context.Context, call string, read crm.Read, keep func(*row) bool, yield func([]crm.Record) error) (crm.ReadReport, error) {
	v.mu.Lock()
	defer v.mu.Unlock()
	report := crm.ReadReport{Expected: v.counted, Calls: 1, Method: call, NextMicros: v.clock}
	if err := v.around(ctx, call); err != nil {
		return report, err
	}
	var page []crm.Record
	flush := func() error {
		if len(page) == 0 {
			return nil
		}
		out := page
		page = nil
		return yield(out)
	}
	ids := v.sorted(read.Layout.Object, keep)
	if v.order != nil {
		v.order(ids)
	}
	for _, id := range ids {
		r := v.record(read, id, v.objects[read.Layout.Object][id])
		if r.Archived {
			report.Archived++
		} else {
			report.Rows++
		}
		if page = append(page, r); len(page) == 100 {
			if err := flush(); err != nil {
				return report, err
			}
		}
	}
	if err := flush(); err != nil {
		return report, err
	}
	return report, v.done(call)
}

func (v *vendor) Read(ctx context.Context, read crm.Read, yield func([]crm.Record) error) (crm.ReadReport, error) {
	return v.stream(ctx, "read", read, func(r *row) bool { return !r.archived }, yield)
}

func (v *vendor) Changes(ctx context.Context, read crm.Read, since int64, yield func([]crm.Record) error) (crm.ReadReport, error) {
	return v.stream(ctx, "changes", read, func(r *row) bool { return r.modified >= since && !v.late }, yield)
}

func (v *vendor) Lookup(ctx context.Context, read crm.Read, ids []string) ([]crm.Record, error) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if err := v.around(ctx, "lookup"); err != nil {
		return nil, err
	}
	var out []crm.Record
	for _, id := range ids {
		r := v.objects[read.Layout.Object][id]
		if r == nil {
			r = &row{archived: true}
		}
		out = append(out, v.record(read, id, r))
	}
	return out, v.done("lookup")
}

func (v *vendor) Relations(ctx context.Context, read crm.Read, ids []string) ([]crm.Record, int, error) {
	v.mu.Lock()
	defer v.mu.Unlock()
	calls := 0
	for range read.Relations {
		for range (len(ids) + 999) / 1000 {
			calls++
			if err := v.around(ctx, "relations"); err != nil {
				return nil, calls, err
			}
		}
	}
	var out []crm.Record
	for _, id := range ids {
		r := crm.Record{Layout: read.Layout, ID: id}
		if row := v.objects[read.Layout.Object][id]; row != nil && !row.archived {
			r.Relations = v.record(read, id, row).Relations
		}
		out = append(out, r)
	}
	return out, calls, v.done("relations")
}

func (v *vendor) Find(ctx context.Context, read crm.Read, field string, values []string) ([]crm.Record, error) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if err := v.around(ctx, "find"); err != nil {
		return nil, err
	}
	var out []crm.Record
	for _, id := range v.sorted(read.Layout.Object, func(r *row) bool {
		return !r.archived && slices.ContainsFunc(values, func(w string) bool { return strings.EqualFold(w, r.values[field]) && w != "" })
	}) {
		out = append(out, v.record(read, id, v.objects[read.Layout.Object][id]))
	}
	return out, v.done("find")
}

func (v *vendor) Gone(ctx context.Context, read crm.Read, created int64, yield func([]crm.Record) error) error {
	v.mu.Lock()
	defer v.mu.Unlock()
	if err := v.around(ctx, "gone"); err != nil {
		return err
	}
	var page []crm.Record
	for _, id := range v.sorted(read.Layout.Object, func(r *row) bool { return r.archived && r.created >= created }) {
		r := *v.objects[read.Layout.Object][id]
		r.archived = false
		out := v.record(read, id, &r)
		out.Archived = true
		page = append(page, out)
	}
	if err := yield(page); err != nil {
		return err
	}
	return v.done("gone")
}

func (v *vendor) Apply(ctx context.Context, writes []crm.Write) ([]crm.Result, error) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if err := v.around(ctx, "apply"); err != nil {
		results := make([]crm.Result, len(writes))
		for i, w := range writes {
			results[i] = crm.Result{Key: w.Key, Err: err}
		}
		return results, err
	}
	results := make([]crm.Result, len(writes))
	for i, w := range writes {
		results[i] = v.write(w)
	}
	if err := v.done("apply"); err != nil {
		return nil, err
	}
	return results, nil
}

func (v *vendor) write(w crm.Write) crm.Result {
	result := crm.Result{Key: w.Key, ID: w.ID, RequestID: "r" + strconv.Itoa(v.calls)}
	if v.refuse != nil {
		if err := v.refuse(w); err != nil {
			result.Err, result.Cause, result.Fields = err, "REFUSED", v.blame
			return result
		}
	}
	if v.vanish != nil && v.vanish(w) {
		result.Unknown, result.Err = true, fault.New(fault.Unavailable, "the write was lost")
		return result
	}
	values := map[string]string{}
	for _, f := range w.Fields {
		if v.schemas[w.Object].Field(f.Name) == nil {
			result.Err, result.Cause = fault.New(fault.Invalid, "no field %s", f.Name), "INVALID_FIELD"
			return result
		}
		// Vendors store addresses in lower case.
		values[f.Name] = f.Value.Text
		if strings.EqualFold(f.Name, "email") {
			values[f.Name] = strings.ToLower(f.Value.Text)
		}
	}
	if far := v.lostEnd(w, values); far != "" {
		result.Err, result.Cause = fault.New(fault.NotFound, "%s is deleted", far), "ENTITY_IS_DELETED"
		return result
	}
	switch w.Op {
	case crm.Create:
		if w.ExternalField != "" {
			values[w.ExternalField] = w.ExternalValue
			for id, r := range v.objects[w.Object] {
				if r.values[w.ExternalField] == w.ExternalValue && !r.archived {
					result.ID = id
					v.update(r, values)
					return result
				}
			}
		}
		result.ID, result.Created = v.insert(w.Object, values), true
		v.applied++
		v.created[w.Object]++
		if v.lose[v.total()] {
			result.ID, result.Created, result.Unknown = "", false, true
			result.Err = fault.New(fault.Unavailable, "the answer was lost")
		}
	case crm.Update:
		r := v.objects[w.Object][w.ID]
		if r == nil || r.archived {
			result.Err, result.Cause = fault.New(fault.NotFound, "no such record"), "NOT_FOUND"
			return result
		}
		v.update(r, values)
	case crm.Archive:
		r := v.objects[w.Object][w.ID]
		r.archived, r.modified = true, v.tick()
		v.applied++
	case crm.Restore:
		r := v.objects[w.Object][w.ID]
		if r == nil || !r.archived || v.side == crm.HubSpot {
			result.Err, result.Cause = fault.New(fault.Invalid, "it is not in the recycle bin"), "UNDELETE_FAILED"
			return result
		}
		r.archived, r.modified = false, v.tick()
		v.applied++
	case crm.Relate:
		r := v.objects[w.Object][w.ID]
		if v.side == crm.HubSpot && w.Relation.Primary {
			for i := range r.relations {
				if r.relations[i].Object == w.Relation.Object {
					r.relations[i].Primary = r.relations[i].ID == w.Relation.ID
				}
			}
		}
		result.ID = v.join(r, &w)
		v.stampRelation(r)
		v.applied++
	case crm.Unrelate:
		r := v.objects[w.Object][w.ID]
		if v.side == crm.HubSpot && w.Relation.Label != "" {
			for i := range r.relations {
				if x := &r.relations[i]; x.Object == w.Relation.Object && x.ID == w.Relation.ID {
					x.Label = strings.Join(slices.DeleteFunc(strings.Split(x.Label, ";"), func(l string) bool { return slices.Contains(strings.Split(w.Relation.Label, ";"), l) }), ";")
				}
			}
			break
		}
		r.relations = slices.DeleteFunc(r.relations, func(x crm.Relation) bool {
			return w.Relation.RowID == "" && x.Object == w.Relation.Object && x.ID == w.Relation.ID || w.Relation.RowID != "" && x.RowID == w.Relation.RowID
		})
		v.stampRelation(r)
		v.applied++
	}
	return result
}

// lostEnd is a record that is deleted and that a write would relate its own to;
// both vendors refuse that. Empty for none.
func (v *vendor) lostEnd(w crm.Write, values map[string]string) string {
	lost := func(object, id string) bool { r := v.objects[object][id]; return r != nil && r.archived }
	if w.Op == crm.Relate && lost(w.Relation.Object, w.Relation.ID) {
		return w.Relation.ID
	}
	for name, id := range values {
		if f := v.schemas[w.Object].Field(name); id != "" && slices.ContainsFunc(f.ReferenceTo, func(object string) bool { return lost(object, id) }) {
			return id
		}
	}
	return ""
}

// join adds an association, or labels to it, or a row; it returns the row's id.
func (v *vendor) join(r *row, w *crm.Write) string {
	for i := range r.relations {
		x := &r.relations[i]
		switch {
		case w.Relation.RowID != "" && x.RowID == w.Relation.RowID:
			x.Label = w.Relation.Label
			return x.RowID
		case w.Relation.RowID != "" || x.Object != w.Relation.Object || x.ID != w.Relation.ID:
		case v.side == crm.HubSpot:
			labels := strings.Split(x.Label+";"+w.Relation.Label, ";")
			slices.Sort(labels)
			x.Label = strings.Trim(strings.Join(slices.Compact(labels), ";"), ";")
			return ""
		case x.Label == w.Relation.Label:
			return x.RowID
		}
	}
	x := crm.Relation{Object: w.Relation.Object, ID: w.Relation.ID, Primary: w.Relation.Primary, Label: w.Relation.Label}
	if w.Junction != nil {
		v.next++
		x.Junction, x.RowID = w.Junction.Object, fmt.Sprintf("00K%012dAAA", v.next)
	}
	r.relations = append(r.relations, x)
	return x.RowID
}

// stampRelation moves a record's stamp when a relation of it changes, which a
// read of Salesforce's rows stands for; HubSpot's stays.
func (v *vendor) stampRelation(r *row) {
	if v.side == crm.Salesforce {
		r.modified = v.tick()
	}
}

func (v *vendor) total() int {
	n := 0
	for _, c := range v.created {
		n += c
	}
	return n
}

func (v *vendor) update(r *row, values map[string]string) {
	r.modified, r.by = v.tick(), "Lockstep"
	for name, value := range values {
		r.values[name] = value
		r.stamp(name)
	}
	v.applied++
}

func (v *vendor) Forecast(w crm.Work) int {
	if w.Read > 0 && v.readCalls > 0 {
		return v.readCalls
	}
	return (w.Read+199)/200 + (w.Create+199)/200 + (w.Update+199)/200 + (w.Relate+199)/200 + (w.Archive+199)/200
}
func (v *vendor) Usage() crm.Usage {
	v.mu.Lock()
	defer v.mu.Unlock()
	return crm.Usage{Calls: v.calls, DayLimit: -1, DayLeft: -1}
}

// Restorable is as with the real ones: Salesforce can, in HubSpot a person has to.
func (v *vendor) Restorable(object string) (string, bool) {
	if v.side == crm.Salesforce {
		return "", true
	}
	return "https://hubspot.test/" + object, false
}

func (v *vendor) RecordURL(object, id string) string {
	return "https://" + string(v.side) + ".test/" + object + "/" + id
}

const pairYAML = `
hubspot: acme
salesforce: acme
objects:
  - name: companies
    hubspot: companies
    salesforce: Account
    match: [{hubspot: domain, salesforce: Website, as: domain}]
    create: in-salesforce
    fields:
      - {hubspot: name, salesforce: Name}
      - {hubspot: domain, salesforce: Website, direction: to-salesforce}
      - {hubspot: phone, salesforce: Phone}
      - {hubspot: annualrevenue, salesforce: AnnualRevenue, direction: to-hubspot}
  - name: people
    hubspot: contacts
    salesforce: Contact
    match: [{hubspot: email, salesforce: Email, as: email}]
    create: both
    where: {hubspot: 'hubspot.lifecyclestage != "subscriber"'}
    deletes: ask
    fields:
      - {hubspot: firstname, salesforce: FirstName}
      - {hubspot: lastname, salesforce: LastName}
      - {hubspot: email, salesforce: Email}
      - {hubspot: phone, salesforce: Phone, wins: newest}
    associations: [{hubspot: companies, salesforce: AccountId}]
`

// world is a pair with its store, and what tests do to it.
type world struct {
	t          *testing.T
	hubspot    *vendor
	salesforce *vendor
	dir        string
	yaml       string
	options    store.Options
	progress   func(engine.Event)
}

func newWorld(t *testing.T) *world {
	return &world{t: t, hubspot: newVendor(crm.HubSpot), salesforce: newVendor(crm.Salesforce), dir: t.TempDir(), yaml: pairYAML}
}

func (w *world) bound() *mapping.Bound {
	w.t.Helper()
	m, err := mapping.Parse("lockstep.yaml", []byte(w.yaml))
	if err != nil {
		w.t.Fatal(err)
	}
	b, problems := m.Bind(mapping.Schemas{HubSpot: w.hubspot.schemas, Salesforce: w.salesforce.schemas})
	if b == nil {
		w.t.Fatal(problems)
	}
	return b
}

// open starts a process: it opens the store and makes an engine.
func (w *world) open() (*engine.Engine, *store.Store) {
	w.t.Helper()
	storetest.Lay(w.t, w.dir+"/lockstep.db")
	s, err := store.Open(context.Background(), w.dir+"/lockstep.db", w.options)
	if err != nil {
		w.t.Fatal(err)
	}
	e, err := engine.New(engine.Config{Store: s, HubSpot: w.hubspot, Salesforce: w.salesforce, Mapping: w.bound(), Now: w.options.Now, Progress: w.progress})
	if err != nil {
		w.t.Fatal(err)
	}
	return e, s
}

// sync runs one process that syncs once, and wants it to close its sums.
func (w *world) sync() *engine.Run {
	w.t.Helper()
	return w.syncWith(engine.SyncOptions{})
}

func (w *world) syncWith(o engine.SyncOptions) *engine.Run {
	w.t.Helper()
	e, s := w.open()
	defer s.Close()
	run, err := e.Sync(context.Background(), o)
	if err != nil {
		w.t.Fatal(err)
	}
	if !run.Closed {
		w.t.Fatalf("the sums do not close: read %d, outcomes %+v, %+v", run.Read, run.Tally, run.Objects)
	}
	return run
}

var errDead = errors.New("the process died here")
