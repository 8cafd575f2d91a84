package hubspot

import (
	"context"
	"encoding/json"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/lockstep-sync/lockstep/internal/apicall"
	"github.com/lockstep-sync/lockstep/internal/crm"
	"github.com/lockstep-sync/lockstep/internal/fault"
)

// details is what account-info tells.
// https://developers.hubspot.com/docs/api-reference/latest/account/account-information/guide
type details struct {
	PortalID    int64  `json:"portalId"`
	PortalName  string `json:"portalName"`
	AccountType string `json:"accountType"`
	TimeZone    string `json:"timeZone"`
	Domain      string `json:"uiDomain"`
	Hosting     string `json:"dataHostingLocation"`
}

// Account says whose account the token opens, and which scopes it has; Scopes
// is nil when HubSpot does not tell. It costs two calls.
func (c *Client) Account(ctx context.Context) (crm.Account, error) {
	var d details
	if err := c.get(ctx, c.paths.account(), nil, apicall.Into(&d)); err != nil {
		return crm.Account{}, c.explainRegion(ctx, err)
	}
	if zone, err := time.LoadLocation(d.TimeZone); err == nil && d.TimeZone != "" {
		c.day.SetZone(zone)
	}
	info, err := c.tokenInfo(ctx)
	if err != nil {
		return crm.Account{}, err
	}
	c.mu.Lock()
	c.account, c.scopes = &d, info.Scopes
	c.mu.Unlock()
	account := crm.Account{
		Side:   crm.HubSpot,
		ID:     strconv.FormatInt(d.PortalID, 10),
		Name:   either(d.PortalName, "HubSpot account "+strconv.FormatInt(d.PortalID, 10)),
		Kind:   d.AccountType,
		Web:    c.web(&d),
		API:    c.caller.Base(),
		Scopes: info.Scopes,
	}
	if info.AppID != 0 {
		account.User = "app " + strconv.FormatInt(info.AppID, 10)
	}
	return account, nil
}

type tokenInfo struct {
	UserID int64    `json:"userId"`
	HubID  int64    `json:"hubId"`
	AppID  int64    `json:"appId"`
	Scopes []string `json:"scopes"`
}

// tokenInfo asks what the token may do. The endpoint is documented for private
// apps and answers for service keys too; a token of another kind is told
// nothing, which is no fault.
func (c *Client) tokenInfo(ctx context.Context) (tokenInfo, error) {
	var info tokenInfo
	token, err := c.config.Token(ctx)
	if err != nil {
		return info, err
	}
	body, err := json.Marshal(map[string]string{"tokenKey": strings.TrimSpace(token)})
	if err != nil {
		return info, fault.New(fault.Internal, "the HubSpot token cannot be written as JSON")
	}
	err = c.post(ctx, c.paths.tokenInfo(), nil, body, apicall.ReadOnly, apicall.Into(&info))
	switch fault.KindOf(err) {
	case "":
	case fault.Invalid, fault.NotFound, fault.Denied:
		return tokenInfo{}, nil
	default:
		return info, err
	}
	if info.Scopes == nil {
		info.Scopes = []string{}
	}
	slices.Sort(info.Scopes)
	return info, nil
}

// explainRegion adds to a 401 that the token names a data centre, since a token
// is only known in its own.
func (c *Client) explainRegion(ctx context.Context, err error) error {
	e, ok := fault.As(err)
	if !ok || e.Status != 401 {
		return err
	}
	token, tokenErr := c.config.Token(ctx)
	if tokenErr != nil {
		return err
	}
	if parts := strings.SplitN(strings.TrimSpace(token), "-", 3); len(parts) == 3 && parts[0] == "pat" && parts[1] != "na1" {
		e.Mend += "; the token belongs to an account hosted in " + parts[1] + ", so check that base_url is right for that region"
	}
	return err
}

// web is the address of the account's user interface.
func (c *Client) web(d *details) string {
	base, err := url.Parse(c.caller.Base())
	if err == nil && apicall.IsLoopback(base.Hostname()) {
		return c.caller.Base() // the sandbox serves its pages where it serves its API
	}
	return "https://" + either(d.Domain, "app.hubspot.com")
}

// RecordURL is where a person sees the record; empty until Account was asked,
// or when the object's type id is not known.
func (c *Client) RecordURL(object, id string) string {
	c.mu.Lock()
	d, schema := c.account, c.schemas[object]
	c.mu.Unlock()
	if d == nil || id == "" {
		return ""
	}
	if isList(object) {
		return c.web(d) + "/contacts/" + strconv.FormatInt(d.PortalID, 10) + "/objectLists/" + url.PathEscape(id)
	}
	kind := typeID(object)
	if kind == "" && schema != nil {
		kind = schema.Prefix
	}
	if kind == "" {
		return ""
	}
	return c.web(d) + "/contacts/" + strconv.FormatInt(d.PortalID, 10) + "/record/" + kind + "/" + url.PathEscape(id)
}

// granted tells whether the token has one of the scopes; true when unknown.
func (c *Client) granted(scopes ...string) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.scopes == nil || len(scopes) == 0 {
		return true
	}
	for _, scope := range scopes {
		if slices.Contains(c.scopes, scope) {
			return true
		}
	}
	return false
}
