package hubspot

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"strconv"
	"strings"
)

// Sign makes the signature that HubSpot sends with a request: version v1 and v2
// in X-HubSpot-Signature, v3 in X-HubSpot-Signature-v3. secret is the app's client
// secret, uri the whole address with scheme and query as it is called, and
// timestampMillis what X-HubSpot-Request-Timestamp says; v1 and v2 do without.
// Another version has no signature.
// https://developers.hubspot.com/docs/apps/developer-platform/build-apps/authentication/request-validation
func Sign(version, secret, method, uri string, body []byte, timestampMillis int64) string {
	switch version {
	case "v1":
		sum := sha256.Sum256(append([]byte(secret), body...))
		return hex.EncodeToString(sum[:])
	case "v2":
		sum := sha256.Sum256(append([]byte(secret+method+uri), body...))
		return hex.EncodeToString(sum[:])
	case "v3":
		mac := hmac.New(sha256.New, []byte(secret))
		mac.Write([]byte(method + unescapeSome(uri)))
		mac.Write(body)
		mac.Write([]byte(strconv.FormatInt(timestampMillis, 10)))
		return base64.StdEncoding.EncodeToString(mac.Sum(nil))
	}
	return ""
}

// unescapeSome decodes those escapes, and no others, that version 3 signs plainly.
var unescapeSome = strings.NewReplacer(
	"%3A", ":", "%2F", "/", "%3F", "?", "%40", "@", "%21", "!", "%24", "$", "%27", "'",
	"%28", "(", "%29", ")", "%2A", "*", "%2C", ",", "%3B", ";",
	"%3a", ":", "%2f", "/", "%3f", "?", "%2a", "*", "%2c", ",", "%3b", ";",
).Replace
