package reconcile_test

import (
	"fmt"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/lockstep-sync/lockstep/internal/crm"
	"github.com/lockstep-sync/lockstep/internal/mapping/mappingtest"
	"github.com/lockstep-sync/lockstep/internal/reconcile"
)

func TestCanonicalForms(t *testing.T) {
	options := mappingtest.Field("f", crm.KindPicklist, mappingtest.Choices("a=One", "One=Two"))
	scale2 := mappingtest.Field("f", crm.KindCurrency, mappingtest.Digits(18, 2))
	domain := mappingtest.Field("domain", crm.KindText)
	for name, test := range map[string]struct {
		kind  crm.Kind
		field *crm.Field
		side  crm.Side
		same  []string
		want  string
	}{
		"text without white space at the ends, LF, composed accents": {kind: crm.KindLongText, side: crm.HubSpot, same: []string{" Jörg\r\nX ", "Jo\u0308rg\nX"}, want: "Jörg\nX"},
		"times of day": {kind: crm.KindTime, side: crm.Salesforce, same: []string{"14:05:00.000Z", "14:05", "14:05:00"}, want: "14:05:00.000"},
		"Salesforce numbers as the doubles that they are":                {kind: crm.KindNumber, field: &scale2, side: crm.Salesforce, same: []string{"1234567890123456.78", "1234567890123456.8"}, want: "1234567890123456.8"},
		"e-mail addresses without case":                                  {kind: crm.KindEmail, side: crm.HubSpot, same: []string{"Ada@Acme.example", " ada@acme.example "}, want: "ada@acme.example"},
		"phone numbers in five forms":                                    {kind: crm.KindPhone, side: crm.HubSpot, same: []string{"+49 30 1234", "+49 (0)30 1234", "0049-30-1234", "+49.30.1234", "+49 (30) 12 34"}, want: "+49301234"},
		"a national phone number stays national":                         {kind: crm.KindPhone, side: crm.HubSpot, same: []string{"030 1234", "(030) 12-34"}, want: "0301234"},
		"a phone number with an extension":                               {kind: crm.KindPhone, side: crm.HubSpot, same: []string{"030 1234 ext. 5", "030/1234 x5", "0301234;5"}, want: "0301234;5"},
		"web addresses without scheme, host case and last slash":         {kind: crm.KindURL, side: crm.HubSpot, same: []string{"https://Acme.example/", "http://acme.example", "acme.example"}, want: "acme.example"},
		"web addresses keep the case of the path":                        {kind: crm.KindURL, side: crm.HubSpot, same: []string{"https://Acme.example/De/"}, want: "acme.example/De"},
		"HubSpot's company domain is the bare host":                      {kind: crm.KindText, field: &domain, side: crm.HubSpot, same: []string{"https://www.Acme.example/x", "acme.example"}, want: "acme.example"},
		"numbers by value":                                               {kind: crm.KindNumber, side: crm.HubSpot, same: []string{"1500.50", "1500.5", "1.5005e3", "+01500.500"}, want: "1500.5"},
		"numbers larger than a float can tell apart":                     {kind: crm.KindNumber, side: crm.HubSpot, same: []string{"9007199254740993"}, want: "9007199254740993"},
		"no negative zero":                                               {kind: crm.KindNumber, side: crm.HubSpot, same: []string{"-0", "0.00", "-0e9"}, want: "0"},
		"Salesforce numbers at the field's scale, halves away from zero": {kind: crm.KindCurrency, field: &scale2, side: crm.Salesforce, same: []string{"-1.005", "-1.01", "-1.0100"}, want: "-1.01"},
		"checkboxes":                           {kind: crm.KindBool, side: crm.HubSpot, same: []string{"true", "True"}, want: "true"},
		"a blank Salesforce checkbox is false": {kind: crm.KindBool, side: crm.Salesforce, same: []string{"", "false"}, want: "false"},
		"times in HubSpot to the millisecond":  {kind: crm.KindDateTime, side: crm.HubSpot, same: []string{"2026-11-23T14:05:06.789Z", "1795442706789", "2026-11-23T15:05:06.789+01:00"}, want: "2026-11-23T14:05:06.789Z"},
		"times in Salesforce to the second":    {kind: crm.KindDateTime, side: crm.Salesforce, same: []string{"2026-11-23T14:05:06.000+0000", "2026-11-23T14:05:06Z"}, want: "2026-11-23T14:05:06Z"},
		"dates":                                {kind: crm.KindDate, side: crm.Salesforce, same: []string{"2026-11-23"}, want: "2026-11-23"},
		"picklist values before labels":        {kind: crm.KindPicklist, field: &options, side: crm.HubSpot, same: []string{"One", "one", "Two"}, want: "One"},
		"a picklist label for its value":       {kind: crm.KindPicklist, field: &options, side: crm.HubSpot, same: []string{"a", "A"}, want: "a"},
		"several picked values in any order":   {kind: crm.KindMultiPicklist, side: crm.HubSpot, same: []string{"b;a", "a; b", ";a;b;a"}, want: "a;b"},
		"HTML by what it shows":                {kind: crm.KindHTML, side: crm.HubSpot, same: []string{"<p>a&nbsp;&amp; <b>b</b></p>", "a &amp; b"}, want: "a &amp; b"},
		"blank":                                {kind: crm.KindText, side: crm.HubSpot, same: []string{"", " \r\n"}, want: ""},
	} {
		t.Run(name, func(t *testing.T) {
			for _, text := range test.same {
				got, err := reconcile.Canonical(test.kind, test.field, test.side, crm.Text(text))
				if err != nil || got != test.want {
					t.Errorf("%q gives %q (%v), want %q", text, got, err, test.want)
				}
			}
		})
	}
	for kind, text := range map[crm.Kind]string{crm.KindNumber: "1,5", crm.KindBool: "yes", crm.KindDate: "23.11.2026"} {
		if got, err := reconcile.Canonical(kind, nil, crm.HubSpot, crm.Text(text)); err == nil {
			t.Errorf("%s %q gives %q", kind, text, got)
		}
	}
	if _, err := reconcile.Canonical(crm.KindText, nil, crm.HubSpot, crm.Value{}); err == nil {
		t.Error("a value that was not read has a canonical form")
	}
}

