package sandbox

import (
	"github.com/lockstep-sync/lockstep/sandbox/hubspot"
	"github.com/lockstep-sync/lockstep/sandbox/salesforce"
)

// Credentials are what the seed made for trying things out. They open nothing
// but this sandbox, and look like it.
type Credentials struct {
	HubSpot    HubSpotCredentials    `json:"hubspot"`
	Salesforce SalesforceCredentials `json:"salesforce"`
}

// HubSpotCredentials open the HubSpot account.
type HubSpotCredentials struct {
	PortalID int64 `json:"portalId"`
	// PrivateApp and ServiceKey are tokens with every scope that a sync wants.
	PrivateApp string `json:"privateApp"`
	ServiceKey string `json:"serviceKey"`
	// CompaniesOnly is a token with crm.objects.companies.read and nothing else:
	// reading contacts with it answers 403.
	CompaniesOnly string `json:"companiesOnly"`
	// OAuth is an app that can be installed in every account.
	OAuth HubSpotOAuthApp `json:"oauth"`
	// Second is the account beside the first; zero where there is none.
	Second HubSpotAccount `json:"second,omitzero"`
}

// HubSpotOAuthApp is a project app with OAuth.
type HubSpotOAuthApp struct {
	ClientID     string `json:"clientId"`
	ClientSecret string `json:"clientSecret"`
	RedirectURL  string `json:"redirectUrl"`
}

// HubSpotAccount is an account beside the first, with a token of a private app
// that has every scope that a sync wants.
type HubSpotAccount struct {
	PortalID   int64  `json:"portalId"`
	PrivateApp string `json:"privateApp"`
}

// SalesforceCredentials open the Salesforce org.
type SalesforceCredentials struct {
	// ClientID and ClientSecret are of an external client app for the client
	// credentials flow, which runs as the integration user.
	ClientID     string `json:"clientId"`
	ClientSecret string `json:"clientSecret"`
	// Username, Password and SecurityToken are the integration user's, for a login.
	Username      string `json:"username"`
	Password      string `json:"password"`
	SecurityToken string `json:"securityToken"`
}

// wideScopes is what an account's own integration usually gets.
func wideScopes() []string {
	var scopes []string
	for _, object := range []string{
		"contacts", "companies", "deals", "line_items", "products", "leads", "custom", "quotes", "orders", "carts", "invoices",
		"subscriptions", "goals", "users", "appointments", "courses", "listings", "services", "projects",
	} {
		scopes = append(scopes, "crm.objects."+object+".read", "crm.objects."+object+".write")
	}
	for _, object := range []string{"contacts", "companies", "deals", "custom", "quotes", "orders", "line_items"} {
		scopes = append(scopes, "crm.schemas."+object+".read", "crm.schemas."+object+".write")
	}
	return append(scopes, "oauth", "crm.objects.owners.read", "crm.lists.read", "crm.lists.write", "crm.import", "crm.export",
		"crm.pipelines.orders.read", "crm.pipelines.orders.write", "tickets", "e-commerce", "sales-email-read", "automation", "files", "settings.users.read")
}

// oauthAppFile is what a developer uploads: an app that asks for what a mapping
// needs. Its redirect URLs are Lockstep's own and that of HubSpot's quickstart.
const oauthAppFile = `{"uid": "lockstep_oauth", "type": "app", "config": {
  "name": "Lockstep OAuth", "description": "Keeps HubSpot and Salesforce in step", "distribution": "private",
  "auth": {"type": "oauth", "redirectUrls": ["http://localhost:17171/callback", "http://localhost:3000/oauth-callback"],
    "requiredScopes": ["oauth", "crm.objects.contacts.read"],
    "conditionallyRequiredScopes": ["crm.objects.contacts.write", "crm.objects.companies.read", "crm.objects.companies.write",
      "crm.objects.deals.read", "crm.objects.deals.write", "crm.objects.owners.read", "crm.objects.custom.read", "crm.objects.custom.write",
      "crm.objects.line_items.read", "crm.objects.line_items.write", "crm.objects.products.read", "crm.objects.products.write",
      "crm.schemas.contacts.read", "crm.schemas.contacts.write", "crm.schemas.companies.read", "crm.schemas.companies.write",
      "crm.schemas.deals.read", "crm.schemas.deals.write", "crm.schemas.custom.read", "tickets", "e-commerce", "sales-email-read"],
    "optionalScopes": ["crm.lists.read", "crm.objects.quotes.read"]}}}`

// issue makes the credentials of a new world.
func issue(h *hubspot.Server, sf *salesforce.Server) (Credentials, error) {
	c := Credentials{HubSpot: HubSpotCredentials{
		PortalID:      h.PortalID(),
		PrivateApp:    h.CreateToken(hubspot.TokenSpec{Kind: hubspot.PrivateApp, Name: "Salesforce sync", Scopes: wideScopes()}),
		ServiceKey:    h.CreateToken(hubspot.TokenSpec{Kind: hubspot.ServiceKey, Name: "Service key", Scopes: wideScopes()}),
		CompaniesOnly: h.CreateToken(hubspot.TokenSpec{Kind: hubspot.PrivateApp, Name: "Company reader", Scopes: []string{"crm.objects.companies.read"}}),
	}}
	for n, other := range h.Accounts()[1:] {
		token := other.CreateToken(hubspot.TokenSpec{Kind: hubspot.PrivateApp, Name: "Salesforce sync", Scopes: wideScopes()})
		if n == 0 {
			c.HubSpot.Second = HubSpotAccount{other.PortalID(), token}
		}
	}
	installable, err := h.UploadApp([]byte(oauthAppFile))
	if err != nil {
		return Credentials{}, &Error{What: "the HubSpot app could not be made", Cause: err}
	}
	c.HubSpot.OAuth = HubSpotOAuthApp{installable.ClientID, installable.ClientSecret, installable.RedirectURLs[0]}
	app, err := sf.CreateApp(salesforce.App{
		Name: "Lockstep", RunAs: salesforce.IntegrationUsername,
		Flows: []salesforce.Flow{salesforce.ClientCredentials, salesforce.RefreshToken, salesforce.Password},
	})
	if err != nil {
		return Credentials{}, &Error{What: "the Salesforce app could not be made", Cause: err}
	}
	c.Salesforce.ClientID, c.Salesforce.ClientSecret = app.ClientID, app.ClientSecret
	c.Salesforce.Username = salesforce.IntegrationUsername
	c.Salesforce.Password, c.Salesforce.SecurityToken = passwordOf(sf, salesforce.IntegrationUsername)
	return c, nil
}

// passwordOf finds a user's fake password and security token.
func passwordOf(sf *salesforce.Server, username string) (password, token string) {
	for _, u := range sf.Users() {
		if u.Username == username {
			return u.Password, u.SecurityToken
		}
	}
	return "", ""
}
