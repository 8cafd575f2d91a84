package hubspot

import (
	"cmp"
	"math/bits"
	"slices"
	"strconv"
	"strings"
)

// pairKey names the associations from one object type to another.
type pairKey struct{ from, to int }

// pair holds the association types and the links from one object type to
// another. Every link is held twice, once in each direction.
// https://developers.hubspot.com/docs/api-reference/latest/crm/associations/associate-records/guide
type pair struct {
	from, to *table
	types    []*associationType // at most 64: a link holds them as bits
	links    map[int64][]link   // by the id it comes from; ascending by the id it goes to
}

// link goes to a record with a set of types.
type link struct {
	to    int64
	types uint64
}

// associationType is one meaning that a link can have, in one direction.
type associationType struct {
	bit      int
	id       int
	category string // HUBSPOT_DEFINED or USER_DEFINED
	label    string // "" where the answer says null
	name     string // as v3 answers say it: contact_to_company
	slug     string // what names a label for ever; "" for standard types
	standard bool   // the unlabelled default of the pair
	primary  bool
	inverse  *associationType // the same meaning, in the other direction
	removed  bool
	// inverseBit names inverse while a saved state is being read.
	inverseBit int
}

const (
	hubspotDefined = "HUBSPOT_DEFINED"
	userDefined    = "USER_DEFINED"
	// labelsPerPair is how many labels two object types may have between them.
	labelsPerPair = 10
)

// pair returns the associations from one type to another; addTable made them all.
func (s *Server) pair(from, to *table) *pair { return s.pairs[pairKey{from.number, to.number}] }

// addPairs makes the pairs of a new type with all types, itself included.
func (s *Server) addPairs(t *table) {
	for _, other := range s.tables {
		for _, key := range []pairKey{{t.number, other.number}, {other.number, t.number}} {
			s.pairs[key] = &pair{from: s.tables[key.from], to: s.tables[key.to], links: map[int64][]link{}}
		}
	}
}

func (p *pair) add(t *associationType) *associationType {
	t.bit = len(p.types)
	p.types = append(p.types, t)
	return t
}

// addStandardType adds one of HubSpot's own meanings in both directions.
func (s *Server) addStandardType(from, to *table, id, back int, name string) {
	forward, backward := s.pair(from, to), s.pair(to, from)
	a := &associationType{id: id, category: hubspotDefined, standard: name == "", primary: name == "primary"}
	b := &associationType{id: back, category: hubspotDefined, standard: name == "", primary: name == "primary"}
	a.name = from.kind.singular + "_to_" + to.kind.singular
	b.name = to.kind.singular + "_to_" + from.kind.singular
	switch name {
	case "":
		// Where a primary meaning exists, it owns the plain name; it is added after.
	case "primary":
		a.label, b.label = "Primary", "Primary"
		forward.standardType().name += "_unlabeled"
		backward.standardType().name += "_unlabeled"
	case "parent":
		a.label, b.label = "Child Company", "Parent Company"
		a.name, b.name = "parent_to_child_company", "child_to_parent_company"
	case "billing":
		a.label, b.label = "Billing Contact", "Billing Company"
		a.name, b.name = "company_to_billing_contact", "billing_contact_to_company"
	}
	if from == to && id == back {
		forward.add(a).inverse = a
		return
	}
	forward.add(a)
	backward.add(b)
	a.inverse, b.inverse = b, a
}

// addLabel adds a label that a user made, in both directions.
func (s *Server) addLabel(from, to *table, slug, label, inverse string) (a, b *associationType) {
	next := func() int { s.lastTypeID++; return int(s.lastTypeID - 34_000_000 + 2_000) }
	a = &associationType{id: next(), category: userDefined, label: label, slug: slug, name: slug}
	s.pair(from, to).add(a)
	if from == to && inverse == "" {
		a.inverse = a
		return a, a
	}
	b = &associationType{id: next(), category: userDefined, label: cmp.Or(inverse, label), slug: slug, name: slug}
	s.pair(to, from).add(b)
	a.inverse, b.inverse = b, a
	return a, b
}

