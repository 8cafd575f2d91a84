package hubspot

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
)

// The ways in which a list, which HubSpot's pages call a segment, gets its members.
const (
	// Manual lists hold what was put into them.
	Manual = "MANUAL"
	// Snapshot lists begin with what a filter finds, and are manual from then on.
	Snapshot = "SNAPSHOT"
	// Dynamic lists hold at every time what a filter finds.
	Dynamic = "DYNAMIC"
)

// listLife is how long a deleted list can be restored.
const listLife = 90 * dayMillis

// list is a list of records of one type. The account's lock guards it.
// https://developers.hubspot.com/docs/api-reference/latest/crm/lists/guide
type list struct {
	ID                              int64
	Name                            string
	Processing                      string
	Version                         int64
	CreatedAt, UpdatedAt, FiltersAt int64 // Unix milliseconds
	DeletedAt                       int64 // 0 while live
	CreatedBy, UpdatedBy            int64
	Branch                          []byte // the filter as it was sent; nil: none
	// Members holds when each joined, Firsts when each that is or was a member did
	// so first.
	Members, Firsts map[int64]int64
	// LastJoined and LastLeft are when a record last joined and last left; 0: never.
	LastJoined, LastLeft int64
	filter               *listFilter
	table                *table
}

// addList makes a list. The caller has checked what it is made of.
func (s *Server) addList(t *table, l *list, user int64) *list {
	now := s.nowMillis()
	s.lastListID++
	l.ID, l.Version, l.table = s.lastListID, 1, t
	l.CreatedAt, l.UpdatedAt, l.FiltersAt, l.CreatedBy, l.UpdatedBy = now, now, now, user, user
	l.Members, l.Firsts = map[int64]int64{}, map[int64]int64{}
	s.lists = append(s.lists, l)
	t.lists = append(t.lists, l)
	if l.filter != nil {
		for _, r := range t.records {
			if l.filter.match(s, t, r) {
				s.join(l, r.id, now, unsaid)
			}
		}
	}
	s.version.Add(1)
	return l
}

// join and leave change a list's members; they tell whether anything changed.
func (s *Server) join(l *list, id, now int64, by source) bool {
	if _, member := l.Members[id]; member {
		return false
	}
	l.Members[id], l.LastJoined = now, now
	if _, before := l.Firsts[id]; !before {
		l.Firsts[id] = now
	}
	if s.heard() {
		s.tell(event{verb: joinedList, table: l.table, id: id, at: now, by: by, list: l.ID})
	}
	return true
}

func (s *Server) leave(l *list, id, now int64, by source) bool {
	if _, member := l.Members[id]; !member {
		return false
	}
	delete(l.Members, id)
	l.LastLeft = now
	if s.heard() {
		s.tell(event{verb: leftList, table: l.table, id: id, at: now, by: by, list: l.ID})
	}
	return true
}

// relist puts a record that changed into the dynamic lists that it belongs to
// now, and takes it out of the others.
func (s *Server) relist(t *table, r *record, by source) {
	for _, l := range t.lists {
		switch {
		case l.Processing != Dynamic || l.DeletedAt != 0:
		case l.filter.match(s, t, r):
			s.join(l, r.id, s.nowMillis(), by)
		default:
			s.leave(l, r.id, s.nowMillis(), by)
		}
	}
}

// delist takes a record that has gone out of all lists, and puts its successor,
// if it has one, into those that are filled by hand.
func (s *Server) delist(t *table, id, successor int64, by source) {
	for _, l := range t.lists {
		if s.leave(l, id, s.nowMillis(), by) && successor != 0 && l.Processing != Dynamic {
			s.join(l, successor, s.nowMillis(), by)
		}
	}
}

// list finds a live list by its id.
func (s *Server) list(id string) (*list, *problem) {
	for _, l := range s.lists {
		if strconv.FormatInt(l.ID, 10) == id && l.DeletedAt == 0 {
			return l, nil
		}
	}
	return nil, objectNotFound("List does not exist with ID %s.", id)
}

