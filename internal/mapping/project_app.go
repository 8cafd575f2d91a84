package mapping

import (
	"bytes"
	"encoding/json"
	"slices"
)

// PlatformVersion is the version of HubSpot's developer platform that the
// project files are written for.
// https://developers.hubspot.com/docs/developer-tooling/platform/versioning
const PlatformVersion = "2026.09"

type projectJSON struct {
	Name            string `json:"name"`
	SourceDir       string `json:"srcDir"`
	PlatformVersion string `json:"platformVersion"`
}

type appJSON struct {
	UID    string    `json:"uid"`
	Type   string    `json:"type"`
	Config appConfig `json:"config"`
}

type appConfig struct {
	Name         string        `json:"name"`
	Description  string        `json:"description"`
	Distribution string        `json:"distribution"`
	Auth         appAuth       `json:"auth"`
	Permitted    permittedURLs `json:"permittedUrls"`
}

type appAuth struct {
	Type           string   `json:"type"`
	RequiredScopes []string `json:"requiredScopes"`
	OptionalScopes []string `json:"optionalScopes"`
	Conditional    []string `json:"conditionallyRequiredScopes"`
}

type permittedURLs struct {
	Fetch  []string `json:"fetch"`
	Iframe []string `json:"iframe"`
	Img    []string `json:"img"`
}

// ProjectApp writes a HubSpot project with one private app with static auth
// that asks for the needed scopes and no others: file contents by path within
// the project. `hs project upload` takes it as it is.
// https://developers.hubspot.com/docs/apps/developer-platform/build-apps/app-configuration
func ProjectApp(name string, needs []Need) map[string][]byte {
	scopes := []string{}
	for _, n := range needs {
		if !slices.Contains(scopes, n.Name) {
			scopes = append(scopes, n.Name)
		}
	}
	slices.Sort(scopes)
	return map[string][]byte{
		"hsproject.json": indented(projectJSON{Name: name, SourceDir: "src", PlatformVersion: PlatformVersion}),
		"src/app/app-hsmeta.json": indented(appJSON{UID: "lockstep_app", Type: "app", Config: appConfig{
			Name: name, Description: "Keeps HubSpot and Salesforce in step, with no more scopes than the mapping needs.",
			Distribution: "private",
			Auth:         appAuth{Type: "static", RequiredScopes: scopes, OptionalScopes: []string{}, Conditional: []string{}},
			Permitted:    permittedURLs{Fetch: []string{"https://api.hubapi.com"}, Iframe: []string{}, Img: []string{}},
		}}),
	}
}

// indented writes v as JSON for people; v holds only texts and lists of them.
func indented(v any) []byte {
	var out bytes.Buffer
	encoder := json.NewEncoder(&out)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	if err := encoder.Encode(v); err != nil {
		panic(err)
	}
	return out.Bytes()
}
