package hubspot_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/lockstep-sync/lockstep/sandbox/hubspot"
)

func TestAppFiles(t *testing.T) {
	d := develop(t, hubspot.Config{})
	replace := func(old, new string) string { return strings.Replace(appFile, old, new, 1) }
	tests := []struct{ name, file, want string }{
		{"not JSON", "uid: sync", "it is not the JSON of an app"},
		{"no uid", replace(`"uid": "sync"`, `"uid": ""`), "uid is missing"},
		{"a long uid", replace(`"sync"`, `"`+strings.Repeat("x", 65)+`"`), "uid has 65 characters"},
		{"another component", replace(`"type": "app"`, `"type": "webhooks"`), `type is "webhooks"`},
		{"no name", replace(`"name": "Sync"`, `"name": " "`), "config.name is missing"},
		{"an unknown distribution", replace(`"private"`, `"public"`), `config.distribution is "public"`},
		{"an unknown auth", replace(`"oauth"`, `"basic"`), `config.auth.type is "basic"`},
		{"static auth for the marketplace", strings.Replace(replace(`"private"`, `"marketplace"`), `"oauth"`, `"static"`, 1), `must have config.auth.type "oauth"`},
		{"plain http", replace(redirect, "http://sync.example/"), "must be https, or http://localhost"},
		{"a bare address", replace(redirect, "http://127.0.0.1:3000/"), "bare IP address"},
		{"a fragment", replace(redirect, "https://sync.example/#x"), "has a fragment"},
		{"no redirect", replace(`["`+redirect+`", "https://sync.example/back?from=hubspot"]`, "[]"), "redirectUrls is empty"},
		{"no scope", replace(`["crm.objects.contacts.read"]`, "[]"), "requiredScopes is empty"},
		{"a scope that does not exist", replace(`"tickets"`, `"tickets.read"`), `there is no scope "tickets.read"`},
		{"a scope twice", replace(`"tickets"`, `"crm.objects.contacts.read"`), `"crm.objects.contacts.read" is there twice`},
	}
	for _, test := range tests {
		t.Run(test.name+" is refused", func(t *testing.T) {
			before := len(d.s.ProjectApps())
			_, err := d.s.UploadApp([]byte(test.file))
			var refused *hubspot.AppFileError
			if !errors.As(err, &refused) || !strings.Contains(err.Error(), test.want) || len(d.s.ProjectApps()) != before {
				t.Errorf("got %v, want %q", err, test.want)
			}
		})
	}
	t.Run("the page tells all that is wrong at once", func(t *testing.T) {
		b := d.surf(admin).visit(d.path("developer-projects")).press("Upload and deploy", `file={"type":"app"}`)
		b.want(200, "The file was refused:", "uid is missing", "config.name is missing", "requiredScopes is empty")
	})
	t.Run("the same uid again changes the app and keeps its secret", func(t *testing.T) {
		b := d.surf(admin).visit(d.path("developer-projects")).press("Upload and deploy", "file="+replace(`"Sync"`, `"Sync 2"`))
		b.want(200, "Sync 2", "The app is uploaded and deployed.", d.app.ClientID, redirect, "Read contacts", "/oauth/authorize?client_id=")
		if strings.Contains(b.text(), d.app.ClientSecret) {
			t.Error("the secret is shown unasked")
		}
		b.follow("Show client secret").want(200, d.app.ClientSecret)
	})
}

func TestAppWithStaticAuth(t *testing.T) {
	d := develop(t, hubspot.Config{})
	file := `{"uid":"own","type":"app","config":{"name":"Own","distribution":"private","auth":{"type":"static","requiredScopes":["crm.objects.contacts.read"]}}}`
	b := d.surf(admin).visit(d.path("developer-projects")).press("Upload and deploy", "file="+file)
	b.want(200, "The app is not installed in this account.").press("Install in account " + portalText(d.s))
	token := b.secret()
	if a := d.callWith(token, "GET", "/crm/v3/objects/contacts", ""); a.status != 200 || !strings.HasPrefix(token, "pat-na1-") {
		t.Error(a.text)
	}
	b.visit(d.path("connected-apps")).want(200, "Own", "static auth")
	b.visit(d.path("developer-projects")).press("Upload and deploy", "file="+strings.Replace(file, "contacts", "deals", 1))
	b.want(200, "The file's scopes have changed since the app was installed.")
	if d.callWith(token, "GET", "/crm/v3/objects/deals", "").status != 403 {
		t.Error("an upload alone widens a token")
	}
	fresh := b.press("Install again").secret()
	if fresh == token || d.callWith(token, "GET", "/crm/v3/objects/contacts", "").status != 401 || d.callWith(fresh, "GET", "/crm/v3/objects/deals", "").status != 200 {
		t.Error("installing again gives a fresh token with the new scopes")
	}
}
