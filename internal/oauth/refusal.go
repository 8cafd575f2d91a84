package oauth

import (
	"strings"

	"github.com/lockstep-sync/lockstep/internal/fault"
)

// quoteLength is the most of a vendor's words that is repeated.
const quoteLength = 200

// refused explains an error that the authorize page sent back.
// RFC 6749 section 4.1.2.1, and the vendors' own codes.
func refused(page Page, redirectURI, code, description string) *fault.Error {
	what, mend := explainRefusal(page, redirectURI, code)
	said := quote(code)
	if d := quote(description); d != "" && d != said {
		said += ": " + d
	}
	e := fault.New(fault.Denied, "%s (%s says: %s)", what, page.Side, said).WithMend("%s", mend)
	e.Code = quote(code)
	return e
}

func explainRefusal(page Page, redirectURI, code string) (what, mend string) {
	scopes := strings.Join(page.Scopes, " ")
	switch strings.ToLower(code) {
	case "access_denied":
		return "the person at the browser did not allow the app",
			"run the command again and choose Allow; who may do so: a super admin in HubSpot, in Salesforce a user who may use the app"
	case "invalid_scope", "scope_mismatch":
		return "the scopes asked for are not the app's", "make the app's scopes equal to: " + scopes
	case "redirect_uri_mismatch", "invalid_redirect_uri":
		return "the callback URL is not one of the app's", "add " + redirectURI + " to the app, to the letter"
	case "invalid_client_id", "invalid_client", "unauthorized_client":
		return "the app is unknown here, or may not do this", "compare --client-id with the app; a new Salesforce app takes up to ten minutes to become known"
	case "unsupported_response_type":
		return "the app does not allow this kind of sign-in", "switch on the authorization code flow in the app"
	case "oauth_app_blocked", "oauth_ec_app_not_found", "oauth_approval_error_generic", "oauth_app_access_denied":
		return "the app is blocked or not installed in this org", "Setup > External Client App Manager (or Connected Apps OAuth Usage): install it or lift the block"
	case "invalid_request":
		return "the request was not understood; the app may demand or forbid PKCE", "compare the app's settings with what lockstep connect --help says of the app"
	case "login_required", "interaction_required", "immediate_unsuccessful":
		return "nobody is signed in in the browser", "run the command again and sign in"
	case "server_error", "temporarily_unavailable", "unknown_error":
		return "the sign-in page could not answer", "try again in some minutes"
	}
	return "the sign-in was refused", "run the command again"
}

// quote makes a vendor's words fit for a terminal: one line, not for ever, and
// nothing but what prints.
func quote(text string) string {
	text = strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f || r >= 0x80 && r < 0xa0 {
			return ' '
		}
		return r
	}, strings.ToValidUTF8(text, ""))
	text = strings.Join(strings.Fields(text), " ")
	if len(text) > quoteLength {
		text = strings.ToValidUTF8(text[:quoteLength], "") + "…"
	}
	return text
}
