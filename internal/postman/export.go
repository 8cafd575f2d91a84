package postman

import (
	"fmt"
	"strings"

	"github.com/lockstep-sync/lockstep/internal/mapping"
)

// The variables of the environment.
const (
	HubSpotURL             = "hubspot_url"
	HubSpotToken           = "hubspot_token"
	SalesforceLoginURL     = "salesforce_login_url"
	SalesforceClientID     = "salesforce_client_id"
	SalesforceClientSecret = "salesforce_client_secret"
	SalesforceRefreshToken = "salesforce_refresh_token"
	SalesforceVersion      = "salesforce_version"
	AccessToken            = "access_token"
	InstanceURL            = "instance_url"
	Write                  = "write"
	Existing               = "existing"
)

// hubSpotVersion is the release that the addresses name: supported until about
// March 2028, when the v3 paths of older guides have been without support since
// September 2027.
// https://developers.hubspot.com/docs/developer-tooling/platform/versioning
const hubSpotVersion = "2026-09"

// Options say where the collection points. All have defaults; none is a secret.
type Options struct {
	// Name of the collection and its environment; "Lockstep: HubSpot to Salesforce".
	Name string
	// HubSpotURL is the API's address; https://api.hubapi.com.
	HubSpotURL string
	// SalesforceLoginURL is where tokens are asked for: your My Domain address.
	SalesforceLoginURL string
	// SalesforceClientID is the consumer key of the app, which is public.
	SalesforceClientID string
	// SalesforceVersion of the API ("68.0"); "" takes the newest of the org.
	SalesforceVersion string
}

func (o Options) withDefaults() Options {
	fill := func(field *string, value string) {
		if *field == "" {
			*field = value
		}
	}
	fill(&o.Name, "Lockstep: HubSpot to Salesforce")
	fill(&o.HubSpotURL, "https://api.hubapi.com")
	fill(&o.SalesforceLoginURL, "https://login.salesforce.com")
	o.HubSpotURL, o.SalesforceLoginURL = strings.TrimRight(o.HubSpotURL, "/"), strings.TrimRight(o.SalesforceLoginURL, "/")
	return o
}

// Export writes a mapping as a collection and its environment. The same mapping
// and options give the same bytes. Neither holds a secret.
func Export(bound *mapping.Bound, options Options) (*Collection, *Environment) {
	options = options.withDefaults()
	c := &Collection{Info: Info{Name: options.Name, Schema: Schema}}
	chain, leftOut := chainFolder(bound)
	c.Items = []*Item{tokenFolder(bound), readFolder(bound), troubleFolder(bound), salesforceFolder(), chain}
	c.LeftOut = leftOut
	c.Info.Description = introduction + leftOutText(leftOut)
	for _, name := range []string{"after", "page", "lookup", "work", "push", "claimed", "sums"} {
		c.Variable = append(c.Variable, Variable{Key: name, Description: "kept by the scripts of the chain between two requests"})
	}
	c.identify()
	return c, newEnvironment(options)
}

// EmptyEnvironment is the environment of Export, without its mapping.
func EmptyEnvironment(options Options) *Environment { return newEnvironment(options.withDefaults()) }

const introduction = `From a HubSpot token to contacts in Salesforce, one request after the other. Made by lockstep postman export out of lockstep.yaml; make it anew when that changes.

1. Choose the environment of the same name and fill in its secret variables: hubspot_token, and for Salesforce either salesforce_client_id with salesforce_client_secret, or access_token with instance_url. They are of type secret and stay on this machine as long as you keep them out of "Initial value".
2. Send the requests of folders 1 to 4 one by one, or run a whole folder. Each has tests that say what its answer means.
3. Run folder 5 as a whole. It writes nothing as long as the variable write is not yes; its tests say what it would write.`

func leftOutText(leftOut []LeftOut) string {
	if len(leftOut) == 0 {
		return ""
	}
	var b strings.Builder
	b.WriteString("\n\nWhat lockstep.yaml says and this collection cannot:\n")
	for _, l := range leftOut {
		fmt.Fprintf(&b, "\n- %s", l)
	}
	return b.String()
}

func newEnvironment(o Options) *Environment {
	e := &Environment{ID: hashID("environment", o.Name), Name: o.Name, Scope: "environment"}
	add := func(key, value, kind, description string) {
		e.Values = append(e.Values, Value{Key: key, Value: value, Type: kind, Enabled: true, Description: description})
	}
	add(HubSpotURL, o.HubSpotURL, "default", "where HubSpot's API is")
	add("hubspot_version", hubSpotVersion, "default", "release of HubSpot's API")
	add(HubSpotToken, "", secretType, "token of a private app, service key or static-auth app, or an OAuth access token")
	add(SalesforceLoginURL, o.SalesforceLoginURL, "default", "your My Domain address: https://acme.my.salesforce.com")
	add(SalesforceClientID, o.SalesforceClientID, "default", "the Consumer Key of the External Client App")
	add(SalesforceClientSecret, "", secretType, "its Consumer Secret")
	add(SalesforceRefreshToken, "", secretType, "only to try the refresh request")
	add(AccessToken, "", secretType, "filled by folder 4")
	add(InstanceURL, "", "default", "filled by folder 4")
	add(SalesforceVersion, o.SalesforceVersion, "default", "version of the Salesforce API; empty: the newest that the org offers")
	add(Write, "no", "default", "yes: folder 5 writes to Salesforce")
	add(Existing, "fill", "default", "records that Salesforce has already: fill their blanks, overwrite them, or leave them")
	add("create_without_external_id", "no", "default", "yes: create records of objects that have no external id, although a repeat could create them twice")
	add("page_size", "100", "default", "HubSpot records in one page, at most 100")
	add("hubspot_account", "", "default", "filled by folder 1")
	add("hubspot_scopes", "", "default", "filled by folder 1")
	add("closed_object", "", "default", "filled by folder 3")
	return e
}
