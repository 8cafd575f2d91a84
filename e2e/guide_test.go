package e2e

import (
	"bytes"
	"fmt"
	"html"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/http/httputil"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/lockstep-sync/lockstep/internal/cli"
	"github.com/lockstep-sync/lockstep/sandbox"
	"github.com/lockstep-sync/lockstep/sandbox/salesforce"
)

// TestTheGuideFromTopToBottom does what the guide says, in its order, as the
// person does who reads it: in the settings pages of both sandboxes, with a
// token in hand, and on the command line.
func TestTheGuideFromTopToBottom(t *testing.T) {
	t.Parallel()
	g := newGuide(t)

	g.step("Find the API key where it always was, and find it gone")
	admin := g.visitor(g.box.HubSpotURL())
	admin.get("/l/api-key/").sees("Sign in")
	admin.post("/sign-in", "user", admin.button("Sam Admin"), "next", "/l/api-key/")
	admin.sees("API key", "30 November 2022")
	ordinary := g.visitor(g.box.HubSpotURL())
	ordinary.get("/l/api-key/")
	ordinary.post("/sign-in", "user", ordinary.button("Uma User"), "next", g.portal("service-keys"))
	ordinary.sees("Sam Admin") // who can

	g.step("Read why the key of the old script opens nothing, and move the script on")
	const oldKey = "0badcafe-0000-4000-8000-00000000fa4e"
	answer := g.dump("GET", "/crm/v3/objects/contacts?hapikey="+oldKey, "")
	g.says(g.diagnose(answer), "hapikey")
	g.lockstepWith(oldKey, 2, "connect", "hubspot", "--base-url", g.box.HubSpotURL(), "--token", "-")
	g.says(g.said, "API key")
	g.write("old/contacts.sh", "curl '"+g.box.HubSpotURL()+"/crm/v3/objects/contacts?hapikey="+oldKey+"'\n")

	g.step("Make the credential of today with one scope, and copy its token")
	admin.get(g.portal("private-apps")).sees("service key") // what succeeds them
	admin.get(g.portal("service-keys")+"/create").sees("Scopes", "Search for a scope")
	token := admin.makeKey(g.portal("service-keys"), "Lockstep", "crm.objects.contacts.read")

	g.step("Try the token: 200 with it, 403 beyond its scope, 401 without it")
	g.status("GET", "/crm/v3/objects/contacts?limit=1", token, 200)
	g.says(g.diagnose(g.dump("GET", "/crm/v3/objects/companies?limit=1", token)), "crm.objects.companies.read")
	g.says(g.diagnose(g.dump("GET", "/crm/v3/objects/contacts?limit=1", "")), "401")
	g.says(g.diagnose(g.dump("GET", "/crm/v3/objects/contacts?limit=1", "Bearer "+token)), "Bearer")

	g.step("Rotate it: the old token answers 401")
	admin.get(admin.keyPage).sees("Rotate")
	admin.post(admin.keyPage+"/rotate", "when", "now")
	fresh := admin.token()
	if fresh == token {
		t.Fatal("the token is the same after its rotation")
	}
	g.status("GET", "/crm/v3/objects/contacts?limit=1", fresh, 200)
	g.says(g.diagnose(g.dump("GET", "/crm/v3/objects/contacts?limit=1", token)), "401")

	g.step("Make the Salesforce app that Lockstep signs in with")
	client, secret := g.salesforceApp()

	g.step("Connect both")
	g.lockstepWith(fresh, 0, "connect", "hubspot", "--name", "acme", "--base-url", g.box.HubSpotURL(), "--token", "-")
	g.says(g.said, "Connected acme: HubSpot account "+strconv.FormatInt(g.box.Credentials().HubSpot.PortalID, 10))
	g.lockstepWith(secret, 0, "connect", "salesforce", "--name", "acme-production", "--login-url", g.box.SalesforceURL(), "--client-id", client, "--client-secret", "-")
	g.says(g.said, "Connected acme-production: Salesforce account")

	g.step("See what the token lacks, tick it, and keep the token")
	missing := g.untilNothingIsMissing(admin)
	if len(missing) < 5 {
		t.Errorf("only %v had to be ticked", missing)
	}
	g.status("GET", "/crm/v3/objects/companies?limit=1", fresh, 200)

	g.step("Plan, look, sync just that, and sync again, which writes nothing")
	g.lockstep(0, "plan", "-o", "plan.json")
	before := g.box.Salesforce().Count("Contact") + g.box.Salesforce().Count("Lead")
	g.lockstep(0, "sync", "plan.json")
	if after := g.box.Salesforce().Count("Contact") + g.box.Salesforce().Count("Lead"); after <= before {
		t.Errorf("Salesforce holds %d people after the sync and %d before", after, before)
	}
	g.lockstep(0, "sync")
	g.lockstep(0, "sync")
	g.says(g.said, "Nothing was written.")

	g.step("Prove that both sides agree")
	g.lockstep(0, "verify")
	g.lockstep(0, "status")
	g.says(g.said, "left to us")

	g.step("Change a person in HubSpot, and find her in Salesforce")
	g.box.Clock().Advance(2 * time.Second)
	id, name := g.somebody()
	if err := g.box.HubSpot().Update("contacts", id, map[string]string{"jobtitle": "Astronaut"}); err != nil {
		t.Fatal(err)
	}
	g.lockstep(0, "sync")
	g.lockstep(0, "explain", name)
	g.says(g.said, "Astronaut")

	g.step("Replace the key in the scripts that still have it")
	g.keys(oldKey, fresh)

	g.step("Hand the chain to Postman")
	g.lockstep(0, "postman", "export")

	for _, secret := range []string{token, fresh, secret} {
		g.canaries.plant("a credential of the guide", secret)
	}
	g.canaries.searchFolder(t, g.dir, nil)
}

