package store

import (
	"context"
	"database/sql"
	"fmt"
	"strings"

	"github.com/lockstep-sync/lockstep/internal/crm"
)

// Key is one match key of one record. Rule counts the mapping's match rules
// from 0; the external id is -1.
type Key struct {
	Rule int
	Hash uint64
	Ref  crm.Ref
}

// PutKeys adds keys of records of one side; twice is once.
func (t *Tx) PutKeys(mapping string, side crm.Side, keys []Key) error {
	code, err := t.mustCode(mapping)
	if err != nil {
		return err
	}
	return insert(t, "INSERT INTO match_keys (mapping, side, rule, hash, id, object) VALUES", 6, "ON CONFLICT DO NOTHING",
		keys, func(args []any, k Key) []any {
			return append(args, code, sideCode(side), k.Rule, int64(k.Hash), idValue(side, k.Ref.ID), t.s.codeOf(k.Ref.Object))
		})
}

// DropKeys forgets keys that do not hold any more, and that their records were
// seen: one that is put back as it was (restored, or given its old address
// again) has to count as changed, or its keys would stay forgotten.
func (t *Tx) DropKeys(mapping string, side crm.Side, keys []Key) error {
	if len(keys) == 0 {
		return nil
	}
	ids := make([]string, len(keys))
	for i, k := range keys {
		ids[i] = k.Ref.ID
		if err := t.exec("DELETE FROM match_keys WHERE mapping = ? AND side = ? AND rule = ? AND hash = ? AND id = ?",
			t.s.codeOf(mapping), sideCode(side), k.Rule, int64(k.Hash), idValue(side, k.Ref.ID)); err != nil {
			return err
		}
	}
	forget := "UPDATE links SET seen_hubspot = 0 WHERE mapping = ? AND hubspot_id IN (SELECT value FROM json_each(?))"
	if side == crm.Salesforce {
		forget = "UPDATE links SET seen_salesforce = 0 WHERE mapping = ? AND salesforce_id IN (SELECT value FROM json_each(?))"
	}
	if err := t.exec(forget, t.s.codeOf(mapping), idList(side, ids)); err != nil {
		return err
	}
	return t.exec("UPDATE outcomes SET seen = 0 WHERE mapping = ? AND side = ? AND linked = 0 AND id IN (SELECT value FROM json_each(?))",
		t.s.codeOf(mapping), sideCode(side), idList(side, ids))
}

// Keys finds the records of side that have one of the given keys (rule and
// hash are looked at). A key with more than limit records is cut there.
func (s *Store) Keys(ctx context.Context, mapping string, side crm.Side, wanted []Key, limit int) ([]Key, error) {
	if len(wanted) == 0 {
		return nil, nil
	}
	type bucket struct {
		rule int
		hash uint64
	}
	count := map[bucket]int{}
	var found []Key
	err := s.query(ctx, func(r *sql.Rows) error {
		var k Key
		var hash, object int64
		var id idScan
		if err := r.Scan(&k.Rule, &hash, &id, &object); err != nil {
			return err
		}
		k.Hash, k.Ref = uint64(hash), crm.Ref{Side: side, Object: s.name(object), ID: string(id)}
		b := bucket{k.Rule, k.Hash}
		if count[b]++; count[b] <= limit {
			found = append(found, k)
		}
		return nil
	}, `SELECT k.rule, k.hash, k.id, k.object FROM json_each(?) j CROSS JOIN match_keys k
		ON k.mapping = ? AND k.side = ? AND k.rule = json_extract(j.value, '$[0]') AND k.hash = json_extract(j.value, '$[1]')`,
		keyList(wanted), s.codeOf(mapping), sideCode(side))
	return found, err
}

// keyList is the rules and hashes of keys as a JSON array of pairs, for json_each.
func keyList(keys []Key) string {
	var list strings.Builder
	list.WriteByte('[')
	for i, k := range keys {
		if i > 0 {
			list.WriteByte(',')
		}
		fmt.Fprintf(&list, "[%d,%d]", k.Rule, int64(k.Hash))
	}
	list.WriteByte(']')
	return list.String()
}
