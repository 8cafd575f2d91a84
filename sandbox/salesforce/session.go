package salesforce

import (
	"strings"
	"sync"
	"time"
)

// sessionIdle is how long an unused session lives.
const sessionIdle = 2 * time.Hour

type session struct {
	Token    string   `json:"token"`
	Username string   `json:"username"`
	ClientID string   `json:"clientId,omitempty"`
	Scopes   []string `json:"scopes,omitempty"`
	Issued   int64    `json:"issued"` // seconds
	Used     int64    `json:"used"`
	user     *user
}

type refreshGrant struct {
	Token    string `json:"token"`
	Username string `json:"username"`
	ClientID string `json:"clientId"`
	// Chain names the grant that it came from: re-use of a spent token kills all of a chain.
	Chain string `json:"chain"`
	Spent bool   `json:"spent"`
}

// sessionTable holds what was issued.
type sessionTable struct {
	mu      sync.Mutex
	issued  int
	byToken map[string]*session
	refresh map[string]*refreshGrant
	chains  map[string][]string // chain: access tokens issued through it
}

func (t *sessionTable) init() {
	t.byToken, t.refresh, t.chains = map[string]*session{}, map[string]*refreshGrant{}, map[string][]string{}
}

// use finds a live session and counts this as its use.
func (t *sessionTable) use(token string, now int64) *session {
	t.mu.Lock()
	defer t.mu.Unlock()
	found := t.byToken[token]
	if found == nil {
		return nil
	}
	if now-found.Used > int64(sessionIdle/time.Second) {
		delete(t.byToken, token)
		return nil
	}
	found.Used = max(found.Used, now)
	return found
}

func (t *sessionTable) revoke(token string) (known bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if g := t.refresh[token]; g != nil {
		t.dropChain(g.Chain)
		return true
	}
	_, known = t.byToken[token]
	delete(t.byToken, token)
	return known
}

func (t *sessionTable) dropChain(chain string) {
	for _, access := range t.chains[chain] {
		delete(t.byToken, access)
	}
	for token, g := range t.refresh {
		if g.Chain == chain {
			delete(t.refresh, token)
		}
	}
	delete(t.chains, chain)
}

// issue makes a session. The token looks like the vendor's: org id, "!", text.
func (s *Server) issue(u *user, clientID string, scopes []string) *session {
	s.sessions.mu.Lock()
	defer s.sessions.mu.Unlock()
	s.sessions.issued++
	now := s.nowSeconds()
	made := &session{
		Token:    s.orgID[:shortIDLength] + "!fake." + s.fakeText("session", u.Username+time.Unix(int64(s.sessions.issued), 0).UTC().Format("150405.2006"), 64),
		Username: u.Username, ClientID: clientID, Scopes: scopes, Issued: now, Used: now, user: u,
	}
	s.sessions.byToken[made.Token] = made
	return made
}

// IssueToken makes an access token for a user without any flow; it lives like
// every session. An unknown user panics.
func (s *Server) IssueToken(username string) string {
	s.mu.RLock()
	defer s.mu.RUnlock()
	u := s.users[strings.ToLower(username)]
	if u == nil {
		panic("salesforce sandbox: no user " + username)
	}
	return s.issue(u, "", []string{"full"}).Token
}

// IssueRefreshToken makes a refresh token, as the web flow would have given to the app.
func (s *Server) IssueRefreshToken(clientID, username string) string {
	s.sessions.mu.Lock()
	defer s.sessions.mu.Unlock()
	return s.newGrant(clientID, username, "").Token
}

// newGrant makes a refresh token; the caller holds the sessions' lock.
func (s *Server) newGrant(clientID, username, chain string) *refreshGrant {
	s.sessions.issued++
	g := &refreshGrant{
		Token:    "5Aep861fake." + s.fakeText("refresh", username+time.Unix(int64(s.sessions.issued), 0).UTC().Format("150405.2006"), 72),
		Username: username, ClientID: clientID, Chain: chain,
	}
	if chain == "" {
		g.Chain = g.Token
	}
	s.sessions.refresh[g.Token] = g
	return g
}

// ExpireToken ends one session.
func (s *Server) ExpireToken(token string) { s.sessions.revoke(token) }

// ExpireAll ends all sessions; refresh tokens stay good.
func (s *Server) ExpireAll() {
	s.sessions.mu.Lock()
	defer s.sessions.mu.Unlock()
	clear(s.sessions.byToken)
}

// RevokeAll ends all sessions and all refresh tokens.
func (s *Server) RevokeAll() {
	s.sessions.mu.Lock()
	defer s.sessions.mu.Unlock()
	clear(s.sessions.byToken)
	clear(s.sessions.refresh)
	clear(s.sessions.chains)
}
