//go:build kills

package e2e

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/lockstep-sync/lockstep/sandbox/faults"
)

var (
	killSeed  = flag.Uint64("kill-seed", 0, "what draws the moments of TestKilledRunsEndInStep; 0 takes the time")
	killTotal = flag.Int("kills", 200, "how often TestKilledRunsEndInStep kills `lockstep sync`")
)

const (
	// killPeople makes a story of 5,000 HubSpot records: contacts, companies, deals.
	killPeople  = "3450"
	killRecords = 5000
	// killsPerPair is how often `lockstep sync` is killed on one pair of
	// accounts; then the next pair begins with another first copy.
	killsPerPair = 25
	// killsPerCopy is how many of them, at most, come before the first copy is made.
	killsPerCopy = 15
	// killsPerRound is how often while edits are carried over, until the pair has
	// to be in step again.
	killsPerRound = 8
)

// TestKilledRunsEndInStep builds the program, and kills `lockstep sync` without
// warning at 200 moments of its work on pairs of 5,000 HubSpot records: while it
// makes the first copy, and while it carries over what people created, edited
// and deleted on both sides since. After each round of kills the sync is left to
// finish, `lockstep verify` has to say that everything is in step, and both
// servers are counted without it: nothing is there twice, nothing is missing.
//
//	make kills
//	go test -tags kills -run TestKilledRunsEndInStep ./e2e -kill-seed 7 -v
//
// The seed draws the same moments and edits again; how far a process comes until
// such a moment is up to the machine.
func TestKilledRunsEndInStep(t *testing.T) {
	seed := *killSeed
	if seed == 0 {
		seed = uint64(time.Now().UnixNano())
	}
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("draw the same moments again: go test -tags kills -run TestKilledRunsEndInStep ./e2e -kill-seed %d -v", seed)
		}
	})
	bin := filepath.Join(t.TempDir(), "lockstep")
	if out, err := exec.Command("go", "build", "-o", bin, "../cmd/lockstep").CombinedOutput(); err != nil {
		t.Fatalf("build lockstep: %v\n%s", err, out)
	}
	usual := measureLife(t, bin)
	t.Logf("seed %d; a first copy that nobody kills takes %s, %d calls, %d of them writes, and writes its database %d times",
		seed, usual.took.Round(time.Millisecond), usual.calls, usual.writes, usual.stores)

	var mu sync.Mutex
	told, killed, rounds, lookedUp := map[string]int{}, 0, 0, 0
	t.Run("pairs", func(t *testing.T) {
		for n := range (*killTotal + killsPerPair - 1) / killsPerPair {
			t.Run(fmt.Sprintf("pair %d", n+1), func(t *testing.T) {
				t.Parallel()
				r := newKillRun(t, bin, usual, rand.New(rand.NewPCG(seed, uint64(n))))
				r.play(min(killsPerPair, *killTotal-n*killsPerPair))
				mu.Lock()
				defer mu.Unlock()
				killed, rounds, lookedUp = killed+r.killed, rounds+r.rounds, lookedUp+r.lookedUp
				for where, times := range r.where {
					told[where] += times
				}
			})
		}
	})
	t.Logf("killed %d times in %d rounds, each of which ended in step: %v; %d runs began by looking up creates whose answer was lost", killed, rounds, told, lookedUp)
	if !t.Failed() && killed != *killTotal {
		t.Errorf("killed %d times, want %d", killed, *killTotal)
	}
}

// usualLife is what one run of `lockstep sync` that nobody kills comes to, and
// what both sides hold after it.
type usualLife struct {
	took                  time.Duration
	calls, writes, stores int
	after                 map[string]int
}

func measureLife(t *testing.T, bin string) usualLife {
	t.Helper()
	r := newKillRun(t, bin, usualLife{}, nil)
	if n := r.box.HubSpot().Count("contacts") + r.box.HubSpot().Count("companies") + r.box.HubSpot().Count("deals"); n < killRecords {
		t.Fatalf("the pair has %d HubSpot records, want %d", n, killRecords)
	}
	l := r.live(moment{what: "never", reached: func(*attempt) bool { return false }})
	if l.killed || l.code != 0 {
		t.Fatalf("sync ended with %d\n%s", l.code, l.out)
	}
	r.settle()
	r.prove()
	return usualLife{took: l.took, calls: l.calls, writes: l.writes, stores: l.stores, after: r.holdings()}
}

