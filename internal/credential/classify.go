package credential

import (
	"encoding/base64"
	"net/url"
	"regexp"
	"strings"
	"time"

	"github.com/lockstep-sync/lockstep/internal/fault"
)

// Form is what a pasted text looks like.
type Form string

// The forms.
const (
	// FormHubSpotToken is pat-<region>-<uuid>: private app, service key or static auth.
	FormHubSpotToken Form = "hubspot token"
	// FormHubSpotAPIKey is a bare uuid: an account API key, a developer API key, or
	// the client id or secret of an app. Nothing in the text tells them apart.
	FormHubSpotAPIKey Form = "hubspot api key"
	// FormHubSpotOAuth is a short-lived OAuth access token.
	FormHubSpotOAuth Form = "hubspot oauth token"
	// FormHubSpotRefreshToken is an OAuth refresh token.
	FormHubSpotRefreshToken Form = "hubspot refresh token"
	// FormHubSpotCLIKey is a personal access key of the HubSpot CLI.
	FormHubSpotCLIKey Form = "hubspot personal access key"
	// FormSalesforceSession is a Salesforce access token or session id.
	FormSalesforceSession Form = "salesforce session"
	// FormSalesforceJWT is a Salesforce access token in JWT form, or an assertion.
	FormSalesforceJWT Form = "json web token"
	// FormSalesforceConsumerSecret is the client secret of a Salesforce app.
	FormSalesforceConsumerSecret Form = "salesforce consumer secret"
	// FormSalesforceAuthURL is the SFDX authorization URL of a login, which holds
	// its refresh token.
	FormSalesforceAuthURL Form = "salesforce authorization url"
	// FormSalesforceRefreshToken is a Salesforce refresh token.
	FormSalesforceRefreshToken Form = "salesforce refresh token"
	// FormSalesforceConsumerKey is the client id of a Salesforce app.
	FormSalesforceConsumerKey Form = "salesforce consumer key"
	// FormPrivateKey is a PEM private key.
	FormPrivateKey Form = "private key"
	// FormCertificate is a PEM certificate or public key, the wrong half.
	FormCertificate Form = "certificate"
	// FormURL is an address.
	FormURL Form = "address"
	// FormEmpty is nothing at all.
	FormEmpty Form = "empty"
	// FormUnknown is anything else.
	FormUnknown Form = "unknown"
)

// Classified is what can be told of a text without asking anybody.
type Classified struct {
	Form Form
	// Region is the HubSpot data centre in the token: "na1", "eu1".
	Region string
}

const (
	mendHubSpotToken = "in HubSpot open Development > Keys > Service keys (or, for an older private app, Development > Legacy apps > your app > Auth), copy the token that starts with pat-, then: lockstep connect hubspot --token -"

	uuidPattern = `[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}`
)

var (
	hubspotTokenForm   = regexp.MustCompile(`^pat-([a-z]{2,4}[0-9]{1,2})-[0-9A-Za-z-]{8,}$`)
	uuidForm           = regexp.MustCompile(`^` + uuidPattern + `$`)
	hubspotOAuthForm   = regexp.MustCompile(`^C[A-Za-z0-9_-]{60,}={0,2}$`)
	hubspotRefreshForm = regexp.MustCompile(`^([a-z]{2,4}[0-9]{1,2})-[0-9a-f]{4}-[0-9a-f-]{20,}$`)
	// A personal access key is base64 of a message whose first part is a text of
	// 36 bytes that begins with the data centre.
	hubspotCLIKeyForm  = regexp.MustCompile(`^Ci[QR][A-Za-z0-9+/_-]{60,}={0,2}$`)
	jsonWebToken       = regexp.MustCompile(`^eyJ[A-Za-z0-9_-]{10,}\.eyJ[A-Za-z0-9_-]{10,}\.[A-Za-z0-9_-]+$`)
	salesforceSecret   = regexp.MustCompile(`^([0-9A-F]{64}|[0-9]{16,19})$`)
	salesforceAuthURL  = regexp.MustCompile(`^force://[^@\s]+@\S+$`)
	salesforceSession  = regexp.MustCompile(`^00D[0-9A-Za-z]{12,15}![0-9A-Za-z._]+$`)
	salesforceRefresh  = regexp.MustCompile(`^5Aep[0-9A-Za-z._]{20,}$`)
	salesforceConsumer = regexp.MustCompile(`^3MV[0-9A-Za-z._]{20,}$`)
)

