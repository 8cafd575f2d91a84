package store

import (
	"bytes"
	"database/sql"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/lockstep-sync/lockstep/internal/crm"
	"github.com/lockstep-sync/lockstep/internal/fault"
)

// isDamage wants the one fault that says what is damaged, and what to do.
func isDamage(t *testing.T, path string, err error) {
	t.Helper()
	f, ok := fault.As(err)
	if !ok || f.Code != CodeDamaged || !strings.Contains(f.What, path) || !strings.Contains(f.Mend, "put a backup") {
		t.Errorf("got %v (next: %s), want a fault that names %s and what to do", err, fault.MendOf(err), path)
	}
}

// turn changes one byte of the values that a query finds, past SQLite: the pages
// stay as whole as they were.
func turn(t *testing.T, s *Store, update string) {
	t.Helper()
	if _, err := s.write.Exec(update); err != nil {
		t.Fatal(err)
	}
}

// TestATurnedByteInARowIsNoticed changes a value of each kind of row that decides
// what is written outside. SQLite has no way of noticing it.
func TestATurnedByteInARowIsNoticed(t *testing.T) {
	contact := crm.Ref{Side: crm.HubSpot, Object: "contacts", ID: "1"}
	for _, c := range []struct {
		name, update string
		read         func(*Store) error
	}{
		{"the base of a link", "UPDATE links SET base = substr(base, 1, 12) || x'2a' || substr(base, 14)",
			func(s *Store) error { _, err := s.LinkPage(ctx, "people", "", 10); return err }},
		{"the Salesforce id of a link", "UPDATE links SET salesforce_id = '003000000000002AAA'",
			func(s *Store) error { _, err := s.Links(ctx, "people", crm.HubSpot, []string{"1"}); return err }},
		{"that a record is gone", "UPDATE links SET gone = 1",
			func(s *Store) error { _, err := s.Links(ctx, "people", crm.HubSpot, []string{"1"}); return err }},
		{"a value that was read", "UPDATE changes SET record = 'Anb'",
			func(s *Store) error { _, err := s.DueChanges(ctx, "people", crm.HubSpot, "", 10); return err }},
		{"what was decided", "UPDATE plan SET body = 'decidee'",
			func(s *Store) error {
				_, err := s.PlanPage(ctx, "people", crm.HubSpot, "", 10, true, 0)
				return err
			}},
		{"a create that was sent", "UPDATE intents SET body = 'creatf'",
			func(s *Store) error { _, err := s.Intents(ctx); return err }},
		{"a before-image of the journal", "UPDATE journal SET changes = 'befora'",
			func(s *Store) error { _, err := s.Journal(ctx, contact, 10); return err }},
		{"how far a side was read", "UPDATE cursors SET since = since + 65536",
			func(s *Store) error { _, err := s.Cursor(ctx, "people", crm.HubSpot, "contacts"); return err }},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := ready(t)
			write(t, s, func(tx *Tx) error {
				if err := tx.PutLinks([]Link{link("1", "003000000000001AAA")}); err != nil {
					return err
				}
				if err := tx.PutChanges([]Change{{Mapping: "people", Ref: contact, Due: true, Seen: 7, Record: []byte("Ann")}}); err != nil {
					return err
				}
				if err := tx.PutPlan([]PlanRow{{Mapping: "people", Side: crm.HubSpot, ID: "1", Ops: UpdatesSalesforce, Decided: time.Now(), Body: []byte("decided")}}); err != nil {
					return err
				}
				if err := tx.PutIntents([]Intent{{Key: "k", Mapping: "people", Target: crm.Ref{Side: crm.Salesforce, Object: "Contact", ID: "1"}, Sent: time.Now(), Body: []byte("create")}}); err != nil {
					return err
				}
				if err := tx.AppendJournal([]Entry{{Run: 1, Time: time.Now(), Mapping: "people", Ref: contact, Op: crm.Update, Changes: []byte("before"), Result: ResultSent}}); err != nil {
					return err
				}
				return tx.PutCursor("people", crm.HubSpot, "contacts", Cursor{Since: time.Now(), Complete: time.Now(), Version: 7})
			})
			if err := c.read(s); err != nil {
				t.Fatalf("before: %v", err)
			}
			// What Lockstep itself changes in place is no damage.
			write(t, s, func(tx *Tx) error {
				if err := tx.KeepChanges("people", crm.HubSpot, []string{"1"}); err != nil {
					return err
				}
				if err := tx.PutDue("people", []crm.Ref{contact}, WakeHint); err != nil {
					return err
				}
				if err := tx.FoundInJournal(1, crm.HubSpot, "1"); err != nil {
					return err
				}
				return tx.DropKeys("people", crm.HubSpot, []Key{{Rule: 1, Hash: 2, Ref: contact}})
			})
			if err := c.read(s); err != nil {
				t.Fatalf("after changes of its own: %v", err)
			}
			turn(t, s, c.update)
			isDamage(t, s.Path(), c.read(s))
			// From then on the file decides nothing and takes nothing.
			isDamage(t, s.Path(), s.Write(ctx, func(*Tx) error { t.Error("a write was begun on a damaged file"); return nil }))
			_, err := s.CountLinks(ctx, "people")
			isDamage(t, s.Path(), err)
		})
	}
}

