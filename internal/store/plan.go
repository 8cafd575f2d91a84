package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"time"

	"github.com/lockstep-sync/lockstep/internal/crm"
)

// Ops is what a decision would do, as bits.
type Ops uint32

// The bits of Ops.
const (
	CreatesInHubSpot Ops = 1 << iota
	CreatesInSalesforce
	UpdatesHubSpot
	UpdatesSalesforce
	ArchivesHubSpot
	ArchivesSalesforce
	RelatesHubSpot
	RelatesSalesforce
	LinksRecords
	RestoresHubSpot
	RestoresSalesforce

	// Restores are those that bring an archived record back.
	Restores = RestoresHubSpot | RestoresSalesforce

	// BreaksPolicy: a policy of the mapping is broken. It is no operation: it
	// marks things that are held for it, and those that only count.
	BreaksPolicy Ops = 1 << 31

	// Writes are all that change something outside.
	Writes = CreatesInHubSpot | CreatesInSalesforce | UpdatesHubSpot | UpdatesSalesforce |
		ArchivesHubSpot | ArchivesSalesforce | RelatesHubSpot | RelatesSalesforce | Restores
)

// PlanRow is one thing that was decided in the current cycle.
type PlanRow struct {
	Mapping string
	// Side and ID name the thing: the HubSpot record, or a Salesforce record
	// without one.
	Side crm.Side
	ID   string
	// SalesforceID of the pair, when the thing has one already.
	SalesforceID string
	Ops          Ops
	Outcome      crm.Outcome
	Code         string
	Decided      time.Time
	Done         bool
	Body         []byte
}

const planColumns = "p.mapping, p.side, p.id, p.salesforce_id, p.ops, p.outcome, p.code, p.decided, p.done, p.body, p.sum"

func (s *Store) scanPlan(r *sql.Rows) (PlanRow, error) {
	var p PlanRow
	var mapping, side, ops, decided, done, sum int64
	var id, salesforce idScan
	var outcome string
	if err := r.Scan(&mapping, &side, &id, &salesforce, &ops, &outcome, &p.Code, &decided, &done, &p.Body, &sum); err != nil {
		return p, err
	}
	var partner any
	if salesforce != "" {
		partner = idValue(crm.Salesforce, string(salesforce))
	}
	if err := s.holds(sum, "the plan for "+s.name(mapping)+" "+string(id),
		mapping, side, idValue(sideOf(side), string(id)), partner, ops, outcome, p.Code, decided, bytesOf(p.Body)); err != nil {
		return p, err
	}
	p.Mapping, p.Side, p.ID, p.SalesforceID = s.name(mapping), sideOf(side), string(id), string(salesforce)
	p.Ops, p.Outcome, p.Decided, p.Done = Ops(ops), crm.Outcome(outcome), time.UnixMicro(decided).UTC(), done != 0
	return p, nil
}

// ClearPlan forgets the plan of the last cycle.
func (t *Tx) ClearPlan() error { return t.exec("DELETE FROM plan") }

// PutPlan adds decisions, each over an earlier one of the same thing.
func (t *Tx) PutPlan(rows []PlanRow) error {
	return insert(t, "INSERT INTO plan (mapping, side, id, salesforce_id, ops, outcome, code, decided, done, body, sum) VALUES", 11,
		`ON CONFLICT (mapping, side, id) DO UPDATE SET salesforce_id = excluded.salesforce_id, ops = excluded.ops, outcome = excluded.outcome,
		code = excluded.code, decided = excluded.decided, done = excluded.done, body = excluded.body, sum = excluded.sum`,
		rows, func(args []any, p PlanRow) []any {
			var salesforce any
			if p.SalesforceID != "" {
				salesforce = idValue(crm.Salesforce, p.SalesforceID)
			}
			mapping, side, id, body := t.s.codeOf(p.Mapping), sideCode(p.Side), idValue(p.Side, p.ID), bytesOf(p.Body)
			return append(args, mapping, side, id, salesforce, int64(p.Ops), string(p.Outcome), p.Code, p.Decided.UnixMicro(), int64(0), body,
				rowSum(mapping, side, id, salesforce, int64(p.Ops), string(p.Outcome), p.Code, p.Decided.UnixMicro(), body))
		})
}

// DonePlan marks things of the plan as settled.
func (t *Tx) DonePlan(mapping string, side crm.Side, ids []string) error {
	if len(ids) == 0 {
		return nil
	}
	return t.exec("UPDATE plan SET done = 1 WHERE mapping = ? AND side = ? AND id IN (SELECT value FROM json_each(?))",
		t.s.codeOf(mapping), sideCode(side), idList(side, ids))
}

// PlanPage reads at most limit rows of one mapping and side in the order of
// ids, those after the given one; start with "". With open it leaves out what
// is settled; ops other than 0 leaves out things that do none of these.
func (s *Store) PlanPage(ctx context.Context, mapping string, side crm.Side, after string, limit int, open bool, ops Ops) ([]PlanRow, error) {
	where, args := "p.mapping = ? AND p.side = ?", []any{s.codeOf(mapping), sideCode(side)}
	if after != "" {
		where, args = where+" AND p.id > ?", append(args, idValue(side, after))
	}
	if open {
		where += " AND p.done = 0"
	}
	if ops != 0 {
		where, args = where+" AND p.ops & ? <> 0", append(args, int64(ops))
	}
	var page []PlanRow
	err := s.query(ctx, func(r *sql.Rows) error {
		p, err := s.scanPlan(r)
		page = append(page, p)
		return err
	}, "SELECT "+planColumns+" FROM plan p WHERE "+where+" ORDER BY p.id LIMIT ?", append(args, limit)...)
	return page, err
}

