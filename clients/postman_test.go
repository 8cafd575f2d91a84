//go:build clients

package clients

import (
	"bytes"
	"encoding/json"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/lockstep-sync/lockstep/internal/cli"
	"github.com/lockstep-sync/lockstep/internal/crm"
	"github.com/lockstep-sync/lockstep/internal/mapping"
	"github.com/lockstep-sync/lockstep/internal/reconcile"
	"github.com/lockstep-sync/lockstep/sandbox"
	"github.com/lockstep-sync/lockstep/sandbox/hubspot"
)

const newmanScript = "node_modules/newman/bin/newman.js"

// guideScopes are what the mapping of the sandbox needs, and no more, so that
// there is something that the token may not do.
var guideScopes = []string{"crm.objects.contacts.read", "crm.objects.contacts.write", "crm.objects.companies.read", "crm.objects.companies.write",
	"crm.objects.deals.read", "crm.objects.deals.write", "crm.objects.owners.read"}

// place is a folder with a sandbox connected.
type place struct {
	t       *testing.T
	dir     string
	box     *sandbox.Sandbox
	secrets []string
}

func newPlace(t *testing.T, seed string) *place {
	t.Helper()
	p := &place{t: t, dir: t.TempDir(), box: start(t, sandbox.Config{Seed: seed, Random: 7})}
	token := p.box.HubSpot().CreateToken(hubspot.TokenSpec{Kind: hubspot.PrivateApp, Name: "guide", Scopes: guideScopes})
	sf := p.box.Credentials().Salesforce
	p.secrets = []string{token, sf.ClientSecret}
	p.lockstep(token, "connect", "hubspot", "--name", "acme", "--base-url", p.box.HubSpotURL(), "--token", "-")
	p.lockstep(sf.ClientSecret, "connect", "salesforce", "--name", "acme-production", "--login-url", p.box.SalesforceURL(),
		"--client-id", sf.ClientID, "--client-secret", "-")
	p.lockstep("", "init")
	return p
}

// lockstep runs the program in the folder and returns what it prints.
func (p *place) lockstep(stdin string, args ...string) []byte {
	p.t.Helper()
	return p.wants(0, stdin, args...)
}

// wants is lockstep with another exit code.
func (p *place) wants(want int, stdin string, args ...string) []byte {
	p.t.Helper()
	var out, talk bytes.Buffer
	env := func(name string) string {
		switch name {
		case "LOCKSTEP_KEYRING":
			return "off"
		case "PATH", "HOME":
			return os.Getenv(name)
		}
		return ""
	}
	code := cli.Run(p.t.Context(), args, cli.Streams{In: strings.NewReader(stdin), Out: &out, Err: &talk, Dir: p.dir, Env: env})
	for _, secret := range p.secrets {
		if strings.Contains(out.String()+talk.String(), secret) {
			p.t.Errorf("lockstep %s shows a secret", strings.Join(args, " "))
		}
	}
	if code != want {
		p.t.Fatalf("lockstep %s: exit code %d\n%s%s", strings.Join(args, " "), code, talk.String(), out.String())
	}
	return out.Bytes()
}

// postmanReport is what postman run --json prints.
type postmanReport struct {
	OK       bool `json:"ok"`
	Requests []struct {
		Name    string `json:"name"`
		Status  int    `json:"status"`
		Skipped bool   `json:"skipped"`
		Tests   []struct {
			Name  string `json:"name"`
			OK    bool   `json:"ok"`
			Error string `json:"error"`
		} `json:"tests"`
	} `json:"requests"`
}

