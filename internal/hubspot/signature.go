package hubspot

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"strconv"
	"strings"
	"time"

	"github.com/lockstep-sync/lockstep/internal/fault"
)

// The headers of a signed delivery, and how old one may be.
// https://developers.hubspot.com/docs/apps/developer-platform/build-apps/authentication/request-validation
const (
	SignatureHeader = "X-HubSpot-Signature-v3"
	TimestampHeader = "X-HubSpot-Request-Timestamp"
	// SignatureAge is how far the time of a delivery may be from ours, either way.
	SignatureAge = 5 * time.Minute
)

// decodedInSignature are the escapes that HubSpot undoes before it signs an
// address; all others stay as they are.
var decodedInSignature = strings.NewReplacer(
	"%3A", ":", "%2F", "/", "%3F", "?", "%40", "@", "%21", "!", "%24", "$", "%27", "'",
	"%28", "(", "%29", ")", "%2A", "*", "%2C", ",", "%3B", ";",
	"%3a", ":", "%2f", "/", "%3f", "?", "%2a", "*", "%2c", ",", "%3b", ";",
)

// Delivery is what a signature covers.
type Delivery struct {
	Method string
	// URL is the whole address that HubSpot was told to post to, with scheme and
	// query, as it was told; never guessed from the request.
	URL  string
	Body []byte
	// Signature and Timestamp are the two headers.
	Signature string
	Timestamp string
}

// CheckSignature proves that a delivery comes from HubSpot and is not an old
// one that somebody sends again: base64 of HMAC-SHA256 over method, address,
// body and time in milliseconds, with the app's client secret as the key. It
// returns a fault.Denied that says which of the two it was.
func CheckSignature(secret string, d Delivery, now time.Time) error {
	if secret == "" {
		return fault.New(fault.Denied, "there is no client secret to check HubSpot's signature with").
			WithMend("lockstep connect hubspot --name NAME --webhook-secret -")
	}
	millis, err := strconv.ParseInt(d.Timestamp, 10, 64)
	if err != nil || d.Signature == "" {
		return fault.New(fault.Denied, "the delivery carries no %s and %s of HubSpot's", SignatureHeader, TimestampHeader)
	}
	if age := now.Sub(time.UnixMilli(millis)); age > SignatureAge || age < -SignatureAge {
		return fault.New(fault.Denied, "the delivery is %s away from this machine's time, and only %s are allowed", age.Round(time.Second).Abs(), SignatureAge).
			WithMend("if they keep coming, set this machine's clock; an old delivery that is sent again is refused on purpose")
	}
	got, err := base64.StdEncoding.DecodeString(d.Signature)
	if err != nil || !hmac.Equal(got, signature(secret, d)) {
		return fault.New(fault.Denied, "the signature of the delivery is not HubSpot's for this app and address").
			WithMend("compare the client secret with the app's, and `url` of lockstep.yaml with the target URL of the app's webhooks, to the letter")
	}
	return nil
}

func signature(secret string, d Delivery) []byte {
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write([]byte(d.Method + signedURL(d.URL)))
	mac.Write(d.Body)
	mac.Write([]byte(d.Timestamp))
	return mac.Sum(nil)
}

// signedURL undoes the escapes, but not that of the question mark before the
// query, which is none.
func signedURL(address string) string {
	path, query, found := strings.Cut(address, "?")
	path = decodedInSignature.Replace(path)
	if !found {
		return path
	}
	return path + "?" + decodedInSignature.Replace(query)
}
