package store

import (
	"context"
	"database/sql"
	"encoding/binary"

	"github.com/lockstep-sync/lockstep/internal/crm"
)

// Link is a link and what was last seen of its two records.
type Link struct {
	crm.Link
	// Seen is a hash of everything that was read of the record; 0 when it was
	// not read since it was written to.
	SeenHubSpot    uint64
	SeenSalesforce uint64
	// Open is a hash of what the record holds in fields that the base leaves
	// open (both halves 0): values that could not be settled; 0 when not known.
	OpenHubSpot    uint64
	OpenSalesforce uint64
	// RelatedHubSpot is a hash of the HubSpot record's associations as they were
	// last seen, and Calculated of the fields that a vendor calculates; no stamp
	// tells when these change. 0 when not known.
	RelatedHubSpot       uint64
	CalculatedHubSpot    uint64
	CalculatedSalesforce uint64
	// Gone: the record was archived or deleted, and that was decided upon.
	HubSpotGone    bool
	SalesforceGone bool
	// Departed is the side whose record left the filter, when its counterpart
	// was archived by us for that; empty otherwise.
	Departed crm.Side
	// Outcome is the latest outcome of the thing; Unchanged when nothing else
	// is remembered. Code is its reason's code, empty for Unchanged.
	Outcome crm.Outcome
	Code    string
}

const linkColumns = `l.mapping, l.hubspot_id, l.object, l.salesforce_id, l.base,
	l.seen_hubspot, l.seen_salesforce, l.open_hubspot, l.open_salesforce,
	l.related, l.calculated_hubspot, l.calculated_salesforce, l.gone, l.departed, coalesce(o.outcome, ''), coalesce(o.code, ''), l.sum`

const linkOutcome = `LEFT JOIN outcomes o ON o.mapping = l.mapping AND o.side = 1 AND o.id = l.hubspot_id`

func (s *Store) scanLink(r *sql.Rows) (Link, error) {
	var l Link
	var mapping, object, gone, departed int64
	var hubspot, salesforce idScan
	var base []byte
	var sh, ss, oh, os, related, ch, cs, sum int64
	var outcome string
	if err := r.Scan(&mapping, &hubspot, &object, &salesforce, &base, &sh, &ss, &oh, &os, &related, &ch, &cs, &gone, &departed, &outcome, &l.Code, &sum); err != nil {
		return l, err
	}
	if err := s.holds(sum, "the link of "+s.name(mapping)+" "+string(hubspot)+" with "+string(salesforce),
		linkSum(mapping, idValue(crm.HubSpot, string(hubspot)), object, idValue(crm.Salesforce, string(salesforce)), base, oh, os, related, ch, cs, gone, departed)...); err != nil {
		return l, err
	}
	l.Mapping, l.HubSpotID = s.name(mapping), string(hubspot)
	l.SalesforceObject, l.SalesforceID = s.name(object), string(salesforce)
	l.Base = decodeBase(base)
	l.SeenHubSpot, l.SeenSalesforce = uint64(sh), uint64(ss)
	l.OpenHubSpot, l.OpenSalesforce = uint64(oh), uint64(os)
	l.RelatedHubSpot, l.CalculatedHubSpot, l.CalculatedSalesforce = uint64(related), uint64(ch), uint64(cs)
	l.HubSpotGone, l.SalesforceGone = gone&1 != 0, gone&2 != 0
	if departed != 0 {
		l.Departed = sideOf(departed)
	}
	l.Outcome = crm.Unchanged
	if outcome != "" {
		l.Outcome = crm.Outcome(outcome)
	}
	return l, nil
}

// Links finds links by the ids that their records have on side; the map is by
// that id. Ids that are not linked are left out.
func (s *Store) Links(ctx context.Context, mapping string, side crm.Side, ids []string) (map[string]Link, error) {
	if len(ids) == 0 {
		return nil, nil
	}
	column := "hubspot_id"
	if side == crm.Salesforce {
		column = "salesforce_id"
	}
	found := make(map[string]Link, len(ids))
	err := s.query(ctx, func(r *sql.Rows) error {
		l, err := s.scanLink(r)
		if err != nil {
			return err
		}
		if side == crm.HubSpot {
			found[l.HubSpotID] = l
		} else {
			found[l.SalesforceID] = l
		}
		return nil
	}, `SELECT `+linkColumns+` FROM json_each(?) j CROSS JOIN links l ON l.mapping = ? AND l.`+column+` = j.value `+linkOutcome,
		idList(side, ids), s.codeOf(mapping))
	return found, err
}

// LinkPage reads at most limit links of a mapping in the order of their
// HubSpot ids, those after the given one; start with "".
func (s *Store) LinkPage(ctx context.Context, mapping, after string, limit int) ([]Link, error) {
	from := any(nil)
	where := "l.mapping = ?"
	args := []any{s.codeOf(mapping)}
	if after != "" {
		from = idValue(crm.HubSpot, after)
		where += " AND l.hubspot_id > ?"
		args = append(args, from)
	}
	var links []Link
	err := s.query(ctx, func(r *sql.Rows) error {
		l, err := s.scanLink(r)
		links = append(links, l)
		return err
	}, `SELECT `+linkColumns+` FROM links l `+linkOutcome+` WHERE `+where+` ORDER BY l.hubspot_id LIMIT ?`, append(args, limit)...)
	return links, err
}

