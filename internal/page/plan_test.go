package page

import (
	"bytes"
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"golang.org/x/net/html"
	"pgregory.net/rapid"

	"github.com/lockstep-sync/lockstep/internal/crm"
	"github.com/lockstep-sync/lockstep/internal/engine"
	"github.com/lockstep-sync/lockstep/internal/store"
)

// planOf is a plan of one object with these things.
func planOf(items ...engine.Item) Plan {
	o := engine.PlanObject{Name: "people", Creates: map[crm.Side]int{}, Updates: map[crm.Side]int{}, Archives: map[crm.Side]int{}, Relates: map[crm.Side]int{}}
	reasons := map[string]int{}
	for _, it := range items {
		o.Tally.Add(it.Outcome)
		for _, w := range it.Writes {
			map[crm.Op]map[crm.Side]int{crm.Create: o.Creates, crm.Update: o.Updates, crm.Archive: o.Archives, crm.Relate: o.Relates}[w.Op][w.Side]++
		}
		if len(it.Writes) == 0 {
			reasons[string(it.Outcome)+" "+it.Reason.Code]++
			if it.Link {
				o.Links++
				o.LinksOnly++
			}
		}
	}
	for key, n := range reasons {
		outcome, code, _ := strings.Cut(key, " ")
		o.Reasons = append(o.Reasons, engine.ReasonCount{Outcome: crm.Outcome(outcome), Code: code, Count: n})
	}
	return Plan{Plan: &engine.Plan{Run: 7, Made: time.Date(2026, 11, 26, 9, 0, 0, 0, time.UTC), Closed: true, Read: len(items),
		Pair:    store.Pair{HubSpotID: "48000001", HubSpotName: "Acme", SalesforceID: "00D000000000001AAA", SalesforceName: "Acme Org"},
		Objects: []engine.PlanObject{o}},
		HubSpot: "acme", Salesforce: "acme-production", Version: "test",
		Costs: []Cost{NewCost(crm.Salesforce, 312, 1733), NewCost(crm.HubSpot, 41, 41_000)},
		items: func(_ context.Context, f engine.ItemFilter, yield func(engine.Item) error) error {
			handed := 0
			for _, it := range items {
				if f.Outcome != "" && it.Outcome != f.Outcome || f.Code != "" && it.Reason.Code != f.Code {
					continue
				}
				if err := yield(it); err != nil {
					return err
				}
				if handed++; handed == f.Limit {
					return nil
				}
			}
			return nil
		}}
}

func written(t interface {
	Helper()
	Fatal(...any)
}, p Plan) (string, *html.Node) {
	t.Helper()
	var b bytes.Buffer
	if err := WritePlan(context.Background(), &b, p); err != nil {
		t.Fatal(err)
	}
	root, err := html.Parse(bytes.NewReader(b.Bytes()))
	if err != nil {
		t.Fatal(err)
	}
	return b.String(), root
}

// text is what a reader sees of a page.
func text(n *html.Node) string {
	var b strings.Builder
	for d := range n.Descendants() {
		if d.Type == html.TextNode && d.Parent.Data != "style" {
			b.WriteString(d.Data)
		}
	}
	return b.String()
}

func update(title, field string, before, after *string) engine.Item {
	return engine.Item{Mapping: "people", Title: title, Outcome: crm.Synced,
		HubSpot:    &engine.Record{Side: crm.HubSpot, Object: "contacts", ID: "1", URL: "https://app.hubspot.com/contacts/1"},
		Salesforce: &engine.Record{Side: crm.Salesforce, Object: "Contact", ID: "003000000000001AAA"},
		Writes: []engine.ItemWrite{{Side: crm.Salesforce, Op: crm.Update, Object: "Contact", ID: "003000000000001AAA",
			Changes: []engine.ItemChange{{Field: field, Before: before, After: after, Why: "hubspot changed"}}}}}
}

func ptr(s string) *string { return &s }

