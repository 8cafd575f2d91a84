package web

import (
	"context"
	"errors"
	"net"
	"net/http"
	"time"

	"github.com/lockstep-sync/lockstep/internal/fault"
)

const (
	// readTimeout bounds how long one request may take to arrive: HubSpot gives
	// up after five seconds.
	readTimeout = 10 * time.Second
	idleTimeout = 2 * time.Minute
	headerBytes = 64 << 10
	// closeTimeout is how long requests under way may go on when we stop.
	closeTimeout = 5 * time.Second
)

// Listen opens an address ("127.0.0.1:8080", ":8080"); fault.Unavailable says
// what to do when it is taken.
func Listen(address string) (net.Listener, error) {
	listener, err := net.Listen("tcp", address)
	if err != nil {
		return nil, fault.New(fault.Unavailable, "cannot listen on %s: %v", address, err).
			WithMend("stop what listens there, or choose another port in lockstep.yaml")
	}
	return listener, nil
}

// Serve answers on listener until ctx ends, lets requests under way end, and
// closes it.
func Serve(ctx context.Context, listener net.Listener, handler http.Handler) error {
	server := &http.Server{Handler: handler, ReadTimeout: readTimeout, WriteTimeout: readTimeout, IdleTimeout: idleTimeout, MaxHeaderBytes: headerBytes}
	ended := make(chan error, 1)
	go func() { ended <- server.Serve(listener) }()
	select {
	case err := <-ended:
		return err
	case <-ctx.Done():
	}
	closing, cancel := context.WithTimeout(context.WithoutCancel(ctx), closeTimeout)
	defer cancel()
	err := server.Shutdown(closing)
	if err != nil {
		err = server.Close()
	}
	if served := <-ended; !errors.Is(served, http.ErrServerClosed) {
		err = errors.Join(err, served)
	}
	return err
}
