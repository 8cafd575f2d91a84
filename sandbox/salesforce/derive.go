package salesforce

import (
	"fmt"
	"strings"
	"time"
)

// fillDefaults gives a new record what the caller left out.
func (s *Server) fillDefaults(t *transaction, o *object, d *draft, given map[*field]bool) {
	for _, f := range o.fields {
		if f.Default == "" || f.source != stored || given[f] {
			continue
		}
		if v, problem := parseText(f, f.Default); problem == "" {
			d.set(f, v)
		}
	}
	if o.name == "PricebookEntry" {
		s.derivePrice(o, d)
	}
	if o.owner != nil && d.get(o.owner).null() && t.user != nil {
		d.set(o.owner, textOf(t.user.id))
	}
}

// derive computes what the platform computes when a record is saved. before is
// nil for a new record; given are the fields that the caller set.
// https://developer.salesforce.com/docs/atlas.en-us.object_reference.meta/object_reference/sforce_api_objects_opportunity.htm
func (s *Server) derive(t *transaction, o *object, d *draft, before *row, given map[*field]bool) {
	switch o.name {
	case "Opportunity":
		s.deriveOpportunity(t, o, d, before, given)
	case "Task":
		s.deriveTask(t, o, d, before)
	case "Event":
		s.deriveEvent(o, d, given)
	case "Case":
		s.deriveCase(t, o, d, before)
	case "CampaignMember":
		s.deriveMember(t, o, d, before)
	case "OpportunityLineItem":
		s.deriveLineItem(o, d, given)
	case "PricebookEntry":
		s.derivePrice(o, d)
	case "ContentNote":
		s.deriveNote(t, o, d, before, given)
	}
	if o.autoNumber != "" && before == nil {
		d.set(o.nameField, textOf(numbered(o.autoNumber, len(o.rows)+1)))
	}
}

// parentRow is the row that a reference of the draft points to.
func (s *Server) parentRow(o *object, d *draft, fieldName string) *row {
	return s.row(d.get(o.field(fieldName)).text)
}

// row finds a row by 18-character id in any object.
func (s *Server) row(id string) *row {
	if p := s.objectOf(id); p != nil {
		return p.find(id)
	}
	return nil
}

// stage is what a StageName means.
type stage struct {
	name        string
	probability float64
	category    string // ForecastCategoryName
	closed, won bool
}

var standardStages = [...]stage{
	{"Prospecting", 10, "Pipeline", false, false},
	{"Qualification", 10, "Pipeline", false, false},
	{"Needs Analysis", 20, "Pipeline", false, false},
	{"Value Proposition", 50, "Pipeline", false, false},
	{"Id. Decision Makers", 60, "Pipeline", false, false},
	{"Perception Analysis", 70, "Pipeline", false, false},
	{"Proposal/Price Quote", 75, "Pipeline", false, false},
	{"Negotiation/Review", 90, "Pipeline", false, false},
	{"Closed Won", 100, "Closed", true, true},
	{"Closed Lost", 0, "Omitted", true, false},
}

// forecastCategory is the API's name for a category's label.
func forecastCategory(name string) string {
	switch name {
	case "Best Case":
		return "BestCase"
	case "Commit":
		return "Forecast"
	}
	return name
}

// stageNamed finds a stage; one that the org does not know is open, in the pipeline, at 0 %.
func (s *Server) stageNamed(name string) stage {
	o := s.object("OpportunityStage")
	found := stage{name: name, category: "Pipeline"}
	for _, r := range o.rows {
		if r != nil && strings.EqualFold(r.get(o.byName["apiname"]).text, name) {
			found.probability = r.get(o.byName["defaultprobability"]).number
			found.category = r.get(o.byName["forecastcategoryname"]).text
			found.closed, found.won = r.get(o.byName["isclosed"]).isTrue(), r.get(o.byName["iswon"]).isTrue()
		}
	}
	return found
}

// Stage is an opportunity stage that an administrator adds.
type Stage struct {
	Name        string  `json:"name"`
	Probability float64 `json:"probability"`
	// ForecastCategory is the label: Pipeline, Best Case, Commit, Closed or Omitted.
	ForecastCategory string `json:"forecastCategory"`
	Closed           bool   `json:"closed,omitempty"`
	Won              bool   `json:"won,omitempty"`
}

// AddStage adds a stage to OpportunityStage and to the StageName picklist.
func (s *Server) AddStage(st Stage) {
	s.mu.Lock()
	defer s.mu.Unlock()
	t := s.begin(s.admin)
	s.addStage(t, stage{st.Name, st.Probability, st.ForecastCategory, st.Closed, st.Won})
	f := s.object("Opportunity").field("StageName")
	f.Picklist = append(f.Picklist[:len(f.Picklist):len(f.Picklist)], PicklistValue{Value: st.Name, Label: st.Name})
	s.schemaChanged()
}

