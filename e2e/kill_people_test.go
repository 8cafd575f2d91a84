//go:build kills

package e2e

import (
	"bytes"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// shown are the fields by which a record is told from others, in our own order:
// the same place on both sides is the same field.
var shown = map[string][]string{
	"contacts": {"email", "firstname", "lastname", "jobtitle", "phone"}, "companies": {"name", "domain", "phone", "city"}, "deals": {"dealname", "amount", "hs_next_step"},
	"Contact": {"Email", "FirstName", "LastName", "Title", "Phone"}, "Lead": {"Email", "FirstName", "LastName", "Title", "Phone"},
	"Account": {"Name", "Website", "Phone", "BillingCity"}, "Opportunity": {"Name", "Amount", "NextStep"},
}

// holdings counts what both servers hold: how many records of each object, and
// how often one stands there with just these values.
func (r *killRun) holdings() map[string]int {
	held := map[string]int{"OpportunityContactRole": r.box.Salesforce().Count("OpportunityContactRole")}
	for _, objectType := range []string{"contacts", "companies", "deals"} {
		r.box.HubSpot().Each(objectType, func(_ string, p map[string]string) bool {
			held[objectType]++
			held[valuesOf(objectType, p)]++
			return true
		})
	}
	for _, object := range []string{"Contact", "Lead", "Account", "Opportunity"} {
		r.box.Salesforce().Each(object, func(_ string, fields map[string]any) bool {
			held[object]++
			held[valuesOf(object, texts(fields))]++
			return true
		})
	}
	return held
}

func texts(fields map[string]any) map[string]string {
	text := make(map[string]string, len(fields))
	for name, v := range fields {
		text[name] = textOf(v)
	}
	return text
}

func valuesOf(object string, fields map[string]string) string {
	values := make([]string, len(shown[object]))
	for i, name := range shown[object] {
		values[i] = fields[name]
	}
	return object + ": " + strings.Join(values, "|")
}

// linked is one pair of records as both servers hold it.
type linked struct {
	hubspotType, hubspotID, object, salesforceID string
	hubspot, salesforce                          map[string]string
}

// pairs lists linked records that nobody touched yet, in an order drawn by
// chance. Salesforce names the partner of each record.
func (r *killRun) pairs(hubspotType string, objects ...string) []linked {
	var all []linked
	for _, object := range objects {
		r.box.Salesforce().Each(object, func(id string, fields map[string]any) bool {
			if hub := textOf(fields["HubSpot_Id__c"]); hub != "" && textOf(fields["IsConverted"]) != "true" && !r.edited[hub] {
				all = append(all, linked{hubspotType: hubspotType, hubspotID: hub, object: object, salesforceID: id, salesforce: texts(fields)})
			}
			return true
		})
	}
	slices.SortFunc(all, func(a, b linked) int { return strings.Compare(a.salesforceID, b.salesforceID) })
	r.chance.Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
	return all
}

// agrees tells whether both hold the same in the field that is edited, which a
// rule of the mapping may allow to differ.
func (p linked) agrees() bool {
	field := len(shown[p.hubspotType]) - 1
	if p.hubspotType == "contacts" {
		field = slices.Index(shown[p.hubspotType], "jobtitle")
	}
	return p.hubspot[shown[p.hubspotType][field]] == p.salesforce[shown[p.object][field]]
}

// people edit both sides: n things, each to a record that nobody touched before,
// and wants of both servers what comes of it.
func (r *killRun) people(n int) {
	r.Helper()
	// What comes within ten seconds of a create is taken for the vendor's own filling in.
	r.box.Clock().Advance(15 * time.Second)
	persons, companies, deals := r.pairs("contacts", "Contact", "Lead"), r.pairs("companies", "Account"), r.pairs("deals", "Opportunity")
	role := map[string]bool{} // a person or deal with a role takes it along when it is deleted
	r.box.Salesforce().Each("OpportunityContactRole", func(_ string, fields map[string]any) bool {
		role[textOf(fields["ContactId"])], role[textOf(fields["OpportunityId"])] = true, true
		return true
	})
	next := func(list *[]linked, fits func(linked) bool, edit func(linked)) {
		for i, p := range *list {
			there := false
			p.hubspot, there = r.box.HubSpot().Get(p.hubspotType, p.hubspotID)
			if there && p.agrees() && fits(p) {
				*list = slices.Delete(*list, i, i+1)
				r.edited[p.hubspotID] = true
				edit(p)
				return
			}
		} // where nobody is left, nothing is edited
	}
	anyone := func(linked) bool { return true }
	alone := func(p linked) bool { return !role[p.salesforceID] }
	for range n {
		r.edits++
		text := fmt.Sprintf("Edit %d", r.edits)
		switch r.edits % 10 {
		case 0:
			next(&persons, anyone, func(p linked) { r.setHubSpot(p, "jobtitle", text) })
		case 1:
			next(&persons, anyone, func(p linked) { r.setSalesforce(p, "Title", text) })
		case 2: // both sides at once, another field each
			next(&persons, anyone, func(p linked) { r.setSalesforce(r.setHubSpot(p, "jobtitle", text), "FirstName", text) })
		case 3:
			next(&companies, anyone, func(p linked) { r.setHubSpot(p, "city", text) })
		case 4:
			next(&deals, anyone, func(p linked) { r.setSalesforce(p, "NextStep", text) })
		case 5:
			next(&persons, alone, func(p linked) {
				r.must(r.box.HubSpot().Archive("contacts", p.hubspotID))
				r.wantGone(p)
			})
		case 6:
			next(&persons, alone, func(p linked) {
				r.must(r.box.Salesforce().Delete(p.object, p.salesforceID))
				r.wantGone(p)
			})
		case 7:
			next(&deals, alone, func(p linked) {
				r.must(r.box.HubSpot().Archive("deals", p.hubspotID))
				r.wantGone(p)
			})
		case 8:
			now := r.box.Clock().Now()
			fields := map[string]string{"email": fmt.Sprintf("edit%d@latecomer.example", r.edits), "firstname": "Late", "lastname": text, "jobtitle": text}
			r.box.HubSpot().Insert("contacts", fields, now, now)
			r.want("contacts", fields, 1)
			r.want("Lead", map[string]string{"Email": fields["email"], "FirstName": "Late", "LastName": text, "Title": text}, 1)
		case 9:
			now := r.box.Clock().Now()
			fields := map[string]string{"Email": fmt.Sprintf("edit%d@latecomer.example", r.edits), "FirstName": "Late", "LastName": text, "Title": text}
			r.box.Salesforce().Insert("Lead", map[string]any{"Email": fields["Email"], "FirstName": "Late", "LastName": text, "Title": text, "Company": "Latecomers"}, now, now)
			r.want("Lead", fields, 1)
			r.want("contacts", map[string]string{"email": fields["Email"], "firstname": "Late", "lastname": text, "jobtitle": text}, 1)
		}
	}
}

func (r *killRun) must(err error) {
	r.Helper()
	if err != nil {
		r.Fatal(err)
	}
}

// want wants so many records more (or less) with these values.
func (r *killRun) want(object string, fields map[string]string, more int) {
	for _, key := range []string{object, valuesOf(object, fields)} {
		if r.wanted[key] += more; r.wanted[key] == 0 {
			delete(r.wanted, key)
		}
	}
}

func (r *killRun) wantGone(p linked) {
	r.want(p.hubspotType, p.hubspot, -1)
	r.want(p.object, p.salesforce, -1)
}

// setHubSpot edits a field in HubSpot, and wants it on both sides.
func (r *killRun) setHubSpot(p linked, property, value string) linked {
	r.Helper()
	r.must(r.box.HubSpot().Update(p.hubspotType, p.hubspotID, map[string]string{property: value}))
	return r.wantSet(p, slices.Index(shown[p.hubspotType], property), value)
}

// setSalesforce edits a field in Salesforce, and wants it on both sides.
func (r *killRun) setSalesforce(p linked, field, value string) linked {
	r.Helper()
	r.must(r.box.Salesforce().Update(p.object, p.salesforceID, map[string]any{field: value}))
	return r.wantSet(p, slices.Index(shown[p.object], field), value)
}

func (r *killRun) wantSet(p linked, field int, value string) linked {
	r.wantGone(p)
	p.hubspot, p.salesforce = maps.Clone(p.hubspot), maps.Clone(p.salesforce)
	p.hubspot[shown[p.hubspotType][field]], p.salesforce[shown[p.object][field]] = value, value
	r.want(p.hubspotType, p.hubspot, 1)
	r.want(p.object, p.salesforce, 1)
	return p
}

// replaceInMapping changes every such line of lockstep.yaml.
func (w *killWorld) replaceInMapping(old, fresh string) {
	w.Helper()
	file := filepath.Join(w.dir, "lockstep.yaml")
	text, err := os.ReadFile(file)
	if err != nil || !bytes.Contains(text, []byte(old)) {
		w.Fatalf("lockstep.yaml does not say %q (%v)", old, err)
	}
	if err := os.WriteFile(file, bytes.ReplaceAll(text, []byte(old), []byte(fresh)), 0o600); err != nil {
		w.Fatal(err)
	}
}