func TestPageSaysWhatAManagerHasToKnow(t *testing.T) {
	held := engine.Item{Mapping: "people", Title: "Twin", Outcome: crm.Held, HubSpot: &engine.Record{Side: crm.HubSpot, Object: "contacts", ID: "9"},
		Reason: crm.Reason{Code: "held.ambiguous-match", Text: "2 Salesforce records match by email", Mend: "merge the duplicates"}}
	p := planOf(update("Ann Lee", "Phone", ptr("030 1"), ptr("030 2")), update("Bob", "Title", nil, ptr("Buyer")), update("Cy", "Title", ptr("Buyer"), nil), held)
	p.Brakes = []engine.Brake{{What: "updates", Planned: 3, Limit: 1}}
	p.SealedIn, p.SHA256 = "plan.json", strings.Repeat("ab", 32)
	_, root := written(t, p)
	got := strings.Join(strings.Fields(text(root)), " ")
	for _, want := range []string{
		"What a sync of acme and acme-production would change",
		"HubSpot account Acme (48000001) and Salesforce organization Acme Org (00D000000000001AAA), as they were on 26 November 2026, 09:00 UTC. Nothing has been written.",
		"A brake holds this plan. 3 updates are planned, and lockstep.yaml allows 1.",
		"3 records would be written to",
		"The sync costs about 312 Salesforce calls (18 % of the 1,733 left to us today) and 41 HubSpot calls (0.1 % of the 41,000 left to us today).",
		"Change in Salesforce (3)",
		"Ann Lee HubSpot contacts 1 · Salesforce Contact 003000000000001AAA Phone before: 030 1 after: 030 2 because: hubspot changed",
		"Title before: (blank) after: Buyer", "Title before: Buyer after: (blank)",
		"people: 1 record held.ambiguous-match Next step: merge the duplicates Twin HubSpot contacts 9 2 Salesforce records match by email",
		"This is the sealed plan plan.json, SHA-256 " + strings.Repeat("ab", 32),
	} {
		if !strings.Contains(got, want) {
			t.Errorf("the page does not say %q:\n%s", want, got)
		}
	}
}

func TestPageShowsTheFirstOfEachGroupAndSaysSo(t *testing.T) {
	var items []engine.Item
	for i := range 1234 {
		items = append(items, update(fmt.Sprintf("Person %d.", i), "Phone", nil, ptr("1")))
	}
	p := planOf(items...)
	p.Shown = 10
	walked := 0
	whole := p.items
	p.items = func(ctx context.Context, f engine.ItemFilter, yield func(engine.Item) error) error {
		return whole(ctx, f, func(it engine.Item) error { walked++; return yield(it) })
	}
	_, root := written(t, p)
	got := strings.Join(strings.Fields(text(root)), " ")
	for _, want := range []string{"Change in Salesforce (1,234)", "Person 9.", "10 of 1,234 are shown; 1,224 more are not.", "At most 10 records of each group are shown here"} {
		if !strings.Contains(got, want) {
			t.Errorf("the page does not say %q", want)
		}
	}
	if strings.Contains(got, "Person 10.") {
		t.Error("the page shows more than it says")
	}
	if walked != 10 {
		t.Errorf("%d things were read for 10", walked)
	}
}

func TestLongValueIsCutAndSaysSo(t *testing.T) {
	_, root := written(t, planOf(update("Ann", "Description", nil, ptr(strings.Repeat("ä", 5000)))))
	if got := text(root); !strings.Contains(got, "… (5,000 characters)") || strings.Contains(got, strings.Repeat("ä", longestValue+1)) {
		t.Error("a value of 5,000 characters is not cut as it should be")
	}
}

// Whatever a record holds, it stays text: it makes no element, no attribute, no
// address that runs, and nothing is loaded.
func TestHostileValuesStayText(t *testing.T) {
	for name, hostile := range map[string]string{
		"a script":              `<script>alert(1)</script>`,
		"an end of the style":   `</style><script>alert(1)</script>`,
		"an image that fails":   `<img src=x onerror=alert(1)>`,
		"quotes":                `" onmouseover="alert(1)" x='`,
		"an entity":             `&lt;script&gt;&#x3c;`,
		"a comment":             `<!--><script>-->`,
		"a closing title":       `</title></head><body onload=alert(1)>`,
		"an svg":                `<svg/onload=alert(1)>`,
		"a template":            `{{.SHA256}}{{template "style"}}`,
		"a stylesheet":          `<link rel=stylesheet href=https://evil.example/x.css>`,
		"a reload":              `<meta http-equiv=refresh content="0;url=https://evil.example">`,
		"an address that runs":  `javascript:alert(1)`,
		"bytes of no character": "\xff\xfe<script>\xc0\xaf",
	} {
		t.Run(name, func(t *testing.T) {
			hostilePage(t, hostile)
		})
	}
}

func TestNoValueEverBecomesMarkup(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		hostilePage(t, rapid.StringOf(rapid.OneOf(rapid.SampledFrom([]rune(`<>"'&/=!-`+"`{}\x00\n")), rapid.Rune())).Draw(t, "value"))
	})
}

type tester interface {
	Helper()
	Fatal(...any)
	Errorf(string, ...any)
}