// TestRowsFromBeforeTheSumsAreTaken: a file of an earlier Lockstep has rows
// without a sum.
func TestRowsFromBeforeTheSumsAreTaken(t *testing.T) {
	s := ready(t)
	want := link("1", "003000000000001AAA")
	write(t, s, func(tx *Tx) error { return tx.PutLinks([]Link{want}) })
	turn(t, s, "UPDATE links SET sum = 0")
	links, err := s.Links(ctx, "people", crm.HubSpot, []string{"1"})
	if err != nil || len(links) != 1 {
		t.Errorf("%v, %v", links, err)
	}
}

// TestADamagedFileIsNoticedBeforeWorkBegins damages pages of each kind.
func TestADamagedFileIsNoticedBeforeWorkBegins(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "lockstep.db")
	s := open(t, path)
	if err := s.Acquire(ctx); err != nil {
		t.Fatal(err)
	}
	if err := s.Prepare(ctx, "people", "Contact"); err != nil {
		t.Fatal(err)
	}
	write(t, s, func(tx *Tx) error {
		var links []Link
		for i := range 5000 {
			links = append(links, link(fmt.Sprint(100000+i), fmt.Sprintf("003%012dAAA", i)))
		}
		return tx.PutLinks(links)
	})
	pages := map[string][]int64{} // by table or index, all but its root
	rows, err := s.write.Query("SELECT name, rootpage FROM sqlite_schema WHERE rootpage > 0")
	if err != nil {
		t.Fatal(err)
	}
	roots := map[string]int64{}
	for rows.Next() {
		var name string
		var root int64
		if err := rows.Scan(&name, &root); err != nil {
			t.Fatal(err)
		}
		roots[name] = root
	}
	rows.Close()
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	good, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	const size = 4096
	for n := int64(2); n*size <= int64(len(good)); n++ {
		page := good[(n-1)*size : n*size]
		switch {
		case page[0] == 10 && bytes.Contains(page, []byte("003000")) && len(page) > 0 && bytes.Contains(page, []byte{7, 0, 0, 0, 0, 0, 0, 0}):
			pages["a leaf of the links"] = append(pages["a leaf of the links"], n)
		case page[0] == 10 && bytes.Contains(page, []byte("003000")):
			pages["a leaf of the index"] = append(pages["a leaf of the index"], n)
		}
	}
	pages["the root of the links"] = []int64{roots["links"]}
	pages["the root of the index"] = []int64{roots["links_by_salesforce"]}
	pages["the schema"] = []int64{1}
	for name, list := range pages {
		if len(list) == 0 || list[0] == 0 {
			t.Fatalf("no page found: %s", name)
		}
		for how, spoil := range map[string]func([]byte){
			"zeroes":  func(p []byte) { clear(p) },
			"noise":   func(p []byte) { copy(p, bytes.Repeat([]byte{0xA5, 0x5A, 0x13}, len(p)/3)) },
			"a shift": func(p []byte) { copy(p, p[7:]) },
		} {
			t.Run(name+", "+how, func(t *testing.T) {
				bad := bytes.Clone(good)
				n := list[len(list)/2]
				page := bad[(n-1)*size : n*size]
				if n == 1 {
					page = page[100:] // the header is another case
				}
				spoil(page)
				isDamage(t, filepath.Join("lockstep.db"), acquireIn(t, bad, nil))
			})
		}
	}
	t.Run("the header", func(t *testing.T) {
		bad := bytes.Clone(good)
		clear(bad[:100])
		isDamage(t, "lockstep.db", acquireIn(t, bad, nil))
	})
	t.Run("cut short", func(t *testing.T) {
		isDamage(t, "lockstep.db", acquireIn(t, good[:len(good)/2/size*size], nil))
	})
	t.Run("nothing", func(t *testing.T) {
		if err := acquireIn(t, good, nil); err != nil {
			t.Error(err)
		}
	})
}

