package mapping

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/lockstep-sync/lockstep/internal/crm"
	"github.com/lockstep-sync/lockstep/internal/mapping/mappingtest"
)

const whole = `hubspot: acme
salesforce: acme
objects:
  - name: deals
    hubspot: deals
    salesforce: Opportunity
    external-id: HubSpot_Id__c
    owner: by-email
    fields:
      - {hubspot: dealname, salesforce: Name, too-long: hold}
      - {hubspot: closedate, salesforce: CloseDate}
      - {hubspot: dealstage, salesforce: StageName, unmapped: skip}
      - {hubspot: amount, salesforce: Amount}
    associations:
      - {hubspot: companies, salesforce: AccountId}
      - {hubspot: contacts, salesforce: OpportunityContactRole}
  - name: people
    hubspot: contacts
    salesforce: [{object: Contact, when: 'hubspot.associatedcompanyid != nil'}, Lead]
    match: [{hubspot: email, salesforce: Email, as: email}]
    where: {hubspot: 'hubspot.lifecyclestage != "subscriber"', salesforce: 'salesforce.Title != "x"'}
    fields:
      - {hubspot: lastname, salesforce: LastName, too-long: hold}
      - {hubspot: company, salesforce: Company, on: [Lead], too-long: hold}
    associations: [{hubspot: companies, salesforce: AccountId}]
  - name: companies
    hubspot: companies
    salesforce: Account
    match: [{hubspot: domain, salesforce: Website, as: domain}]
    fields:
      - {hubspot: name, salesforce: Name, too-long: cut}
`

func TestBindReadsJustWhatIsNeededAndPutsReferencedObjectsFirst(t *testing.T) {
	b := mustBind(t, whole, standardSchemas())
	type read struct{ HubSpot, Relations, Salesforce, Slots, Rules string }
	got := map[string]read{}
	var order []string
	for _, o := range b.Objects {
		order = append(order, o.Name)
		r := read{HubSpot: strings.Join(o.HubSpotRead.Layout.Fields, " "), Relations: strings.Join(o.HubSpotRead.Relations, " "), Slots: strings.Join(o.BaseNames, " "), Rules: strings.Join(o.RuleFields, " ")}
		for _, target := range o.Targets {
			r.Salesforce += target.Object + ": " + strings.Join(target.Read.Layout.Fields, " ") + "; rules " + strings.Join(target.RuleFields, " ") + "; relations " + junctionNames(target.Read.Junctions) + ". "
		}
		got[o.Name] = r
	}
	want := map[string]read{
		"companies": {HubSpot: "name domain hs_additional_domains", Slots: "name/Name rules", Rules: "domain", Salesforce: "Account: Name Website; rules Website; relations . "},
		"people": {HubSpot: "lastname company email hs_additional_emails lifecyclestage associatedcompanyid", Relations: "companies", Slots: "lastname/LastName company/Company@Lead companies/AccountId rules", Rules: "associatedcompanyid email lifecyclestage",
			Salesforce: "Contact: LastName Email Title AccountId; rules Email Title; relations . Lead: LastName Company Email Title IsConverted ConvertedContactId ConvertedAccountId ConvertedOpportunityId; rules Email IsConverted Title; relations . "},
		"deals": {HubSpot: "dealname closedate dealstage amount pipeline hubspot_owner_id", Relations: "companies contacts", Slots: "dealname/Name closedate/CloseDate dealstage/StageName amount/Amount companies/AccountId contacts/OpportunityContactRole owner rules",
			Salesforce: "Opportunity: Name CloseDate StageName Amount HubSpot_Id__c AccountId OwnerId; rules HubSpot_Id__c; relations OpportunityContactRole. "},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{"companies", "people", "deals"}, order); diff != "" {
		t.Errorf("order (-want +got):\n%s", diff)
	}
	if got := b.Object("deals").Targets[0].Fields[2].StagePipeline["8001"]; got != "7001" {
		t.Errorf("stage 8001 is in pipeline %q", got)
	}
}

