package salesforce

import (
	"slices"
	"strings"
)

// create checks and stores a new record.
func (c *call) create(o *object, n *node, key *assignment) (*row, failures) {
	s, a := c.server, c.server.access(c.user, o)
	if o.readOnly || !a.Create || !s.mayMarket(c.user, o) {
		return nil, failures{noAccess()}
	}
	keyName := ""
	if key != nil {
		keyName = key.field.Name
	}
	set, problems := c.gather(o, a, n, true, keyName)
	if problems != nil {
		return nil, problems
	}
	if key != nil && key.field.source == stored {
		set = append(set, *key)
	}
	if c.meetsLock() {
		return nil, failures{rowLocked("")}
	}
	d := &draft{}
	given, problems := s.fill(o, d, set)
	s.fillDefaults(c.tx, o, d, given)
	if missing := missingFields(o, d, set); missing != nil {
		return nil, failures{missing}
	}
	if problems != nil {
		return nil, problems
	}
	s.derive(c.tx, o, d, nil, given)
	if problems := s.checkRecord(c, o, d, nil, given); problems != nil {
		return nil, problems
	}
	r := c.tx.create(o, d.cells, c.tx.now, c.tx.now, c.user.id)
	s.afterCreate(c.tx, o, r)
	if o.name == "User" {
		s.enroll(r)
	}
	s.remember(r.id)
	c.rows++
	return r, nil
}

// update checks and stores a change.
func (c *call) update(o *object, r *row, n *node, keyName string) failures {
	s, a := c.server, c.server.access(c.user, o)
	if o.readOnly || !a.Edit || !s.mayMarket(c.user, o) {
		return failures{noAccess()}
	}
	set, problems := c.gather(o, a, n, false, keyName)
	if problems != nil {
		return problems
	}
	if problem := c.meetLock(r); problem != nil {
		return failures{problem}
	}
	if o.name == "Lead" && r.get(o.byName["isconverted"]).isTrue() {
		return failures{refuse("CANNOT_UPDATE_CONVERTED_LEAD", "cannot reference converted lead")}
	}
	d := draftOf(r)
	given, problems := s.fill(o, d, set)
	if missing := clearedFields(set); missing != nil {
		return failures{missing}
	}
	if problems != nil {
		return problems
	}
	keepSum(o, d, r)
	s.derive(c.tx, o, d, r, given)
	if problems := s.checkRecord(c, o, d, r, given); problems != nil {
		return problems
	}
	c.tx.update(o, r, d.cells, false)
	s.afterUpdate(c.tx, o, r)
	s.remember(r.id)
	c.rows++
	return nil
}

// remove deletes a record through the API.
func (c *call) remove(o *object, r *row) *failure {
	if o.readOnly || !o.deletable || !c.server.access(c.user, o).Delete || !c.server.mayMarket(c.user, o) {
		return noAccess()
	}
	if o.name == "CampaignMemberStatus" && r.get(o.byName["isdefault"]).isTrue() {
		return refuse("DELETE_FAILED", "A campaign needs a default member status.")
	}
	if problem := c.meetLock(r); problem != nil {
		return problem
	}
	c.rows++
	return c.server.deleteRow(c.tx, o, r)
}

// fill puts what was sent into the draft and collects what is wrong with it.
func (s *Server) fill(o *object, d *draft, set []assignment) (given map[*field]bool, problems failures) {
	given = make(map[*field]bool, len(set))
	for _, x := range set {
		v, problem := s.admit(x.field, x.value)
		if problem != nil {
			problems = append(problems, problem)
			continue
		}
		d.set(x.field, v)
		given[x.field] = true
	}
	return given, problems
}

// missingFields names the required fields without a value; one that was sent a
// wrong value is not missing.
func missingFields(o *object, d *draft, set []assignment) *failure {
	var names []string
	for _, f := range o.fields {
		if f.requiredOnCreate() && f.source == stored && d.get(f).null() &&
			!slices.ContainsFunc(set, func(x assignment) bool { return x.field == f && !x.value.null() }) {
			names = append(names, f.Name)
		}
	}
	return requiredMissing(names)
}

