package hubspot

import "strconv"

// Restorable tells that HubSpot has no API that restores archived records, but for
// lists; page
// is the list of the object's records, from which a person restores them within
// 90 days. It is empty until Account was asked.
// https://knowledge.hubspot.com/records/restore-deleted-records
func (c *Client) Restorable(object string) (page string, ok bool) {
	if isList(object) {
		return "", true // within 90 days
	}
	c.mu.Lock()
	d, schema := c.account, c.schemas[object]
	c.mu.Unlock()
	kind := typeID(object)
	if kind == "" && schema != nil {
		kind = schema.Prefix
	}
	if d == nil || kind == "" {
		return "", false
	}
	return c.web(d) + "/contacts/" + strconv.FormatInt(d.PortalID, 10) + "/objects/" + kind, false
}

// restoreSteps are the clicks that restore a record.
func restoreSteps(page string) string {
	steps := "Actions > Restore records, within 90 days"
	if page != "" {
		steps = page + " > " + steps
	}
	return steps
}
