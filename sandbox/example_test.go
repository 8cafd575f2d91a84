package sandbox_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"time"

	"github.com/lockstep-sync/lockstep/sandbox"
	"github.com/lockstep-sync/lockstep/sandbox/faults"
)

// Any Go program can be tested against HubSpot without a network: give it the
// sandbox's client in place of its own.
func Example() {
	box, err := sandbox.New(sandbox.Config{Seed: "small", Random: 1})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer box.Close()

	r, _ := http.NewRequest("GET", "https://api.hubapi.com/crm/v3/objects/companies?limit=1&properties=name", nil)
	r.Header.Set("Authorization", "Bearer "+box.Credentials().HubSpot.PrivateApp)
	response, err := box.Client().Do(r)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer response.Body.Close()
	var page struct {
		Results []struct{ Properties struct{ Name string } }
	}
	if err := json.NewDecoder(response.Body).Decode(&page); err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(response.StatusCode, page.Results[0].Properties.Name)
	// Output: 200 Trellis Tools
}

// Faults come when they are asked for: here the third call is told to wait.
func ExampleSandbox_Dials() {
	box, err := sandbox.New(sandbox.Config{})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer box.Close()
	box.Dials().Set(faults.Setting{Rules: []faults.Rule{{Kind: faults.TooMany, Side: "hubspot", Skip: 2, Times: 1}}})
	for range 4 {
		r, _ := http.NewRequest("GET", "https://api.hubapi.com/crm/v3/objects/deals", nil)
		r.Header.Set("Authorization", "Bearer "+box.Credentials().HubSpot.PrivateApp)
		response, err := box.Client().Do(r)
		if err != nil {
			fmt.Println(err)
			return
		}
		response.Body.Close()
		fmt.Println(response.StatusCode)
	}
	// Output:
	// 200
	// 200
	// 429
	// 200
}

// A person edits a record in HubSpot while the program under test runs.
func ExampleSandbox_HubSpot() {
	box, err := sandbox.New(sandbox.Config{Start: time.Date(2026, 11, 2, 9, 0, 0, 0, time.UTC)})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer box.Close()
	id := box.HubSpot().Insert("contacts", map[string]string{"email": "eva@mill.example", "city": "Bremen"}, box.Clock().Now(), box.Clock().Now())
	if err := box.HubSpot().Update("contacts", id, map[string]string{"city": "Köln"}); err != nil {
		fmt.Println(err)
		return
	}
	contact, _ := box.HubSpot().Get("contacts", id)
	fmt.Println(contact["email"], contact["city"])
	// Output: eva@mill.example Köln
}
