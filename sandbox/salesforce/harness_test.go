package salesforce

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/lockstep-sync/lockstep/sandbox/clock"
	"github.com/lockstep-sync/lockstep/sandbox/faults"
)

// org is a server under test with a session of the integration user.
type org struct {
	*Server
	t     testing.TB
	clock *clock.Clock
	dials *faults.Dials
	token string
}

func newOrg(t testing.TB) *org {
	t.Helper()
	o := &org{t: t, clock: &clock.Clock{}, dials: &faults.Dials{}}
	o.Server = New(Config{Clock: o.clock, Dials: o.dials, Seed: 7})
	o.token = o.IssueToken(IntegrationUsername)
	return o
}

// withExternalID gives the four objects of a sync their external id field.
func (o *org) withExternalID() *org {
	o.t.Helper()
	for _, name := range []string{"Account", "Contact", "Lead", "Opportunity"} {
		if err := o.AddField(name, Field{Name: "HubSpot_Id__c", Label: "HubSpot Id", Type: "string", Length: 32, ExternalID: true, Unique: true}); err != nil {
			o.t.Fatal(err)
		}
	}
	return o
}

// got is an answer; JSON is its body, decoded.
type got struct {
	Status int
	Header http.Header
	Body   string
	JSON   any
}

// do sends a request. A path that does not begin with "/services" or "/id" is
// one of v68.0. Header lines are "Name: value".
func (o *org) do(method, path, body string, headers ...string) got {
	o.t.Helper()
	if !strings.HasPrefix(path, "/services") && !strings.HasPrefix(path, "/id/") && !strings.HasPrefix(path, "//") {
		path = "/services/data/v68.0" + path
	}
	r := httptest.NewRequest(method, "https://lockstep-dev-ed.my.salesforce.com"+strings.ReplaceAll(path, " ", "+"), strings.NewReader(body))
	r.Header.Set("Authorization", "Bearer "+o.token)
	if body != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	for _, h := range headers {
		name, v, _ := strings.Cut(h, ": ")
		if name == "Host" {
			r.Host = v
			continue
		}
		if v == "" {
			r.Header.Del(name)
			continue
		}
		r.Header.Set(name, v)
	}
	w := httptest.NewRecorder()
	o.ServeHTTP(w, r)
	g := got{Status: w.Code, Header: w.Header(), Body: w.Body.String()}
	if strings.HasPrefix(w.Header().Get("Content-Type"), "application/json") && w.Header().Get("Content-Encoding") == "" {
		if err := json.Unmarshal(w.Body.Bytes(), &g.JSON); err != nil {
			o.t.Fatalf("%s %s: body is no JSON: %v\n%s", method, path, err, g.Body)
		}
	}
	return g
}

// soql runs a query and returns its records without their attributes.
func (o *org) soql(q string) []map[string]any {
	o.t.Helper()
	g := o.do("GET", "/query?q="+escape(q), "")
	if g.Status != 200 {
		o.t.Fatalf("%s: %d %s", q, g.Status, g.Body)
	}
	return bare(g.at("records")).([]map[string]any)
}

func escape(q string) string {
	return strings.NewReplacer("%", "%25", " ", "+", "+", "%2B", "&", "%26", "#", "%23", "\n", "%0A", "\\", "%5C", `"`, "%22").Replace(q)
}

// bare drops the attributes of records, at every depth.
func bare(v any) any {
	switch v := v.(type) {
	case map[string]any:
		delete(v, "attributes")
		for k := range v {
			v[k] = bare(v[k])
		}
	case []any:
		records := []map[string]any{}
		for _, item := range v {
			m, ok := bare(item).(map[string]any)
			if !ok {
				return v
			}
			records = append(records, m)
		}
		return records
	}
	return v
}

// at walks the JSON: at("0.errorCode"), at("records").
func (g got) at(path string) any {
	v := g.JSON
	for part := range strings.SplitSeq(path, ".") {
		switch x := v.(type) {
		case map[string]any:
			v = x[part]
		case []any:
			i := int(part[0] - '0')
			if len(part) > 1 {
				i = i*10 + int(part[1]-'0')
			}
			if i >= len(x) {
				return nil
			}
			v = x[i]
		default:
			return nil
		}
	}
	return v
}

func (g got) str(path string) string {
	s, _ := g.at(path).(string)
	return s
}

// create makes a record through the API and returns its id.
func (o *org) create(object, body string) string {
	o.t.Helper()
	g := o.do("POST", "/sobjects/"+object, body)
	if g.Status != 201 {
		o.t.Fatalf("create %s %s: %d %s", object, body, g.Status, g.Body)
	}
	return g.str("id")
}

var longAgo = time.Date(2026, 1, 5, 10, 0, 0, 0, time.UTC)
