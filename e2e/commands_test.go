package e2e

import (
	"bytes"
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/lockstep-sync/lockstep/internal/cli"
	"github.com/lockstep-sync/lockstep/sandbox"
	"github.com/lockstep-sync/lockstep/sandbox/faults"
	"github.com/lockstep-sync/lockstep/sandbox/hubspot"
)

// commands are what stories may say besides testscript's own words:
//
//	sandbox small                        start both servers; sets $HUBSPOT_URL, $SALESFORCE_URL, $CLIENT_ID
//	                                     and the files $SECRETS/token, $SECRETS/client-secret
//	token NAME SCOPE...                  make a private app; its token is in $SECRETS/NAME
//	lockstep ARG... [<FILE]              run a command line; `! lockstep` wants it to end non-zero
//	exits CODE lockstep ARG... [<FILE]   the same, with this exit code
//	certified                            make an app that trusts the key in $SECRETS/server.key; sets
//	                                     $JWT_CLIENT_ID and $JWT_USER
//	connected                            connect both accounts and init
//	json PATH VALUE                      the last stdout is JSON and holds VALUE at PATH (a.b.0.c)
//	hubspot create TYPE k=v...           a person's edit; update and archive take a selector k=v first
//	hubspot expect TYPE k=v k=v...       the record that the first k=v selects holds the others
//	hubspot count TYPE N
//	salesforce create|update|delete|expect|count   the same on the other side
//	faults JSON                          turn the dials
//	try lockstep ARG...                  run it, whatever its exit code
//	revoke NAME                          end the token in $SECRETS/NAME
//	bearer NAME                          write $SECRETS/bearer as people copy it: quoted, with "Bearer"
//	expire                               end all Salesforce sessions
//	moment                               let the clock move to the next second
//	edit FILE OLD NEW                    replace text in a file, once
//	clock AHEAD                          set the machine's clock: 0s is right, -1h an hour late; the vendors keep theirs
//	hold FILE                            keep everybody else from writing to a database, as another program may
//	let-go                               end that
var commands = map[string]func(ts *testscript.TestScript, neg bool, args []string){
	"sandbox":    startSandbox,
	"token":      makeToken,
	"lockstep":   runLockstep,
	"exits":      runExits,
	"certified":  makeCertified,
	"connected":  connectBoth,
	"json":       checkJSON,
	"hubspot":    actInHubSpot,
	"salesforce": actInSalesforce,
	"faults":     turnDials,
	"clock":      setClock,
	"hold":       holdDatabase,
	"let-go":     func(ts *testscript.TestScript, _ bool, _ []string) { worldOf(ts).letGo(ts) },
	"moment":     func(ts *testscript.TestScript, _ bool, _ []string) { worldOf(ts).moment(ts) },
	"edit":       editFile,
	"try":        runAnyhow,
	"revoke":     func(ts *testscript.TestScript, _ bool, args []string) { worldOf(ts).revoke(ts, args[0]) },
	"bearer":     func(ts *testscript.TestScript, _ bool, args []string) { worldOf(ts).copyAsBearer(ts, args[0]) },
	"expire":     func(ts *testscript.TestScript, _ bool, _ []string) { worldOf(ts).sandbox.Salesforce().ExpireAll() },
}

type worldKey struct{}

// world is one story's sandbox and what must never be seen of it.
type world struct {
	sandbox *sandbox.Sandbox
	secrets string
	planted []string
	stdout  string
	// ahead is how far the machine's clock is ahead.
	ahead time.Duration
	// held is a database that another program holds.
	held *sql.DB
}

func worldOf(ts *testscript.TestScript) *world { return ts.Value(worldKey{}).(*world) }

func (w *world) close() {
	if w.held != nil {
		_ = w.held.Close()
	}
	if w.sandbox != nil {
		_ = w.sandbox.Close()
	}
}

// plant keeps a secret in a file and watches for it everywhere else.
func (w *world) plant(ts *testscript.TestScript, name, secret string) {
	if secret == "" {
		ts.Fatalf("the secret %s is empty", name)
	}
	w.planted = append(w.planted, secret)
	ts.Check(os.WriteFile(filepath.Join(w.secrets, name), []byte(secret+"\n"), 0o600))
}

// moment moves the sandbox's clock, so that an edit is later than what came before.
func (w *world) moment(*testscript.TestScript) { w.sandbox.Clock().Advance(2 * time.Second) }

