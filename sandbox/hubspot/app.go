package hubspot

import (
	"fmt"
	"slices"
	"time"
)

const (
	// privateAppLimit is how many private apps an account may have.
	// https://developers.hubspot.com/docs/developer-tooling/platform/usage-guidelines
	privateAppLimit = 20
	// rotationOverlap is how long a token works after it was rotated to expire later.
	// https://developers.hubspot.com/docs/apps/legacy-apps/private-apps/overview
	rotationOverlap = 7 * 24 * time.Hour
	// oauthTenSecondly is how many calls an OAuth app may make in ten seconds in
	// each account that installed it.
	oauthTenSecondly = 110
)

// App is one thing in the account that holds tokens: a private app, a service
// key, the account's API key, or a project app that was installed.
type App struct {
	ID          int64     `json:"id"`
	Kind        TokenKind `json:"kind"`
	Name        string    `json:"name"`
	Description string    `json:"description,omitempty"`
	Scopes      []string  `json:"scopes"`
	// ClientID is of the project app that this is an installation of.
	ClientID  string    `json:"clientId,omitempty"`
	UserID    int64     `json:"userId"`
	CreatedAt time.Time `json:"createdAt"`
	RotatedAt time.Time `json:"rotatedAt,omitzero"`
	DeletedAt time.Time `json:"deletedAt,omitzero"`
}

// app is an App as the account holds it. The App inside is guarded by the
// account's lock; its window and log are the same for all its tokens.
type app struct {
	App
	window *window
	log    callLog
}

func (s *Server) keepApp(a App) *app {
	kept := &app{App: a, window: s.limits.newWindow(a.Kind)}
	s.apps = append(s.apps, kept)
	s.appByID[a.ID] = kept
	return kept
}

// addApp makes an app with its first token.
func (s *Server) addApp(a App, text string) *token {
	s.lastAppID += 1 + int64(s.random.IntN(50))
	a.ID, a.CreatedAt = s.lastAppID, s.clock.Now()
	a.Scopes = withOAuth(a.Scopes)
	return s.addToken(s.keepApp(a), text)
}

// withOAuth adds the scope that everyone gets, and sorts.
func withOAuth(scopes []string) []string {
	out := append(slices.Clone(scopes), "oauth")
	slices.Sort(out)
	return slices.Compact(out)
}

// addToken makes a token of an app; text "" means one of the account's choosing,
// made so that a person and a scanner see at once that it opens nothing real.
func (s *Server) addToken(a *app, text string) *token {
	if text == "" {
		text = fmt.Sprintf("pat-na1-00000000-fake-4000-8000-%012x", s.random.Uint64()&0xffffffffffff)
		if a.Kind == APIKey {
			text = fmt.Sprintf("00000000-fa4e-4000-8000-%012x", s.random.Uint64()&0xffffffffffff)
		}
	}
	return s.keepToken(TokenInfo{
		ID: fmt.Sprint(s.lastToken() + 1), Token: text, Kind: a.Kind, Name: a.Name, Scopes: slices.Clone(a.Scopes), AppID: a.ID,
		UserID: a.UserID, CreatedAt: s.clock.Now(),
	})
}

// appsOf lists the live apps of a kind in the order they were made.
func (s *Server) appsOf(kinds ...TokenKind) (out []*app) {
	for _, a := range s.apps {
		if slices.Contains(kinds, a.Kind) && a.DeletedAt.IsZero() {
			out = append(out, a)
		}
	}
	return out
}

// tokensOf lists an app's tokens that still work, oldest first.
func (s *Server) tokensOf(a *app) (out []*token) {
	now := s.clock.Now()
	for _, t := range s.tokenOrder {
		if t.app == a && !t.Revoked && !t.expiredBy(now) {
			out = append(out, t)
		}
	}
	return out
}

// rotate gives an app a new token. The old one stops now, or in seven days.
func (s *Server) rotate(a *app, later bool) *token {
	now := s.clock.Now()
	for _, old := range s.tokensOf(a) {
		end := now
		if later {
			if !old.ExpiredAt.IsZero() { // it was to stop sooner already
				continue
			}
			end = now.Add(rotationOverlap)
		}
		s.replaceToken(old, func(t *TokenInfo) { t.ExpiredAt = end })
	}
	a.RotatedAt = now
	fresh := s.addToken(a, "")
	s.version.Add(1)
	return fresh
}

// expireOld stops the tokens that a rotation left working.
func (s *Server) expireOld(a *app) {
	now := s.clock.Now()
	for _, t := range s.tokensOf(a) {
		if !t.ExpiredAt.IsZero() {
			s.replaceToken(t, func(t *TokenInfo) { t.ExpiredAt = now })
		}
	}
	s.version.Add(1)
}

// editApp changes an app; its tokens stay the same and may do what it may.
func (s *Server) editApp(a *app, name, description string, scopes []string) {
	a.Name, a.Description, a.Scopes = name, description, withOAuth(scopes)
	for _, t := range slices.Clone(s.tokenOrder) {
		if t.app == a {
			s.replaceToken(t, func(t *TokenInfo) { t.Name, t.Scopes = a.Name, slices.Clone(a.Scopes) })
		}
	}
	s.version.Add(1)
}

// deleteApp makes an app and all its tokens unknown.
func (s *Server) deleteApp(a *app) {
	a.DeletedAt = s.clock.Now()
	if a.ClientID != "" {
		s.directory.hooks.lifecycle(s, a.ClientID, "APP_UNINSTALL")
	}
	for _, t := range slices.Clone(s.tokenOrder) {
		if t.app == a {
			s.replaceToken(t, func(t *TokenInfo) { t.Revoked = true })
		}
	}
	for _, g := range s.grants {
		if g.AppID == a.ID {
			g.Revoked = true
		}
	}
	s.version.Add(1)
}

// Apps lists all apps, deleted ones too, in the order they were made.
func (s *Server) Apps() []App {
	s.mu.RLock()
	defer s.mu.RUnlock()
	out := make([]App, len(s.apps))
	for i, a := range s.apps {
		out[i] = a.App
		out[i].Scopes = slices.Clone(a.Scopes)
	}
	return out
}