func (s *Server) addStage(t *transaction, st stage) {
	s.load(t, "OpportunityStage", map[string]any{
		"MasterLabel": st.name, "ApiName": st.name, "IsActive": true, "SortOrder": len(s.object("OpportunityStage").rows) + 1,
		"IsClosed": st.closed, "IsWon": st.won, "DefaultProbability": st.probability,
		"ForecastCategoryName": st.category, "ForecastCategory": forecastCategory(st.category),
	}, s.clock.Now(), s.clock.Now())
}

func (s *Server) deriveOpportunity(t *transaction, o *object, d *draft, before *row, given map[*field]bool) {
	stageName, probability := o.byName["stagename"], o.byName["probability"]
	category := o.byName["forecastcategoryname"]
	name := d.get(stageName)
	if before == nil || !before.get(stageName).equal(name) {
		st := s.stageNamed(name.text)
		if !given[probability] {
			d.set(probability, numberOf(st.probability))
		}
		if !given[category] {
			d.set(category, textOf(st.category))
		}
		d.set(o.byName["isclosed"], boolOf(st.closed))
		d.set(o.byName["iswon"], boolOf(st.won))
		if before != nil {
			d.set(o.byName["laststagechangedate"], datetimeOf(t.now))
		}
	}
	d.set(o.byName["forecastcategory"], textOf(forecastCategory(d.get(category).text)))
	amount := d.get(o.byName["amount"])
	expected := o.byName["expectedrevenue"]
	if amount.null() {
		d.set(expected, value{})
	} else {
		d.set(expected, numberOf(roundTo(amount.number*d.get(probability).number/100, 2)))
	}
	if closing := d.get(o.byName["closedate"]); !closing.null() {
		day := time.Unix(int64(closing.number)*daySeconds, 0).UTC()
		quarter := (int(day.Month())-1)/3 + 1
		d.set(o.byName["fiscalyear"], numberOf(float64(day.Year())))
		d.set(o.byName["fiscalquarter"], numberOf(float64(quarter)))
		d.set(o.byName["fiscal"], textOf(fmt.Sprintf("%d %d", day.Year(), quarter)))
	}
	if before == nil && d.get(o.byName["pushcount"]).null() {
		d.set(o.byName["pushcount"], numberOf(0))
	}
}

func (s *Server) deriveTask(t *transaction, o *object, d *draft, before *row) {
	closed := d.get(o.byName["status"]).text == "Completed"
	d.set(o.byName["isclosed"], boolOf(closed))
	d.set(o.byName["ishighpriority"], boolOf(d.get(o.byName["priority"]).text == "High"))
	completed := o.byName["completeddatetime"]
	switch {
	case !closed:
		d.set(completed, value{})
	case d.get(completed).null():
		d.set(completed, datetimeOf(t.now))
	}
	s.deriveActivityAccount(o, d)
}

// deriveActivityAccount sets AccountId from what the activity is related to.
func (s *Server) deriveActivityAccount(o *object, d *draft) {
	account := value{}
	for _, name := range [...]string{"whatid", "whoid"} {
		id := d.get(o.byName[name]).text
		r := s.row(id)
		if r == nil {
			continue
		}
		p := s.objectOf(id)
		if p.name == "Account" {
			account = textOf(id)
		} else if f := p.byName["accountid"]; f != nil {
			account = r.get(f)
		}
		if !account.null() {
			break
		}
	}
	d.set(o.byName["accountid"], account)
}

// deriveEvent keeps start, end, date and duration of an event in step.
func (s *Server) deriveEvent(o *object, d *draft, given map[*field]bool) {
	start, end, duration := o.byName["startdatetime"], o.byName["enddatetime"], o.byName["durationinminutes"]
	due, day := o.byName["activitydatetime"], o.byName["activitydate"]
	if given[due] && !given[start] {
		d.set(start, d.get(due))
	}
	if from := d.get(start); !from.null() {
		d.set(due, from)
		if to := d.get(end); given[end] && !given[duration] && !to.null() {
			d.set(duration, numberOf((to.number-from.number)/60))
		} else if minutes := d.get(duration); !minutes.null() {
			d.set(end, datetimeOf(int64(from.number+minutes.number*60)))
		}
		d.set(day, dateOf(time.Unix(int64(from.number), 0).UTC()))
	}
	if to := d.get(end); !to.null() {
		d.set(o.byName["enddate"], dateOf(time.Unix(int64(to.number), 0).UTC()))
	}
	s.deriveActivityAccount(o, d)
}