// guide is a person with two accounts, a folder and a browser.
type guide struct {
	*testing.T
	box      *sandbox.Sandbox
	dir      string
	said     string // by the last command, on both streams
	at       string
	canaries canaries
}

func newGuide(t *testing.T) *guide {
	t.Helper()
	box, err := sandbox.New(sandbox.Config{Seed: "small", Random: 20, TenSecondly: -1, SearchSecondly: -1})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = box.Close() })
	if err := box.Listen(t.Context()); err != nil {
		t.Fatal(err)
	}
	return &guide{T: t, box: box, dir: folder(t)}
}

func (g *guide) step(title string) { g.at = title }

func (g *guide) portal(page string) string {
	return "/" + page + "/" + strconv.FormatInt(g.box.Credentials().HubSpot.PortalID, 10)
}

func (g *guide) write(name, text string) {
	g.Helper()
	path := filepath.Join(g.dir, name)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		g.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		g.Fatal(err)
	}
}

func (g *guide) lockstep(want int, args ...string) string {
	g.Helper()
	return g.lockstepWith("", want, args...)
}

// lockstepWith runs one command line with something on stdin.
func (g *guide) lockstepWith(stdin string, want int, args ...string) string {
	g.Helper()
	var out, errs bytes.Buffer
	code := cli.Run(g.Context(), args, cli.Streams{In: strings.NewReader(stdin), Out: &out, Err: &errs, Dir: g.dir})
	g.said = out.String() + errs.String()
	if code != want {
		g.Fatalf("%s: lockstep %s ended with %d, want %d\n%s", g.at, strings.Join(args, " "), code, want, g.said)
	}
	return out.String()
}

func (g *guide) says(text string, wanted ...string) {
	g.Helper()
	for _, want := range wanted {
		if !strings.Contains(text, want) {
			g.Errorf("%s: %q is not said in\n%s", g.at, want, text)
		}
	}
}

// diagnose hands a failed call to lockstep, as it was pasted.
func (g *guide) diagnose(pasted string) string {
	g.Helper()
	var out, errs bytes.Buffer
	cli.Run(g.Context(), []string{"diagnose", "-"}, cli.Streams{In: strings.NewReader(pasted), Out: &out, Err: &errs, Dir: g.dir})
	return out.String() + errs.String()
}

func (g *guide) call(method, path, token string) (*http.Request, *http.Response) {
	g.Helper()
	request, err := http.NewRequestWithContext(g.Context(), method, g.box.HubSpotURL()+path, nil)
	if err != nil {
		g.Fatal(err)
	}
	if token != "" {
		request.Header.Set("Authorization", "Bearer "+token)
	}
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		g.Fatal(err)
	}
	g.Cleanup(func() { _ = answer.Body.Close() })
	return request, answer
}

func (g *guide) status(method, path, token string, want int) {
	g.Helper()
	if _, answer := g.call(method, path, token); answer.StatusCode != want {
		g.Errorf("%s: %s %s answered %s, want %d", g.at, method, path, answer.Status, want)
	}
}

