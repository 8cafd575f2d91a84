package legacykey

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"slices"
	"sort"
	"strings"
	"time"

	"github.com/lockstep-sync/lockstep/internal/fault"
)

// Rehearsal says what Rehearse replays, and where.
type Rehearsal struct {
	// Old and New are the requests of both forms, from ReadRequests.
	Old, New []Request
	// BaseURL takes the place of the host in every request: https, or http on
	// this machine. Nothing is sent anywhere else, and no redirect is followed.
	BaseURL string
	// OldKey is sent as hapikey by the old form; Token as bearer by the new.
	OldKey, Token string
	// Client may be nil.
	Client *http.Client
}

// Rehearsed is one request in both forms.
type Rehearsed struct {
	Name string `json:"name"`
	Path string `json:"path"`
	// OldStatus and NewStatus are 0 when the request was not sent.
	OldStatus int `json:"old_status"`
	NewStatus int `json:"new_status"`
	// Records is how many ids both answers name.
	Records int  `json:"records"`
	Same    bool `json:"same"`
	// Differences say what is not the same.
	Differences []string `json:"differences"`
	// Skipped says why the request was not sent.
	Skipped string `json:"skipped,omitempty"`
}

const (
	// answerBytes is the longest answer that is compared.
	answerBytes = 8 << 20
	// answerTime is how long one answer may take.
	answerTime = 30 * time.Second
	// differencesTold bounds what is told of one request.
	differencesTold = 10
)

// Rehearse sends every GET request of the old form and its counterpart of the
// new one, and compares status, shape and ids of the answers. Other methods are
// never sent. The error is fault.Invalid for a base URL that is not https nor
// loopback; what a request meets is in its result.
func Rehearse(ctx context.Context, r Rehearsal) ([]Rehearsed, error) {
	base, err := checkBase(r.BaseURL)
	if err != nil {
		return nil, err
	}
	client := http.Client{Timeout: answerTime}
	if r.Client != nil {
		client = *r.Client
	}
	client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	byName := map[string]Request{}
	for _, request := range r.New {
		byName[request.Name] = request
	}
	results := []Rehearsed{}
	for _, old := range r.Old {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		result := Rehearsed{Name: old.Name, Path: shownPath(old.URL), Differences: []string{}}
		fresh, found := byName[old.Name]
		switch {
		case old.Method != http.MethodGet:
			result.Skipped = "only GET requests are replayed"
		case !found:
			result.Skipped = "the new form has no request of this name"
		case fresh.Method != http.MethodGet:
			result.Skipped = "the new form is no GET request"
		case open(old.URL) != "":
			result.Skipped = "the variable " + open(old.URL) + " has no value in the collection"
		case open(fresh.URL) != "":
			result.Skipped = "the variable " + open(fresh.URL) + " has no value in the new collection"
		case !fresh.Bearer:
			result.Skipped = "the new form sends no bearer token"
		case !old.Key:
			result.Skipped = "the old form sends no hapikey"
		default:
			if err := rehearseOne(ctx, &client, base, r, old, fresh, &result); err != nil {
				return nil, err
			}
		}
		results = append(results, result)
	}
	return results, nil
}

// checkBase accepts https anywhere and http on this machine.
func checkBase(text string) (*url.URL, error) {
	base, err := url.Parse(strings.TrimRight(text, "/"))
	if err != nil || base.Host == "" || base.User != nil || base.RawQuery != "" {
		return nil, fault.New(fault.Invalid, "the base URL is not an address").WithMend("--base-url https://api.hubapi.com, or that of a sandbox")
	}
	host := base.Hostname()
	address := net.ParseIP(host)
	loopback := host == "localhost" || address != nil && address.IsLoopback()
	if base.Scheme != "https" && !(base.Scheme == "http" && loopback) {
		return nil, fault.New(fault.Invalid, "a token may not travel to %s without https", host).WithMend("use https, or an address of this machine")
	}
	return base, nil
}

// rehearseOne sends both forms and compares the answers.
func rehearseOne(ctx context.Context, client *http.Client, base *url.URL, r Rehearsal, old, fresh Request, result *Rehearsed) error {
	before, err := send(ctx, client, base, old, r.OldKey, "")
	if err != nil {
		return err
	}
	after, err := send(ctx, client, base, fresh, "", r.Token)
	if err != nil {
		return err
	}
	result.OldStatus, result.NewStatus = before.status, after.status
	if before.status != after.status {
		difference := fmt.Sprintf("status %d became %d", before.status, after.status)
		if before.status == http.StatusUnauthorized && after.status < 300 {
			difference += ": the key is refused, the token is accepted, so there is nothing to compare with"
		}
		result.Differences = append(result.Differences, difference)
		return nil
	}
	result.Differences = append(result.Differences, compareAnswers(before.body, after.body)...)
	if n := len(result.Differences); n > differencesTold {
		result.Differences = append(result.Differences[:differencesTold], fmt.Sprintf("and %d more", n-differencesTold))
	}
	result.Records = len(identities(after.body))
	result.Same = len(result.Differences) == 0
	return nil
}

type answer struct {
	status int
	body   any
}

