package hubspot

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// create makes a record out of a valid change.
func (s *Server) create(t *table, c *change, by source) *record {
	now := s.nowMillis()
	r := s.newRecord(t, c.values, now, now, by)
	t.insert(r)
	t.note(r.id, nil, now, s.dials.SearchLag().Milliseconds())
	for name, v := range c.assigned {
		t.byName[name].assign(s, t, r.id, v, by)
	}
	s.version.Add(1)
	return t.live(r.id)
}

// newRecord packs values by name.
func (s *Server) newRecord(t *table, values map[string]string, created, modified int64, by source) *record {
	r := &record{id: s.nextID(t), created: created, modified: modified, source: s.sourceNumber(by)}
	byNumber := make(map[int]string, len(values))
	for name, v := range values {
		if name == t.kind.created { // writable on deals and tickets
			if at, ok := parseTime(v); ok {
				r.created = at
				byNumber[t.byName["hs_createdate"].number] = formatMillis(created)
				continue
			}
		}
		byNumber[t.byName[name].number] = v
	}
	r.packed = pack(byNumber)
	return r
}

// update applies a valid change, and moves the stamp when any value moves.
func (s *Server) update(t *table, c *change, by source) *record {
	now := s.nowMillis()
	r := s.store(t, c.was, c.values, by, now)
	for name, v := range c.assigned {
		p := t.byName[name]
		if p.computed(s, t, r) != v {
			p.assign(s, t, r.id, v, by)
			r = s.touch(t, t.live(r.id), now)
		}
	}
	for _, name := range []string{"amount", "dealstage", "closedate"} {
		if _, given := c.values[name]; given && r != c.was && t.kind.name == "deals" {
			s.rollUp(t, r)
			break
		}
	}
	return r
}

// store writes values by name as they are, with history; equal values are no
// write. It returns the record as it is now.
func (s *Server) store(t *table, was *record, set map[string]string, by source, now int64) *record {
	values := was.values()
	created := was.created
	wrote := false
	number := s.sourceNumber(by)
	for name, v := range set {
		p := t.byName[name]
		if name == t.kind.created {
			at, ok := parseTime(v)
			if !ok || at == created {
				continue
			}
			if _, kept := t.stored(was, "hs_createdate"); !kept {
				values[t.byName["hs_createdate"].number] = formatMillis(created)
			}
			created, wrote = at, true
			continue
		}
		old := values[p.number]
		if old == v {
			continue
		}
		t.remember(was, p, old, v, now, number)
		values[p.number] = v
		wrote = true
	}
	if !wrote {
		return was
	}
	is := &record{id: was.id, created: created, modified: max(now, was.modified), source: was.source, packed: pack(values)}
	t.note(was.id, was, now, s.dials.SearchLag().Milliseconds())
	t.replace(was, is)
	s.version.Add(1)
	return is
}

// touch moves a record's stamp alone.
func (s *Server) touch(t *table, was *record, now int64) *record {
	is := *was
	is.modified = max(now, was.modified)
	t.note(was.id, was, now, s.dials.SearchLag().Milliseconds())
	t.replace(was, &is)
	s.version.Add(1)
	return &is
}

// remember adds to a property's history. The value that a record was born with
// is remembered only once it is replaced.
func (t *table) remember(r *record, p *propertyDefinition, old, v string, now int64, by uint32) {
	h := t.history[r.id]
	if old != "" && !slices.ContainsFunc(h, func(x revision) bool { return x.Property == p.number }) {
		h = append(h, revision{p.number, old, r.created, r.source})
	}
	t.history[r.id] = append(h, revision{p.number, v, now, by})
}

// historyDepth is how many revisions of a property an answer holds.
func (t *table) historyDepth() int {
	if t.kind.name == "contacts" {
		return 45
	}
	return 20
}

// revisions returns a property's history, newest first.
func (s *Server) revisions(t *table, r *record, p *propertyDefinition) []revision {
	var out []revision
	for _, h := range t.history[r.id] {
		if h.Property == p.number {
			out = append(out, h)
		}
	}
	slices.Reverse(out)
	if len(out) == 0 {
		if v := s.valueOf(t, r, p); v != "" {
			out = append(out, revision{p.number, v, r.created, r.source})
		}
	}
	return out[:min(len(out), t.historyDepth())]
}

