package apicall_test

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"syscall"
	"testing"

	"github.com/lockstep-sync/lockstep/internal/apicall"
	"github.com/lockstep-sync/lockstep/internal/crm"
	"github.com/lockstep-sync/lockstep/internal/fault"
)

func TestABaseURLIsHTTPSUnlessItIsThisMachine(t *testing.T) {
	cases := []struct {
		base string
		ok   bool
	}{
		{"https://api.hubapi.com", true},
		{"https://api.hubapi.com/", true},
		{"https://proxy.example/hubspot", true},
		{"http://127.0.0.1:8080", true},
		{"http://[::1]:8080", true},
		{"http://localhost:8080", true},
		{"http://api.hubapi.com", false},
		{"http://127.0.0.1.example.com", false},
		{"http://10.0.0.1", false},
		{"https://user:fake-secret@api.hubapi.com", false},
		{"https://api.hubapi.com?hapikey=fake-secret", false},
		{"ftp://api.hubapi.com", false},
		{"api.hubapi.com", false},
		{"", false},
	}
	for _, c := range cases {
		t.Run(c.base, func(t *testing.T) {
			caller, err := apicall.New(apicall.Config{Side: crm.HubSpot, Base: c.base})
			if (err == nil) != c.ok {
				t.Fatalf("got %v, want ok %v", err, c.ok)
			}
			if err != nil && (fault.KindOf(err) != fault.Invalid || fault.MendOf(err) == "" || strings.Contains(err.Error(), "fake-secret")) {
				t.Errorf("got %v (%s), want an invalid base URL without its secret", err, fault.MendOf(err))
			}
			if err == nil && strings.HasSuffix(caller.Base(), "/") {
				t.Errorf("the base keeps its slash: %s", caller.Base())
			}
		})
	}
}

func TestEachWayToFailIsOneClearFault(t *testing.T) {
	dial := func(err error) error { return &net.OpError{Op: "dial", Net: "tcp", Err: err} }
	cases := []struct {
		name       string
		err        error
		says       string
		unanswered bool
	}{
		{"an unknown name", dial(&net.DNSError{Err: "no such host", Name: "api.example.com", IsNotFound: true}), "is not known to this network", false},
		{"nobody listens", dial(syscall.ECONNREFUSED), "nothing listens", false},
		{"no route", dial(syscall.EHOSTUNREACH), "could not be reached", false},
		{"a certificate that is not trusted", &tls.CertificateVerificationError{Err: errors.New("unknown authority")}, "certificate", false},
		{"no TLS at all", tls.RecordHeaderError{Msg: "first record does not look like a TLS handshake"}, "does not speak TLS", false},
		{"a proxy that is down", &net.OpError{Op: "proxyconnect", Net: "tcp", Err: syscall.ECONNREFUSED}, "proxy", false},
		{"a reset", &net.OpError{Op: "read", Net: "tcp", Err: syscall.ECONNRESET}, "broke off", true},
		{"an end before the answer", io.ErrUnexpectedEOF, "broke off", true},
		{"a timeout", context.DeadlineExceeded, "did not answer in time", true},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			caller := newCaller(t, &vendor{answers: []answer{{err: c.err}}}, func(config *apicall.Config) { config.Attempts = 1 })
			err := caller.Do(t.Context(), apicall.Call{Method: "POST", Path: "/x", Query: url.Values{"email": {"ada@acme.example"}}, Safety: apicall.Once}, nil)
			if fault.KindOf(err) != fault.Unavailable || fault.MendOf(err) == "" || !strings.Contains(err.Error(), c.says) || apicall.Unanswered(err) != c.unanswered {
				t.Errorf("got %v, mend %q, unanswered %v; want %q, %v", err, fault.MendOf(err), apicall.Unanswered(err), c.says, c.unanswered)
			}
			if strings.Contains(err.Error(), "ada") {
				t.Errorf("the query's values are in the error: %v", err)
			}
		})
	}
}

func TestNoSecretReachesAnErrorOrALog(t *testing.T) {
	const secret = "pat-na1-00000000-fake-secret"
	var text bytes.Buffer
	caller := newCaller(t, &vendor{answers: []answer{
		{err: fmt.Errorf(`invalid proxy address "http://user:%s@proxy.example:3128"`, secret)},
	}}, func(config *apicall.Config) {
		config.Log = slog.New(slog.NewTextHandler(&text, &slog.HandlerOptions{Level: slog.LevelDebug}))
		config.Attempts = 1
		config.Authorize = func(_ context.Context, request *http.Request) error {
			request.Header.Set("Authorization", "Bearer "+secret)
			return nil
		}
	})
	err := caller.Do(t.Context(), apicall.Call{Method: "POST", Path: "/x", Query: url.Values{"key": {secret}}, Body: []byte(secret)}, nil)
	if err == nil {
		t.Fatal("want an error")
	}
	for _, form := range []string{"%v", "%+v", "%s"} {
		for e := err; e != nil; e = errors.Unwrap(e) {
			text.WriteString(fmt.Sprintf(form, e))
		}
	}
	if strings.Contains(text.String(), "fake-secret") {
		t.Errorf("a secret shows:\n%s", text.String())
	}
	if !strings.Contains(text.String(), "path=/x") {
		t.Errorf("the call is not in the log:\n%s", text.String())
	}
}

func TestARealServerIsCalledAndItsAnswerStreamed(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		w.Header().Set("X-Request-Id", "abc")
		fmt.Fprintf(w, `{"method":%q,"query":%q,"type":%q,"body":%q,"agent":%q}`, r.Method, r.URL.RawQuery, r.Header.Get("Content-Type"), body, r.UserAgent())
	}))
	defer server.Close()
	caller, err := apicall.New(apicall.Config{Side: crm.Salesforce, Base: server.URL})
	if err != nil {
		t.Fatal(err)
	}
	var got map[string]string
	err = caller.Do(t.Context(), apicall.Call{Method: "PATCH", Path: "/a/b", Query: url.Values{"q": {"x y"}}, Body: []byte(`{}`)}, apicall.Into(&got))
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]string{"method": "PATCH", "query": "q=x+y", "type": "application/json", "body": "{}", "agent": "lockstep"}
	for key, value := range want {
		if got[key] != value {
			t.Errorf("%s: got %q, want %q", key, got[key], value)
		}
	}
	server.Close()
	caller, err = apicall.New(apicall.Config{Side: crm.Salesforce, Base: server.URL, Attempts: 1})
	if err != nil {
		t.Fatal(err)
	}
	err = caller.Do(t.Context(), apicall.Call{Method: "POST", Path: "/x", Safety: apicall.Once}, nil)
	if fault.KindOf(err) != fault.Unavailable || apicall.Unanswered(err) || !strings.Contains(fault.MendOf(err), "sandbox") {
		t.Errorf("got %v (%s), want a server that does not listen", err, fault.MendOf(err))
	}
}
