package salesforce

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"sort"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/lockstep-sync/lockstep/sandbox/faults"
)

func TestIDsInBothForms(t *testing.T) {
	for _, c := range []struct {
		given, want string
		ok          bool
	}{
		{"001D000000IRFma", "001D000000IRFmaIAH", true},
		{"01gD0000002HU6K", "01gD0000002HU6KIAW", true},
		{"001D000000IRFmaIAH", "001D000000IRFmaIAH", true},
		{"001d000000irfmaiah", "", false},
		{"001D000000IRFmaIAX", "", false},
		{"001D000000IRFm", "", false},
		{"001D000000IRF-a", "", false},
	} {
		if got, ok := longID(c.given); got != c.want || ok != c.ok {
			t.Errorf("%s: got %q %v, want %q %v", c.given, got, ok, c.want, c.ok)
		}
	}
	rapid.Check(t, func(rt *rapid.T) {
		n := rapid.Uint64Range(0, 1<<50).Draw(rt, "n")
		id := makeID("003", n)
		if long, ok := longID(id[:15]); !ok || long != id {
			rt.Fatalf("%s from its short form: %s %v", id, long, ok)
		}
		if back, ok := counterOf(id); !ok || back != n {
			rt.Fatalf("%s counts %d, want %d", id, back, n)
		}
		if next := makeID("003", n+1); next[:15] <= id[:15] {
			rt.Fatalf("%s does not come after %s", next, id)
		}
	})
}

func TestTheStampLogIsInOrderAfterAnyChanges(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		o := newObject("Thing__c", "Thing", "Things", "a00")
		addLeading(o, false)
		addTrailing(o, false, false, false)
		rows := make([]*row, rapid.IntRange(1, 20).Draw(rt, "rows"))
		for i := range rows {
			rows[i] = &row{id: makeID("a00", uint64(i)), stamp: rapid.Int64Range(0, 9).Draw(rt, "stamp")}
			o.rows = append(o.rows, rows[i])
			o.stamps.insert(rows[i])
		}
		for range rapid.IntRange(0, 40).Draw(rt, "changes") {
			r := rows[rapid.IntRange(0, len(rows)-1).Draw(rt, "row")]
			next := *r
			next.stamp = rapid.Int64Range(0, 12).Draw(rt, "to")
			o.become(r, next)
			if rapid.Bool().Draw(rt, "read between") {
				o.orderedStamps()
			}
		}
		var got []string
		for _, e := range o.orderedStamps() {
			if e.row.stamp == e.stamp {
				got = append(got, e.row.id)
			}
		}
		want := slices.Clone(rows)
		sort.Slice(want, func(i, j int) bool {
			return want[i].stamp < want[j].stamp || want[i].stamp == want[j].stamp && want[i].id < want[j].id
		})
		for i, r := range want {
			if i >= len(got) || got[i] != r.id || len(got) != len(want) {
				rt.Fatalf("got %v, want %d rows by stamp and id", got, len(want))
			}
		}
	})
}

