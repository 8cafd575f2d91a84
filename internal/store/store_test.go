package store

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"

	"github.com/lockstep-sync/lockstep/internal/crm"
	"github.com/lockstep-sync/lockstep/internal/fault"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func open(t *testing.T, path string) *Store {
	t.Helper()
	s, err := Open(context.Background(), path, Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

func ready(t *testing.T) *Store {
	t.Helper()
	s := open(t, filepath.Join(t.TempDir(), "odd name?#%", "lockstep.db"))
	if err := s.Acquire(context.Background()); err != nil {
		t.Fatal(err)
	}
	if err := s.Prepare(context.Background(), "people", "contacts", "Contact", "Lead"); err != nil {
		t.Fatal(err)
	}
	return s
}

func write(t *testing.T, s *Store, fn func(*Tx) error) {
	t.Helper()
	if err := s.Write(context.Background(), fn); err != nil {
		t.Fatal(err)
	}
}

var ctx = context.Background()

func link(hubspot, salesforce string) Link {
	return Link{Link: crm.Link{Mapping: "people", HubSpotID: hubspot, SalesforceObject: "Contact", SalesforceID: salesforce,
		Base: crm.Base{Version: 7, HubSpot: []uint64{1, 1 << 63}, Salesforce: []uint64{3, 4}}}, SeenHubSpot: 1<<64 - 1, Outcome: crm.Unchanged}
}

func TestFileIsForItsOwnerOnly(t *testing.T) {
	s := ready(t)
	write(t, s, func(tx *Tx) error { return tx.SetMeta("a", "b") })
	for _, suffix := range []string{"", "-wal", "-shm"} {
		info, err := os.Stat(s.Path() + suffix)
		if err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("%s: %v %v", suffix, info.Mode(), err)
		}
	}
}

func TestLinksComeBackAsTheyWereByEitherId(t *testing.T) {
	s := ready(t)
	// A Salesforce id that reads as a number must stay the text that it is.
	want := link("9007199254740993", "001E00000000001AAA")
	write(t, s, func(tx *Tx) error { return tx.PutLinks([]Link{want, link("12", "003000000000001AAA")}) })
	byHubSpot, err := s.Links(ctx, "people", crm.HubSpot, []string{"9007199254740993", "404"})
	if err != nil {
		t.Fatal(err)
	}
	bySalesforce, err := s.Links(ctx, "people", crm.Salesforce, []string{"001E00000000001AAA"})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(map[string]Link{want.HubSpotID: want}, byHubSpot); diff != "" {
		t.Errorf("by HubSpot id (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(map[string]Link{want.SalesforceID: want}, bySalesforce); diff != "" {
		t.Errorf("by Salesforce id (-want +got):\n%s", diff)
	}
}

func TestARecordIsInAtMostOneLink(t *testing.T) {
	s := ready(t)
	write(t, s, func(tx *Tx) error { return tx.PutLinks([]Link{link("1", "003000000000001AAA")}) })
	err := s.Write(ctx, func(tx *Tx) error { return tx.PutLinks([]Link{link("2", "003000000000001AAA")}) })
	if err == nil {
		t.Error("a second link of the same Salesforce record was taken")
	}
	if n, _ := s.CountLinks(ctx, "people"); n != 1 {
		t.Errorf("%d links", n)
	}
}

func TestChangesArePagedInTheOrderOfTheirIds(t *testing.T) {
	s := ready(t)
	ref := func(id string) crm.Ref { return crm.Ref{Side: crm.HubSpot, Object: "contacts", ID: id} }
	write(t, s, func(tx *Tx) error {
		return tx.PutChanges([]Change{{Mapping: "people", Ref: ref("100"), Due: true}, {Mapping: "people", Ref: ref("9"), Due: true},
			{Mapping: "people", Ref: ref("20"), Due: true}, {Mapping: "people", Ref: ref("15")}})
	})
	var got []string
	for after := ""; ; {
		page, err := s.DueChanges(ctx, "people", crm.HubSpot, after, 2)
		if err != nil {
			t.Fatal(err)
		}
		for _, c := range page {
			after = c.Ref.ID
			got = append(got, after)
		}
		if len(page) < 2 {
			break
		}
	}
	if diff := cmp.Diff([]string{"9", "20", "100"}, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestAwaitsMakeTheirThingsDueOnceAndKeepTheirValues(t *testing.T) {
	s := ready(t)
	thing := crm.Ref{Side: crm.HubSpot, Object: "contacts", ID: "5"}
	far := crm.Ref{Side: crm.HubSpot, Object: "contacts", ID: "6"}
	write(t, s, func(tx *Tx) error {
		if err := tx.PutChanges([]Change{{Mapping: "people", Ref: thing, Record: []byte("values")}}); err != nil {
			return err
		}
		return tx.PutAwaits([]Await{{"people", far, "people", thing}, {"people", far, "people", thing}})
	})
	for round, want := range []int{1, 0} {
		write(t, s, func(tx *Tx) error {
			n, err := tx.FireAwaits("people", crm.HubSpot, []string{"6"})
			if n != want {
				t.Errorf("round %d fired %d, want %d", round, n, want)
			}
			return err
		})
	}
	page, err := s.DueChanges(ctx, "people", crm.HubSpot, "", 10)
	if err != nil || len(page) != 1 || string(page[0].Record) != "values" {
		t.Errorf("%+v %v", page, err)
	}
}

func TestKeysFindRecordsByRuleAndHash(t *testing.T) {
	s := ready(t)
	key := func(rule int, hash uint64, id string) Key {
		return Key{rule, hash, crm.Ref{Side: crm.Salesforce, Object: "Contact", ID: id}}
	}
	all := []Key{key(-1, 1, "003a"), key(0, 1<<63+5, "003a"), key(0, 1<<63+5, "003b"), key(1, 1<<63+5, "003c")}
	write(t, s, func(tx *Tx) error { return tx.PutKeys("people", crm.Salesforce, append(all, all...)) })
	got, err := s.Keys(ctx, "people", crm.Salesforce, []Key{{Rule: 0, Hash: 1<<63 + 5}}, 10)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(all[1:3], got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// TestARecordWhoseKeyWasDroppedCountsAsUnseen: put back as it was, it would look
// as it did when it was last seen, and its key would stay forgotten.
func TestARecordWhoseKeyWasDroppedCountsAsUnseen(t *testing.T) {
	s := ready(t)
	linked := Link{Link: crm.Link{Mapping: "people", HubSpotID: "1", SalesforceObject: "Contact", SalesforceID: "003a"}, SeenHubSpot: 7, SeenSalesforce: 8}
	alone := Outcome{Mapping: "people", Ref: crm.Ref{Side: crm.HubSpot, Object: "contacts", ID: "2"}, Seen: 9, Outcome: crm.Held}
	write(t, s, func(tx *Tx) error {
		if err := tx.PutLinks([]Link{linked}); err != nil {
			return err
		}
		if err := tx.PutOutcomes([]Outcome{alone}); err != nil {
			return err
		}
		return tx.DropKeys("people", crm.HubSpot, []Key{{Rule: 0, Hash: 1, Ref: crm.Ref{ID: "1"}}, {Rule: 0, Hash: 2, Ref: crm.Ref{ID: "2"}}})
	})
	links, err := s.Links(ctx, "people", crm.HubSpot, []string{"1"})
	if err != nil {
		t.Fatal(err)
	}
	outcomes, err := s.Outcomes(ctx, "people", crm.HubSpot, []string{"2"})
	if err != nil {
		t.Fatal(err)
	}
	if l, o := links["1"], outcomes["2"]; l.SeenHubSpot != 0 || l.SeenSalesforce != 8 || o.Seen != 0 {
		t.Errorf("seen %d and %d, alone %d", l.SeenHubSpot, l.SeenSalesforce, o.Seen)
	}
}

func TestFilesThatAreNoStoreAreRefusedAndLeftAlone(t *testing.T) {
	dir := t.TempDir()
	text := filepath.Join(dir, "text.db")
	if err := os.WriteFile(text, []byte(strings.Repeat("this is no database ", 100)), 0o600); err != nil {
		t.Fatal(err)
	}
	newer := filepath.Join(dir, "newer.db")
	s := open(t, newer)
	if _, err := s.write.Exec("INSERT INTO goose_db_version (version_id, is_applied) VALUES (9999, 1)"); err != nil {
		t.Fatal(err)
	}
	s.Close()
	torn := filepath.Join(dir, "torn.db")
	whole := open(t, torn)
	whole.Close()
	content, err := os.ReadFile(torn)
	if err != nil {
		t.Fatal(err)
	}
	for i := 4096; i < len(content); i++ {
		content[i] = 0xAA
	}
	if err := os.WriteFile(torn, content, 0o600); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(dir, "plain")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for name, path := range map[string]string{
		"a text file": text, "a file of a newer Lockstep": newer, "a damaged file": torn, "a folder that is a file": filepath.Join(file, "lockstep.db"),
	} {
		t.Run(name, func(t *testing.T) {
			before, _ := os.ReadFile(path)
			_, err := Open(ctx, path, Options{})
			if fault.KindOf(err) != fault.Internal || fault.MendOf(err) == "" {
				t.Errorf("kind %q, mend %q: %v", fault.KindOf(err), fault.MendOf(err), err)
			}
			after, _ := os.ReadFile(path)
			if string(before) != string(after) {
				t.Error("the file was changed")
			}
		})
	}
}

func TestFullDiskIsToldAndTheTransactionGone(t *testing.T) {
	s, err := Open(ctx, filepath.Join(t.TempDir(), "lockstep.db"), Options{MaxBytes: 200 << 10})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if err := s.Acquire(ctx); err != nil {
		t.Fatal(err)
	}
	write(t, s, func(tx *Tx) error { return tx.SetMeta("kept", "yes") })
	err = s.Write(ctx, func(tx *Tx) error { return tx.SetMeta("big", strings.Repeat("x", 1<<20)) })
	f, ok := fault.As(err)
	if !ok || f.Code != CodeFull || !IsStorage(err) || f.Mend == "" {
		t.Fatalf("%v", err)
	}
	if v, err := s.Meta(ctx, "kept"); v != "yes" || err != nil {
		t.Errorf("%q %v", v, err)
	}
	if v, _ := s.Meta(ctx, "big"); v != "" {
		t.Error("half of a transaction is there")
	}
}

func TestSecondProcessIsToldWhoWorksSinceWhen(t *testing.T) {
	path := filepath.Join(t.TempDir(), "lockstep.db")
	first, second := open(t, path), open(t, path)
	if err := first.Acquire(ctx); err != nil {
		t.Fatal(err)
	}
	err := second.Acquire(ctx)
	if fault.KindOf(err) != fault.Conflict || !strings.Contains(err.Error(), "process") || !strings.Contains(err.Error(), "since") {
		t.Fatalf("%v", err)
	}
	first.Release()
	if err := second.Acquire(ctx); err != nil {
		t.Errorf("after the release: %v", err)
	}
}

func TestLeaseLivesWhileItsHolderDoesAndFencesAZombie(t *testing.T) {
	path := filepath.Join(t.TempDir(), "lockstep.db")
	synctest.Test(t, func(t *testing.T) {
		first, err := Open(ctx, path, Options{})
		if err != nil {
			t.Fatal(err)
		}
		second, err := Open(ctx, path, Options{})
		if err != nil {
			t.Fatal(err)
		}
		defer second.Close()
		if err := first.Acquire(ctx); err != nil {
			t.Fatal(err)
		}
		time.Sleep(10 * time.Minute)
		if err := second.Acquire(ctx); fault.KindOf(err) != fault.Conflict {
			t.Errorf("a living holder lost its lease: %v", err)
		}
		// The holder falls silent, as a suspended machine does.
		close(first.lease.stop)
		<-first.lease.done
		time.Sleep(leaseTTL - time.Second)
		if err := second.Acquire(ctx); fault.KindOf(err) != fault.Conflict {
			t.Errorf("too early: %v", err)
		}
		time.Sleep(2 * time.Second)
		if err := second.Acquire(ctx); err != nil {
			t.Errorf("a silent holder kept its lease: %v", err)
		}
		err = first.Write(ctx, func(tx *Tx) error { return tx.SetMeta("zombie", "wrote") })
		if fault.KindOf(err) != fault.Conflict {
			t.Errorf("a zombie wrote: %v", err)
		}
		if v, _ := second.Meta(ctx, "zombie"); v != "" {
			t.Error("the zombie's write is there")
		}
		first.lease.epoch = 0
		first.Close()
	})
}

func TestDeadHolderOnThisHostLosesItsLeaseAtOnce(t *testing.T) {
	path := filepath.Join(t.TempDir(), "lockstep.db")
	s := open(t, path)
	host, _ := os.Hostname()
	// No process has this number: Linux ends at four million.
	_, err := s.write.Exec("INSERT INTO lease VALUES (1, 41, 'x', ?, 2147480000, '', ?, ?)", host, time.Now().UnixMicro(), time.Now().Add(time.Hour).UnixMicro())
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Acquire(ctx); err != nil || s.Epoch() != 42 {
		t.Errorf("epoch %d, %v", s.Epoch(), err)
	}
}

func TestWriteWithoutTheLeaseIsOurMistake(t *testing.T) {
	s := open(t, filepath.Join(t.TempDir(), "lockstep.db"))
	if err := s.Write(ctx, func(tx *Tx) error { return nil }); fault.KindOf(err) != fault.Internal {
		t.Errorf("%v", err)
	}
}

func TestCommitHookThatFailsBeforeRollsBackAndAfterDoesNot(t *testing.T) {
	died := errors.New("died")
	for stage, want := range map[Stage]string{BeforeCommit: "", AfterCommit: "kept"} {
		at := Stage("")
		s, err := Open(ctx, filepath.Join(t.TempDir(), "lockstep.db"), Options{Commit: func(s Stage) error {
			if s == at {
				return died
			}
			return nil
		}})
		if err != nil {
			t.Fatal(err)
		}
		if err := s.Acquire(ctx); err != nil {
			t.Fatal(err)
		}
		at = stage
		if err := s.Write(ctx, func(tx *Tx) error { return tx.SetMeta("fact", "kept") }); !errors.Is(err, died) {
			t.Errorf("%s: %v", stage, err)
		}
		if got, _ := s.Meta(ctx, "fact"); got != want {
			t.Errorf("%s: %q, want %q", stage, got, want)
		}
		s.Close()
	}
}

func TestScratchHoldsRecordsAndLeavesNoFile(t *testing.T) {
	s := ready(t)
	sc, err := s.NewScratch(ctx)
	if err != nil {
		t.Fatal(err)
	}
	rows := []ScratchRow{{crm.Ref{Side: crm.HubSpot, Object: "contacts", ID: "20"}, []byte("b")}, {crm.Ref{Side: crm.HubSpot, Object: "contacts", ID: "3"}, []byte("a")}}
	if err := sc.Put(ctx, rows); err != nil {
		t.Fatal(err)
	}
	page, err := sc.Page(ctx, crm.HubSpot, "", 10)
	if diff := cmp.Diff([]ScratchRow{rows[1], rows[0]}, page); diff != "" || err != nil {
		t.Errorf("%v (-want +got):\n%s", err, diff)
	}
	if err := sc.Close(); err != nil {
		t.Fatal(err)
	}
	if left, _ := filepath.Glob(filepath.Join(filepath.Dir(s.Path()), "scratch-*")); len(left) > 0 {
		t.Errorf("left %v", left)
	}
}

// TestNothingOfAMigrationIsChangedAfterItsRelease: databases out there have
// run it already. Each migration has a number of its own; a released one has its
// hash here.
func TestNothingOfAMigrationIsChangedAfterItsRelease(t *testing.T) {
	released := map[string]string{
		"0001_create_state.sql": "c9422118a2de128bb0d161d2e3f40d0dc07e171e76e36274b2048a9cd93a8ee6",
	}
	entries, err := migrations.ReadDir("migrations/sqlite")
	if err != nil {
		t.Fatal(err)
	}
	numbers := map[string]string{}
	for _, e := range entries {
		number, _, named := strings.Cut(e.Name(), "_")
		if _, err := strconv.Atoi(number); err != nil || len(number) != 4 || !named {
			t.Errorf("%s does not begin with four digits", e.Name())
		}
		if other, taken := numbers[number]; taken {
			t.Errorf("%s and %s have one number", other, e.Name())
		}
		numbers[number] = e.Name()
		text, err := migrations.ReadFile("migrations/sqlite/" + e.Name())
		if err != nil {
			t.Fatal(err)
		}
		if want, ok := released[e.Name()]; ok && fmt.Sprintf("%x", sha256.Sum256(text)) != want {
			t.Errorf("%s was changed after its release", e.Name())
		}
		delete(released, e.Name())
	}
	for name := range released {
		t.Errorf("%s is gone", name)
	}
}
