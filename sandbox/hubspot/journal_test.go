package hubspot_test

import (
	"encoding/json"
	"fmt"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/lockstep-sync/lockstep/sandbox/faults"
	"github.com/lockstep-sync/lockstep/sandbox/hubspot"
)

// reader is an OAuth app with a token of its own for its journal.
type reader struct {
	*developed
	journal string
}

// pull develops an app, installs it in the first account and subscribes it.
func pull(t *testing.T, subscriptions ...string) *reader {
	t.Helper()
	d := develop(t, hubspot.Config{TenSecondly: -1, SearchSecondly: -1})
	if _, err := d.s.Install(d.app.ClientID, "tickets"); err != nil {
		t.Fatal(err)
	}
	r := &reader{developed: d}
	r.renew()
	for _, s := range subscriptions {
		r.subscribe(200, s)
	}
	return r
}

func (r *reader) renew() {
	r.t.Helper()
	a := r.form("/oauth/v3/token", "grant_type=client_credentials", "scope=developer.webhooks_journal.read "+
		"developer.webhooks_journal.subscriptions.read developer.webhooks_journal.subscriptions.write crm.objects.contacts.read")
	if a.status != 200 {
		r.t.Fatal(a.text)
	}
	r.journal = a.str("access_token")
}

func (r *reader) ask(status int, method, path, body string) answer {
	r.t.Helper()
	a := r.callWith(r.journal, method, path, body)
	if a.status != status {
		r.t.Fatalf("%s %s: got %d %s, want %d", method, path, a.status, a.text, status)
	}
	return a
}

// subscribe sends a subscription in which P stands for the account.
func (r *reader) subscribe(status int, body string) answer {
	r.t.Helper()
	return r.ask(status, "POST", "/webhooks-journal/subscriptions/2026-03", strings.ReplaceAll(body, ":P,", ":"+portalText(r.s)+","))
}

// download reads the file that an answer names; it needs no token.
func (r *reader) download(a answer) map[string]any {
	r.t.Helper()
	u, err := url.Parse(a.str("url"))
	if err != nil || u.Host != "api.hubapi.com" {
		r.t.Fatalf("the address %q: %v", a.str("url"), err)
	}
	got := r.send(httptest.NewRequest("GET", u.RequestURI(), nil))
	if got.status != 200 || got.str("offset") != a.str("currentOffset") {
		r.t.Fatalf("%s: %d %s", u, got.status, got.text)
	}
	return got.body
}

// all reads the journal from its beginning.
func (r *reader) all() (events []any) {
	r.t.Helper()
	a := r.callWith(r.journal, "GET", "/webhooks-journal/journal/2026-03/earliest", "")
	for ; a.status == 200; a = r.callWith(r.journal, "GET", "/webhooks-journal/journal/2026-03/offset/"+a.str("currentOffset")+"/next", "") {
		events = append(events, r.download(a)["journalEvents"].([]any)...)
	}
	if a.status != 204 {
		r.t.Fatalf("the end of the journal answers %d %s", a.status, a.text)
	}
	return events
}

const everything = `{"subscriptionType":"OBJECT","portalId":P,"objectTypeId":"0-1","actions":["CREATE","UPDATE","DELETE","MERGE","RESTORE"],"properties":[],"objectIds":[]}`

