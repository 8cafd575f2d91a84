package salesforce

import (
	"context"
	"net/http"
	"strings"

	"github.com/lockstep-sync/lockstep/internal/apicall"
	"github.com/lockstep-sync/lockstep/internal/crm"
	"github.com/lockstep-sync/lockstep/internal/fault"
)

// Account says whose org the credential opens, in two calls. The user's name
// stays empty when the app lacks the scope for it.
func (c *Client) Account(ctx context.Context) (crm.Account, error) {
	layout := crm.NewLayout("Organization", []string{"Name", "IsSandbox", "OrganizationType"})
	rows, err := c.queryAllPages(ctx, query{layout: layout, plain: true})
	if err != nil {
		return crm.Account{}, err
	}
	if len(rows) != 1 {
		return crm.Account{}, fault.New(fault.Denied, "Salesforce does not show which organization this is").
			WithMend("give the user of the app read access to the organization, and \"API Enabled\"")
	}
	account := crm.Account{
		Side: crm.Salesforce,
		ID:   rows[0].ID,
		Name: rows[0].Value("Name").Text,
		Kind: rows[0].Value("OrganizationType").Text,
		Web:  strings.TrimRight(c.config.Tokens.InstanceURL(), "/"),
		API:  strings.TrimRight(c.config.Tokens.InstanceURL(), "/"),
	}
	if rows[0].Value("IsSandbox").Text == "true" {
		account.Kind = strings.TrimSpace(account.Kind + " (sandbox)")
	}
	var user struct {
		Username string `json:"preferred_username"`
	}
	// https://help.salesforce.com/s/articleView?id=xcloud.remoteaccess_using_userinfo_endpoint.htm
	err = c.do(ctx, apicall.Call{Method: http.MethodGet, Path: "/services/oauth2/userinfo"}, apicall.Into(&user))
	switch fault.KindOf(err) {
	case "", fault.Denied, fault.NotFound:
		// The org has answered already, so the token is good: what is refused here
		// is the name only.
		account.User = user.Username
		return account, nil
	}
	return crm.Account{}, err
}

// UserHas tells whether a check box of the user whom the credential opens is
// ticked, such as UserPermissionsMarketingUser; told is false where Salesforce
// does not say who that is, or does not show the box.
// https://developer.salesforce.com/docs/atlas.en-us.object_reference.meta/object_reference/sforce_api_objects_user.htm
func (c *Client) UserHas(ctx context.Context, field string) (has, told bool, err error) {
	var user struct {
		ID string `json:"user_id"`
	}
	err = c.do(ctx, apicall.Call{Method: http.MethodGet, Path: "/services/oauth2/userinfo"}, apicall.Into(&user))
	id, ok := ID18(user.ID)
	switch kind := fault.KindOf(err); {
	case kind == fault.Denied, kind == fault.NotFound, err == nil && !ok:
		return false, false, nil
	case err != nil:
		return false, false, err
	}
	rows, err := c.queryAllPages(ctx, query{layout: crm.NewLayout("User", []string{field}), plain: true, where: "Id = " + quote(id)})
	if fault.KindOf(err) == fault.Invalid || err == nil && len(rows) != 1 {
		return false, false, nil
	}
	if err != nil {
		return false, false, err
	}
	return rows[0].Value(field).Text == "true", rows[0].Value(field).IsPresent(), nil
}

// Owners lists the users who can own records, inactive ones included.
func (c *Client) Owners(ctx context.Context) ([]crm.Owner, error) {
	layout := crm.NewLayout("User", []string{"Email", "Name", "IsActive", "Username"})
	rows, err := c.queryAllPages(ctx, query{layout: layout, plain: true, where: "UserType = 'Standard'", order: "Id"})
	if err != nil {
		return nil, err
	}
	owners := make([]crm.Owner, len(rows))
	for i := range rows {
		owners[i] = crm.Owner{
			ID:       rows[i].ID,
			Email:    rows[i].Value("Email").Text,
			Name:     rows[i].Value("Name").Text,
			Active:   rows[i].Value("IsActive").Text == "true",
			Username: rows[i].Value("Username").Text,
		}
	}
	return owners, nil
}