func hostilePage(t tester, hostile string) {
	t.Helper()
	it := update(hostile, hostile, ptr(hostile), ptr(hostile))
	it.HubSpot.URL, it.HubSpot.ID, it.HubSpot.Object = hostile, hostile, hostile
	it.Writes[0].Changes[0].Why = hostile
	it.Notes = []crm.Reason{{Text: hostile}}
	held := engine.Item{Mapping: "people", Title: hostile, Outcome: crm.Held, HubSpot: &engine.Record{Side: crm.HubSpot, Object: "contacts", ID: "9", URL: hostile},
		Reason: crm.Reason{Code: "held.ambiguous-match", Text: hostile, Mend: hostile}}
	p := planOf(it, held)
	p.HubSpot, p.Salesforce, p.SealedIn, p.SHA256, p.Pair.HubSpotName, p.Pair.SalesforceName = hostile, hostile, hostile, hostile, hostile, hostile
	calm, hurt := planOf(update("calm", "calm", ptr("calm"), ptr("calm"))), shape(t, p)
	calmHeld := held
	calmHeld.Title, calmHeld.HubSpot, calmHeld.Reason = "calm", &engine.Record{Side: crm.HubSpot, Object: "contacts", ID: "9", URL: "https://app.hubspot.com/9"}, crm.Reason{Code: "held.ambiguous-match", Text: "calm", Mend: "calm"}
	calmItem := update("calm", "calm", ptr("calm"), ptr("calm"))
	calmItem.Notes = []crm.Reason{{Text: "calm"}}
	calm = planOf(calmItem, calmHeld)
	calm.SealedIn, calm.SHA256 = "calm", "calm"
	if hostile == "" {
		return // a page without values has another shape
	}
	if want := shape(t, calm); want != hurt {
		t.Errorf("the value changed the page's elements:\nwant %s\ngot  %s", want, hurt)
	}
}

// shape lists the elements and attributes of the page, without texts and ids.
// An address that is none of ours counts as an element of its own.
func shape(t tester, p Plan) string {
	t.Helper()
	_, root := written(t, p)
	var b strings.Builder
	for n := range root.Descendants() {
		if n.Type == html.CommentNode {
			b.WriteString("<!---->")
		}
		if n.Type != html.ElementNode {
			continue
		}
		b.WriteString("<" + n.Data)
		for _, a := range n.Attr {
			b.WriteString(" " + a.Key)
			scheme, _, has := strings.Cut(a.Val, ":")
			if a.Key == "href" && has && scheme != "https" && scheme != "http" && !strings.ContainsAny(scheme, "/?#") {
				b.WriteString("=" + a.Val)
			}
		}
		b.WriteString(">")
	}
	return b.String()
}

func TestPageNeedsNothingElse(t *testing.T) {
	source, root := written(t, planOf(update("Ann", "Phone", nil, ptr("1"))))
	for n := range root.Descendants() {
		if n.Type != html.ElementNode {
			continue
		}
		switch n.Data {
		case "script", "link", "img", "iframe", "object", "embed", "video", "audio", "source", "form", "input", "base":
			t.Errorf("the page has <%s>", n.Data)
		}
		for _, a := range n.Attr {
			if a.Key == "src" || a.Key == "srcset" || a.Key == "style" || strings.HasPrefix(a.Key, "on") {
				t.Errorf("<%s> has %s", n.Data, a.Key)
			}
		}
	}
	if strings.Contains(source, "url(") || strings.Contains(source, "@import") || strings.Contains(source, "@font-face") {
		t.Error("the style loads something")
	}
	if !strings.Contains(source, `content="default-src &#39;none&#39;`) && !strings.Contains(source, `content="default-src 'none'`) {
		t.Error("the page has no policy that forbids loading")
	}
}

func TestCostSaysWhatDoesNotFitOrIsNotKnown(t *testing.T) {
	for name, c := range map[string]struct {
		costs        []Cost
		want, beyond string
	}{
		"both are known": {[]Cost{NewCost(crm.Salesforce, 1, 1000), NewCost(crm.HubSpot, 0, 10)},
			"The sync costs about 1 Salesforce call (0.1 % of the 1,000 left to us today) and 0 HubSpot calls (0 % of the 10 left to us today).", ""},
		"one vendor told nothing": {[]Cost{NewCost(crm.HubSpot, 5, -1)},
			"The sync costs about 5 HubSpot calls (the vendor has not told what is left today).", ""},
		"more than is left": {[]Cost{NewCost(crm.HubSpot, 30, 20)},
			"The sync costs about 30 HubSpot calls (150 % of the 20 left to us today).",
			"It does not fit into what is left at HubSpot today: the sync does what it can, stops without harm, and goes on when calls come back."},
		"nothing is left": {[]Cost{NewCost(crm.Salesforce, 30, 0)},
			"The sync costs about 30 Salesforce calls (nothing is left to us today).",
			"It does not fit into what is left at Salesforce today: the sync does what it can, stops without harm, and goes on when calls come back."},
	} {
		t.Run(name, func(t *testing.T) {
			if got := CostInWords(c.costs); got != c.want {
				t.Errorf("got  %s\nwant %s", got, c.want)
			}
			if got := Days(c.costs); got != c.beyond {
				t.Errorf("got  %s\nwant %s", got, c.beyond)
			}
		})
	}
}
