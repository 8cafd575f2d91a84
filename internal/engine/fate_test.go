package engine

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestEachLostCreateFindsItsOwnRecord: several creates with one key went out in
// one call whose answer was lost. By key each of the records could be anybody's;
// the values that were written tell them apart.
func TestEachLostCreateFindsItsOwnRecord(t *testing.T) {
	type of = map[string][]string
	for _, c := range []struct {
		name string
		// keys and values: by intent, the records that have its key, and those of them
		// that hold every value it wrote.
		keys, values of
		want         map[string]string // "" for none, "?" for several
	}{
		{"one, found", of{"a": {"1"}}, of{"a": {"1"}}, map[string]string{"a": "1"}},
		{"one, rounded by the vendor", of{"a": {"1"}}, nil, map[string]string{"a": "1"}},
		{"two, told apart by their values", of{"a": {"1", "2"}, "b": {"1", "2"}}, of{"a": {"2"}, "b": {"1"}}, map[string]string{"a": "2", "b": "1"}},
		{"two, of which one arrived", of{"a": {"1"}, "b": {"1"}}, of{"b": {"1"}}, map[string]string{"a": "", "b": "1"}},
		{"two, alike: it does not matter", of{"a": {"1", "2"}, "b": {"1", "2"}}, of{"a": {"1", "2"}, "b": {"1", "2"}}, map[string]string{"a": "1", "b": "2"}},
		{"what is left is the other's", of{"a": {"1", "2"}, "b": {"1", "2"}}, of{"b": {"2"}}, map[string]string{"a": "1", "b": "2"}},
		{"a stranger among them", of{"a": {"1", "2"}}, of{"a": {"1", "2"}}, map[string]string{"a": "?"}},
		{"nothing tells them apart", of{"a": {"1", "2"}, "b": {"1", "2"}}, nil, map[string]string{"a": "?", "b": "?"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := &searcher{hits: map[string]map[string]bool{}, exact: map[string]map[string]bool{}}
			for intent, ids := range c.keys {
				for _, id := range ids {
					hit(s.hits, intent, id)
				}
			}
			for intent, ids := range c.values {
				for _, id := range ids {
					hit(s.exact, intent, id)
				}
			}
			got := map[string]string{}
			for intent, f := range s.fates() {
				if got[intent] = f.id; f.several {
					got[intent] = "?"
				}
			}
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
		})
	}
}
