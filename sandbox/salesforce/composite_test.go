package salesforce

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestCompositeCalls(t *testing.T) {
	o := newStory(t)
	part := func(method, url, reference, body string) string {
		return fmt.Sprintf(`{"method":%q,"url":"/services/data/v68.0%s","referenceId":%q,"body":%s}`, method, url, reference, body)
	}
	whole := func(allOrNone bool, parts ...string) got {
		return o.do("POST", "/composite", fmt.Sprintf(`{"allOrNone":%v,"compositeRequest":[%s]}`, allOrNone, strings.Join(parts, ",")))
	}
	statuses := func(g got) []any {
		var list []any
		for _, r := range g.at("compositeResponse").([]any) {
			list = append(list, r.(map[string]any)["httpStatusCode"])
		}
		return list
	}
	before := o.Count("Account")
	g := whole(false, part("POST", "/sobjects/Account", "a", `{"Name":"New"}`), part("GET", "/query?q=SELECT+Id,Name+FROM+Account+WHERE+Id='@{a.id}'", "q", "null"),
		part("PATCH", "/sobjects/Account/@{q.records[0].Id}", "u", `{"Description":"was @{q.records[0].Name}"}`), part("GET", "/sobjects/Account/@{a.Id}", "wrong", "null"), part("GET", "/sobjects/Nope/describe", "n", "null"))
	if diff := cmp.Diff([]any{201.0, 200.0, 204.0, 400.0, 404.0}, statuses(g)); diff != "" {
		t.Errorf("(-want +got):\n%s\n%s", diff, g.Body)
	}
	if g.at("compositeResponse.2.body") != nil || g.str("compositeResponse.3.body.0.errorCode") != "PROCESSING_HALTED" {
		t.Errorf("bodies: %s", g.Body)
	}
	if got, _ := o.Get("Account", g.str("compositeResponse.0.body.id")); got["Description"] != "was New" {
		t.Errorf("the reference in a text: %v", got["Description"])
	}
	g = whole(true, part("POST", "/sobjects/Account", "a", `{"Name":"Taken back"}`), part("POST", "/sobjects/Contact", "b", `{"FirstName":"bad"}`), part("GET", "/limits", "c", "null"))
	if diff := cmp.Diff([]any{400.0, 400.0, 400.0}, statuses(g)); diff != "" || o.Count("Account") != before+1 ||
		g.str("compositeResponse.0.body.0.errorCode") != "PROCESSING_HALTED" || g.str("compositeResponse.1.body.0.errorCode") != "REQUIRED_FIELD_MISSING" {
		t.Errorf("all or none (-want +got):\n%s\n%s", diff, g.Body)
	}
	var many []string
	for i := range 26 {
		many = append(many, part("GET", "/limits", fmt.Sprintf("r%d", i), "null"))
	}
	for name, g := range map[string]got{
		"26 parts":           whole(false, many...),
		"six queries":        whole(false, slices.Repeat([]string{part("GET", "/query?q=x", "q", "null")}, 6)...),
		"a name with a dash": whole(false, part("GET", "/limits", "a-b", "null")),
		"a name twice":       whole(false, part("GET", "/limits", "a", "null"), part("GET", "/limits", "a", "null")),
		"a method in small":  whole(false, part("get", "/limits", "a", "null")),
	} {
		if g.Status != 400 {
			t.Errorf("%s: %d, want 400", name, g.Status)
		}
	}
	calls := o.Calls().Total
	g = o.do("POST", "/composite/batch", `{"batchRequests":[{"method":"PATCH","url":"v68.0/sobjects/account/`+o.idOf("Account", "Acme")+`","richInput":{"Phone":"5"}},{"method":"GET","url":"v68.0/sobjects/Nope"},{"method":"GET","url":"v68.0/limits"}]}`)
	if g.at("hasErrors") != true || g.at("results.0.statusCode") != 204.0 || g.at("results.1.statusCode") != 404.0 || g.at("results.2.statusCode") != 200.0 || o.Calls().Total != calls+3 {
		t.Errorf("batch: %s, %d calls, want 3", g.Body, o.Calls().Total-calls)
	}
	g = o.do("POST", "/composite/batch", `{"haltOnError":true,"batchRequests":[{"method":"GET","url":"v68.0/sobjects/Nope"},{"method":"GET","url":"v68.0/limits"}]}`)
	if g.at("results.1.statusCode") != 412.0 || g.str("results.1.result.0.errorCode") != "BATCH_PROCESSING_HALTED" {
		t.Errorf("halted batch: %s", g.Body)
	}
	g = o.do("POST", "/composite/tree/Account", `{"records":[{"attributes":{"type":"Account","referenceId":"r1"},"Name":"Tree","Contacts":{"records":[{"attributes":{"type":"Contact","referenceId":"r2"},"LastName":"Leaf"}]}}]}`)
	if leaf, _ := o.Get("Contact", g.str("results.1.id")); g.Status != 201 || leaf["AccountId"] != g.str("results.0.id") {
		t.Errorf("tree: %d %s", g.Status, g.Body)
	}
	before = o.Count("Account")
	g = o.do("POST", "/composite/tree/Account", `{"records":[{"attributes":{"type":"Account","referenceId":"r1"},"Name":"Tree","Contacts":{"records":[{"attributes":{"type":"Contact","referenceId":"r2"},"FirstName":"bad"}]}}]}`)
	if g.Status != 400 || g.str("results.0.referenceId") != "r2" || g.str("results.0.errors.0.statusCode") != "REQUIRED_FIELD_MISSING" || o.Count("Account") != before {
		t.Errorf("a tree with a bad leaf: %d %s", g.Status, g.Body)
	}
	g = o.do("POST", "/composite/graph", `{"graphs":[{"graphId":"1","compositeRequest":[`+part("POST", "/sobjects/Account", "a", `{"Name":"G1"}`)+`]},{"graphId":"2","compositeRequest":[`+
		part("POST", "/sobjects/Account", "a", `{"Name":"G2"}`)+`,`+part("POST", "/sobjects/Contact", "b", `{}`)+`]}]}`)
	if g.at("graphs.0.isSuccessful") != true || g.at("graphs.1.isSuccessful") != false || o.Count("Account") != before+1 {
		t.Errorf("graph: %s", g.Body)
	}
}