func clearedFields(set []assignment) *failure {
	var names []string
	for _, x := range set {
		if x.field.Required && x.value.null() && x.field.Type != "boolean" {
			names = append(names, x.field.Name)
		}
	}
	return requiredMissing(names)
}

func requiredMissing(names []string) *failure {
	if names == nil {
		return nil
	}
	return refuse("REQUIRED_FIELD_MISSING", "Required fields are missing: ["+strings.Join(names, ", ")+"]", names...)
}

// meetsLock tells whether a dial locks the next record.
func (c *call) meetsLock() bool {
	c.met++
	return c.locked || c.partial > 0 && (c.met+c.partial)%2 == 0
}

// meetLock refuses the write when the row is locked.
func (c *call) meetLock(r *row) *failure {
	if c.meetsLock() {
		return rowLocked(r.id)
	}
	if n := c.server.locks[r.id]; n > 0 {
		if n == 1 {
			delete(c.server.locks, r.id)
		} else {
			c.server.locks[r.id] = n - 1
		}
		return rowLocked(r.id)
	}
	return nil
}

// Lock makes the next writes of a record, so many times, meet UNABLE_TO_LOCK_ROW.
func (s *Server) Lock(objectName, id string, times int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if long, ok := longID(id); ok {
		s.locks[long] = times
	}
}

// checkRecord applies, in the platform's order, the object's own rules,
// validation rules, uniqueness and duplicate rules.
func (s *Server) checkRecord(c *call, o *object, d *draft, before *row, given map[*field]bool) failures {
	if problem := s.objectRules(o, d, before, given); problem != nil {
		return failures{problem}
	}
	if problem := s.unique(o, d, before); problem != nil {
		return failures{problem}
	}
	if problems := s.validate(o, d, before); problems != nil {
		return problems
	}
	if problem := s.duplicates(c, o, d, before); problem != nil {
		return failures{problem}
	}
	return nil
}

func (s *Server) objectRules(o *object, d *draft, before *row, given map[*field]bool) *failure {
	switch o.name {
	case "CampaignMember":
		if before != nil {
			return nil
		}
		person := d.get(o.byName["leadorcontactid"]).text
		if person == "" {
			return refuse("REQUIRED_FIELD_MISSING", "Required fields are missing: [LeadId, ContactId]", "LeadId", "ContactId")
		}
		campaign := d.get(o.byName["campaignid"])
		twice := false
		o.indexes[o.byName["campaignid"].index].find(campaign, func(r *row) bool {
			twice = !r.deleted && r.get(o.byName["leadorcontactid"]).text == person
			return !twice
		})
		if twice {
			return refuse("DUPLICATE_VALUE", "Already a campaign member.")
		}
	case "Task":
		return s.activityRules(o, d)
	case "Event":
		if d.get(o.byName["activitydate"]).null() && d.get(o.byName["startdatetime"]).null() {
			return requiredMissing([]string{"ActivityDate"})
		}
		if !d.get(o.byName["isalldayevent"]).isTrue() && d.get(o.byName["durationinminutes"]).null() && d.get(o.byName["enddatetime"]).null() {
			return requiredMissing([]string{"DurationInMinutes"})
		}
		return s.activityRules(o, d)
	case "PricebookEntry":
		return s.priceRules(o, d, before)
	case "OpportunityLineItem":
		return s.lineItemRules(o, d, before, given)
	case "Opportunity":
		if book := o.byName["pricebook2id"]; before != nil && before.get(o.byName["hasopportunitylineitem"]).isTrue() && !before.get(book).equal(d.get(book)) {
			return integrity("Pricebook2Id (the price book cannot be changed while the opportunity has products)", "Pricebook2Id")
		}
	case "CampaignMemberStatus":
		return s.statusRules(o, d, before)
	case "ContentNote":
		return noteRules(o, d)
	case "ContentDocumentLink":
		return s.linkRules(o, d, before)
	case "Account", "Contact", "Campaign":
		if before == nil {
			return nil
		}
		name := map[string]string{"Account": "parentid", "Contact": "reportstoid", "Campaign": "parentid"}[o.name]
		if d.get(o.byName[name]).text == before.id {
			return refuse("CIRCULAR_DEPENDENCY", "attempt to create a circular dependency", o.byName[name].Name)
		}
	}
	return nil
}

