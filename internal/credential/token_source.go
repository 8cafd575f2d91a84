package credential

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"path/filepath"
	"sync"
	"time"

	"golang.org/x/sync/singleflight"

	"github.com/lockstep-sync/lockstep/internal/crm"
	"github.com/lockstep-sync/lockstep/internal/fault"
)

const (
	// renewTimeout bounds one renewal, lock and repeats included.
	renewTimeout = 60 * time.Second
	// renewAhead is how long before its end a token is renewed: longer than a
	// call takes, short against the 30 minutes that HubSpot's live.
	renewAhead = time.Minute
)

// TokenSource gives the access token of one account. A HubSpot token may be the
// credential itself; any other is asked for once, kept in the vault for all
// commands, and renewed shortly before it ends (HubSpot tells when) or when the
// vendor says that it ended (Salesforce does not tell). It is safe for
// concurrent use.
type TokenSource struct {
	// vault is nil for a credential that is tried before it is kept; material
	// is set then, and only then.
	vault    *Vault
	material Material

	name   string
	side   crm.Side
	http   *http.Client
	flight singleflight.Group

	mu      sync.Mutex
	account Account
	current accessToken
	// unkept is an answer that the disk did not take; it is kept before anything
	// else is asked for.
	unkept *tokenAnswer
}

// TokenSource opens the account; fault.NotFound when it is not connected. No
// call is made until a token is asked for. http nil means a client of its own.
func (v *Vault) TokenSource(ctx context.Context, name string, side crm.Side, client *http.Client) (*TokenSource, error) {
	s := &TokenSource{vault: v, name: name, side: side, http: tokenClient(client)}
	if _, err := s.reload(ctx); err != nil {
		return nil, err
	}
	return s, nil
}

// NewTokenSource gives tokens for a credential that is not in any vault yet:
// `connect` tries it before it is kept. Its tokens are cached nowhere.
func NewTokenSource(account Account, material Material, client *http.Client) (*TokenSource, error) {
	if err := Validate(account, material); err != nil {
		return nil, err
	}
	s := &TokenSource{material: material, name: account.Name, side: account.Side, http: tokenClient(client), account: account}
	s.current = newAccessToken(material.Access)
	if !account.Kind.Renews() {
		s.current = accessToken{Token: material.Token.Reveal()}
	}
	return s, nil
}

// Account returns whose tokens these are.
func (s *TokenSource) Account() Account {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.account
}

// InstanceURL is where API calls go: the account's BaseURL where one is set,
// else what the token answer named. It is "" before the first Token of a
// Salesforce account that was never used.
func (s *TokenSource) InstanceURL() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.account.BaseURL != "":
		return s.account.BaseURL
	case s.side == crm.HubSpot:
		return DefaultHubSpotBaseURL
	}
	return s.current.InstanceURL
}

// Token returns the token to use now, asking for one when there is none.
func (s *TokenSource) Token(ctx context.Context) (string, error) {
	s.mu.Lock()
	current := s.current
	s.mu.Unlock()
	now := time.Now()
	if current.Token != "" && !current.endsBefore(now.Add(renewAhead)) {
		return current.Token, nil
	}
	token, err := s.Renew(ctx, current.Token)
	if err != nil && current.Token != "" && !current.endsBefore(now) && fault.KindOf(err) == fault.Unavailable {
		return current.Token, nil // it lives on for a moment, and the vendor may be back by then
	}
	return token, err
}

// Renew returns a token other than stale, which the vendor has refused. However
// many ask at once, in this process or another, one request is made; who comes
// late gets what the first one got. The new token is in the vault before it is
// returned. Errors are fault.Denied when the credential is dead, with the step
// that mends it.
func (s *TokenSource) Renew(ctx context.Context, stale string) (string, error) {
	if token := s.otherThan(stale); token != "" {
		return token, nil
	}
	results := s.flight.DoChan("renew\x00"+stale, func() (any, error) {
		// The renewal belongs to all who wait for it, not to the first one's context.
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), renewTimeout)
		defer cancel()
		return s.renew(ctx, stale)
	})
	select {
	case <-ctx.Done():
		return "", fault.New(fault.Unavailable, "stopped while waiting for a token").Wrap(context.Cause(ctx))
	case result := <-results:
		if result.Err != nil {
			return "", result.Err
		}
		return result.Val.(string), nil
	}
}

// otherThan returns the current token unless it is stale or about to end.
func (s *TokenSource) otherThan(stale string) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.current.Token != stale && !s.current.endsBefore(time.Now().Add(renewAhead)) {
		return s.current.Token
	}
	return ""
}

func (s *TokenSource) renew(ctx context.Context, stale string) (string, error) {
	if token := s.otherThan(stale); token != "" {
		return token, nil
	}
	if s.vault == nil {
		return s.renewLoose(ctx)
	}
	unlock, err := lockFile(ctx, s.lockPath())
	if err != nil {
		return "", asStorageFault(err, "lock the token")
	}
	defer unlock()
	if err := s.keepUnkept(ctx); err != nil {
		return "", err
	}
	// Another process may have renewed it, or connected the account anew.
	material, err := s.reload(ctx)
	if err != nil {
		return "", err
	}
	if token := s.otherThan(stale); token != "" {
		return token, nil
	}
	account := s.Account()
	if !account.Kind.Renews() {
		return "", deadHubSpotToken(account)
	}
	if account.Kind.refreshes() {
		return s.refresh(ctx, account, material)
	}
	answer, err := requestToken(ctx, s.http, account, material)
	if err != nil {
		return "", err
	}
	if err := s.vault.keepToken(ctx, account, answer); err != nil {
		return "", err
	}
	s.adopt(account, answer.accessToken)
	return answer.Token, nil
}

// renewLoose renews for a credential that no vault keeps.
func (s *TokenSource) renewLoose(ctx context.Context) (string, error) {
	account := s.Account()
	switch {
	case !account.Kind.Renews():
		return "", deadHubSpotToken(account)
	case account.Kind.refreshes():
		// A refresh could end the refresh token, and nobody would keep its successor.
		return "", fault.New(fault.Denied, "%s does not take the access token that it has just given", account.Side.Title()).
			WithMend("%s", reconnectCommand(account))
	}
	answer, err := requestToken(ctx, s.http, account, s.material)
	if err != nil {
		return "", err
	}
	s.adopt(account, answer.accessToken)
	return answer.Token, nil
}

func (s *TokenSource) adopt(account Account, token accessToken) {
	s.mu.Lock()
	s.account, s.current = account, token
	s.mu.Unlock()
}

// reload takes account and token from the vault.
func (s *TokenSource) reload(ctx context.Context) (Material, error) {
	account, material, err := s.vault.Get(ctx, s.name, s.side)
	if err != nil {
		return Material{}, err
	}
	token := accessToken{Token: material.Token.Reveal()}
	if account.Kind.Renews() {
		token = s.vault.keptToken(s.name, s.side)
	}
	s.adopt(account, token)
	return material, nil
}

// lockPath is the lock under which this account's token is renewed; a lock of
// its own, so that a slow token request holds nobody else up.
func (s *TokenSource) lockPath() string {
	sum := sha256.Sum256([]byte(string(s.side) + "\x00" + s.name))
	return filepath.Join(s.vault.dir, "token-"+hex.EncodeToString(sum[:6])+".lock")
}
