package salesforce

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/google/go-cmp/cmp"

	"github.com/lockstep-sync/lockstep/internal/crm"
	"github.com/lockstep-sync/lockstep/internal/fault"
)

func set(name, text string) crm.FieldValue { return crm.FieldValue{Name: name, Value: crm.Text(text)} }

func creates(n int) []crm.Write {
	writes := make([]crm.Write, n)
	for i, key := range keys(n) {
		writes[i] = crm.Write{Key: key, Op: crm.Create, Object: "Contact", Fields: []crm.FieldValue{set("LastName", fmt.Sprintf("Fake %d", i))}}
	}
	return writes
}

// wellDone answers a collection, each record with success; verdict may say
// otherwise for one of them.
func wellDone(body string, verdict func(record map[string]any) string) (int, string) {
	var parts []string
	for i, record := range collectionOf(body) {
		answer := ""
		if verdict != nil {
			answer = verdict(record)
		}
		if answer == "" {
			id, _ := record["id"].(string)
			if id == "" {
				id = fakeID("003", i)
			}
			answer = fmt.Sprintf(`{"id":%q,"success":true,"errors":[]}`, id)
		}
		parts = append(parts, answer)
	}
	return 200, "[" + strings.Join(parts, ",") + "]"
}

func refusing(code, message, fields string) string {
	return fmt.Sprintf(`{"success":false,"errors":[{"statusCode":%q,"message":%q,"fields":[%s]}]}`, code, message, fields)
}

// outcomes says results shortly: key, what became of it.
func outcomes(results []crm.Result) []string {
	var out []string
	for _, r := range results {
		what := "ok"
		if r.Created {
			what = "created"
		}
		if r.Err != nil {
			what = strings.TrimSpace(string(fault.KindOf(r.Err)) + " " + r.Cause)
		}
		if r.Unknown {
			what += " unknown"
		}
		out = append(out, r.Key+" "+what)
	}
	return out
}

func TestAThousandRecordsTravelInOneCall(t *testing.T) {
	for _, test := range []struct{ records, calls int }{{1, 1}, {200, 1}, {201, 1}, {1000, 1}, {1001, 2}, {2500, 3}} {
		t.Run(fmt.Sprint(test.records), func(t *testing.T) {
			org, written := &fakeOrg{}, 0
			org.answer = func(call fakeCall) (int, string) {
				one := func(c fakeCall) (int, string) {
					n := len(collectionOf(c.Body))
					if written += n; n > collectionRecords || c.Method != "POST" || c.Path != "/composite/sobjects" {
						return 400, `[{"errorCode":"EXCEEDED_MAX","message":"too many"}]`
					}
					return wellDone(c.Body, nil)
				}
				switch call.Path {
				case "/composite":
					return viaComposite(call.Body, one)
				case "/composite/sobjects":
					return one(call)
				}
				return leave, ""
			}
			c := newClient(t, org)
			results, err := c.Apply(t.Context(), creates(test.records))
			if err != nil || len(org.seen()) != test.calls || written != test.records {
				t.Fatalf("%d calls, %d written, %v", len(org.seen()), written, err)
			}
			if got := c.Forecast(crm.Work{Object: "Contact", Create: test.records}); got != test.calls {
				t.Errorf("the forecast was %d calls", got)
			}
			for i, r := range results {
				if r.Key != fmt.Sprintf("k%d", i) || r.Err != nil || !r.Created || r.ID == "" || r.RequestID != "fake-request" {
					t.Fatalf("result %d is %+v", i, r)
				}
			}
		})
	}
}