// runExported exports, fills a refresh token in, as a person would who tries
// that, and runs the files with newman.
func (p *place) runExported() postmanReport {
	p.t.Helper()
	p.lockstep("", "postman", "export", "--force")
	environment := filepath.Join(p.dir, "postman", "lockstep.postman_environment.json")
	text, err := os.ReadFile(environment)
	if err != nil {
		p.t.Fatal(err)
	}
	sf := p.box.Credentials().Salesforce
	refresh := p.box.Salesforce().IssueRefreshToken(sf.ClientID, sf.Username)
	p.secrets = append(p.secrets, refresh)
	filled := filepath.Join(p.t.TempDir(), "environment.json")
	text = bytes.Replace(text, []byte("\"key\": \"salesforce_refresh_token\",\n\t\t\t\"value\": \"\""), []byte("\"key\": \"salesforce_refresh_token\",\n\t\t\t\"value\": \""+refresh+"\""), 1)
	if err := os.WriteFile(filled, text, 0o600); err != nil {
		p.t.Fatal(err)
	}
	newman, err := filepath.Abs(newmanScript)
	if err != nil {
		p.t.Fatal(err)
	}
	out := p.lockstep("", "postman", "run", "postman/lockstep.postman_collection.json", "--environment", filled, "--newman", newman, "--write", "--json")
	var report postmanReport
	if err := json.Unmarshal(out, &report); err != nil {
		p.t.Fatalf("%v\n%s", err, out)
	}
	return report
}

// TestExportedCollectionMovesAThousandContacts runs the collection that Lockstep
// exports, as it is, with newman: every request sends and has tests, the chain
// brings a thousand contacts over, and what it wrote is what Lockstep would have.
func TestExportedCollectionMovesAThousandContacts(t *testing.T) {
	tool(t, "node")
	p := newPlace(t, "1000")
	before := p.salesforce()
	report := p.runExported()
	if !report.OK {
		t.Error("the report is not ok")
	}
	sent := map[string]int{}
	for _, r := range report.Requests {
		sent[r.Name] = r.Status
		if r.Skipped || len(r.Tests) == 0 {
			t.Errorf("%s: skipped %t, %d tests", r.Name, r.Skipped, len(r.Tests))
		}
		for _, test := range r.Tests {
			if !test.OK {
				t.Errorf("%s: %s: %s", r.Name, test.Name, test.Error)
			}
		}
	}
	for name, status := range map[string]int{"No header: 401": 401, "Wrong token: 401": 401, "Missing scope: 403": 403, "Dead session: 401": 401,
		"Client credentials": 200, "Refresh": 200, "Read the token's scopes": 200} {
		if sent[name] != status {
			t.Errorf("%s: HTTP %d, want %d", name, sent[name], status)
		}
	}
	p.compare(before, leftOut(report))

	// Lockstep finds nothing to write to Salesforce but contact roles, which the
	// collection says that it leaves out.
	var plan struct {
		Objects []struct {
			Name    string         `json:"name"`
			Creates map[string]int `json:"creates"`
			Updates map[string]int `json:"updates"`
		} `json:"objects"`
	}
	line, items, _ := bytes.Cut(p.lockstep("", "plan", "--all", "--json"), []byte("\n"))
	if err := json.Unmarshal(line, &plan); err != nil {
		t.Fatal(err)
	}
	if len(plan.Objects) != 3 {
		t.Errorf("the plan is about %d objects", len(plan.Objects))
	}
	// Who wins as the newest Lockstep decides by the time of HubSpot's field, which
	// a script does not see: what the chain held for that may be written now.
	decided := plannedUpdates(t, items)
	for id := range decided {
		if !leftOut(report)[id] {
			t.Errorf("the chain left the update of HubSpot contact %s to Lockstep and did not say so", id)
		}
	}
	for _, o := range plan.Objects {
		updates := o.Updates["salesforce"]
		if o.Name == "people" {
			updates -= len(decided)
		}
		if o.Creates["salesforce"]+updates != 0 {
			t.Errorf("%s: the chain left %d creates and %d updates to Lockstep", o.Name, o.Creates["salesforce"], updates)
		}
	}
	p.scan()
}

// plannedUpdates are the HubSpot ids of people of whom a plan updates the
// Salesforce record.
func plannedUpdates(t *testing.T, items []byte) map[string]bool {
	t.Helper()
	ids := map[string]bool{}
	for line := range bytes.Lines(items) {
		var item struct {
			Mapping string
			HubSpot struct{ ID string }
			Writes  []struct{ Side, Op string }
		}
		if err := json.Unmarshal(line, &item); err != nil {
			t.Fatalf("%v\n%s", err, line)
		}
		for _, w := range item.Writes {
			if item.Mapping == "people" && w.Side == "salesforce" && w.Op == "update" {
				ids[item.HubSpot.ID] = true
			}
		}
	}
	return ids
}

