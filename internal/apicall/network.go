package apicall

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"net"
	"net/url"
	"regexp"
	"syscall"

	"github.com/lockstep-sync/lockstep/internal/fault"
)

// network turns an error of the way to the vendor into one clear fault. What
// certainly happened before the request was sent had no effect; all else is
// unknown.
func (c *Caller) network(ctx context.Context, call Call, err error) *failure {
	var wrapped *url.Error
	if errors.As(err, &wrapped) {
		err = wrapped.Err // the wrapper quotes the URL with its query
	}
	title, host := c.config.Side.Title(), c.base.Host
	f := &failure{effect: unknown}
	e := fault.New(fault.Unavailable, "%s at %s could not be reached", title, host).WithMend(mendNetwork)
	var (
		name        *net.DNSError
		certificate *tls.CertificateVerificationError
		authority   x509.UnknownAuthorityError
		record      tls.RecordHeaderError
		op          *net.OpError
	)
	switch {
	case errors.As(err, &name):
		e.What = "the name " + name.Name + " of " + title + " is not known to this network"
		e.Mend = "check the account's base_url and this machine's DNS, then run the command again"
		f.effect = none
	case errors.As(err, &certificate), errors.As(err, &authority):
		e.What = "the certificate of " + host + " is not trusted, so nothing was sent to " + title
		e.Mend = "if a proxy of yours opens TLS, add its authority with SSL_CERT_FILE; else check base_url and the clock of this machine"
		f.effect = none
	case errors.As(err, &record):
		e.What = host + " does not speak TLS, so nothing was sent to " + title
		e.Mend = "check base_url: port and https"
		f.effect = none
	case errors.As(err, &op) && op.Op == "proxyconnect":
		e.What = "the proxy on the way to " + title + " could not be used"
		e.Mend = "check HTTPS_PROXY, or add " + c.base.Hostname() + " to NO_PROXY"
		f.effect = none
	case errors.As(err, &op) && op.Op == "dial":
		if errors.Is(err, syscall.ECONNREFUSED) {
			e.What = "nothing listens at " + host + ", where " + title + " should be"
			e.Mend = "check the account's base_url; if it is the sandbox, start it with lockstep sandbox"
		}
		f.effect = none
	case ctx.Err() != nil && errors.Is(ctx.Err(), context.Canceled):
		e.What = "stopped while " + title + " was answering"
		e.Mend = ""
	case errors.Is(err, context.DeadlineExceeded), isTimeout(err):
		e.What = title + " did not answer in time"
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, syscall.ECONNRESET), errors.Is(err, syscall.EPIPE):
		e.What = "the connection to " + title + " broke off before its answer was complete"
	}
	var cause error = &scrubbed{text: userInfo.ReplaceAllString(err.Error(), "//[redacted]@"), cause: err}
	if f.effect == unknown && call.Safety != ReadOnly {
		cause = &unanswered{cause: cause}
	}
	f.err = e.Wrap(cause)
	return f
}

func isTimeout(err error) bool {
	var timeout net.Error
	return errors.As(err, &timeout) && timeout.Timeout()
}

// userInfo is where a proxy's address may carry a password.
var userInfo = regexp.MustCompile(`//[^/@\s"]+@`)

// scrubbed says an error without user information in addresses.
type scrubbed struct {
	text  string
	cause error
}

// Error returns the text without secrets.
func (s *scrubbed) Error() string { return s.text }

// Is lets errors.Is see the cause, while no printer of the chain reaches the
// text that was scrubbed: there is no Unwrap.
func (s *scrubbed) Is(target error) bool { return errors.Is(s.cause, target) }
