package mapping

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestR9ARuleMayAskWhetherAnotherObjectKnowsAKey(t *testing.T) {
	h, _ := expressionSchemas()
	full := thing(map[string]string{"name": "ada@acme.example", "stage": "won"})
	blank := thing(nil)
	answers := Answers{{"companies", "acme.example"}: true, {"companies", "ada@acme.example"}: false}
	for source, want := range map[string]struct {
		asks        []Question // on full
		full, blank bool
	}{
		`known("companies", domain(hubspot.name))`:                                     {[]Question{{"companies", "acme.example"}}, true, false},
		`known("companies", hubspot.name)`:                                             {[]Question{{"companies", "ada@acme.example"}}, false, false},
		`!known("companies", domain(hubspot.name))`:                                    {[]Question{{"companies", "acme.example"}}, false, true},
		`hubspot.stage == "won" && known("companies", domain(hubspot.name))`:           {[]Question{{"companies", "acme.example"}}, true, false},
		`hubspot.stage == "lost" && known("companies", domain(hubspot.name))`:          {[]Question{{"companies", "acme.example"}}, false, false},
		`known("companies", hubspot.name) || known("companies", domain(hubspot.name))`: {[]Question{{"companies", "ada@acme.example"}, {"companies", "acme.example"}}, true, false},
		`known("companies", trim(" acme.example "))`:                                   {[]Question{{"companies", "acme.example"}}, true, true},
		`known("companies", hubspot.stage == "won" ? domain(hubspot.name) : "")`:       {[]Question{{"companies", "acme.example"}}, true, false},
	} {
		p, flaws := compileAsking(source, resultBool, h, nil, []string{"companies"})
		if flaws != nil {
			t.Errorf("%s: %+v", source, flaws)
			continue
		}
		asks, err := p.Asks(full)
		if diff := cmp.Diff(want.asks, asks); diff != "" || err != nil {
			t.Errorf("%s asks (-want +got), %v:\n%s", source, err, diff)
		}
		if got, err := p.BoolKnowing(full, answers); got != want.full || err != nil {
			t.Errorf("%s = %v, %v", source, got, err)
		}
		if got, err := p.BoolKnowing(blank, answers); got != want.blank || err != nil {
			t.Errorf("%s on blank = %v, %v", source, got, err)
		}
	}
}

func TestR9AQuestionThatWasNotAnsweredIsAMistakeAndNoNo(t *testing.T) {
	h, _ := expressionSchemas()
	p, flaws := compileAsking(`known("companies", hubspot.name)`, resultBool, h, nil, []string{"companies"})
	if flaws != nil {
		t.Fatal(flaws)
	}
	if _, err := p.BoolKnowing(thing(map[string]string{"name": "x"}), Answers{}); err == nil || !strings.Contains(err.Error(), "it is not known whether companies has") {
		t.Errorf("%v", err)
	}
}

func TestR9MistakesInAQuestionAreToldWithTheirMend(t *testing.T) {
	h, _ := expressionSchemas()
	for source, want := range map[string]string{
		`known("compaies", hubspot.name)`:    "no other object of the mapping with match keys is named compaies; did you mean companies?",
		`known(hubspot.name, "x")`:           `the object that known asks about must be written out; write known("companies", …)`,
		`known("companies")`:                 `known takes the name of an object and a key; write known("companies", domain(hubspot.email))`,
		`known("companies", hubspot.amount)`: "cannot use float64 as argument (type string) to call @known",
		`known("companies", hubspot.nmae)`:   "HubSpot things has no field nmae; did you mean name?",
	} {
		_, flaws := compileAsking(source, resultBool, h, nil, []string{"companies"})
		if len(flaws) == 0 || !strings.HasPrefix(strings.TrimSuffix(flaws[0].what+"; "+flaws[0].mend, "; "), want) {
			t.Errorf("%s: %+v, want %s", source, flaws, want)
		}
	}
	if _, flaws := compile(`known("companies", hubspot.name)`, resultBool, h, nil); len(flaws) == 0 || !strings.Contains(flaws[0].what, "stands only in a `when`") {
		t.Errorf("elsewhere: %+v", flaws)
	}
}
