package salesforce

import (
	"bytes"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// setFile wraps lines of a permission set.
func setFile(lines ...string) []byte {
	return []byte(`<?xml version="1.0" encoding="UTF-8"?>` + "\n" + `<PermissionSet xmlns="http://soap.sforce.com/2006/04/metadata"><label>Lockstep sync</label>` +
		strings.Join(lines, "") + `<userPermissions><enabled>true</enabled><name>ApiEnabled</name></userPermissions></PermissionSet>`)
}

func onObject(name string, rights ...string) string {
	line := "<objectPermissions><object>" + name + "</object>"
	for _, r := range rights {
		line += "<" + r + ">true</" + r + ">"
	}
	return line + "</objectPermissions>"
}

func onField(name string, edit string) string {
	return "<fieldPermissions><editable>" + edit + "</editable><field>" + name + "</field><readable>true</readable></fieldPermissions>"
}

func TestWithMinimumAccessOnlyPermissionSetsCount(t *testing.T) {
	o := newOrg(t).withExternalID()
	acme := o.create("Account", `{"Name":"Acme"}`)
	ann := o.create("Contact", `{"LastName":"Ann","Email":"ann@x.example","Phone":"1","MailingCity":"Bonn","AccountId":"`+acme+`"}`)
	if err := o.SetProfile(IntegrationUsername, MinimumAccessProfile); err != nil {
		t.Fatal(err)
	}
	refused := func(name string, g got, status int, code string) {
		t.Helper()
		if g.Status != status || g.str("0.errorCode") != code {
			t.Errorf("%s: %d %s, want %d %s", name, g.Status, g.Body, status, code)
		}
	}
	refused("without API Enabled", o.do("GET", "/sobjects", ""), 403, "API_DISABLED_FOR_ORG")
	deploy := func(lines ...string) {
		t.Helper()
		ps, err := o.DeployPermissionSet("", setFile(lines...))
		if err != nil {
			t.Fatal(err)
		}
		if err := o.AssignPermissionSet(ps.Name, IntegrationUsername); err != nil {
			t.Fatal(err)
		}
	}
	deploy()
	refused("the describe of an object that nothing shows", o.do("GET", "/sobjects/Contact/describe", ""), 404, "NOT_FOUND")
	refused("a query of it", o.do("GET", "/query?q="+escape("SELECT Id FROM Contact"), ""), 400, "INVALID_TYPE")
	if g := o.do("GET", "/query?q="+escape("SELECT Username FROM User"), ""); g.Status != 200 {
		t.Errorf("users are always readable: %s", g.Body)
	}

	account, contact := onObject("Account", "allowRead"), onObject("Contact", "allowRead", "allowCreate", "allowEdit")
	deploy(account, contact, onField("Contact.Email", "true"), onField("Contact.Phone", "false"), onField("Contact.HubSpot_Id__c", "true"))
	if diff := cmp.Diff(map[string]string{"Email": "cu", "Phone": "", "HubSpot_Id__c": "cu", "LastName": "cu", "FirstName": "cu", "OwnerId": "cu"},
		described(o, "Contact", "Email", "Phone", "HubSpot_Id__c", "LastName", "FirstName", "OwnerId", "Title", "MailingCity", "AccountId")); diff != "" {
		t.Errorf("the describe (-want +got):\n%s", diff)
	}
	refused("a hidden field in SOQL", o.do("GET", "/query?q="+escape("SELECT Title FROM Contact"), ""), 400, "INVALID_FIELD")
	refused("a hidden field in a write", o.do("PATCH", "/sobjects/Contact/"+ann, `{"Title":"x"}`), 400, "INVALID_FIELD")
	refused("a field to read only in a write", o.do("PATCH", "/sobjects/Contact/"+ann, `{"Phone":"2"}`), 400, "INVALID_FIELD_FOR_INSERT_UPDATE")
	refused("an object to read only", o.do("PATCH", "/sobjects/Account/"+acme, `{"Name":"x"}`), 403, "INSUFFICIENT_ACCESS_OR_READONLY")
	refused("a delete that nothing allows", o.do("DELETE", "/sobjects/Contact/"+ann, ""), 403, "INSUFFICIENT_ACCESS_OR_READONLY")
	if g := o.do("PATCH", "/sobjects/Contact/"+ann, `{"Email":"b@x.example"}`); g.Status != 204 {
		t.Errorf("what is allowed: %d %s", g.Status, g.Body)
	}

	deploy(account, contact, onField("Contact.MailingAddress", "true"))
	if diff := cmp.Diff(map[string]string{"MailingCity": "cu", "MailingStreet": "cu", "MailingAddress": ""},
		described(o, "Contact", "MailingCity", "MailingStreet", "MailingAddress", "OtherCity", "Email")); diff != "" {
		t.Errorf("an address is one permission for all its parts (-want +got):\n%s", diff)
	}
	if err := o.UnassignPermissionSet("Lockstep_sync", IntegrationUsername); err != nil {
		t.Fatal(err)
	}
	refused("after the set is taken away", o.do("GET", "/sobjects", ""), 403, "API_DISABLED_FOR_ORG")
}

// described tells which of the fields are in a describe: c where it may be set
// on create, u where it may be updated.
func described(o *org, object string, names ...string) map[string]string {
	o.t.Helper()
	g := o.do("GET", "/sobjects/"+object+"/describe", "")
	found := map[string]string{}
	fields, _ := g.at("fields").([]any)
	for _, one := range fields {
		f := one.(map[string]any)
		for _, name := range names {
			if f["name"] != name {
				continue
			}
			found[name] = ""
			if f["createable"] == true {
				found[name] += "c"
			}
			if f["updateable"] == true {
				found[name] += "u"
			}
		}
	}
	return found
}

func TestJunctionsAndActivitiesFollowOthers(t *testing.T) {
	o := newOrg(t)
	if err := o.SetProfile(IntegrationUsername, MinimumAccessIntegrationProfile); err != nil {
		t.Fatal(err)
	}
	if _, err := o.DeployPermissionSet("Deals", setFile(onObject("Account", "allowRead"), onObject("Opportunity", "allowRead"))); err != nil {
		t.Fatal(err)
	}
	if err := o.AssignPermissionSet("Deals", IntegrationUsername); err != nil {
		t.Fatal(err)
	}
	flags := func(object string) [3]any {
		g := o.do("GET", "/sobjects/"+object+"/describe", "")
		return [3]any{g.at("queryable"), g.at("createable"), g.at("updateable")}
	}
	if diff := cmp.Diff([3]any{true, false, false}, flags("OpportunityContactRole")); diff != "" {
		t.Errorf("roles of opportunities that may be read (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([3]any{true, false, false}, flags("Task")); diff != "" {
		t.Errorf("tasks (-want +got):\n%s", diff)
	}
	if _, err := o.DeployPermissionSet("Deals", setFile(onObject("Account", "allowRead"), onObject("Opportunity", "allowRead", "allowEdit"),
		"<userPermissions><enabled>true</enabled><name>EditTask</name></userPermissions>")); err != nil {
		t.Fatal(err)
	}
	if got := flags("OpportunityContactRole"); got != [3]any{true, true, true} {
		t.Errorf("roles of opportunities that may be edited: %v", got)
	}
	if got := flags("Task"); got != [3]any{true, true, true} {
		t.Errorf("tasks with Edit Tasks: %v", got)
	}
}

func TestPermissionSetFilesThatAreRefused(t *testing.T) {
	o := newOrg(t)
	for _, c := range []struct {
		name string
		file []byte
		want []string
	}{
		{"every unknown name is told", setFile(onObject("Account", "allowRead"), onObject("Nope__c", "allowRead"), onField("Account.Gone__c", "true"), onField("Nope.X", "true")),
			[]string{"In field: object - no CustomObject named Nope__c found", "In field: field - no CustomField named Account.Gone__c found", "In field: field - no CustomField named Nope.X found"}},
		{"a required field", setFile(onField("Contact.LastName", "true"), onField("Account.Name", "true")), []string{"You cannot deploy to a required field: Account.Name", "You cannot deploy to a required field: Contact.LastName"}},
		{"an audit field", setFile(onField("Contact.CreatedDate", "false")), []string{"You cannot deploy to a required field: Contact.CreatedDate"}},
		{"a part of a name", setFile(onField("Contact.FirstName", "true")), []string{"Field Contact.FirstName has no field-level security: everybody sees it who sees the record."}},
		{"a part of an address", setFile(onField("Lead.City", "true")), []string{"In field: field - no CustomField named Lead.City found; use Lead.Address, the whole of the address"}},
		{"editing what nobody edits", setFile(onField("Opportunity.ExpectedRevenue", "true")), []string{"Field Opportunity.ExpectedRevenue is not editable by anybody: make it readable only."}},
		{"creating without reading", setFile(onObject("Lead", "allowCreate")), []string{"Permission Create Lead depends on permission(s): Read Lead"}},
		{"deleting without editing", setFile(onObject("Lead", "allowRead", "allowDelete")), []string{"Permission Delete Lead depends on permission(s): Read Lead, Edit Lead"}},
		{"contacts without accounts", setFile(onObject("Contact", "allowRead")), []string{"Permission Read Contact depends on permission(s): Read Account"}},
		{"all without each", setFile(onObject("Lead", "allowRead", "modifyAllRecords")), []string{"Permission Modify All Lead depends on permission(s): Read Lead, Edit Lead, Delete Lead, View All Lead"}},
		{"an object that follows another", setFile(onObject("OpportunityContactRole", "allowRead")), []string{"Object OpportunityContactRole has no object permissions: its records follow Opportunity."}},
		{"tasks", setFile(onObject("Task", "allowRead")), []string{"Object Task has no object permissions: reading follows the record that it belongs to, writing takes the user permission EditTask."}},
		{"an unknown system permission", setFile("<userPermissions><enabled>true</enabled><name>FlyToTheMoon</name></userPermissions>"), []string{"Unknown user permission: FlyToTheMoon"}},
		{"an unknown element", setFile("<flavour>sweet</flavour>"), []string{"Element flavour invalid at this location in type PermissionSet"}},
		{"a field twice", setFile(onField("Lead.Phone", "true"), onField("Lead.Phone", "false")), []string{"Duplicate fieldPermissions: Lead.Phone"}},
		{"no label, no namespace", []byte("<PermissionSet></PermissionSet>"), []string{`The PermissionSet element must have xmlns="http://soap.sforce.com/2006/04/metadata".`, "Required field is missing: label"}},
		{"no XML", []byte("label: Lockstep"), []string{"The file is no permission set: it is empty."}},
		{"cut off", []byte("<PermissionSet><label>x"), []string{"The file is no permission set: line 1: unexpected EOF."}},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := o.DeployPermissionSet("", c.file)
			problems, _ := err.(PermissionSetProblems)
			if diff := cmp.Diff(c.want, []string(problems)); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			if len(o.PermissionSets()) != 0 {
				t.Error("it was saved nevertheless")
			}
		})
	}
}

