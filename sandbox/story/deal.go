package story

import (
	"strconv"
	"strings"
	"time"
)

// Deal is something that may be sold.
type Deal struct {
	Index int
	// HubSpot and Salesforce hold what each side says; nil where it has no record.
	HubSpot    *DealCard
	Salesforce *DealCard
	// Company is the buyer's number; -1 means none is known.
	Company int
	// People are the numbers of those involved, the first one first.
	People []int
	Mess   Mess
}

// DealCard is a deal as one side writes it. Created and Modified are ages before
// the story's start.
type DealCard struct {
	Name string
	// Amount is a number, or empty.
	Amount string
	// Pipeline and Stage are HubSpot ids; in Salesforce, Pipeline__c and StageName.
	Pipeline string
	Stage    string
	Type     string
	NextStep string
	// Dated: Close holds the close date, after the story's start (or before, if
	// negative).
	Dated bool
	Close time.Duration
	// Owner is an index; -1 means nobody.
	Owner    int
	Created  time.Duration
	Modified time.Duration
}

// Pipeline is a HubSpot pipeline of the story.
type Pipeline struct {
	ID, Label string
	Stages    []Stage
}

// Stage is one step of a pipeline.
type Stage struct {
	ID, Label string
	// Probability of winning, 0 to 1, as HubSpot writes it.
	Probability string
	Closed, Won bool
	// salesforce is the StageName that means the same; empty where none does.
	salesforce string
}

// Pipelines are the default pipeline that every account has, and Renewals, which
// this one made for itself: its ids are numbers, as HubSpot gives them.
func Pipelines() []Pipeline {
	return []Pipeline{
		{ID: "default", Label: "Sales Pipeline", Stages: []Stage{
			{"appointmentscheduled", "Appointment Scheduled", "0.2", false, false, "Qualification"},
			{"qualifiedtobuy", "Qualified To Buy", "0.4", false, false, "Needs Analysis"},
			{"presentationscheduled", "Presentation Scheduled", "0.6", false, false, "Value Proposition"},
			{"decisionmakerboughtin", "Decision Maker Bought-In", "0.8", false, false, "Id. Decision Makers"},
			{"contractsent", "Contract Sent", "0.9", false, false, "Negotiation/Review"},
			{"closedwon", "Closed Won", "1.0", true, true, "Closed Won"},
			{"closedlost", "Closed Lost", "0.0", true, false, "Closed Lost"},
		}},
		{ID: "748291036", Label: "Renewals", Stages: []Stage{
			{"1093847201", "Renewal Due", "0.5", false, false, "Proposal/Price Quote"},
			{"1093847202", "Renewal Quoted", "0.8", false, false, "Negotiation/Review"},
			{"1093847203", "Legal Review", "0.9", false, false, ""},
			{"1093847204", "Renewed", "1.0", true, true, "Closed Won"},
			{"1093847205", "Churned", "0.0", true, false, "Closed Lost"},
		}},
	}
}

// Deal tells about deal i, from 0 to Deals()-1. HubSpot's come first, then those
// that only Salesforce knows.
func (s *Story) Deal(i int) Deal {
	d := newDice(s.seed, saltDeal, i)
	lone := i >= s.deals
	deal := Deal{Index: i, Company: -1}
	both := false
	switch {
	case lone:
		deal.Mess = SalesforceOnly
	case i < castDeals:
		deal.Mess = castDeal(i)
	default:
		deal.Mess = dealMess(&d)
	}
	var at seat
	if !deal.Mess.Is(NoCompany) {
		at = s.buyer(&d, &deal, lone)
		both = !lone && at.both && d.share(.6)
	}
	card := s.dealCard(&d, &deal, at)
	card.Created = age(&d, i, s.deals)
	if lone {
		card.Created = age(&d, i-s.deals, s.loneDeals)
	}
	card.Modified = since(&d, card.Created)
	deal.People = s.dealPeople(&d, &deal)
	if lone || both {
		deal.Salesforce = s.opportunity(&d, &deal, card)
	}
	if !lone {
		deal.HubSpot = &card
	}
	return deal
}

// dealMess draws the mess of a deal outside the cast.
func dealMess(d *dice) (m Mess) {
	for _, chance := range [...]struct {
		mess  Mess
		share float64
	}{
		{NoCompany, .05}, {ThreeContacts, .08}, {ForeignStage, .05}, {Renewal, .2}, {NoAmount, .06}, {NoCloseDate, .04},
		{Cents, .25}, {LongName, .01},
	} {
		if d.share(chance.share) {
			m |= chance.mess
		}
	}
	return m
}

