package salesforce

const checksumLetters = "ABCDEFGHIJKLMNOPQRSTUVWXYZ012345"

// ID18 returns the 18-character form of a record id, which stays unique when
// its case is lost, and is the only form inside Lockstep. ok is false when id
// is no record id or its checksum is wrong.
// https://help.salesforce.com/s/articleView?id=000385585
func ID18(id string) (long string, ok bool) {
	if len(id) != 15 && len(id) != 18 {
		return "", false
	}
	for i := range len(id) {
		if !isAlphanumeric(id[i]) {
			return "", false
		}
	}
	var checksum [3]byte
	for block := range checksum {
		bits := 0
		for k := range 5 {
			if letter := id[block*5+k]; letter >= 'A' && letter <= 'Z' {
				bits |= 1 << k
			}
		}
		checksum[block] = checksumLetters[bits]
	}
	long = id[:15] + string(checksum[:])
	return long, len(id) == 15 || long == id
}

func isAlphanumeric(c byte) bool {
	return c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z'
}