func TestVersionsAndPaths(t *testing.T) {
	o := newStory(t)
	for _, c := range []struct {
		name, method, path string
		status             int
		has                string
	}{
		{"the newest version", "GET", "/services/data/v68.0/limits", 200, "DailyApiRequests"},
		{"the oldest that is served", "GET", "/services/data/v31.0/limits", 200, "DailyApiRequests"},
		{"a retired one", "GET", "/services/data/v30.0/limits", 410, "UNSUPPORTED_API_VERSION"},
		{"a retired one on a path that is none", "GET", "/services/data/v20.0/nothing", 410, "UNSUPPORTED_API_VERSION"},
		{"one that does not exist yet", "GET", "/services/data/v69.0/limits", 404, "NOT_FOUND"},
		{"a slash at the end and a double one", "GET", "//services/data//v68.0/limits/", 200, "DailyApiRequests"},
		{"an object in another case", "GET", "/services/data/v68.0/sobjects/aCCount/describe", 200, `"name":"Account"`},
		{"a path that does not exist", "GET", "/services/data/v68.0/nothing", 404, `[{"message":"The requested resource does not exist","errorCode":"NOT_FOUND"}]`},
		{"a method that does not", "PUT", "/services/data/v68.0/query", 405, "HTTP Method 'PUT' not allowed. Allowed are GET"},
		{"the list of resources", "GET", "/services/data/v68.0", 200, `"identity":"https://lockstep-dev-ed.my.salesforce.com/id/00D`},
		{"the list of versions", "GET", "/services/data", 200, `{"label":"Winter '27","url":"/services/data/v68.0","version":"68.0"}]`},
		{"an address that is too long", "GET", "/services/data/v68.0/query?q=" + strings.Repeat("x", 16400), 414, "URI_TOO_LONG"},
		{"a friendly address of a parent", "GET", "/services/data/v68.0/sobjects/Contact/" + o.idOf("Contact", "Ann Li") + "/Account?fields=Name", 200, `"Name":"Acme"`},
		{"a friendly address of children", "GET", "/services/data/v68.0/sobjects/Account/" + o.idOf("Account", "Acme") + "/Contacts?fields=LastName", 200, `"totalSize":1`},
		{"the counts of objects", "GET", "/services/data/v68.0/limits/recordCount?sObjects=Account,Contact", 200, `{"sObjects":[{"count":3,"name":"Account"},{"count":3,"name":"Contact"}]}`},
	} {
		t.Run(c.name, func(t *testing.T) {
			if g := o.do(c.method, c.path, ""); g.Status != c.status || !strings.Contains(g.Body, c.has) {
				t.Errorf("got %d %.300s, want %d with %s", g.Status, g.Body, c.status, c.has)
			}
		})
	}
	if g := o.do("GET", "/services/data/v35.0/limits", ""); !strings.HasPrefix(g.Header.Get("Warning"), "299 ") {
		t.Errorf("a version near its end: Warning %q, want one", g.Header.Get("Warning"))
	}
	if g := o.do("POST", "/sobjects/Account", `<x/>`, "Content-Type: application/xml"); g.Status != 415 {
		t.Errorf("xml: %d, want 415", g.Status)
	}
	if g := o.do("POST", "/sobjects/Account", `{"Name":"x"}`, "Content-Type: application/JSON; charset=UTF-8"); g.Status != 201 {
		t.Errorf("media type in capitals: %d, want 201", g.Status)
	}
}

