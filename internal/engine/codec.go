package engine

import (
	"encoding/binary"
	"errors"

	"github.com/lockstep-sync/lockstep/internal/crm"
	"github.com/lockstep-sync/lockstep/internal/reconcile"
)

// errCut says that bytes of the store do not hold what they should.
var errCut = errors.New("a stored row is cut short or of another version")

// codecVersion opens every encoded body, recordVersion every record; rows of
// another version are read again from the vendor instead of being understood
// halfway.
const (
	codecVersion  = 1
	recordVersion = 2
)

// pen writes values one after the other.
type pen struct{ b []byte }

func (p *pen) byte(v byte)  { p.b = append(p.b, v) }
func (p *pen) int(v int64)  { p.b = binary.AppendVarint(p.b, v) }
func (p *pen) u64(v uint64) { p.b = binary.LittleEndian.AppendUint64(p.b, v) }
func (p *pen) len(n int)    { p.b = binary.AppendUvarint(p.b, uint64(n)) }
func (p *pen) text(s string) {
	p.len(len(s))
	p.b = append(p.b, s...)
}
func (p *pen) bool(v bool) {
	if v {
		p.byte(1)
	} else {
		p.byte(0)
	}
}
func (p *pen) value(v crm.Value) {
	p.byte(byte(v.State))
	if v.State == crm.Present {
		p.text(v.Text)
	}
}
func (p *pen) ref(r crm.Ref) {
	p.text(string(r.Side))
	p.text(r.Object)
	p.text(r.ID)
}
func (p *pen) hashes(h []uint64) {
	p.len(len(h))
	for _, v := range h {
		p.u64(v)
	}
}
func (p *pen) reason(r crm.Reason) {
	p.text(r.Code)
	p.text(r.Text)
	p.text(r.Mend)
	p.text(r.Field)
}

// eye reads them back. After the first mistake everything reads as zero.
type eye struct {
	b   string // one allocation for all texts of a body
	bad bool
}

func (e *eye) fail() { e.bad, e.b = true, "" }
func (e *eye) byte() byte {
	if len(e.b) == 0 {
		e.fail()
		return 0
	}
	v := e.b[0]
	e.b = e.b[1:]
	return v
}
func (e *eye) uvarint() uint64 {
	var v uint64
	for shift := 0; shift < 64; shift += 7 {
		c := e.byte()
		v |= uint64(c&0x7f) << shift
		if c < 0x80 {
			return v
		}
	}
	e.fail()
	return 0
}
func (e *eye) int() int64 {
	v := e.uvarint()
	return int64(v>>1) ^ -int64(v&1)
}

// len reads a length, which can never exceed what is left.
func (e *eye) len() int {
	n := e.uvarint()
	if n > uint64(len(e.b)) {
		e.fail()
		return 0
	}
	return int(n)
}
func (e *eye) u64() uint64 {
	if len(e.b) < 8 {
		e.fail()
		return 0
	}
	var v uint64
	for i := range 8 {
		v |= uint64(e.b[i]) << (8 * i)
	}
	e.b = e.b[8:]
	return v
}
func (e *eye) text() string {
	n := e.len()
	s := e.b[:n]
	e.b = e.b[n:]
	return s
}
func (e *eye) bool() bool { return e.byte() != 0 }
func (e *eye) value() crm.Value {
	v := crm.Value{State: crm.State(e.byte())}
	if v.State == crm.Present {
		v.Text = e.text()
	}
	return v
}
func (e *eye) ref() crm.Ref {
	return crm.Ref{Side: crm.Side(e.text()), Object: e.text(), ID: e.text()}
}
func (e *eye) hashes() []uint64 {
	n := e.len()
	if n == 0 {
		return nil
	}
	h := make([]uint64, n)
	for i := range h {
		h[i] = e.u64()
	}
	return h
}
func (e *eye) reason() crm.Reason {
	return crm.Reason{Code: e.text(), Text: e.text(), Mend: e.text(), Field: e.text()}
}