func TestEveryRecordHasItsOwnResult(t *testing.T) {
	org := &fakeOrg{answer: func(call fakeCall) (int, string) {
		if call.Path != "/composite/sobjects" {
			return leave, ""
		}
		return wellDone(call.Body, func(record map[string]any) string {
			switch record["LastName"] {
			case "Fake 1":
				return refusing("STRING_TOO_LONG", "Last Name: data value too large: fake (max length=80)", `"LastName"`)
			case "Fake 2":
				return refusing("DUPLICATE_VALUE", "duplicate value found: HubSpot_Id__c duplicates value on record with id: "+fakeID("003", 77)[:15], "")
			case "Fake 3":
				return refusing("INSUFFICIENT_ACCESS_ON_CROSS_REFERENCE_ENTITY", "insufficient access rights on cross-reference id: x", "")
			}
			return ""
		})
	}}
	results, err := newClient(t, org).Apply(t.Context(), creates(4))
	if err != nil {
		t.Fatal(err)
	}
	want := []string{"k0 created", "k1 invalid STRING_TOO_LONG", "k2 conflict DUPLICATE_VALUE", "k3 denied INSUFFICIENT_ACCESS_ON_CROSS_REFERENCE_ENTITY"}
	if diff := cmp.Diff(want, outcomes(results)); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]string{"LastName"}, results[1].Fields); diff != "" {
		t.Error(diff)
	}
	if results[2].ID != fakeID("003", 77) {
		t.Errorf("the holder of the value is %q", results[2].ID)
	}
	for _, r := range results[1:] {
		if fault.MendOf(r.Err) == "" {
			t.Errorf("%s has no next step", r.Err)
		}
	}
}

func TestValuesTravelAsTheirFieldsWantThem(t *testing.T) {
	org := &fakeOrg{answer: func(call fakeCall) (int, string) {
		if call.Path == "/composite/sobjects" {
			return wellDone(call.Body, nil)
		}
		return leave, ""
	}}
	blank := crm.Value{State: crm.Blank}
	id := fakeID("003", 1)
	results, err := newClient(t, org).Apply(t.Context(), []crm.Write{
		{Key: "a", Op: crm.Update, Object: "Contact", ID: id[:15], Fields: []crm.FieldValue{
			set("LastName", "Größe \"x\""), set("Score__c", "1500.50"), set("Visits__c", "12.0"), set("HasOptedOutOfEmail", "TRUE"),
			set("Birthdate", "1980-02-29"), set("LastSeen__c", "2026-11-23T15:00:00+01:00"), {Name: "Email", Value: blank}, {Name: "LeadSource", Value: crm.Value{}},
		}},
		{Key: "b", Op: crm.Update, Object: "Contact", ID: id, Fields: []crm.FieldValue{{Name: "HasOptedOutOfEmail", Value: blank}}},
		{Key: "c", Op: crm.Update, Object: "Contact", ID: id},
		{Key: "d", Op: crm.Update, Object: "Contact", ID: id, Fields: []crm.FieldValue{set("Score__c", "a lot")}},
		{Key: "e", Op: crm.Update, Object: "Contact", ID: id, Fields: []crm.FieldValue{set("Name", "x")}},
		{Key: "f", Op: crm.Update, Object: "Contact", ID: id, Fields: []crm.FieldValue{set("Nowhere__c", "x")}},
		{Key: "g", Op: crm.Update, Object: "Contact", ID: "12345", Fields: []crm.FieldValue{set("LastName", "x")}},
	})
	if err != nil {
		t.Fatal(err)
	}
	want := []string{"a ok", "b ok", "c ok", "d invalid INVALID_TYPE_ON_FIELD_IN_RECORD", "e invalid INVALID_FIELD_FOR_INSERT_UPDATE", "f invalid INVALID_FIELD", "g invalid MALFORMED_ID"}
	if diff := cmp.Diff(want, outcomes(results)); diff != "" {
		t.Error(diff)
	}
	sent := org.seen()[0].Body
	wantBody := `{"allOrNone":false,"records":[` +
		`{"attributes":{"type":"Contact"},"id":"` + id + `","LastName":"Größe \"x\"","Score__c":1500.50,"Visits__c":12,"HasOptedOutOfEmail":true,"Birthdate":"1980-02-29","LastSeen__c":"2026-11-23T14:00:00.000Z","Email":null},` +
		`{"attributes":{"type":"Contact"},"id":"` + id + `","HasOptedOutOfEmail":false}]}`
	if diff := cmp.Diff(wantBody, sent); diff != "" {
		t.Error(diff)
	}
	if !json.Valid([]byte(sent)) {
		t.Error("the body is no JSON")
	}
}

