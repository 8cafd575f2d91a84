package sandbox

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"runtime/debug"
	"strconv"
	"strings"
	"sync"
)

// holdBack is how much of an answer a server keeps before it sends the head:
// as net/http does, so that a handler that gives up early leaves nothing behind.
const holdBack = 4 << 10

// answer is both ends of one call: the handler writes into it, the client reads
// from it. What is written waits in memory, so the handler never waits for a
// client that has stopped reading.
type answer struct {
	request *http.Request
	cancel  context.CancelFunc
	// begun is closed when the client may have the head of the answer.
	begun chan struct{}

	mu     sync.Mutex
	more   sync.Cond
	header http.Header
	sent   http.Header // header as it was when the status was written
	// trailer is filled when the handler is done; the client looks at it behind the body.
	trailer http.Header
	status  int
	body    []byte // written and not yet read
	// length is the whole body's when the handler was done before it was sent.
	length    int64
	open      bool // begun is closed
	done      bool // the handler returned
	cut       bool // the handler cut the connection
	broken    error
	abandoned bool // the client reads no more
}

func newAnswer(r *http.Request, cancel context.CancelFunc) *answer {
	a := &answer{request: r, cancel: cancel, begun: make(chan struct{}), header: http.Header{}, trailer: http.Header{}, length: -1}
	a.more.L = &a.mu
	return a
}

// serve runs the handler to its end.
func (a *answer) serve(h http.Handler, call *http.Request) {
	defer a.cancel()
	defer call.Body.Close()
	defer func() {
		fault := recover()
		a.mu.Lock()
		defer a.mu.Unlock()
		switch {
		case fault == http.ErrAbortHandler:
			a.cut = true
		case fault != nil:
			a.cut = true
			a.broken = fmt.Errorf("sandbox: the handler of %s %s panicked: %v\n%s", call.Method, call.URL.Path, fault, debug.Stack())
		case a.status == 0:
			a.writeHead(http.StatusOK)
		}
		a.done = true
		a.collectTrailers()
		switch {
		case a.open:
		case a.cut: // what was held back is lost
			a.status, a.body = 0, nil
		default:
			a.length = int64(len(a.body))
		}
		a.begin()
		a.more.Broadcast()
	}()
	h.ServeHTTP(a, call)
}

// collectTrailers takes what the handler set behind the body: names that it
// declared in its head, and those with [http.TrailerPrefix].
func (a *answer) collectTrailers() {
	for name, values := range a.header {
		if bare, late := strings.CutPrefix(name, http.TrailerPrefix); late {
			a.trailer[http.CanonicalHeaderKey(bare)] = values
		}
	}
	for _, list := range a.sent["Trailer"] {
		for name := range strings.SplitSeq(list, ",") {
			name = http.CanonicalHeaderKey(strings.TrimSpace(name))
			if values := a.header[name]; values != nil {
				a.trailer[name] = values
			}
		}
	}
}

// begin lets the client have the head. The caller holds mu.
func (a *answer) begin() {
	if !a.open {
		a.open = true
		close(a.begun)
	}
}

// Header is the handler's side of the head.
func (a *answer) Header() http.Header { return a.header }

// WriteHeader fixes status and head; only the first call counts.
func (a *answer) WriteHeader(status int) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if status >= 200 {
		a.writeHead(status)
	}
}

func (a *answer) writeHead(status int) {
	if a.status == 0 {
		a.status, a.sent = status, a.header.Clone()
	}
}

// Write adds to the body.
func (a *answer) Write(p []byte) (int, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.writeHead(http.StatusOK)
	if a.status == http.StatusNoContent || a.status == http.StatusNotModified {
		return 0, http.ErrBodyNotAllowed
	}
	if a.abandoned || a.request.Method == http.MethodHead {
		return len(p), nil
	}
	a.body = append(a.body, p...)
	if len(a.body) > holdBack {
		a.begin()
	}
	a.more.Broadcast()
	return len(p), nil
}

// Flush sends what is there.
func (a *answer) Flush() {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.writeHead(http.StatusOK)
	a.begin()
}

// abandon is the client hanging up.
func (a *answer) abandon() {
	a.mu.Lock()
	a.abandoned, a.body = true, nil
	a.more.Broadcast()
	a.mu.Unlock()
	a.cancel()
}

// response is the client's side of the head.
func (a *answer) response() (*http.Response, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.cut && a.status == 0 {
		if a.broken != nil {
			return nil, a.broken
		}
		return nil, connectionReset()
	}
	response := &http.Response{
		Status: strconv.Itoa(a.status) + " " + http.StatusText(a.status), StatusCode: a.status,
		Header: a.sent, Trailer: a.trailer, ContentLength: -1, Request: a.request,
	}
	response.Proto, response.ProtoMajor, response.ProtoMinor = protocol(a.request)
	if declared, err := strconv.ParseInt(a.sent.Get("Content-Length"), 10, 64); err == nil {
		response.ContentLength = declared
	} else if a.length >= 0 {
		response.ContentLength = a.length
	}
	body := &answerBody{answer: a}
	body.stop = context.AfterFunc(a.request.Context(), func() {
		a.mu.Lock()
		defer a.mu.Unlock()
		a.more.Broadcast()
	})
	response.Body = body
	return response, nil
}

// answerBody is what the client reads.
type answerBody struct {
	answer *answer
	stop   func() bool
}

// Read waits for the handler, for a cut or for the end of the request's context.
func (b *answerBody) Read(p []byte) (int, error) {
	a := b.answer
	a.mu.Lock()
	defer a.mu.Unlock()
	for {
		switch {
		case a.abandoned:
			return 0, http.ErrBodyReadAfterClose
		case a.request.Context().Err() != nil:
			return 0, a.request.Context().Err()
		case len(a.body) > 0:
			n := copy(p, a.body)
			a.body = a.body[n:]
			return n, nil
		case a.cut && a.broken != nil:
			return 0, a.broken
		case a.cut:
			return 0, io.ErrUnexpectedEOF
		case a.done:
			return 0, io.EOF
		}
		a.more.Wait()
	}
}

// Close hangs up.
func (b *answerBody) Close() error {
	b.stop()
	b.answer.abandon()
	return nil
}
