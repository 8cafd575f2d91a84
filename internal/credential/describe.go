package credential

import (
	"fmt"
	"strings"
	"time"
)

// Description says in words what a text is, without asking anybody.
type Description struct {
	Form Form
	// What it is, one sentence without a trailing point.
	What string
	// Works says whether it works today and until when; empty where there is
	// nothing to say.
	Works string
	// Next is what to do with it.
	Next string
}

// The days that decide what still works.
// https://developers.hubspot.com/changelog/upcoming-api-key-sunset
// https://developers.hubspot.com/changelog/legacy-private-app-creation-sunset
// https://developers.hubspot.com/changelog/legacy-apis-and-legacy-apps-whats-going-unsupported-and-when
var (
	apiKeysEnded = time.Date(2022, time.November, 30, 0, 0, 0, 0, time.UTC)
	// PrivateAppsClosedNew is from when accounts that are made on that day or
	// later cannot create private apps, PrivateAppsClosed from when none can.
	PrivateAppsClosedNew = time.Date(2026, time.September, 28, 0, 0, 0, 0, time.UTC)
	PrivateAppsClosed    = time.Date(2026, time.October, 26, 0, 0, 0, 0, time.UTC)
	// privateAppsUnsupported is the month only: HubSpot has named no day.
	privateAppsUnsupported = time.Date(2027, time.September, 1, 0, 0, 0, 0, time.UTC)
	// soapLoginEnds is when Salesforce takes user name and password no longer.
	soapLoginEnds = time.Date(2027, time.June, 1, 0, 0, 0, 0, time.UTC)
)

// Describe tells what a pasted text is, whether it works on the day now, and
// what to do with it. It never repeats the text.
func Describe(pasted string, now time.Time) Description {
	c := Classify(pasted)
	d := Description{Form: c.Form}
	switch c.Form {
	case FormHubSpotToken:
		d.What = fmt.Sprintf("This is a HubSpot token of data centre %s: of a private app, a service key or an app with static auth, which all look alike", c.Region)
		d.Works = "it does not end by itself; private apps are supported until September 2027, service keys and project apps beyond that"
		if !now.Before(privateAppsUnsupported) {
			d.Works = "it does not end by itself; one of a private app has been unsupported since September 2027, service keys and project apps are supported"
		}
		d.Next = "lockstep connect hubspot --token -"
	case FormHubSpotAPIKey:
		d.What = "This is a bare UUID: an API key (hapikey) of an account, a developer API key, or the client id or secret of an app; nothing in it tells which"
		d.Works = fmt.Sprintf("account API keys ended on %s and open nothing any more; a developer API key opens only the settings of apps, never records", longDay(apiKeysEnded))
		d.Next = mendHubSpotToken + "; client id and secret of an app go with --oauth"
	case FormHubSpotOAuth:
		d.What = "This looks like an OAuth access token of an app, which HubSpot gives out for 30 minutes"
		d.Works = "it ends within half an hour, and Lockstep cannot renew it without the app"
		d.Next = "lockstep connect hubspot --oauth --client-id ID --client-secret -; or " + mendHubSpotToken
	case FormHubSpotRefreshToken:
		d.What = fmt.Sprintf("This looks like an OAuth refresh token of data centre %s", c.Region)
		d.Works = "it works until the app is uninstalled, but only together with the client id and secret of its app"
		d.Next = "lockstep connect hubspot --oauth --client-id ID --client-secret - gets one of its own"
	case FormHubSpotCLIKey:
		d.What = fmt.Sprintf("This looks like a personal access key of the HubSpot CLI, data centre %s", c.Region)
		d.Works = "it works in the CLI (hs) only; the API takes it nowhere"
		d.Next = mendHubSpotToken
	case FormSalesforceSession:
		d.What = "This is a Salesforce session id (access token)"
		d.Works = "it works until the session ends, by default after two hours without a call; Lockstep cannot renew it"
		d.Next = mendSalesforceWays
	case FormSalesforceJWT:
		d.What = "This is a JSON Web Token: a Salesforce access token in that form, or a signed assertion"
		d.Works = "either ends within minutes or hours"
		d.Next = mendSalesforceWays
	case FormSalesforceRefreshToken:
		d.What = "This looks like a Salesforce refresh token"
		d.Works = "it works only with the consumer key of its app, and only once where the app rotates refresh tokens"
		d.Next = "lockstep connect salesforce --web --client-id KEY gets one of its own"
	case FormSalesforceConsumerKey:
		d.What = "This is the consumer key (client id) of a Salesforce app; it is no secret"
		d.Works = "existing connected apps work on; new ones have not been possible since Spring '26, external client apps are their successors"
		d.Next = "lockstep connect salesforce --client-id KEY"
	case FormSalesforceConsumerSecret:
		d.What = "This looks like the consumer secret (client secret) of a Salesforce app"
		d.Works = "it works until it is rotated in the app"
		d.Next = "lockstep connect salesforce --client-id KEY --client-secret -"
	case FormSalesforceAuthURL:
		d.What = "This is a Salesforce CLI authorization URL (force://…), which holds a refresh token"
		d.Works = "it works until the login is revoked"
		d.Next = "log the CLI in with it (sf org login sfdx-url --sfdx-url-stdin --alias ALIAS), then: lockstep connect salesforce --from-sf ALIAS"
	case FormPrivateKey:
		d.What = "This is a private key in PEM form"
		d.Works = "it works as long as its certificate, which the Salesforce app holds"
		d.Next = "lockstep connect salesforce --client-id KEY --jwt-key FILE --username USER"
	case FormCertificate:
		d.What = "This is a certificate or public key, the half that is no secret"
		d.Works = "it opens nothing by itself"
		d.Next = "upload it to the Salesforce app, and give Lockstep the private key: lockstep connect salesforce --jwt-key FILE"
	case FormURL:
		d.What = "This is an address, not a token"
		d.Next = mendHubSpotToken
		if strings.Contains(strings.ToLower(pasted), "hapikey=") {
			d.What = "This is an address with an API key (hapikey) in it"
			d.Works = fmt.Sprintf("account API keys ended on %s and open nothing any more", longDay(apiKeysEnded))
		}
	case FormEmpty:
		d.What = "No token was given"
		d.Next = mendHubSpotToken
	default:
		d.What = "This is none of the forms that HubSpot and Salesforce credentials have"
		d.Works = fmt.Sprintf("if it is a Salesforce password or security token: logins by password over SOAP end on %s, and Lockstep does not use them", longDay(soapLoginEnds))
		d.Next = "copy it once more, whole; or: lockstep connect --help"
	}
	return d
}