// TestTheJournalTellsAll does each thing that a journal tells once.
func TestTheJournalTellsAll(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := pull(t, everything,
			`{"subscriptionType":"ASSOCIATION","portalId":P,"objectTypeId":"0-1","actions":["ASSOCIATION_ADDED","ASSOCIATION_REMOVED"],"associatedObjectTypeIds":["0-5"]}`,
			`{"subscriptionType":"GDPR_PRIVACY_DELETION","portalId":P,"objectTypeId":"0-1","actions":["GDPR_DELETE"]}`,
			`{"subscriptionType":"APP_LIFECYCLE_EVENT","actions":["APP_INSTALL","APP_UNINSTALL"]}`)
		hand := r.s.AsUser(7)
		var want []any
		portal := float64(r.s.PortalID())
		tell := func(kind, action string, more ...any) {
			e := map[string]any{"type": kind, "portalId": portal, "action": action, "occurredAt": r.clock.Now().Format("2006-01-02T15:04:05Z")}
			for i := 0; i < len(more); i += 2 {
				e[more[i].(string)] = more[i+1]
			}
			want = append(want, e)
			time.Sleep(time.Second)
		}
		object := func(action, id string, more ...any) {
			tell("OBJECT", action, append([]any{"objectTypeId", "0-1", "objectId", number(id)}, more...)...)
		}
		id, err := hand.Create("contacts", props("email", "a@acme.example", "city", "Bern"))
		if err != nil {
			t.Fatal(err)
		}
		created := map[string]any{"email": "a@acme.example", "city": "Bern", "lifecyclestage": "lead", "hs_marketable_status": "false", "hs_marketable_until_renewal": "false",
			"hs_pipeline": "contacts-lifecycle-pipeline", "hs_analytics_source": "OFFLINE", "hs_lifecyclestage_lead_date": "2026-11-23T12:00:00Z"}
		object("CREATE", id, "propertyChanges", created)
		_ = hand.Update("contacts", id, props("city", "", "zip", "4000"))
		object("UPDATE", id, "propertyChanges", map[string]any{"city": "", "zip": "4000"})
		other := r.insert("contacts", "email", "b@acme.example")
		object("CREATE", other, "propertyChanges", map[string]any{"email": "b@acme.example"})
		ticket := r.insert("tickets", "subject", "x", "hs_pipeline_stage", "1")
		company := r.insert("companies", "name", "Acme")
		_ = hand.Associate("contacts", id, "companies", company) // a type that is not followed
		_ = hand.Associate("tickets", ticket, "contacts", id)
		link := []any{"fromObjectTypeId", "0-1", "fromObjectId", number(id), "toObjectTypeId", "0-5", "toObjectId", number(ticket), "associationCategory", "HUBSPOT_DEFINED", "associationTypeId", 15.0}
		tell("ASSOCIATION", "ASSOCIATION_ADDED", link...)
		_ = hand.Dissociate("contacts", id, "tickets", ticket)
		tell("ASSOCIATION", "ASSOCIATION_REMOVED", link...)
		_ = hand.Archive("contacts", other)
		object("DELETE", other)
		_ = hand.Restore("contacts", other)
		object("RESTORE", other)
		merged, _ := hand.Merge("contacts", id, other)
		object("MERGE", merged, "primaryObjectId", number(id), "mergedObjectIds", []any{number(other)}, "newObjectId", number(merged))
		_ = hand.Erase("contacts", merged)
		want = append(want, map[string]any{"type": "GDPR_PRIVACY_DELETION", "portalId": portal, "action": "GDPR_DELETE", "occurredAt": r.clock.Now().Format("2006-01-02T15:04:05Z"),
			"objectTypeId": "0-1", "objectId": number(merged)})
		object("DELETE", merged)
		if _, err := r.second.Install(r.app.ClientID); err != nil {
			t.Fatal(err)
		}
		want = append(want, map[string]any{"type": "APP_LIFECYCLE_EVENT", "portalId": float64(r.second.PortalID()), "action": "APP_INSTALL", "eventTypeId": "4-1909196",
			"occurredAt": r.clock.Now().Format("2006-01-02T15:04:05Z")})
		time.Sleep(time.Second)
		if diff := cmp.Diff(want, r.all()); diff != "" {
			t.Error(diff)
		}
	})
}

