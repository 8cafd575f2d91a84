package store

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/lockstep-sync/lockstep/internal/crm"
)

func TestAConflictKeepsItsNumberAndNumbersAreNotUsedUp(t *testing.T) {
	s := ready(t)
	shown := func(id string, print uint64, hour int) Conflict {
		return Conflict{Mapping: "people", Thing: crm.Ref{Side: crm.HubSpot, Object: "contacts", ID: id}, Kind: "field", Field: "phone/Phone", Print: print,
			Body: []byte("x"), Opened: time.Date(2026, 1, 1, hour, 0, 0, 0, time.UTC)}
	}
	put := func(list ...Conflict) {
		t.Helper()
		write(t, s, func(tx *Tx) error { return tx.PutConflicts(list) })
	}
	put(shown("1", 7, 1))
	write(t, s, func(tx *Tx) error {
		if ok, err := tx.AnswerConflict(1, 7, "hubspot"); err != nil || !ok {
			t.Errorf("answered %v, %v", ok, err)
		}
		return nil
	})
	for hour := 2; hour < 9; hour++ {
		put(shown("1", 7, hour)) // shown again by each command
	}
	put(shown("1", 7, 9), shown("2", 8, 9))
	put(shown("2", 9, 10)) // another value: another question
	list, err := s.Conflicts(ctx)
	if err != nil {
		t.Fatal(err)
	}
	type short struct {
		ID, Opened int64
		Thing      string
		Answer     string
	}
	var got []short
	for _, c := range list {
		got = append(got, short{c.ID, int64(c.Opened.Hour()), c.Thing.ID, c.Answer})
	}
	if diff := cmp.Diff([]short{{1, 1, "1", "hubspot"}, {2, 10, "2", ""}}, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}
