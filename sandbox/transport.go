package sandbox

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"os"
	"strings"
	"syscall"
)

// transport hands requests to the servers' handlers without a socket. Each call
// runs on a goroutine of its own that the caller's synctest bubble owns, and
// which ends with the handler whether or not the caller reads the answer.
type transport struct{ sandbox *Sandbox }

// RoundTrip calls the handler that stands for the host. Hosts that nobody
// stands for do not exist.
func (t *transport) RoundTrip(r *http.Request) (*http.Response, error) {
	if err := r.Context().Err(); err != nil {
		closeBody(r)
		return nil, err
	}
	handler := t.sandbox.handlerFor(r.URL)
	if handler == nil {
		closeBody(r)
		return nil, &net.OpError{Op: "dial", Net: "tcp", Err: &net.DNSError{Err: "no such host in the sandbox", Name: r.URL.Host, IsNotFound: true}}
	}
	ctx, cancel := context.WithCancel(r.Context())
	call, err := asServed(ctx, r)
	if err != nil {
		cancel()
		closeBody(r)
		return nil, err
	}
	a := newAnswer(r, cancel)
	go a.serve(handler, call)
	select {
	case <-a.begun:
		return a.response()
	case <-r.Context().Done():
		a.abandon()
		return nil, r.Context().Err()
	}
}

// handlerFor picks the handler by the vendors' own host names, and by the
// addresses of this sandbox's listeners.
func (s *Sandbox) handlerFor(u *url.URL) http.Handler {
	host := strings.ToLower(u.Hostname())
	switch {
	case host == "api.hubapi.com", host == "api.hubspot.com", host == "app.hubspot.com", strings.HasPrefix(host, "api-") && strings.HasSuffix(host, ".hubapi.com"):
		return s.hubSpotHandler()
	case host == "login.salesforce.com", host == "test.salesforce.com", strings.HasSuffix(host, ".my.salesforce.com"),
		strings.HasSuffix(host, ".lightning.force.com"), host == "api.pubsub.salesforce.com", host == "api.deu.pubsub.salesforce.com":
		return s.salesforceHandler()
	case host == manageHost:
		return s.manageHandler()
	}
	switch "http://" + strings.ToLower(u.Host) {
	case s.HubSpotURL():
		return s.hubSpotHandler()
	case s.SalesforceURL():
		return s.salesforceHandler()
	case s.ManageURL():
		return s.manageHandler()
	}
	return nil
}

// asServed is the request as a server would see it.
func asServed(ctx context.Context, r *http.Request) (*http.Request, error) {
	line := r.URL.RequestURI()
	u, err := url.ParseRequestURI(line)
	if err != nil {
		return nil, fmt.Errorf("sandbox: request line %q: %w", line, err)
	}
	call := r.Clone(ctx)
	call.URL, call.RequestURI = u, line
	if call.Host == "" {
		call.Host = r.URL.Host
	}
	call.RemoteAddr = "127.0.0.1:1"
	call.Proto, call.ProtoMajor, call.ProtoMinor = protocol(r)
	call.Response, call.GetBody = nil, nil
	if call.Header == nil {
		call.Header = http.Header{}
	}
	if _, set := call.Header["User-Agent"]; !set {
		call.Header.Set("User-Agent", "Go-http-client/1.1")
	}
	if call.Body == nil {
		call.Body = http.NoBody
	}
	return call, nil
}

// protocol is what client and server agree on: HTTP/2 for gRPC, which needs it.
func protocol(r *http.Request) (name string, major, minor int) {
	if strings.HasPrefix(r.Header.Get("Content-Type"), "application/grpc") {
		return "HTTP/2.0", 2, 0
	}
	return "HTTP/1.1", 1, 1
}

func closeBody(r *http.Request) {
	if r.Body != nil {
		_ = r.Body.Close()
	}
}

// connectionReset is what net/http reports when the other end cuts the
// connection before it has answered.
func connectionReset() error {
	return &net.OpError{Op: "read", Net: "tcp", Err: os.NewSyscallError("read", syscall.ECONNRESET)}
}
