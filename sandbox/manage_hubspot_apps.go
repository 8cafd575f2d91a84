package sandbox

import (
	"errors"
	"io"
	"net/http"
	"strings"

	"github.com/lockstep-sync/lockstep/sandbox/hubspot"
)

// hubSpotAccount finds an account by its number; 0 means the first one.
func (s *Sandbox) hubSpotAccount(portal int64) (*hubspot.Server, error) {
	for _, h := range s.HubSpot().Accounts() {
		if portal == 0 || h.PortalID() == portal {
			return h, nil
		}
	}
	return nil, &manageProblem{http.StatusNotFound, &Error{What: "there is no HubSpot account with this portalId", Mend: "GET /hubspot/accounts lists them"}}
}

func (s *Sandbox) listAccounts(*http.Request) (any, error) {
	type account struct {
		PortalID int64         `json:"portalId"`
		Contacts int           `json:"contacts"`
		Apps     []hubspot.App `json:"apps"`
	}
	var accounts []account
	for _, h := range s.HubSpot().Accounts() {
		accounts = append(accounts, account{h.PortalID(), h.Count("contacts"), h.Apps()})
	}
	return map[string]any{"accounts": accounts}, nil
}

func (s *Sandbox) listProjectApps(*http.Request) (any, error) {
	return map[string]any{"apps": s.HubSpot().ProjectApps(), "developerApiKey": s.HubSpot().DeveloperKey()}, nil
}

// uploadApp takes an app-hsmeta.json as it is in a project.
func (s *Sandbox) uploadApp(r *http.Request) (any, error) {
	file, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, bad("send the content of app-hsmeta.json", "the file did not arrive whole")
	}
	made, err := s.HubSpot().UploadApp(file)
	var refused *hubspot.AppFileError
	if errors.As(err, &refused) {
		return nil, bad("mend the file and send it again", "the file was refused: %s", strings.Join(refused.Problems, "; "))
	}
	return made, err
}

// installApp installs an OAuth app as a super admin would, without a browser.
func (s *Sandbox) installApp(r *http.Request) (any, error) {
	var body struct {
		ClientID string   `json:"clientId"`
		PortalID int64    `json:"portalId"`
		Optional []string `json:"optionalScopes"`
	}
	if err := readBody(r, &body); err != nil {
		return nil, err
	}
	h, err := s.hubSpotAccount(body.PortalID)
	if err != nil {
		return nil, err
	}
	tokens, err := h.Install(body.ClientID, body.Optional...)
	if err != nil {
		return nil, bad("GET /hubspot/apps lists client ids and scopes", "%v", err)
	}
	return tokens, nil
}
