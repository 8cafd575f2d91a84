package engine_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const routingYAML = `
hubspot: acme
salesforce: acme
objects:
  - name: companies
    hubspot: companies
    salesforce: Account
    match: [{hubspot: domain, salesforce: Website, as: domain}]
    create: in-salesforce
    fields:
      - {hubspot: name, salesforce: Name}
      - {hubspot: domain, salesforce: Website}
  - name: people
    hubspot: contacts
    salesforce:
      - {object: Contact, when: 'known("companies", domain(hubspot.email))'}
      - {object: Lead}
    match: [{hubspot: email, salesforce: Email, as: email}]
    create: both
    fields:
      - {hubspot: lastname, salesforce: LastName}
      - {hubspot: email, salesforce: Email}
      - {hubspot: company, salesforce: Company, blank: "[not provided]", on: [Lead], direction: to-salesforce}
    associations: [{hubspot: companies, salesforce: AccountId, on: [Contact]}]
`

func TestR9ColleaguesOfACustomerBecomeContactsAndOthersLeads(t *testing.T) {
	for name, test := range map[string]struct {
		before  func(w *world) // before the first sync
		between func(w *world) // before the sync with the new contact
		email   string
		object  string
		account string // the name of the Account it refers to
	}{
		"an Account has the domain": {
			before: func(w *world) { w.salesforce.add("Account", "Name", "Acme", "Website", "https://www.acme.test/about") },
			email:  "new@acme.test", object: "Contact", account: "Acme",
		},
		"no Account has it": {email: "new@elsewhere.test", object: "Lead"},
		"a free-mail host says nothing": {
			before: func(w *world) { w.salesforce.add("Account", "Name", "Mailers", "Website", "gmail.com") },
			email:  "new@gmail.com", object: "Lead",
		},
		"the HubSpot company with the domain is linked with an Account that has no website": {
			before:  func(w *world) { w.hubspot.add("companies", "name", "Acme", "domain", "acme.test") },
			between: func(w *world) { w.salesforce.forget("Account", "Website") },
			email:   "new@acme.test", object: "Contact", account: "Acme",
		},
		"the company is created in the same run": {
			between: func(w *world) { w.hubspot.add("companies", "name", "Acme", "domain", "acme.test") },
			email:   "new@acme.test", object: "Contact", account: "Acme",
		},
		"two Accounts have the domain: it is a customer, but whose is not known": {
			before: func(w *world) {
				w.salesforce.add("Account", "Name", "Acme", "Website", "acme.test")
				w.salesforce.add("Account", "Name", "Acme two", "Website", "acme.test")
			},
			email: "new@acme.test", object: "Contact",
		},
		"the Account is deleted meanwhile": {
			before: func(w *world) { w.salesforce.add("Account", "Name", "Acme", "Website", "acme.test") },
			between: func(w *world) {
				w.salesforce.archive("Account", w.salesforce.sorted("Account", func(*row) bool { return true })[0])
			},
			email: "new@acme.test", object: "Lead",
		},
		"the Account changed its website meanwhile, and no feed tells": {
			before:  func(w *world) { w.salesforce.add("Account", "Name", "Acme", "Website", "acme.test") },
			between: func(w *world) { w.salesforce.forget("Account", "Website"); w.salesforce.late = true },
			email:   "new@acme.test", object: "Lead",
		},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			w.yaml = routingYAML
			if test.before != nil {
				test.before(w)
			}
			w.sync()
			w.sync()
			if test.between != nil {
				test.between(w)
			}
			w.hubspot.add("contacts", "lastname", "New", "email", test.email)
			w.sync()
			got := map[string][]string{"Contact": w.salesforce.live("Contact", "Email"), "Lead": w.salesforce.live("Lead", "Email")}
			want := map[string][]string{"Contact": nil, "Lead": nil, test.object: {"Email=" + test.email}}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Fatalf("people (-want +got):\n%s", diff)
			}
			if test.object == "Contact" {
				account := strings.TrimPrefix(w.salesforce.live("Contact", "AccountId")[0], "AccountId=")
				if got := w.salesforce.value("Account", account, "Name"); got != test.account && !(test.account == "" && account == "") {
					t.Errorf("it refers to %q, want %q", got, test.account)
				}
			}
			w.salesforce.late = false
			w.silent()
		})
	}
}