func TestDescribeHasEveryKey(t *testing.T) {
	o := newStory(t)
	g := o.do("GET", "/sobjects/Contact/describe", "")
	keys := func(v any) []string {
		var list []string
		for k := range v.(map[string]any) {
			list = append(list, k)
		}
		sort.Strings(list)
		return list
	}
	object := strings.Fields(`actionOverrides activateable associateEntityType associateParentEntity childRelationships compactLayoutable createable custom customSetting deepCloneable
		defaultImplementation deletable deprecatedAndHidden extendedBy extendsInterfaces feedEnabled fields hasSubtypes implementedBy implementsInterfaces isInterface isSubtype keyPrefix label
		labelPlural layoutable listviewable lookupLayoutable mergeable mruEnabled name namedLayoutInfos networkScopeFieldName queryable recordTypeInfos replicateable retrieveable searchLayoutable
		searchable sobjectDescribeOption supportedScopes triggerable undeletable updateable urls`)
	field := strings.Fields(`aggregatable aiPredictionField autoNumber byteLength calculated calculatedFormula cascadeDelete caseSensitive compoundFieldName controllerName createable custom
		defaultValue defaultValueFormula defaultedOnCreate dependentPicklist deprecatedAndHidden digits displayLocationInDecimal encrypted externalId extraTypeInfo filterable filteredLookupInfo
		formulaTreatNullNumberAsZero groupable highScaleNumber htmlFormatted idLookup inlineHelpText label length mask maskType name nameField namePointing nillable permissionable picklistValues
		polymorphicForeignKey precision queryByDistance referenceTargetField referenceTo relationshipName relationshipOrder restrictedDelete restrictedPicklist scale searchPrefilterable soapType
		sortable type unique updateable writeRequiresMasterRead`)
	if diff := cmp.Diff(object, keys(g.JSON)); diff != "" {
		t.Errorf("object (-want +got):\n%s", diff)
	}
	for _, f := range g.at("fields").([]any) {
		if diff := cmp.Diff(field, keys(f)); diff != "" {
			t.Errorf("%v (-want +got):\n%s", f.(map[string]any)["name"], diff)
		}
	}
	if g.str("recordTypeInfos.0.recordTypeId") != "012000000000000AAA" {
		t.Errorf("no Master record type in %v", g.at("recordTypeInfos"))
	}
	modified := g.Header.Get("Last-Modified")
	if g := o.do("GET", "/sobjects/Contact/describe", "", "If-Modified-Since: "+modified); g.Status != 304 || g.Body != "" {
		t.Errorf("unchanged: %d, want 304", g.Status)
	}
	o.clock.Advance(time.Minute)
	if err := o.AddField("Contact", Field{Name: "New__c"}); err != nil {
		t.Fatal(err)
	}
	if g := o.do("GET", "/sobjects/Contact/describe", "", "If-Modified-Since: "+modified); g.Status != 200 || !strings.Contains(g.Body, "New__c") {
		t.Errorf("after a new field: %d, want 200 with it", g.Status)
	}
	required := map[string][]string{}
	for _, name := range []string{"Account", "Contact", "Lead", "Opportunity", "Task", "Campaign", "OpportunityContactRole"} {
		for _, f := range o.object(name).fields {
			if f.requiredOnCreate() {
				required[name] = append(required[name], f.Name)
			}
		}
	}
	want := map[string][]string{"Account": {"Name"}, "Contact": {"LastName"}, "Lead": {"LastName", "Company"}, "Opportunity": {"Name", "StageName", "CloseDate"},
		"Campaign": {"Name"}, "OpportunityContactRole": {"OpportunityId", "ContactId"}}
	if diff := cmp.Diff(want, required); diff != "" {
		t.Errorf("required on create (-want +got):\n%s", diff)
	}
}

func TestLimitsAndTheirHeader(t *testing.T) {
	o := &org{t: t}
	o.Server = New(Config{DailyLimit: 3})
	o.token = o.IssueToken(IntegrationUsername)
	for i := range 3 {
		if g := o.do("GET", "/limits", ""); g.Status != 200 || g.Header.Get("Sforce-Limit-Info") != fmt.Sprintf("api-usage=%d/3", i+1) {
			t.Fatalf("call %d: %d %s", i+1, g.Status, g.Header.Get("Sforce-Limit-Info"))
		}
	}
	g := o.do("GET", "/limits", "")
	if diff := cmp.Diff([]any{map[string]any{"message": "TotalRequests Limit exceeded.", "errorCode": "REQUEST_LIMIT_EXCEEDED"}}, g.JSON); diff != "" || g.Status != 403 {
		t.Errorf("%d (-want +got):\n%s", g.Status, diff)
	}
	o.Server.clock.Advance(24*time.Hour + time.Minute)
	o.token = o.IssueToken(IntegrationUsername)
	if g := o.do("GET", "/limits", ""); g.Status != 200 {
		t.Errorf("a day later: %d, want 200", g.Status)
	}
}