// layoutHash tells layouts apart: a row of another layout is read again.
func layoutHash(l *crm.Layout) uint64 {
	h := newHasher().text(l.Object)
	for _, f := range l.Fields {
		h = h.text(f)
	}
	return h.sum()
}

// encodeRecord packs a record; layout is its Layout's hash.
func encodeRecord(r *crm.Record, layout uint64) []byte {
	size := 64
	for _, v := range r.Values {
		size += len(v.Text) + 3
	}
	p := pen{b: make([]byte, 0, size+32*len(r.Relations))}
	p.byte(recordVersion)
	p.u64(layout)
	p.text(r.ID)
	p.int(r.CreatedMicros)
	p.int(r.ModifiedMicros)
	p.bool(r.Archived)
	p.text(r.MergedInto)
	p.len(len(r.Values))
	for _, v := range r.Values {
		p.value(v)
	}
	p.len(len(r.Relations))
	for _, x := range r.Relations {
		p.text(x.Object)
		p.text(x.ID)
		p.bool(x.Primary)
		p.text(x.Label)
		p.text(x.RowID)
		p.text(x.Junction)
	}
	return p.b
}

// decodeRecord unpacks a record of layout l; nil when it is of another layout.
func decodeRecord(b []byte, l *crm.Layout, layout uint64) *crm.Record {
	e := eye{b: string(b)}
	if e.byte() != recordVersion || e.u64() != layout {
		return nil
	}
	r := &crm.Record{Layout: l, ID: e.text(), CreatedMicros: e.int(), ModifiedMicros: e.int(), Archived: e.bool(), MergedInto: e.text()}
	if n := e.len(); n > 0 {
		r.Values = make([]crm.Value, n)
		for i := range r.Values {
			r.Values[i] = e.value()
		}
	}
	if n := e.len(); n > 0 {
		r.Relations = make([]crm.Relation, n)
		for i := range r.Relations {
			r.Relations[i] = crm.Relation{Object: e.text(), ID: e.text(), Primary: e.bool(), Label: e.text(), RowID: e.text(), Junction: e.text()}
		}
	}
	if e.bad {
		return nil
	}
	return r
}

// sight is what was read of one record when a thing was decided.
type sight struct {
	Seen uint64
	// Open is a hash of what stands in the slots that the new base leaves open.
	Open uint64
	// Print is the lens's print; 0 when the record was not there.
	Print uint64
	// Related is a hash of the associations alone.
	Related uint64
	// Calculated is a hash of the fields alone that the vendor calculates.
	Calculated uint64
}

// decided is the body of a plan row: the decision, and what it was made on.
type decided struct {
	reconcile.Decision
	Title      string
	HubSpotAt  sight
	SalesAt    sight
	HubGone    bool
	SalesGone  bool
	WasLinked  bool
	FromSealed bool
	Undone     undone
	// Gated: its writes were held against the policies of the mapping; Breaks
	// names those that they break.
	Gated  bool
	Breaks []string
	Trace  trace
}

func (p *pen) changes(changes []reconcile.Change) {
	p.len(len(changes))
	for _, c := range changes {
		p.text(c.Field)
		p.value(c.Before)
		p.value(c.After)
		p.text(c.Why)
		p.int(int64(c.Slot))
		p.text(c.RefMapping)
		p.bool(c.Ref != nil)
		if c.Ref != nil {
			p.ref(*c.Ref)
		}
	}
}

func (e *eye) changes() []reconcile.Change {
	n := e.len()
	if n == 0 {
		return nil
	}
	changes := make([]reconcile.Change, n)
	for i := range changes {
		changes[i] = reconcile.Change{Field: e.text(), Before: e.value(), After: e.value(), Why: e.text(), Slot: int(e.int()), RefMapping: e.text()}
		if e.bool() {
			r := e.ref()
			changes[i].Ref = &r
		}
	}
	return changes
}

