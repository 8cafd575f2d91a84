package salesforce

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"
)

// How long an unused session lives: the org's setting is one of these.
// https://help.salesforce.com/s/articleView?id=xcloud.admin_sessions.htm
const (
	defaultSessionIdle  = 2 * time.Hour
	shortestSessionIdle = 15 * time.Minute
	longestSessionIdle  = 24 * time.Hour
)

type session struct {
	Token    string   `json:"token"`
	Username string   `json:"username"`
	ClientID string   `json:"clientId,omitempty"`
	Scopes   []string `json:"scopes,omitempty"`
	Issued   int64    `json:"issued"` // seconds
	Used     int64    `json:"used"`
	// Browser is true for the session of a person on the pages.
	Browser bool `json:"browser,omitempty"`
	user    *user
}

// mayCallAPI says whether the data APIs take the session: one that an app got
// needs a scope for it.
func (s *session) mayCallAPI() bool {
	return s.ClientID == "" || slices.Contains(s.Scopes, "api") || slices.Contains(s.Scopes, "full")
}

// sessionTable holds what was issued.
type sessionTable struct {
	mu       sync.Mutex
	issued   int
	changes  uint64 // grants, codes and sessions made or ended
	idle     int64  // seconds that an unused session lives
	byToken  map[string]*session
	refresh  map[string]*refreshGrant
	chains   map[string][]string // chain: access tokens issued through it
	codes    map[string]*authorizationCode
	consents map[string][]string // client id and user id: scopes that the user allowed
}

func (t *sessionTable) init() {
	t.idle = int64(defaultSessionIdle / time.Second)
	t.byToken, t.refresh, t.chains = map[string]*session{}, map[string]*refreshGrant{}, map[string][]string{}
	t.codes, t.consents = map[string]*authorizationCode{}, map[string][]string{}
}

// take replaces all by what another table holds, which must not be used again.
// The caller holds the lock.
func (t *sessionTable) take(o *sessionTable) {
	t.issued, t.idle, t.byToken, t.refresh, t.chains, t.codes, t.consents = o.issued, o.idle, o.byToken, o.refresh, o.chains, o.codes, o.consents
	t.changes++
}

// use finds a live session and counts this as its use.
func (t *sessionTable) use(token string, now int64) *session {
	t.mu.Lock()
	defer t.mu.Unlock()
	found := t.byToken[token]
	if found == nil {
		return nil
	}
	if now-found.Used > t.idle {
		delete(t.byToken, token)
		return nil
	}
	found.Used = max(found.Used, now)
	return found
}

// revoke ends a session, or a refresh token with all of its chain.
func (t *sessionTable) revoke(token string) (known bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.changes++
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
	t.changes++
}

// issue makes a session. The token looks like the vendor's: org id, "!", text.
func (s *Server) issue(u *user, clientID string, scopes []string) *session {
	s.sessions.mu.Lock()
	defer s.sessions.mu.Unlock()
	return s.newSession(u, clientID, scopes)
}

// newSession is issue for a caller that holds the sessions' lock.
func (s *Server) newSession(u *user, clientID string, scopes []string) *session {
	now := s.nowSeconds()
	made := &session{
		Token:    s.orgID[:shortIDLength] + "!fake." + s.fakeText("session", s.sessions.serial(u.Username), 64),
		Username: u.Username, ClientID: clientID, Scopes: scopes, Issued: now, Used: now, user: u,
	}
	s.sessions.byToken[made.Token] = made
	return made
}

// serial makes a text that no two tokens share; the caller holds the lock.
func (t *sessionTable) serial(name string) string {
	t.issued++
	t.changes++
	return name + time.Unix(int64(t.issued), 0).UTC().Format("150405.2006")
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

// ExpireToken ends one session.
func (s *Server) ExpireToken(token string) { s.sessions.revoke(token) }

// ExpireAll ends all sessions; refresh tokens stay good.
func (s *Server) ExpireAll() {
	s.sessions.mu.Lock()
	defer s.sessions.mu.Unlock()
	s.sessions.changes++
	clear(s.sessions.byToken)
}

// RevokeAll ends all sessions, all refresh tokens and all consents.
func (s *Server) RevokeAll() {
	s.sessions.mu.Lock()
	defer s.sessions.mu.Unlock()
	s.sessions.changes++
	clear(s.sessions.byToken)
	clear(s.sessions.refresh)
	clear(s.sessions.chains)
	clear(s.sessions.codes)
	clear(s.sessions.consents)
}

// SetSessionTimeout sets how long an unused session lives, in all the org, from
// 15 minutes to 24 hours; it counts for sessions that are there already.
func (s *Server) SetSessionTimeout(idle time.Duration) error {
	if idle < shortestSessionIdle || idle > longestSessionIdle || idle%time.Minute != 0 {
		return fmt.Errorf("sessions end after 15 minutes to 24 hours without use, not after %s", idle)
	}
	s.sessions.mu.Lock()
	defer s.sessions.mu.Unlock()
	s.sessions.idle = int64(idle / time.Second)
	s.sessions.changes++
	return nil
}

// SessionTimeout is how long an unused session lives.
func (s *Server) SessionTimeout() time.Duration {
	s.sessions.mu.Lock()
	defer s.sessions.mu.Unlock()
	return time.Duration(s.sessions.idle) * time.Second
}

// fingerprint names a token on pages without showing it.
func fingerprint(token string) string {
	sum := sha256.Sum256([]byte(token))
	return hex.EncodeToString(sum[:8])
}
