package salesforce

import (
	"encoding/base64"
	"fmt"
	"strings"
	"testing"
)

// refused sends a create and wants an error code.
func (o *org) refused(object, body, code string) {
	o.t.Helper()
	if g := o.do("POST", "/sobjects/"+object, body); g.str("0.errorCode") != code {
		o.t.Errorf("create %s %s: %d %s, want %s", object, body, g.Status, g.Body, code)
	}
}

// change updates a record through the API and wants an error code, "" for none.
func (o *org) change(object, id, body, code string) {
	o.t.Helper()
	if g := o.do("PATCH", "/sobjects/"+object+"/"+id, body); g.str("0.errorCode") != code {
		o.t.Errorf("update %s %s: %d %s, want %q", object, body, g.Status, g.Body, code)
	}
}

func TestPriceBooks(t *testing.T) {
	o := newOrg(t)
	standard := o.soql("SELECT Id FROM Pricebook2 WHERE IsStandard = true")[0]["Id"].(string)
	partner := o.create("Pricebook2", `{"Name":"Partner","IsActive":true}`)
	seat := o.create("Product2", `{"Name":"Seat","ProductCode":"S1","IsActive":true}`)
	entry := func(book, rest string) string {
		return `{"Pricebook2Id":"` + book + `","Product2Id":"` + seat + `"` + rest + `}`
	}
	o.refused("PricebookEntry", entry(partner, `,"UnitPrice":8`), "STANDARD_PRICE_NOT_DEFINED")
	o.refused("PricebookEntry", entry(standard, ``), "REQUIRED_FIELD_MISSING")
	o.refused("PricebookEntry", entry(standard, `,"UnitPrice":10,"UseStandardPrice":true`), "FIELD_INTEGRITY_EXCEPTION")
	first := o.create("PricebookEntry", entry(standard, `,"UnitPrice":10,"IsActive":true`))
	o.refused("PricebookEntry", entry(standard, `,"UnitPrice":11`), "DUPLICATE_VALUE")
	follows := o.create("PricebookEntry", entry(partner, `,"UseStandardPrice":true,"IsActive":true`))
	o.change("PricebookEntry", first, `{"UnitPrice":12}`, "")
	o.change("Product2", seat, `{"Name":"Chair"}`, "")
	if got, _ := o.Get("PricebookEntry", follows); got["UnitPrice"] != 12.0 || got["Name"] != "Chair" || got["ProductCode"] != "S1" {
		t.Errorf("the entry that uses the standard price is %v", got)
	}
	o.change("PricebookEntry", first, `{"Product2Id":"`+seat+`"}`, "INVALID_FIELD_FOR_INSERT_UPDATE")
}

// shop is a priced product and an opportunity in its price book.
func (o *org) shop() (entry, product, opportunity string) {
	o.t.Helper()
	book := o.soql("SELECT Id FROM Pricebook2 WHERE IsStandard = true")[0]["Id"].(string)
	product = o.create("Product2", `{"Name":"Seat","IsActive":true}`)
	entry = o.create("PricebookEntry", `{"Pricebook2Id":"`+book+`","Product2Id":"`+product+`","UnitPrice":10,"IsActive":true}`)
	opportunity = o.create("Opportunity", `{"Name":"Big","StageName":"Value Proposition","CloseDate":"2027-01-01","Amount":5,"Pricebook2Id":"`+book+`"}`)
	return entry, product, opportunity
}

