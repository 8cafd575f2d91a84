package mapping

import (
	"strings"
	"testing"

	"github.com/lockstep-sync/lockstep/internal/fault"
)

func TestSetWinsChangesThatWordAndNothingElse(t *testing.T) {
	const before = `# ours: hold
hubspot: acme
salesforce: acme
objects:
  - name: companies
    hubspot: companies
    salesforce: Account
    fields:
      - {hubspot: phone, salesforce: Phone, wins: hold}   # hold, please
  - name: people   # äöü before the column: "hold"
    hubspot: contacts
    salesforce: [Contact, Lead]
    fields:
      - {hubspot: "jobtitle", salesforce: Title, wins: "hold", on: [Lead, Contact]}
      - hubspot: phone
        wins: 'hold' # not for long
        salesforce: Phone
      - {salesforce: "Ä__c", hubspot: phone, wins: hold}
      - {hubspot: fax, salesforce: Fax}
    associations:
      - {hubspot: companies, salesforce: AccountId, wins: hold}
`
	for name, test := range map[string]struct{ object, slot, old, new string }{
		"in braces":           {"companies", "phone/Phone", "salesforce: Phone, wins: hold}", "salesforce: Phone, wins: hubspot}"},
		"in quotes":           {"people", "jobtitle/Title@Contact,Lead", `wins: "hold", on`, `wins: "hubspot", on`},
		"in lines":            {"people", "phone/Phone", "wins: 'hold' # not", "wins: 'hubspot' # not"},
		"after other letters": {"people", "phone/Ä__c", "hubspot: phone, wins: hold}", "hubspot: phone, wins: hubspot}"},
		"of an association":   {"people", "companies/AccountId", "AccountId, wins: hold}", "AccountId, wins: hubspot}"},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := SetWins([]byte(before), test.object, test.slot, WinsHubSpot)
			if want := strings.Replace(before, test.old, test.new, 1); err != nil || string(got) != want {
				t.Errorf("%v\n%s", err, got)
			}
		})
	}
	for name, slot := range map[string]string{"a pair without wins": "fax/Fax", "a pair that is not there": "email/Email"} {
		if _, err := SetWins([]byte(before), "people", slot, WinsHubSpot); fault.KindOf(err) != fault.Invalid || fault.MendOf(err) == "" {
			t.Errorf("%s: %v", name, err)
		}
	}
}