// Clean takes off what a copy brings along and nobody means: blanks, line ends,
// quotes, invisible marks, "Authorization:" and "Bearer". A PEM text keeps its
// lines.
func Clean(pasted string) string {
	text := strings.Trim(pasted, " \t\r\n\u00a0\u200b\u2060\ufeff")
	for {
		before := text
		for _, pair := range []string{`""`, `''`, "``", "“”", "‘’", "«»", "<>"} {
			marks := []rune(pair)
			opens, closes := string(marks[0]), string(marks[1])
			if len(text) >= len(opens)+len(closes) && strings.HasPrefix(text, opens) && strings.HasSuffix(text, closes) {
				text = strings.TrimSuffix(strings.TrimPrefix(text, opens), closes)
			}
		}
		for _, lead := range []string{"authorization:", "bearer "} {
			if len(text) >= len(lead) && strings.EqualFold(text[:len(lead)], lead) {
				text = text[len(lead):]
			}
		}
		text = strings.Trim(text, " \t\r\n\u00a0\u200b\u2060\ufeff")
		if text == before {
			return text
		}
	}
}

// Classify tells what a text looks like, after Clean.
func Classify(pasted string) Classified {
	text := Clean(pasted)
	if match := hubspotTokenForm.FindStringSubmatch(text); match != nil {
		return Classified{Form: FormHubSpotToken, Region: match[1]}
	}
	if match := hubspotRefreshForm.FindStringSubmatch(text); match != nil {
		return Classified{Form: FormHubSpotRefreshToken, Region: match[1]}
	}
	if region := cliKeyRegion(text); region != "" {
		return Classified{Form: FormHubSpotCLIKey, Region: region}
	}
	switch {
	case text == "":
		return Classified{Form: FormEmpty}
	case strings.Contains(text, "PRIVATE KEY-----"):
		return Classified{Form: FormPrivateKey}
	case strings.Contains(text, "-----BEGIN "):
		return Classified{Form: FormCertificate}
	case uuidForm.MatchString(text):
		return Classified{Form: FormHubSpotAPIKey}
	case salesforceSession.MatchString(text):
		return Classified{Form: FormSalesforceSession}
	case salesforceConsumer.MatchString(text):
		return Classified{Form: FormSalesforceConsumerKey}
	case salesforceRefresh.MatchString(text):
		return Classified{Form: FormSalesforceRefreshToken}
	case salesforceSecret.MatchString(text):
		return Classified{Form: FormSalesforceConsumerSecret}
	case salesforceAuthURL.MatchString(text):
		return Classified{Form: FormSalesforceAuthURL}
	case jsonWebToken.MatchString(text):
		return Classified{Form: FormSalesforceJWT}
	case hubspotOAuthForm.MatchString(text):
		return Classified{Form: FormHubSpotOAuth}
	case strings.Contains(text, "://"):
		return Classified{Form: FormURL}
	}
	return Classified{Form: FormUnknown}
}

var regionLead = regexp.MustCompile(`^[\x00-\x7f]{2}([a-z]{2,4}[0-9]{1,2})-`)

// cliKeyRegion returns the data centre in a personal access key; "" when the
// text is none.
func cliKeyRegion(text string) string {
	if !hubspotCLIKeyForm.MatchString(text) {
		return ""
	}
	head, err := base64.StdEncoding.DecodeString(text[:12])
	if err != nil {
		return ""
	}
	if match := regionLead.FindSubmatch(head); match != nil {
		return string(match[1])
	}
	return ""
}

// ParseHubSpotToken cleans and checks a pasted HubSpot token before anybody is
// asked. baseURL is where it is going to be used; empty means HubSpot itself.
// The error is fault.Invalid, says what the text is instead, and never repeats
// it. A text of no known form is refused, too, unless baseURL is on this
// machine, where a test server may hand out tokens of its own shape.
func ParseHubSpotToken(pasted, baseURL string) (Secret, error) {
	text := Clean(pasted)
	classified := Classify(text)
	switch classified.Form {
	case FormHubSpotToken:
		if err := checkRegion(classified.Region, baseURL); err != nil {
			return Secret{}, err
		}
		return NewSecret(text), nil
	case FormUnknown:
		if u, err := url.Parse(baseURL); err == nil && IsLoopback(u.Hostname()) && !strings.ContainsAny(text, " \t\r\n") {
			return NewSecret(text), nil
		}
	}
	return Secret{}, notAHubSpotToken(pasted, time.Now())
}

