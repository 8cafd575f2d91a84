package engine

import (
	"strings"
	"testing"

	"github.com/lockstep-sync/lockstep/internal/crm"
)

func TestTheOwnerBookSaysWhyAnOwnerHasNoCounterpart(t *testing.T) {
	b := &ownerBook{other: map[crm.Side]map[string]string{crm.HubSpot: {}, crm.Salesforce: {}}, names: map[crm.Side]map[string]string{crm.HubSpot: {}, crm.Salesforce: {}},
		people: map[crm.Side]map[string]crm.Owner{crm.HubSpot: {}, crm.Salesforce: {}}}
	hubspot := []crm.Owner{
		{ID: "1", Email: "ada@acme.example", Active: true}, {ID: "2", Email: "left@acme.example", Active: true}, {ID: "3", Email: "two@acme.example", Active: true},
		{ID: "4", Email: "only.here@acme.example", Active: true}, {ID: "5", Name: "Support", Email: "support@acme.example", Queue: true, Active: true}, {ID: "6", Active: true},
	}
	salesforce := []crm.Owner{
		{ID: "005A", Email: "Ada@acme.example", Username: "ada@acme.example.prod", Active: true}, {ID: "005B", Email: "left@acme.example", Active: false},
		{ID: "005C", Email: "two@acme.example", Username: "two@one", Active: true}, {ID: "005D", Email: "two@acme.example", Username: "two@two", Active: true},
	}
	b.add(crm.HubSpot, hubspot, salesforce)
	b.add(crm.Salesforce, salesforce, hubspot)
	for name, c := range map[string]struct {
		side crm.Side
		id   string
		want string
	}{
		"one who left Salesforce":               {crm.HubSpot, "2", "is not active in Salesforce"},
		"one of whom Salesforce has two":        {crm.HubSpot, "3", "is one of 2 active users"},
		"one who is in HubSpot only":            {crm.HubSpot, "4", "has no counterpart in Salesforce"},
		"a queue of HubSpot":                    {crm.HubSpot, "5", "is a queue"},
		"one without an address":                {crm.HubSpot, "6", "has no e-mail address"},
		"one that HubSpot does not know":        {crm.HubSpot, "77", "is not among those who may own records"},
		"a queue of Salesforce":                 {crm.Salesforce, "00G000000000001AAA", "is a queue, and HubSpot has no owner for that"},
		"a Salesforce user who may not own any": {crm.Salesforce, "005Z", "is not among those who may own records"},
	} {
		if got := b.trouble(c.side, c.id); !strings.Contains(got, c.want) {
			t.Errorf("%s: %q, want %q", name, got, c.want)
		}
	}
	for name, want := range map[string]string{"ada@acme.example": "005A", "ADA@acme.example.PROD": "005A", "two@one": "005C", "two@acme.example": "", "left@acme.example": "", "nobody": ""} {
		id, ok := b.named(crm.Salesforce, name)
		if ok != (want != "") || ok && id != want {
			t.Errorf("%s is %q (%v), want %q", name, id, ok, want)
		}
	}
}
