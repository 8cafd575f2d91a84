package e2e

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/lockstep-sync/lockstep/internal/app"
	"github.com/lockstep-sync/lockstep/internal/cli"
	"github.com/lockstep-sync/lockstep/sandbox"
)

// TestAUsedUpShareStopsCleanly lets our share of HubSpot's day run out in the
// middle of a first copy. The run says how much was used, until when, and what
// to change; the next command asks HubSpot nothing; once the share is raised the
// copy ends, and nothing is there twice.
func TestAUsedUpShareStopsCleanly(t *testing.T) {
	t.Parallel()
	box, err := sandbox.New(sandbox.Config{Seed: "small", Daily: 1000, TenSecondly: 10_000, SearchSecondly: -1})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = box.Close() })
	if err := box.Listen(t.Context()); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(folder(t), "lockstep.yaml")
	connectApp(t, box, app.New(app.Config{File: file}))
	before := box.HubSpot().Calls().Total

	var out, errs bytes.Buffer
	run := func(args ...string) (int, string) {
		out.Reset()
		errs.Reset()
		code := cli.Run(t.Context(), append(args, "--config", file), cli.Streams{In: strings.NewReader(""), Out: &out, Err: &errs})
		return code, errs.String()
	}
	lockstep := func(want int, args ...string) (stdout, stderr string) {
		t.Helper()
		if code, _ := run(args...); code != want {
			t.Fatalf("lockstep %s ended with %d, want %d\n%s%s", strings.Join(args, " "), code, want, &out, &errs)
		}
		return out.String(), errs.String()
	}
	// Each time the share is raised by a little, the copy comes further.
	told := regexp.MustCompile(`(?m)^error: .*our share of today's HubSpot calls is used up: (\d+) of (\d+), which is [\d.]+% of the account's 1000\n  next: run it again when they come back, at \d\d:\d\d \S+: it goes on from here; or raise our share under budget: in lockstep.yaml$`)
	stops := 0
	step := 6 // a start alone takes some calls, so each share has to be larger than the one before
	for ours := before + 6; ; ours += step {
		step += 6
		setBudget(t, file, ours)
		code, said := run("sync")
		if spent := box.HubSpot().Calls().Total; spent > ours {
			t.Fatalf("%d calls were made, and %d were ours", spent, ours)
		}
		if code == 0 {
			break
		}
		stops++
		if code != 4 || len(told.FindAllString(said, -1)) != 1 || strings.Count(said, "error:") != 1 {
			t.Fatalf("stopped by %d calls, it ended with %d and said:\n%s", ours, code, said)
		}
		spent := box.HubSpot().Calls().Total
		lockstep(4, "sync")
		if more := box.HubSpot().Calls().Total - spent; more != 0 {
			t.Errorf("the next command made %d calls of a share that is used up", more)
		}
	}
	if stops < 2 {
		t.Errorf("the copy was stopped %d times, want it stopped in the middle", stops)
	}
	setBudget(t, file, 1)
	if _, said := lockstep(0, "status"); !strings.Contains(said, "used up: the next sync goes on then; or raise our share") {
		t.Errorf("status said:\n%s", said)
	}

	setBudget(t, file, 1000)
	(&killWorld{T: t, box: box}).checkNoTwins()
	lockstep(0, "verify")
	text, _ := lockstep(0, "status", "--json")
	var status struct {
		Calls []struct {
			Side                                   string
			Limit, Used, Left, Ours, Spent, Others int
			OursLeft                               int `json:"ours_left"`
			Reserved                               int
			Window                                 int
		}
	}
	if err := json.Unmarshal([]byte(text), &status); err != nil {
		t.Fatal(err)
	}
	if len(status.Calls) != 2 {
		t.Fatalf("got %+v", status.Calls)
	}
	h, total := status.Calls[0], box.HubSpot().Calls().Total
	if h.Limit != 1000 || h.Used > total || h.Used < total-2 || h.Spent > total || h.Spent < total-4 || h.Reserved != 0 || h.Window != 10_000 {
		t.Errorf("status counts %+v, HubSpot %d", h, total)
	}
	s := status.Calls[1]
	if total := box.Salesforce().Calls().Total; s.Limit != 100_000 || s.Ours != 30_000 || s.Reserved != 70_000 || s.Spent < total || s.Spent > total+2*(stops+4) {
		t.Errorf("status counts %+v, Salesforce %d", s, total)
	}
}

// setBudget writes how many of a thousand HubSpot calls are ours.
// TestR11TheHardCapIsNeverExceededByOneCall: complaint R11. Our share of an org's
// calls is raised little by little while a first copy stops at it again and again:
// Salesforce never counts one call more than the share.
func TestR11TheHardCapIsNeverExceededByOneCall(t *testing.T) {
	t.Parallel()
	box, err := sandbox.New(sandbox.Config{Seed: "small", SalesforceDaily: 1000, TenSecondly: -1, SearchSecondly: -1})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = box.Close() })
	if err := box.Listen(t.Context()); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(folder(t), "lockstep.yaml")
	connectApp(t, box, app.New(app.Config{File: file}))
	stops := 0
	spent := func() int { return box.Salesforce().Calls().Total }
	step := 10 // a start alone takes some calls, so each share has to be larger than the one before
	for share := spent() + 4; ; share += step {
		step += 10
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		line := regexp.MustCompile(`(?m)^(# *)?budget:.*$`)
		text = line.ReplaceAll(text, []byte(fmt.Sprintf("budget: {hubspot: 60%%, salesforce: %.1f%%}", float64(share)/10)))
		if err := os.WriteFile(file, text, 0o644); err != nil {
			t.Fatal(err)
		}
		var out bytes.Buffer
		code := cli.Run(t.Context(), []string{"sync", "--quiet", "--config", file}, cli.Streams{In: strings.NewReader(""), Out: &out, Err: &out})
		if n := spent(); n > share {
			t.Fatalf("%d calls were made, and %d were ours", n, share)
		}
		if code == 0 {
			break
		}
		if stops++; code != 4 || stops > 200 {
			t.Fatalf("stopped at %d calls with code %d\n%s", spent(), code, &out)
		}
	}
	if stops < 2 {
		t.Errorf("it was stopped %d times, want it stopped in the middle", stops)
	}
	(&killWorld{T: t, box: box}).checkNoTwins()
}

func setBudget(t *testing.T, file string, ours int) {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	line := regexp.MustCompile(`(?m)^(# *)?budget:.*$`)
	if !line.Match(text) {
		t.Fatalf("the mapping has no line for a budget:\n%s", text)
	}
	text = line.ReplaceAll(text, []byte(fmt.Sprintf("budget: {hubspot: %.1f%%, salesforce: 30%%}", float64(ours)/10)))
	if err := os.WriteFile(file, text, 0o644); err != nil {
		t.Fatal(err)
	}
}
