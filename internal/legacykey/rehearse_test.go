package legacykey

import (
	"context"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/lockstep-sync/lockstep/internal/fault"
)

// keyServer answers to the key and to the token; broken changes what the token
// gets.
func keyServer(t *testing.T, broken bool) *httptest.Server {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		byKey := r.URL.Query().Get("hapikey") == "fake-key" && r.Header.Get("Authorization") == ""
		byToken := r.Header.Get("Authorization") == "Bearer fake-token" && !r.URL.Query().Has("hapikey")
		w.Header().Set("Content-Type", "application/json")
		switch {
		case r.Method != http.MethodGet:
			t.Errorf("a %s was sent", r.Method)
		case !byKey && !byToken:
			w.WriteHeader(http.StatusUnauthorized)
			_, _ = w.Write([]byte(`{"status":"error"}`))
		case byToken && broken:
			_, _ = w.Write([]byte(`{"results":[{"id":"2","extra":true}]}`))
		default:
			_, _ = w.Write([]byte(`{"results":[{"id":"1","updatedAt":"` + r.Header.Get("Authorization") + `"}]}`))
		}
	}))
	t.Cleanup(server.Close)
	return server
}

func TestRehearse(t *testing.T) {
	t.Parallel()
	file := "testdata/corpus/postman.postman_collection.json"
	old, err := ReadRequests(file)
	if err != nil {
		t.Fatal(err)
	}
	after, _ := Rewrite(file, read(t, file))
	migrated := filepath.Join(t.TempDir(), "new.json")
	if err := os.WriteFile(migrated, after, 0o600); err != nil {
		t.Fatal(err)
	}
	fresh, err := ReadRequests(migrated)
	if err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		name, key string
		broken    bool
		same      bool
		says      string
	}{
		{"both forms give the same", "fake-key", false, true, ""},
		{"the new form gives other records", "fake-key", true, false, "answer.results[].extra is new\nthe ids differ: 1 before, 1 after"},
		{"the key is refused, as at HubSpot today", "dead", false, false, "status 401 became 200: the key is refused, the token is accepted, so there is nothing to compare with"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			server := keyServer(t, test.broken)
			results, err := Rehearse(context.Background(), Rehearsal{Old: old, New: fresh, BaseURL: server.URL, OldKey: test.key, Token: "fake-token"})
			if err != nil {
				t.Fatal(err)
			}
			if len(results) != 2 {
				t.Fatalf("%d results, want 2", len(results))
			}
			for _, r := range results {
				if r.Skipped != "" || r.Same != test.same {
					t.Errorf("%+v", r)
				}
				if diff := cmp.Diff(test.says, strings.Join(r.Differences, "\n")); diff != "" {
					t.Errorf("(-want +got):\n%s", diff)
				}
			}
		})
	}
}

func TestRehearseGoesNowhereElse(t *testing.T) {
	t.Parallel()
	for _, base := range []string{"http://api.hubapi.com", "ftp://127.0.0.1", "nothing", "https://ada:fake@api.hubapi.com"} {
		if _, err := Rehearse(context.Background(), Rehearsal{BaseURL: base}); fault.KindOf(err) != fault.Invalid {
			t.Errorf("%s: %v, want invalid", base, err)
		}
	}
	elsewhere := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { t.Error("a redirect was followed") }))
	defer elsewhere.Close()
	server := httptest.NewServer(http.RedirectHandler(elsewhere.URL, http.StatusFound))
	defer server.Close()
	requests := func(url string) []Request {
		return []Request{{Name: "a", Method: "GET", URL: url, Key: true, Bearer: true}, {Name: "b", Method: "POST", URL: url}}
	}
	// The host of the collection is of no interest, and its key is not sent.
	results, err := Rehearse(context.Background(), Rehearsal{
		Old: requests(elsewhere.URL + "/x?hapikey=planted"), New: requests(elsewhere.URL + "/x"), BaseURL: server.URL, OldKey: "fake-key", Token: "fake-token",
	})
	if err != nil || results[0].OldStatus != http.StatusFound || results[1].Skipped == "" {
		t.Errorf("%+v, %v", results, err)
	}
}

// TestRehearseAgainstASandboxThatTakesKeys: in 2022 both forms worked, and the
// migrated collection must give what the old one gives.
func TestRehearseAgainstASandboxThatTakesKeys(t *testing.T) {
	t.Parallel()
	const key = "00000000-fa4e-4000-8000-000000000031"
	box := startOld(t, key)
	for _, file := range []string{"testdata/corpus/postman.postman_collection.json", "testdata/corpus/bruno/contacts.bru"} {
		old, err := ReadRequests(file)
		if err != nil {
			t.Fatal(err)
		}
		after, _ := Rewrite(file, read(t, file))
		migrated := filepath.Join(t.TempDir(), filepath.Base(file))
		put(t, migrated, after)
		fresh, err := ReadRequests(migrated)
		if err != nil {
			t.Fatal(err)
		}
		results, err := Rehearse(context.Background(), Rehearsal{
			Old: old, New: fresh, BaseURL: box.HubSpotURL(), OldKey: key, Token: box.Credentials().HubSpot.PrivateApp,
		})
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range results {
			if !r.Same || r.NewStatus != http.StatusOK || r.Records == 0 {
				t.Errorf("%s: %+v", file, r)
			}
		}
	}
}