func TestFaultsAreMet(t *testing.T) {
	o := newStory(t)
	id := o.idOf("Account", "Acme")
	set := func(r faults.Rule) { o.dials.Set(faults.Setting{Rules: []faults.Rule{r}}) }
	set(faults.Rule{Kind: faults.TooMany})
	if g := o.do("GET", "/limits", ""); g.Status != 403 || g.str("0.errorCode") != "REQUEST_LIMIT_EXCEEDED" {
		t.Errorf("too many: %d %s", g.Status, g.Body)
	}
	set(faults.Rule{Kind: faults.ServerError})
	var statuses []int
	for range 4 {
		statuses = append(statuses, o.do("GET", "/limits", "").Status)
	}
	if diff := cmp.Diff([]int{500, 502, 503, 504}, statuses); diff != "" {
		t.Errorf("server errors (-want +got):\n%s", diff)
	}
	set(faults.Rule{Kind: faults.Locked, Method: "write"})
	if g := o.do("PATCH", "/sobjects/Account/"+id, `{"Phone":"9"}`); g.Status != 400 || g.str("0.errorCode") != "UNABLE_TO_LOCK_ROW" {
		t.Errorf("locked: %d %s", g.Status, g.Body)
	}
	if g := o.do("POST", "/composite/sobjects", `{"records":[{"attributes":{"type":"Account"},"Name":"x"}]}`); g.str("0.errors.0.statusCode") != "UNABLE_TO_LOCK_ROW" {
		t.Errorf("locked collection: %s", g.Body)
	}
	set(faults.Rule{Kind: faults.Partial, Method: "write"})
	if g := o.do("POST", "/composite/sobjects", `{"records":[{"attributes":{"type":"Account"},"Name":"x"},{"attributes":{"type":"Account"},"Name":"y"},{"attributes":{"type":"Account"},"Name":"z"}]}`); g.str("0.errors.0.statusCode") != "UNABLE_TO_LOCK_ROW" || g.str("1.id") == "" || g.str("2.errors.0.statusCode") != "UNABLE_TO_LOCK_ROW" {
		t.Errorf("a collection in part: %s", g.Body)
	}
	aborted := func(method, path, body string) (was bool) {
		defer func() { was = recover() == http.ErrAbortHandler }()
		o.do(method, path, body)
		return false
	}
	set(faults.Rule{Kind: faults.CutBefore, Method: "write"})
	if !aborted("PATCH", "/sobjects/Account/"+id, `{"Phone":"before"}`) {
		t.Error("cut before: the connection was not cut")
	}
	if got, _ := o.Get("Account", id); got["Phone"] == "before" {
		t.Error("cut before: the write was done")
	}
	set(faults.Rule{Kind: faults.CutAfter, Method: "write"})
	if !aborted("PATCH", "/sobjects/Account/"+id, `{"Phone":"after"}`) {
		t.Error("cut after: the connection was not cut")
	}
	if got, _ := o.Get("Account", id); got["Phone"] != "after" {
		t.Error("cut after: the write was not done")
	}
	set(faults.Rule{Kind: faults.Expired, Times: 1})
	if g := o.do("GET", "/limits", ""); g.Status != 401 || g.str("0.errorCode") != "INVALID_SESSION_ID" {
		t.Errorf("expired: %d %s", g.Status, g.Body)
	}
	if g := o.do("GET", "/limits", ""); g.Status != 401 {
		t.Errorf("the token that expired lives on: %d", g.Status)
	}
}

func TestLatencyIsWaited(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := newOrg(t)
		o.dials.Set(faults.Setting{LatencyMillis: 150})
		start := time.Now()
		o.do("GET", "/limits", "")
		if took := time.Since(start); took != 150*time.Millisecond {
			t.Errorf("took %s, want 150ms", took)
		}
	})
}

func TestPackedAndPrettyAnswers(t *testing.T) {
	o := newOrg(t)
	for i := range 2000 {
		o.Insert("Lead", map[string]any{"LastName": fmt.Sprint(i), "Company": "Hooli"}, longAgo, longAgo)
	}
	g := o.do("GET", "/query?q=SELECT+Id,LastName+FROM+Lead", "", "Accept-Encoding: gzip")
	if g.Header.Get("Content-Encoding") != "gzip" {
		t.Fatalf("a large answer is not packed: %s", g.Header)
	}
	z, err := gzip.NewReader(strings.NewReader(g.Body))
	if err != nil {
		t.Fatal(err)
	}
	if b, err := io.ReadAll(z); err != nil || !bytes.HasSuffix(b, []byte("]}")) {
		t.Errorf("unpacked: %v, %d bytes", err, len(b))
	}
	var packed bytes.Buffer
	w := gzip.NewWriter(&packed)
	io.WriteString(w, `{"Name":"Packed"}`)
	w.Close()
	if g := o.do("POST", "/sobjects/Account", packed.String(), "Content-Encoding: gzip"); g.Status != 201 {
		t.Errorf("a packed request: %d %s", g.Status, g.Body)
	}
	pretty := o.do("GET", "/limits/recordCount?sObjects=Account", "", "X-PrettyPrint: 1")
	if want := "{\n  \"sObjects\" : [ {\n    \"count\" : 1,\n    \"name\" : \"Account\"\n  } ]\n}"; pretty.Body != want {
		t.Errorf("pretty: got\n%s\nwant\n%s", pretty.Body, want)
	}
}