// TestReadingTheJournal goes through it by every call.
func TestReadingTheJournal(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := pull(t, everything)
		for _, path := range []string{"earliest", "latest", "batch/earliest/5", "batch/latest/5"} {
			r.ask(204, "GET", "/webhooks-journal/journal/2026-03/"+path, "")
		}
		for n := range 5 {
			r.insert("contacts", "city", fmt.Sprint(n))
			if n == 0 {
				r.ask(204, "GET", "/webhooks-journal/journal/2026-03/earliest", "")
			}
			time.Sleep(time.Second)
		}
		city := func(a answer) string {
			events := r.download(a)["journalEvents"].([]any)
			return events[0].(map[string]any)["propertyChanges"].(map[string]any)["city"].(string)
		}
		cities := func(a answer) string {
			var out []string
			for _, v := range a.list("results") {
				raw, _ := json.Marshal(v)
				var one answer
				_ = json.Unmarshal(raw, &one.body)
				out = append(out, city(one))
			}
			return strings.Join(out, "")
		}
		first := r.ask(200, "GET", "/webhooks-journal/journal/2026-03/earliest", "")
		last := r.ask(200, "GET", "/webhooks-journal/journal/2026-09/latest", "")
		if city(first) != "0" || city(last) != "4" {
			t.Errorf("from %s to %s", city(first), city(last))
		}
		if got := first.header.Get("X-HubSpot-RateLimit-Daily"); got != "" {
			t.Error("reading the journal counts in the day")
		}
		if got := first.str("expiresAt"); got != "2026-11-23T12:15:05Z" {
			t.Errorf("it expires at %s", got)
		}
		offset := first.str("currentOffset")
		for path, want := range map[string]string{
			"batch/earliest/2": "01", "batch/latest/2": "34", "batch/" + offset + "/next/3": "123", "batch/earliest/100": "01234",
		} {
			if got := cities(r.ask(200, "GET", "/webhooks-journal/journal/2026-03/"+path, "")); got != want {
				t.Errorf("%s: got %s, want %s", path, got, want)
			}
		}
		if got := cities(r.ask(200, "GET", "/webhooks-journal/journal-local/2026-03/batch/earliest/9?installPortalId="+portalText(r.s), "")); got != "01234" {
			t.Errorf("the local journal has %s", got)
		}
		r.ask(204, "GET", "/webhooks-journal/journal-local/2026-03/earliest?installPortalId="+portalText(r.second), "")
		r.ask(400, "GET", "/webhooks-journal/journal-local/2026-03/earliest?installPortalId=4711", "")
		r.ask(204, "GET", "/webhooks-journal/journal/2026-03/batch/"+last.str("currentOffset")+"/next/3", "")
		read := r.ask(207, "POST", "/webhooks-journal/journal/2026-03/batch/read", `{"inputs":["`+offset+`",{"id":"`+last.str("currentOffset")+`"},"00000000-0000-7000-8000-000000000000"]}`)
		if got := cities(read); got != "04" || read.at("numErrors") != 1.0 {
			t.Errorf("a batch read has %s: %s", got, read.text)
		}
		for _, path := range []string{"batch/earliest/0", "batch/earliest/101", "batch/earliest/many"} {
			r.ask(400, "GET", "/webhooks-journal/journal/2026-03/"+path, "")
		}
		r.ask(404, "GET", "/webhooks-journal/journal/2026-03/middle", "")
		r.ask(404, "GET", "/webhooks-journal/journal/2027-03/latest", "")
		u, _ := url.Parse(first.str("url"))
		if a := r.send(httptest.NewRequest("GET", strings.Replace(u.RequestURI(), "signature=", "signature=0", 1), nil)); a.status != 403 {
			t.Errorf("another signature: %d", a.status)
		}
		r.clock.Advance(journalLink)
		if a := r.send(httptest.NewRequest("GET", u.RequestURI(), nil)); a.status != 403 {
			t.Errorf("an address that has expired: %d", a.status)
		}
		r.clock.Advance(3*24*time.Hour - journalLink - 2*time.Second)
		r.renew()
		if got := city(r.ask(200, "GET", "/webhooks-journal/journal/2026-03/earliest", "")); got == "0" || got == "4" {
			t.Errorf("after three days it begins with %s", got)
		}
		r.ask(404, "GET", "/webhooks-journal/journal/2026-03/offset/"+offset+"/next", "")
		r.clock.Advance(time.Minute)
		r.ask(204, "GET", "/webhooks-journal/journal/2026-03/earliest", "")
	})
}

const journalLink = 15 * time.Minute

func TestJournalFiles(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := pull(t, everything)
		for range 10_050 {
			r.insert("contacts", "city", "Bern")
		}
		first := r.ask(200, "GET", "/webhooks-journal/journal/2026-03/earliest", "") // it is full before its time
		time.Sleep(time.Second)
		second := r.ask(200, "GET", "/webhooks-journal/journal/2026-03/offset/"+first.str("currentOffset")+"/next", "")
		for want, a := range map[int]answer{10_000: first, 50: second} {
			if n := len(r.download(a)["journalEvents"].([]any)); n != want {
				t.Errorf("%d events, want %d", n, want)
			}
		}
		r.dials.Set(faults.Setting{Webhooks: faults.Webhooks{DelayMillis: 60_000}})
		r.insert("contacts", "city", "Chur")
		time.Sleep(59 * time.Second)
		r.ask(204, "GET", "/webhooks-journal/journal/2026-03/offset/"+second.str("currentOffset")+"/next", "")
		time.Sleep(2 * time.Second)
		r.ask(200, "GET", "/webhooks-journal/journal/2026-03/offset/"+second.str("currentOffset")+"/next", "")
	})
}

