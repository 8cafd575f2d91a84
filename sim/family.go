package main

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"

	"github.com/lockstep-sync/lockstep/internal/crm"
)

// family is the mapping of one history: what lockstep.yaml says, once as the
// text that the program gets and once as the oracle knows it.
type family struct {
	objects []*object
	creates int // brakes; 0: none
	updates int
	deletes int
	yaml    string
}

// object is one mapped object.
type object struct {
	name   string
	hub    string
	sf     string
	key    *field // the match key, which is mapped too or only matched
	fields []*field
	// external: Salesforce records carry the HubSpot id.
	external bool
	// leads: who is a Contact in Salesforce follows from the tier, the others are
	// Leads, and people convert them.
	leads bool
	// belongs: HubSpot's company and Salesforce's AccountId are kept the same.
	belongs bool
	create  string
	deletes string
	// leaves out, by side, records with this value in tier.
	whereHub, whereSF string
	// looked are the fields that the ledger watches, by side.
	looked map[crm.Side][]string
	place  map[crm.Side]map[string]int
}

const (
	tierHub, tierSF = "sim_tier", "Tier__c"
	externalField   = "HubSpot_Id__c"
	moreEmails      = "hs_additional_emails"
	companyOf       = "associatedcompanyid" // HubSpot shows the primary company there
	accountOf       = "AccountId"
	canaryHub       = "sim_canary" // mapped by nobody
	canarySF        = "Canary__c"
)

// tiers are the values of the choice: mapped ones and one on each side that is not.
var tiers = [][2]string{{"gold", "G"}, {"silver", "S"}, {"internal", "I"}}

const strayTierHub, strayTierSF = "stray", "X"

func (o *object) sfCreates() bool { return o.create == "both" || o.create == "in-salesforce" }
func (o *object) hubCreates() bool {
	return o.create == "both" || o.create == "in-hubspot"
}

func (o *object) creates(on crm.Side) bool {
	if on == crm.HubSpot {
		return o.hubCreates()
	}
	return o.sfCreates()
}

// contactTier is HubSpot's tier of those that become Contacts where there are Leads.
const contactTier = "gold"

// sfObjects are the Salesforce objects that records of an object may be.
func (o *object) sfObjects() []string {
	if o.leads {
		return []string{o.sf, "Lead"}
	}
	return []string{o.sf}
}

func (o *object) vendorName(side crm.Side) string {
	if side == crm.HubSpot {
		return o.hub
	}
	return o.sf
}

// passes tells whether the filter of one side lets a record take part.
func (o *object) passes(side crm.Side, values []string) bool {
	if side == crm.HubSpot {
		return o.whereHub == "" || tidy(values[o.place[side][tierHub]]) != o.whereHub
	}
	return o.whereSF == "" || tidy(values[o.place[side][tierSF]]) != o.whereSF
}

// keys are a record's match keys in canonical form: its domain, or its address
// and, in HubSpot, its additional addresses.
func (o *object) keys(side crm.Side, values []string) []string {
	v := values[o.place[side][o.key.name(side)]]
	if o.key.kind == domain {
		if v = host(v); v == "" {
			return nil
		}
		return []string{v}
	}
	all := []string{v}
	if column, ok := o.place[side][moreEmails]; ok {
		all = append(all, strings.Split(values[column], ";")...)
	}
	var keys []string
	for _, v := range all {
		if v = o.key.canon(side, v); v != "" {
			keys = append(keys, v)
		}
	}
	return keys
}

func share(a, b []string) bool {
	return slices.ContainsFunc(a, func(k string) bool { return slices.Contains(b, k) })
}

func (f *family) object(side crm.Side, vendorName string) *object {
	for _, o := range f.objects {
		if o.vendorName(side) == vendorName || side == crm.Salesforce && slices.Contains(o.sfObjects(), vendorName) {
			return o
		}
	}
	return nil
}

// newFamily draws a mapping.
func newFamily(random *rand.Rand) *family {
	f := &family{}
	switch random.IntN(4) {
	case 0:
		f.objects = []*object{company()}
	case 1:
		f.objects = []*object{person()}
	default:
		f.objects = []*object{company(), person()}
	}
	for _, o := range f.objects {
		o.draw(random)
	}
	if random.IntN(4) == 0 {
		f.creates = 1 + random.IntN(4)
	}
	if random.IntN(4) == 0 {
		f.updates = 1 + random.IntN(4)
	}
	if random.IntN(3) == 0 {
		f.deletes = 1 + random.IntN(2)
	}
	f.yaml = f.text()
	return f
}

