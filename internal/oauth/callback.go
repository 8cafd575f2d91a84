// Package oauth is the half of OAuth that a person sees: the address of the
// page on which they allow an app, and a small listener on this machine's
// loopback that takes the answer which their browser brings back.
//
// The one idea: the answer is taken once, and only from the sign-in that was
// started here. A random state ties them together, PKCE ties the code to this
// process, and what comes with another state is refused and changes nothing.
//
//	callback, err := oauth.Listen(oauth.DefaultRedirectURI, oauth.Page{…})
//	fmt.Println(callback.AuthorizeURL())
//	answer, err := callback.Wait(ctx)   // code, verifier, redirect URI
//
// RFC 6749, RFC 7636 (PKCE), RFC 8252 (native apps).
package oauth

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/lockstep-sync/lockstep/internal/fault"
)

// DefaultRedirectURI is where the browser brings the answer when nothing else
// is said. The vendors compare it to the letter with what the app registered,
// and HubSpot takes http for "localhost" only, so the port is a fixed one.
const DefaultRedirectURI = "http://localhost:17171/callback"

// Page is the vendor's page and what it is asked.
type Page struct {
	// Side is the vendor's name for messages: "HubSpot".
	Side string
	// URL of the authorize page, without a query.
	URL      string
	ClientID string
	// Scopes that are needed, OptionalScopes that are given up where the account
	// does not have them (HubSpot).
	Scopes         []string
	OptionalScopes []string
	// Parameters that only this vendor knows.
	Parameters url.Values
}

// Answer is what the browser brought back. Code and Verifier are secrets until
// they were traded.
type Answer struct {
	Code        string
	Verifier    string
	RedirectURI string
}

// String and GoString keep the code out of every print.
func (Answer) String() string   { return "[redacted]" }
func (Answer) GoString() string { return "[redacted]" }

// Callback listens on loopback for one answer.
type Callback struct {
	page        Page
	redirectURI string
	path        string
	hosts       []string
	state       string
	verifier    string
	server      *http.Server
	answers     chan result

	mu       sync.Mutex
	answered bool
	foreign  int
}

type result struct {
	answer Answer
	err    error
}

const (
	// answerLimitBytes bounds the head of a request: a code is far shorter.
	answerLimitBytes = 16 << 10
	// requestTimeout bounds one request of the browser.
	requestTimeout = 10 * time.Second
)

// Listen opens the callback at redirectURI: http on localhost, 127.0.0.1 or
// [::1], with a port; port 0 takes any free one. It listens on loopback only.
// The caller closes it. Errors are fault.Invalid for an address that cannot be
// one, fault.Conflict when the port is taken.
func Listen(redirectURI string, page Page) (*Callback, error) {
	u, err := checkRedirectURI(redirectURI)
	if err != nil {
		return nil, err
	}
	listeners, port, err := listenLoopback(u.Hostname(), u.Port())
	if err != nil {
		return nil, err
	}
	u.Host = net.JoinHostPort(u.Hostname(), port)
	c := &Callback{
		page: page, redirectURI: u.String(), path: u.EscapedPath(), hosts: []string{u.Host},
		state: random(), verifier: random(), answers: make(chan result, 1),
	}
	if u.Hostname() == "localhost" {
		c.hosts = append(c.hosts, net.JoinHostPort("127.0.0.1", port), net.JoinHostPort("::1", port))
	}
	c.server = &http.Server{Handler: c, ReadHeaderTimeout: requestTimeout, ReadTimeout: requestTimeout, WriteTimeout: requestTimeout, MaxHeaderBytes: answerLimitBytes}
	c.server.SetKeepAlivesEnabled(false)
	for _, l := range listeners {
		go func() { _ = c.server.Serve(l) }()
	}
	return c, nil
}

func checkRedirectURI(text string) (*url.URL, error) {
	u, err := url.Parse(text)
	if err != nil || u.Scheme != "http" || u.Port() == "" || u.User != nil || u.RawQuery != "" || u.Fragment != "" ||
		!slices.Contains([]string{"localhost", "127.0.0.1", "::1"}, u.Hostname()) {
		return nil, fault.New(fault.Invalid, "the callback must be an address of this machine with a port").
			WithMend("use one such as %s, and register the same in the app", DefaultRedirectURI)
	}
	if u.Path == "" {
		u.Path = "/"
	}
	return u, nil
}

// listenLoopback opens the port on both loopback addresses where there are
// two: a browser may take "localhost" for either.
func listenLoopback(host, port string) ([]net.Listener, string, error) {
	addresses := []string{"127.0.0.1", "::1"}
	if host != "localhost" {
		addresses = []string{host}
	}
	first, err := net.Listen("tcp", net.JoinHostPort(addresses[0], port))
	if err != nil {
		return nil, "", fault.New(fault.Conflict, "port %s of this machine is taken", port).Wrap(err).
			WithMend("end the program that listens there, or use another port that the app has registered: --port N")
	}
	port = strconv.Itoa(first.Addr().(*net.TCPAddr).Port)
	listeners := []net.Listener{first}
	for _, address := range addresses[1:] {
		// Without IPv6, or with the port taken there, the first one serves.
		if l, err := net.Listen("tcp", net.JoinHostPort(address, port)); err == nil {
			listeners = append(listeners, l)
		}
	}
	return listeners, port, nil
}