// rollUp moves the stamps of the companies and contacts of a deal whose amount,
// stage or close date changed: their sums changed with it.
func (s *Server) rollUp(t *table, r *record) {
	for _, name := range []string{"companies", "contacts"} {
		other := s.tableByName[name]
		for _, l := range s.pair(t, other).links[r.id] {
			if o := other.live(l.to); o != nil {
				s.touch(other, o, s.nowMillis())
			}
		}
	}
}

// archive moves a record to the archived ones; its associations end.
func (s *Server) archive(t *table, r *record) {
	now := s.nowMillis()
	t.note(r.id, r, now, s.dials.SearchLag().Milliseconds())
	s.dropLinks(t, r.id)
	t.archive(t.live(r.id), now)
	s.version.Add(1)
}

// merge makes a new record of two: the primary's values win, histories join, and
// both old ids lead to the new one.
func (s *Server) merge(t *table, primary, other *record, by source) *record {
	now := s.nowMillis()
	values := other.values()
	for n, v := range primary.values() {
		values[n] = v
	}
	if p := t.byName["hs_merged_object_ids"]; p != nil {
		a, _ := primary.value(p.number)
		b, _ := other.value(p.number)
		values[p.number] = joinIDs(a, b, strconv.FormatInt(primary.id, 10), strconv.FormatInt(other.id, 10))
	}
	if t.kind.name == "contacts" {
		emails := t.byName["hs_additional_emails"].number
		mine, theirs := "", ""
		if v, ok := primary.value(t.byName["email"].number); ok {
			mine = v
		}
		if v, ok := other.value(t.byName["email"].number); ok {
			theirs = v
		}
		a, _ := primary.value(emails)
		b, _ := other.value(emails)
		if mine != "" {
			values[emails] = keptEmails(a+";"+b, theirs, mine)
		}
		vids := t.byName["hs_calculated_merged_vids"].number
		values[vids] = fmt.Sprintf("%d:%d;%d:%d", primary.id, now, other.id, now)
	}
	is := &record{id: s.nextID(t), created: min(primary.created, other.created), modified: now, source: primary.source, packed: pack(values)}
	lag := s.dials.SearchLag().Milliseconds()
	for _, old := range []*record{primary, other} {
		t.note(old.id, old, now, lag)
		t.remove(old)
		t.merged[old.id] = is.id
		t.history[is.id] = append(t.history[is.id], t.history[old.id]...)
		delete(t.history, old.id)
	}
	slices.SortStableFunc(t.history[is.id], func(a, b revision) int { return int(a.At - b.At) })
	t.insert(is)
	t.note(is.id, nil, now, lag)
	for _, old := range []*record{primary, other} {
		s.moveLinks(t, old.id, is.id)
	}
	s.version.Add(1)
	return t.live(is.id)
}

func joinIDs(lists ...string) string {
	var out []string
	for _, list := range lists {
		for id := range strings.SplitSeq(list, ";") {
			if id != "" && !slices.Contains(out, id) {
				out = append(out, id)
			}
		}
	}
	return strings.Join(out, ";")
}

// moveLinks gives one record's associations to another; the first primary stays.
func (s *Server) moveLinks(t *table, from, to int64) {
	for _, other := range s.tables {
		p := s.pair(t, other)
		for _, l := range slices.Clone(p.links[from]) {
			if other != t || l.to != from && l.to != to {
				hadPrimary := p.primaryTarget(to) != 0
				var types []*associationType
				p.typesOf(l, func(at *associationType) {
					if !at.primary || !hadPrimary {
						types = append(types, at)
					}
				})
				s.dissociate(t, other, from, l.to, nil)
				s.associate(t, other, to, l.to, types, false)
				continue
			}
			s.dissociate(t, other, from, l.to, nil)
		}
	}
}

// erase removes a contact for good.
func (s *Server) erase(t *table, r *record) {
	now := s.nowMillis()
	t.note(r.id, r, now, s.dials.SearchLag().Milliseconds())
	s.dropLinks(t, r.id)
	if live := t.live(r.id); live != nil {
		t.remove(live)
	} else {
		t.removeArchived(r)
	}
	delete(t.history, r.id)
	s.version.Add(1)
}