// ensureStandard gives two types a plain association when they have none, as
// custom objects get them: by numbers of the account's own.
func (s *Server) ensureStandard(from, to *table) *associationType {
	p := s.pair(from, to)
	if t := p.standardType(); t != nil {
		return t
	}
	s.lastTypeID += 2
	id := int(s.lastTypeID - 34_000_000 + 2_000)
	back := id - 1
	if from == to {
		back = id
	}
	s.addStandardType(from, to, id, back, "")
	for _, t := range []*associationType{p.standardType(), s.pair(to, from).standardType()} {
		t.category = userDefined
	}
	return p.standardType()
}

func (p *pair) standardType() *associationType {
	for _, t := range p.types {
		if t.standard {
			return t
		}
	}
	return nil
}

func (p *pair) primaryType() *associationType {
	for _, t := range p.types {
		if t.primary {
			return t
		}
	}
	return nil
}

func (p *pair) typeByID(category string, id int) *associationType {
	for _, t := range p.types {
		if t.id == id && !t.removed && (category == "" || t.category == category) {
			return t
		}
	}
	return nil
}

func (p *pair) typeByName(name string) *associationType {
	for _, t := range p.types {
		if !t.removed && (t.name == name || strconv.Itoa(t.id) == name) {
			return t
		}
	}
	return nil
}

// typesOf calls f for the types of a link, labelled ones first as answers have them.
func (p *pair) typesOf(l link, f func(*associationType)) {
	standard := p.standardType()
	for set := l.types; set != 0; set &= set - 1 {
		if t := p.types[bits.TrailingZeros64(set)]; t != standard {
			f(t)
		}
	}
	if standard != nil && l.types&(1<<standard.bit) != 0 {
		f(standard)
	}
}

func (p *pair) link(from, to int64) (link, bool) {
	links := p.links[from]
	if n, ok := slices.BinarySearchFunc(links, to, compareLink); ok {
		return links[n], true
	}
	return link{}, false
}

func compareLink(l link, to int64) int { return cmp.Compare(l.to, to) }

// put sets the types of a link; no types remove it.
func (p *pair) put(from, to int64, types uint64) {
	links := p.links[from]
	n, ok := slices.BinarySearchFunc(links, to, compareLink)
	switch {
	case types == 0 && ok:
		if links = slices.Delete(links, n, n+1); len(links) == 0 {
			delete(p.links, from)
			return
		}
	case types == 0:
		return
	case ok:
		links[n].types = types
		return
	default:
		links = slices.Insert(links, n, link{to, types})
	}
	p.links[from] = links
}

// primaryTarget is the record that a record's primary association goes to, or 0.
func (p *pair) primaryTarget(from int64) int64 {
	t := p.primaryType()
	if t == nil {
		return 0
	}
	return p.targetOf(from, t)
}

func (p *pair) targetOf(from int64, t *associationType) int64 {
	for _, l := range p.links[from] {
		if l.types&(1<<t.bit) != 0 {
			return l.to
		}
	}
	return 0
}

// associate adds types to the link between two records, in both directions. The
// plain type always comes along. The first company of a contact, deal or ticket
// becomes its primary one, and a new primary one takes the place of the old.
func (s *Server) associate(by source, from, to *table, fromID, toID int64, types []*associationType, replace bool) {
	p, back := s.pair(from, to), s.pair(to, from)
	standard := s.ensureStandard(from, to)
	was, linked := p.link(fromID, toID)
	set := was.types | 1<<standard.bit
	if replace {
		set = 1 << standard.bit
	}
	for _, t := range types {
		set |= 1 << t.bit
	}
	if primary := p.primaryType(); primary != nil {
		one, other, owner := p, back, fromID // one: the direction in which a record has a single primary
		target := toID
		if from.kind.name == "companies" {
			one, other, owner, target = back, p, toID, fromID
		}
		old := one.primaryTarget(owner)
		if old == 0 && !replace {
			set |= 1 << primary.bit
		}
		if set&(1<<primary.bit) != 0 && old != 0 && old != target {
			s.dropType(by, one, owner, old, one.primaryType())
			s.dropType(by, other, old, owner, other.primaryType())
		}
	}
	s.relink(by, p, fromID, toID, set)
	if from == to && fromID == toID {
		return
	}
	s.relink(by, back, toID, fromID, p.inverse(set))
	if !linked {
		s.logActivity(from, fromID, to, toID)
		s.logActivity(to, toID, from, fromID)
	}
}

