package e2e

import (
	"bytes"
	"context"
	"database/sql"
	"encoding/binary"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/lockstep-sync/lockstep/internal/cli"
	"github.com/lockstep-sync/lockstep/internal/fault"
)

// pageBytes is the size of a page of the database.
const pageBytes = 4096

// damagedCommands is what a person may run on a damaged database. Those that work
// on the pair have to see any damage before they do; the others see what they read.
var damagedCommands = []struct {
	line  string
	works bool
}{
	{"sync", true}, {"plan", true}, {"undo 1 --yes", true},
	{"status", false}, {"runs list", false}, {"runs show 1", false}, {"errors list", false}, {"conflicts list", false}, {"verify", false},
}

// TestCommandsOnADamagedDatabase spoils a page of each kind and runs real
// commands on it, with edits waiting on both sides: never a panic, never a write
// to either vendor, and one error that names the file and says what to do. Then
// it does what the error says.
func TestCommandsOnADamagedDatabase(t *testing.T) {
	t.Parallel()
	w := newKillWorldOf(t, "120", "")
	w.inside("sync")
	w.addPerson(1)
	w.editLinked(5)
	file := filepath.Join(w.dir, ".lockstep", "lockstep.db")
	good, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	before := w.writes()
	put := func(content []byte) {
		t.Helper()
		for _, suffix := range []string{"-wal", "-shm"} {
			_ = os.Remove(file + suffix)
		}
		if err := os.WriteFile(file, content, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	spoiled := map[string]func([]byte) []byte{
		"the header": func(b []byte) []byte { clear(b[:100]); return b },
		"cut short":  func(b []byte) []byte { return b[:len(b)/2/pageBytes*pageBytes] },
	}
	roots := rootPages(t, file)
	for _, name := range []string{"links", "links_by_salesforce", "match_keys", "outcomes", "journal", "journal_by_record", "cursors", "names", "plan", "runs", "meta"} {
		spoiled["a leaf of "+name] = func(b []byte) []byte {
			leaf := leafPage(b, roots[name])
			copy(leaf, bytes.Repeat([]byte{0x5A, 0xA5, 0x13}, len(leaf)/3))
			return b
		}
	}
	for _, name := range slices.Sorted(maps.Keys(spoiled)) {
		bad := spoiled[name](bytes.Clone(good))
		for _, c := range damagedCommands {
			put(bad)
			code, talk := w.try(strings.Fields(c.line)...)
			switch {
			case code == fault.ExitStorage && strings.Contains(talk, file+" is damaged: ") && strings.Contains(talk, "next: nothing was written to HubSpot or Salesforce after this was noticed; move "+file):
			case !c.works && (code == 0 || code == fault.ExitRecords && c.line == "verify"): // it did not read that page
			default:
				t.Errorf("%s: lockstep %s ended with %d\n%s", name, c.line, code, talk)
			}
			if w.writes() != before {
				t.Fatalf("%s: lockstep %s wrote to a vendor", name, c.line)
			}
		}
	}

	t.Run("a byte that SQLite cannot notice", func(t *testing.T) {
		put(good)
		change(t, file, "UPDATE links SET base = substr(base, 1, 20) || x'2a' || substr(base, 22)")
		code, talk := w.try("sync")
		if code != fault.ExitStorage || !strings.Contains(talk, "does not hold what was stored") || w.writes() != before {
			t.Errorf("sync ended with %d, %d writes\n%s", code, w.writes()-before, talk)
		}
	})
	t.Run("a backup in its place", func(t *testing.T) {
		put(good)
		w.inStep(t)
	})
	t.Run("none in its place", func(t *testing.T) {
		for _, suffix := range []string{"", "-wal", "-shm"} {
			_ = os.Rename(file+suffix, file+suffix+".damaged")
		}
		records := w.records()
		w.addPerson(2)
		w.inside("plan")
		w.inStep(t)
		if w.records() != records+1 {
			t.Errorf("Salesforce holds %d records, want %d and the one that is new", w.records(), records)
		}
	})
}

// TestADamagedLogIsFoundAgain spoils the write-ahead log that a process left
// which was killed: what SQLite cuts off it, links and all, is found again.
func TestADamagedLogIsFoundAgain(t *testing.T) {
	t.Parallel()
	w := newKillWorldOf(t, "120", filepath.Join(programPath(t), "lockstep"))
	file := filepath.Join(w.dir, ".lockstep", "lockstep.db")
	w.inside("plan")
	// Somebody who looks keeps the log from being folded into the file.
	looker, err := sql.Open("sqlite", "file:"+file)
	if err != nil {
		t.Fatal(err)
	}
	defer looker.Close()
	looker.SetMaxOpenConns(1)
	if _, err := looker.Exec("SELECT count(*) FROM links"); err != nil {
		t.Fatal(err)
	}
	process := exec.Command(w.bin, "sync") // of its own, so that its lease is a dead process's
	process.Dir, process.Env = w.dir, w.env
	if out, err := process.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	content, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	log, err := os.ReadFile(file + "-wal")
	if err != nil {
		t.Fatal(err)
	}
	if err := looker.Close(); err != nil {
		t.Fatal(err)
	}
	const frame = pageBytes + 24
	frames := (len(log) - 32) / frame
	records := w.records() + w.hubspotRecords()
	for _, at := range []int{0, frames / 4, frames / 2, frames - 1} {
		t.Run(fmt.Sprintf("frame %d of %d", at+1, frames), func(t *testing.T) {
			bad := bytes.Clone(log)
			bad[32+at*frame+24+100] ^= 0x40
			_ = os.Remove(file + "-shm")
			for name, b := range map[string][]byte{file: content, file + "-wal": bad} {
				if err := os.WriteFile(name, b, 0o600); err != nil {
					t.Fatal(err)
				}
			}
			w.inStep(t)
			if n := w.records() + w.hubspotRecords(); n != records {
				t.Errorf("both sides hold %d records, want %d", n, records)
			}
			w.checkNoTwins()
		})
	}
}

// TestAWatchThatMeetsDamageEnds turns a byte in every link while a watch is at
// work, past SQLite, and then people edit linked records.
func TestAWatchThatMeetsDamageEnds(t *testing.T) {
	t.Parallel()
	w := newKillWorldOf(t, "small", filepath.Join(programPath(t), "lockstep"))
	w.inside("sync")
	writes, calls := w.writes(), w.calls()
	watch, talk := w.start("sync", "--watch", "--every", "100ms")
	const firstCycle = 20 // calls of a watch that surely is at work
	ended := make(chan error, 1)
	go func() { ended <- watch.Wait() }()
	for w.calls() < calls+firstCycle {
		select {
		case err := <-ended:
			t.Fatalf("the watch ended by itself: %v\n%s", err, talk)
		case <-time.After(time.Millisecond):
		}
	}
	change(t, filepath.Join(w.dir, ".lockstep", "lockstep.db")+"?_pragma=busy_timeout(10000)", "UPDATE links SET base = substr(base, 1, 20) || x'2a' || substr(base, 22)")
	w.editLinked(4)
	if got := code(<-ended); got != fault.ExitStorage || !strings.Contains(talk.String(), "does not hold what was stored") {
		t.Errorf("the watch ended with %d\n%s", got, talk)
	}
	if n := w.writes() - writes; n != 0 {
		t.Errorf("it wrote %d times to the vendors", n)
	}
}

// inStep syncs until nothing is left to write, and has verify say so.
func (w *killWorld) inStep(t *testing.T) {
	t.Helper()
	w.finish()
	if v := w.json("verify"); v["in_step"] != true || v["closed"] != true {
		t.Errorf("verify: %v", v)
	}
}

// hubspotRecords counts what HubSpot holds.
func (w *killWorld) hubspotRecords() int {
	return w.box.HubSpot().Count("companies") + w.box.HubSpot().Count("contacts") + w.box.HubSpot().Count("deals")
}

// try runs a command line in this process, whatever becomes of it.
func (w *killWorld) try(args ...string) (code int, talk string) {
	var out, errs bytes.Buffer
	env := map[string]string{}
	for _, pair := range w.env {
		name, value, _ := strings.Cut(pair, "=")
		env[name] = value
	}
	code = cli.Run(context.Background(), args, cli.Streams{
		In: strings.NewReader(""), Out: &out, Err: &errs, Dir: w.dir, Env: func(name string) string { return env[name] },
	})
	return code, errs.String()
}

// editLinked has people edit some linked companies, each on one side.
func (w *killWorld) editLinked(n int) {
	w.Helper()
	done := 0
	var edit []func() error
	w.box.Salesforce().Each("Account", func(id string, fields map[string]any) bool {
		hub := textOf(fields["HubSpot_Id__c"])
		if hub == "" {
			return true
		}
		if done++; done%2 == 0 {
			edit = append(edit, func() error {
				return w.box.HubSpot().Update("companies", hub, map[string]string{"city": fmt.Sprintf("Town %d", n)})
			})
		} else {
			edit = append(edit, func() error {
				return w.box.Salesforce().Update("Account", id, map[string]any{"BillingCity": fmt.Sprintf("City %d", n)})
			})
		}
		return done < n
	})
	for _, e := range edit {
		if err := e(); err != nil {
			w.Fatal(err)
		}
	}
}

func change(t *testing.T, file, statement string) {
	t.Helper()
	db, err := sql.Open("sqlite", "file:"+file)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if _, err := db.Exec(statement); err != nil {
		t.Fatal(err)
	}
}

// rootPages are the first pages of all tables and indexes, by name.
func rootPages(t *testing.T, file string) map[string]int64 {
	t.Helper()
	db, err := sql.Open("sqlite", "file:"+file)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	rows, err := db.Query("SELECT name, rootpage FROM sqlite_schema WHERE rootpage > 0")
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	roots := map[string]int64{}
	for rows.Next() {
		var name string
		var root int64
		if err := rows.Scan(&name, &root); err != nil {
			t.Fatal(err)
		}
		roots[name] = root
	}
	return roots
}

// leafPage follows the last child of each page down to a leaf.
// https://www.sqlite.org/fileformat.html#b_tree_pages
func leafPage(file []byte, n int64) []byte {
	page := file[(n-1)*pageBytes : n*pageBytes]
	if interior := page[0] == 2 || page[0] == 5; interior {
		return leafPage(file, int64(binary.BigEndian.Uint32(page[8:])))
	}
	return page
}