func startSandbox(ts *testscript.TestScript, _ bool, args []string) {
	if len(args) != 1 {
		ts.Fatalf("usage: sandbox SEED")
	}
	w := worldOf(ts)
	s, err := sandbox.New(sandbox.Config{Seed: args[0]})
	ts.Check(err)
	ts.Check(s.Listen(context.Background()))
	w.sandbox = s
	ts.Setenv("HUBSPOT_URL", s.HubSpotURL())
	ts.Setenv("SALESFORCE_URL", s.SalesforceURL())
	ts.Setenv("MANAGE_URL", s.ManageURL())
	credentials := s.Credentials()
	ts.Setenv("CLIENT_ID", credentials.Salesforce.ClientID)
	w.plant(ts, "token", credentials.HubSpot.PrivateApp)
	w.plant(ts, "client-secret", credentials.Salesforce.ClientSecret)
}

func makeToken(ts *testscript.TestScript, _ bool, args []string) {
	w := worldOf(ts)
	token := w.sandbox.HubSpot().CreateToken(hubspot.TokenSpec{Kind: hubspot.PrivateApp, Name: args[0], Scopes: args[1:]})
	w.plant(ts, args[0], token)
}

func runLockstep(ts *testscript.TestScript, neg bool, args []string) {
	code := lockstep(ts, args)
	if neg && code == 0 {
		ts.Fatalf("lockstep %s ended well, and should not have", strings.Join(args, " "))
	}
	if !neg && code != 0 {
		ts.Fatalf("lockstep %s ended with exit code %d", strings.Join(args, " "), code)
	}
}

func runExits(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 || args[1] != "lockstep" {
		ts.Fatalf("usage: exits CODE lockstep ARG...")
	}
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	if got := lockstep(ts, args[2:]); got != want {
		ts.Fatalf("lockstep %s ended with exit code %d, want %d", strings.Join(args[2:], " "), got, want)
	}
}

func runAnyhow(ts *testscript.TestScript, _ bool, args []string) {
	if len(args) < 2 || args[0] != "lockstep" {
		ts.Fatalf("usage: try lockstep ARG...")
	}
	lockstep(ts, args[1:])
}

func (w *world) revoke(ts *testscript.TestScript, name string) {
	w.sandbox.HubSpot().RevokeToken(strings.TrimSpace(ts.ReadFile(filepath.Join(w.secrets, name))))
}

func (w *world) copyAsBearer(ts *testscript.TestScript, name string) {
	token := strings.TrimSpace(ts.ReadFile(filepath.Join(w.secrets, name)))
	ts.Check(os.WriteFile(filepath.Join(w.secrets, "bearer"), []byte("  \"Bearer "+token+"\"\r\n"), 0o600))
}

// lockstep runs one command line in this process, in the story's folder and
// with the story's environment, and searches all that it left for secrets.
func lockstep(ts *testscript.TestScript, args []string) int {
	w := worldOf(ts)
	var in io.Reader = strings.NewReader("")
	if n := len(args); n > 0 && strings.HasPrefix(args[n-1], "<") {
		in = strings.NewReader(ts.ReadFile(args[n-1][1:]))
		args = args[:n-1]
	}
	var out, errs bytes.Buffer
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	code := cli.Run(ctx, args, cli.Streams{
		In: in, Out: &out, Err: &errs,
		Env: ts.Getenv,
		Dir: ts.MkAbs("."),
		Now: func() time.Time { return time.Now().Add(w.ahead) },
	})
	w.stdout = out.String()
	_, _ = io.Copy(ts.Stdout(), &out)
	w.search(ts, "stdout of "+strings.Join(args, " "), w.stdout)
	w.search(ts, "stderr of "+strings.Join(args, " "), errs.String())
	_, _ = io.Copy(ts.Stderr(), &errs)
	w.searchFiles(ts)
	return code
}

// search fails the story when a planted secret stands in text.
func (w *world) search(ts *testscript.TestScript, where, text string) {
	for _, secret := range w.planted {
		if strings.Contains(text, secret) {
			ts.Fatalf("a secret stands in %s", where)
		}
	}
}

// searchFiles looks for secrets in every file that the story made.
func (w *world) searchFiles(ts *testscript.TestScript) {
	err := filepath.WalkDir(ts.MkAbs("."), func(path string, entry fs.DirEntry, err error) error {
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		if err != nil || !entry.Type().IsRegular() {
			return err
		}
		content, err := os.ReadFile(path)
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		if err == nil {
			w.search(ts, path, string(content))
		}
		return err
	})
	ts.Check(err)
}

