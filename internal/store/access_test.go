package store

import (
	"database/sql"
	"strings"
	"testing"

	"github.com/lockstep-sync/lockstep/internal/crm"
)

// TestBatchesAreFoundByIndex runs every read that happens for each batch of
// records under EXPLAIN QUERY PLAN: one that walks over a table or over all rows
// of a mapping would make a large first copy quadratic.
func TestBatchesAreFoundByIndex(t *testing.T) {
	s := ready(t)
	var queries []string
	s.explain = func(query string, args []any) {
		rows, err := s.read.Query("EXPLAIN QUERY PLAN "+query, args...)
		if err != nil {
			t.Fatalf("%s: %v", query, err)
		}
		defer rows.Close()
		var steps []string
		for rows.Next() {
			var id, parent, unused sql.RawBytes
			var detail string
			if err := rows.Scan(&id, &parent, &unused, &detail); err != nil {
				t.Fatal(err)
			}
			steps = append(steps, detail)
		}
		queries = append(queries, query+"\n    "+strings.Join(steps, "\n    "))
	}
	ids := []string{"1", "2"}
	calls := []func() error{
		func() error { _, err := s.Links(ctx, "people", crm.HubSpot, ids); return err },
		func() error { _, err := s.Links(ctx, "people", crm.Salesforce, ids); return err },
		func() error { _, err := s.LinkPage(ctx, "people", "5", 10); return err },
		func() error { _, err := s.Outcomes(ctx, "people", crm.HubSpot, ids); return err },
		func() error { _, err := s.OutcomePage(ctx, "people", crm.Salesforce, "5", 10); return err },
		func() error { _, err := s.DueChanges(ctx, "people", crm.HubSpot, "5", 10); return err },
		func() error { _, err := s.ChangesByID(ctx, "people", crm.HubSpot, ids); return err },
		func() error { _, err := s.Keys(ctx, "people", crm.HubSpot, []Key{{Rule: 1, Hash: 2}}, 10); return err },
		func() error { _, err := s.PlanRows(ctx, "people", crm.Salesforce, ids); return err },
		func() error { _, err := s.PlanPage(ctx, "people", crm.HubSpot, "5", 10, true, Writes); return err },
		func() error {
			_, err := s.Journal(ctx, crm.Ref{Side: crm.HubSpot, Object: "contacts", ID: "1"}, 5)
			return err
		},
		func() error { _, err := s.Ties(ctx, "people", ids); return err },
		func() error {
			_, err := s.Sweep(ctx, "people", crm.HubSpot, "contacts", SweepAssociations)
			return err
		},
		func() error { _, err := s.JournalOfRun(ctx, 1, 5, 10); return err },
	}
	for _, call := range calls {
		if err := call(); err != nil {
			t.Fatal(err)
		}
	}
	for _, q := range queries {
		for _, step := range strings.Split(q, "\n    ")[1:] {
			scans := strings.HasPrefix(step, "SCAN") && !strings.Contains(step, "VIRTUAL TABLE")
			// (mapping=?) alone is every row of a mapping; a page adds id>?.
			wide := strings.HasSuffix(step, "(mapping=?)") || strings.HasSuffix(step, "(mapping=? AND side=?)")
			if scans || wide || strings.Contains(step, "TEMP B-TREE") {
				t.Errorf("%q in %s", step, q)
			}
		}
	}
	if len(queries) < len(calls) {
		t.Errorf("%d queries looked at", len(queries))
	}
}