// activityRules: what is about a lead is about nothing else.
// https://developer.salesforce.com/docs/atlas.en-us.object_reference.meta/object_reference/sforce_api_objects_task.htm
func (s *Server) activityRules(o *object, d *draft) *failure {
	who := s.objectOf(d.get(o.byName["whoid"]).text)
	if who != nil && who.name == "Lead" && !d.get(o.byName["whatid"]).null() {
		return integrity("WhatId (must be blank when WhoId is a lead)", "WhatId")
	}
	return nil
}

// unique refuses a value that another live record holds in a unique field.
func (s *Server) unique(o *object, d *draft, before *row) *failure {
	for _, f := range o.fields {
		if !f.Unique || f.source != stored {
			continue
		}
		v := d.get(f)
		if v.null() || before != nil && before.get(f).equal(v) {
			continue
		}
		for _, other := range o.match(f, v) {
			if other != before {
				if o.name == "User" {
					return refuse("DUPLICATE_USERNAME", "Duplicate Username. The username already exists in this or another Salesforce organization. Usernames must be unique across all Salesforce organizations.", f.Name)
				}
				return refuse("DUPLICATE_VALUE", "duplicate value found: "+f.Name+" duplicates value on record with id: "+other.id[:shortIDLength])
			}
		}
	}
	return nil
}

// afterCreate does what the platform does to other records when one is created.
func (s *Server) afterCreate(t *transaction, o *object, r *row) {
	switch o.name {
	case "Opportunity":
		contact := r.get(o.byName["contactid"])
		if contact.null() {
			break
		}
		roles := s.object("OpportunityContactRole")
		d := &draft{}
		d.set(roles.byName["opportunityid"], textOf(r.id))
		d.set(roles.byName["contactid"], contact)
		d.set(roles.byName["isprimary"], boolOf(true))
		t.create(roles, d.cells, r.created, r.modified, r.createdBy)
	case "Campaign":
		s.startStatuses(t, r)
	case "ContentNote":
		s.linkOwner(t, o, r)
	default:
		s.afterUpdate(t, o, r)
	}
}

// afterUpdate does what the platform does to other records when one changes.
func (s *Server) afterUpdate(t *transaction, o *object, r *row) {
	switch o.name {
	case "OpportunityContactRole":
		if r.get(o.byName["isprimary"]).isTrue() {
			s.onlyPrimary(t, o, r)
		}
	case "OpportunityLineItem":
		s.sumLineItems(t, o, r.get(o.byName["opportunityid"]))
	case "PricebookEntry":
		s.followStandard(t, o, r)
	case "CampaignMemberStatus":
		s.onlyDefault(t, o, r)
	case "Task":
		if r.get(o.byName["isclosed"]).isTrue() {
			s.touchActivity(t, o, r)
		}
	case "Event":
		s.touchActivity(t, o, r)
	case "User":
		if u := s.byUserID[r.id]; u != nil {
			u.Inactive = !r.get(o.byName["isactive"]).isTrue()
		}
	}
}