func TestBindReportsWhatDoesNotFit(t *testing.T) {
	valid := `hubspot: acme
salesforce: acme
objects:
  - name: companies
    hubspot: companies
    salesforce: Account
    match: [{hubspot: domain, salesforce: Website, as: domain}]
    fields:
      - {hubspot: name, salesforce: Name, too-long: hold}
`
	add := func(line string) string { return valid + "      - " + line + "\n" }
	change := func(from, to string) string { return strings.Replace(valid, from, to, 1) }
	for name, test := range map[string]struct {
		src     string
		schemas func(Schemas)
		want    []string // "line:column severity code" and a part of what or mend
	}{
		"an unknown HubSpot object, found by its label":              {src: change("hubspot: companies", "hubspot: Companies"), want: []string{"5:14 error object.unknown did you mean companies?"}},
		"an unknown Salesforce object":                               {src: change("salesforce: Account", "salesforce: Acount"), want: []string{"6:17 error object.unknown did you mean Account?"}},
		"an unknown property":                                        {src: add("{hubspot: phnoe, salesforce: Phone}"), want: []string{"10:19 error field.unknown did you mean phone?"}},
		"a field in the wrong case":                                  {src: add("{hubspot: phone, salesforce: phone}"), want: []string{"10:38 error field.unknown did you mean Phone?"}},
		"a property by its label":                                    {src: add("{hubspot: Phone Number, salesforce: Phone}"), want: []string{"10:19 error field.unknown did you mean phone (Phone Number)?"}},
		"a field that only one of two objects has":                   {src: strings.Replace(whole, ", on: [Lead]", "", 1), want: []string{"24:40 error field.unknown add on: [Lead]"}},
		"types that cannot be converted":                             {src: add("{hubspot: annualrevenue, salesforce: Industry}"), want: []string{"10:9 error field.types HubSpot annualrevenue (number) cannot become Salesforce Industry (picklist)"}},
		"a compound field, with its parts":                           {src: add("{hubspot: address, salesforce: BillingAddress, direction: to-hubspot}"), want: []string{"10:40 error field.unfit map the parts, such as BillingStreet and BillingCity"}},
		"a percent without a word on its unit":                       {src: add("{hubspot: annualrevenue, salesforce: Share__c, direction: to-hubspot}"), schemas: withShare, want: []string{"10:9 warning field.percent add times: 100"}},
		"a percent whose unit the file says":                         {src: add("{hubspot: annualrevenue, salesforce: Share__c, times: 1}"), schemas: withShare, want: nil},
		"a factor for what is no number":                             {src: add("{hubspot: tier, salesforce: Tier__c, times: 100, too-long: cut}"), want: []string{"10:53 error field.times take `times` out"}},
		"a field that HubSpot calculates":                            {src: add("{hubspot: num_associated_deals, salesforce: NumberOfEmployees}"), want: []string{"10:19 error field.calculated add direction: to-salesforce"}},
		"a field that may not be written":                            {src: add("{hubspot: phone, salesforce: Phone, too-long: cut}"), schemas: func(s Schemas) { f := s.Salesforce["Account"].Field("Phone"); f.Creatable, f.Updatable = false, false }, want: []string{"10:38 error field.read-only add direction: to-hubspot"}},
		"text that is shorter over there, with numbers":              {src: add("{hubspot: city, salesforce: BillingCity}"), want: []string{"10:9 warning field.shorter BillingCity 40"}},
		"picklist values without a counterpart, with lines to paste": {src: add("{hubspot: industry, salesforce: Industry, direction: to-salesforce}"), want: []string{"10:9 warning picklist.uncovered   COMPUTER_SOFTWARE: …"}},
		"a value table with a value that HubSpot lacks":              {src: add("{hubspot: industry, salesforce: Industry, values: {BANKNIG: Banking}, unmapped: skip}"), want: []string{"10:60 error picklist.unknown-value did you mean BANKING?"}},
		"a value table with a value that Salesforce lacks":           {src: add("{hubspot: industry, salesforce: Industry, values: {BANKING: Bank}, unmapped: skip}"), want: []string{"10:60 error picklist.unknown-value its values are Banking"}},
		"a value to use instead that nobody knows":                   {src: add("{hubspot: industry, salesforce: Industry, unmapped: {use: Othr}}"), want: []string{"10:9 error picklist.unknown-value its values are"}},
		"a required field that nothing fills, with the line to add":  {src: strings.Replace(whole, "      - {hubspot: company, salesforce: Company, on: [Lead], too-long: hold}\n", "", 1), want: []string{`19:81 error required.unfilled - {hubspot: company, salesforce: Company, blank: "[not provided]", on: [Lead]}`}},
		"a create in HubSpot without what HubSpot needs":             {src: change("    match", "    create: both\n    match") + "", schemas: nil, want: nil},
		"creating in HubSpot with a one-way name":                    {src: strings.Replace(change("    match", "    create: both\n    match"), "too-long: hold", "direction: to-salesforce, too-long: hold", 1), want: []string{"5:14 error required.unfilled name or domain"}},
		"an object that may not be created":                          {src: valid, schemas: func(s Schemas) { s.Salesforce["Account"].Creatable = false }, want: []string{"6:17 error object.not-creatable grant Create on Account"}},
		"a match field that cannot be searched":                      {src: valid, schemas: func(s Schemas) { s.Salesforce["Account"].Field("Website").Filterable = false }, want: []string{"7:43 error match.not-filterable match by another field"}},
		"an external id that is not unique":                          {src: change("    match", "    external-id: Tier__c\n    match"), want: []string{"7:18 error external-id.not-unique tick External ID and Unique"}},
		"an expression that names an unknown field, at its place":    {src: add("{salesforce: Tier__c, from: 'upper(hubspot.teir)'}"), want: []string{"10:52 error expression did you mean tier?"}},
		"an expression that reads what it writes":                    {src: add(`{salesforce: Tier__c, from: 'salesforce.Tier__c + "x"'}`), want: []string{"10:38 error expression would never come to rest"}},
		"a filter in a block, at its line":                           {src: change("    match", "    where:\n      hubspot: >\n        hubspot.nam == \"\"\n    match"), want: []string{"9:17 error expression did you mean name?"}},
		"an association to an object that is not mapped":             {src: valid + "    associations: [{hubspot: contacts, salesforce: ParentId}]\n", want: []string{"10:30 error association.unmapped-object map HubSpot contacts as an object"}},
		"a role that joins nothing":                                  {src: valid + "    associations: [{hubspot: companies, salesforce: OpportunityContactRole}]\n", want: []string{"10:53 error association.no-role joins Opportunity and Contact"}},
		"owners mapped as a field":                                   {src: add("{hubspot: hubspot_owner_id, salesforce: OwnerId}"), want: []string{"10:9 error field.owner owner: by-email"}},
		"no way to find what exists already":                         {src: change("    match: [{hubspot: domain, salesforce: Website, as: domain}]\n", ""), want: []string{"4:11 warning match.none they would be created again"}},
		"a target behind one that takes all":                         {src: strings.Replace(whole, "{object: Contact, when: 'hubspot.associatedcompanyid != nil'}", "Contact", 1), want: []string{"19:18 warning mapping.unreachable put it last"}},
	} {
		t.Run(name, func(t *testing.T) {
			m, err := Parse("lockstep.yaml", []byte(test.src))
			if err != nil {
				t.Fatal(err)
			}
			schemas := standardSchemas()
			if test.schemas != nil {
				test.schemas(schemas)
			}
			b, problems := m.Bind(schemas)
			if (b == nil) != (len(problems.Errors()) > 0) {
				t.Errorf("bound %v with problems %v", b != nil, problems)
			}
			var got []string
			if problems != nil {
				for _, p := range problems.All {
					got = append(got, fmt.Sprintf("%d:%d %s %s", p.Line, p.Column, p.Severity, p.Code))
				}
			}
			var want []string
			for i, w := range test.want {
				parts := strings.SplitN(w, " ", 4)
				want = append(want, strings.Join(parts[:3], " "))
				if problems != nil && i < len(problems.All) {
					if p := problems.All[i]; !strings.Contains(p.What+"\n"+p.Mend, parts[3]) {
						t.Errorf("neither %q nor its mend %q says %q", p.What, p.Mend, parts[3])
					}
				}
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("(-want +got):\n%s\n%v", diff, problems)
			}
		})
	}
}

