package hubspot_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/google/go-cmp/cmp"

	"github.com/lockstep-sync/lockstep/internal/crm"
	"github.com/lockstep-sync/lockstep/internal/fault"
	"github.com/lockstep-sync/lockstep/internal/hubspot"
)

func createWrite(key string, values ...string) crm.Write {
	w := crm.Write{Key: key, Op: crm.Create, Object: "contacts"}
	for i := 0; i < len(values); i += 2 {
		w.Fields = append(w.Fields, crm.FieldValue{Name: values[i], Value: crm.Text(values[i+1])})
	}
	return w
}

// verdicts says each result in a few words, by key.
func verdicts(results []crm.Result) map[string]string {
	said := map[string]string{}
	for _, r := range results {
		text := "ok"
		if r.Err != nil {
			text = string(fault.KindOf(r.Err))
		}
		if r.Cause != "" {
			text += " " + r.Cause
		}
		if len(r.Fields) > 0 {
			text += " " + strings.Join(r.Fields, ",")
		}
		if r.Unknown {
			text += " unknown"
		}
		if r.Created {
			text += " created"
		}
		said[r.Key] = text
	}
	return said
}

func TestEveryCreateGetsItsOwnAnswer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPortal()
		p.add("contacts", 42, map[string]string{"email": "taken@acme.example"})
		var writes []crm.Write
		for i := range 250 {
			key := fmt.Sprintf("w%d", i)
			switch i {
			case 17:
				writes = append(writes, createWrite(key, "email", "taken@acme.example"))
			case 120:
				writes = append(writes, createWrite(key, "email", "x@acme.example", "unknown_property", "1"))
			case 130:
				writes = append(writes, createWrite(key, "email", "y@acme.example", "lifecyclestage", "wrong"))
			default:
				writes = append(writes, createWrite(key, "email", fmt.Sprintf("p%d@acme.example", i)))
			}
		}
		client := p.client(t, nil)
		results, err := client.Apply(t.Context(), writes)
		if err != nil {
			t.Fatal(err)
		}
		said := verdicts(results)
		for i := range 250 {
			want := "ok created"
			switch i {
			case 17:
				want = "conflict CONFLICT"
			case 120:
				want = "invalid PROPERTY_DOESNT_EXIST unknown_property"
			case 130:
				want = "invalid INVALID_OPTION lifecyclestage"
			}
			if got := said[fmt.Sprintf("w%d", i)]; got != want {
				t.Errorf("write %d: got %q, want %q", i, got, want)
			}
		}
		if results[17].ID != "42" {
			t.Errorf("the conflict names record %q, want 42", results[17].ID)
		}
		if p.created != 247 {
			t.Errorf("%d records were made, want 247", p.created)
		}
		for i, r := range results {
			if r.Err == nil && p.find("contacts", numberOf(r.ID)).values["email"] != writes[i].Fields[0].Value.Text {
				t.Fatalf("result %d names record %s, which is another one", i, r.ID)
			}
		}
		if calls := client.Usage().Calls; calls > 3+2*14+2 {
			t.Errorf("finding two bad records among 250 cost %d calls", calls)
		}
	})
}

func TestACreateWhoseAnswerIsLostIsUnknownAndNotRepeated(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPortal()
		p.intercept = func(*http.Request, []byte) *http.Response { return lost() }
		results, err := p.client(t, nil).Apply(t.Context(), []crm.Write{createWrite("a", "email", "a@acme.example")})
		if err != nil {
			t.Fatal(err)
		}
		if got := verdicts(results)["a"]; got != "unavailable unknown" || len(p.log) != 1 {
			t.Errorf("got %q after %d calls", got, len(p.log))
		}
	})
}

func TestAnUpdateWhoseAnswerIsLostIsRepeated(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPortal()
		p.add("contacts", 1, map[string]string{"firstname": "Ada", "phone": "1"})
		cut := true
		p.intercept = func(*http.Request, []byte) *http.Response {
			if cut {
				cut = false
				return lost()
			}
			return nil
		}
		writes := []crm.Write{
			{Key: "u", Op: crm.Update, Object: "contacts", ID: "1", Fields: []crm.FieldValue{{Name: "firstname", Value: crm.Text("Augusta")}, {Name: "phone", Value: crm.Value{State: crm.Blank}}, {Name: "left", Value: crm.Value{}}}},
			{Key: "missing", Op: crm.Update, Object: "contacts", ID: "77", Fields: []crm.FieldValue{{Name: "firstname", Value: crm.Text("x")}}},
		}
		results, err := p.client(t, nil).Apply(t.Context(), writes)
		if err != nil {
			t.Fatal(err)
		}
		said := verdicts(results)
		if said["u"] != "ok" || said["missing"] != "not-found OBJECT_NOT_FOUND" {
			t.Errorf("got %v", said)
		}
		r := p.find("contacts", 1)
		if _, wrote := r.values["left"]; r.values["firstname"] != "Augusta" || r.values["phone"] != "" || wrote {
			t.Errorf("got %v", r.values)
		}
		if results[0].ModifiedMicros != r.modified.UnixMicro() {
			t.Errorf("got stamp %d, want %d", results[0].ModifiedMicros, r.modified.UnixMicro())
		}
	})
}

