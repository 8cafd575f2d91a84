package hubspot

import (
	"fmt"
	"slices"
	"time"
)

// TokenKind is a way to make an access token. All kinds look the same on the wire.
type TokenKind string

// The kinds of token that belong to one account.
// https://developers.hubspot.com/docs/apps/developer-platform/build-apps/authentication/overview
const (
	PrivateApp TokenKind = "private-app"
	ServiceKey TokenKind = "service-key"
	StaticAuth TokenKind = "static-auth"
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
	// ExpiredAt is when it was made to expire; zero while it has not.
	ExpiredAt time.Time `json:"expiredAt,omitzero"`
}

// token is a token as the account holds it.
type token struct {
	TokenInfo
	granted map[string]bool
	window  *window
}

func (t *token) source() source {
	return source{Type: "INTEGRATION", ID: fmt.Sprint(t.AppID), Label: "INTEGRATION", Detail: t.Name}
}

// CreateToken makes a token with just these scopes and oauth.
func (s *Server) CreateToken(spec TokenSpec) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	if spec.Kind == "" {
		spec.Kind = PrivateApp
	}
	s.lastAppID += 1 + int64(s.random.IntN(50))
	t := &token{TokenInfo: TokenInfo{Kind: spec.Kind, Name: spec.Name, AppID: s.lastAppID, CreatedAt: s.clock.Now(),
		Token: spec.Token, ID: fmt.Sprint(len(s.tokenOrder) + 1)}}
	if t.Token == "" { // made so that a person and a scanner see at once that it opens nothing real
		t.Token = fmt.Sprintf("pat-na1-00000000-fake-4000-8000-%012x", s.random.Uint64()&0xffffffffffff)
	}
	t.Scopes = append(slices.Clone(spec.Scopes), "oauth")
	slices.Sort(t.Scopes)
	t.Scopes = slices.Compact(t.Scopes)
	for _, o := range s.owners {
		if o.Email == spec.Owner || spec.Owner == "" && t.UserID == 0 {
			t.UserID = o.UserID
		}
	}
	s.keepToken(t)
	s.version.Add(1)
	return t.Token
}

func (s *Server) keepToken(t *token) {
	t.granted = map[string]bool{}
	for _, scope := range t.Scopes {
		t.granted[scope] = true
	}
	t.window = s.limits.newWindow()
	s.tokens[t.Token] = t
	s.tokenOrder = append(s.tokenOrder, t)
}

// RevokeToken makes a token, given by its text or id, unknown from now on.
func (s *Server) RevokeToken(token string) {
	s.editToken(token, func(t *TokenInfo) { t.Revoked = true })
}

// ExpireToken makes calls with a token answer EXPIRED_AUTHENTICATION from now on.
func (s *Server) ExpireToken(token string) {
	s.editToken(token, func(t *TokenInfo) { t.ExpiredAt = s.clock.Now() })
}

func (s *Server) editToken(name string, edit func(*TokenInfo)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, t := range s.tokenOrder {
		if t.Token == name || t.ID == name {
			edit(&t.TokenInfo)
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
