package store

import (
	"context"
	"database/sql"

	"github.com/lockstep-sync/lockstep/internal/crm"
)

// Cause says what made one record out of two.
type Cause string

// The causes.
const (
	CauseMerge      Cause = "merge"
	CauseConversion Cause = "conversion"
)

// Alias is a record that belongs to a linked pair besides the two that are
// linked: the record of the other side that it was linked with became part of
// the pair's.
type Alias struct {
	Mapping string
	Ref     crm.Ref
	// Pair is the id of the pair's record on the other side than Ref.
	Pair string
	// Merged is the id of the record, on that side, that Ref was linked with.
	Merged string
	Cause  Cause
}

const aliasColumns = "a.mapping, a.side, a.id, a.object, a.pair_id, a.merged_id, a.cause"

func (s *Store) scanAlias(r *sql.Rows) (Alias, error) {
	var a Alias
	var mapping, side, object int64
	var id, pair, merged idScan
	var cause string
	if err := r.Scan(&mapping, &side, &id, &object, &pair, &merged, &cause); err != nil {
		return a, err
	}
	a.Mapping, a.Ref = s.name(mapping), crm.Ref{Side: sideOf(side), Object: s.name(object), ID: string(id)}
	a.Pair, a.Merged, a.Cause = string(pair), string(merged), Cause(cause)
	return a, nil
}

// Aliases finds aliases of one side by their own ids.
func (s *Store) Aliases(ctx context.Context, mapping string, side crm.Side, ids []string) (map[string]Alias, error) {
	if len(ids) == 0 {
		return nil, nil
	}
	found := map[string]Alias{}
	err := s.query(ctx, func(r *sql.Rows) error {
		a, err := s.scanAlias(r)
		found[a.Ref.ID] = a
		return err
	}, `SELECT `+aliasColumns+` FROM json_each(?) j CROSS JOIN aliases a ON a.mapping = ? AND a.side = ? AND a.id = j.value`,
		idList(side, ids), s.codeOf(mapping), sideCode(side))
	return found, err
}

// AliasesOf finds the aliases on side of the pairs with these records on the
// other side, in the order of ids.
func (s *Store) AliasesOf(ctx context.Context, mapping string, side crm.Side, pairs []string) ([]Alias, error) {
	if len(pairs) == 0 {
		return nil, nil
	}
	var found []Alias
	err := s.query(ctx, func(r *sql.Rows) error {
		a, err := s.scanAlias(r)
		found = append(found, a)
		return err
	}, `SELECT `+aliasColumns+` FROM json_each(?) j CROSS JOIN aliases a ON a.mapping = ? AND a.side = ? AND a.pair_id = j.value ORDER BY a.id`,
		idList(side.Other(), pairs), s.codeOf(mapping), sideCode(side))
	return found, err
}

// PutAliases adds aliases, each over an earlier one of the same record.
func (t *Tx) PutAliases(aliases []Alias) error {
	for _, a := range aliases {
		if _, err := t.mustCode(a.Ref.Object); err != nil {
			return err
		}
	}
	return insert(t, "INSERT INTO aliases (mapping, side, id, object, pair_id, merged_id, cause) VALUES", 7,
		`ON CONFLICT (mapping, side, id) DO UPDATE SET object = excluded.object, pair_id = excluded.pair_id,
		merged_id = excluded.merged_id, cause = excluded.cause`, aliases, func(args []any, a Alias) []any {
			other := a.Ref.Side.Other()
			return append(args, t.s.codeOf(a.Mapping), sideCode(a.Ref.Side), idValue(a.Ref.Side, a.Ref.ID), t.s.codeOf(a.Ref.Object),
				idValue(other, a.Pair), idValue(other, a.Merged), string(a.Cause))
		})
}

// DropAliases forgets aliases by their own ids.
func (t *Tx) DropAliases(mapping string, side crm.Side, ids []string) error {
	return t.dropByID("aliases", mapping, side, ids)
}