// TestWhatARepeatIsToldSaysNothingOfTheCallBefore: the answer to a batch is lost, and
// some of its records are refused when it is sent again. What HubSpot cannot do just
// then it may have done the first time; what is wrong in itself was wrong then, too.
func TestWhatARepeatIsToldSaysNothingOfTheCallBefore(t *testing.T) {
	refuse := func(request *http.Request, key string, ids ...string) *http.Response {
		entry := func(category string, i int) string {
			return fmt.Sprintf(`{"status":"error","category":%q,"message":"refused","context":{%q:[%q]}}`, category, key, ids[i])
		}
		return reply(request, http.StatusMultiStatus, `{"status":"COMPLETE","results":[],"errors":[`+entry("INTERNAL_ERROR", 0)+","+entry("CONFLICT", 1)+","+entry("VALIDATION_ERROR", 2)+`]}`)
	}
	writes := func(op crm.Op, changed func(w *crm.Write)) (all []crm.Write) {
		for i, key := range []string{"busy", "in the way", "wrong"} {
			w := crm.Write{Key: key, Op: op, Object: "contacts", ID: fmt.Sprint(i + 1)}
			changed(&w)
			all = append(all, w)
		}
		return all
	}
	for name, test := range map[string]struct {
		writes []crm.Write
		key    string
		ids    []string
	}{
		"updates": {key: "ids", ids: []string{"1", "2", "3"}, writes: writes(crm.Update, func(w *crm.Write) {
			w.Fields = []crm.FieldValue{{Name: "firstname", Value: crm.Text("Ada")}}
		})},
		"associations": {key: "toObjectId", ids: []string{"11", "12", "13"}, writes: writes(crm.Relate, func(w *crm.Write) {
			w.Relation = crm.Relation{Object: "companies", ID: "1" + w.ID}
		})},
	} {
		for _, first := range []string{"lost", "answered"} {
			t.Run(name+", the first "+first, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					p := newPortal()
					calls := 0
					p.intercept = func(request *http.Request, _ []byte) *http.Response {
						if calls++; calls == 1 && first == "lost" {
							return lost()
						}
						return refuse(request, test.key, test.ids...)
					}
					results, err := p.client(t, nil).Apply(t.Context(), test.writes)
					if err != nil {
						t.Fatal(err)
					}
					want := map[string]string{"busy": "unavailable INTERNAL_ERROR", "in the way": "conflict CONFLICT", "wrong": "invalid VALIDATION_ERROR"}
					if first == "lost" {
						want["busy"] += " unknown"
						want["in the way"] += " unknown"
					}
					if diff := cmp.Diff(want, verdicts(results)); diff != "" {
						t.Errorf("(-want +got):\n%s", diff)
					}
				})
			})
		}
	}
}

func TestTwoWritesToOneRecordGoOneAfterTheOther(t *testing.T) {
	p := newPortal()
	p.add("contacts", 1, nil)
	set := func(value string) crm.Write {
		return crm.Write{Key: value, Op: crm.Update, Object: "contacts", ID: "1", Fields: []crm.FieldValue{{Name: "firstname", Value: crm.Text(value)}}}
	}
	if _, err := p.client(t, nil).Apply(t.Context(), []crm.Write{set("first"), set("second")}); err != nil {
		t.Fatal(err)
	}
	if got := p.find("contacts", 1).values["firstname"]; got != "second" || len(p.log) != 2 {
		t.Errorf("got %q after %v", got, p.log)
	}
}

