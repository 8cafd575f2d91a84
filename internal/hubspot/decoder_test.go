package hubspot

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/lockstep-sync/lockstep/internal/crm"
)

// pageOf writes a list answer of n records with the named properties.
func pageOf(n int, fields []string, value func(record, field int) string) []byte {
	var results []any
	for i := range n {
		properties := map[string]any{"hs_object_id": fmt.Sprint(i)}
		for k, field := range fields {
			properties[field] = value(i, k)
		}
		results = append(results, map[string]any{"id": fmt.Sprint(100_000_000_000 + i), "properties": properties,
			"createdAt": "2019-10-30T03:30:17.883Z", "updatedAt": "2019-12-07T16:50:06.678Z", "archived": false})
	}
	text, _ := json.Marshal(map[string]any{"results": results, "paging": map[string]any{"next": map[string]string{"after": "512", "link": "https://x"}}})
	return text
}

func names(n int) []string {
	fields := make([]string, n)
	for i := range fields {
		fields[i] = fmt.Sprintf("property_number_%d", i)
	}
	return fields
}

func TestAnyTextSurvivesDecoding(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		texts := rapid.SliceOfN(rapid.String(), 12, 12).Draw(t, "texts")
		fields := names(3)
		body := pageOf(4, fields, func(r, f int) string { return texts[r*3+f] })
		layout := crm.NewLayout("contacts", []string{fields[2], fields[0], "absent", fields[1]})
		var p page
		if err := decodePage(bytes.NewReader(body), crm.Read{Layout: layout}, &p); err != nil {
			t.Fatal(err)
		}
		for i, r := range p.records {
			for k, field := range fields {
				want := crm.Text(strings.ToValidUTF8(texts[i*3+k], "\ufffd"))
				if got := r.Value(field); got != want {
					t.Fatalf("record %d %s: got %+v, want %+v", i, field, got, want)
				}
			}
			if r.Value("absent").State != crm.Missing {
				t.Fatalf("absent is %+v", r.Value("absent"))
			}
		}
	})
}

func TestBrokenAnswersAreErrorsAndNeverPanics(t *testing.T) {
	body := pageOf(3, names(4), func(r, f int) string { return fmt.Sprint("v", r, f) })
	for cut := range body {
		var p page
		if err := decodePage(bytes.NewReader(body[:cut]), crm.Read{Layout: crm.NewLayout("contacts", names(4))}, &p); err == nil {
			t.Fatalf("an answer cut at %d of %d is no error", cut, len(body))
		}
	}
	for _, body := range []string{`[]`, `"x"`, `{"results":{}}`, `{"results":[1]}`, `{"results":[{"properties":[]}]}`, `<html>`} {
		var p page
		if err := decodePage(strings.NewReader(body), crm.Read{Layout: nothing}, &p); err == nil {
			t.Errorf("%s is no error", body)
		}
	}
}

func TestTimesAreReadAsMicroseconds(t *testing.T) {
	for _, text := range []string{"2019-10-30T03:30:17.883Z", "2024-01-01T00:00:00Z", "2024-02-29T23:59:59.1Z", "2026-11-23T12:00:00.123456Z", "2024-01-01T00:00:00+02:00", "1970-01-01T00:00:00.001Z"} {
		want, err := time.Parse(time.RFC3339Nano, text)
		if err != nil {
			t.Fatal(err)
		}
		if got := micros([]byte(text)); got != want.UnixMicro() {
			t.Errorf("%s: got %d, want %d", text, got, want.UnixMicro())
		}
	}
	for _, text := range []string{"", "yesterday", "2024-01-0xT00:00:00Z"} {
		if got := micros([]byte(text)); got != 0 {
			t.Errorf("%q: got %d, want 0", text, got)
		}
	}
}

func TestLabelsAndPrimaryCompaniesAreToldApart(t *testing.T) {
	body := `{"results":[{"id":"1","properties":{},"associations":{"companies":{"results":[
		{"id":"5","type":"contact_to_company"},{"id":"5","type":"contact_to_company_unlabeled"},
		{"id":"6","type":"contact_to_company_unlabeled"},{"id":"6","type":"advisor"}],
		"paging":{"next":{"after":"x"}}},"deals":{"results":[{"id":"9","type":"contact_to_deal"}]}}}]}`
	var p page
	if err := decodePage(strings.NewReader(body), crm.Read{Layout: crm.NewLayout("contacts", nil), Relations: []string{"companies", "deals"}}, &p); err != nil {
		t.Fatal(err)
	}
	want := []crm.Relation{{Object: "companies", ID: "5", Primary: true}, {Object: "companies", ID: "6", Label: "advisor"}, {Object: "deals", ID: "9"}}
	if got := fmt.Sprint(p.records[0].Relations); got != fmt.Sprint(want) || !p.labelled || len(p.overflow) != 1 || p.overflow[0].object != "companies" {
		t.Errorf("got %s, labelled %v, overflow %v; want %v", got, p.labelled, p.overflow, want)
	}
}

// BenchmarkDecodePage tells the cost of a page of a hundred records with thirty
// properties: a handful of allocations, none per value.
func BenchmarkDecodePage(b *testing.B) {
	fields := names(30)
	body := pageOf(100, fields, func(r, f int) string { return fmt.Sprintf("a value of %d and %d", r, f) })
	read := crm.Read{Layout: crm.NewLayout("contacts", fields)}
	b.SetBytes(int64(len(body)))
	b.ReportAllocs()
	for b.Loop() {
		var p page
		if err := decodePage(bytes.NewReader(body), read, &p); err != nil || len(p.records) != 100 {
			b.Fatal(err, len(p.records))
		}
	}
}

func TestAPageCostsNoAllocationPerValue(t *testing.T) {
	fields := names(30)
	body := pageOf(100, fields, func(r, f int) string { return "value" })
	read := crm.Read{Layout: crm.NewLayout("contacts", fields)}
	got := testing.AllocsPerRun(10, func() {
		var p page
		if err := decodePage(bytes.NewReader(body), read, &p); err != nil {
			t.Fatal(err)
		}
	})
	if got > 300 { // a map of strings per record would cost more than 6,000
		t.Errorf("a page of 3,000 values costs %.0f allocations", got)
	}
}
