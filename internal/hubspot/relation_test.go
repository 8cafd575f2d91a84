package hubspot_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/lockstep-sync/lockstep/internal/crm"
	"github.com/lockstep-sync/lockstep/internal/fault"
)

func TestMoreAssociationsThanTravelAreReadOn(t *testing.T) {
	p := newPortal()
	r := p.add("contacts", 7, nil)
	r.associations = map[string][]association{}
	for i := range 730 {
		r.associations["deals"] = append(r.associations["deals"], association{id: uint64(i + 1), kinds: []string{"contact_to_deal"}})
	}
	p.intercept = func(request *http.Request, _ []byte) *http.Response {
		if request.URL.Path != "/crm/v4/objects/contacts/7/associations/deals" {
			return nil
		}
		from, to, next := 0, 500, `,"paging":{"next":{"after":"second"}}`
		if request.URL.Query().Get("after") == "second" {
			from, to, next = 500, 730, ""
		}
		var ends []string
		for i := from; i < to; i++ {
			ends = append(ends, fmt.Sprintf(`{"toObjectId":%d,"associationTypes":[{"category":"HUBSPOT_DEFINED","typeId":4,"label":null}]}`, i+1))
		}
		return reply(request, 200, `{"results":[`+strings.Join(ends, ",")+`]`+next+`}`)
	}
	read := contacts("email")
	read.Relations = []string{"deals"}
	got, report, err := readAll(t, p.client(t, nil), read)
	if err != nil {
		t.Fatal(err)
	}
	if n := len(got["7"].Relations); n != 730 || report.Calls != 4 {
		t.Errorf("got %d associations in %d calls, want 730 in 4", n, report.Calls)
	}
}

func TestLabelsAreToldAlikeByTheListAndByBatches(t *testing.T) {
	p := newPortal()
	r := p.add("contacts", 7, map[string]string{"email": "a@acme.example"})
	r.associations = map[string][]association{"companies": {{id: 5, kinds: []string{"contact_to_company_unlabeled", "board_member", "advisor"}}}}
	p.intercept = func(request *http.Request, _ []byte) *http.Response {
		switch path := request.URL.Path; {
		case strings.HasSuffix(path, "/labels"):
			return reply(request, 200, `{"results":[{"category":"HUBSPOT_DEFINED","typeId":279,"label":null},{"category":"USER_DEFINED","typeId":36,"label":"Advisor"},{"category":"USER_DEFINED","typeId":37,"label":"Member of the board"}]}`)
		case strings.HasSuffix(path, "/types"):
			return reply(request, 200, `{"results":[{"id":"279","name":"contact_to_company_unlabeled"},{"id":"36","name":"advisor"},{"id":"37","name":"board_member"}]}`)
		case strings.HasPrefix(path, "/crm/v4/associations/") && strings.HasSuffix(path, "/batch/read"):
			return reply(request, 200, `{"status":"COMPLETE","results":[{"from":{"id":"7"},"to":[{"toObjectId":5,"associationTypes":[{"category":"USER_DEFINED","typeId":37,"label":"Member of the board"},{"category":"HUBSPOT_DEFINED","typeId":279,"label":null},{"category":"USER_DEFINED","typeId":36,"label":"Advisor"}]}]}]}`)
		}
		return nil
	}
	read := contacts("email")
	read.Relations = []string{"companies"}
	client := p.client(t, nil)
	listed, _, err := readAll(t, client, read)
	if err != nil {
		t.Fatal(err)
	}
	looked, err := client.Lookup(t.Context(), read, []string{"7"})
	if err != nil {
		t.Fatal(err)
	}
	want := []crm.Relation{{Object: "companies", ID: "5", Label: "Advisor;Member of the board"}}
	if diff := cmp.Diff([][]crm.Relation{want, want}, [][]crm.Relation{listed["7"].Relations, looked[0].Relations}); diff != "" {
		t.Errorf("-want +got\n%s", diff)
	}
}

