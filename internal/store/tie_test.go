package store

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/lockstep-sync/lockstep/internal/crm"
)

func TestTiesAreReplacedAsAWholeAndEndWithTheirLink(t *testing.T) {
	s := ready(t)
	role := func(far, label, row string) crm.Tie {
		return crm.Tie{Association: "contacts/OpportunityContactRole", Far: far, Label: label, RowID: row}
	}
	read := func(ids ...string) map[string][]crm.Tie {
		t.Helper()
		found, err := s.Ties(ctx, "people", ids)
		if err != nil {
			t.Fatal(err)
		}
		return found
	}
	write(t, s, func(tx *Tx) error {
		if err := tx.PutLinks([]Link{link("1", "003000000000001AAA"), link("2", "003000000000002AAA")}); err != nil {
			return err
		}
		if err := tx.PutTies("people", "1", []crm.Tie{role("7", "", "00K1"), role("8", "Decision maker", "")}); err != nil {
			return err
		}
		return tx.PutTies("people", "2", []crm.Tie{role("7", "", "00K2")})
	})
	want := map[string][]crm.Tie{"1": {role("7", "", "00K1"), role("8", "Decision maker", "")}, "2": {role("7", "", "00K2")}}
	if diff := cmp.Diff(want, read("1", "2", "3")); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	write(t, s, func(tx *Tx) error {
		if err := tx.PutTies("people", "1", []crm.Tie{role("8", "", "00K3")}); err != nil {
			return err
		}
		return tx.DropLinks("people", []string{"2"})
	})
	if diff := cmp.Diff(map[string][]crm.Tie{"1": {role("8", "", "00K3")}}, read("1", "2")); diff != "" {
		t.Errorf("after one was replaced and one link dropped (-want +got):\n%s", diff)
	}
}

func TestASweepGoesOnWhereItWas(t *testing.T) {
	s := ready(t)
	for _, want := range []Sweep{{Position: "100", Rows: 7}, {Waited: 3}} {
		write(t, s, func(tx *Tx) error { return tx.PutSweep("people", crm.HubSpot, "contacts", SweepAssociations, want) })
		if got, err := s.Sweep(ctx, "people", crm.HubSpot, "contacts", SweepAssociations); err != nil || got != want {
			t.Errorf("got %+v, %v, want %+v", got, err, want)
		}
	}
	if got, err := s.Sweep(ctx, "people", crm.Salesforce, "Contact", SweepCalculated); err != nil || got != (Sweep{}) {
		t.Errorf("a sweep that never was: %+v, %v", got, err)
	}
}

func TestWhatSlotsMeantIsKeptByVersion(t *testing.T) {
	s := ready(t)
	write(t, s, func(tx *Tx) error {
		if err := tx.PutBaseSlots("people", 1<<63, []uint64{1, 1 << 63}); err != nil {
			return err
		}
		return tx.PutBaseSlots("people", 2, nil)
	})
	got, err := s.BaseSlots(ctx, "people")
	if diff := cmp.Diff(map[uint64][]uint64{1 << 63: {1, 1 << 63}, 2: {}}, got); diff != "" || err != nil {
		t.Errorf("%v (-want +got):\n%s", err, diff)
	}
}