func TestCanonicalIsIdempotent(t *testing.T) {
	kinds := []crm.Kind{crm.KindText, crm.KindLongText, crm.KindHTML, crm.KindInteger, crm.KindNumber, crm.KindCurrency, crm.KindPercent, crm.KindBool, crm.KindDate, crm.KindDateTime,
		crm.KindPicklist, crm.KindMultiPicklist, crm.KindPhone, crm.KindEmail, crm.KindURL, crm.KindReference, crm.KindOwner, crm.KindID, crm.KindOther}
	pieces := rapid.SliceOfN(rapid.OneOf(rapid.SampledFrom([]string{"+49", "00", "(0)", "ext. 5", "x", "#", ";", "@", "https://", "HTTP://", "www.", "/", ".example", "<b>", "</p>", "&amp;", "&lt;", "amp;", "\r", "\n", " ", "İ", "ß", "\u0301", "1", "0.50", "-", "e5", "true", "2026-11-23", "T14:05:06.789Z", "a"}), rapid.String()), 0, 6)
	field := mappingtest.Field("domain", crm.KindText, mappingtest.Choices("a=b", "b=c", "C=a"), mappingtest.Digits(12, 2))
	rapid.Check(t, func(t *rapid.T) {
		kind, side := rapid.SampledFrom(kinds).Draw(t, "kind"), rapid.SampledFrom([]crm.Side{crm.HubSpot, crm.Salesforce}).Draw(t, "side")
		text := strings.Join(pieces.Draw(t, "text"), "")
		first, err := reconcile.Canonical(kind, &field, side, crm.Text(text))
		if err != nil {
			return
		}
		second, err := reconcile.Canonical(kind, &field, side, crm.Text(first))
		if err != nil || second != first {
			t.Errorf("%s %q gives %q, and that gives %q (%v)", kind, text, first, second, err)
		}
	})
}

func TestHashIsTheSameOnEveryMachine(t *testing.T) {
	for text, want := range map[string]string{"": "cbf29ce484222325", "a": "af63dc4c8601ec8c"} {
		if got := fmt.Sprintf("%x", reconcile.Hash(text)); got != want {
			t.Errorf("Hash(%q) = %s, want %s", text, got, want)
		}
	}
}

func TestKeys(t *testing.T) {
	o := bind(t, "companies", peopleYAML)
	people := bind(t, "people", peopleYAML)
	key := func(rule int, value string) reconcile.Key { return reconcile.Key{Rule: rule, Value: value} }
	for name, test := range map[string]struct {
		got, want []reconcile.Key
	}{
		"a HubSpot company: its id, its domain, its name":     {reconcile.Keys(o, crm.HubSpot, "companies", hubspot(o, "7", "name", " ACME  Robotics ", "domain", "Acme.example")), []reconcile.Key{key(-1, "7"), key(0, "acme.example"), key(1, "acme robotics")}},
		"an Account: the HubSpot id, the host of its website": {reconcile.Keys(o, crm.Salesforce, "Account", salesforce(o, "Account", accountID, "Name", "Acme Robotics", "Website", "http://www.acme.example/de", "HubSpot_Id__c", "7")), []reconcile.Key{key(-1, "7"), key(0, "acme.example"), key(1, "acme robotics")}},
		"a free-mail host says nothing of a company":          {reconcile.Keys(o, crm.HubSpot, "companies", hubspot(o, "7", "domain", "gmail.com")), []reconcile.Key{key(-1, "7")}},
		"a blank gives no key":                                {reconcile.Keys(o, crm.Salesforce, "Account", salesforce(o, "Account", accountID)), nil},
		"an e-mail address in any case":                       {reconcile.Keys(people, crm.HubSpot, "contacts", hubspot(people, "1", "email", "ADA@acme.example")), []reconcile.Key{key(-1, "1"), key(0, "ada@acme.example")}},
		"what is no e-mail address gives no key":              {reconcile.Keys(people, crm.Salesforce, "Contact", salesforce(people, "Contact", contactID, "Email", "none")), nil},
		"a converted Lead stands for nobody":                  {reconcile.Keys(people, crm.Salesforce, "Lead", salesforce(people, "Lead", leadID, "Email", "ada@acme.example", "IsConverted", "true")), nil},
	} {
		if fmt.Sprint(test.got) != fmt.Sprint(test.want) {
			t.Errorf("%s: got %v, want %v", name, test.got, test.want)
		}
	}
}