// onlyPrimary clears IsPrimary of the opportunity's other roles.
func (s *Server) onlyPrimary(t *transaction, o *object, r *row) {
	opportunity, primary := o.byName["opportunityid"], o.byName["isprimary"]
	var others []*row
	o.indexes[opportunity.index].find(r.get(opportunity), func(other *row) bool {
		if other != r && !other.deleted && other.get(primary).isTrue() {
			others = append(others, other)
		}
		return true
	})
	for _, other := range others {
		d := draftOf(other)
		d.set(primary, boolOf(false))
		t.update(o, other, d.cells, false)
	}
}

// sumLineItems makes the opportunity's amount the sum of its products.
func (s *Server) sumLineItems(t *transaction, o *object, opportunity value) {
	parents := s.object("Opportunity")
	parent := parents.find(opportunity.text)
	if parent == nil {
		return
	}
	sum, count := 0.0, 0
	o.indexes[o.byName["opportunityid"].index].find(opportunity, func(r *row) bool {
		if !r.deleted {
			sum += r.get(o.byName["totalprice"]).number
			count++
		}
		return true
	})
	d := draftOf(parent)
	d.set(parents.byName["hasopportunitylineitem"], boolOf(count > 0))
	if count > 0 {
		d.set(parents.byName["amount"], numberOf(roundTo(sum, 2)))
	}
	s.derive(t, parents, d, parent, map[*field]bool{parents.byName["amount"]: true})
	if !slices.EqualFunc(d.cells, parent.cells, value.equal) {
		t.update(parents, parent, d.cells, false)
	}
}

// touchActivity moves LastActivityDate of what an activity is about. The stamps stay.
func (s *Server) touchActivity(t *transaction, o *object, r *row) {
	day := r.get(o.byName["activitydate"])
	if day.null() {
		return
	}
	for _, name := range [...]string{"whoid", "whatid", "accountid"} {
		id := r.get(o.byName[name]).text
		parent := s.row(id)
		if parent == nil {
			continue
		}
		f := s.objectOf(id).byName["lastactivitydate"]
		if f == nil || parent.get(f).number >= day.number {
			continue
		}
		d := draftOf(parent)
		d.set(f, day)
		t.undos = append(t.undos, undo{object: f.object, row: parent, before: *parent, silent: true})
		next := *parent
		next.cells = d.cells
		f.object.become(parent, next)
	}
}

// deleteRow deletes a record with what hangs on it: children of cascading
// references go too, restricting ones refuse, others lose the reference.
func (s *Server) deleteRow(t *transaction, o *object, r *row) *failure {
	if o.name == "CampaignMemberStatus" {
		t.remove(o, r)
		return nil
	}
	for _, f := range o.childOrder {
		ix := f.object.indexes[f.index]
		if ix == nil {
			continue
		}
		var children []*row
		ix.find(textOf(r.id), func(child *row) bool {
			if !child.deleted && child != r {
				children = append(children, child)
			}
			return true
		})
		if len(children) == 0 {
			continue
		}
		if f.Restrict {
			return refuse("DELETE_FAILED", "Your attempt to delete "+r.get(o.nameField).String()+" could not be completed because it is associated with the following "+
				strings.ToLower(f.object.plural)+".: "+children[0].id)
		}
		for _, child := range children {
			if child.deleted {
				continue
			}
			if f.Cascade {
				if problem := s.deleteRow(t, f.object, child); problem != nil {
					return problem
				}
				continue
			}
			d := draftOf(child)
			d.set(f, value{})
			t.update(f.object, child, d.cells, true)
		}
	}
	t.remove(o, r)
	if o.name == "OpportunityLineItem" {
		s.sumLineItems(t, o, r.get(o.byName["opportunityid"]))
	}
	return nil
}

// recentLimit is how many records /recent can look back on.
const recentLimit = 200

func (s *Server) remember(id string) {
	if i := slices.Index(s.recent, id); i >= 0 && len(s.recent) < 2*recentLimit {
		s.recent = slices.Delete(s.recent, i, i+1)
	}
	s.recent = append(s.recent, id)
	if len(s.recent) > 2*recentLimit {
		s.recent = slices.Clone(s.recent[recentLimit:])
	}
}
