package store

import (
	"context"
	"database/sql"
	"encoding/binary"
)

// BaseSlots reads what the slots of a base meant, by version of the base; see
// PutBaseSlots.
func (s *Store) BaseSlots(ctx context.Context, mapping string) (map[uint64][]uint64, error) {
	found := map[uint64][]uint64{}
	err := s.query(ctx, func(r *sql.Rows) error {
		var version int64
		var packed []byte
		if err := r.Scan(&version, &packed); err != nil {
			return err
		}
		slots := make([]uint64, len(packed)/8)
		for i := range slots {
			slots[i] = binary.LittleEndian.Uint64(packed[8*i:])
		}
		found[uint64(version)] = slots
		return nil
	}, "SELECT version, slots FROM base_slots WHERE mapping = ?", s.codeOf(mapping))
	return found, err
}

// PutBaseSlots remembers what each slot of a base of this version means: a hash
// of its name and of what gives its values their form.
func (t *Tx) PutBaseSlots(mapping string, version uint64, slots []uint64) error {
	packed := make([]byte, 0, 8*len(slots))
	for _, slot := range slots {
		packed = binary.LittleEndian.AppendUint64(packed, slot)
	}
	return t.exec("INSERT INTO base_slots (mapping, version, slots) VALUES (?, ?, ?) ON CONFLICT (mapping, version) DO UPDATE SET slots = excluded.slots",
		t.s.codeOf(mapping), int64(version), packed)
}