var leftOutLine = regexp.MustCompile(`^left out: HubSpot contacts (\d+): `)

func leftOut(report postmanReport) map[string]bool {
	ids := map[string]bool{}
	for _, r := range report.Requests {
		for _, test := range r.Tests {
			if m := leftOutLine.FindStringSubmatch(test.Name); m != nil {
				ids[m[1]] = true
			}
		}
	}
	return ids
}

// salesforce is every Contact and Lead, by id.
func (p *place) salesforce() map[string]map[string]any {
	out := map[string]map[string]any{}
	for _, object := range []string{"Contact", "Lead"} {
		p.box.Salesforce().Each(object, func(id string, fields map[string]any) bool {
			copied := map[string]any{"object": object}
			for name, value := range fields {
				copied[name] = value
			}
			out[id] = copied
			return true
		})
	}
	return out
}

// compare holds both sides against each other: every contact that was not left
// out stands in Salesforce once; a new record holds just what the rules of a sync
// make of HubSpot's values, an old one lost nothing and has its blanks filled.
func (p *place) compare(before map[string]map[string]any, left map[string]bool) {
	p.t.Helper()
	byHubSpot := map[string][]string{}
	after := p.salesforce()
	for id, fields := range after {
		if key, _ := fields["HubSpot_Id__c"].(string); key != "" {
			byHubSpot[key] = append(byHubSpot[key], id)
		}
	}
	bound := boundSandbox(p.t, p.box)
	people := bound.Object("people")
	contacts, created := 0, 0
	p.box.HubSpot().Each("contacts", func(id string, properties map[string]string) bool {
		contacts++
		twins := byHubSpot[id]
		if left[id] {
			if len(twins) != 0 {
				p.t.Errorf("contact %s was left out and is in Salesforce: %v", id, twins)
			}
			return true
		}
		if len(twins) != 1 {
			p.t.Errorf("contact %s is in Salesforce %d times", id, len(twins))
			return true
		}
		now, was := after[twins[0]], before[twins[0]]
		if was == nil {
			created++
		}
		target := people.Target(now["object"].(string))
		if diff := cmp.Diff(expected(target, properties, was), held(target, now)); diff != "" {
			p.t.Errorf("contact %s, Salesforce %s %s (-want +got):\n%s", id, target.Object, twins[0], diff)
		}
		return true
	})
	if contacts != 1000 || created < 500 || len(left) > 100 {
		p.t.Errorf("%d contacts, %d created, %d left out", contacts, created, len(left))
	}
}

// expected is what the target's mapped fields are to hold, in canonical form.
func expected(target *mapping.BoundTarget, properties map[string]string, was map[string]any) map[string]string {
	out := map[string]string{}
	for i := range target.Fields {
		f := &target.Fields[i]
		if old := canonical(f.SalesforceField, was[f.Salesforce]); old != "" {
			out[f.Salesforce] = old
			continue
		}
		out[f.Salesforce] = ""
		native := reconcile.Convert(f, crm.Salesforce, crm.Text(properties[f.HubSpot]), reconcile.Place{})
		if native.Action == reconcile.Write && native.Value.IsPresent() {
			out[f.Salesforce] = canonical(f.SalesforceField, native.Value.Text)
		}
	}
	return out
}

func held(target *mapping.BoundTarget, fields map[string]any) map[string]string {
	out := map[string]string{}
	for i := range target.Fields {
		out[target.Fields[i].Salesforce] = canonical(target.Fields[i].SalesforceField, fields[target.Fields[i].Salesforce])
	}
	return out
}

func canonical(f *crm.Field, value any) string {
	text, _ := value.(string)
	out, err := reconcile.Canonical(f.Kind, f, crm.Salesforce, crm.Text(text))
	if err != nil {
		return "not canonical: " + text
	}
	return out
}

