package credential

import (
	"fmt"
	"strings"
	"time"
)

// Advice says which kind of credential fits, why, and where it is made.
type Advice struct {
	Kind Kind
	// Title names it as the vendor does.
	Title string
	// Why lists the reasons, each one sentence that follows from an answer.
	Why []string
	// Clicks are the ways there: today's pages, and those of guides from 2025.
	Clicks []Clicks
}

// Clicks is one way through a vendor's pages.
type Clicks struct {
	Title string
	Steps []string
}

// HubSpotAnswers are what decides between HubSpot's kinds.
type HubSpotAnswers struct {
	// PrivateApp: one made for this exists already.
	PrivateApp bool
	// SeveralAccounts: more than one HubSpot account by the same app.
	SeveralAccounts bool
	// Webhooks: changes shall be pushed, not only polled.
	Webhooks bool
	// Writes: records in HubSpot are to be changed, too.
	Writes bool
}

// AdviseHubSpot chooses, for the day now. scopes is the list to tick,
// redirectURI the callback of an OAuth app.
// https://developers.hubspot.com/docs/apps/developer-platform/build-apps/authentication/overview
func AdviseHubSpot(answers HubSpotAnswers, scopes []string, redirectURI string, now time.Time) Advice {
	advice := Advice{Kind: HubSpotToken}
	switch {
	case answers.SeveralAccounts:
		advice.Kind, advice.Title = HubSpotOAuth, "a project app with OAuth"
		advice.Why = append(advice.Why, "several accounts: each one's super admin installs the same app in the browser, and no token is passed from hand to hand")
		advice.Clicks = []Clicks{hubSpotOAuthClicks(scopes, redirectURI)}
	case answers.PrivateApp:
		advice.Title = "the private app that you have"
		advice.Why = append(advice.Why, "it works as it is: existing private apps are supported until September 2027, and its scopes can be changed without a new token")
		if answers.Webhooks {
			advice.Why = append(advice.Why, "webhooks: they are set on the app's Webhooks tab")
		}
		advice.Clicks = existingPrivateAppClicks(scopes)
	case answers.Webhooks:
		advice.Title = "a project app with static auth"
		advice.Why = append(advice.Why, "webhooks: service keys cannot have any, and a project app can")
		advice.Clicks = []Clicks{staticAuthClicks(scopes)}
	default:
		advice.Title = "a service key"
		advice.Why = append(advice.Why,
			"one account, no webhooks: a service key is the least to look after, and the successor of private apps and API keys",
			"without webhooks Lockstep asks HubSpot for changes every minute, which costs two calls or less when nothing changed")
		advice.Clicks = append([]Clicks{serviceKeyClicks(scopes)}, guideOf2025(scopes, now))
	}
	if answers.Writes {
		advice.Why = append(advice.Why, "writes: the list of scopes holds the .write ones; nothing is written before you have seen a plan")
	} else {
		advice.Why = append(advice.Why, "no writes: the list of scopes holds .read ones only, so that HubSpot itself refuses any change")
	}
	return advice
}

func serviceKeyClicks(scopes []string) Clicks {
	return Clicks{"In HubSpot today, as a super admin or with Developer tools access", []string{
		"Development (left) > Keys > Service keys > Create service key",
		"Name it Lockstep",
		"Add new scope, and tick each of: " + strings.Join(scopes, " "),
		"Create, then Show, then Copy: the token starts with pat-",
	}}
}

func existingPrivateAppClicks(scopes []string) []Clicks {
	list := strings.Join(scopes, " ")
	return []Clicks{
		{"In HubSpot today, as a super admin", []string{
			"Development (left) > Legacy apps > your app",
			"Edit app > Scopes: tick what is missing of: " + list + ", then Commit changes; the token stays the same",
			"Auth > Show token > Copy: the token starts with pat-",
		}},
		{"In a guide from 2025 the same page stands under", []string{
			"Settings (gear) > Integrations > Private Apps > your app > Auth",
		}},
	}
}

func staticAuthClicks(scopes []string) Clicks {
	return Clicks{"In HubSpot today, as a super admin, with HubSpot's own CLI (npm install -g @hubspot/cli)", []string{
		"hs account auth",
		"hs project create --distribution private --auth static",
		"Write these into requiredScopes of src/app/app-hsmeta.json: " + strings.Join(scopes, " ") + " (once there is a lockstep.yaml, lockstep check --project-app writes the file)",
		"hs project upload, then hs project deploy",
		"Development > Projects > your project > your app > Distribution > Install now",
		"Auth tab > Show token > Copy: the token starts with pat-; after a change of scopes deploy and install again, which gives a new token",
	}}
}

func hubSpotOAuthClicks(scopes []string, redirectURI string) Clicks {
	return Clicks{"In HubSpot today, with HubSpot's own CLI (npm install -g @hubspot/cli)", []string{
		"hs account auth",
		"hs project create --distribution private --auth oauth",
		"In src/app/app-hsmeta.json write this into redirectUrls, to the letter: " + redirectURI,
		"and make requiredScopes exactly: " + strings.Join(scopes, " "),
		"hs project upload, then hs project deploy",
		"Development > Projects > your project > your app > Auth: copy the Client ID, and the Client secret",
		"lockstep connect hubspot --oauth --client-id ID, once for each account, with a --name for each",
	}}
}

