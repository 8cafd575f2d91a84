package page

import (
	"bytes"
	"crypto/ed25519"
	"os"
	"strings"
	"testing"

	"golang.org/x/net/html"

	"github.com/lockstep-sync/lockstep/internal/crm"
	"github.com/lockstep-sync/lockstep/internal/engine"
	"github.com/lockstep-sync/lockstep/internal/store"
)

// reportOf is a signed report with these findings.
func reportOf(t *testing.T, findings ...engine.Finding) (*engine.SignedReport, ed25519.PrivateKey) {
	t.Helper()
	key := ed25519.NewKeyFromSeed(bytes.Repeat([]byte{7}, ed25519.SeedSize))
	v := &engine.Verification{Read: 93, Closed: true, Drift: 12_345, Calls: map[crm.Side]int{}, Pair: store.Pair{HubSpotID: "48000001", HubSpotName: "Acme <b>GmbH</b>", SalesforceID: "00D000000000001AAA", SalesforceName: "Acme Org"},
		Objects: []engine.VerifiedObject{
			{Name: "companies", Read: 13, Rows: map[string]int{"hubspot companies": 12}, Closed: true, Verdicts: map[engine.Verdict]int{engine.InStep: 9, engine.VerdictHeld: 4}, Drift: 307_692},
			{Name: "people", Read: 80, Closed: true, Verdicts: map[engine.Verdict]int{engine.InStep: 76, engine.Differs: 1, engine.Missing: 1, engine.VerdictExcluded: 1, engine.VerdictFailed: 1}, Deviations: 1, Drift: 1},
		}}
	r := &engine.Report{Format: engine.ReportFormat, Program: "test", Mapping: "ab12", Findings: []engine.Finding{}}
	for _, f := range findings {
		r.Collect(f)
	}
	signed, err := r.Sign(v, key)
	if err != nil {
		t.Fatal(err)
	}
	return signed, key
}

func sample() []engine.Finding {
	hostile, long := `</script><img src=x onerror="alert(1)">`, strings.Repeat("a long value without end ", 40)
	at := func(side crm.Side, object, id string) *engine.Record {
		return &engine.Record{Side: side, Object: object, ID: id, URL: "https://example.com/" + id}
	}
	return []engine.Finding{
		{Mapping: "people", Title: hostile, HubSpot: at(crm.HubSpot, "contacts", "101"), Salesforce: at(crm.Salesforce, "Contact", "003000000000001AAA"), Verdict: engine.Differs,
			Reason: crm.Reason{Code: "differs", Text: "the two records do not agree", Mend: "run `lockstep sync`"},
			Differences: []engine.DifferenceShown{{HubSpotField: "jobtitle", SalesforceField: "Title", HubSpot: &hostile, Salesforce: nil},
				{HubSpotField: "phone", SalesforceField: "Phone", HubSpot: &long, Salesforce: &hostile, Allowed: "direction: to-salesforce"}}},
		{Mapping: "people", Title: "Bob Ray", HubSpot: at(crm.HubSpot, "contacts", "102"), Verdict: engine.Missing, Reason: crm.Reason{Code: "missing.salesforce", Text: "it has no counterpart in Salesforce"}},
		{Mapping: "people", Title: "Zoë", Salesforce: at(crm.Salesforce, "Contact", "003000000000002AAA"), Verdict: engine.VerdictFailed, Reason: crm.Reason{Code: "failed.refused", Text: "HubSpot refused it: INVALID_EMAIL"}},
		{Mapping: "people", HubSpot: at(crm.HubSpot, "contacts", "104"), Verdict: engine.VerdictExcluded, Reason: crm.Reason{Code: "excluded.filter", Text: "left out by where"}},
	}
}

func TestTheReportsPageIsTheReportAndRunsNothing(t *testing.T) {
	signed, key := reportOf(t, sample()...)
	var out bytes.Buffer
	if err := WriteVerification(&out, signed, "dfd6 bbc2"); err != nil {
		t.Fatal(err)
	}
	page := engine.SignPage(out.Bytes(), key)
	if path := os.Getenv("LOCKSTEP_TEST_PAGE"); path != "" {
		if err := os.WriteFile(path, page, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	checked, err := engine.CheckReport(bytes.NewReader(page))
	if err != nil || !checked.Page || checked.Report.Read != 93 || len(checked.Report.Findings) != 4 {
		t.Fatalf("%v %+v", err, checked)
	}
	root, err := html.Parse(bytes.NewReader(page))
	if err != nil {
		t.Fatal(err)
	}
	scripts := 0
	var walk func(*html.Node)
	walk = func(n *html.Node) {
		if n.Type == html.ElementNode {
			switch n.Data {
			case "script":
				scripts++
				for _, a := range n.Attr {
					if a.Key == "type" && a.Val != "application/json" {
						t.Errorf("a script of type %s", a.Val)
					}
				}
			case "img", "iframe", "object", "link":
				t.Errorf("a value became <%s>", n.Data)
			}
			for _, a := range n.Attr {
				if strings.HasPrefix(a.Key, "on") {
					t.Errorf("a value became %s", a.Key)
				}
			}
		}
		for c := n.FirstChild; c != nil; c = c.NextSibling {
			walk(c)
		}
	}
	walk(root)
	if scripts != 1 {
		t.Errorf("%d scripts, want the report's data alone", scripts)
	}
	for _, want := range []string{"are not in step", "1.23 % drift", "30.77 %", "less than 0.01 %", "Bob Ray"} {
		if !strings.Contains(strings.ReplaceAll(string(page), "</b>", ""), want) {
			t.Errorf("the page does not say %q", want)
		}
	}
}

func TestAnyChangeToAPageIsFound(t *testing.T) {
	signed, key := reportOf(t, sample()...)
	var out bytes.Buffer
	if err := WriteVerification(&out, signed, "dfd6"); err != nil {
		t.Fatal(err)
	}
	page := engine.SignPage(out.Bytes(), key)
	for i := 0; i < len(page); i += 97 {
		changed := bytes.Clone(page)
		changed[i] ^= 1
		if _, err := engine.CheckReport(bytes.NewReader(changed)); err == nil {
			t.Fatalf("byte %d of %d was changed and nobody noticed: …%q", i, len(page), page[max(0, i-20):min(len(page), i+20)])
		}
	}
}
