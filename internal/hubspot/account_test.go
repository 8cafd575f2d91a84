package hubspot_test

import (
	"context"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/lockstep-sync/lockstep/internal/crm"
	"github.com/lockstep-sync/lockstep/internal/engine"
	"github.com/lockstep-sync/lockstep/internal/fault"
	"github.com/lockstep-sync/lockstep/internal/hubspot"
)

var _ engine.Side = (*hubspot.Client)(nil)

const accountDetails = `{"portalId":48000001,"accountType":"STANDARD","timeZone":"US/Eastern","companyCurrency":"USD","uiDomain":"app.hubspot.com","dataHostingLocation":"na1"}`

// answers replies by path; a path that is not there is a 404.
func answers(bodies map[string]string) *portal {
	p := newPortal()
	p.intercept = func(request *http.Request, _ []byte) *http.Response {
		if body, ok := bodies[request.URL.Path]; ok {
			return reply(request, 200, body)
		}
		return reply(request, 404, `{"status":"error","message":"resource not found"}`)
	}
	return p
}

func TestAnAccountIsToldWithItsScopes(t *testing.T) {
	p := answers(map[string]string{
		"/account-info/v3/details":                     accountDetails,
		"/oauth/v2/private-apps/get/access-token-info": `{"userId":1,"hubId":48000001,"appId":777,"scopes":["oauth","crm.objects.contacts.read"]}`,
	})
	client := p.client(t, nil)
	if got := client.RecordURL("contacts", "5"); got != "" {
		t.Errorf("got %q before the account is known", got)
	}
	got, err := client.Account(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	want := crm.Account{Side: crm.HubSpot, ID: "48000001", Name: "HubSpot account 48000001", User: "app 777", Kind: "STANDARD",
		Web: "https://app.hubspot.com", API: "https://api.hubapi.com", Scopes: []string{"crm.objects.contacts.read", "oauth"}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got\n%s", diff)
	}
	if got, want := client.RecordURL("contacts", "5"), "https://app.hubspot.com/contacts/48000001/record/0-1/5"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestScopesThatHubSpotDoesNotTellAreNil(t *testing.T) {
	got, err := answers(map[string]string{"/account-info/v3/details": accountDetails}).client(t, nil).Account(t.Context())
	if err != nil || got.Scopes != nil {
		t.Errorf("got %v, %v", got.Scopes, err)
	}
}

func TestATokenThatIsNotTakenIsOneClearFault(t *testing.T) {
	cases := []struct {
		name, token, body, says string
		status                  int
	}{
		{"unknown", token, `{"status":"error","message":"Authentication credentials not found.","category":"INVALID_AUTHENTICATION"}`, "Service keys", 401},
		{"expired or garbage", token, `{"status":"error","message":"The OAuth token used to make this call expired 20543 day(s) ago.","category":"EXPIRED_AUTHENTICATION"}`, "lockstep connect hubspot", 401},
		{"of another region", "pat-eu1-00000000-fake", `{"status":"error","message":"Authentication credentials not found.","category":"INVALID_AUTHENTICATION"}`, "hosted in eu1", 401},
		{"without a right", token, `{"status":"error","message":"unauthorized request","category":"MISSING_PERMISSIONS"}`, "lockstep check", 403},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			p := newPortal()
			p.intercept = func(request *http.Request, _ []byte) *http.Response { return reply(request, c.status, c.body) }
			client := p.client(t, func(config *hubspot.Config) {
				config.HTTP = &http.Client{Transport: transport(func(r *http.Request) (*http.Response, error) { return reply(r, c.status, c.body), nil })}
				config.Token = func(context.Context) (string, error) { return c.token, nil }
			})
			_, err := client.Account(t.Context())
			if fault.KindOf(err) != fault.Denied || !strings.Contains(fault.MendOf(err), c.says) || strings.Contains(err.Error(), c.token) {
				t.Errorf("got %v, mend %q; want %q", err, fault.MendOf(err), c.says)
			}
		})
	}
}

type transport func(*http.Request) (*http.Response, error)

func (f transport) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