func TestAnUpsertSaysWhetherItCreated(t *testing.T) {
	org := &fakeOrg{answer: func(call fakeCall) (int, string) {
		if call.Method == "PATCH" && call.Path == "/composite/sobjects/Contact/HubSpot_Id__c" {
			return wellDone(call.Body, func(record map[string]any) string {
				return fmt.Sprintf(`{"id":%q,"success":true,"errors":[],"created":%v}`, fakeID("003", 1), record["HubSpot_Id__c"] == "101")
			})
		}
		return leave, ""
	}}
	write := func(key, value string) crm.Write {
		return crm.Write{Key: key, Op: crm.Create, Object: "Contact", ExternalField: "HubSpot_Id__c", ExternalValue: value, Fields: []crm.FieldValue{set("LastName", "Fake"), {Name: "Email", Value: crm.Value{State: crm.Blank}}}}
	}
	results, err := newClient(t, org).Apply(t.Context(), []crm.Write{write("a", "101"), write("b", "102")})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"a created", "b ok"}, outcomes(results)); diff != "" {
		t.Error(diff)
	}
	if got := org.seen()[0].Body; !strings.Contains(got, `{"attributes":{"type":"Contact"},"HubSpot_Id__c":"101","LastName":"Fake","Email":null}`) {
		t.Errorf("sent %s", got)
	}
}

func TestLockedRecordsAreSentAgainInSmallerPortions(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		org, sizes, tries := &fakeOrg{}, []int{}, map[any]int{}
		org.answer = func(call fakeCall) (int, string) {
			one := func(c fakeCall) (int, string) {
				sizes = append(sizes, len(collectionOf(c.Body)))
				return wellDone(c.Body, func(record map[string]any) string {
					name := record["LastName"]
					tries[name]++
					switch {
					case name == "Fake 7": // held for ever
						return refusing("UNABLE_TO_LOCK_ROW", "unable to obtain exclusive access to this record", "")
					case tries[name] == 1 && name != "Fake 0":
						return refusing("UNABLE_TO_LOCK_ROW", "unable to obtain exclusive access to this record", "")
					}
					return ""
				})
			}
			switch call.Path {
			case "/composite":
				return viaComposite(call.Body, one)
			case "/composite/sobjects":
				return one(call)
			}
			return leave, ""
		}
		results, err := newClient(t, org).Apply(t.Context(), creates(61))
		if err != nil {
			t.Fatal(err)
		}
		failed := 0
		for _, r := range results {
			if r.Err != nil {
				failed++
			}
		}
		if failed != 1 || results[7].Cause != "UNABLE_TO_LOCK_ROW" || fault.KindOf(results[7].Err) != fault.Unavailable || results[7].Unknown {
			t.Errorf("%d failed, number 7: %+v", failed, results[7])
		}
		if diff := cmp.Diff([]int{61, 10, 50, 1, 1}, sizes); diff != "" {
			t.Error(diff)
		}
	})
}

func TestALockOnAWholeCallIsTriedAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		org, times := &fakeOrg{}, 0
		org.answer = func(call fakeCall) (int, string) {
			if call.Path != "/composite/sobjects" {
				return leave, ""
			}
			if times++; times == 1 {
				return 500, `[{"message":"unable to obtain exclusive access to this record","errorCode":"UNABLE_TO_LOCK_ROW"}]`
			}
			return wellDone(call.Body, nil)
		}
		results, err := newClient(t, org).Apply(t.Context(), creates(2))
		if diff := cmp.Diff([]string{"k0 created", "k1 created"}, outcomes(results)); diff != "" || err != nil {
			t.Errorf("%v\n%s", err, diff)
		}
	})
}

