package hubspot

import (
	"net/http"
	"slices"
	"strconv"
)

// createJournalFilter answers POST webhooks-journal/subscriptions/filters.
func createJournalFilter(c *call) (int, *problem) {
	var in struct {
		SubscriptionID int64 `json:"subscriptionId"`
		Filter         struct {
			Conditions []journalCondition `json:"conditions"`
		} `json:"filter"`
	}
	if refused := c.decode(&in); refused != nil {
		return 0, refused
	}
	if len(in.Filter.Conditions) == 0 {
		return 0, missingFields("filter", "conditions")
	}
	for _, condition := range in.Filter.Conditions {
		takes, known := journalOperators[condition.Operator]
		switch {
		case condition.Property == "":
			return 0, missingFields("property")
		case !known:
			return 0, invalid("%q is not an operator of a condition", condition.Operator)
		case takes == 1 && condition.Value == "" || takes == 2 && len(condition.Values) == 0:
			return 0, invalid("operator %s requires a value", condition.Operator)
		}
	}
	h := c.s.directory.hooks
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, s := range h.journal.subscriptions {
		if s.AppID == c.token.AppID && s.ID == in.SubscriptionID {
			h.journal.lastID++
			s.Filters = append(s.Filters, journalFilter{ID: h.journal.lastID, CreatedAt: c.s.nowMillis(), Conditions: in.Filter.Conditions})
			c.webhooksChanged()
			c.out.object()
			c.out.numberField("filterId", h.journal.lastID)
			c.out.endObject()
			return http.StatusOK, nil
		}
	}
	return 0, objectNotFound("There is no subscription %d", in.SubscriptionID)
}

func (e *encoder) journalFilter(f *journalFilter) {
	e.object()
	e.numberField("id", f.ID)
	e.numberField("createdAt", f.CreatedAt)
	e.key("filter")
	e.object()
	e.key("conditions")
	e.array()
	for _, c := range f.Conditions {
		e.object()
		e.textField("filterType", "CRM_OBJECT_PROPERTY")
		e.textField("property", c.Property)
		e.textField("operator", c.Operator)
		if c.Value != "" {
			e.textField("value", c.Value)
		}
		if len(c.Values) > 0 {
			e.textsField("values", c.Values)
		}
		e.endObject()
	}
	e.endArray()
	e.endObject()
	e.endObject()
}

// listJournalFilters answers GET …/filters/subscription/{id} with a bare array.
func listJournalFilters(c *call) (int, *problem) {
	at, unlock, refused := c.ownSubscription()
	if refused != nil {
		return 0, refused
	}
	defer unlock()
	c.out.array()
	for i := range c.s.directory.hooks.journal.subscriptions[at].Filters {
		c.out.journalFilter(&c.s.directory.hooks.journal.subscriptions[at].Filters[i])
	}
	c.out.endArray()
	return http.StatusOK, nil
}

// ownFilter finds one of the app's filters. The lock of hooks is held.
func (c *call) ownFilter() (*JournalSubscription, int, *problem) {
	for _, s := range c.s.directory.hooks.journal.subscriptions {
		if s.AppID != c.token.AppID {
			continue
		}
		if i := slices.IndexFunc(s.Filters, func(f journalFilter) bool { return strconv.FormatInt(f.ID, 10) == c.arg("id") }); i >= 0 {
			return s, i, nil
		}
	}
	return nil, 0, objectNotFound("There is no filter %s", c.arg("id"))
}

func readJournalFilter(c *call) (int, *problem) {
	c.s.directory.hooks.mu.Lock()
	defer c.s.directory.hooks.mu.Unlock()
	s, i, refused := c.ownFilter()
	if refused != nil {
		return 0, refused
	}
	c.out.journalFilter(&s.Filters[i])
	return http.StatusOK, nil
}

func deleteJournalFilter(c *call) (int, *problem) {
	c.s.directory.hooks.mu.Lock()
	defer c.s.directory.hooks.mu.Unlock()
	s, i, refused := c.ownFilter()
	if refused != nil {
		return 0, refused
	}
	s.Filters = slices.Delete(s.Filters, i, i+1)
	c.webhooksChanged()
	return http.StatusNoContent, nil
}
