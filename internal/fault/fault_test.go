package fault_test

import (
	"errors"
	"fmt"
	"io"
	"testing"

	"github.com/lockstep-sync/lockstep/internal/fault"
)

func TestTheNextStepIsFoundWhereverItStands(t *testing.T) {
	full := fault.New(fault.Internal, "the disk is full").WithMend("free some space")
	for name, test := range map[string]struct {
		err  error
		want string
	}{
		"a fault itself":                          {full, "free some space"},
		"a wrapped fault":                         {fmt.Errorf("save the run: %w", full), "free some space"},
		"the innermost of two faults":             {fault.New(fault.Internal, "sync").WithMend("try again").Wrap(full), "free some space"},
		"an outer one where the inner has none":   {fault.New(fault.Unavailable, "sync").WithMend("try again").Wrap(io.EOF), "try again"},
		"the first of joined errors that has one": {errors.Join(io.EOF, full), "free some space"},
		"a joined one below a wrap":               {fmt.Errorf("close: %w", errors.Join(io.EOF, full)), "free some space"},
		"an error that is no fault":               {io.EOF, ""},
		"no error":                                {nil, ""},
	} {
		t.Run(name, func(t *testing.T) {
			if got := fault.MendOf(test.err); got != test.want {
				t.Errorf("got %q, want %q", got, test.want)
			}
		})
	}
}

func TestTheKindIsThatOfTheOutermostFault(t *testing.T) {
	inner := fault.New(fault.RateLimited, "too many calls")
	for name, test := range map[string]struct {
		err  error
		want fault.Kind
	}{
		"a wrapped fault":             {fmt.Errorf("read: %w", inner), fault.RateLimited},
		"a fault about a fault":       {fault.New(fault.Unavailable, "read").Wrap(inner), fault.Unavailable},
		"an error that is no fault":   {io.EOF, fault.Internal},
		"no error has no kind at all": {nil, ""},
	} {
		t.Run(name, func(t *testing.T) {
			if got := fault.KindOf(test.err); got != test.want {
				t.Errorf("got %q, want %q", got, test.want)
			}
		})
	}
}
