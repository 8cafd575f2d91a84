package reconcile

import (
	"cmp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/lockstep-sync/lockstep/internal/crm"
	"github.com/lockstep-sync/lockstep/internal/mapping"
)

// ConflictKind says what a person has to decide.
type ConflictKind string

// The kinds.
const (
	// ConflictField: both sides changed a field (or differ on a first match) and
	// `wins` says hold.
	ConflictField ConflictKind = "field"
	// ConflictDelete: deleted on one side, and `deletes` says ask.
	ConflictDelete ConflictKind = "delete"
	// ConflictMatch: several records could be the same.
	ConflictMatch ConflictKind = "match"
)

// Conflict is one thing that waits for a person, as it stands now.
type Conflict struct {
	Kind ConflictKind
	// Field is the slot of the base that a field conflict is about ("phone/Phone");
	// empty for the others.
	Field string
	// Print is a hash of what is shown: an answer holds for just that.
	Print uint64
	// HubSpot and Salesforce are the two values, when each was set, and by whom.
	HubSpot    ShownValue
	Salesforce ShownValue
	// Gone is the side on which the record was deleted.
	Gone crm.Side
	// Candidates are what the record could be the same as, Rivals what could be
	// it instead.
	Candidates []ShownCandidate
	Rivals     []crm.Ref
	Reason     crm.Reason
}

// ShownValue is one side of a field conflict.
type ShownValue struct {
	// Field is the vendor's name of it.
	Field string
	Value crm.Value
	Time  crm.FieldTime
}

// ShownCandidate is a record of the other side.
type ShownCandidate struct {
	Record   crm.Ref
	Name     string
	LinkedTo crm.Ref
}

// The answers that a person may give.
const (
	TakeHubSpot    = "hubspot"    // field: HubSpot's value
	TakeSalesforce = "salesforce" // field: Salesforce's value
	TakeValue      = "value"      // field: another value
	TakeArchive    = "archive"    // delete: archive the other record, too
	TakeKeep       = "keep"       // delete: leave the other record as it is
	TakeRestore    = "restore"    // delete: make the record again
	TakeLink       = "link"       // match: it is this one
)

// Resolution is what a person answered to a conflict.
type Resolution struct {
	Kind  ConflictKind
	Field string
	Print uint64
	// Take is one of the answers; Value belongs to TakeValue (as HubSpot stores
	// it), Link to TakeLink.
	Take  string
	Value string
	Link  string
	// By is who answered.
	By string
}

// Ask is a field whose time a decision would like to know.
type Ask struct {
	Side   crm.Side
	Object string
	ID     string
	Field  string
}

// resolution finds the answer to a conflict that is shown as it was then.
func (d *decider) resolution(kind ConflictKind, field string, print uint64) *Resolution {
	for i := range d.Resolutions {
		r := &d.Resolutions[i]
		if r.Kind == kind && r.Field == field && (r.Print == print || r.Take == TakeKeep || r.Take == TakeRestore) {
			return r
		}
	}
	return nil
}

func (d *decider) conflict(c Conflict) { d.out.Conflicts = append(d.out.Conflicts, c) }

// printOf hashes what a person is shown.
func printOf(parts ...string) uint64 { return Hash(strings.Join(parts, "\x1f")) }

// fieldPrint is that of a field conflict: what both sides hold, in canonical form.
func (m *merge) fieldPrint(slot int) uint64 {
	return printOf("field", strconv.FormatUint(m.now(crm.HubSpot, slot), 16), strconv.FormatUint(m.now(crm.Salesforce, slot), 16))
}

// answered tells whether a person answered to the two values as they are.
func (m *merge) answered(slot int) bool {
	return m.d.resolution(ConflictField, m.d.object.BaseNames[slot], m.fieldPrint(slot)) != nil
}

// time is when a field was last set on a side. Where that is not known it is
// when the record was changed, and the decision asks for better.
func (m *merge) time(side crm.Side, field string) crm.FieldTime {
	rec := m.record(side)
	// A time after that of the record belongs to an edit that was not read yet.
	if t, ok := m.d.Times[side][field]; ok && t.Micros != 0 && rec != nil && (t.Micros <= rec.ModifiedMicros || rec.ModifiedMicros == 0) {
		return t
	}
	if m.d.Times == nil && rec != nil && rec.Layout != nil {
		ask := Ask{side, rec.Layout.Object, rec.ID, field}
		if !slices.Contains(m.d.out.Asks, ask) {
			m.d.out.Asks = append(m.d.out.Asks, ask)
		}
	}
	if rec == nil {
		return crm.FieldTime{}
	}
	return crm.FieldTime{Micros: rec.ModifiedMicros, OfRecord: true}
}

