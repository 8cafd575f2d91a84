package sandbox

import (
	"time"

	"github.com/lockstep-sync/lockstep/sandbox/hubspot"
	"github.com/lockstep-sync/lockstep/sandbox/salesforce"
	"github.com/lockstep-sync/lockstep/sandbox/story"
)

// seeded makes a new world and tells it the story.
func (s *Sandbox) seeded() (*world, error) {
	w := s.blank()
	if err := customize(w.salesforce); err != nil {
		return nil, err
	}
	t := &teller{
		story: story.Generate(s.size, s.config.Random), start: s.clock.Now().Truncate(time.Millisecond),
		hubSpot: w.hubSpot, salesforce: w.salesforce,
	}
	t.tell()
	if s.size > 0 {
		for n, account := range w.hubSpot.Accounts()[1:] {
			tellBeside(account, story.Generate(peopleBeside, s.config.Random+uint64(n)+1), t.start)
		}
	}
	credentials, err := issue(w.hubSpot, w.salesforce)
	if err != nil {
		return nil, err
	}
	w.credentials = credentials
	return w, nil
}

// customize adds to a fresh org what its administrator has added.
func customize(sf *salesforce.Server) error {
	var errs []error
	for _, object := range []string{"Account", "Contact", "Lead", "Opportunity"} {
		errs = append(errs, sf.AddField(object, salesforce.Field{
			Name: "HubSpot_Id__c", Label: "HubSpot ID", Type: "string", Length: 32, ExternalID: true, Unique: true,
			HelpText: "The record's id in HubSpot",
		}))
	}
	errs = append(errs,
		sf.AddField("Opportunity", salesforce.Field{
			Name: "Pipeline__c", Label: "Pipeline", Type: "picklist", Restricted: true,
			Picklist: []salesforce.PicklistValue{{Value: "Sales"}, {Value: "Renewals"}},
		}),
		sf.RestrictPicklist("Account", "Industry", true),
		sf.RestrictPicklist("Lead", "Industry", true),
	)
	for _, err := range errs {
		if err != nil {
			return &Error{What: "the Salesforce org could not be set up", Cause: err}
		}
	}
	return nil
}

// teller loads a story into the two servers and remembers who got which id.
type teller struct {
	story      *story.Story
	start      time.Time
	hubSpot    *hubspot.Server
	salesforce *salesforce.Server

	owners, users       []string // by owner
	companies, accounts []string // by company
	contacts            []string // by person: HubSpot
	persons             []string // by person: the Salesforce contact; "" for leads and none
}

func (t *teller) tell() {
	t.tellOwners()
	t.tellPipelines()
	t.tellCompanies()
	t.tellPeople()
	t.tellDeals()
}

func (t *teller) at(age time.Duration) time.Time { return t.start.Add(-age) }

func (t *teller) tellOwners() {
	n := t.story.Owners()
	t.owners, t.users = make([]string, n), make([]string, n)
	for i := range n {
		o := t.story.Owner(i)
		t.owners[i] = t.hubSpot.AddOwner(hubspot.Owner{
			Email: o.Email, FirstName: o.First, LastName: o.Last, Archived: o.Archived, CreatedAt: t.at(o.Created),
		})
		if o.UserEmail != "" {
			t.users[i] = t.salesforce.AddUser(salesforce.User{
				Username: o.Email, Email: o.UserEmail, FirstName: o.First, LastName: o.Last, Inactive: !o.Active,
			})
		}
	}
}

// tellPipelines adds those that an account does not have from the start.
func (t *teller) tellPipelines() {
	if t.story.Deals() == 0 {
		return
	}
	for _, p := range story.Pipelines() {
		if p.ID == "default" {
			continue
		}
		line := hubspot.Pipeline{ID: p.ID, Label: p.Label, DisplayOrder: 1}
		for n, stage := range p.Stages {
			line.Stages = append(line.Stages, hubspot.Stage{
				ID: stage.ID, Label: stage.Label, DisplayOrder: n, Probability: stage.Probability, Closed: stage.Closed,
			})
		}
		t.hubSpot.AddPipeline("deals", line)
	}
}

// owner and user turn an owner's number into the two vendors' ids.
func (t *teller) owner(i int) string {
	if i < 0 {
		return ""
	}
	return t.owners[i]
}

func (t *teller) user(i int) string {
	if i < 0 {
		return ""
	}
	return t.users[i]
}

// fill leaves empty values out, as nobody typed them.
type fill map[string]string

func (f fill) set(name, value string) {
	if value != "" {
		f[name] = value
	}
}

// sfFields is the same for Salesforce.
type sfFields map[string]any

func (f sfFields) set(name, value string) {
	if value != "" {
		f[name] = value
	}
}
