// Package credential keeps the credentials of accounts and says what is wrong
// with them: which kind of text somebody pasted, why a vendor refused it, and
// what to do next.
//
// The one idea: a credential is split in two. Account holds what may be shown
// (name, side, addresses, whose account it is), Material holds Secrets, which
// print as "[redacted]" everywhere. Both lie sealed in one file,
// .lockstep/accounts.json; in the clear are only name, side and kind:
//
//	{"format":1,"vault":"5f2c…",
//	 "keys":[{"kek":"9a41…","from":"key file","keyset":"…"}],
//	 "accounts":[{"name":"acme","side":"hubspot","kind":"hubspot-token","revision":3,
//	              "sealed":"…","token":"…"}]}
//
// Each row is sealed by authenticated encryption with a versioned data key and
// bound to name, side, kind and revision, so a row copied over another opens
// nothing. The data keys are sealed by a key-encryption key that is never in
// the file: it comes from LOCKSTEP_KEY or LOCKSTEP_KEY_FILE, from the system's
// keychain, or from .lockstep/key.
package credential

import (
	"fmt"
	"strings"
	"time"

	"github.com/lockstep-sync/lockstep/internal/crm"
	"github.com/lockstep-sync/lockstep/internal/fault"
)

// Kind is a form of credential.
type Kind string

// The kinds.
const (
	// HubSpotToken is the token of a private app, a service key or a static-auth
	// project app. All three look alike (pat-<region>-<uuid>) and are used alike.
	HubSpotToken Kind = "hubspot-token"
	// SalesforceClientCredentials is consumer key and secret of an External
	// Client App with a "Run As" user.
	SalesforceClientCredentials Kind = "salesforce-client-credentials"
	// SalesforceJWT is a consumer key with the private key of its certificate.
	SalesforceJWT Kind = "salesforce-jwt"
	// HubSpotOAuth is an app's client id and secret with the refresh token of one
	// installation. Access tokens live 30 minutes.
	HubSpotOAuth Kind = "hubspot-oauth"
	// SalesforceOAuth is a consumer key with the refresh token that a person's
	// login in the browser gave; the secret is there only if the app asks for it.
	SalesforceOAuth Kind = "salesforce-oauth"
	// SalesforceCLI is a login that the Salesforce CLI keeps: Lockstep asks `sf`
	// for access tokens and keeps no lasting secret of it.
	SalesforceCLI Kind = "salesforce-cli"
)

// Side tells which side a credential of this kind opens; "" when unknown.
func (k Kind) Side() crm.Side {
	switch k {
	case HubSpotToken, HubSpotOAuth:
		return crm.HubSpot
	case SalesforceClientCredentials, SalesforceJWT, SalesforceOAuth, SalesforceCLI:
		return crm.Salesforce
	}
	return ""
}

// Title returns the kind as people say it.
func (k Kind) Title() string {
	switch k {
	case HubSpotToken:
		return "HubSpot token"
	case SalesforceClientCredentials:
		return "Salesforce client credentials"
	case SalesforceJWT:
		return "Salesforce JWT bearer"
	case HubSpotOAuth:
		return "HubSpot OAuth"
	case SalesforceOAuth:
		return "Salesforce web login"
	case SalesforceCLI:
		return "Salesforce CLI login"
	}
	return string(k)
}

// Renews tells whether access tokens of this kind end by themselves and are
// asked for anew; the other kind is the token itself.
func (k Kind) Renews() bool { return k != HubSpotToken }

// refreshes tells whether a refresh token stands behind the access tokens.
func (k Kind) refreshes() bool { return k == HubSpotOAuth || k == SalesforceOAuth }

// The addresses used when nothing else is said.
const (
	DefaultHubSpotBaseURL     = "https://api.hubapi.com"
	DefaultSalesforceLoginURL = "https://login.salesforce.com"
)