func connectBoth(ts *testscript.TestScript, _ bool, _ []string) {
	for _, line := range [][]string{
		{"connect", "hubspot", "--base-url", ts.Getenv("HUBSPOT_URL"), "--token", "-", "<" + ts.Getenv("SECRETS") + "/token"},
		{"connect", "salesforce", "--login-url", ts.Getenv("SALESFORCE_URL"), "--client-id", ts.Getenv("CLIENT_ID"), "--client-secret", "-", "<" + ts.Getenv("SECRETS") + "/client-secret"},
		{"init"},
	} {
		if code := lockstep(ts, line); code != 0 {
			ts.Fatalf("lockstep %s ended with exit code %d", strings.Join(line, " "), code)
		}
	}
}

func checkJSON(ts *testscript.TestScript, neg bool, args []string) {
	if len(args) != 2 {
		ts.Fatalf("usage: json PATH VALUE")
	}
	var value any
	if err := json.Unmarshal([]byte(worldOf(ts).stdout), &value); err != nil {
		ts.Fatalf("stdout is not one JSON object: %v", err)
	}
	for _, name := range strings.Split(args[0], ".") {
		switch v := value.(type) {
		case map[string]any:
			value = v[name]
		case []any:
			i, err := strconv.Atoi(name)
			if err != nil || i >= len(v) {
				ts.Fatalf("%s: there is no element %s of %d", args[0], name, len(v))
			}
			value = v[i]
		default:
			ts.Fatalf("%s: nothing under %s", args[0], name)
		}
	}
	got := fmt.Sprint(value)
	if f, ok := value.(float64); ok {
		got = strconv.FormatFloat(f, 'f', -1, 64)
	}
	if (got == args[1]) == neg {
		ts.Fatalf("%s is %s, want %s (not: %v)", args[0], got, args[1], neg)
	}
}

// pairs splits k=v words.
func pairs(ts *testscript.TestScript, words []string) (keys []string, values map[string]string) {
	values = map[string]string{}
	for _, word := range words {
		k, v, ok := strings.Cut(word, "=")
		if !ok {
			ts.Fatalf("%s is not k=v", word)
		}
		keys = append(keys, k)
		values[k] = v
	}
	return keys, values
}

func actInHubSpot(ts *testscript.TestScript, neg bool, args []string) {
	server, clock := worldOf(ts).sandbox.HubSpot(), worldOf(ts).sandbox.Clock()
	if len(args) < 3 {
		ts.Fatalf("usage: hubspot create|update|archive|expect|count TYPE ... or hubspot list NAME EMAIL ...")
	}
	objectType, rest := args[1], args[2:]
	if args[0] == "list" {
		fillList(ts, server, objectType, rest)
		return
	}
	if args[0] == "count" {
		if got := strconv.Itoa(server.Count(objectType)); got != rest[0] {
			ts.Fatalf("HubSpot holds %s %s, want %s", got, objectType, rest[0])
		}
		return
	}
	worldOf(ts).moment(ts)
	keys, values := pairs(ts, rest)
	if args[0] == "create" {
		now := clock.Now()
		ts.Setenv("ID", server.Insert(objectType, values, now, now))
		return
	}
	id := ""
	server.Each(objectType, func(candidate string, properties map[string]string) bool {
		if properties[keys[0]] == values[keys[0]] || keys[0] == "id" && candidate == values["id"] {
			id = candidate
		}
		return id == ""
	})
	if id == "" {
		if !neg {
			ts.Fatalf("HubSpot has no %s with %s", objectType, rest[0])
		}
		return
	}
	ts.Setenv("ID", id)
	delete(values, keys[0])
	switch args[0] {
	case "update":
		ts.Check(server.Update(objectType, id, values))
	case "archive":
		ts.Check(server.Archive(objectType, id))
	case "expect":
		properties, _ := server.Get(objectType, id)
		for _, k := range keys[1:] {
			if (properties[k] == values[k]) == neg {
				ts.Fatalf("HubSpot %s %s: %s is %q, want %q (not: %v)", objectType, id, k, properties[k], values[k], neg)
			}
		}
		if neg && len(keys) == 1 {
			ts.Fatalf("HubSpot has %s with %s", objectType, rest[0])
		}
	default:
		ts.Fatalf("hubspot %s is not known", args[0])
	}
}