// judgeList refuses a name that is taken and a way that does not fit.
func (s *Server) judgeList(t *table, l *list) *problem {
	if strings.TrimSpace(l.Name) == "" {
		return missingFields("name")
	}
	for _, other := range t.lists {
		if other != l && other.DeletedAt == 0 && strings.EqualFold(other.Name, l.Name) {
			return invalid("A list named %q already exists", l.Name)
		}
	}
	switch {
	case l.Processing != Manual && l.Processing != Snapshot && l.Processing != Dynamic:
		return invalid("%q is not a valid processingType", l.Processing)
	case l.Processing == Manual && l.Branch != nil:
		return invalid("A list with processingType MANUAL has no filterBranch")
	case l.Processing == Dynamic && l.Branch == nil:
		return missingFields("filterBranch")
	}
	if l.Branch == nil {
		return nil
	}
	var refused *problem
	l.filter, refused = s.newListFilter(t, l.Branch)
	return refused
}

// members are the ids in a list, ascending, or in the order in which they joined.
func (l *list) members(byJoining bool) []int64 {
	ids := slices.Sorted(maps.Keys(l.Members))
	if byJoining {
		slices.SortStableFunc(ids, func(a, b int64) int { return cmp.Compare(l.Members[a], l.Members[b]) })
	}
	return ids
}

// AddList makes a list of the records of a type that is filled by hand, as a
// person would, and returns its id.
func (s *Server) AddList(objectType, name string) (id string, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	t := s.table(objectType)
	if t == nil {
		return "", unknownType(objectType)
	}
	l := &list{Name: name, Processing: Manual}
	if refused := s.judgeList(t, l); refused != nil {
		return "", refused
	}
	return strconv.FormatInt(s.addList(t, l, someUser).ID, 10), nil
}

// RenameList gives a list another name, as a person would.
func (s *Server) RenameList(listID, name string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	l, refused := s.list(listID)
	if refused == nil {
		refused = l.rename(name)
	}
	if refused != nil {
		return refused
	}
	s.stampList(l, someUser)
	return nil
}

// ChangeList puts records into a list that is filled by hand, and takes others out.
func (h Hand) ChangeList(listID string, add, remove []string) error {
	s := h.s
	s.mu.Lock()
	defer s.mu.Unlock()
	l, refused := s.list(listID)
	if refused != nil {
		return refused
	}
	_, _, missing, refused := s.changeMembers(l, add, remove, h.by)
	if refused != nil {
		return refused
	}
	if len(missing) > 0 {
		return fmt.Errorf("list %s: there is no record %s", listID, strings.Join(missing, ", "))
	}
	return nil
}

// ListMembers are the ids of the records in a list, ascending.
func (s *Server) ListMembers(listID string) (ids []string, err error) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	l, refused := s.list(listID)
	if refused != nil {
		return nil, refused
	}
	for _, id := range l.members(false) {
		ids = append(ids, strconv.FormatInt(id, 10))
	}
	return ids, nil
}

// changeMembers tells what it added, what it removed, and which records are not there.
func (s *Server) changeMembers(l *list, add, remove []string, by source) (added, removed, missing []string, refused *problem) {
	if l.Processing == Dynamic {
		return nil, nil, nil, invalid("The members of list %d follow from its filters: its processingType is DYNAMIC", l.ID)
	}
	now := s.nowMillis()
	for _, text := range add {
		id, err := strconv.ParseInt(text, 10, 64)
		switch {
		case err != nil || l.table.live(id) == nil:
			missing = append(missing, text)
		case s.join(l, id, now, by):
			added = append(added, text)
		}
	}
	for _, text := range remove {
		id, err := strconv.ParseInt(text, 10, 64)
		switch {
		case err == nil && s.leave(l, id, now, by):
			removed = append(removed, text)
		case err != nil || l.table.live(id) == nil:
			missing = append(missing, text)
		}
	}
	s.version.Add(1)
	return added, removed, missing, nil
}

// ListInfo tells what a list is.
type ListInfo struct {
	ID             string   `json:"listId"`
	Name           string   `json:"name"`
	ObjectType     string   `json:"objectType"`
	ProcessingType string   `json:"processingType"`
	Members        []string `json:"members"`
}

// Lists tells of all lists that are not deleted, in the order they were made.
func (s *Server) Lists() []ListInfo {
	s.mu.RLock()
	defer s.mu.RUnlock()
	out := []ListInfo{}
	for _, l := range s.lists {
		if l.DeletedAt != 0 {
			continue
		}
		info := ListInfo{ID: strconv.FormatInt(l.ID, 10), Name: l.Name, ObjectType: l.table.kind.name, ProcessingType: l.Processing, Members: []string{}}
		for _, id := range l.members(false) {
			info.Members = append(info.Members, strconv.FormatInt(id, 10))
		}
		out = append(out, info)
	}
	return out
}