// killRun is one pair of accounts and what is wanted of it.
type killRun struct {
	*killWorld
	usual  usualLife
	chance *rand.Rand
	// wanted is how often each thing is there; see holdings. nil: not known.
	wanted map[string]int
	// latest is how far moments are drawn: what a run that nobody kills would do.
	latest usualLife
	// written is how often the first copy has written by now.
	written int
	// edited are the records that somebody touched, by id: none is touched twice.
	edited   map[string]bool
	edits    int
	killed   int
	rounds   int
	lookedUp int
	where    map[string]int
}

func newKillRun(t *testing.T, bin string, usual usualLife, chance *rand.Rand) *killRun {
	t.Helper()
	w := newKillWorldOf(t, killPeople, bin)
	w.replaceInMapping("brakes: {deletes: 10}", "brakes: {deletes: 1000}")
	w.replaceInMapping("create: in-salesforce", "create: both")
	w.replaceInMapping("deletes: ask", "deletes: archive")
	w.box.Dials().Set(faults.Setting{LatencyMillis: 2, JitterMillis: 4})
	return &killRun{killWorld: w, usual: usual, chance: chance, wanted: usual.after, edited: map[string]bool{}, where: map[string]int{}}
}

// play kills so many runs, round by round.
func (r *killRun) play(kills int) {
	r.wanted, r.latest = maps.Clone(r.usual.after), r.usual
	for ; r.killed < kills && !r.Failed(); r.rounds++ {
		until := min(kills, killsPerCopy)
		if r.rounds > 0 {
			until = min(kills, r.killed+killsPerRound)
		}
		for r.killed < until {
			if r.rounds > 0 {
				r.people(30)
			}
			a := r.live(r.draw())
			if r.rounds == 0 {
				r.copied(a)
			}
			if a.killed {
				r.killed++
				r.where[a.where()]++
				continue
			}
			// It was quicker.
			r.latest = usualLife{took: a.took, calls: a.calls, writes: max(1, a.writes), stores: a.stores}
			if r.rounds == 0 {
				break // the copy is made: on to what people edit
			}
		}
		r.settle()
		r.prove()
		if diff := cmp.Diff(r.wanted, r.holdings()); diff != "" {
			r.Errorf("after round %d both servers hold (-want +got):\n%s", r.rounds, diff)
		}
	}
}

// copied lets the next moments of a first copy be drawn from what is left of it.
func (r *killRun) copied(a *attempt) {
	r.written += a.writes
	left := max(0.1, 1-float64(r.written)/float64(r.usual.writes))
	part := func(n int) int { return max(1, int(left*float64(n))) }
	r.latest = usualLife{took: time.Duration(part(int(r.usual.took))), calls: part(r.usual.calls), writes: part(r.usual.writes), stores: part(r.usual.stores)}
}

// moment is when a run is killed: so long after it came to a point.
type moment struct {
	what    string
	reached func(*attempt) bool
	then    time.Duration
}

// draw picks a moment anywhere in a run: by the time, by its calls, by its
// writes to the vendors, or by its writes to its own database.
func (r *killRun) draw() moment {
	u := r.latest
	then := time.Duration(r.chance.IntN(8000)) * time.Microsecond
	switch r.chance.IntN(5) {
	case 0:
		at := time.Duration(r.chance.Int64N(int64(u.took)))
		return moment{fmt.Sprintf("%s after its start", at), func(a *attempt) bool { return time.Since(a.began) >= at }, 0}
	case 1:
		n := 1 + r.chance.IntN(u.calls)
		return moment{fmt.Sprintf("%s after call %d", then, n), func(a *attempt) bool { return r.calls()-a.callsBefore >= n }, then}
	case 2, 3: // between a write and its record is most to lose
		n := 1 + r.chance.IntN(u.writes)
		return moment{fmt.Sprintf("%s after its write %d", then, n), func(a *attempt) bool { return r.writes()-a.writesBefore >= n }, then}
	default:
		n := 1 + r.chance.IntN(u.stores)
		return moment{fmt.Sprintf("%s after its database changed %d times", then/4, n), func(a *attempt) bool { return a.stores >= n }, then / 4}
	}
}

// attempt is one process.
type attempt struct {
	began                     time.Time
	callsBefore, writesBefore int
	took                      time.Duration
	calls, writes             int
	// stores is how often its database was seen to change.
	stores int
	killed bool
	code   int
	out    string
	// copies: it makes the first copy.
	copies bool
}