func TestR9TheCompanyOfTheContactItselfGoesBeforeTheKnownOne(t *testing.T) {
	w := newWorld(t)
	w.yaml = routingYAML
	w.salesforce.add("Account", "Name", "By domain", "Website", "acme.test")
	own := w.hubspot.add("companies", "name", "Own", "domain", "own.test")
	contact := w.hubspot.add("contacts", "lastname", "New", "email", "new@acme.test")
	w.hubspot.relate("contacts", contact, "companies", own)
	w.sync()
	account := strings.TrimPrefix(w.salesforce.live("Contact", "AccountId")[0], "AccountId=")
	if got := w.salesforce.value("Account", account, "Name"); got != "Own" {
		t.Errorf("it refers to %q", got)
	}
	w.silent()
}

// forget blanks a field of all records without a trace: no feed tells.
func (v *vendor) forget(object, field string) {
	v.mu.Lock()
	defer v.mu.Unlock()
	for _, r := range v.objects[object] {
		r.values[field] = ""
	}
}

// TestAPersonNoWhenTookIsDecidedAgainWhenAnAccountAppears: colleagues of no customer
// are left out; the first Account of their domain wakes them, and nobody else.
func TestAPersonNoWhenTookIsDecidedAgainWhenAnAccountAppears(t *testing.T) {
	for name, appears := range map[string]func(w *world){
		"a person makes the Account": func(w *world) {
			w.salesforce.add("Account", "Name", "Acme", "Website", "https://www.acme.test/about")
		},
		"an Account gets the website": func(w *world) {
			w.salesforce.edit("Account", w.salesforce.sorted("Account", func(*row) bool { return true })[0], "Website", "acme.test")
		},
		"a company comes, and Lockstep makes the Account": func(w *world) {
			w.hubspot.add("companies", "name", "Acme", "domain", "acme.test")
		},
		"a company was left out, and takes part now": func(w *world) {
			w.hubspot.edit("companies", w.hubspot.sorted("companies", func(r *row) bool { return r.values["name"] == "Left out" })[0], "name", "Acme")
		},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			w.yaml = replace(replace(routingYAML, "      - {object: Lead}\n", ""), ", on: [Lead]", ", on: [Contact]")
			w.yaml = replace(w.yaml, "      - {hubspot: company, salesforce: Company, blank: \"[not provided]\", on: [Contact], direction: to-salesforce}\n", "")
			w.yaml = replace(w.yaml, "    create: in-salesforce\n", "    create: in-salesforce\n    where: {hubspot: 'hubspot.name != \"Left out\"'}\n")
			w.salesforce.add("Account", "Name", "Nobody's")
			if strings.HasPrefix(name, "a company was") {
				w.hubspot.add("companies", "name", "Left out", "domain", "acme.test")
			}
			ann := w.hubspot.add("contacts", "lastname", "Lee", "email", "ann@acme.test")
			w.hubspot.add("contacts", "lastname", "Ray", "email", "bob@elsewhere.test")
			if run := w.sync(); run.Writes.Created != 0 || run.Tally.Excluded < 2 {
				t.Fatalf("%+v, wrote %+v", run.Tally, run.Writes)
			}
			w.silent()
			appears(w)
			w.sync()
			if diff := cmp.Diff([]string{"Email=ann@acme.test"}, w.salesforce.live("Contact", "Email")); diff != "" {
				t.Errorf("contacts (-want +got):\n%s\n%v", diff, w.story(ann))
			}
			w.silent()
		})
	}
}
