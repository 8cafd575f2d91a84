package hubspot_test

import (
	"bytes"
	"fmt"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/lockstep-sync/lockstep/sandbox/faults"
	"github.com/lockstep-sync/lockstep/sandbox/hubspot"
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

// TestManyWritersAreHeard is for the race detector: writers in two accounts,
// subscriptions that come and go, deliveries that fail, readers of the journal
// and of lists, and saving, side by side. In the end everybody was told.
func TestManyWritersAreHeard(t *testing.T) {
	box := &mailbox{answer: func(n int, _ *http.Request) (int, error) {
		if n%5 == 0 {
			return http.StatusBadGateway, nil
		}
		return http.StatusOK, nil
	}}
	d := develop(t, hubspot.Config{TenSecondly: -1, SearchSecondly: -1, Webhooks: box})
	for _, account := range d.s.Accounts() {
		if _, err := account.Install(d.app.ClientID); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := d.s.SetWebhooks(d.app.AppID, hubspot.WebhookSettings{TargetURL: target}, on("contact.creation", "contact.propertyChange city")...); err != nil {
		t.Fatal(err)
	}
	list := d.newList("Bern", "DYNAMIC", where("city", "STRING", "IS_EQUAL_TO", `,"value":"Bern"`))
	const writers, rounds = 6, 25
	var group sync.WaitGroup
	for n := range writers {
		account := d.s.Accounts()[n%2]
		group.Go(func() {
			for i := range rounds {
				id, err := account.AsUser(7).Create("contacts", props("email", fmt.Sprintf("p%d-%d@acme.example", n, i)))
				if err == nil {
					err = account.AsUser(7).Update("contacts", id, props("city", "Bern"))
				}
				if err != nil {
					t.Error(err)
				}
				_ = d.s.Webhooks()
				_, _ = d.s.ListMembers(list)
				if i%10 == n {
					if err := d.s.SaveState(&bytes.Buffer{}); err != nil {
						t.Error(err)
					}
				}
			}
		})
	}
	group.Wait()
	for d.s.PendingWebhooks() > 0 {
		d.clock.Advance(time.Hour)
		runtime.Gosched()
	}
	told := map[string]bool{}
	for _, e := range box.events(t) {
		told[fmt.Sprint(e["portalId"], e["objectId"], e["subscriptionType"])] = true
	}
	if len(told) != 2*writers*rounds {
		t.Errorf("told of %d events, want %d", len(told), 2*writers*rounds)
	}
	if members, _ := d.s.ListMembers(list); len(members) != writers*rounds/2 {
		t.Errorf("%d are in the list, want %d", len(members), writers*rounds/2)
	}
	if err := d.s.Close(); err != nil {
		t.Fatal(err)
	}
}