// acquireIn opens a copy of a file and takes its lease; the file must be left as
// it was when that is refused.
func acquireIn(t *testing.T, file, wal []byte) error {
	t.Helper()
	path := filepath.Join(t.TempDir(), "lockstep.db")
	if err := os.WriteFile(path, file, 0o600); err != nil {
		t.Fatal(err)
	}
	if wal != nil {
		if err := os.WriteFile(path+"-wal", wal, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	s, err := Open(ctx, path, Options{})
	if err == nil {
		err = s.Acquire(ctx)
		s.Close()
	}
	if err != nil {
		now, readErr := os.ReadFile(path)
		if readErr != nil || !bytes.Equal(now, file) {
			t.Errorf("the damaged file was written to (%v)", readErr)
		}
	}
	return err
}

func TestALargeFileIsLookedThroughOnceADay(t *testing.T) {
	now := time.Now()
	for _, c := range []struct {
		name    string
		bytes   int64
		unclean bool
		last    time.Time
		want    bool
	}{
		{"a small file always", 1 << 20, false, now.Add(-time.Minute), true},
		{"a large one that never was", 1 << 30, false, time.UnixMicro(0), true},
		{"a large one that was an hour ago", 1 << 30, false, now.Add(-time.Hour), false},
		{"a large one that was yesterday", 1 << 30, false, now.Add(-25 * time.Hour), true},
		{"a large one whose last process was killed", 1 << 30, true, now.Add(-time.Hour), true},
		{"a large one, and the clock was put back since", 1 << 30, false, now.Add(time.Hour), true},
	} {
		if got := checkIsDue(c.bytes, c.unclean, c.last, now); got != c.want {
			t.Errorf("%s: %v, want %v", c.name, got, c.want)
		}
	}
}

// BenchmarkCheck is what the look for damage costs before work begins:
//
//	go test -run '^$' -bench Check ./internal/store
func BenchmarkCheck(b *testing.B) {
	s, err := Open(ctx, filepath.Join(b.TempDir(), "lockstep.db"), Options{})
	if err != nil {
		b.Fatal(err)
	}
	defer s.Close()
	if err := s.Acquire(ctx); err != nil {
		b.Fatal(err)
	}
	if err := s.Prepare(ctx, "people", "contacts", "Contact"); err != nil {
		b.Fatal(err)
	}
	const links, batch, fields = 100_000, 1000, 24
	for n := 0; n < links; n += batch {
		if err := s.Write(ctx, func(tx *Tx) error {
			var list []Link
			var keys []Key
			var entries []Entry
			for i := n; i < n+batch; i++ {
				l := link(fmt.Sprint(100000+i), fmt.Sprintf("003%012dAAA", i))
				l.Base.HubSpot, l.Base.Salesforce = make([]uint64, fields), make([]uint64, fields)
				for f := range fields {
					l.Base.HubSpot[f] = uint64(i*fields+f) * 0x9E3779B97F4A7C15
				}
				copy(l.Base.Salesforce, l.Base.HubSpot)
				list = append(list, l)
				keys = append(keys, Key{Rule: 1, Hash: l.Base.HubSpot[0], Ref: crm.Ref{Side: crm.HubSpot, Object: "contacts", ID: l.HubSpotID}})
				entries = append(entries, Entry{Run: 1, Mapping: "people", Ref: crm.Ref{Side: crm.Salesforce, Object: "Contact", ID: l.SalesforceID}, Op: crm.Create, Changes: make([]byte, 600), Result: ResultDone})
			}
			if err := tx.PutLinks(list); err != nil {
				return err
			}
			if err := tx.PutKeys("people", crm.HubSpot, keys); err != nil {
				return err
			}
			return tx.AppendJournal(entries)
		}); err != nil {
			b.Fatal(err)
		}
	}
	if _, err := s.write.Exec("PRAGMA wal_checkpoint(TRUNCATE)"); err != nil {
		b.Fatal(err)
	}
	info, err := os.Stat(s.Path())
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		if err := s.check(ctx, true); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(info.Size())/(1<<20), "MB")
}

// holdFile opens the file as another program does and begins a transaction that
// keeps everybody else from writing, or (alone) from reading too.
func holdFile(t *testing.T, path string, alone bool) (release func()) {
	t.Helper()
	db, err := sql.Open("sqlite", "file:"+path)
	if err != nil {
		t.Fatal(err)
	}
	db.SetMaxOpenConns(1)
	statements := []string{"BEGIN IMMEDIATE"}
	if alone {
		statements = []string{"PRAGMA locking_mode = EXCLUSIVE", "BEGIN EXCLUSIVE"}
	}
	for _, sql := range statements {
		if _, err := db.Exec(sql); err != nil {
			t.Fatal(err)
		}
	}
	return func() {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	}
}

// TestADamagedLogIsCutWhereItIsDamaged: SQLite checks each page of the write-ahead
// log, and takes what comes before the first bad one. The file then stands as it
// did a moment before, as after a loss of power.
func TestADamagedLogIsCutWhereItIsDamaged(t *testing.T) {
	path := filepath.Join(t.TempDir(), "lockstep.db")
	s := open(t, path)
	if err := s.Acquire(ctx); err != nil {
		t.Fatal(err)
	}
	size := func() int64 {
		info, err := os.Stat(path + "-wal")
		if err != nil {
			t.Fatal(err)
		}
		return info.Size()
	}
	read := func(name string) []byte {
		content, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		return content
	}
	write(t, s, func(tx *Tx) error { return tx.SetMeta("first", "1") })
	first := size()
	write(t, s, func(tx *Tx) error { return tx.SetMeta("second", "2") })
	file, log := read(path), read(path+"-wal")
	for _, c := range []struct {
		name          string
		spoil         func([]byte) []byte
		first, second string
	}{
		{"whole", func(w []byte) []byte { return w }, "1", "2"},
		{"a byte of the second transaction", func(w []byte) []byte { w[first+200] ^= 1; return w }, "1", ""},
		{"cut in the second transaction", func(w []byte) []byte { return w[:first+100] }, "1", ""},
		{"the log's header", func(w []byte) []byte { w[8] ^= 1; return w }, "", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			copied := filepath.Join(t.TempDir(), "lockstep.db")
			for name, content := range map[string][]byte{copied: file, copied + "-wal": c.spoil(bytes.Clone(log))} {
				if err := os.WriteFile(name, content, 0o600); err != nil {
					t.Fatal(err)
				}
			}
			s := open(t, copied)
			one, err := s.Meta(ctx, "first")
			if err != nil {
				t.Fatal(err)
			}
			two, err := s.Meta(ctx, "second")
			if err != nil || one != c.first || two != c.second {
				t.Errorf("first %q, second %q, %v", one, two, err)
			}
		})
	}
}
