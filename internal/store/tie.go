package store

import (
	"context"
	"database/sql"

	"github.com/lockstep-sync/lockstep/internal/crm"
)

// Ties finds what was agreed of the associations of records, by the HubSpot id
// of the near record; those without any are left out.
func (s *Store) Ties(ctx context.Context, mapping string, hubspotIDs []string) (map[string][]crm.Tie, error) {
	if len(hubspotIDs) == 0 {
		return nil, nil
	}
	found := map[string][]crm.Tie{}
	err := s.query(ctx, func(r *sql.Rows) error {
		var near, far idScan
		var t crm.Tie
		if err := r.Scan(&near, &t.Association, &far, &t.Label, &t.RowID); err != nil {
			return err
		}
		t.Far = string(far)
		found[string(near)] = append(found[string(near)], t)
		return nil
	}, `SELECT t.near, t.association, t.far, t.label, t.row FROM json_each(?) j CROSS JOIN ties t ON t.mapping = ? AND t.near = j.value`,
		idList(crm.HubSpot, hubspotIDs), s.codeOf(mapping))
	return found, err
}

// PutTies replaces all that was agreed of one record's associations.
func (t *Tx) PutTies(mapping, hubspotID string, ties []crm.Tie) error {
	if err := t.DropTies(mapping, []string{hubspotID}); err != nil {
		return err
	}
	near := idValue(crm.HubSpot, hubspotID)
	return insert(t, "INSERT INTO ties (mapping, near, association, far, label, row) VALUES", 6,
		"ON CONFLICT (mapping, near, association, far, label) DO UPDATE SET row = excluded.row", ties, func(args []any, tie crm.Tie) []any {
			return append(args, t.s.codeOf(mapping), near, tie.Association, idValue(crm.HubSpot, tie.Far), tie.Label, tie.RowID)
		})
}

// DropTies forgets what was agreed of records' associations.
func (t *Tx) DropTies(mapping string, hubspotIDs []string) error {
	if len(hubspotIDs) == 0 {
		return nil
	}
	return t.exec("DELETE FROM ties WHERE mapping = ? AND near IN (SELECT value FROM json_each(?))", t.s.codeOf(mapping), idList(crm.HubSpot, hubspotIDs))
}
