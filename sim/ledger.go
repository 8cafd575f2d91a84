package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/lockstep-sync/lockstep/internal/crm"
	"github.com/lockstep-sync/lockstep/sandbox"
)

// actor is who changed a record.
type actor uint8

const (
	people actor = iota
	program
)

func (a actor) String() string {
	if a == people {
		return "people"
	}
	return "lockstep"
}

// key names one record of a vendor.
type key struct {
	side   crm.Side
	object string // the vendor's
	id     string
}

// record is all that ever happened to one record, as the vendor stored it.
type record struct {
	key
	o        *object
	thing    int // which thing of the story it is; -1 until known
	versions []version
	readings []reading
	// into is the record that people merged it into; nil while it stands alone.
	into *record
	// once is the record that it was merged into at some time; it may be back.
	once *record
	// converted: it is a Lead that became into, and stays in Salesforce as that.
	converted bool
}

// version is one state of a record.
type version struct {
	seq    int // in the order of everything that happened
	at     time.Time
	stamp  int64 // the vendor's time of modification, Unix milliseconds
	by     actor
	cycle  int  // the program's cycle in which it was written
	lost   bool // the answer to this write did not reach the program
	live   bool
	values []string
}

// reading is one answer that showed the program a version of the record.
type reading struct {
	seq     int
	version int
}

func (r *record) last() *version  { return &r.versions[len(r.versions)-1] }
func (r *record) live() bool      { return r.last().live }
func (r *record) first() *version { return &r.versions[0] }

// restored tells whether a record was deleted and came back before seq.
func (r *record) restored(seq int) bool {
	for i := 1; i < len(r.versions) && r.versions[i].seq < seq; i++ {
		if r.versions[i].live && !r.versions[i-1].live {
			return true
		}
	}
	return false
}

// survivor is the record that a record is part of by now: itself, mostly.
func (r *record) survivor() *record {
	for r.into != nil {
		r = r.into
	}
	return r
}

// took lists the records that were merged into r, also by way of others.
func (l *ledger) took(r *record) []*record {
	var all []*record
	for _, c := range l.order {
		if c != r && c.survivor() == r.survivor() && c.into != nil && (r.into == nil || c.into == r) {
			all = append(all, c)
		}
	}
	return all
}

// setAt is when a version's value of a column was set: the stamp of the first of
// the versions up to it that hold it without a break.
func (r *record) setAt(column int, v *version) int64 {
	at := v.stamp
	for i := len(r.versions) - 1; i >= 0; i-- {
		x := &r.versions[i]
		if x.seq > v.seq {
			continue
		}
		if x.values[column] != v.values[column] {
			break
		}
		at = x.stamp
	}
	return at
}

// versionAt is the index of the version that stood at seq, -1 before the first.
func (r *record) versionAt(seq int) int {
	n := -1
	for i := range r.versions {
		if r.versions[i].seq <= seq {
			n = i
		}
	}
	return n
}

// known is what the program can know of a record just after seq: the newest
// state that it was shown (search shows older ones later), and what it wrote
// itself since and had an answer to. ok is false when it never saw the record.
func (r *record) known(seq int) (values []string, v *version, ok bool) {
	at, shown := -1, -1
	for _, x := range r.readings {
		if x.seq <= seq && x.version >= shown {
			at, shown = x.seq, x.version
		}
	}
	for i := range r.versions {
		x := &r.versions[i]
		if x.seq > seq || x.by != program || x.lost || x.seq <= at || i <= shown {
			continue
		}
		switch {
		case i == 0 || shown < 0:
			values, shown = slices.Clone(x.values), i
		default:
			if values == nil {
				values = slices.Clone(r.versions[shown].values)
			}
			before := r.versions[i-1].values
			for n := range x.values {
				if before[n] != x.values[n] {
					values[n] = x.values[n]
				}
			}
		}
		v = x
	}
	if shown < 0 {
		return nil, nil, false
	}
	if values == nil {
		values = r.versions[shown].values
	}
	if v == nil {
		v = &r.versions[shown]
	}
	return values, v, true
}

// ledger watches both sandboxes and writes down every change with who made it,
// and every answer with what it showed.
type ledger struct {
	box     *sandbox.Sandbox
	family  *family
	seq     int
	cycle   int
	records map[key]*record
	order   []*record
	hubMark uint64
	sfMark  uint64
	seen    map[key]bool
	writes  int // of the program
}

func newLedger(box *sandbox.Sandbox, f *family) *ledger {
	return &ledger{box: box, family: f, records: map[key]*record{}, seen: map[key]bool{}}
}

