package salesforce

// standardRollUps are the figures of a campaign.
// https://developer.salesforce.com/docs/atlas.en-us.object_reference.meta/object_reference/sforce_api_objects_campaign.htm
var standardRollUps = map[string]RollUp{
	"NumberOfLeads":            {Object: "CampaignMember", Reference: "CampaignId", Operation: "count", Filter: "ISBLANK(ContactId)"},
	"NumberOfConvertedLeads":   {Object: "CampaignMember", Reference: "CampaignId", Operation: "count", Filter: "Lead.IsConverted"},
	"NumberOfContacts":         {Object: "CampaignMember", Reference: "CampaignId", Operation: "count", Filter: "NOT(ISBLANK(ContactId))"},
	"NumberOfResponses":        {Object: "CampaignMember", Reference: "CampaignId", Operation: "count", Filter: "HasResponded"},
	"NumberOfOpportunities":    {Object: "Opportunity", Reference: "CampaignId", Operation: "count"},
	"NumberOfWonOpportunities": {Object: "Opportunity", Reference: "CampaignId", Operation: "count", Filter: "IsWon"},
	"AmountAllOpportunities":   {Object: "Opportunity", Reference: "CampaignId", Operation: "sum", Field: "Amount"},
	"AmountWonOpportunities":   {Object: "Opportunity", Reference: "CampaignId", Operation: "sum", Field: "Amount", Filter: "IsWon"},
}

// bindStandardFormulas makes the standard fields that show what other records hold.
func (s *Server) bindStandardFormulas() {
	for _, name := range s.names {
		o := s.object(name)
		for _, f := range o.fields {
			var compute formula
			var err error
			if f.via != "" {
				compute, err = s.parseFormula(o, f.via)
			} else if u, ok := standardRollUps[f.Name]; ok && o.name == "Campaign" {
				f.source = fromFormula
				compute, err = s.summed(o, &u, false)
			}
			if err != nil {
				panic(o.name + "." + f.Name + ": " + err.Error())
			}
			if compute != nil {
				f.compute = func(r *row) value { return f.shown(compute(r)) }
			}
		}
	}
}

// startStatuses gives a new campaign the two member statuses that every campaign starts with.
func (s *Server) startStatuses(t *transaction, campaign *row) {
	o := s.object("CampaignMemberStatus")
	for i, label := range [...]string{"Sent", "Responded"} {
		d := &draft{}
		d.set(o.byName["campaignid"], textOf(campaign.id))
		d.set(o.byName["label"], textOf(label))
		d.set(o.byName["sortorder"], numberOf(float64(i+1)))
		d.set(o.byName["isdefault"], boolOf(i == 0))
		d.set(o.byName["hasresponded"], boolOf(i == 1))
		t.create(o, d.cells, campaign.created, campaign.modified, campaign.createdBy)
	}
}

// onlyDefault clears IsDefault of the campaign's other statuses.
func (s *Server) onlyDefault(t *transaction, o *object, r *row) {
	f := o.byName["isdefault"]
	if !r.get(f).isTrue() {
		return
	}
	for _, other := range o.match(o.byName["campaignid"], r.get(o.byName["campaignid"])) {
		if other != r && other.get(f).isTrue() {
			d := draftOf(other)
			d.set(f, boolOf(false))
			t.update(o, other, d.cells, false)
		}
	}
}

// statusRules are those of a campaign's member status.
func (s *Server) statusRules(o *object, d *draft, before *row) *failure {
	for _, other := range o.match(o.byName["campaignid"], d.get(o.byName["campaignid"])) {
		if other != before && compare(other.get(o.byName["label"]), d.get(o.byName["label"])) == 0 {
			return refuse("DUPLICATE_VALUE", "A member status with this label exists in the campaign", "Label")
		}
	}
	if before != nil && before.get(o.byName["isdefault"]).isTrue() && !d.get(o.byName["isdefault"]).isTrue() {
		return integrity("IsDefault (a campaign needs a default member status)", "IsDefault")
	}
	return nil
}

// mayMarket says whether a user may write campaigns: a check box of the user.
func (s *Server) mayMarket(u *user, o *object) bool {
	if o.name != "Campaign" && o.name != "CampaignMember" && o.name != "CampaignMemberStatus" {
		return true
	}
	users := s.object("User")
	r := users.find(u.id)
	return r != nil && r.get(users.byName["userpermissionsmarketinguser"]).isTrue()
}