// send makes one GET request to base. Of the collection only path and query are
// used: no header of it, and no secret.
func send(ctx context.Context, client *http.Client, base *url.URL, request Request, key, token string) (answer, error) {
	path, query := splitAddress(request.URL)
	values, err := url.ParseQuery(query)
	if err != nil {
		return answer{}, fault.New(fault.Invalid, "the query of %s is not one", request.Name)
	}
	values.Del("hapikey")
	if key != "" {
		values.Set("hapikey", key)
	}
	target := *base
	target.Path = strings.TrimRight(base.Path, "/") + path
	if unescaped, err := url.PathUnescape(path); err == nil {
		target.Path, target.RawPath = strings.TrimRight(base.Path, "/")+unescaped, strings.TrimRight(base.EscapedPath(), "/")+path
	}
	target.RawQuery = values.Encode()
	call, err := http.NewRequestWithContext(ctx, http.MethodGet, target.String(), nil)
	if err != nil {
		return answer{}, fault.New(fault.Invalid, "the address of %s is not one", request.Name)
	}
	call.Header.Set("Accept", "application/json")
	if token != "" {
		call.Header.Set("Authorization", "Bearer "+token)
	}
	response, err := client.Do(call)
	if err != nil {
		// The error of net/http names the whole address, with the key in it.
		var inner *url.Error
		if errors.As(err, &inner) {
			err = inner.Err
		}
		return answer{}, fault.New(fault.Unavailable, "%s did not answer %s", base.Host, request.Name).Wrap(err)
	}
	defer func() { _ = response.Body.Close() }()
	raw, err := io.ReadAll(io.LimitReader(response.Body, answerBytes+1))
	if err != nil {
		return answer{}, fault.New(fault.Unavailable, "the answer to %s broke off", request.Name).Wrap(err)
	}
	if len(raw) > answerBytes {
		return answer{}, fault.New(fault.Invalid, "the answer to %s is longer than %d MB", request.Name, answerBytes>>20).WithMend("ask for fewer records in the request")
	}
	a := answer{status: response.StatusCode}
	if json.Unmarshal(raw, &a.body) != nil {
		a.body = nil
	}
	return a, nil
}

// volatile are names whose values differ from one call to the next.
var volatile = map[string]bool{
	"correlationId": true, "requestId": true, "updatedAt": true, "createdAt": true, "hs_lastmodifieddate": true,
	"lastmodifieddate": true, "link": true, "after": true, "time-offset": true, "vid-offset": true, "expiresAt": true,
}

// identityNames are the names of ids, whose values must be the same.
var identityNames = []string{"id", "vid", "hs_object_id", "portalId", "companyId", "dealId", "ownerId"}

// compareAnswers says where two answers differ in shape or in ids.
func compareAnswers(before, after any) []string {
	var differences []string
	old, fresh := shape(before), shape(after)
	for _, path := range sortedNames(old) {
		switch kind, found := fresh[path]; {
		case !found:
			differences = append(differences, path+" is gone")
		case kind != old[path]:
			differences = append(differences, fmt.Sprintf("%s was %s and is %s", path, old[path], kind))
		}
	}
	for _, path := range sortedNames(fresh) {
		if _, found := old[path]; !found {
			differences = append(differences, path+" is new")
		}
	}
	was, is := identities(before), identities(after)
	if !slices.Equal(was, is) {
		differences = append(differences, fmt.Sprintf("the ids differ: %d before, %d after", len(was), len(is)))
	}
	return differences
}

func sortedNames(m map[string]string) []string {
	names := make([]string, 0, len(m))
	for name := range m {
		names = append(names, name)
	}
	sort.Strings(names)
	return names
}

// shape names every path of a JSON value and what stands there; the items of a
// list share one path. Null stands for any kind.
func shape(v any) map[string]string {
	found := map[string]string{}
	var walk func(path string, v any)
	walk = func(path string, v any) {
		switch v := v.(type) {
		case map[string]any:
			found[path] = "an object"
			for name, value := range v {
				if !volatile[name] {
					walk(path+"."+name, value)
				}
			}
		case []any:
			found[path] = "a list"
			for _, item := range v {
				walk(path+"[]", item)
			}
		case string:
			found[path] = "a text"
		case float64:
			found[path] = "a number"
		case bool:
			found[path] = "a truth value"
		default:
			if found[path] == "" {
				found[path] = "null"
			}
		}
	}
	walk("answer", v)
	return found
}

// identities are the ids in an answer, in order.
func identities(v any) []string {
	var ids []string
	var walk func(v any)
	walk = func(v any) {
		switch v := v.(type) {
		case map[string]any:
			for _, name := range identityNames {
				switch id := v[name].(type) {
				case string, float64:
					ids = append(ids, fmt.Sprintf("%s=%v", name, id))
				}
			}
			names := make([]string, 0, len(v))
			for name := range v {
				names = append(names, name)
			}
			sort.Strings(names)
			for _, name := range names {
				walk(v[name])
			}
		case []any:
			for _, item := range v {
				walk(item)
			}
		}
	}
	walk(v)
	return ids
}
