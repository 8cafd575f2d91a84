package salesforce

import "strings"

// Record ids are 15 case-sensitive base-62 characters (three say the object,
// three the instance, nine count) and, in answers, three more that let the id
// survive a change of case.
// https://developer.salesforce.com/docs/atlas.en-us.object_reference.meta/object_reference/field_types.htm

const (
	digits62      = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
	checksum32    = "ABCDEFGHIJKLMNOPQRSTUVWXYZ012345"
	shortIDLength = 15
	longIDLength  = 18
	instanceCode  = "Ls0"
)

// makeID builds the 18-character id of the nth record with the prefix.
func makeID(prefix string, n uint64) string {
	var b [longIDLength]byte
	copy(b[:], prefix)
	copy(b[3:], instanceCode)
	for i := shortIDLength - 1; i >= 6; i-- {
		b[i] = digits62[n%62]
		n /= 62
	}
	checksum(b[:])
	return string(b[:])
}

// checksum fills b[15:18] from b[:15].
func checksum(b []byte) {
	for block := range 3 {
		bits := 0
		for k := range 5 {
			if c := b[block*5+k]; c >= 'A' && c <= 'Z' {
				bits |= 1 << k
			}
		}
		b[shortIDLength+block] = checksum32[bits]
	}
}

// longID returns the 18-character form of an id given in either form; ok is
// false when s is no id at all or its checksum is wrong.
func longID(s string) (id string, ok bool) {
	if len(s) != shortIDLength && len(s) != longIDLength {
		return "", false
	}
	var b [longIDLength]byte
	for i := range shortIDLength {
		c := s[i]
		if !isDigit62(c) {
			return "", false
		}
		b[i] = c
	}
	checksum(b[:])
	if len(s) == longIDLength {
		if s != string(b[:]) {
			return "", false
		}
		return s, true
	}
	return string(b[:]), true
}

func isDigit62(c byte) bool {
	return c >= '0' && c <= '9' || c >= 'A' && c <= 'Z' || c >= 'a' && c <= 'z'
}

// counterOf returns the running number inside an id of this instance.
func counterOf(id string) (n uint64, ok bool) {
	if len(id) < shortIDLength || id[3:6] != instanceCode {
		return 0, false
	}
	for i := 6; i < shortIDLength; i++ {
		d := strings.IndexByte(digits62, id[i])
		if d < 0 {
			return 0, false
		}
		n = n*62 + uint64(d)
	}
	return n, true
}
