package hubspot

import (
	"net/http"
	"strconv"
)

// accountDetails answers GET account-info/details.
// https://developers.hubspot.com/docs/api-reference/latest/account/account-information/guide
func accountDetails(c *call) (int, *problem) {
	s := c.s
	_, offset := s.clock.Now().In(s.timeZone).Zone()
	sign, minutes := "+", offset/60
	if minutes < 0 {
		sign, minutes = "-", -minutes
	}
	two := func(v int) string { return string(appendTwo(nil, v)) }
	c.out.object()
	c.out.numberField("portalId", s.config.PortalID)
	c.out.textField("accountType", "DEVELOPER_TEST")
	c.out.textField("timeZone", s.config.TimeZone)
	c.out.textField("companyCurrency", s.config.Currency)
	c.out.textsField("additionalCurrencies", nil)
	c.out.textField("utcOffset", sign+two(minutes/60)+":"+two(minutes%60))
	c.out.numberField("utcOffsetMilliseconds", int64(offset)*1000)
	c.out.textField("uiDomain", "app.hubspot.com")
	c.out.textField("dataHostingLocation", "na1")
	if c.version == "2026-09" {
		c.out.textField("portalName", "Lockstep Sandbox")
	}
	c.out.endObject()
	return http.StatusOK, nil
}

// dailyUsage answers GET account-info/api-usage/daily/private-apps.
func dailyUsage(c *call) (int, *problem) {
	today, daily, next := c.s.limits.usage()
	c.out.object()
	c.out.key("results")
	c.out.array()
	c.out.object()
	c.out.textField("name", "private-apps-api-calls-daily")
	c.out.numberField("usageLimit", int64(daily))
	c.out.numberField("currentUsage", int64(today))
	c.out.millisField("collectedAt", c.s.nowMillis())
	c.out.textField("fetchStatus", "SUCCESS")
	c.out.millisField("resetsAt", next.UnixMilli())
	c.out.endObject()
	c.out.endArray()
	c.out.endObject()
	return http.StatusOK, nil
}

// whoAmI answers the old GET /integrations/v1/me.
func whoAmI(c *call) (int, *problem) {
	_, offset := c.s.clock.Now().In(c.s.timeZone).Zone()
	c.out.object()
	c.out.numberField("portalId", c.s.config.PortalID)
	c.out.textField("timeZone", c.s.config.TimeZone)
	c.out.textField("currency", c.s.config.Currency)
	c.out.numberField("utcOffsetMilliseconds", int64(offset)*1000)
	c.out.endObject()
	return http.StatusOK, nil
}

// tokenInfo answers POST /oauth/v2/private-apps/get/access-token-info. It needs
// no scope and no Authorization header.
// https://developers.hubspot.com/docs/apps/legacy-apps/private-apps/overview
func tokenInfo(c *call) (int, *problem) {
	var in struct {
		TokenKey string `json:"tokenKey"`
	}
	if refused := c.decode(&in); refused != nil {
		return 0, refused
	}
	if in.TokenKey == "" {
		return 0, missingFields("tokenKey")
	}
	account, t := c.s.directory.find(in.TokenKey)
	if t == nil || t.Kind == APIKey {
		return 0, objectNotFound("The access token is not known")
	}
	c.out.object()
	c.out.numberField("userId", t.UserID)
	c.out.numberField("hubId", account.PortalID())
	c.out.numberField("appId", t.AppID)
	c.out.textsField("scopes", t.Scopes)
	c.out.endObject()
	return http.StatusOK, nil
}

// RecordURL is where HubSpot shows a record to a person; this server redirects it
// to its own page.
func (s *Server) RecordURL(objectType, id string) string {
	s.mu.RLock()
	defer s.mu.RUnlock()
	t := s.table(objectType)
	if t == nil {
		return ""
	}
	return *s.origin.Load() + "/contacts/" + strconv.FormatInt(s.config.PortalID, 10) + "/record/" + t.kind.typeID + "/" + id
}
