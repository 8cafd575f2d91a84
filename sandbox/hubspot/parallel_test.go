package hubspot_test

import (
	"bytes"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"github.com/lockstep-sync/lockstep/sandbox/faults"
)

// TestManyCallersAtOnce is for the race detector: readers, writers, searches, a
// lagging index, pages and saving side by side. In the end nothing is lost.
func TestManyCallersAtOnce(t *testing.T) {
	p := open(t)
	p.dials.Set(faults.Setting{SearchLagMillis: 3})
	company := p.insert("companies", "name", "Acme")
	const callers, rounds = 8, 30
	var group sync.WaitGroup
	for n := range callers {
		group.Go(func() {
			send := func(method, path, body string) int {
				r := httptest.NewRequest(method, path, strings.NewReader(body))
				r.Header.Set("Authorization", "Bearer "+p.token)
				r.Header.Set("Content-Type", "application/json")
				w := httptest.NewRecorder()
				p.s.ServeHTTP(w, r)
				return w.Code
			}
			for i := range rounds {
				email := fmt.Sprintf("p%d-%d@acme.example", n, i)
				if got := send("POST", "/crm/v3/objects/contacts", `{"properties":{"email":"`+email+`"},"associations":[{"to":{"id":"`+company+`"},"types":[{"associationCategory":"HUBSPOT_DEFINED","associationTypeId":279}]}]}`); got != http.StatusCreated {
					t.Errorf("create: %d", got)
				}
				send("PATCH", "/crm/v3/objects/contacts/"+email+"?idProperty=email", `{"properties":{"city":"Bern"}}`)
				send("POST", "/crm/v3/objects/contacts/search", `{"sorts":["-lastmodifieddate"],"filters":[{"propertyName":"city","operator":"EQ","value":"bern"}]}`)
				send("GET", "/crm/v3/objects/contacts?associations=companies&propertiesWithHistory=city&limit=50", "")
				send("GET", "/crm/v4/objects/companies/"+company+"/associations/contacts", "")
				send("GET", "/crm/v4/associations/contacts/companies/labels", "")
				send("GET", "/objects/companies/"+company, "")
				if i%10 == n {
					if err := p.s.SaveState(&bytes.Buffer{}); err != nil {
						t.Error(err)
					}
				}
				_ = p.s.Calls()
			}
		})
	}
	group.Wait()
	if n := p.s.Count("contacts"); n != callers*rounds {
		t.Errorf("%d contacts, want %d", n, callers*rounds)
	}
	if n := len(p.s.Associations("companies", company, "contacts")); n != callers*rounds {
		t.Errorf("%d associations, want %d", n, callers*rounds)
	}
}
