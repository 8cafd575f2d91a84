package postman_test

import (
	"bytes"
	"encoding/json"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/lockstep-sync/lockstep/internal/postman"
)

func exported(t *testing.T, text string) (*postman.Collection, *postman.Environment) {
	t.Helper()
	return postman.Export(bind(t, text), postman.Options{Name: "acme"})
}

func written(t *testing.T, v any) []byte {
	t.Helper()
	text, err := postman.JSON(v)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

func names(e *postman.Environment, key string) bool {
	return slices.ContainsFunc(e.Values, func(v postman.Value) bool { return v.Key == key })
}

func TestTheCollectionIsPostmans(t *testing.T) {
	text, err := os.ReadFile("testdata/collection-2.1.schema.json")
	if err != nil {
		t.Fatal(err)
	}
	document, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	compiler := jsonschema.NewCompiler()
	if err := compiler.AddResource("collection.json", document); err != nil {
		t.Fatal(err)
	}
	schema, err := compiler.Compile("collection.json")
	if err != nil {
		t.Fatal(err)
	}
	bound := bind(t, everything)
	normal, _ := postman.Export(bound, postman.Options{})
	failed, _ := postman.ExportFailed(bound, 12, failedCalls(), postman.Options{})
	for name, c := range map[string]*postman.Collection{"of the mapping": normal, "of failed calls": failed} {
		instance, err := jsonschema.UnmarshalJSON(bytes.NewReader(written(t, c)))
		if err != nil {
			t.Fatal(err)
		}
		if err := schema.Validate(instance); err != nil {
			t.Errorf("the collection %s: %v", name, err)
		}
	}
}

func TestTheSameMappingGivesTheSameFiles(t *testing.T) {
	one, environment := exported(t, everything)
	for range 5 {
		again, same := exported(t, everything)
		if !bytes.Equal(written(t, one), written(t, again)) || !bytes.Equal(written(t, environment), written(t, same)) {
			t.Fatal("two exports differ")
		}
	}
	ids := map[string]string{one.Info.ID: "the collection"}
	for _, item := range one.Requests() {
		if other, taken := ids[item.ID]; taken {
			t.Errorf("%s and %s have the same id", item.Name, other)
		}
		ids[item.ID] = item.Name
	}
}

// R25: no file holds a token, and the variables for secrets are empty.
func TestNoFileHoldsASecret(t *testing.T) {
	collection, environment := postman.Export(bind(t, everything), postman.Options{SalesforceClientID: "3MVG9-the-public-consumer-key"})
	for _, v := range environment.Values {
		secret := slices.Contains([]string{postman.HubSpotToken, postman.SalesforceClientSecret, postman.SalesforceRefreshToken, postman.AccessToken}, v.Key)
		if secret != (v.Type == "secret") || secret && v.Value != "" {
			t.Errorf("%s is of type %s and holds %q", v.Key, v.Type, v.Value)
		}
	}
	token := regexp.MustCompile(`pat-[a-z]{2}\d|00D\w{12,15}!|5Aep861|hapikey=[0-9a-f]|eyJ[A-Za-z0-9_-]{20}|Bearer \S`)
	files := postman.Bruno(collection, environment)
	files["collection"], files["environment"] = written(t, collection), written(t, environment)
	for name, text := range files {
		if found := token.Find(text); found != nil {
			t.Errorf("%s holds %q", name, found)
		}
	}
}

func TestEveryRequestHasTestsAndANameOfItsOwn(t *testing.T) {
	collection, environment := exported(t, everything)
	taken := map[string]bool{}
	used := regexp.MustCompile(`\{\{(\w+)\}\}`)
	for _, item := range collection.Requests() {
		if taken[item.Name] {
			t.Errorf("two requests are called %s, so that none can be gone to", item.Name)
		}
		taken[item.Name] = true
		tests := ""
		for _, e := range item.Events {
			if e.Listen == "test" {
				tests = strings.Join(e.Script.Exec, "\n")
			}
		}
		if !strings.Contains(tests, "pm.test(") || !strings.Contains(tests, "pm.expect(") && !strings.Contains(tests, "pm.response.to") {
			t.Errorf("%s asserts nothing", item.Name)
		}
		if item.Request.Description == "" {
			t.Errorf("%s is not described", item.Name)
		}
		request, err := json.Marshal(item.Request)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range used.FindAllSubmatch(request, -1) {
			known := slices.ContainsFunc(collection.Variable, func(v postman.Variable) bool { return v.Key == string(m[1]) })
			if !known && !names(environment, string(m[1])) {
				t.Errorf("%s uses {{%s}}, which nobody names", item.Name, m[1])
			}
		}
	}
	want := []string{"1 Check the token", "2 Contacts with a bearer", "3 When it goes wrong", "4 Salesforce OAuth", "5 The whole chain"}
	var got []string
	for _, item := range collection.Items {
		got = append(got, item.Name)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestEachNeededScopeIsATestWithItsReason(t *testing.T) {
	bound := bind(t, everything)
	collection, _ := postman.Export(bound, postman.Options{})
	text := script(t, collection, "Read the token's scopes")
	for _, need := range bound.Scopes() {
		if !strings.Contains(text, need.Name) || !strings.Contains(text, need.Why) {
			t.Errorf("%s (%s) is not tested", need.Name, need.Why)
		}
	}
}

func TestWhatCannotBeSaidIsLeftOutAndNamed(t *testing.T) {
	field := func(line string) string {
		return "hubspot: a\nsalesforce: b\nobjects:\n  - name: people\n    hubspot: contacts\n    salesforce: Lead\n    match: [{hubspot: email, salesforce: Email, as: email}]\n    external-id: HubSpot_Id__c\n    create: in-salesforce\n" +
			line + "\n    fields:\n      - {hubspot: lastname, salesforce: LastName}\n      - {hubspot: company, salesforce: Company}\n"
	}
	for _, c := range []struct {
		name, mapping string
		want          []postman.LeftOut
		chain         bool
	}{
		{"a mapping of plain fields is said in full", field(""), nil, true},
		{"the owner", field("    owner: by-email"),
			[]postman.LeftOut{{Object: "people", What: "the owner", Why: "new records belong to the user whom the access token stands for"}}, true},
		{"a match by phone number", strings.Replace(field(""), "match: [", "match: [{hubspot: phone, salesforce: Phone, as: phone}, ", 1),
			[]postman.LeftOut{{Object: "people", What: "match by phone (phone, Phone)", Why: "SOQL cannot look for a number however it is spelled; a record that only this rule would find is created again"}}, true},
		{"an expression that JavaScript reads otherwise", field("") + `      - {salesforce: City, from: 'hubspot.city matches "^\\A[[:alpha:]]" ? "x" : "y"'}`,
			[]postman.LeftOut{{Object: "people", What: "field Lead.City", Why: "of its expression `hubspot.city matches \"^\\\\A[[:alpha:]]\" ? \"x\" : \"y\"`, JavaScript reads its pattern in another way"}}, true},
		{"the price of a product, which is a record of a price book",
			"hubspot: a\nsalesforce: b\nobjects:\n  - name: products\n    hubspot: products\n    salesforce: Product2\n    match: [{hubspot: name, salesforce: Name}]\n    create: never\n    fields:\n      - {hubspot: name, salesforce: Name}\n      - {hubspot: price, salesforce: StandardPrice}\n" +
				strings.SplitN(field(""), "objects:\n", 2)[1],
			[]postman.LeftOut{{Object: "products", What: "field Product2.StandardPrice", Why: "it is a price book entry, a record of its own, which this chain does not write"}}, true},
		{"a policy keeps all records back", field("") + "policies: [{name: quiet, side: salesforce, deny: 'after.Company == \"\"'}]\n",
			[]postman.LeftOut{{Object: "people", What: "the whole transfer", Why: "no script holds writes against a policy, and `quiet` is about them"}}, false},
		{"a policy about the other side keeps nothing back", field("") + "policies: [{name: quiet, side: hubspot, deny: 'after.company == \"\"'}]\n", nil, true},
		{"a filter that cannot be said keeps all records back", field(`    where: {hubspot: 'lastIndexOf(hubspot.email, "@") > 3'}`),
			[]postman.LeftOut{{Object: "people", What: "the whole transfer", Why: "of its filter where: {hubspot: …} `lastIndexOf(hubspot.email, \"@\") > 3`, it uses lastIndexOf in a way that JavaScript has no words for"}}, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			collection, _ := exported(t, c.mapping)
			if diff := cmp.Diff(c.want, collection.LeftOut); diff != "" {
				t.Error(diff)
			}
			for _, l := range c.want {
				if !strings.Contains(collection.Info.Description, l.String()) {
					t.Errorf("the description does not name it: %s", l)
				}
			}
			chain := slices.ContainsFunc(collection.Requests(), func(i *postman.Item) bool { return i.Name == "Pull contacts" })
			if chain != c.chain {
				t.Errorf("the chain has the object: %t", chain)
			}
		})
	}
}

func TestAMappingWithoutAnExternalIDIsGuarded(t *testing.T) {
	text := strings.Replace(everything, "    external-id: HubSpot_Id__c\n", "", -1)
	collection, environment := exported(t, text)
	if !names(environment, "create_without_external_id") {
		t.Error("nothing guards creates")
	}
	if s := script(t, collection, "Match companies"); !strings.Contains(s, `externalId: "",`) || !strings.Contains(s, "create_without_external_id") {
		t.Error("the script does not ask before it creates")
	}
}

// What the collection reads of HubSpot is what its scripts look at.
func TestThePageHasAllPropertiesThatTheScriptsRead(t *testing.T) {
	bound := bind(t, everything)
	collection, _ := postman.Export(bound, postman.Options{})
	for _, item := range collection.Requests() {
		if item.Name != "Pull contacts" {
			continue
		}
		for _, q := range item.Request.URL.Query {
			if q.Key == "properties" {
				asked := strings.Split(q.Value, ",")
				for _, want := range []string{"lastname", "country", "score", "lifecyclestage", "associatedcompanyid", "newsletter"} {
					if !slices.Contains(asked, want) {
						t.Errorf("%s is not read", want)
					}
				}
			}
			if q.Key == "associations" && q.Value != "companies" {
				t.Errorf("associations=%s", q.Value)
			}
		}
	}
}