func (p *pair) inverse(set uint64) (out uint64) {
	for ; set != 0; set &= set - 1 {
		out |= 1 << p.types[bits.TrailingZeros64(set)].inverse.bit
	}
	return out
}

func (s *Server) dropType(by source, p *pair, from, to int64, t *associationType) {
	if l, ok := p.link(from, to); ok {
		s.relink(by, p, from, to, l.types&^(1<<t.bit))
	}
}

// dissociate takes types off the link between two records; none named takes the
// link away. Dropping the plain type drops the link.
func (s *Server) dissociate(by source, from, to *table, fromID, toID int64, types []*associationType) {
	p, back := s.pair(from, to), s.pair(to, from)
	was, ok := p.link(fromID, toID)
	if !ok {
		return
	}
	set := was.types
	for _, t := range types {
		set &^= 1 << t.bit
		if t.standard {
			set = 0
		}
	}
	if len(types) == 0 {
		set = 0
	}
	s.relink(by, p, fromID, toID, set)
	if from != to || fromID != toID {
		s.relink(by, back, toID, fromID, p.inverse(set))
	}
}

// dropLinks takes all links of a record away.
func (s *Server) dropLinks(t *table, id int64) {
	for _, other := range s.tables {
		for _, l := range slices.Clone(s.pair(t, other).links[id]) {
			s.dissociate(unsaid, t, other, id, l.to, nil)
		}
	}
}

// Associate links two records in both directions. Without type ids the pair's
// plain type is meant. It panics when a record or a type does not exist: it is
// for trusted loads.
func (s *Server) Associate(fromType, fromID, toType, toID string, typeIDs ...int) {
	if err := s.AsPerson().Associate(fromType, fromID, toType, toID, typeIDs...); err != nil {
		panic("hubspot: Associate: " + err.Error())
	}
}

// Dissociate takes the link between two records away.
func (s *Server) Dissociate(fromType, fromID, toType, toID string) {
	_ = s.AsPerson().Dissociate(fromType, fromID, toType, toID) // what is not there needs no taking away
}

// Associations returns the ids that a record is linked to, ascending.
func (s *Server) Associations(fromType, fromID, toType string) []string {
	s.mu.RLock()
	defer s.mu.RUnlock()
	from, to := s.table(fromType), s.table(toType)
	id, err := strconv.ParseInt(fromID, 10, 64)
	if from == nil || to == nil || err != nil {
		return nil
	}
	var out []string
	for _, l := range s.pair(from, to).links[id] {
		out = append(out, strconv.FormatInt(l.to, 10))
	}
	return out
}

// logActivity moves what HubSpot keeps about activities on the record that one
// was logged on, and with it the record's stamp.
func (s *Server) logActivity(activity *table, activityID int64, t *table, id int64) {
	if !activity.kind.activity || t.kind.activity {
		return
	}
	a, r := activity.live(activityID), t.live(id)
	if a == nil || r == nil || t.byName["num_notes"] == nil {
		return
	}
	at, ok := activity.stored(a, "hs_timestamp")
	if !ok {
		at = formatMillis(s.nowMillis())
	}
	set := map[string]string{"notes_last_updated": at, "num_notes": addOne(t, r, "num_notes")}
	if strings.Contains(" calls emails meetings ", " "+activity.kind.name+" ") {
		set["notes_last_contacted"] = at
		set["num_contacted_notes"] = addOne(t, r, "num_contacted_notes")
	}
	s.store(t, r, set, source{Type: "CALCULATED", Label: "CALCULATED"}, s.nowMillis())
}

func addOne(t *table, r *record, name string) string {
	v, _ := t.stored(r, name)
	n, _ := strconv.Atoi(v)
	return strconv.Itoa(n + 1)
}
