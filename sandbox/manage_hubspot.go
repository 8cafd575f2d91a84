package sandbox

import (
	"net/http"

	"github.com/lockstep-sync/lockstep/sandbox/hubspot"
)

func (s *Sandbox) listTokens(*http.Request) (any, error) {
	return map[string]any{"tokens": s.HubSpot().Tokens()}, nil
}

// createToken makes a token with just the scopes that are asked for.
func (s *Sandbox) createToken(r *http.Request) (any, error) {
	var body struct {
		Kind   hubspot.TokenKind `json:"kind"`
		Name   string            `json:"name"`
		Scopes []string          `json:"scopes"`
		Token  string            `json:"token"`
		Owner  string            `json:"owner"`
		// PortalID is the account that it opens; 0 means the first one.
		PortalID int64 `json:"portalId"`
	}
	if err := readBody(r, &body); err != nil {
		return nil, err
	}
	switch body.Kind {
	case "", hubspot.PrivateApp, hubspot.ServiceKey, hubspot.StaticAuth:
	case hubspot.APIKey:
		if !s.HubSpot().APIKeysWork() {
			return nil, bad("start the sandbox with --year 2022, or make a service-key", "there is no kind of token %q: API keys ended on 30 November 2022", body.Kind)
		}
	default:
		return nil, bad("use private-app, service-key or static-auth", "there is no kind of token %q", body.Kind)
	}
	if body.Scopes == nil {
		body.Scopes = wideScopes()
	}
	h, err := s.hubSpotAccount(body.PortalID)
	if err != nil {
		return nil, err
	}
	token := h.CreateToken(hubspot.TokenSpec{Kind: body.Kind, Name: body.Name, Scopes: body.Scopes, Token: body.Token, Owner: body.Owner})
	_, info, err := tokenNamed(h, token)
	return info, err
}

// tokenNamed finds a token of h by its id, or of any account by its text.
func tokenNamed(h *hubspot.Server, name string) (*hubspot.Server, hubspot.TokenInfo, error) {
	for _, account := range h.Accounts() {
		for _, t := range account.Tokens() {
			if t.Token == name || t.ID == name && account == h {
				return account, t, nil
			}
		}
	}
	return nil, hubspot.TokenInfo{}, &manageProblem{http.StatusNotFound, &Error{What: "there is no token " + quoted(name), Mend: "GET /hubspot/tokens lists them"}}
}

func (s *Sandbox) revokeToken(r *http.Request) (any, error) {
	h, t, err := tokenNamed(s.HubSpot(), r.PathValue("id"))
	if err == nil {
		h.RevokeToken(t.Token)
	}
	return nil, err
}

func (s *Sandbox) expireToken(r *http.Request) (any, error) {
	h, t, err := tokenNamed(s.HubSpot(), r.PathValue("id"))
	if err == nil {
		h.ExpireToken(t.Token)
	}
	return nil, err
}

// hubSpotRecord is how a record is shown and edited here.
type hubSpotRecord struct {
	ID           string            `json:"id,omitempty"`
	Properties   map[string]string `json:"properties"`
	Associations []farEnd          `json:"associations,omitempty"`
}

// farEnd is the other end of an association.
type farEnd struct {
	Type  string `json:"type"`
	ID    string `json:"id"`
	Types []int  `json:"types,omitempty"`
}

func (s *Sandbox) createHubSpotRecord(r *http.Request) (any, error) {
	var body hubSpotRecord
	if err := readBody(r, &body); err != nil {
		return nil, err
	}
	h, object := s.HubSpot(), r.PathValue("type")
	if body.ID != "" {
		return nil, bad("leave id out", "HubSpot gives the ids")
	}
	for _, far := range body.Associations {
		if _, there, err := s.hubSpotRecord(far.Type, far.ID); err != nil || !there {
			return nil, missing("there is no %s %s to associate", far.Type, far.ID)
		}
	}
	by, err := s.hand(r)
	if err != nil {
		return nil, err
	}
	if r.URL.Query().Get("as") != "" {
		if body.ID, err = by.Create(object, body.Properties); err != nil {
			return nil, err
		}
	} else if err = careful(func() { now := s.clock.Now(); body.ID = h.Insert(object, body.Properties, now, now) }); err != nil {
		return nil, err
	}
	for _, far := range body.Associations {
		if err := by.Associate(object, body.ID, far.Type, far.ID, far.Types...); err != nil {
			return nil, err
		}
	}
	body.Properties, _ = h.Get(object, body.ID)
	return body, nil
}

// hubSpotRecord reads a record; a type that does not exist is an error.
func (s *Sandbox) hubSpotRecord(object, id string) (record hubSpotRecord, there bool, err error) {
	err = careful(func() { record.Properties, there = s.HubSpot().Get(object, id) })
	record.ID = id
	return record, there, err
}

func (s *Sandbox) showHubSpotRecord(r *http.Request) (any, error) {
	record, there, err := s.hubSpotRecord(r.PathValue("type"), r.PathValue("id"))
	if err == nil && !there {
		err = missing("there is no live record %s in %s", r.PathValue("id"), r.PathValue("type"))
	}
	return record, err
}

func (s *Sandbox) editHubSpotRecord(r *http.Request) (any, error) {
	var body hubSpotRecord
	if err := readBody(r, &body); err != nil {
		return nil, err
	}
	if _, err := s.showHubSpotRecord(r); err != nil {
		return nil, err
	}
	by, err := s.hand(r)
	if err != nil {
		return nil, err
	}
	if err := by.Update(r.PathValue("type"), r.PathValue("id"), body.Properties); err != nil {
		return nil, err
	}
	return s.showHubSpotRecord(r)
}

func (s *Sandbox) archiveHubSpotRecord(r *http.Request) (any, error) {
	if _, err := s.showHubSpotRecord(r); err != nil {
		return nil, err
	}
	by, err := s.hand(r)
	if err != nil {
		return nil, err
	}
	return nil, by.Archive(r.PathValue("type"), r.PathValue("id"))
}

// associate links two records as a person would, or unlinks them with remove.
func (s *Sandbox) associate(r *http.Request) (any, error) {
	var body struct {
		From   farEnd `json:"from"`
		To     farEnd `json:"to"`
		Types  []int  `json:"types"`
		Remove bool   `json:"remove"`
	}
	if err := readBody(r, &body); err != nil {
		return nil, err
	}
	for _, end := range []farEnd{body.From, body.To} {
		if _, there, err := s.hubSpotRecord(end.Type, end.ID); err != nil || !there {
			return nil, missing("there is no live record %s in %s", end.ID, end.Type)
		}
	}
	by, err := s.hand(r)
	switch {
	case err != nil:
		return nil, err
	case body.Remove:
		return nil, by.Dissociate(body.From.Type, body.From.ID, body.To.Type, body.To.ID, body.Types...)
	}
	return nil, by.Associate(body.From.Type, body.From.ID, body.To.Type, body.To.ID, body.Types...)
}
