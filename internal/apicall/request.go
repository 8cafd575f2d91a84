package apicall

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"

	"github.com/lockstep-sync/lockstep/internal/fault"
)

// answerBytes is the most that Into reads: no answer that is not streamed comes near it.
const answerBytes = 64 << 20

// request builds one attempt.
func (c *Caller) request(ctx context.Context, call Call) (*http.Request, error) {
	var body io.Reader
	if call.Body != nil {
		body = bytes.NewReader(call.Body)
	}
	address := strings.TrimRight(c.base.String(), "/") + call.Path
	if len(call.Query) > 0 {
		address += "?" + call.Query.Encode()
	}
	request, err := http.NewRequestWithContext(ctx, call.Method, address, body)
	if err != nil {
		// The error would quote the address with its query, so it is not passed on.
		return nil, fault.New(fault.Internal, "%s %s is no request that can be sent", call.Method, call.Path)
	}
	if call.Body != nil {
		request.Header.Set("Content-Type", either(call.ContentType, "application/json"))
	}
	request.Header.Set("Accept", either(call.Accept, "application/json"))
	request.Header.Set("User-Agent", c.config.UserAgent)
	if c.config.Authorize != nil {
		if err := c.config.Authorize(ctx, request); err != nil {
			return nil, asFault(err, "authorize a call to "+c.config.Side.Title())
		}
	}
	return request, nil
}

// Into returns a decode that reads the whole answer as JSON into target. An
// empty body leaves target as it is.
func Into(target any) func(int, http.Header, io.Reader) error {
	return func(_ int, _ http.Header, body io.Reader) error {
		text, err := io.ReadAll(io.LimitReader(body, answerBytes))
		if err != nil {
			return err
		}
		if len(bytes.TrimSpace(text)) == 0 {
			return nil
		}
		return json.Unmarshal(text, target)
	}
}

// read hands a 2xx body to decode and tells a lost answer from a bad one.
func (c *Caller) read(ctx context.Context, call Call, answer *http.Response, decode func(int, http.Header, io.Reader) error) *failure {
	if decode == nil {
		return nil
	}
	body := &watched{body: answer.Body}
	err := decode(answer.StatusCode, answer.Header, body)
	if err == nil {
		return nil
	}
	var e *fault.Error
	switch {
	case body.err != nil:
		return c.network(ctx, call, body.err)
	case errors.As(err, &e):
		return &failure{err: err, effect: done, final: true, decoded: true}
	default:
		e := fault.New(fault.Unavailable, "%s answered %s %s with something that cannot be read", c.config.Side.Title(), call.Method, call.Path).
			WithMend("check that the base URL is the API's own address, with no proxy or login page before it")
		e.Status = answer.StatusCode
		cause := fmt.Errorf("read the answer: %w", err)
		if call.Safety != ReadOnly {
			cause = &unanswered{cause: cause}
		}
		return &failure{err: e.Wrap(cause), effect: unknown}
	}
}

// watched remembers an error of the connection, so that it is not mistaken for
// bad JSON.
type watched struct {
	body io.Reader
	err  error
}

// Read implements io.Reader.
func (w *watched) Read(p []byte) (int, error) {
	n, err := w.body.Read(p)
	if err != nil && err != io.EOF {
		w.err = err
	}
	return n, err
}

func either(text, otherwise string) string {
	if text == "" {
		return otherwise
	}
	return text
}

// asFault passes faults through and makes others Internal.
func asFault(err error, tried string) error {
	if _, ok := fault.As(err); ok {
		return err
	}
	return fault.New(fault.Internal, "%s", tried).Wrap(err)
}