const mendSalesforceWays = "connect by something that lasts: lockstep connect salesforce --help shows the ways"

func longDay(t time.Time) string { return t.Format("2 January 2006") }

// isSalesforce tells whether the form is one of Salesforce's.
func (f Form) isSalesforce() bool { return strings.HasPrefix(string(f), "salesforce ") }

// isSecret tells whether a text of this form must not be repeated. A bare UUID
// counts: it may be a key.
func (f Form) isSecret() bool {
	switch f {
	case FormHubSpotToken, FormHubSpotAPIKey, FormHubSpotOAuth, FormHubSpotRefreshToken, FormHubSpotCLIKey, FormSalesforceSession,
		FormSalesforceJWT, FormSalesforceRefreshToken, FormSalesforceConsumerSecret, FormSalesforceAuthURL, FormPrivateKey:
		return true
	}
	return false
}

// Redact replaces each word of a text that looks like a credential. It is for
// text of others (a vendor's message) that may echo what was sent.
func Redact(text string) string {
	var out strings.Builder
	rest := text
	for rest != "" {
		n := strings.IndexFunc(rest, endsWord)
		if n < 0 {
			n = len(rest)
		}
		if word := rest[:n]; Classify(word).Form.isSecret() {
			out.WriteString(redacted)
		} else {
			out.WriteString(word)
		}
		rest = rest[n:]
		if n = strings.IndexFunc(rest, func(r rune) bool { return !endsWord(r) }); n < 0 {
			n = len(rest)
		}
		out.WriteString(rest[:n])
		rest = rest[n:]
	}
	return out.String()
}

func endsWord(r rune) bool { return strings.ContainsRune(" \t\r\n\"'`,;:()[]{}<>&?=", r) }