func TestTheProductsOfAnOpportunity(t *testing.T) {
	o := newOrg(t)
	entry, product, deal := o.shop()
	line := func(rest string) string { return `{"OpportunityId":"` + deal + `"` + rest + `}` }
	priced := `,"PricebookEntryId":"` + entry + `"`
	o.refused("OpportunityLineItem", line(priced+`,"UnitPrice":1`), "REQUIRED_FIELD_MISSING") // Quantity
	o.refused("OpportunityLineItem", line(`,"Quantity":1,"UnitPrice":1`), "REQUIRED_FIELD_MISSING")
	o.refused("OpportunityLineItem", line(priced+`,"Quantity":1`), "FIELD_INTEGRITY_EXCEPTION")
	o.refused("OpportunityLineItem", line(priced+`,"Quantity":1,"UnitPrice":1,"TotalPrice":1`), "FIELD_INTEGRITY_EXCEPTION")
	bare := o.create("Opportunity", `{"Name":"Bare","StageName":"Prospecting","CloseDate":"2027-01-01"}`)
	o.refused("OpportunityLineItem", `{"OpportunityId":"`+bare+`","Quantity":1,"UnitPrice":1`+priced+`}`, "FIELD_INTEGRITY_EXCEPTION")

	one := o.create("OpportunityLineItem", line(priced+`,"Quantity":3,"UnitPrice":9.5,"Discount":10`))
	two := o.create("OpportunityLineItem", line(`,"Product2Id":"`+product+`","Quantity":4,"TotalPrice":20`))
	got, _ := o.Get("OpportunityLineItem", one)
	if got["TotalPrice"] != 25.65 || got["Subtotal"] != 28.5 || got["ListPrice"] != 10.0 || got["Name"] != "Big Seat" || got["Product2Id"] != product {
		t.Errorf("the first is %v", got)
	}
	if got, _ := o.Get("OpportunityLineItem", two); got["UnitPrice"] != 5.0 || got["PricebookEntryId"] != entry {
		t.Errorf("the second is %v", got)
	}
	sum := func(want float64, has bool) {
		t.Helper()
		got, _ := o.Get("Opportunity", deal)
		if got["Amount"] != want || got["ExpectedRevenue"] != roundTo(want/2, 2) || got["HasOpportunityLineItem"] != has {
			t.Errorf("the opportunity has amount %v, expected %v, products %v; want %v", got["Amount"], got["ExpectedRevenue"], got["HasOpportunityLineItem"], want)
		}
	}
	sum(45.65, true)
	o.change("OpportunityLineItem", two, `{"Quantity":2}`, "")
	sum(35.65, true)
	o.change("Opportunity", deal, `{"Amount":1000,"NextStep":"Sign"}`, "")
	sum(35.65, true)
	o.change("Opportunity", deal, `{"Pricebook2Id":null}`, "FIELD_INTEGRITY_EXCEPTION")
	if g := o.do("DELETE", "/sobjects/Product2/"+product, ""); g.str("0.errorCode") != "DELETE_FAILED" {
		t.Errorf("a product in use: %d %s", g.Status, g.Body)
	}
	for _, id := range []string{one, two} {
		if g := o.do("DELETE", "/sobjects/OpportunityLineItem/"+id, ""); g.Status != 204 {
			t.Fatalf("delete: %s", g.Body)
		}
	}
	sum(10, false) // what the last one came to stays
	o.change("Opportunity", deal, `{"Amount":7}`, "")
	sum(7, false)
	o.change("PricebookEntry", entry, `{"IsActive":false}`, "")
	o.refused("OpportunityLineItem", line(priced+`,"Quantity":1,"UnitPrice":1`), "FIELD_INTEGRITY_EXCEPTION")
}