// note looks at both vendors and files what is new under who. It returns the
// records that changed.
func (l *ledger) note(who actor) []*record {
	l.seq++
	hub, sf := l.box.HubSpot().Version(), l.box.Salesforce().Changes()
	if hub == l.hubMark && sf == l.sfMark {
		return nil
	}
	var changed []*record
	at := time.Now()
	add := func(k key, o *object, stamp int64, live bool, values []string) {
		r := l.records[k]
		live = live && (r == nil || !r.converted)
		if r == nil {
			if !live {
				return
			}
			r = &record{key: k, o: o, thing: -1}
			l.records[k] = r
			l.order = append(l.order, r)
		} else if last := r.last(); last.live == live && slices.Equal(last.values, values) {
			if last.stamp != stamp && live { // touched, with nothing that we watch changed
				r.versions = append(r.versions, version{seq: l.seq, at: at, stamp: stamp, by: who, cycle: l.cycle, live: live, values: last.values})
				if who == program {
					l.writes++
				}
			}
			return
		}
		r.versions = append(r.versions, version{seq: l.seq, at: at, stamp: stamp, by: who, cycle: l.cycle, live: live, values: slices.Clone(values)})
		changed = append(changed, r)
		if who == program {
			l.writes++
		}
	}
	if hub != l.hubMark {
		l.hubMark = hub
		clear(l.seen)
		for _, o := range l.family.objects {
			l.box.HubSpot().Glance(o.hub, o.looked[crm.HubSpot], func(id string, modified time.Time, values []string) {
				k := key{crm.HubSpot, o.hub, id}
				l.seen[k] = true
				add(k, o, modified.UnixMilli(), true, values)
			})
		}
		for _, r := range l.order {
			if r.side == crm.HubSpot && r.live() && !l.seen[r.key] {
				add(r.key, r.o, at.UnixMilli(), false, r.last().values)
			}
		}
	}
	if sf != l.sfMark {
		l.sfMark = sf
		for _, o := range l.family.objects {
			for _, object := range o.sfObjects() {
				l.box.Salesforce().Glance(object, o.looked[crm.Salesforce], func(id string, stamp time.Time, deleted bool, values []string) {
					add(key{crm.Salesforce, object, id}, o, stamp.UnixMilli(), !deleted, values)
				})
			}
		}
	}
	return changed
}

// loseAnswer marks the program's newest writes as unanswered.
func (l *ledger) loseAnswer(changed []*record) {
	for _, r := range changed {
		r.last().lost = true
	}
}

// read files what an answer showed the program. HubSpot's search shows states
// of before; which, its updatedAt tells. It returns what was shown, for people.
func (l *ledger) read(c *call) (told []string) {
	side, path, body := c.side(), c.request.URL.Path, c.answer
	show := func(r *record, n int) {
		r.readings = append(r.readings, reading{l.seq, n})
		told = append(told, fmt.Sprintf("%s as %d of %d", r.id, n+1, len(r.versions)))
	}
	if bytes.Contains(body, []byte(`"propertiesWithHistory"`)) || bytes.Contains(body, []byte(`"LastModifiedById"`)) {
		return nil // it told when fields were set, not what they hold
	}
	if side == crm.HubSpot {
		_, rest, ok := strings.Cut(path, "/objects/")
		if !ok || strings.HasSuffix(path, "/batch/update") || strings.HasSuffix(path, "/batch/create") {
			return nil // the answer to a write is no look at the record
		}
		if strings.HasSuffix(path, "/search") && bytes.Contains(c.body, []byte(`"limit":1}`)) {
			return nil // it counted
		}
		name, _, _ := strings.Cut(rest, "/")
		var page struct {
			ID      string
			Results []shownRecord
			shownRecord
		}
		if l.family.object(side, name) == nil || json.Unmarshal(body, &page) != nil {
			return nil
		}
		for _, x := range append(page.Results, page.shownRecord) {
			r := l.records[key{side, name, x.ID}]
			t, err := time.Parse(time.RFC3339Nano, x.UpdatedAt)
			if r == nil || err != nil {
				continue
			}
			for i := len(r.versions) - 1; i >= 0; i-- {
				if x.Archived && !r.versions[i].live || !x.Archived && r.versions[i].live && r.versions[i].stamp <= t.UnixMilli() {
					show(r, i)
					break
				}
			}
		}
		return told
	}
	for _, r := range l.order {
		if r.side == side && strings.Contains(string(body), `"Id":"`+r.id+`"`) {
			show(r, len(r.versions)-1)
		}
	}
	return told
}

type shownRecord struct {
	ID        string
	UpdatedAt string
	Archived  bool
}