func TestADuplicateRuleIsAskedWhatItFound(t *testing.T) {
	org := &fakeOrg{answer: func(call fakeCall) (int, string) {
		switch call.Path {
		case "/composite/sobjects":
			return wellDone(call.Body, func(record map[string]any) string {
				if record["LastName"] == "Fake 0" {
					return ""
				}
				return refusing("DUPLICATES_DETECTED", "Use one of these records?", "")
			})
		case "/sobjects/Contact":
			if strings.Contains(call.Body, "Fake 2") { // the rule lets it through this time
				return 201, fmt.Sprintf(`{"id":%q,"success":true,"errors":[]}`, fakeID("003", 2))
			}
			return 400, `[{"errorCode":"DUPLICATES_DETECTED","message":"Use one of these records?","duplicateResult":{"duplicateRule":"Standard_Contact_Duplicate_Rule","matchResults":[{"matchRecords":[` +
				`{"record":{"attributes":{"type":"Contact"},"Id":"` + fakeID("003", 9) + `"}}]},{"matchRecords":[{"record":{"attributes":{"type":"Lead"},"Id":"` + fakeID("00Q", 9) + `"}}]}]}}]`
		}
		return leave, ""
	}}
	results, err := newClient(t, org).Apply(t.Context(), creates(3))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"k0 created", "k1 conflict DUPLICATES_DETECTED", "k2 created"}, outcomes(results)); diff != "" {
		t.Error(diff)
	}
	if text := results[1].Err.Error(); !strings.Contains(text, "Contact "+fakeID("003", 9)) || !strings.Contains(text, "Lead "+fakeID("00Q", 9)) {
		t.Errorf("the message is %q", text)
	}
}

func TestOneBadValueDoesNotSpoilTheOthers(t *testing.T) {
	for _, records := range []int{200, 450} {
		t.Run(fmt.Sprint(records), func(t *testing.T) {
			org, made := &fakeOrg{}, map[any]int{}
			org.answer = func(call fakeCall) (int, string) {
				one := func(c fakeCall) (int, string) {
					if strings.Contains(c.Body, `"Fake 123"`) {
						return 400, `[{"message":"Cannot deserialize instance of string","errorCode":"JSON_PARSER_ERROR"}]`
					}
					return wellDone(c.Body, func(record map[string]any) string { made[record["LastName"]]++; return "" })
				}
				switch call.Path {
				case "/composite":
					if strings.Contains(call.Body, `"Fake 123"`) {
						return 400, `[{"message":"Cannot deserialize instance of string","errorCode":"JSON_PARSER_ERROR"}]`
					}
					return viaComposite(call.Body, one)
				case "/composite/sobjects":
					return one(call)
				}
				return leave, ""
			}
			results, err := newClient(t, org).Apply(t.Context(), creates(records))
			if err != nil {
				t.Fatal(err)
			}
			bad := slices.DeleteFunc(outcomes(results), func(s string) bool { return strings.HasSuffix(s, " created") })
			if diff := cmp.Diff([]string{"k123 invalid JSON_PARSER_ERROR"}, bad); diff != "" {
				t.Error(diff)
			}
			for name, times := range made {
				if times != 1 {
					t.Errorf("%v was made %d times", name, times)
				}
			}
			if len(made) != records-1 || len(org.seen()) > 20 {
				t.Errorf("%d were made, in %d calls", len(made), len(org.seen()))
			}
		})
	}
}

func TestACreateWhoseAnswerWasLostIsUnknownAndNotRepeated(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		org, posts := &fakeOrg{}, 0
		org.answer = func(call fakeCall) (int, string) {
			if strings.HasPrefix(call.Path, "/composite") {
				posts++
				return 0, ""
			}
			return leave, ""
		}
		results, err := newClient(t, org).Apply(t.Context(), creates(2))
		if posts != 1 {
			t.Errorf("sent %d times", posts)
		}
		if err != nil {
			t.Errorf("one lost answer stopped everything: %v", err)
		}
		if diff := cmp.Diff([]string{"k0 unavailable unknown", "k1 unavailable unknown"}, outcomes(results)); diff != "" {
			t.Error(diff)
		}
	})
}