// where tells what it was about when it was killed.
func (a *attempt) where() string {
	what := "edits: "
	if a.copies {
		what = "first copy: "
	}
	switch {
	case a.calls == 0:
		return what + "starting"
	case a.writes == 0:
		return what + "reading and deciding"
	default:
		return what + "writing"
	}
}

// live runs `lockstep sync` and kills it at a moment.
func (r *killRun) live(m moment) *attempt {
	r.Helper()
	a := &attempt{callsBefore: r.calls(), writesBefore: r.writes(), copies: r.rounds == 0}
	command := r.command("sync", "--log-level", "info")
	var out bytes.Buffer
	command.Stdout, command.Stderr = &out, &out
	a.began = time.Now()
	if err := command.Start(); err != nil {
		r.Fatal(err)
	}
	ended := make(chan struct{})
	go func() { defer close(ended); _ = command.Wait() }()
	watch := time.NewTicker(500 * time.Microsecond)
	defer watch.Stop()
	var stamp string
	for alive := true; alive; {
		select {
		case <-ended:
			alive = false
			continue
		case <-watch.C:
		}
		if now := r.storeStamp(); now != stamp {
			stamp = now
			a.stores++
		}
		if m.reached(a) {
			time.Sleep(m.then)
			_ = command.Process.Signal(syscall.SIGKILL)
			<-ended
			alive = false
		}
	}
	a.took, a.out = time.Since(a.began), out.String()
	a.calls, a.writes = r.calls()-a.callsBefore, r.writes()-a.writesBefore
	status, _ := command.ProcessState.Sys().(syscall.WaitStatus)
	a.killed, a.code = status.Signaled() && status.Signal() == syscall.SIGKILL, command.ProcessState.ExitCode()
	if strings.Contains(a.out, "looking up creates whose answer was lost") {
		r.lookedUp++
	}
	if !a.killed && a.code != 0 {
		r.Fatalf("sync, to be killed %s, ended by itself with %d\n%s", m.what, a.code, a.out)
	}
	return a
}

// storeStamp changes whenever the process writes to its database.
func (r *killRun) storeStamp() string {
	var b strings.Builder
	for _, name := range []string{"lockstep.db", "lockstep.db-wal"} {
		if info, err := os.Stat(filepath.Join(r.dir, ".lockstep", name)); err == nil {
			fmt.Fprint(&b, info.Size(), info.ModTime().UnixNano(), " ")
		}
	}
	return b.String()
}

func (r *killRun) command(args ...string) *exec.Cmd {
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
	r.Cleanup(cancel)
	command := exec.CommandContext(ctx, r.bin, args...)
	command.Dir, command.Env = r.dir, r.env
	return command
}

// ask runs a command of its own process, which has to end with 0.
func (r *killRun) ask(into any, args ...string) {
	r.Helper()
	var out, errs bytes.Buffer
	command := r.command(append(args, "--json", "--quiet")...)
	command.Stdout, command.Stderr = &out, &errs
	if err := command.Run(); err != nil {
		var exit *exec.ExitError
		errors.As(err, &exit)
		r.Fatalf("round %d: lockstep %s: %v\n%s%s", r.rounds, strings.Join(args, " "), err, &out, &errs)
	}
	if err := json.Unmarshal(out.Bytes(), into); err != nil {
		r.Fatalf("lockstep %s: %v", strings.Join(args, " "), err)
	}
}

// settle lets the sync go on until nothing is left to do.
func (r *killRun) settle() {
	r.Helper()
	const most = 6
	for range most {
		var run struct {
			Closed bool
			Writes struct{ Total int }
		}
		if r.ask(&run, "sync"); run.Closed && run.Writes.Total == 0 {
			return
		}
	}
	r.Fatalf("%d runs after the last kill there is still something to write", most)
}

// prove has `lockstep verify` say that everything is in step.
func (r *killRun) prove() {
	r.Helper()
	var v struct {
		Closed  bool
		InStep  bool `json:"in_step"`
		Objects []struct {
			Name     string
			Read     int
			Verdicts map[string]int
		}
	}
	r.ask(&v, "verify")
	if !v.Closed || !v.InStep {
		r.Fatalf("verify: %+v", v)
	}
	for _, o := range v.Objects {
		if o.Verdicts["in-step"] == 0 || o.Verdicts["differs"]+o.Verdicts["missing"]+o.Verdicts["failed"] > 0 {
			r.Errorf("verify: %+v", o)
		}
	}
}
