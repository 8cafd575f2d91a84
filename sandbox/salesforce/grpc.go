package salesforce

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"
)

// A gRPC call is an HTTP/2 POST: each message of either direction has five bytes
// before it (a flag for compression, the length), the outcome comes in trailers.
// https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-HTTP2.md

// grpcMessageBytes is the largest message that is taken.
// https://developer.salesforce.com/docs/platform/pub-sub-api/guide/allocations.html
const grpcMessageBytes = 4 << 20

// grpcCode is the outcome of a call.
type grpcCode int

const (
	grpcOK                 grpcCode = 0
	grpcCancelled          grpcCode = 1
	grpcInvalidArgument    grpcCode = 3
	grpcDeadlineExceeded   grpcCode = 4
	grpcNotFound           grpcCode = 5
	grpcPermissionDenied   grpcCode = 7
	grpcResourceExhausted  grpcCode = 8
	grpcFailedPrecondition grpcCode = 9
	grpcUnimplemented      grpcCode = 12
	grpcInternal           grpcCode = 13
	grpcUnavailable        grpcCode = 14
	grpcUnauthenticated    grpcCode = 16
)

// grpcError ends a call; reason is the vendor's own code, told in a trailer.
type grpcError struct {
	code    grpcCode
	reason  string
	message string
}

func (e *grpcError) Error() string { return e.reason + ": " + e.message }

// grpcFail makes an error with the vendor's prefix before its reason.
func grpcFail(code grpcCode, reason, message string) *grpcError {
	return &grpcError{code, "sfdc.platform.eventbus.grpc." + reason, message}
}

// grpcCall is one call on the wire.
type grpcCall struct {
	w       http.ResponseWriter
	r       *http.Request
	control *http.ResponseController
	ctx     context.Context
	cancel  context.CancelFunc
	id      string
	begun   bool // the head was written
	closing sync.Once
}

func isGRPC(r *http.Request) bool {
	return r.ProtoMajor == 2 && strings.HasPrefix(r.Header.Get("Content-Type"), "application/grpc")
}

// openGRPC prepares the call: streams outlive the listener's time limits, and
// end when the caller's own deadline comes.
func openGRPC(w http.ResponseWriter, r *http.Request, id string) *grpcCall {
	g := &grpcCall{w: w, r: r, control: http.NewResponseController(w), id: id}
	// Where there is no connection (in-process) there are no limits to lift.
	_ = g.control.SetReadDeadline(time.Time{})
	_ = g.control.SetWriteDeadline(time.Time{})
	g.ctx, g.cancel = r.Context(), func() {}
	if d, ok := grpcTimeout(r.Header.Get("Grpc-Timeout")); ok {
		g.ctx, g.cancel = context.WithTimeout(g.ctx, d)
	}
	return g
}

// grpcTimeout reads "100m": up to eight digits and a unit.
func grpcTimeout(s string) (time.Duration, bool) {
	if len(s) < 2 || len(s) > 9 {
		return 0, false
	}
	n, err := strconv.ParseUint(s[:len(s)-1], 10, 32)
	unit, known := map[byte]time.Duration{'H': time.Hour, 'M': time.Minute, 'S': time.Second, 'm': time.Millisecond, 'u': time.Microsecond, 'n': 1}[s[len(s)-1]]
	return time.Duration(n) * unit, err == nil && known
}

// receive reads the next message; io.EOF says that the caller sends no more.
func (g *grpcCall) receive() ([]byte, error) {
	var head [5]byte
	if _, err := io.ReadFull(g.r.Body, head[:]); err != nil {
		return nil, err
	}
	n := binary.BigEndian.Uint32(head[1:])
	if n > grpcMessageBytes {
		return nil, grpcFail(grpcResourceExhausted, "service.protection.triggered", fmt.Sprintf("a message of %d bytes is larger than %d", n, grpcMessageBytes))
	}
	body := make([]byte, n)
	if _, err := io.ReadFull(g.r.Body, body); err != nil {
		return nil, io.ErrUnexpectedEOF
	}
	if head[0] == 0 {
		return body, nil
	}
	if encoding := g.r.Header.Get("Grpc-Encoding"); encoding != "gzip" {
		return nil, &grpcError{grpcUnimplemented, "", "compression " + strconv.Quote(encoding) + " is not supported"}
	}
	unpacked, err := gzip.NewReader(bytes.NewReader(body))
	if err != nil {
		return nil, &grpcError{grpcInternal, "", "a compressed message is no gzip"}
	}
	body, err = io.ReadAll(io.LimitReader(unpacked, grpcMessageBytes+1))
	if err != nil || len(body) > grpcMessageBytes {
		return nil, &grpcError{grpcInternal, "", "a compressed message is damaged or too large"}
	}
	return body, nil
}

// send writes one message and hands it to the network.
func (g *grpcCall) send(message []byte) error {
	g.begin()
	framed := make([]byte, 5, 5+len(message))
	binary.BigEndian.PutUint32(framed[1:], uint32(len(message)))
	if _, err := g.w.Write(append(framed, message...)); err != nil {
		return err
	}
	return g.control.Flush()
}

func (g *grpcCall) begin() {
	if g.begun {
		return
	}
	g.begun = true
	h := g.w.Header()
	h.Set("Content-Type", "application/grpc")
	h.Set("Grpc-Accept-Encoding", "gzip")
	h.Set("Rpc-Id", g.id)
	g.w.WriteHeader(http.StatusOK)
}

// hangUp makes a receive that waits return.
func (g *grpcCall) hangUp() { g.closing.Do(func() { _ = g.r.Body.Close() }) }

// finish tells the outcome: in trailers, or in the head when nothing was sent.
func (g *grpcCall) finish(err error) {
	g.cancel()
	prefix := ""
	if g.begun {
		prefix = http.TrailerPrefix
	} else {
		g.w.Header().Set("Content-Type", "application/grpc")
	}
	h := g.w.Header()
	told := g.outcome(err)
	h.Set(prefix+"Grpc-Status", strconv.Itoa(int(told.code)))
	h.Set(prefix+"Rpc-Id", g.id)
	if told.code != grpcOK {
		h.Set(prefix+"Grpc-Message", percentEncode(told.message+" rpcId: "+g.id))
		if told.reason != "" {
			h.Set(prefix+"Error-Code", told.reason)
		}
	}
	if !g.begun {
		g.w.WriteHeader(http.StatusOK)
	}
}

func (g *grpcCall) outcome(err error) *grpcError {
	var told *grpcError
	switch {
	case err == nil:
		return &grpcError{}
	case errors.As(err, &told):
		return told
	case errors.Is(g.ctx.Err(), context.DeadlineExceeded):
		return &grpcError{grpcDeadlineExceeded, "", "the call's deadline has passed"}
	case g.ctx.Err() != nil:
		return &grpcError{grpcCancelled, "", "the call was cancelled"}
	}
	return &grpcError{grpcInternal, "", err.Error()}
}

// percentEncode writes a status message as gRPC wants it.
func percentEncode(s string) string {
	var b strings.Builder
	for i := range len(s) {
		if c := s[i]; c >= ' ' && c <= '~' && c != '%' {
			b.WriteByte(c)
		} else {
			fmt.Fprintf(&b, "%%%02X", c)
		}
	}
	return b.String()
}