func withShare(s Schemas) {
	s.Salesforce["Account"].Fields = append(s.Salesforce["Account"].Fields, mappingtest.Field("Share__c", crm.KindPercent, mappingtest.Digits(5, 2)))
}

func TestNeeds(t *testing.T) {
	m, err := Parse("lockstep.yaml", []byte(whole))
	if err != nil {
		t.Fatal(err)
	}
	var scopes []string
	for _, n := range m.Scopes() {
		scopes = append(scopes, n.Name)
		if n.Why == "" || n.Access == "" || n.Object == "" {
			t.Errorf("%+v", n)
		}
	}
	if diff := cmp.Diff([]string{"crm.objects.deals.read", "crm.objects.deals.write", "crm.objects.companies.read", "crm.objects.companies.write", "crm.objects.contacts.read", "crm.objects.contacts.write", "crm.objects.owners.read"}, scopes); diff != "" {
		t.Errorf("scopes (-want +got):\n%s", diff)
	}
	var permissions []string
	for _, n := range m.Permissions(mustBind(t, whole, standardSchemas())) {
		if n.Object == "Opportunity" {
			permissions = append(permissions, n.Name)
		}
	}
	if diff := cmp.Diff([]string{"Opportunity: Read", "Opportunity: Create", "Opportunity: Edit", "Opportunity.Amount: Edit", "Opportunity.HubSpot_Id__c: Edit", "Opportunity.AccountId: Edit"}, permissions); diff != "" {
		t.Errorf("permissions (-want +got):\n%s", diff)
	}
	readOnly, err := Parse("lockstep.yaml", []byte("hubspot: a\nsalesforce: b\nobjects:\n  - {name: t, hubspot: tickets, salesforce: Case, fields: [{hubspot: subject, salesforce: Subject, direction: to-salesforce}]}\n  - {name: c, hubspot: p1_cars, salesforce: Car__c, fields: [{hubspot: x, salesforce: X, direction: to-salesforce}]}\n"))
	if err != nil {
		t.Fatal(err)
	}
	scopes = nil
	for _, n := range readOnly.Scopes() {
		scopes = append(scopes, n.Name)
	}
	if diff := cmp.Diff([]string{"tickets", "crm.objects.custom.read"}, scopes); diff != "" {
		t.Errorf("scopes of what is only read (-want +got):\n%s", diff)
	}
}

func TestBindChangesNeitherMappingNorSchemas(t *testing.T) {
	m, err := Parse("lockstep.yaml", []byte(whole))
	if err != nil {
		t.Fatal(err)
	}
	schemas := standardSchemas()
	first, _ := m.Bind(schemas)
	if diff := cmp.Diff(mappingtest.HubSpot(), schemas.HubSpot); diff != "" {
		t.Errorf("the schema changed:\n%s", diff)
	}
	second, _ := m.Bind(schemas)
	for i, o := range first.Objects {
		if second.Objects[i].Name != o.Name || second.Objects[i].BaseVersion != o.BaseVersion {
			t.Errorf("%s is bound otherwise the second time", o.Name)
		}
	}
	other := standardSchemas()
	other.Salesforce["Opportunity"].Field("Amount").Kind = crm.KindText
	if b, _ := m.Bind(other); b.Object("deals").BaseVersion == first.Object("deals").BaseVersion {
		t.Error("a field of another type does not make another base")
	}
}