func (p *pen) ties(ties []crm.Tie) {
	p.len(len(ties))
	for _, t := range ties {
		p.text(t.Association)
		p.text(t.Far)
		p.text(t.Label)
		p.text(t.RowID)
	}
}

func (e *eye) ties() (ties []crm.Tie) {
	for range e.len() {
		ties = append(ties, crm.Tie{Association: e.text(), Far: e.text(), Label: e.text(), RowID: e.text()})
	}
	return ties
}

func (p *pen) base(b *crm.Base) {
	p.bool(b != nil)
	if b != nil {
		p.u64(b.Version)
		p.hashes(b.HubSpot)
		p.hashes(b.Salesforce)
	}
}

func (e *eye) base() *crm.Base {
	if !e.bool() {
		return nil
	}
	return &crm.Base{Version: e.u64(), HubSpot: e.hashes(), Salesforce: e.hashes()}
}

func encodeDecided(d *decided) []byte {
	p := pen{b: make([]byte, 0, 512)}
	p.byte(codecVersion)
	p.text(d.Mapping)
	p.ref(d.HubSpot)
	p.ref(d.Salesforce)
	p.text(string(d.Outcome))
	p.reason(d.Reason)
	p.len(len(d.Notes))
	for _, n := range d.Notes {
		p.reason(n)
	}
	p.bool(d.NewLink != nil)
	if d.NewLink != nil {
		p.text(d.NewLink.HubSpotID)
		p.text(d.NewLink.SalesforceObject)
		p.text(d.NewLink.SalesforceID)
		p.base(&d.NewLink.Base)
	}
	p.base(d.Base)
	p.len(len(d.Writes))
	for i := range d.Writes {
		p.write(&d.Writes[i])
	}
	p.len(len(d.Awaits))
	for _, a := range d.Awaits {
		p.ref(a)
	}
	p.bool(d.Retie)
	p.ties(d.Ties)
	p.bool(d.Unlink)
	p.bool(d.Again)
	p.bool(d.Kept)
	p.conflicts(d.Conflicts)
	p.text(string(d.Departed))
	p.text(d.Title)
	for _, s := range []sight{d.HubSpotAt, d.SalesAt} {
		p.u64(s.Seen)
		p.u64(s.Open)
		p.u64(s.Print)
		p.u64(s.Related)
		p.u64(s.Calculated)
	}
	p.bool(d.HubGone)
	p.bool(d.SalesGone)
	p.bool(d.WasLinked)
	p.bool(d.FromSealed)
	p.int(d.Undone.Of)
	p.bool(d.Undone.Differs)
	p.bool(d.Gated)
	p.len(len(d.Breaks))
	for _, name := range d.Breaks {
		p.text(name)
	}
	p.trace(&d.Trace)
	return p.b
}

func decodeDecided(b []byte) (*decided, error) {
	e := eye{b: string(b)}
	if e.byte() != codecVersion {
		return nil, errCut
	}
	d := &decided{}
	d.Mapping = e.text()
	d.HubSpot, d.Salesforce = e.ref(), e.ref()
	d.Outcome, d.Reason = crm.Outcome(e.text()), e.reason()
	for range e.len() {
		d.Notes = append(d.Notes, e.reason())
	}
	if e.bool() {
		d.NewLink = &crm.Link{Mapping: d.Mapping, HubSpotID: e.text(), SalesforceObject: e.text(), SalesforceID: e.text()}
		if base := e.base(); base != nil {
			d.NewLink.Base = *base
		}
	}
	d.Base = e.base()
	for range e.len() {
		d.Writes = append(d.Writes, e.write())
	}
	for range e.len() {
		d.Awaits = append(d.Awaits, e.ref())
	}
	d.Retie, d.Ties = e.bool(), e.ties()
	d.Unlink, d.Again, d.Kept = e.bool(), e.bool(), e.bool()
	d.Conflicts, d.Departed = e.conflicts(), crm.Side(e.text())
	d.Title = e.text()
	for _, s := range []*sight{&d.HubSpotAt, &d.SalesAt} {
		s.Seen, s.Open, s.Print, s.Related, s.Calculated = e.u64(), e.u64(), e.u64(), e.u64(), e.u64()
	}
	d.HubGone, d.SalesGone, d.WasLinked, d.FromSealed = e.bool(), e.bool(), e.bool(), e.bool()
	d.Undone = undone{Of: e.int(), Differs: e.bool()}
	d.Gated = e.bool()
	for range e.len() {
		d.Breaks = append(d.Breaks, e.text())
	}
	d.Trace = e.trace()
	if e.bad {
		return nil, errCut
	}
	return d, nil
}

