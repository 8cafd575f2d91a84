package engine_test

import (
	"strings"

	"github.com/lockstep-sync/lockstep/internal/crm"
)

// survivor is what the vendor tells of a record that was merged away: HubSpot
// the record that answers in the end, Salesforce the one that it went into.
func (v *vendor) survivor(object string, r *row) string {
	into := r.merged
	for v.side == crm.HubSpot && into != "" && v.objects[object][into] != nil && v.objects[object][into].merged != "" {
		into = v.objects[object][into].merged
	}
	if v.side == crm.HubSpot && into != "" && v.objects[object][into].archived {
		return "" // HubSpot leads to no record that is archived
	}
	return into
}

// merge merges records as a person would, and returns the id of the one that
// is left: in HubSpot a new one, in Salesforce the first.
func (v *vendor) merge(object, primary string, others ...string) string {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.merges = true
	v.clock += 60_000_000
	survivor, id := v.objects[object][primary], primary
	if v.side == crm.HubSpot {
		id = v.newID(object)
		survivor = &row{values: map[string]string{}, created: v.tick()}
		v.objects[object][id] = survivor
		others = append([]string{primary}, others...)
	}
	for _, other := range others {
		loser := v.objects[object][other]
		for name, value := range loser.values {
			if survivor.values[name] == "" {
				survivor.values[name] = value
			}
		}
		for _, x := range loser.relations {
			if !survivor.related(x.Object, x.ID) {
				survivor.relations = append(survivor.relations, x)
			}
		}
		loser.archived, loser.merged, loser.modified = true, id, v.tick()
		v.reparent(object, other, id)
	}
	survivor.modified = v.tick()
	return id
}

// reparent moves what refers to a merged record. Salesforce stamps it, HubSpot
// does not.
func (v *vendor) reparent(object, from, to string) {
	for _, rows := range v.objects {
		for _, r := range rows {
			for i, x := range r.relations {
				if x.Object == object && x.ID == from {
					r.relations[i].ID = to
				}
			}
			for name, value := range r.values {
				if v.side == crm.Salesforce && strings.HasSuffix(name, "Id") && value == from {
					r.values[name], r.modified = to, v.tick()
				}
			}
		}
	}
}

// conversion says what a Lead is converted to; what is empty is made anew.
type conversion struct {
	account, contact string
	opportunity      string // the name of a new one; none when empty
}

// convert converts a Lead as a person would, and returns what it became.
func (v *vendor) convert(lead string, into conversion) (account, contact, opportunity string) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.clock += 60_000_000
	l := v.objects["Lead"][lead]
	if account = into.account; account == "" {
		account = v.insert("Account", map[string]string{"Name": l.values["Company"], "Website": l.values["Website"], "Phone": l.values["Phone"]})
	}
	if contact = into.contact; contact == "" {
		contact = v.insert("Contact", map[string]string{"FirstName": l.values["FirstName"], "LastName": l.values["LastName"], "Email": l.values["Email"],
			"Phone": l.values["Phone"], "Title": l.values["Title"], "MailingCity": l.values["City"], "AccountId": account})
	}
	if into.opportunity != "" {
		opportunity = v.insert("Opportunity", map[string]string{"Name": into.opportunity, "AccountId": account, "StageName": "Prospecting", "CloseDate": "2027-03-01"})
	}
	l.values["IsConverted"] = "true"
	l.values["ConvertedAccountId"], l.values["ConvertedContactId"], l.values["ConvertedOpportunityId"] = account, contact, opportunity
	l.modified = v.tick()
	return account, contact, opportunity
}

// restore brings a record back as a person would.
func (v *vendor) restore(object, id string) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.clock += 60_000_000
	r := v.objects[object][id]
	r.archived, r.modified = false, v.tick()
}

// purge deletes a record for good: a GDPR delete, a bin that was emptied. No
// feed tells.
func (v *vendor) purge(object, id string) {
	v.mu.Lock()
	defer v.mu.Unlock()
	delete(v.objects[object], id)
}

func (v *vendor) archived(object, id string) bool {
	v.mu.Lock()
	defer v.mu.Unlock()
	r := v.objects[object][id]
	return r == nil || r.archived
}