func TestAnUpdateIsRepeatedUntilItIsAnswered(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		org, times := &fakeOrg{}, 0
		org.answer = func(call fakeCall) (int, string) {
			if call.Path != "/composite/sobjects" {
				return leave, ""
			}
			if times++; times < 3 {
				return 0, ""
			}
			return wellDone(call.Body, nil)
		}
		results, err := newClient(t, org).Apply(t.Context(), []crm.Write{{Key: "a", Op: crm.Update, Object: "Contact", ID: fakeID("003", 1), Fields: []crm.FieldValue{set("LastName", "x")}}})
		if diff := cmp.Diff([]string{"a ok"}, outcomes(results)); diff != "" || err != nil {
			t.Errorf("%v\n%s", err, diff)
		}
	})
}

// TestWhatALaterTryIsToldSaysNothingOfTheCallBefore: the answer to an update is lost,
// somebody holds the record when it is sent again, and once more it is refused for
// what has nothing to do with it. The first call may have written it.
func TestWhatALaterTryIsToldSaysNothingOfTheCallBefore(t *testing.T) {
	for name, test := range map[string]struct {
		status int
		answer string
		want   string
	}{
		"it is held until the end":    {want: "a unavailable UNABLE_TO_LOCK_ROW unknown"},
		"the day's calls are used up": {status: 403, answer: `[{"message":"TotalRequests Limit exceeded.","errorCode":"REQUEST_LIMIT_EXCEEDED"}]`, want: "a rate-limited unknown"},
		"Salesforce is down":          {status: 503, answer: `<html>`, want: "a unavailable unknown"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				org, times := &fakeOrg{}, 0
				org.answer = func(call fakeCall) (int, string) {
					if call.Path != "/composite/sobjects" {
						return leave, ""
					}
					switch times++; {
					case times == 1:
						return 0, ""
					case times > 2 && test.status != 0:
						return test.status, test.answer
					}
					return wellDone(call.Body, func(map[string]any) string {
						return refusing("UNABLE_TO_LOCK_ROW", "unable to obtain exclusive access to this record", "")
					})
				}
				results, _ := newClient(t, org).Apply(t.Context(), []crm.Write{{Key: "a", Op: crm.Update, Object: "Contact", ID: fakeID("003", 1), Fields: []crm.FieldValue{set("LastName", "x")}}})
				if diff := cmp.Diff([]string{test.want}, outcomes(results)); diff != "" {
					t.Error(diff)
				}
			})
		})
	}
}

func TestWhatStopsEverythingStillAnswersEveryWrite(t *testing.T) {
	tests := []struct {
		name, answer string
		status       int
		kind         fault.Kind
	}{
		{"the day's calls are used up", `[{"message":"TotalRequests Limit exceeded.","errorCode":"REQUEST_LIMIT_EXCEEDED"}]`, 403, fault.RateLimited},
		{"the user lost API access", `[{"message":"API is disabled","errorCode":"API_DISABLED_FOR_ORG"}]`, 403, fault.Denied},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			org, posts := &fakeOrg{}, 0
			org.answer = func(call fakeCall) (int, string) {
				if strings.HasPrefix(call.Path, "/composite") {
					posts++
					return test.status, test.answer
				}
				return leave, ""
			}
			results, err := newClient(t, org).Apply(t.Context(), creates(2500))
			if fault.KindOf(err) != test.kind || posts != 1 || fault.MendOf(err) == "" {
				t.Fatalf("%d calls, %v", posts, err)
			}
			for _, r := range results {
				// No Cause: no record was refused, none was looked at.
				if r.Err == nil || r.Unknown || r.Key == "" || r.Cause != "" {
					t.Fatalf("result %+v", r)
				}
			}
		})
	}
}

