package reconcile_test

import (
	"math/rand/v2"
	"slices"
	"strconv"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/lockstep-sync/lockstep/internal/crm"
	"github.com/lockstep-sync/lockstep/internal/reconcile"
)

func TestAPersonIsFoundByEachAddress(t *testing.T) {
	o := bind(t, "people", peopleYAML)
	for name, test := range map[string]struct {
		email, also string
		want        []string
	}{
		"one address":                           {"Ada@Acme.example", "", []string{"ada@acme.example"}},
		"several":                               {"ada@acme.example", "a.king@acme.example;Ada@home.example", []string{"ada@acme.example", "a.king@acme.example", "ada@home.example"}},
		"the same twice":                        {"ada@acme.example", "ADA@acme.example", []string{"ada@acme.example"}},
		"only further ones":                     {"", "ada@home.example", []string{"ada@home.example"}},
		"what is no address is none":            {"ada@acme.example", "; ;ada", []string{"ada@acme.example"}},
		"no address at all: found by no e-mail": {"", "", nil},
	} {
		t.Run(name, func(t *testing.T) {
			var got []string
			for _, k := range reconcile.Keys(o, crm.HubSpot, "contacts", hubspot(o, "1", "email", test.email, "hs_additional_emails", test.also)) {
				if k.Rule == 0 {
					got = append(got, k.Value)
				}
			}
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestACompanyIsFoundByEachDomain(t *testing.T) {
	const yaml = `
  - name: companies
    hubspot: companies
    salesforce: Account
    match: [{hubspot: domain, salesforce: Website, as: domain}, {hubspot: name, salesforce: Name, as: text}]
    fields: [{hubspot: name, salesforce: Name}]
`
	o := bind(t, "companies", yaml)
	if o.HubSpotRead.Layout.Index("hs_additional_domains") < 0 {
		t.Fatal("the further domains are not read")
	}
	h := hubspot(o, "1", "name", "Acme", "domain", "acme.example", "hs_additional_domains", "acme.test;www.acme-group.example")
	account := func(website string) reconcile.Candidate {
		return reconcile.Candidate{Object: "Account", Rule: 1, Record: salesforce(o, "Account", accountID, "Name", "Acme", "Website", website)}
	}
	// The name matches; a domain that is none of ours says that it is another company.
	for website, want := range map[string]string{"acme.test": reconcile.CodeLinked, "acme-group.example": reconcile.CodeLinked, "": reconcile.CodeLinked, "other.example": reconcile.CodeCreated} {
		d := reconcile.Decide(o, reconcile.Snapshot{HubSpot: h, Candidates: []reconcile.Candidate{account(website)}})
		if d.Reason.Code != want {
			t.Errorf("an Account with website %q: %s, want %s", website, d.Reason.Code, want)
		}
	}
}

// TestR6OneRecordThatMatchesSeveralIsNeverBoundWhateverTheirOrder brings the same
// candidates and rivals in 1,000 orders.
func TestR6OneRecordThatMatchesSeveralIsNeverBoundWhateverTheirOrder(t *testing.T) {
	o := bind(t, "people", peopleYAML)
	h := hubspot(o, "1", "lastname", "King", "email", "ada@acme.example", "hs_additional_emails", "ada@home.example", "lifecyclestage", "lead")
	var candidates []reconcile.Candidate
	for i, email := range []string{"ada@acme.example", "ada@home.example", "ADA@acme.example"} {
		id := "00300000000000" + strconv.Itoa(i) + "AAA"
		candidates = append(candidates, reconcile.Candidate{Object: "Contact", Record: salesforce(o, "Contact", id, "LastName", "King", "Email", email)})
	}
	rivals := []crm.Ref{{Side: crm.HubSpot, Object: "contacts", ID: "2"}, {Side: crm.HubSpot, Object: "contacts", ID: "3"}}
	random := rand.New(rand.NewPCG(6, 6))
	var first map[string]reconcile.Decision
	for n := range 1000 {
		random.Shuffle(len(candidates), func(i, j int) { candidates[i], candidates[j] = candidates[j], candidates[i] })
		random.Shuffle(len(rivals), func(i, j int) { rivals[i], rivals[j] = rivals[j], rivals[i] })
		one := slices.IndexFunc(candidates, func(c reconcile.Candidate) bool { return c.Record.ID == "003000000000001AAA" })
		got := map[string]reconcile.Decision{
			"several candidates":            reconcile.Decide(o, reconcile.Snapshot{HubSpot: h, Candidates: slices.Clone(candidates)}),
			"one candidate, several rivals": reconcile.Decide(o, reconcile.Snapshot{HubSpot: h, Candidates: []reconcile.Candidate{candidates[one]}, Rivals: slices.Clone(rivals)}),
		}
		if first == nil {
			first = got
		}
		for name, d := range got {
			if d.Outcome != crm.Held || d.NewLink != nil || len(d.Writes) > 0 || d.Reason.Code != reconcile.CodeAmbiguous {
				t.Fatalf("%s, order %d: %s %s, link %v", name, n, d.Outcome, d.Reason.Code, d.NewLink)
			}
			if diff := cmp.Diff(first[name], d); diff != "" {
				t.Fatalf("%s, order %d (-first +now):\n%s", name, n, diff)
			}
		}
	}
}