// relate lets the people of a family belong to its companies.
func (f *family) relate() {
	o := f.objects[len(f.objects)-1]
	if len(f.objects) < 2 || o.key.kind != email {
		return
	}
	o.belongs = true
	o.watch()
	f.yaml = f.text()
}

// convert lets the people of a family be Leads, where they do not belong to companies.
func (f *family) convert() bool {
	o := f.objects[len(f.objects)-1]
	if o.belongs || o.key.kind != email {
		return false
	}
	o.leads = true
	f.yaml = f.text()
	return true
}

func company() *object {
	return &object{name: "companies", hub: "companies", sf: "Account", key: &field{hub: "domain", sf: "Website", kind: domain},
		fields: append([]*field{
			{hub: "name", sf: "Name", kind: text, limit: 255, required: true},
			{hub: "phone", sf: "Phone", kind: phone},
		}, customs()...)}
}

func person() *object {
	return &object{name: "people", hub: "contacts", sf: "Contact", key: &field{hub: "email", sf: "Email", kind: email},
		fields: append([]*field{
			{hub: "firstname", sf: "FirstName", kind: text, limit: 40},
			{hub: "lastname", sf: "LastName", kind: text, limit: 80, required: true},
			{hub: "jobtitle", sf: "Title", kind: text, limit: 128},
			{hub: "mobilephone", sf: "MobilePhone", kind: phone},
		}, customs()...)}
}

// customs are the fields that the simulation adds to both vendors' objects.
func customs() []*field {
	return []*field{
		{hub: "sim_score", sf: "Score__c", kind: number, scale: 2},
		{hub: "sim_seats", sf: "Seats__c", kind: number, scale: 0},
		{hub: "sim_since", sf: "Since__c", kind: date},
		{hub: "sim_seen", sf: "Seen__c", kind: moment},
		{hub: "sim_vip", sf: "Vip__c", kind: checkbox},
		{hub: tierHub, sf: tierSF, kind: choice, table: tiers},
		{hub: "sim_tags", sf: "Tags__c", kind: set},
		{hub: "sim_note", sf: "Note__c", kind: text, limit: 40},
	}
}

var winners = []string{"newest", "newest", "newest", "hubspot", "salesforce", "hold", "hubspot-unless-blank", "salesforce-unless-blank"}

// draw picks the rules of an object.
func (o *object) draw(random *rand.Rand) {
	pick := func(from ...string) string { return from[random.IntN(len(from))] }
	o.create = pick("both", "both", "both", "in-salesforce", "in-hubspot", "never")
	kept := o.fields[:0]
	for _, f := range o.fields {
		if !f.required && random.IntN(3) == 0 {
			continue
		}
		f.direction = pick(bothWays, bothWays, bothWays, toSalesforce, toHubSpot)
		if f.required {
			f.direction = pick(bothWays, bothWays, toSalesforce)
			if o.hubCreates() {
				f.direction = bothWays
			}
		}
		f.wins = winners[random.IntN(len(winners))]
		if f.kind == text && f.limit > 0 {
			f.tooLong = pick("", "", "cut", "skip")
		}
		kept = append(kept, f)
	}
	if random.IntN(2) == 0 {
		f := o.key
		f.direction, f.wins = pick(bothWays, toSalesforce), pick(winners...)
		kept = append(kept, f)
	}
	if random.IntN(3) == 0 {
		kept = append(kept, &field{sf: "Motto__c", kind: text, limit: 255, direction: toSalesforce, wins: "newest",
			from: `"of " + string(hubspot.sim_note ?? "")`,
			give: func(hub func(string) string) string { return "of " + hub("sim_note") }})
	}
	o.fields = kept
	o.deletes = pick("ignore", "archive", "archive", "ask")
	o.external = random.IntN(2) == 0
	if random.IntN(4) == 0 {
		o.whereHub = "internal"
	}
	if random.IntN(6) == 0 {
		o.whereSF = "I"
	}
	o.watch()
}

