package sandbox

import (
	"net/http"
	"strconv"
	"strings"

	"github.com/lockstep-sync/lockstep/sandbox/hubspot"
)

// hubSpotChangeCalls are the calls that change records as somebody in particular,
// and those about what changes become visible where.
func (s *Sandbox) hubSpotChangeCalls() map[string]func(*http.Request) (any, error) {
	return map[string]func(*http.Request) (any, error){
		"GET /hubspot/archived/{type}":              s.archivedHubSpotRecords,
		"POST /hubspot/records/{type}/{id}/restore": s.restoreHubSpotRecord,
		"POST /hubspot/records/{type}/{id}/erase":   s.eraseHubSpotRecord,
		"POST /hubspot/merges":                      s.mergeHubSpotRecords,
		"POST /hubspot/search-losses":               s.loseHubSpotChange,
	}
}

// hand is who makes a change: the query's "as", or else a person.
func (s *Sandbox) hand(r *http.Request) (hubspot.Hand, error) {
	kind, id, _ := strings.Cut(r.URL.Query().Get("as"), ":")
	number, err := strconv.ParseInt(id, 10, 64)
	switch {
	case kind == "":
		return s.HubSpot().AsPerson(), nil
	case kind == "user" && err == nil:
		return s.HubSpot().AsUser(number), nil
	case kind == "app" && err == nil:
		return s.HubSpot().AsIntegration(number, s.appName(number)), nil
	case kind == strings.ToUpper(kind):
		return s.HubSpot().AsSource(kind, id), nil
	}
	return hubspot.Hand{}, bad("use as=user:123, as=app:4200011, or a source of the vendor's such as as=AUTOMATION_PLATFORM:1", "nobody can write as %q", r.URL.Query().Get("as"))
}

// appName is what history calls an app; "" for one that is not installed here.
func (s *Sandbox) appName(id int64) string {
	for _, a := range s.HubSpot().Apps() {
		if a.ID == id {
			return a.Name
		}
	}
	return ""
}

func (s *Sandbox) archivedHubSpotRecords(r *http.Request) (any, error) {
	object := r.PathValue("type")
	records := []hubSpotRecord{}
	for _, id := range s.HubSpot().Archived(object) {
		if properties, there := s.HubSpot().GetArchived(object, id); there {
			records = append(records, hubSpotRecord{ID: id, Properties: properties})
		}
	}
	return map[string]any{"records": records}, nil
}

func (s *Sandbox) restoreHubSpotRecord(r *http.Request) (any, error) {
	by, err := s.hand(r)
	if err == nil {
		err = by.Restore(r.PathValue("type"), r.PathValue("id"))
	}
	if err != nil {
		return nil, err
	}
	return s.showHubSpotRecord(r)
}

func (s *Sandbox) eraseHubSpotRecord(r *http.Request) (any, error) {
	by, err := s.hand(r)
	if err == nil {
		err = by.Erase(r.PathValue("type"), r.PathValue("id"))
	}
	return nil, err
}

// mergeHubSpotRecords makes one record of two and shows it.
func (s *Sandbox) mergeHubSpotRecords(r *http.Request) (any, error) {
	var body struct {
		Type    string `json:"type"`
		Primary string `json:"primaryId"`
		Other   string `json:"otherId"`
	}
	if err := readBody(r, &body); err != nil {
		return nil, err
	}
	by, err := s.hand(r)
	if err != nil {
		return nil, err
	}
	id, err := by.Merge(body.Type, body.Primary, body.Other)
	if err != nil {
		return nil, err
	}
	record, _, err := s.hubSpotRecord(body.Type, id)
	return record, err
}

func (s *Sandbox) loseHubSpotChange(r *http.Request) (any, error) {
	var body struct {
		Type string `json:"type"`
		ID   string `json:"id"`
	}
	if err := readBody(r, &body); err != nil {
		return nil, err
	}
	return nil, s.HubSpot().LoseNext(body.Type, body.ID)
}