// guideOf2025 meets a person who brings a guide of that year.
func guideOf2025(scopes []string, now time.Time) Clicks {
	c := Clicks{Title: "A guide from 2025 says Settings (gear) > Integrations > Private Apps > Create a private app"}
	switch {
	case now.Before(PrivateAppsClosedNew):
		c.Steps = []string{fmt.Sprintf("that still works, until %s; a service key spares you the move", longDay(PrivateAppsClosed))}
	case now.Before(PrivateAppsClosed):
		c.Steps = []string{fmt.Sprintf("that still works in accounts made before %s, until %s; a service key spares you the move", longDay(PrivateAppsClosedNew), longDay(PrivateAppsClosed))}
	default:
		c.Steps = []string{fmt.Sprintf("no account has been able to create one since %s: make the service key instead, the token is used in the same way", longDay(PrivateAppsClosed))}
	}
	if now.Before(PrivateAppsClosed) {
		c.Steps = append(c.Steps,
			"Basic info: name it Lockstep",
			"Scopes > Add new scope, and tick each of: "+strings.Join(scopes, " "),
			"Create app > Continue creating, then Show token > Copy: the token starts with pat-")
	}
	c.Steps = append(c.Steps, fmt.Sprintf("a guide that says API key (hapikey) is older still: those ended on %s", longDay(apiKeysEnded)))
	return c
}

// SalesforceAnswers are what decides between Salesforce's kinds.
type SalesforceAnswers struct {
	// Unattended: the sync shall run without anybody logged in.
	Unattended bool
	// NoSecret: several orgs by one app, or no client secret may be kept.
	NoSecret bool
	// CLI: the Salesforce CLI is logged in to the org on this machine.
	CLI bool
}

// AdviseSalesforce chooses. callback is the callback URL of a web login.
func AdviseSalesforce(answers SalesforceAnswers, callback string) Advice {
	app := []string{
		"Setup (gear) > search External Client App Manager > New External Client App",
		"Name it Lockstep, give an e-mail, Distribution State: Local; under API (Enable OAuth Settings) tick Enable OAuth",
	}
	user := "Give that user only what the mapping needs: lockstep check --permission-set writes a permission set"
	old := Clicks{"A guide from 2025 says Setup > App Manager > New Connected App", []string{
		"connected apps cannot be created any more since Spring '26; one that exists works on: use its Consumer Key and Secret",
	}}
	switch {
	case answers.Unattended && answers.NoSecret:
		return Advice{SalesforceJWT, "an External Client App with JWT bearer", []string{
			"unattended: it acts as a user of its own, and nobody has to log in",
			"no secret: Lockstep signs with a private key, Salesforce holds the certificate only; one key serves any number of orgs",
		}, []Clicks{{"In Salesforce today, as an administrator", append(app,
			"Callback URL: "+callback+"; OAuth Scopes: Manage user data via APIs (api), Access the identity URL service (id), Perform requests at any time (refresh_token)",
			"openssl req -x509 -newkey rsa:2048 -nodes -days 730 -subj /CN=lockstep -keyout lockstep.key -out lockstep.crt",
			"Flow Enablement: tick Enable JWT Bearer Flow and upload lockstep.crt; Create",
			"Policies > Edit > OAuth Policies > Permitted Users: Admin approved users are pre-authorized; add the integration user's profile or permission set",
			user,
			"Settings > OAuth Settings > Consumer Key and Secret: copy the Consumer Key",
		)}, old}}
	case answers.Unattended:
		return Advice{SalesforceClientCredentials, "an External Client App with client credentials", []string{
			"unattended: it acts as the app's Run As user, and nobody has to log in",
			"one org and a secret may be kept: this has the fewest steps; Lockstep keeps the secret encrypted",
		}, []Clicks{{"In Salesforce today, as an administrator", append(app,
			"Callback URL: "+callback+"; OAuth Scopes: Manage user data via APIs (api), Access the identity URL service (id)",
			"Flow Enablement: tick Enable Client Credentials Flow; Create",
			"Policies > Edit > OAuth Flows and External Client App Enhancements: Enable Client Credentials Flow, Run As: your integration user",
			user,
			"Settings > OAuth Settings > Consumer Key and Secret: copy both; a new app takes up to ten minutes to become known",
			"Setup > My Domain shows the address to give: https://….my.salesforce.com",
		)}, old}}
	case answers.CLI:
		return Advice{SalesforceCLI, "the login of the Salesforce CLI", []string{
			"no app to make: the CLI's own login serves, Lockstep asks it for access tokens and keeps no lasting secret",
			"it acts as you, with all that you may do, and ends when you log the CLI out: good for trying, not for a server",
		}, []Clicks{{"On this machine", []string{"sf org list shows the alias of the login"}}}}
	}
	return Advice{SalesforceOAuth, "a login in the browser", []string{
		"a person stands behind it: it acts as you, until you or an administrator revoke it",
		"the app needs no secret: the sign-in is tied to this machine (PKCE)",
	}, []Clicks{{"In Salesforce today, as an administrator", append(app,
		"Callback URL, to the letter: "+callback,
		"OAuth Scopes: Manage user data via APIs (api), Perform requests at any time (refresh_token, offline_access), Access the identity URL service (id)",
		"Security: tick Require Proof Key for Code Exchange (PKCE), untick Require Secret for Web Server Flow and for Refresh Token Flow; Enable Refresh Token Rotation is fine",
		"Create, then Settings > OAuth Settings > Consumer Key and Secret: copy the Consumer Key",
	)}, old}}
}