// TestJournalSubscriptionsNarrow lists what keeps an update out of the journal.
func TestJournalSubscriptionsNarrow(t *testing.T) {
	for _, test := range []struct {
		name, subscription, filter string
		want                       int
	}{
		{"nothing", everything, "", 1},
		{"another action", `{"subscriptionType":"OBJECT","portalId":P,"objectTypeId":"0-1","actions":["DELETE"]}`, "", 0},
		{"a creation's values are no update", `{"subscriptionType":"OBJECT","portalId":P,"objectTypeId":"contact","actions":["UPDATE"]}`, "", 1},
		{"another property", `{"subscriptionType":"OBJECT","portalId":P,"objectTypeId":"0-1","actions":["UPDATE"],"properties":["zip"]}`, "", 0},
		{"this property", `{"subscriptionType":"OBJECT","portalId":P,"objectTypeId":"0-1","actions":["UPDATE"],"properties":["city","zip"]}`, "", 1},
		{"another record", `{"subscriptionType":"OBJECT","portalId":P,"objectTypeId":"0-1","actions":["UPDATE"],"objectIds":[1]}`, "", 0},
		{"a filter that holds", everything, `{"property":"city","operator":"EQ","value":"Chur","filterType":"CRM_OBJECT_PROPERTY"}`, 1},
		{"a filter that does not hold", everything, `{"property":"city","operator":"N_EQ","value":"Chur"}`, 0},
		{"IN", everything, `{"property":"city","operator":"IN","values":["Bern","Chur"]}`, 1},
		{"NOT_IN", everything, `{"property":"city","operator":"NOT_IN","values":["Bern","Chur"]}`, 0},
		{"CONTAINS", everything, `{"property":"city","operator":"CONTAINS","value":"hu"}`, 1},
		{"STARTS_WITH", everything, `{"property":"city","operator":"STARTS_WITH","value":"hu"}`, 0},
		{"ENDS_WITH", everything, `{"property":"city","operator":"ENDS_WITH","value":"ur"}`, 1},
		{"IS_EMPTY", everything, `{"property":"zip","operator":"IS_EMPTY"}`, 0},
		{"IS_NOT_EMPTY", everything, `{"property":"zip","operator":"IS_NOT_EMPTY"}`, 1},
		{"GT compares numbers as numbers", everything, `{"property":"zip","operator":"GT","value":"999"}`, 1},
		{"GTE", everything, `{"property":"zip","operator":"GTE","value":"7000"}`, 1},
		{"LT", everything, `{"property":"zip","operator":"LT","value":"7000"}`, 0},
		{"LTE", everything, `{"property":"zip","operator":"LTE","value":"7000"}`, 1},
	} {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := pull(t)
				id := r.insert("contacts", "city", "Bern", "zip", "7000")
				made := r.subscribe(200, test.subscription)
				if test.filter != "" {
					r.ask(200, "POST", "/webhooks-journal/subscriptions/2026-03/filters", fmt.Sprintf(`{"subscriptionId":%v,"filter":{"conditions":[%s]}}`, made.at("id"), test.filter))
				}
				if err := r.s.AsUser(7).Update("contacts", id, props("city", "Chur")); err != nil {
					t.Fatal(err)
				}
				time.Sleep(2 * time.Second)
				if got := r.all(); len(got) != test.want {
					t.Errorf("told %v, want %d", got, test.want)
				}
			})
		})
	}
}

