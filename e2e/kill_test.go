package e2e

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/lockstep-sync/lockstep/internal/cli"
	"github.com/lockstep-sync/lockstep/sandbox"
	"github.com/lockstep-sync/lockstep/sandbox/faults"
)

// kills is how often the program is killed while it works.
const kills = 20

// TestKilledAtAnyPointItFinishes kills the program without warning again and
// again while it copies, while answers get lost, and while people go on
// editing. In the end it finishes: nothing is lost, nothing is there twice,
// and another run writes nothing.
func TestKilledAtAnyPointItFinishes(t *testing.T) {
	t.Parallel()
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	chance := rand.New(rand.NewPCG(seed, 1))
	w := newKillWorld(t)
	w.box.Dials().Set(faults.Setting{Seed: seed, LatencyMillis: 5, Rules: []faults.Rule{
		{Kind: faults.CutAfter, Method: "write", Share: 0.05},
	}})
	killed, writing, added := 0, 0, 0
	for attempt := 0; killed < kills; attempt++ {
		if attempt > 30*kills {
			t.Fatalf("only %d kills in %d attempts", killed, attempt)
		}
		before := w.records()
		// A third of the kills come anywhere, the others while it writes.
		count, calls := w.calls, 1+chance.IntN(40)
		if attempt%3 != 0 {
			count, calls = w.writes, 1
		}
		if w.run(count, calls, time.Duration(chance.IntN(40000))*time.Microsecond) {
			killed++
			if w.records() > before {
				writing++
			}
			continue
		}
		// It was quicker than the kill: give it something new to do.
		for range 25 {
			added++
			w.addPerson(added)
		}
	}
	w.box.Dials().Set(faults.Setting{})
	w.finish()
	w.checkNoTwins()
	for n := 1; n <= added; n++ {
		w.checkOnce(fmt.Sprintf("late%d@latecomer.example", n))
	}
	again := w.json("sync")
	if writes := again["writes"].(map[string]any); fmt.Sprint(writes["total"]) != "0" {
		t.Errorf("another run writes %v, want nothing", writes)
	}
	if v := w.json("verify"); v["in_step"] != true {
		t.Errorf("verify: %v", v)
	}
	t.Logf("killed %d times, %d of them after it had begun to write; %d people added meanwhile", killed, writing, added)
}

type killWorld struct {
	*testing.T
	box *sandbox.Sandbox
	dir string
	env []string
	bin string
}

func newKillWorld(t *testing.T) *killWorld {
	t.Helper()
	return newKillWorldOf(t, "300", filepath.Join(programPath(t), "lockstep"))
}

// newKillWorldOf starts a sandbox with so many people and connects a folder to
// it; bin is the program that is killed.
func newKillWorldOf(t *testing.T, people, bin string) *killWorld {
	t.Helper()
	box, err := sandbox.New(sandbox.Config{Seed: people, TenSecondly: -1, SearchSecondly: -1})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = box.Close() })
	if err := box.Listen(t.Context()); err != nil {
		t.Fatal(err)
	}
	c := box.Credentials()
	w := &killWorld{T: t, box: box, dir: t.TempDir(), bin: bin}
	w.env = []string{
		"HOME=" + t.TempDir(), "LOCKSTEP_HUBSPOT_URL=" + box.HubSpotURL(), "LOCKSTEP_HUBSPOT_TOKEN=" + c.HubSpot.PrivateApp,
		"LOCKSTEP_SALESFORCE_URL=" + box.SalesforceURL(), "LOCKSTEP_SALESFORCE_CLIENT_ID=" + c.Salesforce.ClientID,
		"LOCKSTEP_SALESFORCE_CLIENT_SECRET=" + c.Salesforce.ClientSecret,
	}
	w.inside("connect", "hubspot")
	w.inside("connect", "salesforce")
	w.inside("init")
	return w
}

// inside runs a command line in this process and wants it to end well.
func (w *killWorld) inside(args ...string) string {
	w.Helper()
	var out, errs bytes.Buffer
	lookup := map[string]string{}
	for _, pair := range w.env {
		name, value, _ := strings.Cut(pair, "=")
		lookup[name] = value
	}
	code := cli.Run(w.Context(), args, cli.Streams{
		In: strings.NewReader(""), Out: &out, Err: &errs, Dir: w.dir, Env: func(name string) string { return lookup[name] },
	})
	if code != 0 && !(args[0] == "verify" && code == 5) {
		w.Fatalf("lockstep %s ended with %d\n%s%s", strings.Join(args, " "), code, &out, &errs)
	}
	return out.String()
}