// Account is what may be shown of a credential. It holds no secret.
type Account struct {
	// Name is ours: "acme". Unique per side. Letters, digits, "-", "_" and ".".
	Name string   `json:"name"`
	Side crm.Side `json:"side"`
	Kind Kind     `json:"kind"`
	// BaseURL is where API calls go. HubSpot: DefaultHubSpotBaseURL when empty.
	// Salesforce: the instance that the token answer names when empty.
	BaseURL string `json:"baseURL,omitempty"`
	// LoginURL is where Salesforce tokens are asked for; client credentials need
	// the My Domain address (https://acme.my.salesforce.com).
	LoginURL string `json:"loginURL,omitempty"`
	// AuthorizeURL is the page on which a person allowed it, for the OAuth kinds;
	// empty when it is the vendor's own.
	AuthorizeURL string `json:"authorizeURL,omitempty"`
	// TokenPath is where HubSpot's OAuth tokens are asked for, below BaseURL;
	// empty: HubSpotTokenPath.
	TokenPath string `json:"tokenPath,omitempty"`
	// ClientID is the consumer key of the Salesforce app, or the client id of the
	// HubSpot app.
	ClientID string `json:"clientID,omitempty"`
	// Username is the Salesforce user that a JWT stands for, or the alias or
	// username under which the Salesforce CLI knows the login.
	Username string `json:"username,omitempty"`
	// ID and Title are the portal or organization id and its name, as the vendor
	// told when the account was connected.
	ID    string `json:"id,omitempty"`
	Title string `json:"title,omitempty"`
	// User is who the credential acts as, Web the address people open.
	User string `json:"user,omitempty"`
	Web  string `json:"web,omitempty"`
	// Scopes that were granted when it was connected; nil when not told.
	Scopes    []string  `json:"scopes,omitempty"`
	Connected time.Time `json:"connected,omitzero"`
}

// Material is the secret part of a credential; which fields are set depends on
// the kind.
type Material struct {
	// Token of a HubSpotToken.
	Token Secret
	// ClientSecret of SalesforceClientCredentials and HubSpotOAuth; of
	// SalesforceOAuth where the app asks for one.
	ClientSecret Secret
	// PrivateKey of SalesforceJWT, PEM (PKCS #1 or #8).
	PrivateKey Secret
	// RefreshToken of the OAuth kinds.
	RefreshToken Secret
	// Access is the access token that came together with RefreshToken. Put keeps
	// it, so that the first call after a login spends no refresh.
	Access Access
}

// Access is an access token that is in use.
type Access struct {
	Token Secret
	// InstanceURL is where the org's API is (Salesforce).
	InstanceURL string
	// Obtained is when it was given, Expires when it ends; zero when not told.
	Obtained, Expires time.Time
}

const maxNameLength = 64

// Validate checks that account and material belong together and are complete.
// It asks nobody; the vendor is asked by the client's Account call.
func Validate(account Account, material Material) error {
	if err := validateName(account.Name); err != nil {
		return err
	}
	if account.Kind.Side() == "" {
		return fault.New(fault.Invalid, "%q is no kind of credential", account.Kind)
	}
	if account.Kind.Side() != account.Side {
		return fault.New(fault.Invalid, "a %s cannot open a %s account", account.Kind.Title(), account.Side.Title())
	}
	if account.BaseURL != "" {
		if _, err := ValidateBaseURL(account.BaseURL); err != nil {
			return err
		}
	}
	switch account.Kind {
	case HubSpotToken:
		return validateHubSpot(account, material)
	case HubSpotOAuth:
		return validateHubSpotOAuth(account, material)
	case SalesforceCLI:
		if account.Username == "" {
			return fault.New(fault.Invalid, "there is no name of a Salesforce CLI login").
				WithMend("sf org list shows the logins that there are; then: lockstep connect salesforce --from-sf ALIAS")
		}
		return nil
	default:
		return validateSalesforce(account, material)
	}
}

func validateHubSpotOAuth(account Account, material Material) error {
	switch {
	case account.ClientID == "":
		return fault.New(fault.Invalid, "there is no client id of a HubSpot app").WithMend("%s", mendHubSpotApp)
	case material.ClientSecret.IsZero():
		return fault.New(fault.Invalid, "there is no client secret of the HubSpot app").WithMend("%s", mendHubSpotApp)
	case material.RefreshToken.IsZero():
		return fault.New(fault.Invalid, "there is no refresh token").WithMend("%s", reconnectCommand(account))
	}
	return nil
}