func TestJournalSubscriptions(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := pull(t)
		made := r.subscribe(200, everything)
		want := fmt.Sprintf(`{"id":1,"appId":%d,"subscriptionType":"OBJECT","portalId":%s,"objectTypeId":"0-1","actions":["CREATE","UPDATE","DELETE","MERGE","RESTORE"],"createdAt":"2026-11-23T12:00:00Z","updatedAt":"2026-11-23T12:00:00Z"}`,
			r.app.AppID, portalText(r.s))
		if made.text != want {
			t.Errorf("got  %s\nwant %s", made.text, want)
		}
		time.Sleep(time.Second)
		again := r.subscribe(200, `{"subscriptionType":"OBJECT","portalId":P,"objectTypeId":"0-1","actions":["MERGE"]}`)
		if again.at("id") != made.at("id") || again.str("createdAt") != made.str("createdAt") || again.str("updatedAt") == made.str("updatedAt") {
			t.Errorf("the same again: %s", again.text)
		}
		if a := r.ask(200, "GET", "/webhooks-journal/subscriptions/2026-03", ""); len(a.list("results")) != 1 {
			t.Error(a.text)
		}
		one := "/webhooks-journal/subscriptions/2026-03/1"
		r.ask(200, "GET", one, "")
		filter := r.ask(200, "POST", "/webhooks-journal/subscriptions/2026-03/filters", `{"subscriptionId":1,"filter":{"conditions":[{"property":"city","operator":"EQ","value":"Bern"}]}}`)
		path := fmt.Sprintf("/webhooks-journal/subscriptions/2026-03/filters/%v", filter.at("filterId"))
		if a := r.ask(200, "GET", path, ""); a.str("filter", "conditions", 0, "property") != "city" {
			t.Error(a.text)
		}
		if a := r.callWith(r.journal, "GET", "/webhooks-journal/subscriptions/2026-03/filters/subscription/1", ""); a.status != 200 || !strings.HasPrefix(a.text, "[{") {
			t.Error(a.text)
		}
		r.ask(204, "DELETE", path, "")
		r.ask(404, "GET", path, "")
		r.ask(204, "DELETE", one, "")
		r.ask(404, "DELETE", one, "")
		r.subscribe(200, everything)
		r.ask(204, "DELETE", "/webhooks-journal/subscriptions/2026-03/portals/"+portalText(r.s), "")
		if a := r.ask(200, "GET", "/webhooks-journal/subscriptions/2026-03", ""); len(a.list("results")) != 0 {
			t.Error(a.text)
		}
		for name, body := range map[string]string{
			"no type":                        `{"portalId":P,"objectTypeId":"0-1","actions":["CREATE"]}`,
			"a type that is not known":       `{"subscriptionType":"EVENT","portalId":P,"objectTypeId":"0-1","actions":["CREATE"]}`,
			"no action":                      `{"subscriptionType":"OBJECT","portalId":P,"objectTypeId":"0-1","actions":[]}`,
			"an action of another type":      `{"subscriptionType":"OBJECT","portalId":P,"objectTypeId":"0-1","actions":["GDPR_DELETE"]}`,
			"no object type":                 `{"subscriptionType":"OBJECT","portalId":P,"actions":["CREATE"]}`,
			"an object type that is not":     `{"subscriptionType":"OBJECT","portalId":P,"objectTypeId":"2-1","actions":["CREATE"]}`,
			"an account without the app":     `{"subscriptionType":"OBJECT","portalId":` + portalText(r.second) + `,"objectTypeId":"0-1","actions":["CREATE"]}`,
			"an account that does not exist": `{"subscriptionType":"OBJECT","portalId":1,"objectTypeId":"0-1","actions":["CREATE"]}`,
		} {
			if a := r.callWith(r.journal, "POST", "/webhooks-journal/subscriptions/2026-03", strings.ReplaceAll(body, ":P,", ":"+portalText(r.s)+",")); a.status != 400 {
				t.Errorf("%s: %d %s", name, a.status, a.text)
			}
		}
		r.subscribe(403, `{"subscriptionType":"OBJECT","portalId":P,"objectTypeId":"0-2","actions":["CREATE"]}`) // the app may not read companies
		r.journal = r.token
		if a := r.ask(403, "GET", "/webhooks-journal/journal/2026-03/latest", ""); a.str("category") != "MISSING_PERMISSIONS" {
			t.Error(a.text)
		}
	})
}

// TestTheJournalSurvives reads on where it was.
func TestTheJournalSurvives(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := pull(t, everything)
		r.insert("contacts", "city", "Bern")
		time.Sleep(time.Second)
		first := r.ask(200, "GET", "/webhooks-journal/journal/2026-03/earliest", "")
		r.insert("contacts", "city", "Chur")
		p := reloaded(t, r.portal)
		p.clock.Set(r.clock.Now())
		r.portal = p
		r.insert("contacts", "city", "Davos")
		time.Sleep(time.Second)
		second := r.ask(200, "GET", "/webhooks-journal/journal/2026-03/offset/"+first.str("currentOffset")+"/next", "")
		if events := r.download(second)["journalEvents"].([]any); len(events) != 2 {
			t.Errorf("after loading: %v", events)
		}
	})
}