// RedirectURI is the address that the app must have registered, with the port
// that was taken.
func (c *Callback) RedirectURI() string { return c.redirectURI }

// AuthorizeURL is the address to open in a browser. It holds no secret.
func (c *Callback) AuthorizeURL() string {
	sum := sha256.Sum256([]byte(c.verifier))
	query := url.Values{
		"response_type":         {"code"},
		"client_id":             {c.page.ClientID},
		"redirect_uri":          {c.redirectURI},
		"scope":                 {strings.Join(c.page.Scopes, " ")},
		"state":                 {c.state},
		"code_challenge":        {base64.RawURLEncoding.EncodeToString(sum[:])},
		"code_challenge_method": {"S256"},
	}
	if len(c.page.OptionalScopes) > 0 {
		query.Set("optional_scope", strings.Join(c.page.OptionalScopes, " "))
	}
	for name, values := range c.page.Parameters {
		query[name] = values
	}
	// A blank as %20, not +: not every page decodes the latter.
	return c.page.URL + "?" + strings.ReplaceAll(query.Encode(), "+", "%20")
}

// Wait returns the answer, or why there is none: fault.Denied when the person
// or the vendor refused, fault.Unavailable when ctx ended first.
func (c *Callback) Wait(ctx context.Context) (Answer, error) {
	select {
	case r := <-c.answers:
		return r.answer, r.err
	case <-ctx.Done():
		return Answer{}, c.unanswered(ctx)
	}
}

func (c *Callback) unanswered(ctx context.Context) error {
	if !errors.Is(ctx.Err(), context.DeadlineExceeded) {
		return ctx.Err()
	}
	c.mu.Lock()
	foreign := c.foreign
	c.mu.Unlock()
	e := fault.New(fault.Unavailable, "nobody allowed the app in %s in time", c.page.Side).
		WithMend("run the command again; if %s showed an error about the redirect or callback URL, add %s to the app, to the letter; if it was about scopes, make the app's scopes equal to: %s",
			c.page.Side, c.redirectURI, strings.Join(c.page.Scopes, " "))
	if foreign > 0 {
		e.What += "; an answer came that belongs to another sign-in, and was refused"
	}
	return e
}

// Close ends the listener; an answer page that is being written is finished.
func (c *Callback) Close() error {
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	if err := c.server.Shutdown(ctx); err != nil {
		return c.server.Close()
	}
	return nil
}

// ServeHTTP takes the browser's request.
func (c *Callback) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	switch {
	case !slices.Contains(c.hosts, r.Host):
		// Another name for this address: a page elsewhere may have had it resolved here.
		writePage(w, http.StatusMisdirectedRequest, "Not here", "Lockstep does not answer under this name.")
	case r.URL.EscapedPath() != c.path:
		writePage(w, http.StatusNotFound, "Nothing here", "Lockstep waits for a sign-in at another address.")
	case r.Method != http.MethodGet:
		writePage(w, http.StatusMethodNotAllowed, "Not so", "A sign-in comes back by GET.")
	default:
		c.take(w, r.URL.Query())
	}
}

func (c *Callback) take(w http.ResponseWriter, query url.Values) {
	state, code, refusal := query.Get("state"), query.Get("code"), query.Get("error")
	ours := subtle.ConstantTimeCompare([]byte(state), []byte(c.state)) == 1
	// A refusal may come without the state; all that it can do is end the wait.
	if !ours && !(refusal != "" && code == "" && state == "") {
		c.mu.Lock()
		c.foreign++
		c.mu.Unlock()
		writePage(w, http.StatusBadRequest, "This answer belongs to another sign-in", "Nothing was done with it. Open the address that Lockstep printed last.")
		return
	}
	if code == "" && refusal == "" {
		writePage(w, http.StatusBadRequest, "This answer is empty", "Open the address that Lockstep printed once more.")
		return
	}
	c.mu.Lock()
	late := c.answered
	c.answered = true
	c.mu.Unlock()
	if late {
		writePage(w, http.StatusGone, "Lockstep has an answer already", "You can close this window.")
		return
	}
	if refusal != "" {
		writePage(w, http.StatusOK, c.page.Side+" did not allow it", "Lockstep says more in the terminal. You can close this window.")
		c.answers <- result{err: refused(c.page, c.redirectURI, refusal, query.Get("error_description"))}
		return
	}
	writePage(w, http.StatusOK, "Lockstep has the answer", "You can close this window. Lockstep goes on in the terminal.")
	c.answers <- result{answer: Answer{Code: code, Verifier: c.verifier, RedirectURI: c.redirectURI}}
}

// random returns 256 bits as text that fits an address; it is long enough for a
// PKCE verifier (43 characters).
func random() string {
	var b [32]byte
	_, _ = rand.Read(b[:]) // never returns an error
	return base64.RawURLEncoding.EncodeToString(b[:])
}
