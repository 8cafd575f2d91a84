package postman_test

import (
	"fmt"
	"math/rand/v2"
	"os/exec"
	"strconv"
	"strings"
	"testing"

	"github.com/lockstep-sync/lockstep/internal/crm"
	"github.com/lockstep-sync/lockstep/internal/mapping"
	"github.com/lockstep-sync/lockstep/internal/mapping/mappingtest"
	"github.com/lockstep-sync/lockstep/internal/postman"
)

// sayable are expressions that mean the same in JavaScript.
var sayable = []string{
	`hubspot.country`,
	`hubspot.country ?? "none"`,
	`hubspot.firstname + " " + hubspot.lastname`,
	`hubspot.country == "US" ? "AMER" : "EMEA"`,
	`hubspot.country in ["US", "CA"] ? "in" : "out"`,
	`hubspot.country not in ["US", "CA"] ? "out" : "in"`,
	`hubspot.country != "" and hubspot.city == nil ? "a" : "b"`,
	`not blank(hubspot.country) or blank(hubspot.score) ? "a" : "b"`,
	`blank(trim(hubspot.country)) ? "blank" : "there"`,
	`hubspot.score > 5 ? "high" : "low"`,
	`hubspot.score == nil ? "unknown" : "known"`,
	`hubspot.score * 2 + 1 - hubspot.score / 4`,
	`hubspot.score ** 2`,
	`-hubspot.score`,
	`int(hubspot.score ?? 0) % 3`,
	`round(hubspot.score)`,
	`floor(hubspot.score) + ceil(hubspot.score) + abs(hubspot.score)`,
	`max(hubspot.score, 10) - min(hubspot.score, 3)`,
	`1 / hubspot.score`,
	`hubspot.newsletter`,
	`hubspot.newsletter ? "yes" : "no"`,
	`hubspot.newsletter && hubspot.score >= 1 || hubspot.birthday > "2025-01-01"`,
	`hubspot.birthday`,
	`hubspot.seen`,
	`hubspot.seen > "2026-01-01" ? "new" : "old"`,
	`upper(hubspot.lastname) + lower(hubspot.firstname)`,
	`len(hubspot.firstname)`,
	`trim(hubspot.firstname, " de")`,
	`trimPrefix(hubspot.country, "U") + trimSuffix(hubspot.country, "A")`,
	`replace(hubspot.firstname, "a", "o")`,
	`join(split(hubspot.interests, ";"), "/")`,
	`first(split(hubspot.interests, ";"))`,
	`last(split(hubspot.interests, ";"))`,
	`join(reverse(uniq(split(hubspot.interests, ";"))), ",")`,
	`join(sort(split(hubspot.interests, ";")), ",")`,
	`any(split(hubspot.interests, ";"), # == "golf") ? "plays" : "rests"`,
	`count(split(hubspot.interests, ";"), len(#) > 4)`,
	`join(map(filter(split(hubspot.interests, ";"), # != ""), upper(#)), " ")`,
	`all(split(hubspot.interests, ";"), # != "") ? 1 : 0`,
	`none(split(hubspot.interests, ";"), # == "music") ? 1 : 0`,
	`one(split(hubspot.interests, ";"), # == "music") ? 1 : 0`,
	`hubspot.email contains "@" ? "mail" : "none"`,
	`hubspot.email startsWith "a" ? "a" : "-"`,
	`hubspot.email endsWith ".com" ? "com" : "-"`,
	`hasPrefix(hubspot.email, "a") and hasSuffix(hubspot.email, "m") ? "am" : "-"`,
	`hubspot.email matches "^[a-z]+@" ? "plain" : "-"`,
	`hubspot.email matches "(?i)^A" ? "a" : "-"`,
	`domain(hubspot.email)`,
	`let c = lower(hubspot.country); c == "us" ? "US" : c`,
	`hubspot.zip[0:2]`,
	`string(hubspot.score) + "!"`,
	`hubspot.country == "US" ? (hubspot.score > 10 ? "A" : "B") : "C"`,
	`(hubspot.score ?? 0) + 0.1`,
	`"a" ?? hubspot.country`,
}

// TestExpressionsSayTheSameInJavaScript computes each of them both ways, on
// records with odd values.
func TestExpressionsSayTheSameInJavaScript(t *testing.T) {
	node, err := exec.LookPath("node")
	if err != nil {
		t.Skip("no node in PATH: the scripts cannot be run")
	}
	schemas := mapping.Schemas{HubSpot: mappingtest.HubSpot(), Salesforce: mappingtest.Salesforce()}
	fixture := bind(t, everything)
	schemas.HubSpot["contacts"] = fixture.Object("people").HubSpotSchema
	lead := schemas.Salesforce["Lead"]
	var b strings.Builder
	b.WriteString("hubspot: a\nsalesforce: b\nobjects:\n  - name: people\n    hubspot: contacts\n    salesforce: Lead\n    external-id: HubSpot_Id__c\n    create: in-salesforce\n    match: [{hubspot: email, salesforce: Email, as: email}]\n    fields:\n" +
		"      - {hubspot: lastname, salesforce: LastName, too-long: cut}\n      - {hubspot: company, salesforce: Company, blank: none, too-long: cut}\n")
	for i, source := range sayable {
		name := fmt.Sprintf("X%02d__c", i)
		lead.Fields = append(lead.Fields, mappingtest.Field(name, crm.KindText, mappingtest.Length(32000)))
		fmt.Fprintf(&b, "      - {salesforce: %s, from: %s}\n", name, "'"+strings.ReplaceAll(source, "'", "''")+"'")
	}
	m, err := mapping.Parse("lockstep.yaml", []byte(b.String()))
	if err != nil {
		t.Fatal(err)
	}
	bound, problems := m.Bind(schemas)
	if bound == nil {
		t.Fatal(problems)
	}
	collection, _ := postman.Export(bound, postman.Options{})
	for _, l := range collection.LeftOut {
		t.Errorf("not said: %s", l)
	}
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	chance := rand.New(rand.NewPCG(seed, 2))
	o := bound.Object("people")
	var records []*crm.Record
	for i := range 300 {
		r := oddRecord(o, strconv.Itoa(5000+i), chance)
		// A single number that is none holds the whole record: let most be one.
		for j, name := range r.Layout.Fields {
			if f := o.HubSpotSchema.Field(name); f != nil && (f.Kind == crm.KindNumber || f.Kind == crm.KindDate || f.Kind == crm.KindDateTime) && chance.IntN(20) > 0 {
				r.Values[j] = crm.Text([]string{"", "12", "0.5", "-3", "2026-11-23", "1763906706789"}[chance.IntN(6)])
				if f.Kind == crm.KindNumber && strings.Contains(r.Values[j].Text, "-1") {
					r.Values[j] = crm.Text("7")
				}
			}
		}
		records = append(records, r)
	}
	got := play(t, node, collection, o, records)
	if len(got.Records) < 50 {
		t.Errorf("only %d of %d records were computed", len(got.Records), len(records))
	}
	for _, r := range records {
		compareDecision(t, o, r, got)
	}
}
