package engine_test

import (
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/lockstep-sync/lockstep/internal/crm"
	"github.com/lockstep-sync/lockstep/internal/mapping/mappingtest"
)

// compute gives a field another value as a formula does: the record's stamp
// stays as it was.
func (v *vendor) compute(object, id, field, value string) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.objects[object][id].values[field] = value
}

// formulas is a world whose people have calculated fields on both sides.
func formulas(t *testing.T) *world {
	w := newWorld(t)
	add := func(v *vendor, object string, fields ...crm.Field) {
		v.schemas[object].Fields = append(v.schemas[object].Fields, fields...)
	}
	add(w.salesforce, "Contact", mappingtest.Field("Score__c", crm.KindNumber, mappingtest.ReadOnly()))
	add(w.hubspot, "contacts", mappingtest.Field("score", crm.KindNumber), mappingtest.Field("visits", crm.KindNumber, mappingtest.ReadOnly()))
	add(w.salesforce, "Contact", mappingtest.Field("Visits__c", crm.KindNumber, mappingtest.Digits(18, 0)))
	w.yaml = strings.Replace(w.yaml, "    associations: [{hubspot: companies, salesforce: AccountId}]\n", `      - {hubspot: score, salesforce: Score__c, direction: to-hubspot}
      - {hubspot: visits, salesforce: Visits__c, direction: to-salesforce}
    associations: [{hubspot: companies, salesforce: AccountId}]
`, 1)
	return w
}

func TestR13AFormulaThatMovesNoStampIsNoticedInTheNextCycle(t *testing.T) {
	w := formulas(t)
	w.hubspot.add("contacts", "lastname", "Lee", "email", "ann@acme.test", "visits", "1")
	w.settle()
	w.quiet()
	ann, contact := w.hubspot.idOf("contacts", "lastname", "Lee"), w.salesforce.idOf("Contact", "LastName", "Lee")

	w.salesforce.compute("Contact", contact, "Score__c", "42")
	w.hubspot.compute("contacts", ann, "visits", "7")
	w.sync()
	got := []string{w.hubspot.value("contacts", ann, "score"), w.salesforce.value("Contact", contact, "Visits__c")}
	if diff := cmp.Diff([]string{"42", "7"}, got); diff != "" {
		t.Errorf("one cycle later (-want +got):\n%s", diff)
	}
	w.quiet()
}

func TestR13AFormulaThatFiltersLetsARecordInWithoutAnEdit(t *testing.T) {
	w := formulas(t)
	w.yaml = replace(w.yaml, `where: {hubspot: 'hubspot.lifecyclestage != "subscriber"'}`, `where: {hubspot: 'hubspot.visits > 3'}`)
	ann := w.hubspot.add("contacts", "lastname", "Lee", "email", "ann@acme.test", "visits", "1")
	if run := w.sync(); run.Tally.Excluded != 1 {
		t.Fatalf("%+v", run.Tally)
	}
	w.quiet()
	w.hubspot.compute("contacts", ann, "visits", "7")
	w.sync()
	if diff := cmp.Diff([]string{"LastName=Lee"}, w.salesforce.live("Contact", "LastName")); diff != "" {
		t.Errorf("one cycle later (-want +got):\n%s", diff)
	}
	w.quiet()
}

func TestCalculatedFieldsCostTwoCallsACycleOnTheAverage(t *testing.T) {
	w := formulas(t)
	for i := range 500 {
		n := strconv.Itoa(i)
		w.hubspot.insert("contacts", map[string]string{"lastname": "L" + n, "email": "p" + n + "@acme.test"})
	}
	w.settle()
	w.quiet()
	reads := 0
	for _, v := range []*vendor{w.hubspot, w.salesforce} {
		v.readCalls = 1 + (500+199)/200
		v.before = func(call string) error {
			if call == "read" {
				reads++
			}
			return nil
		}
	}
	const cycles = 12
	for range cycles {
		w.sync()
	}
	// Each narrow read costs four calls on either side, so one in two cycles.
	if reads < cycles-2 || reads > cycles {
		t.Errorf("%d narrow reads in %d cycles on two sides, want one in two cycles on each", reads, cycles)
	}
}

func TestR13ANewLineInTheMappingComparesItsOwnValuesAndRewritesNoOther(t *testing.T) {
	w := newWorld(t)
	company := w.hubspot.add("companies", "name", "Acme", "domain", "acme.test", "numberofemployees", "12")
	w.settle()
	account := w.salesforce.idOf("Account", "Name", "Acme")
	// Somebody changed a field that only HubSpot gives: it was left alone.
	w.salesforce.edit("Account", account, "Website", "elsewhere.test")
	w.quiet()

	w.yaml = replace(w.yaml, "      - {hubspot: phone, salesforce: Phone}\n      - {hubspot: annualrevenue", "      - {hubspot: numberofemployees, salesforce: NumberOfEmployees}\n      - {hubspot: phone, salesforce: Phone}\n      - {hubspot: annualrevenue")
	w.sync()
	got := []string{w.salesforce.value("Account", account, "NumberOfEmployees"), w.salesforce.value("Account", account, "Website"), w.hubspot.value("companies", company, "domain")}
	if diff := cmp.Diff([]string{"12", "elsewhere.test", "acme.test"}, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	w.quiet()
	// What was taken over goes on as before.
	w.hubspot.edit("companies", company, "domain", "acme.example")
	w.sync()
	if got := w.salesforce.value("Account", account, "Website"); got != "acme.example" {
		t.Errorf("Website %q", got)
	}
}
