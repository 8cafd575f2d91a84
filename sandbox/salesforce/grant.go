package salesforce

import (
	"cmp"
	"slices"
	"strings"
)

// refreshGrant is a refresh token. All tokens that came from one authorization
// are a chain, of which the newest is live.
type refreshGrant struct {
	Token    string `json:"token"`
	Username string `json:"username"`
	ClientID string `json:"clientId"`
	// Chain names the grant that it came from: re-use of a spent token kills all of a chain.
	Chain  string   `json:"chain"`
	Spent  bool     `json:"spent"`
	Scopes []string `json:"scopes,omitempty"`
	Issued int64    `json:"issued,omitempty"` // seconds
	Used   int64    `json:"used,omitempty"`
	// Number orders the grants.
	Number int `json:"number,omitempty"`
}

const (
	// liveGrants is how many refresh tokens a user and an app share; one more ends the oldest.
	liveGrants = 5
	// spentKept is how many spent tokens of a chain are known for what they were.
	spentKept = 100
)

// IssueRefreshToken makes a refresh token, as the web flow would have given to the app.
func (s *Server) IssueRefreshToken(clientID, username string) string {
	s.mu.RLock()
	defer s.mu.RUnlock()
	scopes := []string(nil)
	if app := s.apps[clientID]; app != nil {
		scopes = app.Scopes
	}
	s.sessions.mu.Lock()
	defer s.sessions.mu.Unlock()
	return s.newGrant(clientID, username, "", scopes).Token
}

// newGrant makes a refresh token; the caller holds the sessions' lock. An empty
// chain begins one, and ends the oldest where there are too many.
func (s *Server) newGrant(clientID, username, chain string, scopes []string) *refreshGrant {
	now := s.nowSeconds()
	g := &refreshGrant{
		Token:    "5Aep861fake." + s.fakeText("refresh", s.sessions.serial(username), 72),
		Username: username, ClientID: clientID, Chain: chain, Scopes: scopes, Issued: now, Used: now, Number: s.sessions.issued,
	}
	if chain == "" {
		g.Chain = g.Token
		live := s.sessions.grants(func(o *refreshGrant) bool {
			return !o.Spent && o.ClientID == clientID && strings.EqualFold(o.Username, username)
		})
		for len(live) >= liveGrants {
			s.sessions.dropChain(live[0].Chain)
			live = live[1:]
		}
	} else {
		spent := s.sessions.grants(func(o *refreshGrant) bool { return o.Spent && o.Chain == chain })
		for ; len(spent) > spentKept; spent = spent[1:] {
			delete(s.sessions.refresh, spent[0].Token)
		}
	}
	s.sessions.refresh[g.Token] = g
	return g
}

// grants lists those that match, oldest first; the caller holds the lock.
func (t *sessionTable) grants(match func(*refreshGrant) bool) []*refreshGrant {
	var list []*refreshGrant
	for _, g := range t.refresh {
		if match(g) {
			list = append(list, g)
		}
	}
	slices.SortFunc(list, func(a, b *refreshGrant) int {
		return cmp.Or(cmp.Compare(a.Number, b.Number), strings.Compare(a.Token, b.Token))
	})
	return list
}

// secondsOfDay counts the idle life of refresh tokens, which is set in days.
const secondsOfDay = 24 * 60 * 60

// refreshed trades a refresh token. A spent one of a rotating app kills its
// chain, access tokens included.
// https://help.salesforce.com/s/articleView?id=005316711&type=1
func (c *call) refreshed(app *application, token string) (*reply, error) {
	s := c.server
	if !app.allows(RefreshToken) {
		return nil, &oauthError{"unsupported_grant_type", "grant type not supported"}
	}
	made, next, err := s.trade(app, token)
	if err != nil {
		return nil, err
	}
	return c.granted(app, made, next), nil
}

// trade is the refresh in one step, so that two who come at once are told apart.
func (s *Server) trade(app *application, token string) (made *session, next string, err error) {
	dead := grantError("expired access/refresh token")
	s.sessions.mu.Lock()
	defer s.sessions.mu.Unlock()
	g := s.sessions.refresh[token]
	if g == nil || g.ClientID != app.ClientID {
		return nil, "", dead
	}
	if g.Spent {
		s.sessions.dropChain(g.Chain)
		return nil, "", dead
	}
	now := s.nowSeconds()
	if app.RefreshIdleDays > 0 && now-g.Used > int64(app.RefreshIdleDays)*secondsOfDay {
		s.sessions.dropChain(g.Chain)
		return nil, "", dead
	}
	u := s.users[strings.ToLower(g.Username)]
	if u == nil || !s.userActive(u) {
		return nil, "", &oauthError{"inactive_user", "user is inactive"}
	}
	if app.PermittedUsers == AdminApproved && !app.approves(u) {
		return nil, "", grantError("user is not admin approved to access this app")
	}
	g.Used = now
	if app.RotateRefreshTokens {
		g.Spent = true
		next = s.newGrant(app.ClientID, g.Username, g.Chain, g.Scopes).Token
	}
	scopes := g.Scopes
	if scopes == nil {
		scopes = app.Scopes
	}
	made = s.newSession(u, app.ClientID, scopes)
	s.sessions.attach(g.Chain, made)
	return made, next, nil
}

// attach remembers which chain a session came from; dead ones are forgotten.
// The caller holds the lock.
func (t *sessionTable) attach(chain string, made *session) {
	t.chains[chain] = append(slices.DeleteFunc(t.chains[chain], func(token string) bool {
		s := t.byToken[token]
		return s == nil || made.Issued-s.Used > t.idle
	}), made.Token)
}
