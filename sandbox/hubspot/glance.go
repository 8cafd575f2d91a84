package hubspot

import (
	"strconv"
	"time"
)

// Glance calls f for the live records of a type, by id, with the time of the
// last modification and what the record holds in these properties, in their
// order; "" where it holds nothing or there is no such property. It is Each for
// a reader that looks often. f may not keep values, nor call the server.
func (s *Server) Glance(objectType string, properties []string, f func(id string, modified time.Time, values []string)) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	t := s.table(objectType)
	if t == nil {
		return
	}
	asked := make([]*propertyDefinition, len(properties))
	for i, name := range properties {
		asked[i] = t.property(name)
	}
	values := make([]string, len(properties))
	for _, r := range t.records {
		for i, p := range asked {
			values[i] = ""
			if p != nil {
				values[i] = s.valueOf(t, r, p)
			}
		}
		f(strconv.FormatInt(r.id, 10), time.UnixMilli(r.modified).UTC(), values)
	}
}