func TestArchivesAndUpsertsAreBatches(t *testing.T) {
	p := newPortal()
	p.add("contacts", 1, nil)
	var sent struct {
		Inputs []struct {
			ID, By     string
			IDProperty string            `json:"idProperty"`
			Properties map[string]string `json:"properties"`
		}
	}
	p.intercept = func(request *http.Request, body []byte) *http.Response {
		if strings.HasSuffix(request.URL.Path, "/batch/upsert") {
			_ = json.Unmarshal(body, &sent)
			return reply(request, 200, `{"status":"COMPLETE","results":[{"id":"11","new":true,"objectWriteTraceId":"0","updatedAt":"2026-01-01T00:00:00Z"},{"id":"12","new":false,"objectWriteTraceId":"1","updatedAt":"2026-01-01T00:00:00Z"}]}`)
		}
		return nil
	}
	a, b := createWrite("a", "firstname", "A"), createWrite("b", "firstname", "B")
	a.ExternalField, a.ExternalValue = "sf_id", "003A"
	b.ExternalField, b.ExternalValue = "sf_id", "003B"
	results, err := p.client(t, nil).Apply(t.Context(), []crm.Write{a, b, {Key: "gone", Op: crm.Archive, Object: "contacts", ID: "1"}})
	if err != nil {
		t.Fatal(err)
	}
	said := verdicts(results)
	if said["a"] != "ok created" || said["b"] != "ok" || said["gone"] != "ok" || results[0].ID != "11" || !p.find("contacts", 1).archived {
		t.Errorf("got %v", said)
	}
	if len(sent.Inputs) != 2 || sent.Inputs[0].ID != "003A" || sent.Inputs[0].IDProperty != "sf_id" || sent.Inputs[0].Properties["sf_id"] != "003A" {
		t.Errorf("sent %+v", sent)
	}
}

func TestWhatStopsEverythingStopsTheRest(t *testing.T) {
	cases := []struct {
		name   string
		answer func(*http.Request) *http.Response
		kind   fault.Kind
		most   int
	}{
		{"a missing scope", func(r *http.Request) *http.Response {
			return reply(r, 403, `{"status":"error","message":"m","category":"MISSING_SCOPES","errors":[{"message":"One or more of the following scopes are required.","context":{"requiredGranularScopes":["crm.objects.contacts.write"]}}]}`)
		}, fault.Denied, 8},
		{"a dead token", func(r *http.Request) *http.Response {
			return reply(r, 401, `{"status":"error","message":"m","category":"INVALID_AUTHENTICATION"}`)
		}, fault.Denied, 8},
		{"a full account", func(r *http.Request) *http.Response {
			return reply(r, 402, `{"message":"Portal 1 has exceeded its OBJECT_CREATION contact limit of 1000","errorType":"LimitExceededException"}`)
		}, fault.Denied, 8},
		{"a day that is used up", func(r *http.Request) *http.Response {
			return reply(r, 429, `{"status":"error","message":"You have reached your daily limit.","errorType":"RATE_LIMIT","policyName":"DAILY"}`)
		}, fault.RateLimited, 8},
		{"HubSpot is down", func(r *http.Request) *http.Response { return reply(r, 503, `<html>`) }, fault.Unavailable, 12},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				p := newPortal()
				p.latency = 1e6
				p.intercept = func(request *http.Request, _ []byte) *http.Response { return c.answer(request) }
				var writes []crm.Write
				for i := range 3000 {
					writes = append(writes, createWrite(fmt.Sprint(i), "email", fmt.Sprintf("p%d@acme.example", i)))
				}
				results, err := p.client(t, nil).Apply(t.Context(), writes)
				if fault.KindOf(err) != c.kind || fault.MendOf(err) == "" {
					t.Errorf("got %v", err)
				}
				sent := 0
				for i, r := range results {
					if r.Key != fmt.Sprint(i) || r.Err == nil {
						t.Fatalf("result %d is %+v", i, r)
					}
					if r.Unknown {
						sent++
					}
				}
				if len(p.log) > c.most {
					t.Errorf("%d calls were made, want at most %d", len(p.log), c.most)
				}
				if c.kind != fault.Unavailable && sent > 0 {
					t.Errorf("%d refused writes are unknown", sent)
				}
			})
		})
	}
}

