package sandbox

import (
	"bytes"
	"errors"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/lockstep-sync/lockstep/sandbox/salesforce"
)

// permissionSets lists the Salesforce permission sets with who has them.
func (s *Sandbox) permissionSets(*http.Request) (any, error) {
	type line struct {
		salesforce.PermissionSet
		AssignedTo []string `json:"assignedTo"`
	}
	sf, lines := s.Salesforce(), []line{}
	for _, ps := range sf.PermissionSets() {
		l := line{ps, []string{}}
		for _, u := range sf.Users() {
			for _, name := range sf.PermissionSetsOf(u.Username) {
				if name == ps.Name {
					l.AssignedTo = append(l.AssignedTo, u.Username)
				}
			}
		}
		lines = append(lines, l)
	}
	return map[string]any{"permissionSets": lines}, nil
}

// deployPermissionSet takes a metadata file as it is, or the same as JSON. With
// ?assign=user@… that user has it from now on.
func (s *Sandbox) deployPermissionSet(r *http.Request) (any, error) {
	sf, name := s.Salesforce(), r.URL.Query().Get("name")
	var made salesforce.PermissionSet
	file, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, bad("send the file as it is, up to 1 MB", "the permission set cannot be read: %v", err)
	}
	if file = bytes.TrimSpace(file); bytes.HasPrefix(file, []byte("{")) {
		r.Body = io.NopCloser(bytes.NewReader(file))
		if err := readBody(r, &made); err != nil {
			return nil, err
		}
		if name != "" {
			made.Name = name
		}
		err = sf.SavePermissionSet(made)
	} else {
		made, err = sf.DeployPermissionSet(name, file)
	}
	if err != nil {
		return nil, refusedSet(err)
	}
	if username := r.URL.Query().Get("assign"); username != "" {
		if err := sf.AssignPermissionSet(made.Name, username); err != nil {
			return nil, bad("GET /salesforce/users lists the users", "%v", err)
		}
	}
	return made, nil
}

func refusedSet(err error) error {
	var problems salesforce.PermissionSetProblems
	mend := "correct the permission set and send it again"
	if errors.As(err, &problems) && len(problems) > 1 {
		mend = "correct all of them and send it again"
	}
	return bad(mend, "%v", err)
}

// assignPermissionSet gives a permission set to a user, or takes it away.
func (s *Sandbox) assignPermissionSet(r *http.Request) (any, error) {
	body := struct {
		Username string `json:"username"`
		Remove   bool   `json:"remove"`
	}{Username: salesforce.IntegrationUsername}
	if err := readBody(r, &body); err != nil {
		return nil, err
	}
	change := s.Salesforce().AssignPermissionSet
	if body.Remove {
		change = s.Salesforce().UnassignPermissionSet
	}
	if err := change(r.PathValue("name"), body.Username); err != nil {
		return nil, bad("GET /salesforce/permission-sets and /salesforce/users list both", "%v", err)
	}
	return nil, nil
}

func (s *Sandbox) deletePermissionSet(r *http.Request) (any, error) {
	if err := s.Salesforce().DeletePermissionSet(r.PathValue("name")); err != nil {
		return nil, bad("GET /salesforce/permission-sets lists them", "%v", err)
	}
	return nil, nil
}

// salesforceUsers lists the users with their profiles and passwords.
func (s *Sandbox) salesforceUsers(*http.Request) (any, error) {
	type line struct {
		salesforce.User
		PermissionSets []string `json:"permissionSets"`
	}
	sf, lines := s.Salesforce(), []line{}
	for _, u := range sf.Users() {
		lines = append(lines, line{u, append([]string{}, sf.PermissionSetsOf(u.Username)...)})
	}
	return map[string]any{"users": lines, "profiles": sf.Profiles()}, nil
}

// setProfile gives a user another profile.
func (s *Sandbox) setProfile(r *http.Request) (any, error) {
	var body struct {
		Profile string `json:"profile"`
	}
	if err := readBody(r, &body); err != nil {
		return nil, err
	}
	if err := s.Salesforce().SetProfile(r.PathValue("username"), body.Profile); err != nil {
		return nil, bad("GET /salesforce/users lists users and profiles", "%v", err)
	}
	return nil, nil
}

// setSessionTimeout says how long an unused Salesforce session lives.
func (s *Sandbox) setSessionTimeout(r *http.Request) (any, error) {
	var body struct {
		Minutes int `json:"minutes"`
	}
	if err := readBody(r, &body); err != nil {
		return nil, err
	}
	if err := s.Salesforce().SetSessionTimeout(time.Duration(body.Minutes) * time.Minute); err != nil {
		return nil, bad(`send {"minutes": 15} to {"minutes": 1440}`, "%v", err)
	}
	return nil, nil
}

// issueRefreshToken gives a refresh token without a browser.
func (s *Sandbox) issueRefreshToken(r *http.Request) (any, error) {
	body := struct {
		ClientID string `json:"clientId"`
		Username string `json:"username"`
	}{Username: salesforce.IntegrationUsername}
	if err := readBody(r, &body); err != nil {
		return nil, err
	}
	sf, known := s.Salesforce(), false
	for _, a := range sf.Apps() {
		known = known || a.ClientID == body.ClientID
	}
	if !known {
		return nil, bad("GET /salesforce/apps lists them", "there is no app with client id %s", quoted(body.ClientID))
	}
	known = false
	for _, u := range sf.Users() {
		known = known || strings.EqualFold(u.Username, body.Username)
	}
	if !known {
		return nil, bad("GET /salesforce/users lists them", "there is no user %s", quoted(body.Username))
	}
	return map[string]string{"refreshToken": sf.IssueRefreshToken(body.ClientID, body.Username), "instanceUrl": s.SalesforceURL()}, nil
}

// rotateAppSecret gives an app another secret.
func (s *Sandbox) rotateAppSecret(r *http.Request) (any, error) {
	app, err := s.Salesforce().RotateSecret(r.PathValue("clientId"))
	if err != nil {
		return nil, bad("GET /salesforce/apps lists them", "%v", err)
	}
	return map[string]string{"clientId": app.ClientID, "clientSecret": app.ClientSecret}, nil
}
