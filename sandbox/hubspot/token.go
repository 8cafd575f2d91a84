package hubspot

import (
	"slices"
	"strconv"
	"time"
)

// TokenKind is a way to make an access token. Private apps, service keys and
// static auth look the same on the wire.
type TokenKind string

// The kinds of token that belong to one account.
// https://developers.hubspot.com/docs/apps/developer-platform/build-apps/authentication/overview
const (
	PrivateApp TokenKind = "private-app"
	ServiceKey TokenKind = "service-key"
	StaticAuth TokenKind = "static-auth"
	// OAuth tokens live for half an hour and come from an installed app.
	OAuth TokenKind = "oauth"
	// APIKey is the account's ?hapikey=, which may do everything until it ended.
	APIKey TokenKind = "api-key"
)

// TokenSpec asks for a token.
type TokenSpec struct {
	Kind   TokenKind // "" means PrivateApp
	Name   string    // of the app or key
	Scopes []string  // oauth is always granted
	Token  string    // "" means one of the account's choosing
	Owner  string    // e-mail of the owner who made it; "" means the first one
}

// TokenInfo describes a token.
type TokenInfo struct {
	ID        string    `json:"id"`
	Token     string    `json:"token"`
	Kind      TokenKind `json:"kind"`
	Name      string    `json:"name"`
	Scopes    []string  `json:"scopes"`
	AppID     int64     `json:"appId"`
	UserID    int64     `json:"userId"`
	CreatedAt time.Time `json:"createdAt"`
	Revoked   bool      `json:"revoked,omitempty"`
	// ExpiredAt is when it stops, or has stopped; zero means never.
	ExpiredAt time.Time `json:"expiredAt,omitzero"`
}

func (t *TokenInfo) expiredBy(now time.Time) bool {
	return !t.ExpiredAt.IsZero() && !now.Before(t.ExpiredAt)
}

// token is a token as the account holds it. It never changes: an edit puts
// another one in its place, so that calls under way need no lock.
type token struct {
	TokenInfo
	granted map[string]bool
	app     *app
	// by is who wrote what is written with it.
	by source
}

// CreateToken makes an app or key with just these scopes and oauth, and returns
// its token. It may do what the pages no longer allow.
func (s *Server) CreateToken(spec TokenSpec) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	if spec.Kind == "" {
		spec.Kind = PrivateApp
	}
	a := App{Kind: spec.Kind, Name: spec.Name, Scopes: spec.Scopes}
	for _, o := range s.owners {
		if o.Email == spec.Owner || spec.Owner == "" && a.UserID == 0 {
			a.UserID = o.UserID
		}
	}
	t := s.addApp(a, spec.Token)
	s.version.Add(1)
	return t.Token
}

// keepToken puts a token among the account's. Its app may be unknown in a state
// that was saved before there were apps.
func (s *Server) keepToken(info TokenInfo) *token {
	a := s.appByID[info.AppID]
	if a == nil {
		a = s.keepApp(App{ID: info.AppID, Kind: info.Kind, Name: info.Name, Scopes: info.Scopes, UserID: info.UserID, CreatedAt: info.CreatedAt})
	}
	t := s.makeToken(info, a)
	s.tokens[t.Token] = t
	s.tokenOrder = append(s.tokenOrder, t)
	return t
}

func (s *Server) makeToken(info TokenInfo, a *app) *token {
	t := &token{TokenInfo: info, app: a, granted: map[string]bool{}, by: integration(info.AppID, info.Name)}
	for _, scope := range info.Scopes {
		t.granted[scope] = true
	}
	if info.Kind == APIKey {
		t.granted = s.scopes.all
	}
	return t
}

// replaceToken puts an edited copy in a token's place.
func (s *Server) replaceToken(t *token, edit func(*TokenInfo)) {
	info := t.TokenInfo
	edit(&info)
	fresh := s.makeToken(info, t.app)
	s.tokens[t.Token] = fresh
	s.tokenOrder[slices.Index(s.tokenOrder, t)] = fresh
}

// lastToken is the highest id so far: dropped tokens leave gaps.
func (s *Server) lastToken() int {
	if len(s.tokenOrder) == 0 {
		return 0
	}
	n, _ := strconv.Atoi(s.tokenOrder[len(s.tokenOrder)-1].ID)
	return n
}

// RevokeToken makes a token, given by its text or id, unknown from now on.
func (s *Server) RevokeToken(token string) {
	s.editToken(token, func(t *TokenInfo) { t.Revoked = true })
}

// ExpireToken makes calls with a token answer EXPIRED_AUTHENTICATION from now on.
func (s *Server) ExpireToken(token string) {
	now := s.clock.Now()
	s.editToken(token, func(t *TokenInfo) { t.ExpiredAt = now })
}

func (s *Server) editToken(name string, edit func(*TokenInfo)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, t := range slices.Clone(s.tokenOrder) {
		if t.Token == name || t.ID == name {
			s.replaceToken(t, edit)
			s.version.Add(1)
		}
	}
}

// Tokens lists all tokens in the order they were made.
func (s *Server) Tokens() []TokenInfo {
	s.mu.RLock()
	defer s.mu.RUnlock()
	out := make([]TokenInfo, len(s.tokenOrder))
	for i, t := range s.tokenOrder {
		out[i] = t.TokenInfo
		out[i].Scopes = slices.Clone(t.Scopes)
	}
	return out
}

// working finds a token that works now.
func (s *Server) working(text string) *token {
	s.mu.RLock()
	defer s.mu.RUnlock()
	t := s.tokens[text]
	if t == nil || t.Revoked || t.expiredBy(s.clock.Now()) {
		return nil
	}
	return t
}

// knows tells whether a token is or was this account's.
func (s *Server) knows(text string) bool {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.tokens[text] != nil
}