// CountLinks counts the links of a mapping.
func (s *Store) CountLinks(ctx context.Context, mapping string) (int, error) {
	return s.count(ctx, "SELECT count(*) FROM links WHERE mapping = ?", s.codeOf(mapping))
}

// CountLinksUpTo counts the links of a mapping whose HubSpot id is not after the given
// one; none for "".
func (s *Store) CountLinksUpTo(ctx context.Context, mapping, hubspotID string) (int, error) {
	if hubspotID == "" {
		return 0, nil
	}
	return s.count(ctx, "SELECT count(*) FROM links WHERE mapping = ? AND hubspot_id <= ?", s.codeOf(mapping), idValue(crm.HubSpot, hubspotID))
}

func (s *Store) count(ctx context.Context, query string, args ...any) (int, error) {
	n := 0
	err := s.query(ctx, func(r *sql.Rows) error { return r.Scan(&n) }, query, args...)
	return n, err
}

// PutLinks stores links, new ones and others over what is there.
func (t *Tx) PutLinks(links []Link) error {
	for _, l := range links {
		if _, err := t.mustCode(l.Mapping); err != nil {
			return err
		}
		if _, err := t.mustCode(l.SalesforceObject); err != nil {
			return err
		}
	}
	return insert(t, `INSERT INTO links (mapping, hubspot_id, object, salesforce_id, base,
		seen_hubspot, seen_salesforce, open_hubspot, open_salesforce, related, calculated_hubspot, calculated_salesforce, gone, departed, sum) VALUES`, 15,
		`ON CONFLICT (mapping, hubspot_id) DO UPDATE SET object = excluded.object, salesforce_id = excluded.salesforce_id, base = excluded.base,
		seen_hubspot = excluded.seen_hubspot, seen_salesforce = excluded.seen_salesforce,
		open_hubspot = excluded.open_hubspot, open_salesforce = excluded.open_salesforce, related = excluded.related,
		calculated_hubspot = excluded.calculated_hubspot, calculated_salesforce = excluded.calculated_salesforce, gone = excluded.gone, departed = excluded.departed, sum = excluded.sum`,
		links, func(args []any, l Link) []any {
			gone := int64(0)
			if l.HubSpotGone {
				gone |= 1
			}
			if l.SalesforceGone {
				gone |= 2
			}
			departed := int64(0)
			if l.Departed != "" {
				departed = sideCode(l.Departed)
			}
			mapping, hubspot, object := t.s.codeOf(l.Mapping), idValue(crm.HubSpot, l.HubSpotID), t.s.codeOf(l.SalesforceObject)
			salesforce, base := idValue(crm.Salesforce, l.SalesforceID), encodeBase(l.Base)
			oh, os := int64(l.OpenHubSpot), int64(l.OpenSalesforce)
			related, ch, cs := int64(l.RelatedHubSpot), int64(l.CalculatedHubSpot), int64(l.CalculatedSalesforce)
			return append(args, mapping, hubspot, object, salesforce, base, int64(l.SeenHubSpot), int64(l.SeenSalesforce), oh, os, related, ch, cs, gone, departed,
				rowSum(linkSum(mapping, hubspot, object, salesforce, base, oh, os, related, ch, cs, gone, departed)...))
		})
}

// linkSum is what the checksum of a link is over: all but what was last seen,
// which is forgotten by itself (see DropKeys).
func linkSum(mapping int64, hubspot any, object int64, salesforce any, base []byte, oh, os, related, ch, cs, gone, departed int64) []any {
	return []any{mapping, hubspot, object, salesforce, base, oh, os, related, ch, cs, gone, departed}
}

// DropLinks gives links up, by HubSpot id, and with them what was agreed of
// their associations.
func (t *Tx) DropLinks(mapping string, hubspotIDs []string) error {
	if len(hubspotIDs) == 0 {
		return nil
	}
	if err := t.DropTies(mapping, hubspotIDs); err != nil {
		return err
	}
	return t.exec("DELETE FROM links WHERE mapping = ? AND hubspot_id IN (SELECT value FROM json_each(?))",
		t.s.codeOf(mapping), idList(crm.HubSpot, hubspotIDs))
}

// encodeBase packs a base: version, number of slots, then eight bytes for each
// slot and side.
func encodeBase(b crm.Base) []byte {
	n := max(len(b.HubSpot), len(b.Salesforce))
	out := make([]byte, 0, 10+16*n)
	out = binary.LittleEndian.AppendUint64(out, b.Version)
	out = binary.AppendUvarint(out, uint64(n))
	for _, side := range [][]uint64{b.HubSpot, b.Salesforce} {
		for i := range n {
			h := uint64(0)
			if i < len(side) {
				h = side[i]
			}
			out = binary.LittleEndian.AppendUint64(out, h)
		}
	}
	return out
}

// decodeBase unpacks a base; one that is cut short reads as "nothing known",
// which compares both sides anew and loses nothing.
func decodeBase(in []byte) crm.Base {
	if len(in) < 9 {
		return crm.Base{}
	}
	b := crm.Base{Version: binary.LittleEndian.Uint64(in)}
	n, used := binary.Uvarint(in[8:])
	if used <= 0 || n > uint64(len(in)) {
		return crm.Base{}
	}
	in = in[8+used:]
	if uint64(len(in)) != 16*n {
		return crm.Base{}
	}
	hashes := make([]uint64, 2*n)
	for i := range hashes {
		hashes[i] = binary.LittleEndian.Uint64(in[8*i:])
	}
	b.HubSpot, b.Salesforce = hashes[:n:n], hashes[n:]
	return b
}
