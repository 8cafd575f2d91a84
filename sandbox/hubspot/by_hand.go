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
	by := byUser(someUser)
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
	if s.heard() {
		s.tellCreated(t, r, values, assigned, by)
	}
	if len(t.lists) > 0 {
		s.relist(t, r, by)
	}
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

// Successor is the id of the live record that a record, by its own id or by one
// that was merged into it, is now; ok is false when there is none.
func (s *Server) Successor(objectType, id string) (now string, ok bool) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	_, r, err := s.findLive(objectType, id)
	if err != nil {
		return "", false
	}
	return strconv.FormatInt(r.id, 10), true
}

// GetArchived returns an archived record's values, without the unset ones.
func (s *Server) GetArchived(objectType, id string) (map[string]string, bool) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	t := s.table(objectType)
	number, err := strconv.ParseInt(id, 10, 64)
	if t == nil || err != nil {
		return nil, false
	}
	r := t.archivedRecord(number)
	if r == nil {
		return nil, false
	}
	return s.show(t, r), true
}

// Archived lists the ids of the archived records of a type, ascending.
func (s *Server) Archived(objectType string) (ids []string) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	if t := s.table(objectType); t != nil {
		for _, r := range t.archived {
			ids = append(ids, strconv.FormatInt(r.id, 10))
		}
	}
	return ids
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