func (p *pen) write(w *reconcile.PlannedWrite) {
	p.text(string(w.Side))
	p.text(string(w.Op))
	p.text(w.Object)
	p.text(w.ID)
	p.changes(w.Changes)
	p.text(w.ExternalField)
	p.text(w.ExternalValue)
	p.bool(w.Relation != nil)
	if r := w.Relation; r != nil {
		p.ref(r.Far)
		p.text(r.FarMapping)
		p.text(r.Object)
		p.text(r.FarObject)
		p.text(r.FarField)
		p.text(r.NearField)
		p.text(r.LabelField)
		p.text(r.PrimaryField)
		p.text(r.FarID)
		p.text(r.Role)
		p.bool(r.Primary)
		p.text(r.RowID)
		p.bool(r.Relabel)
		p.ties(r.Ties)
	}
	p.reason(w.Reason)
}

func (e *eye) write() reconcile.PlannedWrite {
	w := reconcile.PlannedWrite{Side: crm.Side(e.text()), Op: crm.Op(e.text()), Object: e.text(), ID: e.text(), Changes: e.changes(),
		ExternalField: e.text(), ExternalValue: e.text()}
	if e.bool() {
		w.Relation = &reconcile.RelationChange{Far: e.ref(), FarMapping: e.text(), Object: e.text(), FarObject: e.text(), FarField: e.text(), NearField: e.text(),
			LabelField: e.text(), PrimaryField: e.text(), FarID: e.text(), Role: e.text(), Primary: e.bool(), RowID: e.text(), Relabel: e.bool(), Ties: e.ties()}
	}
	w.Reason = e.reason()
	return w
}

func (p *pen) conflicts(conflicts []reconcile.Conflict) {
	value := func(v reconcile.ShownValue) {
		p.text(v.Field)
		p.value(v.Value)
		p.int(v.Time.Micros)
		p.text(v.Time.By)
		p.bool(v.Time.OfRecord)
	}
	p.len(len(conflicts))
	for _, c := range conflicts {
		p.text(string(c.Kind))
		p.text(c.Field)
		p.u64(c.Print)
		value(c.HubSpot)
		value(c.Salesforce)
		p.text(string(c.Gone))
		p.reason(c.Reason)
		p.len(len(c.Candidates))
		for _, x := range c.Candidates {
			p.ref(x.Record)
			p.text(x.Name)
			p.ref(x.LinkedTo)
		}
		p.len(len(c.Rivals))
		for _, r := range c.Rivals {
			p.ref(r)
		}
	}
}

func (e *eye) conflicts() (conflicts []reconcile.Conflict) {
	value := func() reconcile.ShownValue {
		return reconcile.ShownValue{Field: e.text(), Value: e.value(), Time: crm.FieldTime{Micros: e.int(), By: e.text(), OfRecord: e.bool()}}
	}
	for range e.len() {
		c := reconcile.Conflict{Kind: reconcile.ConflictKind(e.text()), Field: e.text(), Print: e.u64(), HubSpot: value(), Salesforce: value(),
			Gone: crm.Side(e.text()), Reason: e.reason()}
		for range e.len() {
			c.Candidates = append(c.Candidates, reconcile.ShownCandidate{Record: e.ref(), Name: e.text(), LinkedTo: e.ref()})
		}
		for range e.len() {
			c.Rivals = append(c.Rivals, e.ref())
		}
		conflicts = append(conflicts, c)
	}
	return conflicts
}
