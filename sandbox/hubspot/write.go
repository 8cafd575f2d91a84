package hubspot

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
)

// create makes a record out of a valid change.
func (s *Server) create(t *table, c *change, by source) *record {
	now := s.nowMillis()
	r := s.newRecord(t, c.values, now, now, by)
	t.insert(r)
	s.reindex(t, r.id, nil, now)
	if s.heard() {
		s.tellCreated(t, r, c.values, c.assigned, by)
	}
	if len(t.lists) > 0 {
		s.relist(t, r, by)
	}
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
	for _, name := range slices.Sorted(maps.Keys(c.assigned)) {
		v, p := c.assigned[name], t.byName[name]
		if p.computed(s, t, r) != v {
			p.assign(s, t, r.id, v, by)
			if s.heard() {
				s.tell(event{verb: wasChanged, table: t, id: r.id, at: now, by: by, property: p, value: v})
			}
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
	var changes []event
	heard := s.heard()
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
			if heard {
				changes = append(changes, event{verb: wasChanged, table: t, id: was.id, at: now, by: by, property: p, value: v})
			}
			continue
		}
		old := values[p.number]
		if old == v {
			continue
		}
		t.remember(was, p, old, v, now, number)
		values[p.number] = v
		wrote = true
		if heard {
			changes = append(changes, event{verb: wasChanged, table: t, id: was.id, at: now, by: by, property: p, value: v})
		}
	}
	if !wrote {
		return was
	}
	is := &record{id: was.id, created: created, modified: max(now, was.modified), source: was.source, packed: pack(values)}
	s.reindex(t, was.id, was, now)
	t.replace(was, is)
	s.version.Add(1)
	slices.SortFunc(changes, func(a, b event) int { return a.property.number - b.property.number })
	for _, e := range changes {
		s.tell(e)
	}
	if len(t.lists) > 0 {
		s.relist(t, is, by)
	}
	return is
}

// touch moves a record's stamp alone.
func (s *Server) touch(t *table, was *record, now int64) *record {
	is := *was
	is.modified = max(now, was.modified)
	s.reindex(t, was.id, was, now)
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

// restore brings an archived record back, without its associations.
func (s *Server) restore(t *table, was *record, by source) *record {
	t.removeArchived(was)
	is := *was
	is.archivedAt, is.modified = 0, s.nowMillis()
	t.insert(&is)
	s.reindex(t, is.id, nil, is.modified)
	s.version.Add(1)
	if s.heard() {
		s.tell(event{verb: wasRestored, table: t, id: is.id, by: by})
	}
	if len(t.lists) > 0 {
		s.relist(t, &is, by)
	}
	return &is
}

// archive moves a record to the archived ones; its associations end.
func (s *Server) archive(t *table, r *record, by source) {
	now := s.nowMillis()
	s.unlist(t, r, now)
	s.dropLinks(t, r.id)
	t.archive(t.live(r.id), now)
	s.version.Add(1)
	if s.heard() {
		s.tell(event{verb: wasDeleted, table: t, id: r.id, at: now, by: by})
	}
	if len(t.lists) > 0 {
		s.delist(t, r.id, 0, by)
	}
}

// merge makes a new record of two: the primary's values win, histories join, and
// both old ids lead to the new one.
func (s *Server) merge(t *table, primary, other *record, by source) *record {
	now := s.nowMillis()
	values, mine := other.values(), primary.values()
	moved := 0
	for n := range values {
		if _, kept := mine[n]; !kept {
			moved++
		}
	}
	maps.Copy(values, mine)
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
	t.history[is.id] = s.joinHistories(t, values, now, by, primary, other)
	for _, old := range []*record{primary, other} {
		s.unlist(t, old, now)
		t.remove(old)
		t.merged[old.id] = is.id
		delete(t.history, old.id)
	}
	t.insert(is)
	s.reindex(t, is.id, nil, now)
	for _, old := range []*record{primary, other} {
		s.moveLinks(t, old.id, is.id)
	}
	s.version.Add(1)
	if s.heard() {
		s.tell(event{verb: wasMerged, table: t, id: is.id, at: now, by: by, primary: primary.id, other: other.id, moved: moved})
	}
	if len(t.lists) > 0 {
		s.relist(t, t.live(is.id), by)
		s.delist(t, primary.id, is.id, by)
		s.delist(t, other.id, is.id, by)
	}
	return t.live(is.id)
}

// joinHistories makes one history of those of two records that become one. Where
// the value that won is not the newest of both, merging is what set it.
func (s *Server) joinHistories(t *table, values map[int]string, now int64, by source, records ...*record) (joined []revision) {
	for _, old := range records {
		h := t.history[old.id]
		joined = append(joined, h...)
		old.each(func(n int, v string) {
			if !slices.ContainsFunc(h, func(x revision) bool { return x.Property == n }) {
				joined = append(joined, revision{n, v, old.created, old.source}) // as it was born
			}
		})
	}
	slices.SortStableFunc(joined, func(a, b revision) int { return cmp.Compare(a.At, b.At) })
	newest := map[int]string{}
	for _, h := range joined {
		newest[h.Property] = h.Value
	}
	by.Type, by.Label = mergeSource(t), mergeSource(t)
	for _, n := range slices.Sorted(maps.Keys(values)) {
		if newest[n] != values[n] {
			joined = append(joined, revision{n, values[n], now, s.sourceNumber(by)})
		}
	}
	return joined
}

// mergeSource is how history names a merge.
func mergeSource(t *table) string {
	switch t.kind.name {
	case "contacts":
		return "MERGE_CONTACTS"
	case "companies":
		return "MERGE_COMPANIES"
	}
	return "MERGE_OBJECTS"
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
				s.dissociate(unsaid, t, other, from, l.to, nil)
				s.associate(unsaid, t, other, to, l.to, types, false)
				continue
			}
			s.dissociate(unsaid, t, other, from, l.to, nil)
		}
	}
}

// erase removes a contact for good.
func (s *Server) erase(t *table, r *record, by source) {
	s.unlist(t, r, s.nowMillis())
	s.dropLinks(t, r.id)
	live := t.live(r.id)
	if live != nil {
		t.remove(live)
	} else {
		t.removeArchived(r)
	}
	delete(t.history, r.id)
	s.version.Add(1)
	if len(t.lists) > 0 {
		s.delist(t, r.id, 0, by)
	}
	if !s.heard() {
		return
	}
	s.tell(event{verb: wasErased, table: t, id: r.id, by: by})
	if live != nil { // of an archived one they were told when it was archived
		s.tell(event{verb: wasDeleted, table: t, id: r.id, by: by})
	}
}
