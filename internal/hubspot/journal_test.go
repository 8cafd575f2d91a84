package hubspot

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/lockstep-sync/lockstep/internal/crm"
)

// scripted answers each path with the next of its answers, the last one again
// and again.
type scripted struct {
	t       *testing.T
	answers map[string][]string // "GET /path" -> "status body"
	asked   []string
}

func (s *scripted) RoundTrip(r *http.Request) (*http.Response, error) {
	key := r.Method + " " + r.URL.Path
	s.asked = append(s.asked, key)
	list := s.answers[key]
	if len(list) == 0 {
		s.t.Errorf("nobody expected %s", key)
		return nil, errors.New("unexpected")
	}
	if len(list) > 1 {
		s.answers[key] = list[1:]
	}
	status, body, _ := strings.Cut(list[0], " ")
	code := map[string]int{"200": 200, "204": 204, "404": 404, "401": 401, "503": 503, "409": 409, "201": 201}[status]
	if strings.HasPrefix(r.URL.Path, "/files/") != (r.Header.Get("Authorization") == "") {
		s.t.Errorf("%s: the token goes to the API and nowhere else", key)
	}
	return &http.Response{StatusCode: code, Header: http.Header{}, Body: io.NopCloser(strings.NewReader(body)), Request: r}, nil
}

func journalOf(t *testing.T, answers map[string][]string) (*Journal, *scripted) {
	t.Helper()
	s := &scripted{t: t, answers: answers}
	j, err := NewJournal(JournalConfig{HTTP: &http.Client{Transport: s}, Portal: "33",
		Token: func(context.Context) (string, error) { return "fake-app-token", nil }})
	if err != nil {
		t.Fatal(err)
	}
	return j, s
}

func TestTheJournalIsFollowedFromItsMark(t *testing.T) {
	const path = "GET /webhooks-journal/journal-local/2026-03"
	synctest.Test(t, func(t *testing.T) {
		j, _ := journalOf(t, map[string][]string{
			path + "/offset/o1/next": {`503 `, `200 {"url":"https://files.example/files/1","expiresAt":"2027-01-01T00:00:00Z","currentOffset":"o2"}`},
			path + "/offset/o2/next": {`204 `, `404 {"message":"expired"}`},
			path + "/latest":         {`200 {"url":"https://files.example/files/9","currentOffset":"o9"}`},
			path + "/offset/o9/next": {`204 `},
			"GET /files/1": {`200 {"offset":"o2","journalEvents":[
				{"type":"OBJECT","portalId":33,"action":"UPDATE","objectTypeId":"0-1","objectId":5},
				{"type":"OBJECT","portalId":34,"action":"UPDATE","objectTypeId":"0-1","objectId":6},
				{"type":"ASSOCIATION","portalId":33,"action":"ASSOCIATION_ADDED","fromObjectTypeId":"0-1","fromObjectId":7,"toObjectTypeId":"0-2","toObjectId":8}]}`},
		})
		ctx, stop := context.WithCancel(context.Background())
		defer stop()
		var hints []crm.Hint
		var marks []string
		err := j.Follow(ctx, "o1", func(h []crm.Hint, mark string) error {
			hints, marks = append(hints, h...), append(marks, mark)
			if len(marks) == 5 {
				stop()
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		want := []crm.Hint{
			{Side: crm.HubSpot, Object: "0-1", ID: "5", Why: "UPDATE"},
			{Side: crm.HubSpot, Object: "0-1", ID: "7", Why: "ASSOCIATION_ADDED"},
			{Side: crm.HubSpot, Object: "0-2", ID: "8", Why: "ASSOCIATION_ADDED"},
			{Side: crm.HubSpot, Why: "the journal no longer holds what came after o2"},
		}
		if diff := cmp.Diff(want, hints); diff != "" {
			t.Error(diff)
		}
		// Silence is told as well, so that the mark does not grow old.
		if diff := cmp.Diff([]string{"o2", "o2", "", "o9", "o9"}, marks); diff != "" {
			t.Error(diff)
		}
	})
}

func TestARefusedJournalEndsTheFollowing(t *testing.T) {
	j, _ := journalOf(t, map[string][]string{"GET /webhooks-journal/journal-local/2026-03/latest": {`401 {"message":"no"}`}})
	ctx, stop := context.WithTimeout(context.Background(), time.Minute)
	defer stop()
	if err := j.Follow(ctx, "", func([]crm.Hint, string) error { return nil }); err == nil {
		t.Error("a refusal was taken for silence")
	}
}

func TestTheFirstFileOfAnEmptyJournalIsNews(t *testing.T) {
	const path = "GET /webhooks-journal/journal-local/2026-03"
	synctest.Test(t, func(t *testing.T) {
		j, _ := journalOf(t, map[string][]string{
			path + "/latest":   {`204 `},
			path + "/earliest": {`204 `, `200 {"url":"https://files.example/files/1","currentOffset":"o1"}`},
			"GET /files/1":     {`200 {"offset":"o1","journalEvents":[{"type":"OBJECT","portalId":33,"action":"CREATE","objectTypeId":"0-2","objectId":5}]}`},
		})
		ctx, stop := context.WithCancel(context.Background())
		defer stop()
		var hints []crm.Hint
		if err := j.Follow(ctx, "", func(h []crm.Hint, mark string) error {
			if hints = append(hints, h...); mark == "o1" {
				stop()
			}
			return nil
		}); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff([]crm.Hint{{Side: crm.HubSpot, Object: "0-2", ID: "5", Why: "CREATE"}}, hints); diff != "" {
			t.Error(diff)
		}
	})
}

func TestOnlyMissingSubscriptionsAreMade(t *testing.T) {
	const path = "/webhooks-journal/subscriptions/2026-03"
	j, asked := journalOf(t, map[string][]string{
		"GET " + path: {`200 {"results":[
			{"id":1,"subscriptionType":"OBJECT","portalId":33,"objectTypeId":"0-1","actions":["CREATE","UPDATE","DELETE","MERGE","RESTORE"],"properties":["email","phone"]},
			{"id":2,"subscriptionType":"GDPR_PRIVACY_DELETION","portalId":33,"objectTypeId":"0-1","actions":["GDPR_DELETE"]},
			{"id":3,"subscriptionType":"OBJECT","portalId":34,"objectTypeId":"0-2","actions":["CREATE"]}]}`},
		"POST " + path: {`201 {"id":4}`, `409 {"message":"exists"}`},
	})
	err := j.Subscribe(context.Background(), []JournalObject{{TypeID: "0-1", Properties: []string{"email"}, Associated: []string{"0-2"}}, {TypeID: "0-2", Properties: []string{"name"}}})
	if err != nil {
		t.Fatal(err)
	}
	// The associations of contacts, and companies.
	if diff := cmp.Diff([]string{"GET " + path, "POST " + path, "POST " + path}, asked.asked); diff != "" {
		t.Error(diff)
	}
}