func validateHubSpot(account Account, material Material) error {
	if material.Token.IsZero() {
		return fault.New(fault.Invalid, "there is no HubSpot token").WithMend("%s", mendHubSpotToken)
	}
	return nil
}

func validateSalesforce(account Account, material Material) error {
	if account.LoginURL == "" {
		return fault.New(fault.Invalid, "there is no Salesforce login URL").
			WithMend("give your My Domain address, which Setup > My Domain shows: https://acme.my.salesforce.com")
	}
	if _, err := ValidateBaseURL(account.LoginURL); err != nil {
		return err
	}
	if account.ClientID == "" {
		return fault.New(fault.Invalid, "there is no Salesforce client id").
			WithMend("it is the Consumer Key: Setup > External Client App Manager > your app > Settings > OAuth Settings")
	}
	if account.Kind == SalesforceClientCredentials {
		if isSharedLoginHost(account.LoginURL) {
			return fault.New(fault.Invalid, "Salesforce answers client credentials only at your My Domain address, not at %s", account.LoginURL).
				WithMend("use the address that Setup > My Domain shows, such as https://acme.my.salesforce.com")
		}
		if material.ClientSecret.IsZero() {
			return fault.New(fault.Invalid, "there is no Salesforce client secret").
				WithMend("it is the Consumer Secret: Setup > External Client App Manager > your app > Settings > OAuth Settings")
		}
		return nil
	}
	if account.Kind == SalesforceOAuth {
		if material.RefreshToken.IsZero() {
			return fault.New(fault.Invalid, "Salesforce gave no refresh token").
				WithMend("add the scope \"Perform requests at any time (refresh_token, offline_access)\" to the app: %s > Settings > OAuth Settings; then: %s", mendApp, reconnectCommand(account))
		}
		return nil
	}
	if account.Username == "" {
		return fault.New(fault.Invalid, "there is no Salesforce username for the JWT to stand for").
			WithMend("give the username (it looks like an e-mail) of the user that Lockstep acts as")
	}
	if material.PrivateKey.IsZero() {
		return fault.New(fault.Invalid, "there is no private key for the JWT").
			WithMend("give the PEM file whose certificate was uploaded to the app")
	}
	_, err := parsePrivateKey(material.PrivateKey)
	return err
}

func validateName(name string) error {
	bad := name == "" || len(name) > maxNameLength || strings.HasPrefix(name, "-") || strings.HasPrefix(name, ".")
	for _, r := range name {
		if !(r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || r == '-' || r == '_' || r == '.') {
			bad = true
		}
	}
	if bad {
		return fault.New(fault.Invalid, "%q cannot be the name of an account", name).
			WithMend("use up to %d letters, digits, - or _, such as acme-production", maxNameLength)
	}
	return nil
}

func notConnected(name string, side crm.Side) *fault.Error {
	return fault.New(fault.NotFound, "no %s account is connected under the name %q", side.Title(), name).
		WithMend("%s", connectCommand(name, side))
}

func connectCommand(name string, side crm.Side) string {
	command := "lockstep connect " + string(side)
	if name != "" && name != string(side) {
		command += fmt.Sprintf(" --name %s", name)
	}
	if side == crm.HubSpot {
		command += " --token -"
	}
	return command
}

// reconnectCommand is the command that connects an account again, with what is
// known of it and without its secret.
func reconnectCommand(account Account) string {
	command := connectCommand(account.Name, account.Side)
	switch account.Kind {
	case HubSpotOAuth, SalesforceOAuth, SalesforceCLI:
		// connect takes the rest from the account that it finds under the name.
		return "lockstep connect " + string(account.Side) + " --name " + account.Name
	}
	if account.Side == crm.HubSpot {
		return command
	}
	if account.LoginURL != "" {
		command += " --login-url " + account.LoginURL
	}
	if account.ClientID != "" {
		command += " --client-id " + account.ClientID
	}
	if account.Kind == SalesforceJWT {
		return command + " --username " + account.Username + " --jwt-key FILE"
	}
	return command
}
