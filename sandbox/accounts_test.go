package sandbox_test

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/lockstep-sync/lockstep/sandbox"
)

func TestTwoHubSpotAccountsBehindOneAddress(t *testing.T) {
	file := filepath.Join(t.TempDir(), "sandbox.zip")
	box := open(t, sandbox.Config{DataFile: file})
	c := box.Credentials().HubSpot
	contacts := func(box *sandbox.Sandbox, token string) int {
		status, body := ask(t, box.Client(), "GET", hubSpot+"/crm/v3/objects/contacts?limit=100", token, "")
		if status != 200 {
			t.Fatal(status, body)
		}
		return strings.Count(body, `"hs_object_id"`)
	}
	if first, second := contacts(box, c.PrivateApp), contacts(box, c.Second.PrivateApp); first != 60 || second == 0 || second == first {
		t.Errorf("%d and %d contacts", first, second)
	}
	if diff := cmp.Diff(2, len(box.HubSpot().Accounts())); diff != "" {
		t.Error(diff)
	}
	want := contacts(box, c.Second.PrivateApp)
	if err := box.Close(); err != nil {
		t.Fatal(err)
	}
	again := open(t, sandbox.Config{DataFile: file})
	if got := contacts(again, c.Second.PrivateApp); got != want {
		t.Errorf("the data file kept %d contacts of the second account, want %d", got, want)
	}
}

func TestAnAPIKeyInTheYearThatHadThem(t *testing.T) {
	box := open(t, sandbox.Config{Year: 2022})
	status, body := ask(t, box.Client(), "POST", manage+"/hubspot/tokens", "", `{"kind":"api-key","token":"00000000-fa4e-4000-8000-000000000001"}`)
	if status != 200 {
		t.Fatal(status, body)
	}
	if status, body := ask(t, box.Client(), "GET", hubSpot+"/crm/v3/objects/contacts?hapikey=00000000-fa4e-4000-8000-000000000001", "", ""); status != 200 {
		t.Error(status, body)
	}
}