func (s *Server) deriveCase(t *transaction, o *object, d *draft, before *row) {
	closed := d.get(o.byName["status"]).text == "Closed"
	d.set(o.byName["isclosed"], boolOf(closed))
	closing := o.byName["closeddate"]
	if !closed {
		d.set(closing, value{})
	} else if d.get(closing).null() {
		d.set(closing, datetimeOf(t.now))
	}
	if before == nil {
		d.set(o.byName["casenumber"], textOf(fmt.Sprintf("%08d", 1000+len(o.rows))))
	}
	if r := s.parentRow(o, d, "ContactId"); r != nil && before == nil && d.get(o.byName["accountid"]).null() {
		d.set(o.byName["accountid"], r.get(s.object("Contact").byName["accountid"]))
	}
}

// deriveMember sets whose membership it is and what its status means: a status
// that the campaign does not know becomes the campaign's default one.
func (s *Server) deriveMember(t *transaction, o *object, d *draft, before *row) {
	contact, lead := s.parentRow(o, d, "ContactId"), s.parentRow(o, d, "LeadId")
	switch {
	case contact != nil:
		d.set(o.byName["type"], textOf("Contact"))
		d.set(o.byName["leadorcontactid"], textOf(contact.id))
		if before == nil {
			d.set(o.byName["leadid"], value{}) // with both ids only the contact is stored
		}
	case lead != nil:
		d.set(o.byName["type"], textOf("Lead"))
		d.set(o.byName["leadorcontactid"], textOf(lead.id))
	}
	status := o.byName["status"]
	responded := d.get(status).text == "Responded"
	if st := s.memberStatus(d.get(o.byName["campaignid"]), d.get(status).text); st != nil {
		of := s.object("CampaignMemberStatus")
		d.set(status, st.get(of.byName["label"]))
		responded = st.get(of.byName["hasresponded"]).isTrue()
	}
	d.set(o.byName["hasresponded"], boolOf(responded))
	if first := o.byName["firstrespondeddate"]; responded && d.get(first).null() {
		d.set(first, dateOf(time.Unix(t.now, 0).UTC()))
	}
}

// memberStatus finds a campaign's status by its label, else the default one; nil
// when the campaign has none.
func (s *Server) memberStatus(campaign value, label string) *row {
	o := s.object("CampaignMemberStatus")
	var found, usual *row
	o.indexes[o.byName["campaignid"].index].find(campaign, func(r *row) bool {
		switch {
		case r.deleted:
		case strings.EqualFold(r.get(o.byName["label"]).text, label):
			found = r
		case r.get(o.byName["isdefault"]).isTrue():
			usual = r
		}
		return found == nil
	})
	if found == nil {
		return usual
	}
	return found
}

// deriveLineItem keeps the prices of an opportunity's product in step: of sales
// price and total the one that was sent counts, the other follows with the
// quantity and the discount.
func (s *Server) deriveLineItem(o *object, d *draft, given map[*field]bool) {
	if d.get(o.byName["pricebookentryid"]).null() {
		if entry := s.entryOf(s.parentRow(o, d, "OpportunityId"), d.get(o.byName["product2id"])); entry != nil {
			d.set(o.byName["pricebookentryid"], textOf(entry.id))
		}
	}
	if entry := s.parentRow(o, d, "PricebookEntryId"); entry != nil {
		e := s.object("PricebookEntry")
		d.set(o.byName["product2id"], entry.get(e.byName["product2id"]))
		d.set(o.byName["listprice"], entry.get(e.byName["unitprice"]))
		if d.get(o.byName["unitprice"]).null() && !given[o.byName["totalprice"]] {
			d.set(o.byName["unitprice"], entry.get(e.byName["unitprice"]))
		}
	}
	quantity, unit, total := d.get(o.byName["quantity"]), d.get(o.byName["unitprice"]), d.get(o.byName["totalprice"])
	rest := 1 - d.get(o.byName["discount"]).number/100
	if given[o.byName["totalprice"]] && !given[o.byName["unitprice"]] && !total.null() && quantity.number*rest != 0 {
		unit = numberOf(roundTo(total.number/quantity.number/rest, 2))
		d.set(o.byName["unitprice"], unit)
	} else if !quantity.null() && !unit.null() {
		d.set(o.byName["totalprice"], numberOf(roundTo(quantity.number*unit.number*rest, 2)))
	}
	if !quantity.null() && !unit.null() {
		d.set(o.byName["subtotal"], numberOf(roundTo(quantity.number*unit.number, 2)))
	}
}