// EndAliases forgets the aliases of one mapping whose pair is linked no longer,
// and makes their records due: they are decided like any other.
func (t *Tx) EndAliases(mapping string) error {
	code := t.s.codeOf(mapping)
	for _, where := range []string{
		"FROM aliases AS a WHERE a.mapping = ? AND a.side = 2 AND NOT EXISTS (SELECT 1 FROM links l WHERE l.mapping = a.mapping AND l.hubspot_id = a.pair_id)",
		"FROM aliases AS a WHERE a.mapping = ? AND a.side = 1 AND NOT EXISTS (SELECT 1 FROM links l WHERE l.mapping = a.mapping AND l.salesforce_id = a.pair_id)",
	} {
		if err := t.exec(`INSERT INTO changes (mapping, side, id, object, due, seen, record)
			SELECT a.mapping, a.side, a.id, a.object, 1, 0, x'' `+where+` ON CONFLICT (mapping, side, id) DO UPDATE SET due = 1`, code); err != nil {
			return err
		}
		if err := t.exec("DELETE "+where, code); err != nil {
			return err
		}
	}
	return nil
}

// Kin are two records that a lead conversion says are the same thing.
type Kin struct {
	Mapping    string
	HubSpotID  string
	Salesforce crm.Ref
}

// Kin finds what conversions tell about records of one side.
func (s *Store) Kin(ctx context.Context, mapping string, side crm.Side, ids []string) ([]Kin, error) {
	if len(ids) == 0 {
		return nil, nil
	}
	column := "hubspot_id"
	if side == crm.Salesforce {
		column = "salesforce_id"
	}
	var found []Kin
	err := s.query(ctx, func(r *sql.Rows) error {
		var object int64
		var hubspot, salesforce idScan
		if err := r.Scan(&hubspot, &object, &salesforce); err != nil {
			return err
		}
		found = append(found, Kin{mapping, string(hubspot), crm.Ref{Side: crm.Salesforce, Object: s.name(object), ID: string(salesforce)}})
		return nil
	}, `SELECT k.hubspot_id, k.object, k.salesforce_id FROM json_each(?) j CROSS JOIN kin k ON k.mapping = ? AND k.`+column+` = j.value`,
		idList(side, ids), s.codeOf(mapping))
	return found, err
}

// PutKin remembers what a conversion tells; twice is once.
func (t *Tx) PutKin(kin []Kin) error {
	for _, k := range kin {
		if _, err := t.mustCode(k.Mapping); err != nil {
			return err
		}
		if _, err := t.mustCode(k.Salesforce.Object); err != nil {
			return err
		}
	}
	return insert(t, "INSERT INTO kin (mapping, hubspot_id, object, salesforce_id) VALUES", 4, "ON CONFLICT DO NOTHING", kin, func(args []any, k Kin) []any {
		return append(args, t.s.codeOf(k.Mapping), idValue(crm.HubSpot, k.HubSpotID), t.s.codeOf(k.Salesforce.Object), idValue(crm.Salesforce, k.Salesforce.ID))
	})
}

// DropKin forgets what conversions tell of records that are linked now or are
// no more.
func (t *Tx) DropKin(mapping string, side crm.Side, ids []string) error {
	if len(ids) == 0 {
		return nil
	}
	column := "hubspot_id"
	if side == crm.Salesforce {
		column = "salesforce_id"
	}
	return t.exec("DELETE FROM kin WHERE mapping = ? AND "+column+" IN (SELECT value FROM json_each(?))", t.s.codeOf(mapping), idList(side, ids))
}

// MoveKin lets what conversions tell of a record be told of the one that it
// became part of.
func (t *Tx) MoveKin(mapping string, from, to crm.Ref) error {
	code := t.s.codeOf(mapping)
	if from.Side == crm.HubSpot {
		was, is := idValue(crm.HubSpot, from.ID), idValue(crm.HubSpot, to.ID)
		if err := t.exec("INSERT INTO kin SELECT mapping, ?, object, salesforce_id FROM kin WHERE mapping = ? AND hubspot_id = ? ON CONFLICT DO NOTHING", is, code, was); err != nil {
			return err
		}
	} else {
		object, err := t.mustCode(to.Object)
		if err != nil {
			return err
		}
		was, is := idValue(crm.Salesforce, from.ID), idValue(crm.Salesforce, to.ID)
		if err := t.exec("INSERT INTO kin SELECT mapping, hubspot_id, ?, ? FROM kin WHERE mapping = ? AND salesforce_id = ? ON CONFLICT DO NOTHING", object, is, code, was); err != nil {
			return err
		}
	}
	return t.DropKin(mapping, from.Side, []string{from.ID})
}
