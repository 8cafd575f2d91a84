package sandbox

import (
	"net/http"

	"github.com/lockstep-sync/lockstep/sandbox/salesforce"
)

// createApp registers an external client app and tells also how its user signs
// in by password.
func (s *Sandbox) createApp(r *http.Request) (any, error) {
	var body struct {
		Name         string            `json:"name"`
		ClientID     string            `json:"clientId"`
		ClientSecret string            `json:"clientSecret"`
		RunAs        string            `json:"runAs"`
		Certificate  string            `json:"certificate"`
		Flows        []salesforce.Flow `json:"flows"`
		Scopes       []string          `json:"scopes"`
		Rotate       bool              `json:"rotateRefreshTokens"`
		IdleDays     int               `json:"refreshIdleDays"`
		Callbacks    []string          `json:"callbackUrls"`
		PKCE         bool              `json:"requirePkce"`
		NoSecret     bool              `json:"secretOptional"`

		PermittedUsers         salesforce.PermittedUsers `json:"permittedUsers"`
		ApprovedProfiles       []string                  `json:"approvedProfiles"`
		ApprovedPermissionSets []string                  `json:"approvedPermissionSets"`
	}
	if err := readBody(r, &body); err != nil {
		return nil, err
	}
	sf := s.Salesforce()
	app, err := sf.CreateApp(salesforce.App{
		Name: body.Name, ClientID: body.ClientID, ClientSecret: body.ClientSecret, RunAs: body.RunAs,
		CertificatePEM: []byte(body.Certificate), Flows: body.Flows, Scopes: body.Scopes, RotateRefreshTokens: body.Rotate,
		RefreshIdleDays: body.IdleDays, CallbackURLs: body.Callbacks, RequirePKCE: body.PKCE, SecretOptional: body.NoSecret,
		PermittedUsers: body.PermittedUsers, ApprovedProfiles: body.ApprovedProfiles, ApprovedPermissionSets: body.ApprovedPermissionSets,
	})
	if err != nil {
		return nil, bad("GET / describes the call", "%v", err)
	}
	password, token := passwordOf(sf, app.RunAs)
	return map[string]any{
		"name": app.Name, "clientId": app.ClientID, "clientSecret": app.ClientSecret, "flows": app.Flows, "scopes": app.Scopes,
		"username": app.RunAs, "password": password, "securityToken": token,
		"loginUrl": s.SalesforceURL(), "instanceUrl": s.SalesforceURL(),
	}, nil
}

// issueToken gives an access token without a login.
func (s *Sandbox) issueToken(r *http.Request) (any, error) {
	body := struct {
		Username string `json:"username"`
	}{salesforce.IntegrationUsername}
	if err := readBody(r, &body); err != nil {
		return nil, err
	}
	var token string
	if err := careful(func() { token = s.Salesforce().IssueToken(body.Username) }); err != nil {
		return nil, err
	}
	return map[string]string{"token": token, "instanceUrl": s.SalesforceURL(), "username": body.Username}, nil
}

// expireSessions ends one session, or all.
func (s *Sandbox) expireSessions(r *http.Request) (any, error) {
	var body struct {
		Token string `json:"token"`
	}
	if err := readBody(r, &body); err != nil {
		return nil, err
	}
	if body.Token != "" {
		s.Salesforce().ExpireToken(body.Token)
	} else {
		s.Salesforce().ExpireAll()
	}
	return nil, nil
}

// lockRecord makes the next writes to a record meet UNABLE_TO_LOCK_ROW.
func (s *Sandbox) lockRecord(r *http.Request) (any, error) {
	body := struct {
		Object string `json:"object"`
		ID     string `json:"id"`
		Times  int    `json:"times"`
	}{Times: 1}
	if err := readBody(r, &body); err != nil {
		return nil, err
	}
	there := false
	if err := careful(func() { _, there = s.Salesforce().Get(body.Object, body.ID) }); err != nil {
		return nil, err
	}
	if !there {
		return nil, missing("there is no live %s %s", body.Object, body.ID)
	}
	s.Salesforce().Lock(body.Object, body.ID, body.Times)
	return nil, nil
}

// setPermission sets what a user may do with an object, or with one field.
func (s *Sandbox) setPermission(r *http.Request) (any, error) {
	body := struct {
		Username string `json:"username"`
		Object   string `json:"object"`
		Field    string `json:"field"`
		Read     bool   `json:"read"`
		Create   bool   `json:"create"`
		Edit     bool   `json:"edit"`
		Delete   bool   `json:"delete"`
	}{Username: salesforce.IntegrationUsername}
	if err := readBody(r, &body); err != nil {
		return nil, err
	}
	return nil, careful(func() {
		if body.Field != "" {
			s.Salesforce().SetFieldPermission(body.Username, body.Object, body.Field, body.Read, body.Edit)
			return
		}
		s.Salesforce().SetPermission(body.Username, body.Object, salesforce.ObjectPermission{
			Read: body.Read, Create: body.Create, Edit: body.Edit, Delete: body.Delete,
		})
	})
}

// addDuplicateRule makes Salesforce refuse (or report) look-alikes.
func (s *Sandbox) addDuplicateRule(r *http.Request) (any, error) {
	var rule salesforce.DuplicateRule
	if err := readBody(r, &rule); err != nil {
		return nil, err
	}
	return nil, careful(func() { s.Salesforce().AddDuplicateRule(rule) })
}
