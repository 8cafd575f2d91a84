package engine_test

import (
	"slices"
	"strings"

	"github.com/lockstep-sync/lockstep/internal/crm"
	"github.com/lockstep-sync/lockstep/internal/fault"
)

// refuseNamed refuses writes that carry this value.
func refuseNamed(value string) func(crm.Write) error {
	return func(w crm.Write) error {
		if slices.ContainsFunc(w.Fields, func(f crm.FieldValue) bool { return f.Value.Text == value }) {
			return fault.New(fault.Invalid, "the value is refused")
		}
		return nil
	}
}

func replace(s, old, with string) string { return strings.Replace(s, old, with, 1) }