const dealProperties = `{"results":[
 {"name":"dealname","label":"Deal Name","type":"string","fieldType":"text","options":[],"modificationMetadata":{"readOnlyValue":false}},
 {"name":"amount","label":"Amount","type":"number","fieldType":"number","showCurrencySymbol":true,"modificationMetadata":{"readOnlyValue":false}},
 {"name":"hs_forecast_probability","label":"Forecast probability","type":"number","fieldType":"number","numberDisplayHint":"percentage","modificationMetadata":{"readOnlyValue":false}},
 {"name":"closedate","label":"Close Date","type":"datetime","fieldType":"date","modificationMetadata":{"readOnlyValue":false}},
 {"name":"birthday","label":"Birthday","type":"date","fieldType":"date","modificationMetadata":{"readOnlyValue":false}},
 {"name":"description","label":"Description","type":"string","fieldType":"textarea","modificationMetadata":{"readOnlyValue":false}},
 {"name":"body","label":"Body","type":"string","fieldType":"html","modificationMetadata":{"readOnlyValue":false}},
 {"name":"phone","label":"Phone","type":"string","fieldType":"phonenumber","modificationMetadata":{"readOnlyValue":false}},
 {"name":"contract","label":"Contract","type":"string","fieldType":"file","modificationMetadata":{"readOnlyValue":false}},
 {"name":"hs_tag_ids","label":"Tags","type":"enumeration","fieldType":"checkbox","options":[{"label":"A","value":"a"},{"label":"B","value":"b","hidden":true}],"modificationMetadata":{"readOnlyValue":false}},
 {"name":"hs_is_closed","label":"Closed","type":"bool","fieldType":"calculation_equation","calculated":true,"options":[{"label":"True","value":"true"},{"label":"False","value":"false"}],"modificationMetadata":{"readOnlyValue":true}},
 {"name":"dealstage","label":"Deal Stage","type":"enumeration","fieldType":"radio","options":[],"modificationMetadata":{"readOnlyValue":false}},
 {"name":"pipeline","label":"Pipeline","type":"enumeration","fieldType":"select","options":[],"modificationMetadata":{"readOnlyValue":false}},
 {"name":"hubspot_owner_id","label":"Deal owner","type":"enumeration","fieldType":"select","options":[],"externalOptions":true,"referencedObjectType":"OWNER","modificationMetadata":{"readOnlyValue":false}},
 {"name":"hs_primary_associated_company","label":"Primary company","type":"number","fieldType":"calculation_rollup","modificationMetadata":{"readOnlyValue":true}},
 {"name":"hs_object_id","label":"Record ID","type":"number","fieldType":"number","modificationMetadata":{"readOnlyValue":true}},
 {"name":"sf_id","label":"Salesforce id","type":"string","fieldType":"text","hasUniqueValue":true,"description":"set by sync","modificationMetadata":{"readOnlyValue":false}}
]}`

func TestASchemaIsToldInOurWords(t *testing.T) {
	p := answers(map[string]string{
		"/crm/v3/properties/deals": dealProperties,
		"/crm/v3/pipelines/deals": `{"results":[{"id":"default","label":"Sales Pipeline","displayOrder":1,"stages":[
			{"id":"closedwon","label":"Closed Won","displayOrder":2,"metadata":{"isClosed":"true","probability":"1.0"}},
			{"id":"appointmentscheduled","label":"Appointment","displayOrder":0,"metadata":{"isClosed":"false","probability":"0.2"}}]},
			{"id":"77","label":"Renewals","displayOrder":0,"stages":[]}]}`,
	})
	o, err := p.client(t, nil).Describe(t.Context(), "deals")
	if err != nil {
		t.Fatal(err)
	}
	kinds := map[string]crm.Kind{}
	for _, f := range o.Fields {
		kinds[f.Name] = f.Kind
	}
	want := map[string]crm.Kind{
		"dealname": crm.KindText, "amount": crm.KindCurrency, "hs_forecast_probability": crm.KindPercent, "closedate": crm.KindDateTime,
		"birthday": crm.KindDate, "description": crm.KindLongText, "body": crm.KindHTML, "phone": crm.KindPhone, "contract": crm.KindOther, "hs_tag_ids": crm.KindMultiPicklist,
		"hs_is_closed": crm.KindBool, "dealstage": crm.KindPicklist, "pipeline": crm.KindPicklist, "hubspot_owner_id": crm.KindOwner,
		"hs_primary_associated_company": crm.KindReference, "hs_object_id": crm.KindID, "sf_id": crm.KindText,
	}
	if diff := cmp.Diff(want, kinds); diff != "" {
		t.Errorf("kinds: -want +got\n%s", diff)
	}
	if why := o.Field("contract").Unfit; !strings.Contains(why, "file store") {
		t.Errorf("files cannot be kept in step because %q", why)
	}
	fields := []crm.Field{*o.Field("dealname"), *o.Field("hs_tag_ids"), *o.Field("hs_is_closed"), *o.Field("dealstage"), *o.Field("hubspot_owner_id"), *o.Field("hs_primary_associated_company"), *o.Field("sf_id")}
	wantFields := []crm.Field{
		{Name: "dealname", Kind: crm.KindText, Type: "string/text", Length: 65536, Required: true, Creatable: true, Updatable: true, Filterable: true},
		{Name: "hs_tag_ids", Kind: crm.KindMultiPicklist, Type: "enumeration/checkbox", Creatable: true, Updatable: true, Filterable: true, Restricted: true,
			Options: []crm.Option{{Value: "a", Label: "A", Active: true}, {Value: "b", Label: "B"}}},
		{Name: "hs_is_closed", Kind: crm.KindBool, Type: "bool/calculation_equation", Calculated: true, Filterable: true, Restricted: true,
			Options: []crm.Option{{Value: "true", Label: "True", Active: true}, {Value: "false", Label: "False", Active: true}}},
		{Name: "dealstage", Kind: crm.KindPicklist, Type: "enumeration/radio", Required: true, Creatable: true, Updatable: true, Filterable: true, Restricted: true,
			Options: []crm.Option{{Value: "appointmentscheduled", Label: "Appointment", Active: true}, {Value: "closedwon", Label: "Closed Won", Active: true}}},
		{Name: "hubspot_owner_id", Kind: crm.KindOwner, Type: "enumeration/select", Creatable: true, Updatable: true, Filterable: true},
		{Name: "hs_primary_associated_company", Kind: crm.KindReference, Type: "number/calculation_rollup", Calculated: true, Filterable: true, ReferenceTo: []string{"companies"}},
		{Name: "sf_id", Kind: crm.KindText, Type: "string/text", Length: 65536, Creatable: true, Updatable: true, Unique: true, ExternalID: true, Filterable: true, Help: "set by sync"},
	}
	if diff := cmp.Diff(wantFields, fields, cmpopts.IgnoreFields(crm.Field{}, "Label")); diff != "" {
		t.Errorf("fields: -want +got\n%s", diff)
	}
	wantPipelines := []crm.Pipeline{
		{ID: "77", Label: "Renewals"},
		{ID: "default", Label: "Sales Pipeline", Stages: []crm.Stage{{ID: "appointmentscheduled", Label: "Appointment", Probability: 0.2}, {ID: "closedwon", Label: "Closed Won", Probability: 1, Closed: true}}},
	}
	if diff := cmp.Diff(wantPipelines, o.Pipelines); diff != "" {
		t.Errorf("pipelines: -want +got\n%s", diff)
	}
}