// dump makes a call and returns it as curl -v shows it.
func (g *guide) dump(method, path, token string) string {
	g.Helper()
	request, answer := g.call(method, path, token)
	text, err := httputil.DumpResponse(answer, true)
	if err != nil {
		g.Fatal(err)
	}
	lines := "> " + method + " " + path + " HTTP/1.1\n> Host: " + request.URL.Host + "\n"
	if token != "" {
		lines += "> Authorization: Bearer " + token + "\n"
	}
	head, body, _ := strings.Cut(string(text), "\r\n\r\n")
	for line := range strings.SplitSeq(head, "\r\n") {
		lines += "< " + line + "\n"
	}
	return lines + "<\n" + body + "\n"
}

// untilNothingIsMissing does what check says, and ticks what it names, until the
// mapping can be written and fits. It returns what had to be ticked.
func (g *guide) untilNothingIsMissing(admin *visitor) []string {
	g.Helper()
	scope := regexp.MustCompile(`crm\.[a-z_.]+\.(?:read|write)`)
	ticked := []string{"crm.objects.contacts.read"}
	for range 6 {
		var out, errs bytes.Buffer
		line := []string{"check"}
		if _, err := os.Stat(filepath.Join(g.dir, "lockstep.yaml")); err != nil {
			line = []string{"init"}
		}
		code := cli.Run(g.Context(), line, cli.Streams{In: strings.NewReader(""), Out: &out, Err: &errs, Dir: g.dir})
		if code == 0 && line[0] == "check" {
			return ticked[1:]
		}
		more := false
		for said := range strings.Lines(out.String() + errs.String()) {
			if !strings.Contains(said, "error:") && !strings.Contains(said, "next:") && !strings.Contains(said, "missing") {
				continue
			}
			for _, name := range scope.FindAllString(said, -1) {
				if !strings.Contains(strings.Join(ticked, " ")+" ", name+" ") {
					ticked, more = append(ticked, name), true
				}
			}
		}
		if !more && code != 0 {
			g.Fatalf("%s: lockstep %s names no scope\n%s%s", g.at, line[0], &out, &errs)
		}
		if more {
			fields := []string{"name", "Lockstep"}
			for _, name := range ticked {
				fields = append(fields, "scope", name)
			}
			admin.post(admin.keyPage+"/edit", append(fields, "step", "review")...)
			admin.sees("The token is the same.")
		}
	}
	g.Fatalf("%s: something is missing still after ticking %v", g.at, ticked)
	return nil
}

// salesforceApp makes an external client app on its pages and returns its key
// and secret.
func (g *guide) salesforceApp() (client, secret string) {
	g.Helper()
	v := g.visitor(g.box.SalesforceURL())
	for _, user := range g.box.Salesforce().Users() {
		if user.Username == salesforce.AdministratorUsername {
			v.post("/login", "username", user.Username, "password", user.Password)
		}
	}
	v.get("/setup/external-client-apps").sees("External Client App")
	v.post("/setup/external-client-apps/new", "name", "Our sync", "contactEmail", "ops@brightwater.example", "scopes", "api", "scopes", "refresh_token",
		"flows", "client_credentials", "runAs", salesforce.IntegrationUsername, "permittedUsers", "self-authorize")
	v.sees("Our sync")
	consumer := regexp.MustCompile(`<a[^>]*class="[^"]*consumer[^"]*"[^>]*href="([^"]+)"|<a[^>]*href="([^"]+)"[^>]*class="[^"]*consumer`).FindStringSubmatch(v.page)
	if consumer == nil {
		g.Fatalf("%s: the page has no link to key and secret\n%s", g.at, v.text())
	}
	v.get(html.UnescapeString(consumer[1] + consumer[2]))
	return v.field("key"), v.field("secret")
}

// somebody is a person who is in both systems: the contact's id and e-mail.
func (g *guide) somebody() (id, email string) {
	g.Helper()
	g.box.HubSpot().Each("contacts", func(candidate string, properties map[string]string) bool {
		found := false
		g.box.Salesforce().Each("Contact", func(_ string, fields map[string]any) bool {
			found = properties["email"] != "" && textOf(fields["Email"]) == properties["email"]
			return !found
		})
		if found {
			id, email = candidate, properties["email"]
		}
		return !found
	})
	if id == "" {
		g.Fatalf("%s: nobody is in both", g.at)
	}
	return id, email
}

