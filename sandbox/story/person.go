package story

import (
	"strconv"
	"strings"
	"time"
)

// Person is somebody whom the business knows.
type Person struct {
	Index int
	// HubSpot is nil where HubSpot has no record.
	HubSpot *PersonCard
	// Salesforce holds no, one or (for [TwoInSalesforce]) two records.
	Salesforce []PersonCard
	// Company is the employer's number; -1 means none is known.
	Company int
	Mess    Mess
}

// PersonCard is a person as one side writes it. Times are ages before the
// story's start.
type PersonCard struct {
	First      string
	Last       string
	Email      string
	Phone      string
	Mobile     string
	Title      string
	Department string
	Street     string
	City       string
	State      string
	Zip        string
	Country    string
	// Source is HubSpot's original source or Salesforce's lead source.
	Source string
	// Lifecycle and Status are HubSpot's lifecycle stage and lead status; Status
	// is Salesforce's lead status.
	Lifecycle string
	Status    string
	// Employer is the company's name as text: HubSpot's company property, a
	// lead's Company.
	Employer string
	// Lead: a Salesforce lead rather than a contact.
	Lead bool
	// Owner is an index; -1 means nobody.
	Owner    int
	Created  time.Duration
	Modified time.Duration
}

// Person tells about person i, from 0 to People()-1. HubSpot's contacts come
// first, then those that only Salesforce knows.
func (s *Story) Person(i int) Person {
	if i >= s.size {
		return s.lonePerson(i)
	}
	d := newDice(s.seed, saltPerson, i)
	company, rank, employed := s.worksAt(i)
	cast := i < castPeople
	p := Person{Index: i, Company: -1}
	var both bool
	if cast {
		p.Mess = castPerson(i)
		both = i%20 < 7
	} else {
		employed = employed && d.share(.88)
	}
	if p.Mess.Is(CompanyMissing) && s.companies > 1 {
		company, rank, employed = 1, 40+i, true
	}
	var at seat
	if employed {
		at = s.seat(company)
	}
	if !cast {
		// Who is in Salesforce mostly is there with the employer.
		chance := .16
		if at.both {
			chance = .7
		}
		both = d.share(chance)
		p.Mess = personMess(&d, both, employed, at.both)
	}
	if p.Mess.Is(FreeMail) && cast {
		employed = false
	}
	if employed {
		p.Company = company
	} else {
		at = seat{country: d.weighted(s.weights)}
		p.Mess |= FreeMail
	}
	if both && employed && !at.both && !p.Mess.Is(AsLead) {
		p.Mess |= CompanyMissing
	}
	card := s.personCard(&d, &p, at, rank)
	card.Created = age(&d, i, s.size)
	card.Modified = since(&d, card.Created)
	p.Mess = p.Mess.asSeen(&card)
	p.HubSpot = &card
	if both {
		s.intoSalesforce(&d, &p, at)
	}
	return p
}

// personMess draws the mess of a person outside the cast.
func personMess(d *dice, both, employed, companyBoth bool) (m Mess) {
	for _, chance := range [...]struct {
		mess   Mess
		share  float64
		onBoth bool
	}{
		{NoLastName, .025, false}, {LongTitle, .004, false}, {LongCity, .006, false}, {ForeignSource, .08, false},
		{Subscriber, .1, false}, {HyphenName, .02, false},
		{EmailCase, .12, true}, {TwoInSalesforce, .02, true},
	} {
		if (both || !chance.onBoth) && d.share(chance.share) {
			m |= chance.mess
		}
	}
	if !both && d.share(.03) {
		m |= NoEmail
	}
	if both {
		switch draw := d.below(100); {
		case draw < 10:
			m |= NewerInHubSpot
		case draw < 20:
			m |= NewerInSalesforce
		}
		// Whom no account holds is mostly a lead still.
		if !companyBoth && d.share(.75) || companyBoth && d.share(.08) {
			m |= AsLead
		}
	}
	if m.Is(AsLead) {
		m &^= TwoInSalesforce
	}
	return m
}

