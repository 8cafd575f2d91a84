package hubspot

import (
	"net/http"
	"slices"
	"strconv"
)

// subscribers finds the webhooks of the app that the path names, with the lock of
// hooks held; unlock is to be called when refused is nil.
func (c *call) subscribers() (a *AppWebhooks, unlock func(), refused *problem) {
	id, err := strconv.ParseInt(c.arg("appId"), 10, 64)
	projects := c.s.ProjectApps()
	i := slices.IndexFunc(projects, func(p ProjectApp) bool { return p.AppID == id })
	if err != nil || i < 0 {
		return nil, nil, objectNotFound("There is no app %s of this developer", c.arg("appId"))
	}
	h := c.s.directory.hooks
	h.mu.Lock()
	p := projects[i]
	return h.ofApp(AppWebhooks{AppID: p.AppID, ClientID: p.ClientID, PortalID: p.PortalID, Secret: p.ClientSecret}), h.mu.Unlock, nil
}

// webhooksChanged is called after every change of webhooks, with the lock held.
func (c *call) webhooksChanged() {
	c.s.directory.hooks.recount()
	c.s.version.Add(1)
}

func readWebhookSettings(c *call) (int, *problem) {
	a, unlock, refused := c.subscribers()
	if refused != nil {
		return 0, refused
	}
	defer unlock()
	if a.Settings == nil {
		return 0, objectNotFound("App %d has no webhook settings", a.AppID)
	}
	c.out.webhookSettings(a.Settings, c.version)
	return http.StatusOK, nil
}

// writeWebhookSettings answers PUT webhooks/{appId}/settings.
func writeWebhookSettings(c *call) (int, *problem) {
	var in struct {
		TargetURL  string `json:"targetUrl"`
		Throttling struct {
			Max    int    `json:"maxConcurrentRequests"`
			Period string `json:"period"` // of old clients; a number of requests at once has none
		} `json:"throttling"`
	}
	if refused := c.decode(&in); refused != nil {
		return 0, refused
	}
	settings := WebhookSettings{TargetURL: in.TargetURL, MaxConcurrentRequests: in.Throttling.Max}
	if refused := judgeSettings(&settings); refused != nil {
		return 0, refused
	}
	a, unlock, refused := c.subscribers()
	if refused != nil {
		return 0, refused
	}
	defer unlock()
	now := c.s.clock.Now()
	settings.CreatedAt, settings.UpdatedAt = now, now
	if a.Settings != nil {
		settings.CreatedAt = a.Settings.CreatedAt
	}
	a.Settings = &settings
	c.webhooksChanged()
	c.out.webhookSettings(a.Settings, c.version)
	return http.StatusOK, nil
}

// deleteWebhookSettings pauses all subscriptions: they stay without a target.
func deleteWebhookSettings(c *call) (int, *problem) {
	a, unlock, refused := c.subscribers()
	if refused != nil {
		return 0, refused
	}
	defer unlock()
	a.Settings = nil
	c.webhooksChanged()
	return http.StatusNoContent, nil
}

func (e *encoder) webhookSettings(in *WebhookSettings, version string) {
	e.object()
	e.textField("targetUrl", in.TargetURL)
	e.key("throttling")
	e.object()
	e.numberField("maxConcurrentRequests", int64(in.MaxConcurrentRequests))
	if version == "v3" {
		e.textField("period", "SECONDLY")
	}
	e.endObject()
	e.millisField("createdAt", in.CreatedAt.UnixMilli())
	e.millisField("updatedAt", in.UpdatedAt.UnixMilli())
	e.endObject()
}

func (e *encoder) subscription(in *Subscription) {
	e.object()
	e.idField("id", in.ID)
	e.textField("eventType", in.EventType)
	if in.PropertyName != "" {
		e.textField("propertyName", in.PropertyName)
	}
	if in.ObjectTypeID != "" {
		e.textField("objectTypeId", in.ObjectTypeID)
	}
	e.boolField("active", in.Active)
	e.millisField("createdAt", in.CreatedAt.UnixMilli())
	e.millisField("updatedAt", in.UpdatedAt.UnixMilli())
	e.endObject()
}

func listSubscriptions(c *call) (int, *problem) {
	a, unlock, refused := c.subscribers()
	if refused != nil {
		return 0, refused
	}
	defer unlock()
	c.out.object()
	c.out.key("results")
	c.out.array()
	for i := range a.Subscriptions {
		c.out.subscription(&a.Subscriptions[i])
	}
	c.out.endArray()
	c.out.endObject()
	return http.StatusOK, nil
}

