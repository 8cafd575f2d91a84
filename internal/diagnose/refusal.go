package diagnose

import "github.com/lockstep-sync/lockstep/internal/crm"

// Refusal says what a vendor's code means where the answer itself is gone and
// only code, message and fields were kept. It is false for codes that are not
// known.
func Refusal(vendor crm.Side, code, message string, fields []string) (Finding, bool) {
	var found []Finding
	if vendor == crm.Salesforce {
		found = one(salesforceFinding(salesforceProblem{ErrorCode: code, Message: message, Fields: fields}))
	} else {
		r := &hubSpotBody{Category: code, PolicyName: policyOf(code), SubCategory: code, Message: message, Code: code}
		e := &Exchange{}
		for _, rule := range []func(*Exchange, *hubSpotBody) []Finding{hubSpotDenied, hubSpotValues, hubSpotWorded, hubSpotLimit} {
			if len(found) == 0 {
				found = rule(e, r)
			}
		}
	}
	if len(found) == 0 || found[0].Class == "unknown" {
		return Finding{}, false
	}
	f := found[0]
	f.Known, f.Said = true, Redacted(clip(message))
	if len(f.Fields) == 0 {
		f.Fields = fields
	}
	return f, true
}

// policyOf is a code that names a limit.
func policyOf(code string) string {
	switch code {
	case "DAILY", "TEN_SECONDLY_ROLLING", "SECONDLY":
		return code
	}
	return ""
}

// Redacted is text without what looks like a credential.
func Redacted(text string) string { return newHider(&Exchange{Body: text}).text(text) }
