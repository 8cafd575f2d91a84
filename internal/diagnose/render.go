package diagnose

import (
	"fmt"
	"net/http"
	"strings"

	"github.com/lockstep-sync/lockstep/internal/crm"
)

// String tells a diagnosis to a person, in a few lines that end with a newline.
func (d Diagnosis) String() string {
	var b strings.Builder
	b.WriteString(d.headline() + "\n")
	for _, f := range d.Findings {
		fmt.Fprintf(&b, "  %s: %s\n", f.Class, f.What)
		line := func(label, text string) {
			if text != "" {
				fmt.Fprintf(&b, "    %s: %s\n", label, text)
			}
		}
		line("scopes", f.scopeList())
		line("permission", f.Permission)
		line("limit", f.Limit)
		line("fields", strings.Join(f.Fields, ", "))
		if d.Vendor != "" && !strings.HasPrefix(f.Class, "network.") {
			line(d.Vendor.Title()+" says", f.Said)
		} else {
			line("it says", f.Said)
		}
		line("next", f.Next)
		line("the same call can work", f.Retry)
		line("see", f.Page)
	}
	return b.String()
}

func (f Finding) scopeList() string {
	if f.Any {
		return "one of " + strings.Join(f.Scopes, ", ")
	}
	return strings.Join(f.Scopes, ", ")
}

// headline names the call: GET https://… : HTTP 401 Unauthorized (HubSpot).
func (d Diagnosis) headline() string {
	var parts []string
	if d.Name != "" {
		parts = append(parts, d.Name)
	}
	if call := strings.TrimSpace(d.Method + " " + d.URL); call != "" && d.URL != "" {
		parts = append(parts, call)
	}
	switch {
	case d.Status != 0:
		parts = append(parts, strings.TrimSpace(fmt.Sprintf("HTTP %d %s", d.Status, http.StatusText(d.Status))))
	case len(parts) == 0:
		parts = append(parts, "An answer without its status")
	}
	line := strings.Join(parts, ": ")
	var notes []string
	if d.Vendor == crm.HubSpot || d.Vendor == crm.Salesforce {
		notes = append(notes, d.Vendor.Title())
	}
	if d.RequestID != "" {
		notes = append(notes, "request id "+d.RequestID)
	}
	if len(notes) > 0 {
		line += " (" + strings.Join(notes, ", ") + ")"
	}
	return line
}