func TestAPermissionSetFileSurvivesBothWays(t *testing.T) {
	o := newOrg(t)
	made, err := o.DeployPermissionSet("Sync", setFile(onObject("Lead", "allowRead", "allowEdit"), onField("Lead.Phone", "true"), onField("Lead.Email", "false")))
	if err != nil {
		t.Fatal(err)
	}
	again, err := readPermissionSet("Sync", made.XML())
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(made, again); diff != "" {
		t.Errorf("written and read again (-want +got):\n%s", diff)
	}
	if err := o.AssignPermissionSet("Sync", AdministratorUsername); err != nil {
		t.Fatal(err)
	}
	if err := o.DeletePermissionSet("Sync"); err == nil || !strings.Contains(err.Error(), "unassign it first") {
		t.Errorf("deleting a set in use: %v", err)
	}
	var state bytes.Buffer
	if err := o.SaveState(&state); err != nil {
		t.Fatal(err)
	}
	other := New(Config{Seed: 9, Clock: o.clock})
	if err := other.LoadState(&state); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(o.PermissionSets(), other.PermissionSets()); diff != "" {
		t.Errorf("saved and loaded (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{"Sync"}, other.PermissionSetsOf(AdministratorUsername)); diff != "" {
		t.Errorf("assignments (-want +got):\n%s", diff)
	}
}

func TestTheSystemsOwnFieldsCannotBeRestricted(t *testing.T) {
	o := newOrg(t)
	for _, name := range []string{"Id", "LastName", "FirstName", "OwnerId", "SystemModstamp", "LastActivityDate"} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("Contact.%s could be hidden", name)
				}
			}()
			o.SetFieldPermission(IntegrationUsername, "Contact", name, false, false)
		}()
	}
}

func TestWhichFieldsHaveFieldLevelSecurity(t *testing.T) {
	o := newOrg(t)
	// Read from describes of a real org.
	for object, want := range map[string]string{
		"Contact":     "AccountId AssistantName AssistantPhone Birthdate CleanStatus Department Description DoNotCall Email Fax GenderIdentity HasOptedOutOfEmail HasOptedOutOfFax HomePhone LeadSource MailingAddress MobilePhone OtherAddress OtherPhone Phone Pronouns ReportsToId Title",
		"Opportunity": "AccountId Amount CampaignId Description ExpectedRevenue IsPrivate LeadSource NextStep Probability TotalOpportunityQuantity Type",
		"Event":       "Description IsAllDayEvent Location WhatId WhoId",
		"User":        "", "OpportunityContactRole": "",
	} {
		var names []string
		for _, f := range o.object(object).fields {
			if f.permissionable() && f.governor() == f {
				names = append(names, f.Name)
			}
		}
		if diff := cmp.Diff(strings.Fields(want), sorted(names)); diff != "" && want+strings.Join(names, "") != "" {
			t.Errorf("%s (-want +got):\n%s", object, diff)
		}
	}
}