// buyer picks the company. Three contacts want one with three people.
func (s *Story) buyer(d *dice, deal *Deal, lone bool) seat {
	if lone {
		deal.Company = s.companies + (deal.Index-s.deals)%s.loneCompanies
		return s.seat(deal.Company)
	}
	deal.Company = deal.Index * 7 % s.companies
	for n := 0; deal.Mess.Is(ThreeContacts) && n < s.companies && len(s.peopleAt(deal.Company)) < 3; n++ {
		deal.Company = (deal.Company + 1) % s.companies
	}
	return s.seat(deal.Company)
}

// dealCard writes the HubSpot deal.
func (s *Story) dealCard(d *dice, deal *Deal, at seat) DealCard {
	pipelines := Pipelines()
	line := pipelines[0]
	if deal.Mess.Is(Renewal) {
		line = pipelines[1]
	}
	stage := line.Stages[d.weighted([]int{20, 18, 14, 12, 10, 16, 10}[:len(line.Stages)])]
	if deal.Mess.Is(NoCloseDate) {
		// Only open deals are left undated; closing one dates it.
		stage = line.Stages[d.below(2)]
	}
	if deal.Mess.Is(ForeignStage) {
		// Salesforce has no stage for a legal review.
		line, deal.Mess = pipelines[1], deal.Mess|Renewal
		stage = line.Stages[2]
	}
	subject := at.name
	if subject == "" {
		subject = "Walk-in"
	}
	card := DealCard{
		Name:     subject + ": " + s.words.product[(deal.Index/max(s.companies, 1)*11+len(at.slug)+deal.Index)%len(s.words.product)] + " #" + strconv.Itoa(1001+deal.Index),
		Pipeline: line.ID, Stage: stage.ID,
		Type:     []string{"newbusiness", "newbusiness", "existingbusiness", ""}[d.below(4)],
		NextStep: []string{"", "", "Send the offer", "Call back next week", "Meet on site"}[d.below(5)],
		Owner:    s.someOwner(d), Dated: true,
	}
	if line.ID != "default" {
		card.Type = "existingbusiness"
	}
	if deal.Mess.Is(LongName) {
		card.Name += " " + strings.Repeat("incl. installation, training and support in all branches, ", 2) + "as agreed"
	}
	if !deal.Mess.Is(NoAmount) {
		card.Amount = strconv.Itoa(d.between(5, 900) * 100)
		if deal.Mess.Is(Cents) {
			card.Amount += "." + strconv.Itoa(d.between(11, 99))
		}
	}
	day := 24 * time.Hour
	card.Close = time.Duration(d.between(5, 180)) * day
	if stage.Closed {
		card.Close = -time.Duration(d.between(1, 500)) * day
	}
	if deal.Mess.Is(NoCloseDate) {
		card.Dated, card.Close = false, 0
	}
	return card
}

// dealPeople picks who is involved: nobody, one, two or three.
func (s *Story) dealPeople(d *dice, deal *Deal) []int {
	if deal.Company < 0 {
		if deal.Index < castDeals || d.share(.5) {
			return []int{d.below(s.size)}
		}
		return nil
	}
	if deal.Company >= s.companies {
		return nil
	}
	staff := s.peopleAt(deal.Company)
	want := 1 + d.below(2)
	if deal.Mess.Is(ThreeContacts) {
		want = 3
	}
	return staff[:min(want, len(staff))]
}

// opportunity is the same deal in Salesforce's words.
func (s *Story) opportunity(d *dice, deal *Deal, card DealCard) *DealCard {
	for _, line := range Pipelines() {
		for _, stage := range line.Stages {
			if line.ID == card.Pipeline && stage.ID == card.Stage {
				card.Stage = stage.salesforce
			}
		}
	}
	if card.Stage == "" {
		card.Stage = "Perception Analysis"
	}
	card.Pipeline = "Sales"
	if deal.Mess.Is(Renewal) {
		card.Pipeline = "Renewals"
	}
	switch card.Type {
	case "newbusiness":
		card.Type = "New Customer"
	case "existingbusiness":
		card.Type = "Existing Customer - Upgrade"
	}
	if utf16Longer(card.Name, 120) {
		card.Name = strings.TrimSpace(string([]rune(card.Name)[:110]))
	}
	if !card.Dated {
		card.Dated, card.Close = true, 90*24*time.Hour
	}
	return &card
}
