package sandbox

import (
	"context"
	"errors"
	"io"
	"log"
	"net"
	"net/http"
	"time"
)

// The names that Client answers to when nothing listens.
const (
	hubSpotHost    = "api.hubapi.com"
	salesforceHost = "lockstep-dev-ed.my.salesforce.com"
	manageHost     = "manage.sandbox"
)

// Timeouts of the listeners: generous, since dials may ask for slow answers.
const (
	headTimeout  = 10 * time.Second
	readTimeout  = 2 * time.Minute
	writeTimeout = 5 * time.Minute
	idleTimeout  = 2 * time.Minute
	headBytes    = 64 << 10
	graceTimeout = 2 * time.Second
)

// listeners are the three open ports.
type listeners struct {
	servers [3]*http.Server
	urls    [3]string
}

const (
	hubSpotPort = iota
	salesforcePort
	managePort
)

// Listen opens the three ports of [Config] and answers on them until Close is
// called or ctx ends. It returns as soon as all three are open. Links in answers
// then name the ports. Only addresses of this machine itself are accepted.
func (s *Sandbox) Listen(ctx context.Context) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return &Error{What: "this sandbox is closed", Mend: "make a new one with sandbox.New"}
	}
	if s.ports.Load() != nil {
		return &Error{What: "this sandbox listens already", Mend: "call Listen once"}
	}
	opened := &listeners{}
	open := make([]net.Listener, 0, 3)
	for _, p := range [...]struct{ what, address string }{
		{"HubSpot", s.config.HubSpotAddr}, {"Salesforce", s.config.SalesforceAddr}, {"management", s.config.ManageAddr},
	} {
		l, err := listenHere(ctx, p.what, p.address)
		if err != nil {
			for _, other := range open {
				_ = other.Close()
			}
			return err
		}
		opened.urls[len(open)] = "http://" + l.Addr().String()
		open = append(open, l)
	}
	s.ports.Store(opened)
	s.nameOrigins(s.world.Load())
	for i, h := range []http.Handler{s.hubSpotHandler(), s.salesforceHandler(), s.manageHandler()} {
		server := &http.Server{
			Handler: h, ReadHeaderTimeout: headTimeout, ReadTimeout: readTimeout, WriteTimeout: writeTimeout, IdleTimeout: idleTimeout,
			MaxHeaderBytes: headBytes, ErrorLog: log.New(io.Discard, "", 0),
		}
		if i == salesforcePort {
			// The Pub/Sub API is gRPC: HTTP/2, here without TLS. Its streams have no end
			// of their own.
			server.Protocols = new(http.Protocols)
			server.Protocols.SetHTTP1(true)
			server.Protocols.SetUnencryptedHTTP2(true)
			server.RegisterOnShutdown(func() { s.Salesforce().EndStreams() })
		}
		opened.servers[i] = server
		s.running.Go(func() { _ = server.Serve(open[i]) })
	}
	if s.config.DataFile != "" {
		s.running.Go(s.keepSaving)
	}
	s.stopWatching = context.AfterFunc(ctx, func() { _ = s.Close() })
	return nil
}

// listenHere opens one port on this machine and on no other interface.
func listenHere(ctx context.Context, what, address string) (net.Listener, error) {
	if address == "" {
		address = "127.0.0.1:0"
	}
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		return nil, &Error{What: "the " + what + " address " + quoted(address) + " is not host:port", Mend: "give an address such as 127.0.0.1:8181", Cause: err}
	}
	if host == "" {
		host = "127.0.0.1"
	}
	if !loopback(host) {
		return nil, &Error{
			What: "the " + what + " address " + quoted(address) + " can be reached from other machines",
			Mend: "the sandbox has no real security; give a loopback address such as 127.0.0.1:" + port,
		}
	}
	l, err := new(net.ListenConfig).Listen(ctx, "tcp", net.JoinHostPort(host, port))
	if err != nil {
		return nil, &Error{What: "the " + what + " port " + net.JoinHostPort(host, port) + " cannot be opened", Mend: "give another port (--hubspot-port, --salesforce-port, --manage-port), or 0 for any free one", Cause: err}
	}
	return l, nil
}

// loopback tells whether a host means this machine only.
func loopback(host string) bool {
	if host == "localhost" {
		return true
	}
	ip := net.ParseIP(host)
	return ip != nil && ip.IsLoopback()
}

// HubSpotURL is where the HubSpot API is: "http://127.0.0.1:8181" while
// listening, "https://api.hubapi.com" (for [Sandbox.Client]) otherwise.
func (s *Sandbox) HubSpotURL() string { return s.urlOf(hubSpotPort, "https://"+hubSpotHost) }

// SalesforceURL is where the Salesforce API and its token endpoint are.
func (s *Sandbox) SalesforceURL() string { return s.urlOf(salesforcePort, "https://"+salesforceHost) }

// ManageURL is where the management calls are; see [Sandbox.Guide].
func (s *Sandbox) ManageURL() string { return s.urlOf(managePort, "http://"+manageHost) }

func (s *Sandbox) urlOf(port int, otherwise string) string {
	if l := s.ports.Load(); l != nil {
		return l.urls[port]
	}
	return otherwise
}

// shut ends the listeners: first gently, then at once.
func (l *listeners) shut() error {
	ctx, cancel := context.WithTimeout(context.Background(), graceTimeout)
	defer cancel()
	var errs []error
	for _, server := range l.servers {
		if server == nil {
			continue
		}
		if err := server.Shutdown(ctx); err != nil {
			errs = append(errs, server.Close())
		}
	}
	return errors.Join(errs...)
}