func TestTooManyLongRequestsAreWaitedForWhenCallsAreLeft(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		org, times := &fakeOrg{header: map[string][]string{"Sforce-Limit-Info": {"api-usage=18/5000"}}}, 0
		org.answer = func(call fakeCall) (int, string) {
			if call.Path != "/composite/sobjects" {
				return leave, ""
			}
			if times++; times == 1 {
				return 403, `[{"message":"ConcurrentRequests (Concurrent API Requests) Limit exceeded.","errorCode":"REQUEST_LIMIT_EXCEEDED"}]`
			}
			return wellDone(call.Body, nil)
		}
		c := newClient(t, org)
		results, err := c.Apply(t.Context(), creates(1))
		if diff := cmp.Diff([]string{"k0 created"}, outcomes(results)); diff != "" || err != nil {
			t.Errorf("%v\n%s", err, diff)
		}
		want := crm.Usage{Calls: 3, Retries: 1, Throttled: 1, DayLimit: 5000, DayLeft: 4982}
		if diff := cmp.Diff(want, c.Usage()); diff != "" {
			t.Error(diff)
		}
	})
}

func TestAnExpiredSessionIsRenewedOnceEvenForACreate(t *testing.T) {
	org := &fakeOrg{}
	org.answer = func(call fakeCall) (int, string) {
		if call.Path != "/composite/sobjects" {
			return leave, ""
		}
		if call.Token == "00Dfake!token0" {
			return 401, `[{"message":"Session expired or invalid","errorCode":"INVALID_SESSION_ID"}]`
		}
		return wellDone(call.Body, nil)
	}
	results, err := newClient(t, org).Apply(t.Context(), creates(1))
	if diff := cmp.Diff([]string{"k0 created"}, outcomes(results)); diff != "" || err != nil || len(org.seen()) != 2 {
		t.Errorf("%d calls, %v\n%s", len(org.seen()), err, diff)
	}
}

func TestArchivingTwiceIsFine(t *testing.T) {
	org := &fakeOrg{answer: func(call fakeCall) (int, string) {
		if call.Method == "DELETE" && call.Path == "/composite/sobjects" && call.Query["allOrNone"][0] == "false" {
			var parts []string
			for i, id := range strings.Split(call.Query["ids"][0], ",") {
				parts = append(parts, []string{fmt.Sprintf(`{"id":%q,"success":true,"errors":[]}`, id), refusing("ENTITY_IS_DELETED", "entity is deleted", ""), refusing("DELETE_FAILED", "child rows", "")}[i])
			}
			return 200, "[" + strings.Join(parts, ",") + "]"
		}
		return leave, ""
	}}
	var writes []crm.Write
	for i, key := range keys(3) {
		writes = append(writes, crm.Write{Key: key, Op: crm.Archive, Object: "Contact", ID: fakeID("003", i)})
	}
	results, err := newClient(t, org).Apply(t.Context(), writes)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"k0 ok", "k1 ok", "k2 invalid DELETE_FAILED"}, outcomes(results)); diff != "" {
		t.Error(diff)
	}
}

func TestAFieldThatWasJustAddedIsKnownAtOnce(t *testing.T) {
	org, describes := &fakeOrg{}, 0
	org.answer = func(call fakeCall) (int, string) {
		switch call.Path {
		case "/sobjects/Contact/describe":
			if describes++; describes > 1 {
				return 200, strings.Replace(contactDescribe, `"fields":[`, `"fields":[`+field("New__c", "string", "")+",", 1)
			}
		case "/composite/sobjects":
			return wellDone(call.Body, nil)
		}
		return leave, ""
	}
	c := newClient(t, org)
	if _, err := c.Apply(t.Context(), creates(1)); err != nil {
		t.Fatal(err)
	}
	results, err := c.Apply(t.Context(), []crm.Write{{Key: "a", Op: crm.Create, Object: "Contact", Fields: []crm.FieldValue{set("LastName", "x"), set("New__c", "y")}}})
	if diff := cmp.Diff([]string{"a created"}, outcomes(results)); diff != "" || err != nil || describes != 2 {
		t.Errorf("%d describes, %v\n%s", describes, err, diff)
	}
}