// watch lists what the ledger looks at.
func (o *object) watch() {
	o.looked, o.place = map[crm.Side][]string{}, map[crm.Side]map[string]int{crm.HubSpot: {}, crm.Salesforce: {}}
	add := func(side crm.Side, name string) {
		if _, ok := o.place[side][name]; name == "" || ok {
			return
		}
		o.place[side][name] = len(o.looked[side])
		o.looked[side] = append(o.looked[side], name)
	}
	for _, f := range append([]*field{o.key}, o.fields...) {
		add(crm.HubSpot, f.hub)
		add(crm.Salesforce, f.sf)
	}
	add(crm.HubSpot, tierHub)
	add(crm.HubSpot, "sim_note")
	add(crm.HubSpot, canaryHub)
	if o.key.kind == email {
		add(crm.HubSpot, moreEmails)
	}
	add(crm.Salesforce, tierSF)
	add(crm.Salesforce, canarySF)
	add(crm.Salesforce, externalField)
	add(crm.Salesforce, "MasterRecordId")
	if o.belongs {
		add(crm.HubSpot, companyOf)
		add(crm.Salesforce, accountOf)
	}
}

// text writes lockstep.yaml.
func (f *family) text() string {
	var b strings.Builder
	b.WriteString("hubspot: acme\nsalesforce: acme\n")
	var brakes []string
	for _, limit := range []struct {
		name string
		n    int
	}{{"creates", f.creates}, {"updates", f.updates}, {"deletes", f.deletes}} {
		if limit.n > 0 {
			brakes = append(brakes, fmt.Sprintf("%s: %d", limit.name, limit.n))
		}
	}
	if len(brakes) > 0 {
		fmt.Fprintf(&b, "brakes: {%s}\n", strings.Join(brakes, ", "))
	}
	b.WriteString("objects:\n")
	for _, o := range f.objects {
		as := "email"
		if o.key.kind == domain {
			as = "domain"
		}
		target := o.sf
		if o.leads {
			target = fmt.Sprintf(`[{object: %s, when: 'hubspot.%s == "%s"'}, {object: Lead}]`, o.sf, tierHub, contactTier)
		}
		fmt.Fprintf(&b, "  - name: %s\n    hubspot: %s\n    salesforce: %s\n    match: [{hubspot: %s, salesforce: %s, as: %s}]\n", o.name, o.hub, target, o.key.hub, o.key.sf, as)
		fmt.Fprintf(&b, "    create: %s\n    deletes: %s\n", o.create, o.deletes)
		if o.external {
			fmt.Fprintf(&b, "    external-id: %s\n", externalField)
		}
		var where []string
		if o.whereHub != "" {
			where = append(where, fmt.Sprintf(`hubspot: 'hubspot.%s != "%s"'`, tierHub, o.whereHub))
		}
		if o.whereSF != "" {
			where = append(where, fmt.Sprintf(`salesforce: 'salesforce.%s != "%s"'`, tierSF, o.whereSF))
		}
		if len(where) > 0 {
			fmt.Fprintf(&b, "    where: {%s}\n", strings.Join(where, ", "))
		}
		b.WriteString("    fields:\n")
		for _, x := range o.fields {
			b.WriteString("      - {" + x.text() + "}\n")
		}
		if o.leads { // a Lead needs one
			b.WriteString("      - {hubspot: company, salesforce: Company, on: [Lead], direction: to-salesforce, blank: \"[not provided]\"}\n")
		}
		if o.belongs {
			b.WriteString("    associations: [{hubspot: companies, salesforce: AccountId}]\n")
		}
	}
	return b.String()
}

func (f *field) text() string {
	if f.from != "" {
		return fmt.Sprintf("salesforce: %s, from: '%s'", f.sf, f.from)
	}
	parts := []string{"hubspot: " + f.hub, "salesforce: " + f.sf}
	if f.direction != bothWays {
		parts = append(parts, "direction: "+f.direction)
	}
	if f.wins != "newest" {
		parts = append(parts, "wins: "+f.wins)
	}
	if f.tooLong != "" {
		parts = append(parts, "too-long: "+f.tooLong)
	}
	if len(f.table) > 0 {
		var pairs []string
		for _, p := range f.table {
			pairs = append(pairs, p[0]+": "+p[1])
		}
		parts = append(parts, "values: {"+strings.Join(pairs, ", ")+"}")
	}
	return strings.Join(parts, ", ")
}
