package store

import (
	"strconv"

	"github.com/lockstep-sync/lockstep/internal/crm"
)

// Ask is one thing that was left out because no record with a match key is known:
// it waits for the first one.
type Ask struct {
	// Mapping, Rule and Hash are the key that was asked for.
	Mapping string
	Rule    int
	Hash    uint64
	// ThingMapping and Thing asked for it.
	ThingMapping string
	Thing        crm.Ref
}

// PutAsks remembers who asked for what; twice is once.
func (t *Tx) PutAsks(asks []Ask) error {
	return insert(t, "INSERT INTO asks (mapping, rule, hash, thing_mapping, thing_side, thing_id, thing_object) VALUES", 7,
		"ON CONFLICT DO NOTHING", asks, func(args []any, a Ask) []any {
			return append(args, t.s.codeOf(a.Mapping), a.Rule, int64(a.Hash),
				t.s.codeOf(a.ThingMapping), sideCode(a.Thing.Side), idValue(a.Thing.Side, a.Thing.ID), t.s.codeOf(a.Thing.Object))
		})
}

// FireAsks makes due everything that asked for one of these keys of a mapping, and
// forgets the asking.
func (t *Tx) FireAsks(mapping string, keys []Key) error {
	if len(keys) == 0 {
		return nil
	}
	list := keyList(keys)
	where := `FROM asks WHERE mapping = ? AND (rule, hash) IN (SELECT json_extract(value, '$[0]'), json_extract(value, '$[1]') FROM json_each(?))`
	if err := t.exec(`INSERT INTO changes (mapping, side, id, object, due, seen, record, wake)
		SELECT DISTINCT thing_mapping, thing_side, thing_id, thing_object, 1, 0, x'', `+strconv.Itoa(int(WakeNeighbour))+` `+where+`
		ON CONFLICT (mapping, side, id) DO UPDATE SET `+dueBy, t.s.codeOf(mapping), list); err != nil {
		return err
	}
	return t.exec("DELETE "+where, t.s.codeOf(mapping), list)
}
