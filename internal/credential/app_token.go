package credential

import (
	"context"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/lockstep-sync/lockstep/internal/fault"
)

// appTokenMargin is how long before its end an app's own token is asked for anew.
const appTokenMargin = time.Minute

// AppTokens gives tokens of a HubSpot app itself, by client credentials: they
// open the webhooks journal and no record. They are kept in memory only; a new
// one costs one call every half hour. Safe for concurrent use.
type AppTokens struct {
	account Account
	secret  Secret
	scopes  []string
	client  *http.Client

	mu    sync.Mutex
	token accessToken
}

// NewAppTokens returns a source of tokens with these scopes. Only an account
// that is connected by OAuth has an app of its own: fault.Invalid otherwise.
func NewAppTokens(account Account, material Material, client *http.Client, scopes ...string) (*AppTokens, error) {
	if account.Kind != HubSpotOAuth || material.ClientSecret.IsZero() {
		return nil, fault.New(fault.Invalid, "the webhooks journal needs an app of your own, and %s is connected by a token", account.Name).
			WithMend("lockstep connect hubspot --name %s --oauth; or take `journal` out of lockstep.yaml and use webhooks", account.Name)
	}
	return &AppTokens{account: account, secret: material.ClientSecret, scopes: scopes, client: client}, nil
}

// Token returns a token that lives for another minute at least.
func (a *AppTokens) Token(ctx context.Context) (string, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.token.Token != "" && (a.token.Expires == 0 || time.Until(time.Unix(a.token.Expires, 0)) > appTokenMargin) {
		return a.token.Token, nil
	}
	answer, err := postHubSpot(ctx, tokenClient(a.client), a.account, url.Values{
		"grant_type": {"client_credentials"}, "client_id": {a.account.ClientID}, "client_secret": {a.secret.Reveal()},
		"scope": {strings.Join(a.scopes, " ")},
	})
	if err != nil {
		return "", err
	}
	a.token = answer.accessToken
	return a.token.Token, nil
}
