package salesforce

import (
	"fmt"
	"math"
	"time"
)

// Insert loads a record as it is: no required field, length or rule is checked.
// Values are string, bool, any number, time.Time or nil; references are ids.
// What the platform computes (an opportunity's IsClosed, an owner left out) is
// filled in. An object or field that does not exist, or a value of the wrong
// type, panics: the caller's data is wrong.
func (s *Server) Insert(objectName string, fields map[string]any, created, modified time.Time) (id string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	t := s.begin(s.admin)
	r := s.load(t, objectName, fields, created, modified)
	t.commit()
	return r.id
}

func (s *Server) load(t *transaction, objectName string, fields map[string]any, created, modified time.Time) *row {
	r, err := s.loaded(t, objectName, fields, created, modified)
	if err != nil {
		panic("salesforce sandbox: " + err.Error())
	}
	return r
}

func (s *Server) loaded(t *transaction, objectName string, fields map[string]any, created, modified time.Time) (*row, error) {
	o := s.object(objectName)
	if o == nil {
		return nil, fmt.Errorf("no object %s", objectName)
	}
	d := &draft{}
	by := ""
	if t.user != nil {
		by = t.user.id
	}
	given := map[*field]bool{}
	for name, v := range fields {
		f := o.field(name)
		if f == nil {
			return nil, fmt.Errorf("no field %s.%s", objectName, name)
		}
		cell, err := trusted(f, v)
		if err != nil {
			return nil, err
		}
		switch f.source {
		case stored:
			d.set(f, cell)
			given[f] = true
		case fromCreatedBy:
			by = cell.text
		}
	}
	s.fillDefaults(t, o, d, given)
	s.derive(t, o, d, nil, given)
	r := t.create(o, d.cells, seconds(created), seconds(modified), by)
	s.afterCreate(t, o, r)
	return r, nil
}

func (s *Server) located(objectName, id string) (*object, *row, error) {
	o := s.object(objectName)
	if o == nil {
		return nil, nil, fmt.Errorf("no object %s", objectName)
	}
	long, _ := longID(id)
	r := o.find(long)
	if r == nil || r.deleted {
		return nil, nil, fmt.Errorf("no %s %s", objectName, id)
	}
	return o, r, nil
}

// Get returns what a record holds, also a deleted one: every field that is not
// null, as string, float64 or bool; dates and times as the API writes them.
func (s *Server) Get(objectName, id string) (map[string]any, bool) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	o := s.object(objectName)
	long, _ := longID(id)
	if o == nil || o.find(long) == nil {
		return nil, false
	}
	return o.export(o.find(long)), true
}

// Each calls f with the live records by ascending id until f returns false.
func (s *Server) Each(objectName string, f func(id string, fields map[string]any) bool) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	o := s.object(objectName)
	if o == nil {
		return
	}
	for _, r := range o.rows {
		if r != nil && !r.deleted && !f(r.id, o.export(r)) {
			return
		}
	}
}

// Count is how many live records an object has.
func (s *Server) Count(objectName string) int {
	s.mu.RLock()
	defer s.mu.RUnlock()
	if o := s.object(objectName); o != nil {
		return o.live
	}
	return 0
}

func (o *object) export(r *row) map[string]any {
	m := make(map[string]any, len(r.cells)+8)
	for _, f := range o.fields {
		if f.source == fromAddress || f.source == fromPhoto {
			continue
		}
		if v := r.get(f); !v.null() {
			m[f.Name] = v.exported()
		}
	}
	return m
}

// trusted turns a Go value into a cell.
func trusted(f *field, v any) (value, error) {
	wrong := fmt.Errorf("%s.%s is %s and takes no %T (%v)", f.object.name, f.Name, f.Type, v, v)
	switch v := v.(type) {
	case nil:
		return value{}, nil
	case string:
		if v == "" {
			return value{}, nil
		}
		cell, problem := parseText(f, v)
		if problem != "" {
			return value{}, wrong
		}
		return cell, nil
	case bool:
		if f.kind() != boolean {
			return value{}, wrong
		}
		return boolOf(v), nil
	case time.Time:
		switch f.kind() {
		case date:
			return dateOf(v.UTC()), nil
		case datetime:
			return datetimeOf(v.Unix()), nil
		}
		return value{}, wrong
	case int:
		return trusted(f, float64(v))
	case int64:
		return trusted(f, float64(v))
	case float64:
		if f.kind() != number || math.IsNaN(v) || math.IsInf(v, 0) {
			return value{}, wrong
		}
		return numberOf(v), nil
	}
	return value{}, wrong
}