// newest compares when the two sides of a field were last set. Equal moments,
// and one that is not known, are HubSpot's.
func (m *merge) newest(f *mapping.BoundField) (crm.Side, string) {
	h, s := m.time(crm.HubSpot, f.HubSpotField.Name), m.time(crm.Salesforce, f.SalesforceField.Name)
	wins := crm.HubSpot
	if s.Micros > h.Micros && h.Micros != 0 {
		wins = crm.Salesforce
	}
	why := "newest: " + string(wins)
	if m.d.Times != nil {
		why += " (HubSpot " + timeText(h) + ", Salesforce " + timeText(s) + ")"
	}
	return wins, why
}

// timeText is when and by whom, and whether the time is only the record's.
func timeText(t crm.FieldTime) string {
	if t.Micros == 0 {
		return "at an unknown time"
	}
	text := time.UnixMicro(t.Micros).UTC().Format("2006-01-02 15:04:05Z")
	if t.OfRecord {
		text = "record " + text
	}
	if t.By != "" {
		text += " by " + t.By
	}
	return text
}

// heldField holds a field for a person, unless one has answered already: then it
// is done as that one said.
func (m *merge) heldField(f *mapping.BoundField, h, s crm.Value, reason crm.Reason) {
	name := m.d.object.BaseNames[f.Slot]
	print := m.fieldPrint(f.Slot)
	conflict := Conflict{Kind: ConflictField, Field: name, Print: print, Reason: reason,
		HubSpot:    ShownValue{f.HubSpotField.Name, h, m.shownTime(name, print, crm.HubSpot, f.HubSpotField.Name)},
		Salesforce: ShownValue{f.SalesforceField.Name, s, m.shownTime(name, print, crm.Salesforce, f.SalesforceField.Name)}}
	if r := m.d.resolution(ConflictField, name, print); r != nil {
		m.d.answered = append(m.d.answered, conflict)
		m.resolve(f, h, s, r)
		return
	}
	m.d.conflict(conflict)
	m.holds = append(m.holds, reason)
}

// shownTime is the time that is shown of a value. Of a conflict that is shown
// already it is known, so it is not asked for once more.
func (m *merge) shownTime(name string, print uint64, side crm.Side, field string) crm.FieldTime {
	for _, c := range m.d.Shown {
		if c.Kind != ConflictField || c.Field != name || c.Print != print {
			continue
		}
		v := c.HubSpot
		if side == crm.Salesforce {
			v = c.Salesforce
		}
		if v.Time.Micros != 0 {
			return v.Time
		}
	}
	return m.time(side, field)
}

// resolve does what a person answered.
func (m *merge) resolve(f *mapping.BoundField, h, s crm.Value, r *Resolution) {
	why := "resolved by " + r.By + ": " + r.Take
	m.d.note(crm.Reason{Code: NoteResolved, Text: f.SalesforceField.Name + " " + why, Field: f.SalesforceField.Name})
	switch r.Take {
	case TakeHubSpot:
		m.write(f, crm.Salesforce, Convert(f, crm.Salesforce, h, m.place(f)), why)
	case TakeSalesforce:
		m.write(f, crm.HubSpot, Convert(f, crm.HubSpot, s, m.place(f)), why)
	case TakeValue:
		v := crm.Text(r.Value)
		n := Convert(f, crm.Salesforce, v, m.place(f))
		if n.Action != Write || !sameOn(f.SalesforceField, crm.Salesforce, n.Value, s) {
			m.write(f, crm.Salesforce, n, why)
		}
		if !sameOn(f.HubSpotField, crm.HubSpot, v, h) {
			m.write(f, crm.HubSpot, Native{Action: Write, Value: v}, why)
		}
	}
}