// personCard writes the HubSpot contact.
func (s *Story) personCard(d *dice, p *Person, at seat, rank int) PersonCard {
	home := &s.countries[at.country]
	first, last := s.personName(d, p, at, rank)
	town := pick(d, home.cities)
	if p.Mess.Is(LongCity) {
		town = pick(d, s.farAwayTown)
	}
	card := PersonCard{
		First: first.text, Last: last.text,
		Title: pick(d, s.words.title), City: town.city, State: town.state, Zip: digits(d, town.zip), Country: home.name,
		Lifecycle: []string{"lead", "lead", "lead", "marketingqualifiedlead", "salesqualifiedlead", "opportunity", "customer"}[d.below(7)],
		Status:    []string{"NEW", "OPEN", "IN_PROGRESS", "CONNECTED", "ATTEMPTED_TO_CONTACT", "", "", ""}[d.below(8)],
		Source:    []string{"ORGANIC_SEARCH", "DIRECT_TRAFFIC", "REFERRALS", "OFFLINE", "OTHER_CAMPAIGNS", "PAID_SEARCH"}[d.below(6)],
		Owner:     s.someOwner(d),
	}
	card.Street = home.address(d, s.words.street)
	form := d.below(phoneForms)
	if p.Index < castPeople {
		form = p.Index % phoneForms
	}
	if form < 4 || d.share(.7) {
		card.Phone = home.phone(d, form)
	}
	if d.share(.3) {
		card.Mobile = home.phone(d, d.below(phoneForms))
	}
	card.Employer = at.name
	card.Email = s.address(p, first, last, at)
	if p.Mess.Is(NoLastName) {
		card.Last = ""
	}
	if p.Mess.Is(NoEmail) {
		card.Email = ""
	}
	if p.Mess.Is(LongTitle) {
		card.Title = longTitle
	}
	if p.Mess.Is(ForeignSource) {
		card.Source = []string{"PAID_SOCIAL", "SOCIAL_MEDIA", "EMAIL_MARKETING"}[d.below(3)]
	}
	if p.Mess.Is(Subscriber) {
		card.Lifecycle = "subscriber"
	}
	return card
}

// personName picks first and last name. Colleagues of one culture get different
// pairs, because rank walks through all pairs of the culture.
func (s *Story) personName(d *dice, p *Person, at seat, rank int) (first, last name) {
	from := s.countries[at.country].culture
	if d.share(.15) {
		from = d.below(cultures)
	}
	switch {
	case p.Index >= castPeople:
	case p.Mess.Is(ApostropheName):
		from = irish
	case p.Mess.Is(HyphenName):
		from = arabic
	case p.Mess.Is(UnicodeName):
		from = []int{german, spanish, chinese, polish, nordic, turkish}[p.Index%6]
	}
	stock := &s.cultures[from]
	pairs := len(stock.first) * len(stock.last)
	if at.mess.Is(SharedDomain) {
		// Colleagues of a company and of its double share a domain too.
		rank += 50
	}
	base := rank*7919 + len(at.slug)*131 + p.Index/blockPeople*17
	if p.Company < 0 {
		base = d.below(pairs)
	}
	choose := func(k int) (name, name) {
		n := ((base+k)%pairs + pairs) % pairs
		return stock.first[n/len(stock.last)], stock.last[n%len(stock.last)]
	}
	first, last = choose(0)
	for k := 1; p.Index < castPeople && k < pairs && !shows(p.Mess, first, last); k++ {
		// Far from the ranks of the colleagues, so that no pair is met twice.
		first, last = choose(k*61 + 23*7919)
	}
	if p.Mess.Is(HyphenName) && p.Index >= castPeople {
		other := pick(d, stock.last)
		last = name{last.text + "-" + other.text, last.slug + "-" + other.slug}
	}
	return first, last
}

// shows tells whether the name shows the mess that the cast is to show.
func shows(m Mess, first, last name) bool {
	both := first.text + last.text
	return (!m.Is(ApostropheName) || strings.Contains(both, "'")) &&
		(!m.Is(HyphenName) || strings.Contains(both, "-")) &&
		(!m.Is(UnicodeName) || !ascii(last.text))
}

func ascii(s string) bool {
	for i := range len(s) {
		if s[i] >= 0x80 {
			return false
		}
	}
	return true
}

// address is the e-mail as HubSpot stores it: lower case, and no two alike.
func (s *Story) address(p *Person, first, last name, at seat) string {
	if p.Company < 0 || p.Mess.Is(FreeMail) {
		host := [...]string{"gmail.example", "outlook.example", "freemail.example", "web.example"}[(p.Index+len(last.slug))%4]
		return first.slug + "." + last.slug + strconv.Itoa(p.Index+1) + "@" + host
	}
	switch len(at.slug) % 3 {
	case 0:
		return last.slug + "." + first.slug + "@" + at.domain
	case 1:
		return first.slug + "_" + last.slug + "@" + at.domain
	}
	return first.slug + "." + last.slug + "@" + at.domain
}

