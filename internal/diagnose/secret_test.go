package diagnose

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// planted are secrets of every shape; none of them works anywhere.
var planted = []string{
	"pat-na1-00000000-fake-4000-8000-planted00001",
	"pat-eu1-00000000-fake-4000-8000-planted00002",
	"00DplantedFAKE01!planted.session.FAKE.000000000000000000000000000000000000",
	"5Aep861plantedFAKErefresh000000000000000000000000",
	"na1-0000-0000aaaa-bbbb-cccc-dddd-eeeeffff0003",
	"00000000-dead-beef-0000-planted00004",
	"planted-fake-secret-00005",
	"C" + strings.Repeat("plantedFAKE", 7),
	"eyJhbGciOiJSUzI1NiJ9.plantedFAKE.signatureFAKE",
}

// carriers are all the places where people leave a secret.
var carriers = []string{
	"curl -H 'Authorization: Bearer %s' https://api.hubapi.com/crm/v3/objects/contacts\n{\"status\":\"error\",\"message\":\"bad %[1]s\",\"category\":\"INVALID_AUTHENTICATION\"}",
	"curl 'https://api.hubapi.com/crm/v3/owners?hapikey=%s&limit=1'\n401\n",
	"curl 'https://acme.my.salesforce.com/services/data/v68.0/limits?access_token=%s'\nHTTP/1.1 401 Unauthorized\n\n[{\"message\":\"x\",\"errorCode\":\"INVALID_SESSION_ID\"}]",
	"curl -H 'X-API-Key: %s' https://api.hubapi.com/crm/v3/owners\nHTTP/1.1 401 Unauthorized\n\n%[1]s",
	"curl -d 'grant_type=refresh_token&client_secret=%s&refresh_token=%[1]s' https://api.hubapi.com/oauth/v1/token\n{\"status\":\"BAD_CLIENT_SECRET\",\"message\":\"wrong %[1]s\"}",
	"GET /oauth/v1/access-tokens/%s HTTP/1.1\nHost: api.hubapi.com\n\nHTTP/1.1 404 Not Found\n\n{\"message\":\"no\",\"correlationId\":\"c\"}",
	"HTTP/1.1 418 Teapot\nSet-Cookie: sid=%s\n\n{\"access_token\":\"%[1]s\",\"refresh_token\":\"%[1]s\"}",
	"{\"error\":\"invalid_grant\",\"error_description\":\"client_secret=%s is wrong\"}",
	"Please help, Authorization: Bearer %s1 does not work",
	"{\"log\":{\"entries\":[{\"comment\":\"token=%s\",\"request\":{\"method\":\"GET\",\"url\":\"https://api.hubapi.com/x?token=%[1]s\",\"headers\":[{\"name\":\"Authorization\",\"value\":\"%[1]s\"}]},\"response\":{\"status\":401,\"headers\":[],\"content\":{\"text\":\"{\\\"message\\\":\\\"%[1]s\\\",\\\"category\\\":\\\"NEW\\\"}\"}}}]}}",
	"{\"run\":{\"executions\":[{\"item\":{\"name\":\"n\"},\"request\":{\"method\":\"GET\",\"url\":\"https://api.hubapi.com/x\",\"header\":[{\"key\":\"Authorization\",\"value\":\"Bearer %s\"}]},\"response\":{\"code\":500,\"body\":\"{\\\"message\\\":\\\"%[1]s\\\",\\\"correlationId\\\":\\\"%[1]s\\\"}\"}}]}}",
	"GET https://api.hubapi.com/crm/v3/owners 401 12 ms\nGET /crm/v3/owners HTTP/1.1\nAuthorization: Bearer Bearer %s\nHost: api.hubapi.com\n\nHTTP/1.1 401 Unauthorized\n\n{\"message\":\"%[1]s\",\"category\":\"INVALID_AUTHENTICATION\"}",
}

func TestNoSecretComesOut(t *testing.T) {
	for _, secret := range planted {
		for i, carrier := range carriers {
			exchanges, err := Read(fmt.Appendf(nil, carrier, secret))
			if err != nil {
				t.Fatal(err)
			}
			for _, e := range exchanges {
				d := Of(e)
				asJSON, err := json.Marshal(d)
				if err != nil {
					t.Fatal(err)
				}
				for _, out := range []string{d.String(), string(asJSON)} {
					if strings.Contains(out, secret) {
						t.Errorf("carrier %d lets %s out:\n%s", i, secret, out)
					}
				}
			}
		}
	}
}

// TestNoGoldenFileHoldsASecret looks into the goldens, too: what went in as a
// token is in none.
func TestNoGoldenFileHoldsASecret(t *testing.T) {
	files, err := filepath.Glob("testdata/*/*.golden")
	if err != nil || len(files) == 0 {
		t.Fatal(err)
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, form := range []string{"pat-na1-0", "pat-eu1-0", "00Dfake00000000A!", "fake-secret-", "fake-refresh", "fake-password", "5Aep8", "3MVG9", "fa4e"} {
			if strings.Contains(string(text), form) {
				t.Errorf("%s holds %s", file, form)
			}
		}
	}
}

// FuzzRead: whatever is pasted, reading it ends, and a token in it stays inside.
func FuzzRead(f *testing.F) {
	for _, carrier := range carriers {
		f.Add(fmt.Sprintf(carrier, planted[0]))
	}
	f.Add("curl -X\n'\\\nHTTP/1.1 200\n> GET x\n< HTTP/2 1\n")
	f.Fuzz(func(t *testing.T, text string) {
		exchanges, err := Read([]byte(text))
		if err != nil {
			return
		}
		for _, e := range exchanges {
			if d := Of(e); len(d.Findings) == 0 {
				t.Errorf("nothing is said of %q", text)
			}
		}
	})
}
