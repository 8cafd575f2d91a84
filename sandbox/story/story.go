package story

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// Span is how far the story reaches back from its start.
const Span = 2 * 365 * 24 * time.Hour

// Limit is the greatest number of people that a story may have.
const Limit = 5_000_000

// Story is one business in two CRMs. All methods are safe for concurrent use:
// nothing in it ever changes.
type Story struct {
	size int
	seed uint64

	owners    int
	companies int
	deals     int
	// What Salesforce alone knows, numbered after the rest.
	loneCompanies int
	lonePeople    int
	loneDeals     int

	cultures    []culture
	countries   []country
	weights     []int
	words       words
	industries  []industry
	odd         []industry
	farAwayTown []place
}

// Size reads the name of a size: small is 60 HubSpot contacts, medium 1,000,
// large 100,000, empty none; a number is that many.
func Size(text string) (int, error) {
	switch text {
	case "empty":
		return 0, nil
	case "", "small":
		return 60, nil
	case "medium":
		return 1_000, nil
	case "large":
		return 100_000, nil
	}
	n, err := strconv.Atoi(strings.NewReplacer("_", "", ",", "").Replace(text))
	if err != nil || n < 0 || n > Limit {
		return 0, fmt.Errorf("seed %q is none of small, medium, large, empty or a number up to %d", text, Limit)
	}
	return n, nil
}

// Generate tells the story with that many HubSpot contacts, about a fifth as
// many companies, a quarter as many deals, and 8 to 40 owners. Size 0 is the
// empty story; a size outside 0 to [Limit] is brought inside.
func Generate(size int, seed uint64) *Story {
	size = min(max(size, 0), Limit)
	s := &Story{size: size, seed: seed}
	if size > 0 {
		s.owners = min(8+size/250, 40)
		s.companies = max(size/5, 1)
		s.deals = size / 4
		s.loneCompanies = max(s.companies/6, min(2, size))
		s.lonePeople = max(size/8, min(4, size))
		s.loneDeals = max(s.deals/8, min(2, s.deals))
	}
	s.cultures = readCultures()
	s.countries = readCountries()
	for _, c := range s.countries {
		s.weights = append(s.weights, c.weight)
	}
	s.words = readWords()
	s.industries, s.odd = readIndustries()
	s.farAwayTown = longCities()
	return s
}

// Owners is the number of owners, for [Story.Owner].
func (s *Story) Owners() int { return s.owners }

// Companies is the number of companies on both sides together, for [Story.Company].
func (s *Story) Companies() int { return s.companies + s.loneCompanies }

// People is the number of people on both sides together, for [Story.Person].
func (s *Story) People() int { return s.size + s.lonePeople }

// Deals is the number of deals on both sides together, for [Story.Deal].
func (s *Story) Deals() int { return s.deals + s.loneDeals }

// age is how long before the start record i of n came to be: numbers ascend in
// time, as ids do, with some unevenness.
func age(d *dice, i, n int) time.Duration {
	step := Span / time.Duration(n+1)
	a := Span - step*time.Duration(i+1)
	return a + time.Duration(d.below(int(step/time.Millisecond)+1))*time.Millisecond/2
}

// since picks a moment between a and the start, as an age, at least an hour ago:
// what people edited lies behind them.
func since(d *dice, a time.Duration) time.Duration {
	if a <= 2*time.Hour {
		return a
	}
	return time.Hour + time.Duration(d.below(int((a-time.Hour)/time.Millisecond)))*time.Millisecond
}
