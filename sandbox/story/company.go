package story

import (
	"strconv"
	"strings"
	"time"
)

// Company is a customer, or nearly one.
type Company struct {
	Index int
	// HubSpot and Salesforce hold what each side says; nil where it has no record.
	HubSpot    *CompanyCard
	Salesforce *CompanyCard
	Mess       Mess
}

// CompanyCard is a company as one side writes it. Times are ages before the
// story's start.
type CompanyCard struct {
	Name     string
	Domain   string
	Website  string
	Phone    string
	Industry string
	Type     string
	Street   string
	City     string
	State    string
	Zip      string
	Country  string
	// Revenue and Employees are numbers, or empty.
	Revenue     string
	Employees   string
	Description string
	// Lifecycle is HubSpot's stage.
	Lifecycle string
	// Owner is an index; -1 means nobody.
	Owner    int
	Created  time.Duration
	Modified time.Duration
}

// seat is what follows from a company's number alone: people and deals need it
// without the whole card.
type seat struct {
	name, slug, domain string
	country            int
	both, lone         bool
	mess               Mess
}

func (s *Story) seat(i int) seat {
	d := newDice(s.seed, saltCompany, i)
	var t seat
	t.country = d.weighted(s.weights)
	t.lone = i >= s.companies
	switch {
	case t.lone:
		t.mess = SalesforceOnly
	case i < castCompanies:
		t.mess = castCompany(i)
		t.both = i == 0 || i == 3 || i == 6 || i == 11
	default:
		t.both = d.share(.35)
		t.mess = s.companyMess(&d, i, t.both)
	}
	original := i
	if t.mess.Is(SharedDomain) {
		original = i - 1
	}
	first, second, more := s.companyName(original)
	t.name = first + " " + second
	t.slug = slugOf(first) + "-" + slugOf(second)
	if more != "" {
		t.name += " " + more
		t.slug += "-" + slugOf(more)
	}
	t.domain = t.slug + ".example"
	if t.mess.Is(SharedDomain) {
		t.name += " (" + s.countries[t.country].name + ")"
	}
	return t
}

// companyMess draws the mess of a company outside the cast.
func (s *Story) companyMess(d *dice, i int, both bool) (m Mess) {
	switch {
	case d.share(.05):
		m |= NoDomain
	case d.share(.015) && !both && s.seat(i-1).mess&(NoDomain|SharedDomain) == 0:
		m |= SharedDomain
	}
	if d.share(.06) {
		m |= ForeignIndustry
	}
	if d.share(.02) {
		m |= LongCity
	}
	if both {
		switch {
		case d.share(.1):
			m |= NewerInHubSpot
		case d.share(.1):
			m |= NewerInSalesforce
		}
	}
	return m
}

// companyName gives every number its own name: word and business, walked through
// in an order that the seed decides; later rounds add a town, then a number.
func (s *Story) companyName(i int) (first, second, more string) {
	a, b := len(s.words.company), len(s.words.business)
	at := (i + int(s.seed%uint64(a*b))) % (a * b)
	// 7919 is prime and divides neither length, so the walk meets every pair once.
	at = at * 7919 % (a * b)
	if round := i / (a * b); round > 0 {
		towns := s.countries[round%len(s.countries)].cities
		more = slugOf(towns[round/len(s.countries)%len(towns)].city)
		if more == "" {
			more = "east"
		}
		more = title(more) + " " + strconv.Itoa(round)
	}
	return s.words.company[at/b], s.words.business[at%b], more
}

