package hubspot

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
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

// Insert loads a record as it is: no validation, no limits, no search lag. It
// returns the new id. It panics when the type or a property does not exist.
func (s *Server) Insert(objectType string, properties map[string]string, created, modified time.Time) (id string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	t := s.mustTable("Insert", objectType)
	by := source{Type: "CRM_UI", ID: "userId:1000000", Label: "CRM_UI", UserID: 1_000_000}
	values := make(map[string]string, len(properties))
	assigned := map[string]string{}
	for name, v := range properties {
		p := t.byName[name]
		if p == nil {
			panic("hubspot: Insert: no property " + objectType + "." + name)
		}
		switch {
		case name == "hs_object_source":
			by.Type, by.Label = v, v
			if v != "CRM_UI" {
				by.ID, by.UserID = "", 0
			}
		case p.assign != nil:
			assigned[name] = v
		case p.computed != nil: // follows from the rest
		default:
			values[name] = v
		}
	}
	if _, st := t.stage(values[t.kind.stage]); st != nil && values[t.kind.pipeline] == "" {
		pipeline, _ := t.stage(st.ID)
		values[t.kind.pipeline] = pipeline.ID
	}
	r := s.newRecord(t, values, created.UnixMilli(), modified.UnixMilli(), by)
	if v := values["lifecyclestage"]; v != "" && t.byName["hs_lifecyclestage_"+v+"_date"] != nil {
		set := r.values()
		set[t.byName["hs_lifecyclestage_"+v+"_date"].number] = formatMillis(r.created)
		r.packed = pack(set)
	}
	t.insert(r)
	for name, v := range assigned {
		t.byName[name].assign(s, t, r.id, v, by)
	}
	s.version.Add(1)
	return strconv.FormatInt(r.id, 10)
}

func (s *Server) mustTable(what, objectType string) *table {
	t := s.table(objectType)
	if t == nil {
		panic("hubspot: " + what + ": no object type " + objectType)
	}
	return t
}

// person is who edits records in HubSpot's own pages.
func (s *Server) person() writer {
	user := int64(1_000_000)
	for _, o := range s.owners {
		if o.UserID != 0 && !o.Archived {
			user = o.UserID
			break
		}
	}
	return writer{person: true, by: source{Type: "CRM_UI", ID: "userId:" + strconv.FormatInt(user, 10), Label: "CRM_UI", UserID: user}}
}

// Create makes a record as a person in HubSpot would; values are checked as for
// an API call, and search learns of it late as of any write.
func (s *Server) Create(objectType string, properties map[string]string) (id string, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	t := s.table(objectType)
	if t == nil {
		return "", unknownType(objectType)
	}
	w := s.person()
	c, refused := s.judge(t, nil, properties, w, nil)
	if refused != nil {
		return "", refused
	}
	return strconv.FormatInt(s.create(t, c, w.by).id, 10), nil
}

// Update edits a record as a person in HubSpot would: stamps move, history says CRM_UI.
func (s *Server) Update(objectType, id string, properties map[string]string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	t, r, err := s.findLive(objectType, id)
	if err != nil {
		return err
	}
	w := s.person()
	c, refused := s.judge(t, r, properties, w, nil)
	if refused != nil {
		return refused
	}
	s.update(t, c, w.by)
	return nil
}

// Archive archives a record as a person in HubSpot would.
func (s *Server) Archive(objectType, id string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	t, r, err := s.findLive(objectType, id)
	if err != nil {
		return err
	}
	s.archive(t, r)
	return nil
}

// Restore brings an archived record back, which HubSpot allows its users for 90
// days and its API never. Its associations do not come back.
func (s *Server) Restore(objectType, id string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	t := s.table(objectType)
	if t == nil {
		return unknownType(objectType)
	}
	number, _ := strconv.ParseInt(id, 10, 64)
	was := t.archivedRecord(number)
	if was == nil {
		return notFound()
	}
	t.removeArchived(was)
	is := *was
	is.archivedAt, is.modified = 0, s.nowMillis()
	t.insert(&is)
	t.note(is.id, nil, is.modified, s.dials.SearchLag().Milliseconds())
	s.version.Add(1)
	return nil
}

// Merge merges a record into another as a person in HubSpot would, and returns
// the id of the record that both became.
func (s *Server) Merge(objectType, primaryID, otherID string) (id string, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	t, primary, err := s.findLive(objectType, primaryID)
	if err != nil {
		return "", err
	}
	_, other, err := s.findLive(objectType, otherID)
	if err != nil {
		return "", err
	}
	if primary.id == other.id || !t.kind.mergeable {
		return "", invalid("%s %s and %s cannot be merged", objectType, primaryID, otherID)
	}
	return strconv.FormatInt(s.merge(t, primary, other, s.person().by).id, 10), nil
}

func (s *Server) findLive(objectType, id string) (*table, *record, error) {
	t := s.table(objectType)
	if t == nil {
		return nil, nil, unknownType(objectType)
	}
	number, err := strconv.ParseInt(id, 10, 64)
	if err != nil {
		return nil, nil, notNumeric(id)
	}
	r := t.follow(number)
	if r == nil {
		return nil, nil, notFound()
	}
	return t, r, nil
}

// Get returns a live record's values, stored and computed, without the unset ones.
func (s *Server) Get(objectType, id string) (map[string]string, bool) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	t, r, err := s.findLive(objectType, id)
	if err != nil {
		return nil, false
	}
	return s.show(t, r), true
}

func (s *Server) show(t *table, r *record) map[string]string {
	out := map[string]string{}
	for _, p := range t.properties {
		if p.Archived {
			continue
		}
		if v := s.valueOf(t, r, p); v != "" {
			out[p.Name] = v
		}
	}
	return out
}

// Each calls f for the live records of a type, by id, until f returns false. f
// may call the server.
func (s *Server) Each(objectType string, f func(id string, properties map[string]string) bool) {
	s.mu.RLock()
	t := s.table(objectType)
	if t == nil {
		s.mu.RUnlock()
		return
	}
	ids := slices.Clone(t.ids)
	s.mu.RUnlock()
	for _, id := range ids {
		text := strconv.FormatInt(id, 10)
		if values, ok := s.Get(objectType, text); ok && !f(text, values) {
			return
		}
	}
}

// Count is the number of live records of a type; 0 when there is no such type.
func (s *Server) Count(objectType string) int {
	s.mu.RLock()
	defer s.mu.RUnlock()
	if t := s.table(objectType); t != nil {
		return len(t.ids)
	}
	return 0
}

// ObjectTypes lists the names of the object types that exist.
func (s *Server) ObjectTypes() []string {
	s.mu.RLock()
	defer s.mu.RUnlock()
	var out []string
	for _, t := range s.tables {
		if t.alive() != nil {
			out = append(out, t.kind.name)
		}
	}
	return out
}