func TestSearches(t *testing.T) {
	o := newStory(t)
	for _, c := range []struct {
		name, q string
		want    []any
	}{
		{"words of a name", "FIND {acme} IN NAME FIELDS RETURNING Account(Name)", []any{"Acme"}},
		{"an e-mail", "FIND {ann@acme.example} IN EMAIL FIELDS RETURNING Contact(Name), Lead(Name)", []any{"Ann Li"}},
		{"a beginning", "FIND {ini*} RETURNING Account(Name)", []any{"initech"}},
		{"with a condition and a limit", "FIND {example} RETURNING Contact(Name WHERE Account.Name = 'Globex' LIMIT 5)", []any{"Jörg Müller"}},
		{"nothing", "FIND {nothing like it} RETURNING Contact(Name)", []any{}},
	} {
		g := o.do("GET", "/search?q="+escape(c.q), "")
		names := []any{}
		if list, ok := g.at("searchRecords").([]any); ok {
			for _, r := range list {
				names = append(names, r.(map[string]any)["Name"])
			}
		}
		if diff := cmp.Diff(c.want, names); diff != "" {
			t.Errorf("%s: %d (-want +got):\n%s%s", c.name, g.Status, diff, g.Body)
		}
	}
	if g := o.do("GET", "/search?q=FOUND", ""); g.str("0.errorCode") != "MALFORMED_SEARCH" {
		t.Errorf("no search: %s", g.Body)
	}
	if g := o.do("GET", "/parameterizedSearch?q=acme&sobject=Account&fields=Name", ""); g.str("searchRecords.0.Name") != "Acme" {
		t.Errorf("parameterized: %s", g.Body)
	}
	if g := o.do("POST", "/parameterizedSearch", `{"q":"acme","sobjects":[{"name":"Account","fields":["Name"],"limit":1}]}`); g.str("searchRecords.0.Name") != "Acme" {
		t.Errorf("parameterized by POST: %s", g.Body)
	}
}

func TestUpdatedTellsWhatChangedInAWindow(t *testing.T) {
	o := newOrg(t)
	o.clock.Set(time.Date(2026, 11, 23, 14, 5, 6, 0, time.UTC))
	id := o.create("Account", `{"Name":"A"}`)
	window := func(from, to string) got { return o.do("GET", "/sobjects/Account/updated/?start="+from+"&end="+to, "") }
	if g := window("2026-11-23T14:05:59%2B00:00", "2026-11-23T14:06:00Z"); g.at("ids.0") != id || g.str("latestDateCovered") != "2026-11-23T14:05:00.000+0000" {
		t.Errorf("the minute it was made in: %s", g.Body)
	}
	if g := window("2026-11-23T14:06:00Z", "2026-11-23T14:08:00Z"); len(g.at("ids").([]any)) != 0 {
		t.Errorf("a later window: %s", g.Body)
	}
	for name, g := range map[string]got{
		"the same minute":     window("2026-11-23T14:05:01Z", "2026-11-23T14:05:50Z"),
		"longer than 30 days": window("2026-10-01T00:00:00Z", "2026-11-23T00:00:00Z"),
		"no date":             window("x", "y"),
	} {
		if g.Status != 400 || g.str("0.errorCode") != "INVALID_REPLICATION_DATE" {
			t.Errorf("%s: %d %s", name, g.Status, g.Body)
		}
	}
}