func TestAnObjectThatIsNotThereIsNotFound(t *testing.T) {
	_, err := answers(nil).client(t, nil).Describe(t.Context(), "p1_nothing")
	if fault.KindOf(err) != fault.NotFound || fault.MendOf(err) == "" || !strings.Contains(err.Error(), "p1_nothing") {
		t.Errorf("got %v", err)
	}
}

func TestObjectsAreThoseThatTheTokenMayRead(t *testing.T) {
	p := answers(map[string]string{
		"/account-info/v3/details":                     accountDetails,
		"/oauth/v2/private-apps/get/access-token-info": `{"hubId":1,"appId":7,"scopes":["crm.objects.contacts.read","crm.objects.contacts.write","crm.objects.companies.read"]}`,
		"/crm-object-schemas/v3/schemas":               `{"results":[{"name":"car","objectTypeId":"2-77","fullyQualifiedName":"p1_car","labels":{"singular":"Car","plural":"Cars"}}]}`,
	})
	client := p.client(t, nil)
	if _, err := client.Account(t.Context()); err != nil {
		t.Fatal(err)
	}
	objects, err := client.Objects(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]bool{}
	for _, o := range objects {
		got[o.Name] = o.Creatable
	}
	want := map[string]bool{"contacts": true, "companies": false, "notes": true, "tasks": true, "calls": true, "meetings": true, "communications": true, "postal_mail": true, "p1_car": false}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got\n%s", diff)
	}
}

func TestOwnersAreReadWithThoseWhoLeft(t *testing.T) {
	p := newPortal()
	p.intercept = func(request *http.Request, _ []byte) *http.Response {
		switch query := request.URL.Query(); {
		case query.Get("archived") == "true":
			return reply(request, 200, `{"results":[{"id":"3","email":"left@acme.example","firstName":"","lastName":"","archived":true}]}`)
		case query.Get("after") == "":
			return reply(request, 200, `{"results":[{"id":"1","email":"ada@acme.example","firstName":"Ada","lastName":"Li","archived":false}],"paging":{"next":{"after":"2"}}}`)
		default:
			return reply(request, 200, `{"results":[{"id":"2","email":"bo@acme.example","firstName":"Bo","lastName":"","archived":false}]}`)
		}
	}
	got, err := p.client(t, nil).Owners(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	want := []crm.Owner{
		{ID: "1", Email: "ada@acme.example", Name: "Ada Li", Active: true},
		{ID: "2", Email: "bo@acme.example", Name: "Bo", Active: true},
		{ID: "3", Email: "left@acme.example", Name: "left@acme.example"},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got\n%s", diff)
	}
}

func TestDatedPathsPutTheVersionAfterTheName(t *testing.T) {
	p := newPortal()
	p.intercept = func(request *http.Request, _ []byte) *http.Response {
		return reply(request, 200, `{"results":[],"total":0}`)
	}
	client := p.client(t, func(config *hubspot.Config) { config.Version = "2026-03" })
	read := contacts("email")
	read.Relations = []string{"companies"}
	if _, err := client.Read(t.Context(), read, func([]crm.Record) error { return nil }); err != nil {
		t.Fatal(err)
	}
	want := []string{"POST /crm/objects/2026-03/contacts/search", "GET /crm/objects/2026-03/contacts"}
	if diff := cmp.Diff(want, p.log); diff != "" {
		t.Errorf("-want +got\n%s", diff)
	}
}
