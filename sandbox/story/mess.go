package story

import "strings"

// Mess is a set of the ways in which one record is awkward.
type Mess uint64

// The kinds of mess. Each occurs at least twice in every story of sixty people
// or more.
const (
	// EmailCase: the other side writes the same address in another case.
	EmailCase Mess = 1 << iota
	// NoLastName: a person with a first name only; Salesforce wants a last name.
	NoLastName
	// NoEmail: a person, known by name, without an address.
	NoEmail
	// FreeMail: a private address, whose domain says nothing about a company.
	FreeMail
	// TwoInSalesforce: two Salesforce contacts share this person's address.
	TwoInSalesforce
	// UnicodeName: letters outside ASCII.
	UnicodeName
	// ApostropheName: O'Brien.
	ApostropheName
	// HyphenName: Jean-Luc, Smith-Jones.
	HyphenName
	// LongTitle: a job title over Salesforce's 128 characters.
	LongTitle
	// LongCity: a city over Salesforce's 40 characters.
	LongCity
	// ForeignSource: an original source or lead source that the other side lacks.
	ForeignSource
	// CompanyMissing: in both CRMs, though the employer is in HubSpot only.
	CompanyMissing
	// NewerInHubSpot and NewerInSalesforce: the sides differ in some fields, and
	// this one was edited last.
	NewerInHubSpot
	NewerInSalesforce
	// Subscriber: lifecycle stage subscriber, which sales does not want to see.
	Subscriber
	// SalesforceOnly: HubSpot never heard of it.
	SalesforceOnly
	// AsLead: in Salesforce as a lead, not a contact.
	AsLead
	// NoDomain: a company without a domain.
	NoDomain
	// SharedDomain: two HubSpot companies with one domain.
	SharedDomain
	// ForeignIndustry: an industry that the other side lacks.
	ForeignIndustry
	// NoCompany: a deal without a company.
	NoCompany
	// ThreeContacts: a deal with three people.
	ThreeContacts
	// ForeignStage: a stage that the other side lacks.
	ForeignStage
	// Renewal: a deal in the second pipeline, whose stages have numbers for ids.
	Renewal
	// NoAmount and NoCloseDate: a deal that nobody has filled in.
	NoAmount
	NoCloseDate
	// Cents: an amount with decimals.
	Cents
	// LongName: a deal name over Salesforce's 120 characters.
	LongName
	// NoUser: an owner without a Salesforce user of the same e-mail.
	NoUser
	// InactiveUser: an owner whose Salesforce user is inactive.
	InactiveUser
)

// messNames stand in the order of the constants.
const messNames = "e-mail case,no last name,no e-mail,free mail,two in salesforce,unicode name,apostrophe,hyphen,long title," +
	"long city,foreign source,company missing,newer in hubspot,newer in salesforce,subscriber,salesforce only,as lead," +
	"no domain,shared domain,foreign industry,no company,three contacts,foreign stage,renewal,no amount,no close date," +
	"cents,long name,no user,inactive user"

// Kinds lists every kind of mess.
func Kinds() []Mess {
	list := make([]Mess, 0, 32)
	for m := EmailCase; m <= InactiveUser; m <<= 1 {
		list = append(list, m)
	}
	return list
}

// Is tells whether all of kinds are in m.
func (m Mess) Is(kinds Mess) bool { return m&kinds == kinds }

// String names the kinds in m, joined by commas.
func (m Mess) String() string {
	var names []string
	for i, n := range strings.Split(messNames, ",") {
		if m&(1<<i) != 0 {
			names = append(names, n)
		}
	}
	return strings.Join(names, ", ")
}

// The cast: who among the first records carries which mess, by number.
const (
	castPeople    = 60
	castCompanies = 12
	castDeals     = 15
)

func castPerson(i int) Mess {
	return castMess(i, []castRole{
		{EmailCase, []int{0, 21, 41}}, {TwoInSalesforce, []int{2, 22}}, {NewerInHubSpot, []int{1, 20, 40}},
		{NewerInSalesforce, []int{4, 24}}, {CompanyMissing, []int{5, 25, 45}}, {AsLead, []int{6, 26, 46}},
		{NoLastName, []int{9, 37}}, {NoEmail, []int{12, 48}}, {FreeMail, []int{14, 34, 54}}, {LongTitle, []int{8, 31}},
		{LongCity, []int{11, 51}}, {ForeignSource, []int{3, 17, 39}}, {Subscriber, []int{10, 18, 33, 47, 55}},
		{UnicodeName, []int{3, 7, 15, 19, 29, 43}}, {ApostropheName, []int{13, 44}}, {HyphenName, []int{16, 35}},
	})
}

func castCompany(i int) Mess {
	return castMess(i, []castRole{
		{NoDomain, []int{4, 9}}, {SharedDomain, []int{2, 7}}, {ForeignIndustry, []int{1, 6, 8}}, {LongCity, []int{10}},
		{NewerInHubSpot, []int{0}}, {NewerInSalesforce, []int{3}},
	})
}

func castDeal(i int) Mess {
	return castMess(i, []castRole{
		{NoCompany, []int{4, 11}}, {ThreeContacts, []int{1, 7, 12}}, {ForeignStage, []int{2, 8}}, {Renewal, []int{3, 6, 8, 13}},
		{NoAmount, []int{5, 14}}, {NoCloseDate, []int{9, 10}}, {Cents, []int{0, 7, 13}}, {LongName, []int{6, 12}},
	})
}

type castRole struct {
	mess Mess
	at   []int
}

func castMess(i int, roles []castRole) (m Mess) {
	for _, r := range roles {
		for _, at := range r.at {
			if at == i {
				m |= r.mess
			}
		}
	}
	return m
}