func (w *killWorld) json(command string) map[string]any {
	w.Helper()
	var object map[string]any
	if err := json.Unmarshal([]byte(w.inside(command, "--json")), &object); err != nil {
		w.Fatal(err)
	}
	return object
}

// run starts a sync of its own process and kills it a moment after it has made
// so many calls of a kind; it tells whether the process was still at work then.
func (w *killWorld) run(count func() int, calls int, moment time.Duration) (killed bool) {
	w.Helper()
	command := exec.Command(w.bin, "sync")
	command.Dir, command.Env = w.dir, w.env
	var out bytes.Buffer
	command.Stdout, command.Stderr = &out, &out
	until := count() + calls
	if err := command.Start(); err != nil {
		w.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- command.Wait() }()
	look := time.NewTicker(time.Millisecond)
	defer look.Stop()
	for {
		select {
		case err := <-ended:
			var exit *exec.ExitError
			if errors.As(err, &exit) && exit.ExitCode() != 5 {
				w.Fatalf("sync ended by itself with %d\n%s", exit.ExitCode(), &out)
			}
			return false
		case <-look.C:
		}
		if count() < until {
			continue
		}
		select {
		case <-ended:
			return false
		case <-time.After(moment):
			_ = command.Process.Kill()
			<-ended
			return true
		}
	}
}

// calls counts what both servers were asked so far.
func (w *killWorld) calls() int {
	return w.box.HubSpot().Calls().Total + w.box.Salesforce().Calls().Total
}

// writes counts calls that write, on either side.
func (w *killWorld) writes() int {
	n := w.box.Salesforce().Calls().Writes
	for route, calls := range w.box.HubSpot().Calls().ByRoute {
		if strings.HasSuffix(route, "/update") || strings.HasSuffix(route, "/create") {
			n += calls
		}
	}
	return n
}

// finish runs until nothing is left to do.
func (w *killWorld) finish() {
	w.Helper()
	ctx, cancel := context.WithTimeout(w.Context(), time.Minute)
	defer cancel()
	for ctx.Err() == nil {
		result := w.json("sync")
		if fmt.Sprint(result["writes"].(map[string]any)["total"]) == "0" {
			return
		}
	}
	w.Fatal("the runs never came to an end")
}

// records counts what Salesforce holds.
func (w *killWorld) records() int {
	n := 0
	for _, object := range []string{"Account", "Contact", "Lead", "Opportunity"} {
		n += w.box.Salesforce().Count(object)
	}
	return n
}

func (w *killWorld) addPerson(n int) {
	now := w.box.Clock().Now()
	w.box.HubSpot().Insert("contacts", map[string]string{
		"email": fmt.Sprintf("late%d@latecomer.example", n), "firstname": "Late", "lastname": fmt.Sprintf("Comer %d", n), "company": "Latecomers",
	}, now, now)
}

// checkNoTwins: no HubSpot record has two records in Salesforce.
func (w *killWorld) checkNoTwins() {
	w.Helper()
	for _, objects := range [][]string{{"Account"}, {"Contact", "Lead"}, {"Opportunity"}} {
		seen := map[string]string{}
		for _, object := range objects {
			w.box.Salesforce().Each(object, func(id string, fields map[string]any) bool {
				from := textOf(fields["HubSpot_Id__c"])
				if from != "" && seen[from] != "" {
					w.Errorf("HubSpot record %s is in Salesforce as %s and as %s %s", from, seen[from], object, id)
				}
				seen[from] = object + " " + id
				return true
			})
		}
	}
}

// checkOnce: exactly one Salesforce person has this e-mail.
func (w *killWorld) checkOnce(email string) {
	w.Helper()
	n := 0
	for _, object := range []string{"Contact", "Lead"} {
		w.box.Salesforce().Each(object, func(_ string, fields map[string]any) bool {
			if textOf(fields["Email"]) == email {
				n++
			}
			return true
		})
	}
	if n != 1 {
		w.Errorf("%s is in Salesforce %d times, want once", email, n)
	}
}