// heldReference is heldField for a reference: the answer is a side.
func (m *merge) heldReference(a *mapping.BoundAssociation, main string, held crm.Value, reason crm.Reason) (crm.Side, string) {
	name := m.d.object.BaseNames[a.Slot]
	print := m.fieldPrint(a.Slot)
	conflict := Conflict{Kind: ConflictField, Field: name, Print: print, Reason: reason,
		HubSpot:    ShownValue{Field: a.HubSpot, Value: crm.Text(main)},
		Salesforce: ShownValue{a.Salesforce, held, m.shownTime(name, print, crm.Salesforce, a.Salesforce)}}
	if r := m.d.resolution(ConflictField, name, print); r != nil {
		m.d.answered = append(m.d.answered, conflict)
		why := "resolved by " + r.By + ": " + r.Take
		switch r.Take {
		case TakeHubSpot:
			return crm.Salesforce, why
		case TakeSalesforce:
			return crm.HubSpot, why
		}
	}
	m.d.conflict(conflict)
	m.holds = append(m.holds, reason)
	return "", ""
}

// heldDelete asks a person what follows a deletion, or does what one answered.
func (d *decider) heldDelete(gone crm.Side, other crm.Ref) {
	left, object := d.Salesforce, other.Object
	if gone == crm.Salesforce {
		left = d.HubSpot
	}
	print := printOf("delete", string(gone))
	for _, slot := range Fingerprint(d.object, gone.Other(), object, left) {
		print = printOf(strconv.FormatUint(print, 16), strconv.FormatUint(slot, 16))
	}
	if r := d.resolution(ConflictDelete, "", print); r != nil {
		switch r.Take {
		case TakeArchive:
			d.archiveToo(gone, other, "; "+r.By+" said so")
			return
		case TakeKeep:
			d.out.Kept = true
			d.end(crm.Excluded, CodeKept, "", "deleted in %s; %s said that it stays in %s", gone.Title(), r.By, other.Side.Title())
			return
		case TakeRestore:
			d.out.Unlink, d.out.Again, d.out.Kept = true, true, true
			d.end(crm.Excluded, CodeReturned, "", "deleted in %s; %s said that it is made there again", gone.Title(), r.By)
			return
		}
	}
	d.end(crm.Held, CodeDeleted, "delete it in "+other.Side.Title()+" too, restore it in "+gone.Title()+", write deletes: ignore, or answer with `lockstep conflicts`", "deleted in %s, still in %s", gone.Title(), other.Side.Title())
	d.conflict(Conflict{Kind: ConflictDelete, Print: print, Gone: gone, Reason: d.out.Reason})
}

// restores tells whether a person said that this record is to be made again on
// the other side, whatever `create` says.
func (d *decider) restores() bool {
	r := d.resolution(ConflictDelete, "", 0)
	return r != nil && r.Take == TakeRestore
}

// heldMatch asks a person which of several records is the same. It returns the
// answer's candidate, or nil after it has held the record.
func (d *decider) heldMatch(side crm.Side, candidates []Candidate, hold func()) *Candidate {
	parts := []string{"match"}
	shown := make([]ShownCandidate, 0, len(candidates))
	for _, c := range candidates {
		ref := crm.Ref{Side: side.Other(), Object: c.Object, ID: c.Record.ID}
		shown = append(shown, ShownCandidate{Record: ref, Name: RecordName(c.Record), LinkedTo: c.LinkedTo})
		parts = append(parts, ref.ID+"/"+c.LinkedTo.ID)
	}
	rivals := slices.Clone(d.Rivals)
	slices.SortFunc(rivals, func(a, b crm.Ref) int { return cmp.Compare(a.ID, b.ID) })
	for _, r := range rivals {
		parts = append(parts, r.ID)
	}
	print := printOf(parts...)
	hold()
	conflict := Conflict{Kind: ConflictMatch, Print: print, Candidates: shown, Rivals: rivals, Reason: d.out.Reason}
	if r := d.resolution(ConflictMatch, "", print); r != nil && r.Take == TakeLink {
		for i := range candidates {
			if candidates[i].Record.ID == r.Link && candidates[i].LinkedTo.IsZero() {
				d.note(crm.Reason{Code: NoteResolved, Text: "resolved by " + r.By + ": link with " + r.Link})
				d.answered = append(d.answered, conflict)
				d.out.Outcome, d.out.Reason = "", crm.Reason{}
				return &candidates[i]
			}
		}
	}
	d.conflict(conflict)
	return nil
}