// notAHubSpotToken says what was pasted instead, and how to get a token.
func notAHubSpotToken(pasted string, now time.Time) error {
	d := Describe(pasted, now)
	if d.Form == FormUnknown {
		d.What = "this does not look like a HubSpot token, which has the form pat-na1-… or pat-eu1-…; perhaps a part of it was not copied"
	}
	what := strings.ToLower(d.What[:1]) + d.What[1:]
	if d.Works != "" {
		what += "; " + d.Works
	}
	mend := d.Next
	if mend == "" || d.Form.isSalesforce() {
		mend = mendHubSpotToken
	}
	return fault.New(fault.Invalid, "%s", what).WithMend("%s", mend)
}

// checkRegion refuses a token of one data centre at the regional address of
// another. The common host serves them all.
func checkRegion(region, baseURL string) error {
	u, err := url.Parse(baseURL)
	if err != nil {
		return nil
	}
	host := strings.ToLower(u.Hostname())
	name, isHubSpot := strings.CutSuffix(host, ".hubapi.com")
	if !isHubSpot {
		return nil
	}
	hostRegion, regional := strings.CutPrefix(name, "api-")
	if !regional || hostRegion == region {
		return nil
	}
	return fault.New(fault.Invalid, "the token belongs to data centre %s, and %s is data centre %s", region, host, hostRegion).
		WithMend("leave the base URL out: %s serves every data centre", DefaultHubSpotBaseURL)
}

// CheckClientID refuses texts that are certainly no consumer key of a
// Salesforce app.
func CheckClientID(pasted string) (string, error) {
	text := Clean(pasted)
	mend := "paste the Consumer Key: Setup > External Client App Manager > your app > Settings > OAuth Settings > Consumer Key and Secret"
	switch Classify(text).Form {
	case FormEmpty:
		return "", fault.New(fault.Invalid, "no client id was given").WithMend("%s", mend)
	case FormUnknown, FormSalesforceConsumerKey:
	default:
		return "", fault.New(fault.Invalid, "this is a %s, not the client id of a Salesforce app", Classify(text).Form).WithMend("%s", mend)
	}
	return text, nil
}

// CheckHubSpotClientID refuses texts that are certainly no client id of a
// HubSpot app. Those are UUIDs at HubSpot itself.
func CheckHubSpotClientID(pasted string) (string, error) {
	text := Clean(pasted)
	switch Classify(text).Form {
	case FormHubSpotAPIKey, FormUnknown:
		return text, nil
	case FormEmpty:
		return "", fault.New(fault.Invalid, "no client id was given").WithMend("%s", mendHubSpotApp)
	}
	return "", fault.New(fault.Invalid, "this is a %s, not the client id of a HubSpot app", Classify(text).Form).WithMend("%s", mendHubSpotApp)
}

// ParseClientSecret cleans a pasted client secret of either vendor's app and
// refuses what is certainly something else.
func ParseClientSecret(pasted string) (Secret, error) {
	text := Clean(pasted)
	switch Classify(text).Form {
	case FormHubSpotAPIKey, FormSalesforceConsumerSecret, FormUnknown:
		return NewSecret(text), nil
	case FormEmpty:
		return Secret{}, fault.New(fault.Invalid, "no client secret was given").
			WithMend("it stands beside the client id, in the settings of the app")
	}
	return Secret{}, fault.New(fault.Invalid, "this is a %s, not the client secret of an app", Classify(text).Form).
		WithMend("copy the client secret: it stands beside the client id, in the settings of the app")
}

// ParsePrivateKey cleans and checks a pasted PEM private key for the JWT flow.
func ParsePrivateKey(pasted string) (Secret, error) {
	text := Clean(pasted)
	if Classify(text).Form == FormCertificate {
		return Secret{}, fault.New(fault.Invalid, "this is a certificate or public key, not the private key").
			WithMend("the certificate belongs in the Salesforce app; give the key file that was made with it (-----BEGIN PRIVATE KEY-----)")
	}
	key := NewSecret(text + "\n")
	if _, err := parsePrivateKey(key); err != nil {
		return Secret{}, err
	}
	return key, nil
}
