package salesforce

import (
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
)

// call is one request on its way through: from the network, or a part of a
// composite one.
type call struct {
	server  *Server
	method  string
	path    string // escaped
	host    string
	params  map[string]string
	query   url.Values
	header  http.Header
	body    []byte
	version int // 68 for v68.0; 0 where the path has none
	session *session
	user    *user
	tx      *transaction
	// locked makes every written record meet UNABLE_TO_LOCK_ROW.
	locked bool
	// partial, where it is not 0, makes every second written record meet it; it picks
	// which. met counts them.
	partial, met int
	// inner is true for parts of a composite call.
	inner bool
	// client is what the caller calls itself, where that does not stand in a header.
	client string
	// soapWrite is true when a SOAP call changed records.
	soapWrite bool
	// cost is how many API calls this one counts for, rows how many records it wrote.
	cost int
	rows int
}

// reply is a finished answer. The body is JSON unless contentType says otherwise.
type reply struct {
	status      int
	body        []byte
	contentType string
	header      map[string]string
}

func answer(status int, body []byte) *reply { return &reply{status: status, body: body} }

func (r *reply) with(key, v string) *reply {
	if r.header == nil {
		r.header = map[string]string{}
	}
	r.header[key] = v
	return r
}

// The versions that are served.
// https://developer.salesforce.com/docs/platform/connect-rest-api/guide/intro_api_eol
const (
	oldestVersion = 31
	newestVersion = 68
)

// parseVersion reads "v68.0" or "68.0".
func parseVersion(s string) (int, *failure) {
	whole, fraction, _ := strings.Cut(strings.TrimPrefix(strings.ToLower(s), "v"), ".")
	n, err := strconv.Atoi(whole)
	if err != nil || fraction != "0" || n > newestVersion || n < 1 {
		return 0, notFound()
	}
	if n < oldestVersion {
		return 0, plain(http.StatusGone, "UNSUPPORTED_API_VERSION", "The requested API version is retired. Use a version from 31.0 on.")
	}
	return n, nil
}

// base is the path that the version's resources start with.
func (c *call) base() string { return fmt.Sprintf("/services/data/v%d.0", c.version) }

// object finds the object that the path names, if the user may see it.
func (c *call) object() (*object, *access, *failure) {
	o := c.server.object(c.params["object"])
	if o == nil {
		return nil, nil, notFound()
	}
	a := c.server.access(c.user, o)
	if !a.Read && !a.Create && !a.Edit && !a.Delete {
		return nil, nil, notFound()
	}
	return o, a, nil
}

// option reads one of the options of a header like Sforce-Query-Options.
func (c *call) option(header, name string) string {
	for part := range strings.FieldsFuncSeq(c.header.Get(header), func(r rune) bool { return r == ';' || r == ',' }) {
		k, v, _ := strings.Cut(part, "=")
		if strings.EqualFold(strings.TrimSpace(k), name) {
			return strings.TrimSpace(v)
		}
	}
	return ""
}