func TestCampaignsAndTheirMembers(t *testing.T) {
	o := newOrg(t)
	fair := o.create("Campaign", `{"Name":"Fair"}`)
	statuses := o.soql("SELECT Label, IsDefault, HasResponded FROM CampaignMemberStatus WHERE CampaignId = '" + fair + "' ORDER BY SortOrder")
	if fmt.Sprint(statuses) != "[map[HasResponded:false IsDefault:true Label:Sent] map[HasResponded:true IsDefault:false Label:Responded]]" {
		t.Errorf("a new campaign has the statuses %v", statuses)
	}
	lead := o.create("Lead", `{"LastName":"Nowak","FirstName":"Ana","Company":"Acme","Email":"ana@acme.example"}`)
	acme := o.create("Account", `{"Name":"Globex"}`)
	contact := o.create("Contact", `{"LastName":"Bo","AccountId":"`+acme+`"}`)
	o.refused("CampaignMember", `{"CampaignId":"`+fair+`"}`, "REQUIRED_FIELD_MISSING")
	member := o.create("CampaignMember", `{"CampaignId":"`+fair+`","LeadId":"`+lead+`","Status":"Unheard of"}`)
	o.refused("CampaignMember", `{"CampaignId":"`+fair+`","LeadId":"`+lead+`"}`, "DUPLICATE_VALUE")
	o.create("CampaignMember", `{"CampaignId":"`+fair+`","LeadId":"`+lead+`","ContactId":"`+contact+`","Status":"responded"}`)
	got, _ := o.Get("CampaignMember", member)
	if got["Status"] != "Sent" || got["Name"] != "Ana Nowak" || got["CompanyOrAccount"] != "Acme" || got["Type"] != "Lead" || got["HasResponded"] != false {
		t.Errorf("the lead's membership is %v", got)
	}
	o.change("Lead", lead, `{"Email":"new@acme.example"}`, "")
	if rows := o.soql("SELECT Email, ContactId, LeadId, CompanyOrAccount, HasResponded, FirstRespondedDate FROM CampaignMember ORDER BY Id"); rows[0]["Email"] != "new@acme.example" ||
		rows[1]["LeadId"] != nil || rows[1]["CompanyOrAccount"] != "Globex" || rows[1]["HasResponded"] != true || rows[1]["FirstRespondedDate"] == nil {
		t.Errorf("the members are %v", rows)
	}
	if figures := o.soql("SELECT NumberOfLeads, NumberOfContacts, NumberOfResponses FROM Campaign")[0]; figures["NumberOfLeads"] != 1.0 || figures["NumberOfContacts"] != 1.0 || figures["NumberOfResponses"] != 1.0 {
		t.Errorf("the campaign counts %v", figures)
	}
	o.refused("CampaignMemberStatus", `{"CampaignId":"`+fair+`","Label":"sent"}`, "DUPLICATE_VALUE")
	o.create("CampaignMemberStatus", `{"CampaignId":"`+fair+`","Label":"Visited","HasResponded":true,"IsDefault":true}`)
	usual := o.soql("SELECT Id, Label FROM CampaignMemberStatus WHERE IsDefault = true")
	if len(usual) != 1 || usual[0]["Label"] != "Visited" {
		t.Errorf("the default statuses are %v", usual)
	}
	if g := o.do("DELETE", "/sobjects/CampaignMemberStatus/"+usual[0]["Id"].(string), ""); g.str("0.errorCode") != "DELETE_FAILED" {
		t.Errorf("deleting the default status: %d %s", g.Status, g.Body)
	}
	done, err := o.ConvertLead(lead, Conversion{NoOpportunity: true})
	if err != nil {
		t.Fatal(err)
	}
	if got, _ := o.Get("CampaignMember", member); got["ContactId"] != done.ContactID || got["LeadId"] != lead || got["Type"] != "Contact" {
		t.Errorf("after the conversion the membership is %v", got)
	}
	// Campaigns take a check box of the user.
	me := o.soql("SELECT Id FROM User WHERE Username = '" + IntegrationUsername + "'")[0]["Id"].(string)
	if err := o.Update("User", me, map[string]any{"UserPermissionsMarketingUser": false}); err != nil {
		t.Fatal(err)
	}
	o.refused("Campaign", `{"Name":"Not mine"}`, "INSUFFICIENT_ACCESS_OR_READONLY")
	if err := o.Delete("Campaign", fair); err != nil || o.Count("CampaignMember") != 0 || o.Count("CampaignMemberStatus") != 0 {
		t.Errorf("a campaign that goes takes members and statuses with it: %v, %d, %d", err, o.Count("CampaignMember"), o.Count("CampaignMemberStatus"))
	}
}

func TestActivities(t *testing.T) {
	o := newOrg(t)
	acme := o.create("Account", `{"Name":"Acme"}`)
	ana := o.create("Contact", `{"LastName":"Ana","AccountId":"`+acme+`"}`)
	lead := o.create("Lead", `{"LastName":"Bo","Company":"X"}`)
	task := o.create("Task", `{}`)
	if got, _ := o.Get("Task", task); got["Status"] != "Not Started" || got["Priority"] != "Normal" || got["TaskSubtype"] != "Task" || got["OwnerId"] == nil {
		t.Errorf("an empty task is %v", got)
	}
	o.change("Task", task, `{"WhoId":"`+ana+`","Status":"Completed","CallDurationInSeconds":60,"CallType":"Outbound"}`, "")
	if got, _ := o.Get("Task", task); got["IsClosed"] != true || got["CompletedDateTime"] == nil || got["AccountId"] != acme {
		t.Errorf("done, it is %v", got)
	}
	o.change("Task", task, `{"TaskSubtype":"Call"}`, "INVALID_FIELD_FOR_INSERT_UPDATE")
	o.refused("Task", `{"WhoId":"`+lead+`","WhatId":"`+acme+`"}`, "FIELD_INTEGRITY_EXCEPTION")
	o.refused("Task", `{"WhoId":"`+acme+`"}`, "MALFORMED_ID")
	o.refused("Task", `{"CallType":"Telepathy"}`, "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST")
	o.refused("Event", `{"Subject":"Meeting"}`, "REQUIRED_FIELD_MISSING")
	o.refused("Event", `{"Subject":"Meeting","StartDateTime":"2027-01-01T10:00:00Z"}`, "REQUIRED_FIELD_MISSING")
	o.refused("Event", `{"WhoId":"`+lead+`","WhatId":"`+acme+`","ActivityDate":"2027-01-01","IsAllDayEvent":true}`, "FIELD_INTEGRITY_EXCEPTION")
	event := o.create("Event", `{"Subject":"Meeting","StartDateTime":"2027-01-01T10:00:00Z","DurationInMinutes":90,"WhatId":"`+acme+`"}`)
	o.change("Event", event, `{"EndDateTime":"2027-01-01T11:00:00Z"}`, "")
	if got, _ := o.Get("Event", event); got["DurationInMinutes"] != 60.0 || got["ShowAs"] != "Busy" || got["ActivityDate"] != "2027-01-01" || got["AccountId"] != acme {
		t.Errorf("the event is %v", got)
	}
	if err := o.AddObject(Object{Name: "Site__c", Activities: true}); err != nil {
		t.Fatal(err)
	}
	site := o.create("Site__c", `{"Name":"Roof"}`)
	o.create("Task", `{"Subject":"Inspect","WhatId":"`+site+`","ActivityDate":"2027-02-01"}`)
	rows := o.soql("SELECT What.Type, What.Name FROM Task WHERE WhatId = '" + site + "'")
	if len(rows) != 1 || fmt.Sprint(rows[0]["What"]) != "map[Name:Roof Type:Site__c]" {
		t.Errorf("a task about a custom record: %v", rows)
	}
}