func TestAThousandRecordsAssociationsCostOneCallForEachObject(t *testing.T) {
	p := newPortal()
	batches := map[string][]int{}
	p.intercept = func(request *http.Request, body []byte) *http.Response {
		if !strings.HasSuffix(request.URL.Path, "/batch/read") {
			return nil
		}
		var asked struct {
			Inputs []struct{ ID, After string } `json:"inputs"`
		}
		if err := json.Unmarshal(body, &asked); err != nil {
			t.Error(err)
		}
		batches[request.URL.Path] = append(batches[request.URL.Path], len(asked.Inputs))
		if asked.Inputs[0].ID != "1" {
			return reply(request, 207, `{"status":"COMPLETE","results":[],"errors":[{"status":"error","category":"OBJECT_NOT_FOUND","message":"none"}]}`)
		}
		if asked.Inputs[0].After == "" {
			return reply(request, 200, `{"status":"COMPLETE","results":[{"from":{"id":"1"},"to":[{"toObjectId":5,"associationTypes":[{"category":"HUBSPOT_DEFINED","typeId":1,"label":"Primary"}]}],"paging":{"next":{"after":"NQ"}}}]}`)
		}
		return reply(request, 200, `{"status":"COMPLETE","results":[{"from":{"id":"1"},"to":[{"toObjectId":6,"associationTypes":[{"category":"HUBSPOT_DEFINED","typeId":279,"label":null}]}]}]}`)
	}
	var ids []string
	for i := range 1500 {
		ids = append(ids, strconv.Itoa(i+1))
	}
	read := contacts("email")
	read.Relations = []string{"companies"}
	records, calls, err := p.client(t, nil).Relations(t.Context(), read, ids)
	if err != nil {
		t.Fatal(err)
	}
	if len(records) != 1500 || calls != 3 {
		t.Errorf("%d records in %d calls, want 1500 in 3", len(records), calls)
	}
	if diff := cmp.Diff(map[string][]int{"/crm/v4/associations/contacts/companies/batch/read": {1000, 1, 500}}, batches); diff != "" {
		t.Errorf("ids asked for in each call (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]crm.Relation{{Object: "companies", ID: "5", Primary: true}, {Object: "companies", ID: "6"}}, records[0].Relations); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestALabelIsTakenOffAndTheAssociationStays(t *testing.T) {
	p := newPortal()
	var sent []string
	p.intercept = func(request *http.Request, body []byte) *http.Response {
		switch path := request.URL.Path; {
		case strings.HasSuffix(path, "/labels"):
			return reply(request, 200, `{"results":[{"category":"HUBSPOT_DEFINED","typeId":279,"label":null},{"category":"USER_DEFINED","typeId":36,"label":"Advisor"}]}`)
		case strings.HasSuffix(path, "/types"):
			return reply(request, 200, `{"results":[]}`)
		case strings.HasPrefix(path, "/crm/v4/associations/"):
			sent = append(sent, strings.TrimPrefix(path, "/crm/v4/associations/contacts/companies/")+" "+string(body))
			return reply(request, 204, "")
		}
		return nil
	}
	client := p.client(t, nil)
	off := crm.Write{Key: "off", Op: crm.Unrelate, Object: "contacts", ID: "7", Relation: crm.Relation{Object: "companies", ID: "5", Label: "Advisor"}}
	end := crm.Write{Key: "end", Op: crm.Unrelate, Object: "contacts", ID: "7", Relation: crm.Relation{Object: "companies", ID: "6"}}
	unknown := crm.Write{Key: "unknown", Op: crm.Relate, Object: "contacts", ID: "7", Relation: crm.Relation{Object: "companies", ID: "8", Label: "Adviser"}}
	results, err := client.Apply(t.Context(), []crm.Write{off, end, unknown})
	if err != nil || results[0].Err != nil || results[1].Err != nil || fault.KindOf(results[2].Err) != fault.Invalid {
		t.Fatalf("%+v, %v", results, err)
	}
	slices.Sort(sent)
	want := []string{`batch/archive {"inputs":[{"from":{"id":"7"},"to":[{"id":"6"}]}]}`,
		`batch/labels/archive {"inputs":[{"from":{"id":"7"},"to":{"id":"5"},"types":[{"associationCategory":"USER_DEFINED","associationTypeId":36}]}]}`}
	if diff := cmp.Diff(want, sent); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	labels, err := client.AssociationLabels(t.Context(), "contacts", "companies")
	if diff := cmp.Diff([]string{"Advisor"}, labels); diff != "" || err != nil {
		t.Errorf("%v (-want +got):\n%s", err, diff)
	}
}