// createSubscription answers POST webhooks/{appId}/subscriptions with 201. A
// subscription is paused until it is active.
func createSubscription(c *call) (int, *problem) {
	var in struct {
		EventType    string `json:"eventType"`
		PropertyName string `json:"propertyName"`
		ObjectTypeID string `json:"objectTypeId"`
		Active       bool   `json:"active"`
	}
	if refused := c.decode(&in); refused != nil {
		return 0, refused
	}
	a, unlock, refused := c.subscribers()
	if refused != nil {
		return 0, refused
	}
	defer unlock()
	made, refused := c.s.directory.hooks.subscribe(a, Subscription{
		EventType: in.EventType, PropertyName: in.PropertyName, ObjectTypeID: in.ObjectTypeID, Active: in.Active,
	}, c.s.clock.Now())
	if refused != nil {
		return 0, refused
	}
	c.webhooksChanged()
	c.out.subscription(made)
	return http.StatusCreated, nil
}

// subscriptionAt finds a subscription by its id.
func (a *AppWebhooks) subscriptionAt(id string) (int, *problem) {
	i := slices.IndexFunc(a.Subscriptions, func(s Subscription) bool { return strconv.FormatInt(s.ID, 10) == id })
	if i < 0 {
		return 0, subscriptionMissing(id)
	}
	return i, nil
}

func subscriptionMissing(id string) *problem {
	return &problem{status: http.StatusNotFound, category: "SUBSCRIPTION_ID_NOT_FOUND", subCategory: "SubscriptionErrors.SUBSCRIPTION_IDS_NOT_FOUND",
		message: "Failed to find subscriptions by id `" + id + "`. Try again using a different subscriptionId.",
		context: []contextEntry{{"subscriptionIds", []string{id}}}}
}

func readSubscription(c *call) (int, *problem) {
	a, unlock, refused := c.subscribers()
	if refused != nil {
		return 0, refused
	}
	defer unlock()
	i, refused := a.subscriptionAt(c.arg("id"))
	if refused != nil {
		return 0, refused
	}
	c.out.subscription(&a.Subscriptions[i])
	return http.StatusOK, nil
}

// updateSubscription answers PATCH webhooks/{appId}/subscriptions/{id}: only
// active can be changed.
func updateSubscription(c *call) (int, *problem) {
	var in struct {
		Active *bool `json:"active"`
	}
	if refused := c.decode(&in); refused != nil {
		return 0, refused
	}
	a, unlock, refused := c.subscribers()
	if refused != nil {
		return 0, refused
	}
	defer unlock()
	i, refused := a.subscriptionAt(c.arg("id"))
	if refused != nil {
		return 0, refused
	}
	if in.Active != nil {
		a.Subscriptions[i].activate(*in.Active, c)
	}
	c.webhooksChanged()
	c.out.subscription(&a.Subscriptions[i])
	return http.StatusOK, nil
}

func (s *Subscription) activate(active bool, c *call) {
	s.Active, s.UpdatedAt = active, c.s.clock.Now()
}

func deleteSubscription(c *call) (int, *problem) {
	a, unlock, refused := c.subscribers()
	if refused != nil {
		return 0, refused
	}
	defer unlock()
	i, refused := a.subscriptionAt(c.arg("id"))
	if refused != nil {
		return 0, refused
	}
	a.Subscriptions = slices.Delete(a.Subscriptions, i, i+1)
	c.webhooksChanged()
	return http.StatusNoContent, nil
}

// batchUpdateSubscriptions answers POST webhooks/{appId}/subscriptions/batch/update.
func batchUpdateSubscriptions(c *call) (int, *problem) {
	var in struct {
		Inputs []struct {
			ID     text `json:"id"`
			Active bool `json:"active"`
		} `json:"inputs"`
	}
	if refused := c.decode(&in); refused != nil {
		return 0, refused
	}
	if len(in.Inputs) == 0 {
		return 0, missingFields("inputs")
	}
	a, unlock, refused := c.subscribers()
	if refused != nil {
		return 0, refused
	}
	defer unlock()
	var missing []*problem
	c.openBatch()
	for _, input := range in.Inputs {
		i, refused := a.subscriptionAt(input.ID.value)
		if refused != nil {
			missing = append(missing, refused)
			continue
		}
		a.Subscriptions[i].activate(input.Active, c)
		c.out.subscription(&a.Subscriptions[i])
	}
	c.webhooksChanged()
	return c.closeBatch(http.StatusOK, missing)
}
