package engine_test

import (
	"context"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/lockstep-sync/lockstep/internal/mapping"
	"github.com/lockstep-sync/lockstep/sandbox"
	"github.com/lockstep-sync/lockstep/sandbox/hubspot"
	"github.com/lockstep-sync/lockstep/sandbox/salesforce"
)

// anyObject is one pair of objects, and the life of two records of it: one
// made in HubSpot, one made in Salesforce.
type anyObject struct {
	name    string
	hubspot string
	object  string
	// prepare adds to the sandbox, and returns what stands for OBJECT in yaml.
	prepare func(*testing.T, *sandbox.Sandbox) string
	yaml    string
	// The two records as people make them, and what they become.
	madeInHubSpot    map[string]string
	inSalesforce     map[string]any
	madeInSalesforce map[string]any
	inHubSpot        map[string]string
	// An edit on each side of the first record, and what it does to the other.
	editInHubSpot    map[string]string
	thenInSalesforce map[string]any
	editInSalesforce map[string]any
	thenInHubSpot    map[string]string
}

const anyHead = "hubspot: acme\nsalesforce: acme\nobjects:\n"

func anyObjects() []anyObject {
	return []anyObject{
		{
			name: "a standard object, by its type id", hubspot: "tickets", object: "Case",
			yaml: `
  - name: tickets
    hubspot: 0-5
    salesforce: Case
    create: both
    deletes: archive
    match: [{hubspot: subject, salesforce: Subject, as: text}]
    fields:
      - {hubspot: subject, salesforce: Subject}
      - {hubspot: content, salesforce: Description}
      - {hubspot: hs_ticket_priority, salesforce: Priority, values: {LOW: Low, MEDIUM: Medium, HIGH: High}, unmapped: skip}
      - {hubspot: hs_pipeline_stage, salesforce: Status, values: {"1": New, "2": Working, "4": Closed}, unmapped: skip}
`,
			madeInHubSpot:    map[string]string{"subject": "Printer on fire", "content": "It burns.", "hs_pipeline": "0", "hs_pipeline_stage": "1", "hs_ticket_priority": "HIGH"},
			inSalesforce:     map[string]any{"Subject": "Printer on fire", "Description": "It burns.", "Status": "New", "Priority": "High"},
			madeInSalesforce: map[string]any{"Subject": "Door is stuck", "Status": "Working", "Priority": "Low", "Origin": "Phone"},
			inHubSpot:        map[string]string{"subject": "Door is stuck", "hs_pipeline": "0", "hs_pipeline_stage": "2", "hs_ticket_priority": "LOW"},
			editInHubSpot:    map[string]string{"hs_pipeline_stage": "4"}, thenInSalesforce: map[string]any{"Status": "Closed"},
			editInSalesforce: map[string]any{"Priority": "Medium"}, thenInHubSpot: map[string]string{"hs_ticket_priority": "MEDIUM"},
		},
		carObject("a custom object of HubSpot, by its short name", func(string) string { return "cars" }),
		carObject("a custom object of HubSpot, by its type id", func(typeID string) string { return typeID }),
	}
}

func carObject(name string, called func(typeID string) string) anyObject {
	return anyObject{
		name: name, hubspot: "cars", object: "Car__c", prepare: func(t *testing.T, box *sandbox.Sandbox) string { return called(addCars(t, box)) },
		yaml: `
  - name: cars
    hubspot: OBJECT
    salesforce: Car__c
    create: both
    deletes: archive
    match: [{hubspot: plate, salesforce: Plate__c, as: text}]
    fields:
      - {hubspot: plate, salesforce: Plate__c}
      - {hubspot: seats, salesforce: Seats__c}
`,
		madeInHubSpot:    map[string]string{"plate": "B-AR 1", "seats": "5"},
		inSalesforce:     map[string]any{"Plate__c": "B-AR 1", "Seats__c": 5.0},
		madeInSalesforce: map[string]any{"Plate__c": "B-AR 2", "Seats__c": 7.0},
		inHubSpot:        map[string]string{"plate": "B-AR 2", "seats": "7"},
		editInHubSpot:    map[string]string{"seats": "4"}, thenInSalesforce: map[string]any{"Seats__c": 4.0},
		editInSalesforce: map[string]any{"Plate__c": "B-AR 9"}, thenInHubSpot: map[string]string{"plate": "B-AR 9"},
	}
}

func addCars(t *testing.T, box *sandbox.Sandbox) (typeID string) {
	typeID = box.HubSpot().AddSchema(hubspot.Schema{Name: "cars", Singular: "Car", Plural: "Cars", PrimaryDisplayProperty: "plate", RequiredProperties: []string{"plate"},
		Properties: []hubspot.Property{{Name: "plate", Label: "Plate", Type: "string", FieldType: "text"}, {Name: "seats", Label: "Seats", Type: "number", FieldType: "number"}}})
	err := box.Salesforce().AddObject(salesforce.Object{Name: "Car__c", Label: "Car", Plural: "Cars", Fields: []salesforce.Field{
		{Name: "Plate__c", Label: "Plate", Type: "string", Length: 20}, {Name: "Seats__c", Label: "Seats", Type: "double", Precision: 4},
	}})
	if err != nil {
		t.Fatal(err)
	}
	return typeID
}