func TestCases(t *testing.T) {
	o := newOrg(t)
	acme := o.create("Account", `{"Name":"Acme"}`)
	ana := o.create("Contact", `{"LastName":"Ana","Email":"ana@acme.example","AccountId":"`+acme+`"}`)
	queue := o.Insert("Group", map[string]any{"Name": "Support", "Type": "Queue"}, longAgo, longAgo)
	id := o.create("Case", `{"ContactId":"`+ana+`","Subject":"Broken","OwnerId":"`+queue+`"}`)
	got, _ := o.Get("Case", id)
	if got["Status"] != "New" || got["Priority"] != "Medium" || got["AccountId"] != acme || got["ContactEmail"] != "ana@acme.example" || len(got["CaseNumber"].(string)) != 8 {
		t.Errorf("got %v", got)
	}
	o.change("Case", id, `{"Status":"Closed"}`, "")
	if got, _ := o.Get("Case", id); got["IsClosed"] != true || got["ClosedDate"] == nil {
		t.Errorf("closed, it is %v", got)
	}
	o.change("Case", id, `{"Status":"Working"}`, "")
	if got, _ := o.Get("Case", id); got["IsClosed"] != false || got["ClosedDate"] != nil {
		t.Errorf("open again, it is %v", got)
	}
	if g := o.do("DELETE", "/sobjects/Account/"+acme, ""); g.str("0.errorCode") != "DELETE_FAILED" {
		t.Errorf("an account with cases: %d %s", g.Status, g.Body)
	}
}

