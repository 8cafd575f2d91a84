// Command goapp counts contacts.
package main

import (
	"encoding/json"
	"fmt"
	"log"
	"net/http"
	"os"
)

var hapikey = os.Getenv("HAPIKEY")

type page struct {
	Results []json.RawMessage `json:"results"`
}

func read(base string) (page, error) {
	var p page
	resp, err := http.Get(fmt.Sprintf("%s/crm/v3/objects/contacts?hapikey=%s&limit=%d", base, hapikey, 2))
	if err != nil {
		return p, err
	}
	defer resp.Body.Close()
	if resp.StatusCode != 200 {
		return p, fmt.Errorf("status %d", resp.StatusCode)
	}
	return p, json.NewDecoder(resp.Body).Decode(&p)
}

func owners(base string) (page, error) {
	var p page
	request, err := http.NewRequest("GET", base+"/crm/v3/owners", nil)
	if err != nil {
		return p, err
	}
	q := request.URL.Query()
	q.Add("hapikey", hapikey)
	q.Add("limit", "1")
	request.URL.RawQuery = q.Encode()
	resp, err := http.DefaultClient.Do(request)
	if err != nil {
		return p, err
	}
	defer resp.Body.Close()
	if resp.StatusCode != 200 {
		return p, fmt.Errorf("status %d", resp.StatusCode)
	}
	return p, json.NewDecoder(resp.Body).Decode(&p)
}

func main() {
	base := "https://api.hubapi.com"
	if other := os.Getenv("HUBSPOT_BASE_URL"); other != "" {
		base = other
	}
	contacts, err := read(base)
	if err != nil {
		log.Fatal(err)
	}
	people, err := owners(base)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(len(contacts.Results), len(people.Results))
}
