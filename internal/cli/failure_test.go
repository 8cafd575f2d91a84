package cli

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/lockstep-sync/lockstep/internal/fault"
)

func TestEveryErrorHasItsExitCode(t *testing.T) {
	for _, c := range []struct {
		name string
		err  error
		want int
	}{
		{"no error is success", nil, fault.ExitOK},
		{"a wrong command line or mapping", fault.New(fault.Invalid, "x"), fault.ExitUsage},
		{"a dead credential, wrapped twice", fmt.Errorf("a: %w", fmt.Errorf("b: %w", fault.New(fault.Denied, "x"))), fault.ExitDenied},
		{"a vendor that is down", fault.New(fault.Unavailable, "x"), fault.ExitUnavailable},
		{"a used-up quota", fault.New(fault.RateLimited, "x"), fault.ExitUnavailable},
		{"another process at work", fault.New(fault.Conflict, "x"), fault.ExitConflict},
		{"a full disk", fault.New(fault.Internal, "x"), fault.ExitStorage},
		{"something that is not there", fault.New(fault.NotFound, "x"), fault.ExitProblem},
		{"an error of no kind", errors.New("x"), fault.ExitProblem},
		{"records that failed", &exitError{fault.ExitRecords, fault.New(fault.Invalid, "x")}, fault.ExitRecords},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := exitCode(c.err); got != c.want {
				t.Errorf("got %d, want %d", got, c.want)
			}
		})
	}
}

func TestAnErrorEndsWithItsNextStep(t *testing.T) {
	var errs bytes.Buffer
	err := fmt.Errorf("read contacts: %w", fault.New(fault.Denied, "the token is dead").WithMend("lockstep connect hubspot"))
	if code := tellFailure(Streams{Err: &errs}, false, err); code != fault.ExitDenied {
		t.Errorf("got code %d", code)
	}
	if want := "error: read contacts: the token is dead\n  next: lockstep connect hubspot\n"; errs.String() != want {
		t.Errorf("got %q, want %q", errs.String(), want)
	}
	errs.Reset()
	tellFailure(Streams{Err: &errs}, true, err)
	if want := `{"error":"read contacts: the token is dead","kind":"denied","next":"lockstep connect hubspot","exit":3}` + "\n"; errs.String() != want {
		t.Errorf("got %q, want %q", errs.String(), want)
	}
}

func TestAWordThatMayBeASecretIsNotRepeated(t *testing.T) {
	for _, word := range []string{
		"pat-na1-00000000-fake-0000-0000-000000000000", "01234567-89ab-cdef-0123-456789abcdef",
		"00D000000000001!AQ.fake.fake", strings.Repeat("x", 60),
	} {
		var out, errs bytes.Buffer
		for _, line := range [][]string{{word}, {"connect", word}, {"connect", "hubspot", word}, {"check", word}, {"connect", "hubspot", "--token", word}, {"connect", "salesforce", "--client-secret=" + word, "--client-id", "3MVG9fakefakefakefakefake", "--login-url", "https://acme.my.salesforce.com"}} {
			if code := Run(context.Background(), line, Streams{In: strings.NewReader(""), Out: &out, Err: &errs, Dir: t.TempDir()}); code != fault.ExitUsage {
				t.Errorf("%v ended with %d", line, code)
			}
		}
		if strings.Contains(out.String()+errs.String(), word) {
			t.Errorf("the word is repeated:\n%s%s", &out, &errs)
		}
	}
}