func TestPagesForABrowser(t *testing.T) {
	o := newStory(t)
	o.SetPeerURL("http://127.0.0.1:4010")
	acme := o.idOf("Account", "Acme")
	o.Update("Account", acme, map[string]any{"Description": "<script>alert(1)</script>"})
	page := func(path string) (int, string, http.Header) {
		w := httptest.NewRecorder()
		o.ServeHTTP(w, httptest.NewRequest("GET", "http://x"+path, nil))
		return w.Code, w.Body.String(), w.Header()
	}
	for _, c := range []struct {
		name, path string
		status     int
		has        []string
		hasNot     string
	}{
		{"all objects", "/", 200, []string{`<a href="/objects/Account">Accounts</a>`, `<td class="n">3</td>`, `href="http://127.0.0.1:4010"`}, ""},
		{"a list", "/objects/Contact", 200, []string{"Ann Li", "Jörg Müller", "3 of 3"}, ""},
		{"a search", "/objects/Contact?q=joerg", 200, []string{"Jörg Müller", "1 of 1"}, "Ann Li"},
		{"a record with its children", "/objects/Account/" + acme, 200, []string{"Ann Li</a>", "Big</a>", "&lt;script&gt;"}, "<script>"},
		{"a record with its parents", "/objects/Contact/" + o.idOf("Contact", "Ann Li"), 200, []string{`Account ID: <a href="/objects/Account/` + acme + `">Acme</a>`, "Big · Decision Maker"}, ""},
		{"an object that is none", "/objects/Nope", 404, []string{"There is no object Nope."}, ""},
		{"a path that is none", "/nope", 404, []string{"There is no page /nope."}, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			status, body, header := page(c.path)
			if status != c.status || !strings.HasPrefix(header.Get("Content-Type"), "text/html") || c.hasNot != "" && strings.Contains(body, c.hasNot) {
				t.Errorf("got %d %s", status, header)
			}
			for _, want := range c.has {
				if !strings.Contains(body, want) {
					t.Errorf("%s is not in %s", want, body[strings.Index(body, "<main>"):])
				}
			}
		})
	}
	for _, path := range []string{"/lightning/r/Account/" + acme + "/view", "/" + acme, "/" + acme[:15]} {
		if status, _, header := page(path); status != 302 || header.Get("Location") != "/objects/Account/"+acme {
			t.Errorf("%s: %d to %s", path, status, header.Get("Location"))
		}
	}
	if _, body, header := page("/services/data/v68.0/nothing"); strings.HasPrefix(header.Get("Content-Type"), "text/html") {
		t.Errorf("an API path answers a page: %s", body)
	}
}

func TestManyAtOnce(t *testing.T) {
	o := newStory(t)
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			for n := range 20 {
				switch (i + n) % 4 {
				case 0:
					o.do("POST", "/sobjects/Contact", fmt.Sprintf(`{"LastName":"L%d-%d","HubSpot_Id__c":"m%d-%d"}`, i, n, i, n))
				case 1:
					o.do("GET", "/query?q="+escape("SELECT Id, Account.Name FROM Contact WHERE SystemModstamp >= 2026-01-01T00:00:00Z ORDER BY SystemModstamp, Id LIMIT 50"), "")
				case 2:
					o.do("GET", "/sobjects/Contact/describe", "")
				default:
					o.Update("Account", o.idOf("Account", "Acme"), map[string]any{"Phone": fmt.Sprint(n)})
				}
			}
		})
	}
	wg.Wait()
	if got := o.Count("Contact"); got != 3+40 {
		t.Errorf("got %d contacts, want 43", got)
	}
}

func TestTheSameSeedGivesTheSameOrg(t *testing.T) {
	make := func() string {
		s := New(Config{Seed: 5})
		app, _ := s.CreateApp(App{Name: "x"})
		return s.OrgID() + s.Insert("Account", map[string]any{"Name": "A"}, longAgo, longAgo) + s.IssueToken(IntegrationUsername) + app.ClientID + app.ClientSecret + s.Users()[1].Password
	}
	if a, b := make(), make(); a != b {
		t.Errorf("got %s, then %s", a, b)
	}
}