// PlanRows finds things of the plan by the id of their record on side; for
// Salesforce also those that are pairs.
func (s *Store) PlanRows(ctx context.Context, mapping string, side crm.Side, ids []string) (map[string]PlanRow, error) {
	if len(ids) == 0 {
		return nil, nil
	}
	found := map[string]PlanRow{}
	list := idList(side, ids)
	scan := func(key func(PlanRow) string) func(*sql.Rows) error {
		return func(r *sql.Rows) error {
			p, err := s.scanPlan(r)
			found[key(p)] = p
			return err
		}
	}
	err := s.query(ctx, scan(func(p PlanRow) string { return p.ID }),
		"SELECT "+planColumns+" FROM json_each(?) j CROSS JOIN plan p ON p.mapping = ? AND p.side = ? AND p.id = j.value",
		list, s.codeOf(mapping), sideCode(side))
	if err != nil || side == crm.HubSpot {
		return found, err
	}
	err = s.query(ctx, scan(func(p PlanRow) string { return p.SalesforceID }),
		"SELECT "+planColumns+" FROM json_each(?) j CROSS JOIN plan p INDEXED BY plan_by_salesforce ON p.mapping = ? AND p.salesforce_id = j.value AND p.salesforce_id IS NOT NULL",
		list, s.codeOf(mapping))
	return found, err
}

// PlanCount counts things of the plan alike.
type PlanCount struct {
	Mapping string
	Ops     Ops
	Outcome crm.Outcome
	Code    string
	Count   int
}

// CountPlan counts the plan by mapping, operations, outcome and reason code.
func (s *Store) CountPlan(ctx context.Context) ([]PlanCount, error) {
	var counts []PlanCount
	err := s.query(ctx, func(r *sql.Rows) error {
		var c PlanCount
		var mapping, ops int64
		var outcome string
		if err := r.Scan(&mapping, &ops, &outcome, &c.Code, &c.Count); err != nil {
			return err
		}
		c.Mapping, c.Ops, c.Outcome = s.name(mapping), Ops(ops), crm.Outcome(outcome)
		counts = append(counts, c)
		return nil
	}, "SELECT mapping, ops, outcome, code, count(*) FROM plan GROUP BY mapping, ops, outcome, code ORDER BY mapping, ops, outcome, code")
	return counts, err
}

// Intent is a create that was about to be sent.
type Intent struct {
	Key     string
	Mapping string
	// Target is the side and object of the record to create; its ID is the id
	// of the record on the other side that it is made from.
	Target crm.Ref
	Hash   uint64
	Sent   time.Time
	// Seq is its entry in the journal; 0 for none.
	Seq  int64
	Body []byte
}

// PutIntents remembers creates before they are sent.
func (t *Tx) PutIntents(intents []Intent) error {
	epoch := t.s.Epoch()
	return insert(t, "INSERT INTO intents (key, mapping, side, object, id, hash, epoch, sent, body, seq, sum) VALUES", 11,
		`ON CONFLICT (key) DO UPDATE SET object = excluded.object, hash = excluded.hash, epoch = excluded.epoch,
		sent = excluded.sent, body = excluded.body, seq = excluded.seq, sum = excluded.sum`,
		intents, func(args []any, i Intent) []any {
			mapping, side, object := t.s.codeOf(i.Mapping), sideCode(i.Target.Side), t.s.codeOf(i.Target.Object)
			id, body := idValue(i.Target.Side.Other(), i.Target.ID), bytesOf(i.Body)
			return append(args, i.Key, mapping, side, object, id, int64(i.Hash), epoch, i.Sent.UnixMicro(), body, i.Seq,
				rowSum(i.Key, mapping, side, object, id, int64(i.Hash), i.Sent.UnixMicro(), body, i.Seq))
		})
}

// DropIntents forgets creates whose fate is known.
func (t *Tx) DropIntents(keys []string) error {
	if len(keys) == 0 {
		return nil
	}
	list, err := json.Marshal(keys)
	if err != nil {
		return err
	}
	return t.exec("DELETE FROM intents WHERE key IN (SELECT value FROM json_each(?))", string(list))
}

// Intents reads all creates whose fate is not known, oldest first.
func (s *Store) Intents(ctx context.Context) ([]Intent, error) {
	var intents []Intent
	err := s.query(ctx, func(r *sql.Rows) error {
		var i Intent
		var mapping, side, object, hash, sent, sum int64
		var id idScan
		if err := r.Scan(&i.Key, &mapping, &side, &object, &id, &hash, &sent, &i.Body, &i.Seq, &sum); err != nil {
			return err
		}
		if err := s.holds(sum, "the create "+i.Key, i.Key, mapping, side, object, idValue(sideOf(side).Other(), string(id)), hash, sent, bytesOf(i.Body), i.Seq); err != nil {
			return err
		}
		i.Mapping, i.Target = s.name(mapping), crm.Ref{Side: sideOf(side), Object: s.name(object), ID: string(id)}
		i.Hash, i.Sent = uint64(hash), time.UnixMicro(sent).UTC()
		intents = append(intents, i)
		return nil
	}, "SELECT key, mapping, side, object, id, hash, sent, body, seq, sum FROM intents ORDER BY sent, key")
	return intents, err
}
