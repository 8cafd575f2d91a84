package hubspot

import (
	"slices"
	"strconv"
	"time"
)

// What a test, a seed or a person does to the account without the API.

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
	if name := "hs_lifecyclestage_" + values["lifecyclestage"] + "_date"; t.byName[name] != nil && values[name] == "" {
		values[name] = formatMillis(created.UnixMilli())
	}
	r := s.newRecord(t, values, created.UnixMilli(), modified.UnixMilli(), by)
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
