package credential

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"github.com/lockstep-sync/lockstep/internal/fault"
)

const (
	tokenPath = "/services/oauth2/token"
	// maxTokenAnswerBytes is far above any token answer.
	maxTokenAnswerBytes = 1 << 20
	// tokenAttempts is how often a token is asked for while Salesforce is down.
	// Asking twice is harmless.
	tokenAttempts = 3
	tokenTimeout  = 15 * time.Second
	// assertionLife is how long a JWT may be used; Salesforce wants minutes.
	assertionLife = 3 * time.Minute
)

// tokenClient returns a client that does not follow redirects: the request
// carries secrets, which belong to the address that was given and no other.
func tokenClient(client *http.Client) *http.Client {
	copied := http.Client{Timeout: tokenTimeout}
	if client != nil {
		copied = *client
	}
	copied.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return &copied
}

// requestToken asks the vendor for an access token. It repeats while the vendor
// is down; asking twice is harmless: what the first request spent unseen is
// spent either way.
func requestToken(ctx context.Context, client *http.Client, account Account, material Material) (tokenAnswer, error) {
	ask := requestSalesforce
	switch account.Kind {
	case HubSpotOAuth:
		ask = requestHubSpot
	case SalesforceCLI:
		return askSF(ctx, account)
	}
	var last error
	for attempt := range tokenAttempts {
		if attempt > 0 {
			timer := time.NewTimer(time.Duration(attempt) * 500 * time.Millisecond)
			select {
			case <-ctx.Done():
				timer.Stop()
				return tokenAnswer{}, last
			case <-timer.C:
			}
		}
		answer, err := ask(ctx, client, account, material)
		if err == nil {
			return answer, nil
		}
		last = err
		if fault.KindOf(err) != fault.Unavailable || ctx.Err() != nil {
			break
		}
	}
	return tokenAnswer{}, last
}

// requestSalesforce asks once.
// https://help.salesforce.com/s/articleView?id=xcloud.remoteaccess_oauth_flows.htm
func requestSalesforce(ctx context.Context, client *http.Client, account Account, material Material) (tokenAnswer, error) {
	login, err := ValidateBaseURL(account.LoginURL)
	if err != nil {
		return tokenAnswer{}, err
	}
	form, err := tokenForm(account, material, login)
	if err != nil {
		return tokenAnswer{}, err
	}
	return postSalesforce(ctx, client, login, form, account)
}

func tokenForm(account Account, material Material, login string) (url.Values, error) {
	switch account.Kind {
	case SalesforceOAuth:
		form := url.Values{
			"grant_type":    {"refresh_token"},
			"refresh_token": {material.RefreshToken.Reveal()},
			"client_id":     {account.ClientID},
		}
		if !material.ClientSecret.IsZero() {
			form.Set("client_secret", material.ClientSecret.Reveal())
		}
		return form, nil
	case SalesforceClientCredentials:
		return url.Values{
			"grant_type":    {"client_credentials"},
			"client_id":     {account.ClientID},
			"client_secret": {material.ClientSecret.Reveal()},
		}, nil
	}
	key, err := parsePrivateKey(material.PrivateKey)
	if err != nil {
		return nil, err
	}
	assertion, err := jwt.NewWithClaims(jwt.SigningMethodRS256, jwt.MapClaims{
		"iss": account.ClientID,
		"sub": account.Username,
		"aud": origin(login),
		"exp": time.Now().Add(assertionLife).Unix(),
	}).SignedString(key)
	if err != nil {
		return nil, fault.New(fault.Internal, "the JWT cannot be signed").Wrap(err)
	}
	return url.Values{
		"grant_type": {"urn:ietf:params:oauth:grant-type:jwt-bearer"},
		"assertion":  {assertion},
	}, nil
}

// postForm sends a form that holds secrets and returns status and body. Errors
// are fault.Unavailable and hold neither the form nor the address.
func postForm(ctx context.Context, client *http.Client, address string, form url.Values, mend string) (*http.Response, []byte, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, address, strings.NewReader(form.Encode()))
	if err != nil {
		return nil, nil, fault.New(fault.Invalid, "%s is not an address", hostOf(address)).WithMend("%s", mend)
	}
	request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	request.Header.Set("Accept", "application/json")
	response, err := client.Do(request)
	if err != nil {
		return nil, nil, fault.New(fault.Unavailable, "%s cannot be reached", hostOf(address)).Wrap(withoutURL(err)).WithMend("%s", mend)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(io.LimitReader(response.Body, maxTokenAnswerBytes))
	if err != nil {
		return nil, nil, fault.New(fault.Unavailable, "%s broke off its answer", hostOf(address)).Wrap(withoutURL(err)).WithMend("%s", mend)
	}
	return response, body, nil
}

func postSalesforce(ctx context.Context, client *http.Client, login string, form url.Values, account Account) (tokenAnswer, error) {
	response, body, err := postForm(ctx, client, login+tokenPath, form,
		"check the login URL of the account (lockstep accounts list) and this machine's network or proxy")
	if err != nil {
		return tokenAnswer{}, err
	}
	if response.StatusCode != http.StatusOK {
		return tokenAnswer{}, refusedToken(response, body, account)
	}
	var answer struct {
		AccessToken  string `json:"access_token"`
		RefreshToken string `json:"refresh_token"`
		InstanceURL  string `json:"instance_url"`
		Scope        string `json:"scope"`
	}
	if json.Unmarshal(body, &answer) != nil || answer.AccessToken == "" {
		return tokenAnswer{}, notSalesforce(login)
	}
	instance, err := ValidateBaseURL(answer.InstanceURL)
	if err != nil {
		return tokenAnswer{}, fault.New(fault.Invalid, "%s named an instance address that cannot be used: %v", hostOf(login), err).
			WithMend("check the login URL of the account: lockstep accounts list")
	}
	return tokenAnswer{
		accessToken:  accessToken{Token: answer.AccessToken, InstanceURL: instance, Obtained: time.Now().Unix()},
		RefreshToken: NewSecret(answer.RefreshToken),
		Scopes:       strings.Fields(answer.Scope),
	}, nil
}

// withoutURL takes the address off an error of net/http: the fault names the
// host already.
func withoutURL(err error) error {
	var u *url.Error
	if errors.As(err, &u) {
		return u.Err
	}
	return err
}

func hostOf(address string) string {
	if u, err := url.Parse(address); err == nil && u.Host != "" {
		return u.Host
	}
	return address
}

func notSalesforce(login string) *fault.Error {
	return fault.New(fault.Invalid, "%s does not answer like Salesforce", hostOf(login)).
		WithMend("check the login URL: your My Domain address stands in Setup > My Domain, such as https://acme.my.salesforce.com")
}
