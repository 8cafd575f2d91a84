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