// fillList makes a list of contacts, who are named by their e-mail addresses.
func fillList(ts *testscript.TestScript, server *hubspot.Server, name string, emails []string) {
	worldOf(ts).moment(ts)
	id, err := server.AddList("contacts", name)
	ts.Check(err)
	var members []string
	server.Each("contacts", func(contact string, properties map[string]string) bool {
		if slices.Contains(emails, properties["email"]) {
			members = append(members, contact)
		}
		return true
	})
	ts.Check(server.AsPerson().ChangeList(id, members, nil))
	ts.Setenv("ID", id)
}

func actInSalesforce(ts *testscript.TestScript, neg bool, args []string) {
	server, clock := worldOf(ts).sandbox.Salesforce(), worldOf(ts).sandbox.Clock()
	if len(args) < 3 {
		ts.Fatalf("usage: salesforce create|update|delete|expect|count OBJECT ...")
	}
	object, rest := args[1], args[2:]
	if args[0] == "count" {
		if got := strconv.Itoa(server.Count(object)); got != rest[0] {
			ts.Fatalf("Salesforce holds %s %s, want %s", got, object, rest[0])
		}
		return
	}
	worldOf(ts).moment(ts)
	keys, texts := pairs(ts, rest)
	values := map[string]any{}
	for k, v := range texts {
		values[k] = v
	}
	if args[0] == "create" {
		now := clock.Now()
		ts.Setenv("ID", server.Insert(object, values, now, now))
		return
	}
	id := ""
	server.Each(object, func(candidate string, fields map[string]any) bool {
		if textOf(fields[keys[0]]) == texts[keys[0]] {
			id = candidate
		}
		return id == ""
	})
	if id == "" {
		if !neg {
			ts.Fatalf("Salesforce has no %s with %s", object, rest[0])
		}
		return
	}
	ts.Setenv("ID", id)
	delete(values, keys[0])
	switch args[0] {
	case "update":
		ts.Check(server.Update(object, id, values))
	case "delete":
		ts.Check(server.Delete(object, id))
	case "expect":
		fields, _ := server.Get(object, id)
		for _, k := range keys[1:] {
			if (textOf(fields[k]) == texts[k]) == neg {
				ts.Fatalf("Salesforce %s %s: %s is %q, want %q (not: %v)", object, id, k, textOf(fields[k]), texts[k], neg)
			}
		}
		if neg && len(keys) == 1 {
			ts.Fatalf("Salesforce has %s with %s", object, rest[0])
		}
	default:
		ts.Fatalf("salesforce %s is not known", args[0])
	}
}

func textOf(v any) string {
	if v == nil {
		return ""
	}
	return fmt.Sprint(v)
}

func turnDials(ts *testscript.TestScript, _ bool, args []string) {
	var setting faults.Setting
	ts.Check(json.Unmarshal([]byte(strings.Join(args, " ")), &setting))
	worldOf(ts).sandbox.Dials().Set(setting)
}

func setClock(ts *testscript.TestScript, _ bool, args []string) {
	ahead, err := time.ParseDuration(strings.Join(args, " "))
	ts.Check(err)
	worldOf(ts).ahead = ahead
}

func holdDatabase(ts *testscript.TestScript, _ bool, args []string) {
	if len(args) != 1 {
		ts.Fatalf("usage: hold FILE")
	}
	w := worldOf(ts)
	var err error
	w.held, err = sql.Open("sqlite", "file:"+ts.MkAbs(args[0]))
	ts.Check(err)
	w.held.SetMaxOpenConns(1)
	_, err = w.held.Exec("BEGIN IMMEDIATE")
	ts.Check(err)
}

func (w *world) letGo(ts *testscript.TestScript) {
	ts.Check(w.held.Close())
	w.held = nil
}

func editFile(ts *testscript.TestScript, _ bool, args []string) {
	if len(args) != 3 {
		ts.Fatalf("usage: edit FILE OLD NEW")
	}
	text := ts.ReadFile(args[0])
	if !strings.Contains(text, args[1]) {
		ts.Fatalf("%s does not hold %q", args[0], args[1])
	}
	lines := strings.Replace(text, args[1], strings.ReplaceAll(args[2], `\n`, "\n"), 1)
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), []byte(lines), 0o644))
}