// intoSalesforce adds what Salesforce says about a HubSpot contact.
func (s *Story) intoSalesforce(d *dice, p *Person, at seat) {
	card := *p.HubSpot
	s.rewordPerson(d, p.Mess, &card, at)
	if p.Mess.Is(NoLastName) {
		card.Last = "(unknown)"
	}
	if p.Mess.Is(EmailCase) {
		local, host, _ := strings.Cut(card.Email, "@")
		card.Email = title(local) + "@" + strings.ToUpper(host[:1]) + host[1:]
		if d.share(.3) {
			card.Email = strings.ToUpper(local) + "@" + strings.ToUpper(host)
		}
	}
	if p.Mess&(NewerInHubSpot|NewerInSalesforce) != 0 {
		newer, older := p.HubSpot, &card
		if p.Mess.Is(NewerInSalesforce) {
			newer, older = &card, p.HubSpot
		}
		newer.Title = "Senior " + newer.Title
		newer.Mobile = s.countries[at.country].phone(d, d.below(phoneForms))
		older.Modified = max(older.Modified, 48*time.Hour)
		newer.Modified = older.Modified / 2
		older.Created = max(older.Created, older.Modified)
		newer.Created = max(newer.Created, newer.Modified)
	}
	p.Salesforce = append(p.Salesforce, card)
	if p.Mess.Is(TwoInSalesforce) {
		twin := card
		twin.Title, twin.Mobile = "", ""
		if twin.First != "" {
			twin.First = string([]rune(twin.First)[:1]) + "."
		}
		p.Salesforce = append(p.Salesforce, twin)
	}
}

// rewordPerson turns HubSpot's words on a card into Salesforce's.
func (s *Story) rewordPerson(d *dice, m Mess, card *PersonCard, at seat) {
	card.Lifecycle = ""
	card.Department = pick(d, s.words.department)
	switch card.Source {
	case "ORGANIC_SEARCH", "DIRECT_TRAFFIC", "PAID_SEARCH":
		card.Source = "Web"
	case "REFERRALS":
		card.Source = "Partner Referral"
	case "OFFLINE":
		card.Source = "Phone Inquiry"
	default:
		card.Source = "Other"
	}
	if m.Is(ForeignSource) {
		card.Source = []string{"Trade Show", "Employee Referral", "Purchased List"}[d.below(3)]
	}
	if utf16Longer(card.Title, 128) {
		card.Title = "Senior Regional Director"
	}
	if utf16Longer(card.City, 40) {
		card.City = ""
	}
	card.Status = ""
	if m.Is(AsLead) {
		card.Lead = true
		card.Status = []string{"Open - Not Contacted", "Working - Contacted"}[d.below(2)]
		if at.name == "" {
			card.Employer = "[not provided]"
		}
	}
}

// lonePerson is a contact or lead that only Salesforce has.
func (s *Story) lonePerson(i int) Person {
	k := i - s.size
	d := newDice(s.seed, saltPerson, i)
	p := Person{Index: i, Company: -1, Mess: SalesforceOnly}
	at := seat{country: d.weighted(s.weights)}
	switch {
	case k%4 == 1 || k%4 == 3:
		p.Mess |= AsLead
		a, b := pick(&d, s.words.company), pick(&d, s.words.business)
		at.name = a + " " + b
		at.slug = slugOf(a) + "-" + slugOf(b)
		at.domain = at.slug + "-" + strconv.Itoa(k) + ".example"
	case s.loneCompanies > 0:
		p.Company = s.companies + k/4%s.loneCompanies
		at = s.seat(p.Company)
	}
	card := s.personCard(&d, &p, at, 100+k)
	if p.Company >= 0 {
		// The number keeps apart the colleagues whom chance gave one name.
		local, host, _ := strings.Cut(card.Email, "@")
		card.Email = local + strconv.Itoa(k) + "@" + host
	}
	if k%8 == 6 {
		card.Email = ""
		p.Mess |= NoEmail
	}
	p.Mess = p.Mess.asSeen(&card)
	s.rewordPerson(&d, p.Mess, &card, at)
	card.Created = age(&d, k, s.lonePeople)
	card.Modified = since(&d, card.Created)
	p.Salesforce = []PersonCard{card}
	return p
}

// asSeen corrects those kinds of mess that the card itself shows.
func (m Mess) asSeen(c *PersonCard) Mess {
	full := c.First + c.Last
	for _, k := range [...]struct {
		mess  Mess
		shown bool
	}{
		{UnicodeName, !ascii(full)}, {ApostropheName, strings.Contains(full, "'")}, {HyphenName, strings.Contains(full, "-")},
		{FreeMail, m.Is(FreeMail) && c.Email != ""},
	} {
		m &^= k.mess
		if k.shown {
			m |= k.mess
		}
	}
	return m
}
