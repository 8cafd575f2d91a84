package apicall

import (
	"bytes"
	"io"
	"net/http"
	"strings"
)

// credentialOf is the secret that a request carries; nil when it has none.
func credentialOf(request *http.Request) []byte {
	_, token, found := strings.Cut(request.Header.Get("Authorization"), " ")
	const shortest = 8 // what is shorter would be found in any text
	if !found || len(token) < shortest {
		return nil
	}
	return []byte(token)
}

// withoutSecret makes an answer read as if it did not repeat the secret.
func withoutSecret(answer *http.Response, secret []byte) {
	if len(secret) == 0 {
		return
	}
	for _, values := range answer.Header {
		for i, value := range values {
			if strings.Contains(value, string(secret)) {
				values[i] = string(scrub([]byte(value), secret))
			}
		}
	}
	answer.Body = struct {
		io.Reader
		io.Closer
	}{&scrubber{body: answer.Body, secret: secret}, answer.Body}
}

// scrub overwrites the secret wherever it stands in text.
func scrub(text, secret []byte) []byte {
	if len(secret) == 0 {
		return text
	}
	for rest := text; ; {
		at := bytes.Index(rest, secret)
		if at < 0 {
			return text
		}
		for i := range secret {
			rest[at+i] = '*'
		}
		rest = rest[at+len(secret):]
	}
}

// scrubber reads a body in which the vendor, or a proxy before it, may repeat
// the credential that was sent: there it reads as stars, so that no message, log
// or stored reason can hold it.
type scrubber struct {
	body   io.Reader
	secret []byte
	held   []byte // read, but may be the beginning of the secret
	err    error
}

// Read implements io.Reader.
func (s *scrubber) Read(p []byte) (int, error) {
	if len(s.secret) == 0 {
		return s.body.Read(p)
	}
	if len(p) == 0 {
		return 0, nil
	}
	for {
		if s.err != nil { // nothing follows, so what was held back is no secret
			n := copy(p, s.held)
			s.held = s.held[n:]
			if n == 0 || len(s.held) == 0 {
				return n, s.err
			}
			return n, nil
		}
		if len(p) <= len(s.held) { // too small to look into: read on in a buffer of our own
			s.held = append(s.held, make([]byte, len(s.secret))...)
			n, err := s.body.Read(s.held[len(s.held)-len(s.secret):])
			s.held, s.err = s.held[:len(s.held)-len(s.secret)+n], err
			scrub(s.held, s.secret)
			if out := len(s.held) - beginning(s.held, s.secret); out > 0 {
				n := copy(p, s.held[:out])
				s.held = s.held[n:]
				return n, nil
			}
			continue
		}
		n := copy(p, s.held)
		s.held = s.held[:0]
		more, err := s.body.Read(p[n:])
		n += more
		s.err = err
		scrub(p[:n], s.secret)
		keep := beginning(p[:n], s.secret)
		s.held = append(s.held, p[n-keep:n]...)
		if n -= keep; n > 0 {
			return n, nil
		}
	}
}

// beginning is how many bytes at the end of text may begin the secret.
func beginning(text, secret []byte) int {
	for n := min(len(secret)-1, len(text)); n > 0; n-- {
		if bytes.HasPrefix(secret, text[len(text)-n:]) {
			return n
		}
	}
	return 0
}
