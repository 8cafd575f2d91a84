package reconcile

import (
	"github.com/lockstep-sync/lockstep/internal/crm"
	"github.com/lockstep-sync/lockstep/internal/mapping"
)

// Same tells whether two values of one field of one side mean the same, however
// the vendor writes them: it may have changed the case of an e-mail or the scale
// of a number since we wrote it. field may be nil; then only the text counts.
func Same(field *crm.Field, side crm.Side, a, b crm.Value) bool {
	if !a.IsPresent() || !b.IsPresent() {
		return a.IsPresent() == b.IsPresent() && !unread(a) && !unread(b)
	}
	if field == nil {
		return cleanText(a.Text) == cleanText(b.Text)
	}
	if field.Kind == crm.KindReference && side == crm.Salesforce {
		return wideID(a.Text) == wideID(b.Text)
	}
	return sameOn(field, side, a, b)
}

// StageBackwards tells whether HubSpot would silently ignore the move of a
// lifecycle stage: stages only go forward.
func StageBackwards(field *crm.Field, from, to crm.Value) bool {
	return field != nil && field.Name == "lifecyclestage" && backwards(field, from.Text, to.Text)
}

// RuleText says a match rule as messages do: "email (email, Email)"; the name of
// the external id field for the rule that it makes.
func RuleText(o *mapping.BoundObject, rule int) string {
	return (&decider{object: o}).ruleText(rule)
}