// TestObjectsAreMappedByWhateverNameHubSpotKnowsThem makes a record on each side, lets both
// travel, edits one on either side, and deletes both in the end.
func TestObjectsAreMappedByWhateverNameHubSpotKnowsThem(t *testing.T) {
	for _, pair := range anyObjects() {
		t.Run(pair.name, func(t *testing.T) {
			dir := t.TempDir()
			synctest.Test(t, func(t *testing.T) {
				yaml := anyHead + pair.yaml
				c := connectWith(t, dir, sandbox.Config{Seed: "empty", SearchLag: time.Second}, func(box *sandbox.Sandbox) {
					if pair.prepare != nil {
						yaml = strings.ReplaceAll(yaml, "OBJECT", pair.prepare(t, box))
					}
				}, func(mapping.Schemas) []byte { return []byte(yaml) }, []string{pair.hubspot}, []string{pair.object})
				defer c.close()
				pair.live(t, c)
			})
		})
	}
}

func (p anyObject) live(t *testing.T, c *connected) {
	h, s := c.box.HubSpot(), c.box.Salesforce()
	first, err := h.Create(p.hubspot, p.madeInHubSpot)
	if err != nil {
		t.Fatal(err)
	}
	second, err := s.By(salesforce.Edit{}).Create(p.object, p.madeInSalesforce)
	if err != nil {
		t.Fatal(err)
	}
	time.Sleep(10 * time.Second)
	if run := c.sync(); run.Writes.Created != 2 || run.Tally.Failed+run.Tally.Held != 0 {
		t.Fatalf("first copy: %+v %+v: %+v", run.Writes, run.Tally, run.Objects)
	}
	quiet := func(when string) {
		t.Helper()
		time.Sleep(time.Minute)
		if run := c.sync(); run.Writes.Sum() != 0 || run.Tally.Failed+run.Tally.Held != 0 {
			t.Errorf("%s, a quiet cycle: %+v %+v %+v", when, run.Writes, run.Tally, run.Objects)
		}
	}
	quiet("after the first copy")
	there := otherThan(t, second, func(each func(string)) {
		s.Each(p.object, func(id string, _ map[string]any) bool { each(id); return true })
	})
	back := otherThan(t, first, func(each func(string)) {
		h.Each(p.hubspot, func(id string, _ map[string]string) bool { each(id); return true })
	})
	inSalesforce := func(want map[string]any) {
		t.Helper()
		r, _ := s.Get(p.object, there)
		for field, value := range want {
			if r[field] != value {
				t.Errorf("Salesforce %s.%s is %#v, want %#v", p.object, field, r[field], value)
			}
		}
	}
	inHubSpot := func(id string, want map[string]string) {
		t.Helper()
		r, _ := h.Get(p.hubspot, id)
		for property, value := range want {
			if r[property] != value {
				t.Errorf("HubSpot %s.%s is %q, want %q", p.hubspot, property, r[property], value)
			}
		}
	}
	inSalesforce(p.inSalesforce)
	inHubSpot(back, p.inHubSpot)

	if err := h.Update(p.hubspot, first, p.editInHubSpot); err != nil {
		t.Fatal(err)
	}
	time.Sleep(time.Minute)
	if run := c.sync(); run.Writes.Updated != 1 {
		t.Errorf("an edit in HubSpot: %+v %+v %+v", run.Writes, run.Tally, run.Objects)
	}
	inSalesforce(p.thenInSalesforce)
	quiet("after the edit in HubSpot")
	if err := s.Update(p.object, there, p.editInSalesforce); err != nil {
		t.Fatal(err)
	}
	time.Sleep(time.Minute)
	if run := c.sync(); run.Writes.Updated != 1 {
		t.Errorf("an edit in Salesforce: %+v %+v %+v", run.Writes, run.Tally, run.Objects)
	}
	inHubSpot(first, p.thenInHubSpot)
	quiet("after the edit in Salesforce")
	v, err := c.engine.Verify(context.Background(), nil)
	if err != nil {
		t.Fatal(err)
	}
	if !v.InStep || !v.Closed {
		t.Errorf("in step %v, closed %v: %+v", v.InStep, v.Closed, v.Objects)
	}

	if err := h.Archive(p.hubspot, first); err != nil {
		t.Fatal(err)
	}
	if err := s.Delete(p.object, second); err != nil {
		t.Fatal(err)
	}
	time.Sleep(time.Minute)
	if run := c.sync(); run.Writes.Archived != 2 {
		t.Errorf("deletes: archive: %+v %+v %+v", run.Writes, run.Tally, run.Objects)
	}
	if h.Count(p.hubspot)+s.Count(p.object) != 0 {
		t.Errorf("%d records are left in HubSpot, %d in Salesforce", h.Count(p.hubspot), s.Count(p.object))
	}
}

// otherThan finds the record that is not the one that is known.
func otherThan(t *testing.T, id string, each func(func(string))) string {
	t.Helper()
	found := ""
	each(func(other string) {
		if other != id {
			found = other
		}
	})
	if found == "" {
		t.Fatal("no second record was made")
	}
	return found
}
