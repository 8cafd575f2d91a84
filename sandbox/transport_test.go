package sandbox

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"
)

// call runs one handler behind the in-process transport.
func call(ctx context.Context, h http.HandlerFunc, method, body string) (*http.Response, error) {
	r, err := http.NewRequestWithContext(ctx, method, "https://api.hubapi.com/a%2Fb?x=1", strings.NewReader(body))
	if err != nil {
		return nil, err
	}
	served, err := asServed(ctx, r)
	if err != nil {
		return nil, err
	}
	inner, cancel := context.WithCancel(ctx)
	a := newAnswer(r, cancel)
	go a.serve(h, served.WithContext(inner))
	select {
	case <-a.begun:
		return a.response()
	case <-ctx.Done():
		a.abandon()
		return nil, ctx.Err()
	}
}

func TestAHandlerSeesTheRequestAsAServerWould(t *testing.T) {
	defer goleak.VerifyNone(t)
	response, err := call(t.Context(), func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Host != "" || r.RequestURI != "/a%2Fb?x=1" || r.URL.EscapedPath() != "/a%2Fb" || r.Host != "api.hubapi.com" {
			t.Errorf("got %q %q %q host %q", r.URL, r.RequestURI, r.URL.EscapedPath(), r.Host)
		}
		body, _ := io.ReadAll(r.Body)
		w.Header().Set("X-Seen", string(body))
		w.WriteHeader(http.StatusCreated)
		w.Header().Set("X-Late", "never sent")
		_, _ = io.WriteString(w, "done")
	}, http.MethodPost, "hello")
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil || string(body) != "done" || response.StatusCode != 201 || response.ContentLength != 4 ||
		response.Header.Get("X-Seen") != "hello" || response.Header.Get("X-Late") != "" {
		t.Errorf("got %d %q %v, length %d, %v", response.StatusCode, body, response.Header, response.ContentLength, err)
	}
}

func TestACutConnection(t *testing.T) {
	defer goleak.VerifyNone(t)
	t.Run("before the answer is a reset", func(t *testing.T) {
		_, err := call(t.Context(), func(w http.ResponseWriter, _ *http.Request) {
			_, _ = io.WriteString(w, "lost")
			panic(http.ErrAbortHandler)
		}, http.MethodGet, "")
		if !errors.Is(err, syscall.ECONNRESET) {
			t.Errorf("got %v, want a connection reset", err)
		}
	})
	t.Run("within the body is an unexpected end", func(t *testing.T) {
		response, err := call(t.Context(), func(w http.ResponseWriter, _ *http.Request) {
			_, _ = io.WriteString(w, "half")
			w.(http.Flusher).Flush()
			panic(http.ErrAbortHandler)
		}, http.MethodGet, "")
		if err != nil {
			t.Fatal(err)
		}
		defer response.Body.Close()
		body, err := io.ReadAll(response.Body)
		if string(body) != "half" || !errors.Is(err, io.ErrUnexpectedEOF) {
			t.Errorf("got %q, %v; want half and an unexpected end", body, err)
		}
	})
	t.Run("a handler that panics is told to the caller", func(t *testing.T) {
		_, err := call(t.Context(), func(http.ResponseWriter, *http.Request) { panic("wrong index") }, http.MethodGet, "")
		if err == nil || !strings.Contains(err.Error(), "wrong index") {
			t.Errorf("got %v", err)
		}
	})
}

func TestASlowAnswerInABubble(t *testing.T) {
	slow := func(w http.ResponseWriter, r *http.Request) {
		select {
		case <-time.After(time.Hour):
			_, _ = io.WriteString(w, "at last")
		case <-r.Context().Done():
		}
	}
	synctest.Test(t, func(t *testing.T) {
		began := time.Now()
		response, err := call(t.Context(), slow, http.MethodGet, "")
		if err != nil {
			t.Fatal(err)
		}
		body, _ := io.ReadAll(response.Body)
		response.Body.Close()
		if string(body) != "at last" || time.Since(began) != time.Hour {
			t.Errorf("got %q after %v", body, time.Since(began))
		}
	})
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		began := time.Now()
		if _, err := call(ctx, slow, http.MethodGet, ""); !errors.Is(err, context.DeadlineExceeded) || time.Since(began) != time.Minute {
			t.Errorf("got %v after %v, want the deadline after a minute", err, time.Since(began))
		}
	})
}

func TestABodyThatStreams(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		response, err := call(t.Context(), func(w http.ResponseWriter, _ *http.Request) {
			for range 3 {
				_, _ = io.WriteString(w, "tick")
				w.(http.Flusher).Flush()
				time.Sleep(time.Second)
			}
		}, http.MethodGet, "")
		if err != nil {
			t.Fatal(err)
		}
		defer response.Body.Close()
		piece := make([]byte, 10)
		for i := range 3 {
			began := time.Now()
			n, err := response.Body.Read(piece)
			if string(piece[:n]) != "tick" || err != nil || i > 0 && time.Since(began) != time.Second {
				t.Errorf("piece %d: %q, %v after %v", i, piece[:n], err, time.Since(began))
			}
		}
		if n, err := response.Body.Read(piece); n != 0 || err != io.EOF {
			t.Errorf("at the end: %d, %v", n, err)
		}
	})
}

func TestAnUnreadAnswerLeavesNothingBehind(t *testing.T) {
	defer goleak.VerifyNone(t)
	response, err := call(t.Context(), func(w http.ResponseWriter, _ *http.Request) {
		_, _ = w.Write(bytes.Repeat([]byte("x"), 1<<20))
	}, http.MethodGet, "")
	if err != nil {
		t.Fatal(err)
	}
	if response.StatusCode != 200 {
		t.Errorf("status %d", response.StatusCode)
	}
	// The body is neither read nor closed.
}

func TestHeadAndNoContentHaveNoBody(t *testing.T) {
	response, err := call(t.Context(), func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "unsent") }, http.MethodHead, "")
	if err != nil {
		t.Fatal(err)
	}
	if body, _ := io.ReadAll(response.Body); len(body) != 0 {
		t.Errorf("HEAD has a body %q", body)
	}
	response, err = call(t.Context(), func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNoContent) }, http.MethodDelete, "")
	if err != nil || response.StatusCode != 204 {
		t.Fatalf("got %v, %v", response, err)
	}
}

func TestAnswersAreDatedByTheSandboxClock(t *testing.T) {
	s, err := New(Config{Seed: "empty"})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	s.Clock().Advance(-48 * time.Hour)
	for _, address := range []string{"https://api.hubapi.com/crm/v3/owners", "https://login.salesforce.com/services/data"} {
		answer, err := s.Client().Get(address)
		if err != nil {
			t.Fatal(err)
		}
		answer.Body.Close()
		told, err := http.ParseTime(answer.Header.Get("Date"))
		if err != nil {
			t.Fatalf("%s: the Date header %q: %v", address, answer.Header.Get("Date"), err)
		}
		if behind := time.Since(told); behind < 47*time.Hour {
			t.Errorf("%s is dated %s, %s ago; the clock was set two days back", address, told, behind)
		}
	}
}