// keys finds the old key in the scripts, rewrites them and runs one.
func (g *guide) keys(oldKey, token string) {
	g.Helper()
	found := g.lockstep(5, "keys", "scan", "old")
	g.says(found, "contacts.sh")
	if strings.Contains(g.said, oldKey) {
		g.Errorf("%s: the key was printed", g.at)
	}
	g.lockstep(0, "keys", "migrate", "old", "--write")
	text, err := os.ReadFile(filepath.Join(g.dir, "old", "contacts.sh"))
	if err != nil {
		g.Fatal(err)
	}
	if strings.Contains(string(text), "hapikey") || !strings.Contains(string(text), "Authorization: Bearer") {
		g.Errorf("%s: the script is %s", g.at, text)
	}
	if _, err := exec.LookPath("curl"); err != nil {
		return // the script needs it, the rest of the guide does not
	}
	script := exec.CommandContext(g.Context(), "sh", filepath.Join(g.dir, "old", "contacts.sh"))
	script.Env = append(os.Environ(), "HUBSPOT_ACCESS_TOKEN="+token, "NO_PROXY=127.0.0.1")
	if out, err := script.Output(); err != nil || !bytes.Contains(out, []byte(`"results"`)) {
		g.Errorf("%s: the script answers %s (%v)", g.at, out, err)
	}
}

// visitor is a person's browser on one of the two systems.
type visitor struct {
	*guide
	http    *http.Client
	base    string
	page    string
	keyPage string
}

func (g *guide) visitor(base string) *visitor {
	g.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		g.Fatal(err)
	}
	return &visitor{guide: g, http: &http.Client{Jar: jar}, base: base}
}

func (v *visitor) get(path string) *visitor {
	v.Helper()
	return v.open(v.http.Get(v.base + path))
}

// post sends a form of field names and values.
func (v *visitor) post(path string, fields ...string) *visitor {
	v.Helper()
	form := url.Values{}
	for i := 0; i < len(fields); i += 2 {
		form.Add(fields[i], fields[i+1])
	}
	return v.open(v.http.PostForm(v.base+path, form))
}

func (v *visitor) open(answer *http.Response, err error) *visitor {
	v.Helper()
	if err != nil {
		v.Fatal(err)
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	if err != nil {
		v.Fatal(err)
	}
	v.page, v.keyPage = string(body), answer.Request.URL.Path
	return v
}

func (v *visitor) sees(wanted ...string) *visitor {
	v.Helper()
	text := html.UnescapeString(v.page)
	for _, want := range wanted {
		if !strings.Contains(text, want) {
			v.Fatalf("%s: the page does not say %q\n%s", v.at, want, v.text())
		}
	}
	return v
}

// text is what a person reads of the page.
func (v *visitor) text() string {
	_, body, _ := strings.Cut(v.page, "<main>")
	text := regexp.MustCompile(`<[^>]*>`).ReplaceAllString(body, " ")
	return regexp.MustCompile(`\s+`).ReplaceAllString(html.UnescapeString(text), " ")
}

// button is the value of the button whose words begin so.
func (v *visitor) button(words string) string {
	v.Helper()
	found := regexp.MustCompile(`<button[^>]*value="([^"]*)"[^>]*>` + regexp.QuoteMeta(words)).FindStringSubmatch(v.page)
	if found == nil {
		v.Fatalf("%s: there is no button %q\n%s", v.at, words, v.text())
	}
	return html.UnescapeString(found[1])
}

func (v *visitor) field(id string) string {
	v.Helper()
	for _, tag := range regexp.MustCompile(`<input[^>]*>`).FindAllString(v.page, -1) {
		value := regexp.MustCompile(`value="([^"]*)"`).FindStringSubmatch(tag)
		if strings.Contains(tag, fmt.Sprintf(`id="%s"`, id)) && value != nil {
			return html.UnescapeString(value[1])
		}
	}
	v.Fatalf("%s: there is no field %s\n%s", v.at, id, v.text())
	return ""
}

// makeKey fills in the form of a key and confirms it.
func (v *visitor) makeKey(base, name string, scopes ...string) string {
	v.Helper()
	fields := []string{"name", name}
	for _, scope := range scopes {
		fields = append(fields, "scope", scope)
	}
	v.post(base+"/create", append(fields, "step", "review")...).sees("Create "+name+"?", "Continue creating")
	v.post(base+"/create", append(fields, "step", "confirm")...)
	return v.token()
}

// token is the token that the page shows.
func (v *visitor) token() string {
	v.Helper()
	found := regexp.MustCompile(`pat-[a-z0-9]+-[0-9A-Za-z-]{12,}`).FindString(v.page)
	if found == "" {
		v.Fatalf("%s: the page shows no token\n%s", v.at, v.text())
	}
	return found
}
