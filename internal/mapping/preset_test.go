package mapping

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/lockstep-sync/lockstep/internal/crm"
	"github.com/lockstep-sync/lockstep/internal/fault"
	"github.com/lockstep-sync/lockstep/internal/mapping/mappingtest"
)

func TestPresetsAreChosenByName(t *testing.T) {
	for name, test := range map[string]struct {
		names               []string
		hubspot, salesforce string
		mend                string
	}{
		"the usual ones":                       {names: DefaultPresets(), hubspot: "companies contacts deals", salesforce: "Account Contact Lead Opportunity"},
		"in the order of the file":             {names: []string{"tasks", "companies"}, hubspot: "companies tasks", salesforce: "Account Task"},
		"a Salesforce object once":             {names: []string{"tasks", "calls", "notes"}, hubspot: "notes tasks calls", salesforce: "Task"},
		"objects of one's own":                 {names: []string{"custom:p123_cars=Car__c"}, hubspot: "p123_cars", salesforce: "Car__c"},
		"a name that is misspelt":              {names: []string{"tickest"}, mend: "did you mean tickets?"},
		"a name like no other":                 {names: []string{"zebras"}, mend: "custom:p123_cars=Car__c"},
		"objects of one's own, named in part":  {names: []string{"custom:p123_cars"}, mend: "write custom:p123_cars=Car__c"},
		"objects of one's own, without a name": {names: []string{"custom:=Car__c"}, mend: "write custom:p123_cars=Car__c"},
	} {
		t.Run(name, func(t *testing.T) {
			hubspot, salesforce, err := PresetObjects(test.names)
			if test.mend != "" {
				if fault.KindOf(err) != fault.Invalid || !strings.Contains(fault.MendOf(err), test.mend) {
					t.Fatalf("%v, mend %q; want %q", err, fault.MendOf(err), test.mend)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if got := strings.Join(hubspot, " "); got != test.hubspot {
				t.Errorf("HubSpot %s, want %s", got, test.hubspot)
			}
			if got := strings.Join(salesforce, " "); got != test.salesforce {
				t.Errorf("Salesforce %s, want %s", got, test.salesforce)
			}
		})
	}
}

// Names of our own objects are names that a file may have, whatever the
// account calls its objects, and differ from each other.
func TestObjectsOfOnesOwnGetNames(t *testing.T) {
	chosen, err := choose([]string{"companies", "custom:p7_Fleet Car=A__c", "custom:cars=B__c", "custom:p8_cars=C__c", "custom:companies=D__c"})
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, p := range chosen {
		if !namePattern.MatchString(p.name) {
			t.Errorf("%q is no name", p.name)
		}
		names = append(names, p.name)
	}
	if diff := cmp.Diff([]string{"companies", "fleet-car", "cars", "custom-cars", "custom-companies"}, names); diff != "" {
		t.Error(diff)
	}
}

func TestAPresetThatCannotBeSeenIsSaid(t *testing.T) {
	src, err := SuggestObjects(standardSchemas(), Accounts{"acme", "acme"}, append(DefaultPresets(), "tickets"))
	if err != nil {
		t.Fatal(err)
	}
	if want := "# Not mapped: tickets and cases (HubSpot tickets and Salesforce Case) cannot be seen"; !strings.Contains(string(src), want) {
		t.Errorf("the file does not say %q", want)
	}
	mustBind(t, string(src), standardSchemas())
}

// One Salesforce object for several HubSpot objects: each needs a filter.
func TestOneSalesforceObjectForSeveralHubSpotObjects(t *testing.T) {
	object := func(name, rest string) string {
		return "  - {name: " + name + ", hubspot: " + name + ", salesforce: Task, create: never" + rest + "}\n"
	}
	filter := `, where: {salesforce: 'salesforce.TaskSubtype == "Call"'}`
	other := `, where: {salesforce: 'salesforce.TaskSubtype != "Call"'}`
	for name, test := range map[string]struct{ src, code string }{
		"both with a filter":                         {object("calls", filter) + object("tasks", other), ""},
		"both with the same":                         {object("calls", filter) + object("tasks", `, where: {salesforce: "salesforce.TaskSubtype  ==  'Call'"}`), "mapping.same-filter"},
		"the third like the first":                   {object("calls", filter) + object("tasks", other) + object("emails", filter), "mapping.same-filter"},
		"one without":                                {object("calls", filter) + object("tasks", ""), "mapping.mapped-twice"},
		"ids of two objects of HubSpot in one field": {object("calls", filter) + object("tasks", other+", external-id: X__c"), "external-id.shared"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := Parse("lockstep.yaml", []byte("hubspot: a\nsalesforce: b\nobjects:\n"+test.src))
			var codes []string
			if p, ok := err.(*Problems); ok {
				for _, one := range p.All {
					codes = append(codes, one.Code)
				}
			}
			if test.code == "" && err != nil || test.code != "" && !slices.Contains(codes, test.code) {
				t.Errorf("got %v, want %s", err, test.code)
			}
		})
	}
}

func TestAReferenceMayLeadToSeveralObjects(t *testing.T) {
	schemas := standardSchemas()
	task := &crm.Object{Side: crm.Salesforce, Name: "Task", Creatable: true, Updatable: true, Fields: []crm.Field{mappingtest.Field("Subject", crm.KindText),
		mappingtest.Field("WhatId", crm.KindReference, mappingtest.RefersTo("Account", "Opportunity"))}}
	schemas.Salesforce["Task"] = task
	schemas.HubSpot["tasks"] = &crm.Object{Side: crm.HubSpot, Name: "tasks", Creatable: true, Updatable: true, Fields: []crm.Field{mappingtest.Field("hs_task_subject", crm.KindText), mappingtest.Field("hs_company", crm.KindNumber)}}
	tasks := func(association string) string {
		return strings.Replace(whole, "objects:\n", "objects:\n  - name: tasks\n    hubspot: tasks\n    salesforce: Task\n    create: never\n    fields: [{hubspot: hs_task_subject, salesforce: Subject}]\n    associations: ["+association+"]\n", 1)
	}
	b := mustBind(t, tasks("{hubspot: [deals, companies], salesforce: WhatId}"), schemas)
	o := b.Object("tasks")
	if diff := cmp.Diff([]End{{"deals", "deals"}, {"companies", "companies"}}, o.Targets[0].Associations[0].Ends); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]string{"deals", "companies"}, o.HubSpotRead.Relations); diff != "" {
		t.Error(diff)
	}
	if b.Objects[len(b.Objects)-1] != o {
		t.Error("tasks are written before what they are about")
	}
	by := mustBind(t, tasks("{hubspot: companies, by: hs_company, salesforce: WhatId}"), schemas).Object("tasks")
	if len(by.HubSpotRead.Relations) != 0 || by.HubSpotRead.Layout.Index("hs_company") < 0 {
		t.Errorf("a property that holds an id is read as one: %v %v", by.HubSpotRead.Relations, by.HubSpotRead.Layout.Fields)
	}
	for name, test := range map[string]struct{ association, code string }{
		"an object of the list that is not mapped":     {"{hubspot: [deals, tickets], salesforce: WhatId}", "association.unmapped-object"},
		"an object that the reference cannot point to": {"{hubspot: [deals, contacts], salesforce: WhatId}", "association.wrong-object"},
		"an id of several objects":                     {"{hubspot: [deals, companies], by: hs_company, salesforce: WhatId}", "association.by"},
		"an id in a property that does not exist":      {"{hubspot: companies, by: hs_compny, salesforce: WhatId}", "field.unknown"},
	} {
		t.Run(name, func(t *testing.T) {
			m, err := Parse("lockstep.yaml", []byte(tasks(test.association)))
			if err != nil {
				t.Fatal(err)
			}
			_, problems := m.Bind(schemas)
			if problems == nil || !slices.ContainsFunc(problems.All, func(p Problem) bool { return p.Code == test.code }) {
				t.Errorf("%v, want %s", problems, test.code)
			}
		})
	}
}