func TestNotes(t *testing.T) {
	o := newOrg(t)
	acme := o.create("Account", `{"Name":"Acme"}`)
	html := "<p>Ana &amp; Bo want <b>ten</b> seats</p>"
	coded := base64.StdEncoding.EncodeToString([]byte(html))
	o.refused("ContentNote", `{"Content":"`+coded+`"}`, "REQUIRED_FIELD_MISSING")
	o.refused("ContentNote", `{"Title":"Call","Content":"<p>"}`, "INVALID_BASE64_DATA")
	note := o.create("ContentNote", `{"Title":"Call","Content":"`+coded+`"}`)
	row := o.soql("SELECT Title, Content, ContentSize, FileType, TextPreview FROM ContentNote")[0]
	if row["FileType"] != "SNOTE" || row["ContentSize"] != float64(len(html)) || row["TextPreview"] != "Ana & Bo want  ten  seats" {
		t.Errorf("the note is %v", row)
	}
	if g := o.do("GET", row["Content"].(string), ""); g.Status != 200 || g.Body != html {
		t.Errorf("its content: %d %s", g.Status, g.Body)
	}
	o.refused("ContentDocumentLink", `{"ContentDocumentId":"`+note+`","LinkedEntityId":"`+acme+`"}`, "REQUIRED_FIELD_MISSING")
	link := o.create("ContentDocumentLink", `{"ContentDocumentId":"`+note+`","LinkedEntityId":"`+acme+`","ShareType":"V"}`)
	o.refused("ContentDocumentLink", `{"ContentDocumentId":"`+note+`","LinkedEntityId":"`+acme+`","ShareType":"V"}`, "DUPLICATE_VALUE")
	if rows := o.soql("SELECT ContentDocument.Title, LinkedEntity.Type, ShareType FROM ContentDocumentLink WHERE ContentDocumentId = '" + note + "' ORDER BY Id"); len(rows) != 2 ||
		rows[0]["ShareType"] != "I" || rows[1]["ContentDocument"].(map[string]any)["Title"] != "Call" || rows[1]["LinkedEntity"].(map[string]any)["Type"] != "Account" {
		t.Errorf("the links of the note, its owner's first: %v", rows)
	}
	for query, fine := range map[string]bool{
		"SELECT Id FROM ContentDocumentLink": false, "SELECT COUNT() FROM ContentDocumentLink WHERE ShareType = 'V'": false,
		"SELECT Id FROM ContentDocumentLink WHERE LinkedEntityId IN ('" + acme + "') AND ShareType = 'V'":                true,
		"SELECT Id FROM ContentDocumentLink WHERE LinkedEntityId != '" + acme + "'":                                      false,
		"SELECT Id, (SELECT ContentDocumentId FROM ContentDocumentLinks) FROM Account":                                   true,
		"SELECT Id FROM ContentNote WHERE Id IN (SELECT ContentDocumentId FROM ContentDocumentLink)":                     false,
		"SELECT Id FROM ContentDocumentLink WHERE ContentDocumentId = '" + note + "' OR LinkedEntityId = '" + acme + "'": false,
	} {
		g := o.do("GET", "/query?q="+escape(query), "")
		if (g.Status == 200) != fine || !fine && (g.str("0.errorCode") != "MALFORMED_QUERY" || !strings.Contains(g.Body, "Implementation restriction")) {
			t.Errorf("%s: %d %s", query, g.Status, g.Body)
		}
	}
	o.change("ContentNote", note, `{"Content":null}`, "")
	if g := o.do("GET", "/sobjects/ContentNote/"+note, ""); g.at("Content") != nil || g.at("ContentSize") != 0.0 {
		t.Errorf("emptied, it is %s", g.Body)
	}
	if err := o.Delete("Account", acme); err != nil {
		t.Fatal(err)
	}
	if _, live := o.find("ContentDocumentLink", link); live || o.Count("ContentNote") != 1 {
		t.Error("the link goes with the record, the note stays")
	}
	if g := o.do("DELETE", "/sobjects/ContentNote/"+note, ""); g.Status != 204 || o.Count("ContentDocumentLink") != 0 {
		t.Errorf("the links go with the note: %d, %d left", g.Status, o.Count("ContentDocumentLink"))
	}
}

// find says whether a record is live.
func (o *org) find(object, id string) (fields map[string]any, live bool) {
	fields, there := o.Get(object, id)
	return fields, there && fields["IsDeleted"] != true
}

func TestUsersAreMadeAsRecords(t *testing.T) {
	o := newOrg(t)
	profile := o.soql("SELECT Id FROM Profile WHERE Name = 'Standard User'")[0]["Id"].(string)
	body := `{"Username":"new@lockstep.example","LastName":"New","Email":"new@lockstep.example","Alias":"new","TimeZoneSidKey":"GMT","LocaleSidKey":"en_US",` +
		`"EmailEncodingKey":"UTF-8","LanguageLocaleKey":"en_US","ProfileId":"` + profile + `","CommunityNickname":"new"}`
	o.refused("User", `{"LastName":"New"}`, "REQUIRED_FIELD_MISSING")
	id := o.create("User", body)
	o.refused("User", strings.Replace(body, "new@", "NEW@", 1), "DUPLICATE_USERNAME")
	acme := o.create("Account", `{"Name":"Acme","OwnerId":"`+id+`"}`)
	lead := o.create("Lead", `{"LastName":"Bo","Company":"X","OwnerId":"`+id+`"}`)
	if _, err := o.ConvertLead(lead, Conversion{}); err != nil {
		t.Errorf("a lead of that user: %v", err)
	}
	if err := o.By(Edit{Username: "new@lockstep.example"}).Update("Account", acme, map[string]any{"Phone": "1"}); err != nil {
		t.Error(err)
	}
	o.change("User", id, `{"IsActive":false}`, "")
	o.refused("Account", `{"Name":"Globex","OwnerId":"`+id+`"}`, "INACTIVE_OWNER_OR_USER")
	if g := o.do("DELETE", "/sobjects/User/"+id, ""); g.Status < 400 {
		t.Errorf("a user was deleted: %d", g.Status)
	}
}