// Company tells about company i, from 0 to Companies()-1. HubSpot's come first,
// then those that only Salesforce knows.
func (s *Story) Company(i int) Company {
	t := s.seat(i)
	d := newDice(s.seed, saltCompany+1, i)
	c := &s.countries[t.country]
	town := pick(&d, c.cities)
	if t.mess.Is(LongCity) {
		town = pick(&d, s.farAwayTown)
	}
	line := pick(&d, s.industries)
	if t.mess.Is(ForeignIndustry) {
		line = s.odd[i%len(s.odd)]
	}
	card := CompanyCard{
		Name: t.name, Domain: t.domain, Website: "https://www." + t.domain,
		Industry: line.hubSpot, City: town.city, State: town.state, Zip: digits(&d, town.zip), Country: c.name,
		Street:    c.address(&d, s.words.street),
		Type:      []string{"PROSPECT", "PROSPECT", "PROSPECT", "PARTNER", "RESELLER", "VENDOR", "OTHER", ""}[d.below(8)],
		Lifecycle: []string{"lead", "lead", "marketingqualifiedlead", "salesqualifiedlead", "opportunity", "customer"}[d.below(6)],
		Owner:     s.someOwner(&d),
	}
	form := d.below(phoneForms)
	if i < castCompanies {
		form = i % phoneForms
	}
	card.Phone = c.phone(&d, form)
	if d.share(.4) {
		card.Name += " " + pick(&d, c.legal)
	}
	if d.share(.8) {
		employees := d.between(1, 60) * d.between(1, 60)
		card.Employees = strconv.Itoa(employees)
		card.Revenue = strconv.Itoa(employees * d.between(40, 250) * 1000)
	}
	if d.share(.3) {
		card.Description = "Makes and sells " + strings.ToLower(t.name) + " goods in " + town.city + ".\nFirst met at a trade fair."
	}
	if t.mess.Is(NoDomain) {
		card.Domain, card.Website = "", ""
	}
	card.Created = age(&d, i, s.Companies())
	card.Modified = since(&d, card.Created)
	company := Company{Index: i, Mess: t.mess}
	if t.lone {
		card.Created = age(&d, i-s.companies, s.loneCompanies)
		card.Modified = since(&d, card.Created)
		company.Salesforce = s.account(&d, &card, t, line)
		return company
	}
	company.HubSpot = &card
	if t.both {
		company.Salesforce = s.account(&d, &card, t, line)
		if t.mess&(NewerInHubSpot|NewerInSalesforce) != 0 {
			s.differ(&d, company.HubSpot, company.Salesforce, t.mess)
		}
	}
	return company
}

// account is the same company in Salesforce's words.
func (s *Story) account(d *dice, from *CompanyCard, t seat, line industry) *CompanyCard {
	card := *from
	card.Industry = line.salesforce
	card.Lifecycle = ""
	switch from.Type {
	case "PROSPECT":
		card.Type = "Prospect"
	case "PARTNER":
		card.Type = "Technology Partner"
	case "RESELLER":
		card.Type = "Channel Partner / Reseller"
	case "VENDOR", "OTHER":
		card.Type = "Other"
	}
	if card.Domain != "" && d.share(.5) {
		card.Website = []string{"www." + t.domain, t.domain, "http://" + t.domain + "/"}[d.below(3)]
	}
	if utf16Longer(card.City, 40) {
		card.City = ""
	}
	if t.lone && d.share(.3) {
		// Lines of business that HubSpot's list does not know.
		card.Industry = []string{"Shipping", "Recreation", "Communications"}[d.below(3)]
	}
	return &card
}

// differ makes the two cards of one company disagree, the newer side last.
func (s *Story) differ(d *dice, hubSpot, salesforce *CompanyCard, m Mess) {
	newer, older := hubSpot, salesforce
	if m.Is(NewerInSalesforce) {
		newer, older = salesforce, hubSpot
	}
	newer.Phone = s.countries[d.weighted(s.weights)].phone(d, 0)
	if newer.Employees != "" {
		newer.Employees = strconv.Itoa(d.between(10, 4000))
	}
	newer.Description = "New headquarters since the spring."
	older.Modified = max(older.Modified, 48*time.Hour)
	newer.Modified = older.Modified / 2
	older.Created = max(older.Created, older.Modified)
	newer.Created = max(newer.Created, newer.Modified)
}

// someOwner picks an owner; one record in twelve has none.
func (s *Story) someOwner(d *dice) int {
	if d.share(1.0 / 12) {
		return -1
	}
	return d.below(s.owners)
}

// utf16Longer tells whether s has more than n characters as Salesforce counts
// them, in UTF-16 units.
func utf16Longer(s string, n int) bool {
	for _, r := range s {
		n--
		if r > 0xffff {
			n--
		}
		if n < 0 {
			return true
		}
	}
	return false
}