func TestRelationsAreSetAndRemovedInBatches(t *testing.T) {
	p := newPortal()
	bodies := map[string]string{}
	p.intercept = func(request *http.Request, body []byte) *http.Response {
		bodies[request.URL.Path] += string(body)
		switch {
		case strings.HasSuffix(request.URL.Path, "/labels"):
			return reply(request, 200, `{"results":[{"category":"HUBSPOT_DEFINED","typeId":279,"label":null},{"category":"HUBSPOT_DEFINED","typeId":1,"label":"Primary"},{"category":"USER_DEFINED","typeId":36,"label":"Advisor"}]}`)
		case strings.HasSuffix(request.URL.Path, "/types"):
			return reply(request, 200, `{"results":[{"id":"36","name":"advisor"}]}`)
		case strings.HasSuffix(request.URL.Path, "/associate/default"):
			return reply(request, 200, `{"status":"COMPLETE","results":[]}`)
		case strings.HasSuffix(request.URL.Path, "/batch/create"):
			return reply(request, 201, `{"status":"COMPLETE","results":[]}`)
		case strings.HasSuffix(request.URL.Path, "/batch/archive"):
			return reply(request, 204, ``)
		}
		return nil
	}
	relate := func(key string, op crm.Op, r crm.Relation) crm.Write {
		return crm.Write{Key: key, Op: op, Object: "contacts", ID: "1", Relation: r}
	}
	results, err := p.client(t, nil).Apply(t.Context(), []crm.Write{
		relate("plain", crm.Relate, crm.Relation{Object: "companies", ID: "5"}),
		relate("primary", crm.Relate, crm.Relation{Object: "companies", ID: "6", Primary: true}),
		relate("label", crm.Relate, crm.Relation{Object: "companies", ID: "7", Label: "Advisor"}),
		relate("gone", crm.Unrelate, crm.Relation{Object: "companies", ID: "8"}),
	})
	if err != nil {
		t.Fatal(err)
	}
	for key, said := range verdicts(results) {
		if said != "ok" {
			t.Errorf("%s: %s", key, said)
		}
	}
	want := map[string]string{
		"/crm/v4/associations/contacts/companies/batch/associate/default": `{"inputs":[{"from":{"id":"1"},"to":{"id":"5"}}]}`,
		"/crm/v4/associations/contacts/companies/batch/create":            `{"inputs":[{"from":{"id":"1"},"to":{"id":"6"},"types":[{"associationCategory":"HUBSPOT_DEFINED","associationTypeId":1}]},{"from":{"id":"1"},"to":{"id":"7"},"types":[{"associationCategory":"USER_DEFINED","associationTypeId":36}]}]}`,
		"/crm/v4/associations/contacts/companies/batch/archive":           `{"inputs":[{"from":{"id":"1"},"to":[{"id":"8"}]}]}`,
	}
	for path, body := range want {
		if bodies[path] != body {
			t.Errorf("%s got %s\nwant %s", path, bodies[path], body)
		}
	}
}

func TestTheForecastIsWhatWritesCost(t *testing.T) {
	p := newPortal()
	for id := range uint64(300) {
		p.add("contacts", id+1, nil)
	}
	var writes []crm.Write
	for i := range 101 {
		writes = append(writes, createWrite(fmt.Sprint("c", i), "email", fmt.Sprintf("new%d@acme.example", i)))
	}
	for i := range 200 {
		writes = append(writes, crm.Write{Key: fmt.Sprint("u", i), Op: crm.Update, Object: "contacts", ID: fmt.Sprint(i + 1), Fields: []crm.FieldValue{{Name: "firstname", Value: crm.Text("x")}}})
	}
	for i := range 50 {
		writes = append(writes, crm.Write{Key: fmt.Sprint("a", i), Op: crm.Archive, Object: "contacts", ID: fmt.Sprint(i + 201)})
	}
	client := p.client(t, nil)
	if _, err := client.Apply(t.Context(), writes); err != nil {
		t.Fatal(err)
	}
	if got, want := client.Usage().Calls, client.Forecast(crm.Work{Create: 101, Update: 200, Archive: 50}); got != want || got != 5 {
		t.Errorf("it cost %d calls, forecast %d, want 5", got, want)
	}
}

func TestOurShareOfTheDayStopsWrites(t *testing.T) {
	p := newPortal()
	p.headers = map[string]string{"X-HubSpot-RateLimit-Daily": "1000", "X-HubSpot-RateLimit-Daily-Remaining": "990"}
	client := p.client(t, func(config *hubspot.Config) { config.Budget = 0.002 })
	var writes []crm.Write
	for i := range 2000 {
		writes = append(writes, createWrite(fmt.Sprint(i), "email", fmt.Sprintf("p%d@acme.example", i)))
	}
	for range 2 {
		if _, err := client.Find(t.Context(), contacts("email"), "email", []string{"a@acme.example"}); err != nil {
			t.Fatal(err)
		}
	}
	results, err := client.Apply(t.Context(), writes)
	e, ok := fault.As(err)
	if !ok || e.Kind != fault.RateLimited || !strings.Contains(e.Mend, "budget") || p.created != 0 {
		t.Errorf("got %v, %d made", err, p.created)
	}
	if slices.ContainsFunc(results, func(r crm.Result) bool { return r.Err == nil || r.Unknown }) {
		t.Error("a write that was not sent has no clear answer")
	}
	if usage := client.Usage(); usage.DayLimit != 1000 || usage.DayLeft != 990 || usage.Calls != 2 {
		t.Errorf("got %+v", usage)
	}
}

func numberOf(id string) uint64 {
	var n uint64
	fmt.Sscan(id, &n)
	return n
}
