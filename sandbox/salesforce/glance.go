package salesforce

import (
	"strconv"
	"time"
)

// Glance calls f for all records of an object, those in the recycle bin too, by
// id, with SystemModstamp and what the record holds in these fields, in their
// order, as text; "" for null and for a field that does not exist. It is Each
// for a reader that looks often. f may not keep values, nor call the server.
func (s *Server) Glance(objectName string, fields []string, f func(id string, stamp time.Time, deleted bool, values []string)) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	o := s.object(objectName)
	if o == nil {
		return
	}
	asked := make([]*field, len(fields))
	for i, name := range fields {
		asked[i] = o.field(name)
	}
	values := make([]string, len(fields))
	for _, r := range o.rows {
		if r == nil {
			continue
		}
		for i, a := range asked {
			values[i] = ""
			if a == nil {
				continue
			}
			switch v := r.get(a).exported().(type) {
			case string:
				values[i] = v
			case float64:
				values[i] = strconv.FormatFloat(v, 'f', -1, 64)
			case bool:
				values[i] = strconv.FormatBool(v)
			}
		}
		f(r.id, time.Unix(r.stamp, 0).UTC(), r.deleted, values)
	}
}