var anyToken = regexp.MustCompile(`pat-[a-z0-9]+-[0-9a-f-]{8}|00D[A-Za-z0-9]{9,15}!|5Aep861|Bearer [A-Za-z0-9]|FAKE[0-9A-F]{16}`)

// scan looks for secrets in every file that was exported.
func (p *place) scan() {
	p.t.Helper()
	files := 0
	for _, folder := range []string{"postman", "bruno"} {
		err := filepath.WalkDir(filepath.Join(p.dir, folder), func(path string, entry fs.DirEntry, err error) error {
			if err != nil || entry.IsDir() {
				return nil
			}
			text, err := os.ReadFile(path)
			if err != nil {
				return err
			}
			files++
			if found := anyToken.Find(text); found != nil {
				p.t.Errorf("%s holds %q", path, found)
			}
			for _, secret := range p.secrets {
				if bytes.Contains(text, []byte(secret)) {
					p.t.Errorf("%s holds a secret", path)
				}
			}
			return nil
		})
		if err != nil {
			p.t.Error(err)
		}
	}
	if files == 0 {
		p.t.Error("nothing was exported")
	}
}

// TestBrunoRunsTheSameRequests runs the Bruno form of the same collection with
// Bruno's own runner, in its safe mode, which is the strictest.
func TestBrunoRunsTheSameRequests(t *testing.T) {
	tool(t, "node")
	bru, err := filepath.Abs("node_modules/.bin/bru")
	if err != nil {
		t.Fatal(err)
	}
	p := newPlace(t, "small")
	p.lockstep("", "postman", "export", "--format", "bruno")
	p.scan()
	environment := "Lockstep acme to acme-production"
	// Bruno keeps secrets elsewhere; a file of values stands in for that.
	file := filepath.Join(p.dir, "bruno", "environments", environment+".bru")
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	values := "vars {\n  hubspot_token: " + p.secrets[0] + "\n  salesforce_client_secret: " + p.secrets[1] + "\n"
	text = bytes.Replace(bytes.Replace(text, []byte("vars {\n"), []byte(values), 1), []byte("write: no"), []byte("write: yes"), 1)
	text, _, _ = bytes.Cut(text, []byte("vars:secret"))
	if err := os.WriteFile(file, text, 0o600); err != nil {
		t.Fatal(err)
	}
	command := exec.CommandContext(t.Context(), bru, "run", "-r", "--sandbox", "safe", "--env", environment)
	command.Dir = filepath.Join(p.dir, "bruno")
	command.Env = append(os.Environ(), "NO_PROXY=127.0.0.1,localhost", "no_proxy=127.0.0.1,localhost")
	out, err := command.CombinedOutput()
	if err != nil || !regexp.MustCompile(`contacts: 60 read, [1-9]\d created, [1-9]\d* updated, 0 as they should be, 0 excluded, \d+ left out, 0 refused`).Match(out) {
		t.Fatalf("%v\n%s", err, out)
	}
}

// TestAFailedCallIsSentAgainByNewman exports the writes that a rule of Salesforce
// refused, lifts the rule, and sends them again.
func TestAFailedCallIsSentAgainByNewman(t *testing.T) {
	tool(t, "node")
	p := newPlace(t, "small")
	refused := 0
	p.box.Salesforce().AddValidationRule("Lead", "closed", "No leads today.", "Company", func(map[string]any) bool { return true })
	p.wants(5, "", "sync")
	p.lockstep("", "postman", "export", "--failed")
	p.scan()
	p.box.Salesforce().RemoveValidationRule("Lead", "closed")
	newman, err := filepath.Abs(newmanScript)
	if err != nil {
		t.Fatal(err)
	}
	out := p.lockstep("", "postman", "run", "postman/run-1.failed.postman_collection.json", "--newman", newman, "--json")
	var report postmanReport
	if err := json.Unmarshal(out, &report); err != nil {
		t.Fatal(err)
	}
	for _, r := range report.Requests {
		refused++
		if r.Status < 200 || r.Status > 299 {
			t.Errorf("%s: HTTP %d", r.Name, r.Status)
		}
	}
	if refused == 0 || !report.OK {
		t.Errorf("%d requests were sent again: %s", refused, out)
	}
}
