package hubspot

import (
	"encoding/binary"
	"slices"
	"strconv"
)

// record is one state of one record. It never changes once it is in a table:
// an edit puts a new record in its place.
type record struct {
	id         int64
	created    int64 // Unix milliseconds
	modified   int64
	archivedAt int64 // 0 while live
	source     uint32
	// superseded is the one exception to "never changes": the table sets it,
	// under the server's lock, so that indexes can tell and drop old states.
	superseded bool
	// packed holds the stored values: for each, the property's number in its
	// table, the length, the bytes; ascending by number. Unset values are absent.
	packed string
}

// value returns a stored value, and whether it is set.
func (r *record) value(number int) (string, bool) {
	p := r.packed
	for len(p) > 0 {
		n, size := uvarint(p)
		length, size2 := uvarint(p[size:])
		start := size + size2
		if n == number {
			return p[start : start+length], true
		}
		if n > number {
			return "", false
		}
		p = p[start+length:]
	}
	return "", false
}

// each calls f for every stored value.
func (r *record) each(f func(number int, value string)) {
	p := r.packed
	for len(p) > 0 {
		n, size := uvarint(p)
		length, size2 := uvarint(p[size:])
		start := size + size2
		f(n, p[start:start+length])
		p = p[start+length:]
	}
}

// values returns the stored values by property number.
func (r *record) values() map[int]string {
	out := map[int]string{}
	r.each(func(n int, v string) { out[n] = v })
	return out
}

func pack(values map[int]string) string {
	numbers := make([]int, 0, len(values))
	size := 0
	for n, v := range values {
		if v != "" {
			numbers = append(numbers, n)
			size += len(v) + 4
		}
	}
	slices.Sort(numbers)
	b := make([]byte, 0, size)
	for _, n := range numbers {
		b = binary.AppendUvarint(b, uint64(n))
		b = binary.AppendUvarint(b, uint64(len(values[n])))
		b = append(b, values[n]...)
	}
	return string(b)
}

func uvarint(p string) (value, size int) {
	if p[0] < 0x80 { // one byte holds nearly every property number and length
		return int(p[0]), 1
	}
	shift := 0
	for i := range len(p) {
		value |= int(p[i]&0x7f) << shift
		if p[i] < 0x80 {
			return value, i + 1
		}
		shift += 7
	}
	panic("hubspot: a packed record is cut short")
}

// source says who wrote something, in the vendor's words.
type source struct {
	Type   string // INTEGRATION, CRM_UI, CALCULATED …
	ID     string // the app's number, or "userId:123"
	Label  string // the same as Type, nearly always
	Detail string // the app's name
	UserID int64  // 0 unless a person did it
}

// integration is an app that writes by the API.
func integration(appID int64, name string) source {
	return source{Type: "INTEGRATION", ID: strconv.FormatInt(appID, 10), Label: "INTEGRATION", Detail: name}
}

// byUser is a person who edits records in HubSpot's own pages.
func byUser(userID int64) source {
	return source{Type: "CRM_UI", ID: "userId:" + strconv.FormatInt(userID, 10), Label: "CRM_UI", UserID: userID}
}

// unsaid is nobody: changes that follow from another one and are not told apart.
var unsaid source

func (s *Server) sourceNumber(v source) uint32 {
	if n, ok := s.sourceIndex[v]; ok {
		return n
	}
	n := uint32(len(s.sources))
	s.sources = append(s.sources, v)
	s.sourceIndex[v] = n
	return n
}

// revision is one change of one property.
type revision struct {
	Property int
	Value    string
	At       int64
	Source   uint32
}
