package cli

import (
	"cmp"
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/pflag"

	"github.com/lockstep-sync/lockstep/internal/app"
	"github.com/lockstep-sync/lockstep/internal/credential"
	"github.com/lockstep-sync/lockstep/internal/oauth"
)

// browserOptions are how a sign-in in the browser comes back.
type browserOptions struct {
	port        int
	redirectURI string
	noBrowser   bool
	timeout     time.Duration
}

// signInTimeout is how long a person has: to log in, to read, to ask somebody.
const signInTimeout = 5 * time.Minute

func (o *browserOptions) add(flags *pflag.FlagSet) {
	flags.IntVar(&o.port, "port", -1, "the port of the callback on this machine; 0 takes any free one (default 17171)")
	flags.StringVar(&o.redirectURI, "redirect-uri", "", "the whole callback address, as the app has registered it (default "+oauth.DefaultRedirectURI+")")
	flags.BoolVar(&o.noBrowser, "no-browser", false, "print the address and open no browser")
	flags.DurationVar(&o.timeout, "timeout", signInTimeout, "how long to wait for the browser")
}

// address is the callback as the flags say it.
func (o *browserOptions) address() (string, error) {
	if o.port < 0 {
		return cmp.Or(o.redirectURI, oauth.DefaultRedirectURI), nil
	}
	if o.redirectURI != "" {
		return "", usage("leave --port out: the port stands in --redirect-uri", "--port and --redirect-uri say the same thing twice")
	}
	if o.port > 65535 {
		return "", usage("--port 17171", "there is no port %d", o.port)
	}
	return "http://localhost:" + strconv.Itoa(o.port) + "/callback", nil
}

// signIn has a person allow the app in the browser, trades the code, and keeps
// the account.
func (g *global) signIn(ctx context.Context, a *app.App, account credential.Account, secret credential.Secret, page oauth.Page, o browserOptions, replace bool) error {
	address, err := o.address()
	if err != nil {
		return err
	}
	callback, err := oauth.Listen(address, page)
	if err != nil {
		return err
	}
	defer callback.Close()
	g.say("The app must have this callback (redirect) URL, to the letter: %s", callback.RedirectURI())
	g.say("It is asked for these scopes: %s", strings.Join(page.Scopes, " "))
	if len(page.OptionalScopes) > 0 {
		g.say("and, where the account has them: %s", strings.Join(page.OptionalScopes, " "))
	}
	// The address is needed even with --quiet and --json.
	fmt.Fprintf(g.Err, "Open this address in a browser and allow the app:\n%s\n", callback.AuthorizeURL())
	if !o.noBrowser && g.terminal(g.Err) && oauth.OpenBrowser(g.env, callback.AuthorizeURL()) == nil {
		g.say("A browser has been asked to open it.")
	}
	waiting, cancel := context.WithTimeout(ctx, o.timeout)
	defer cancel()
	answer, err := callback.Wait(waiting)
	if err != nil {
		return err
	}
	account, material, err := a.Exchange(ctx, account, secret, credential.Code{
		Code: credential.NewSecret(answer.Code), Verifier: credential.NewSecret(answer.Verifier), RedirectURI: answer.RedirectURI,
	})
	if err != nil {
		return err
	}
	if account.TokenPath == credential.HubSpotLegacyTokenPath {
		g.say("HubSpot's present token endpoint (%s) is not at this address; %s was used, which HubSpot ends on 16 February 2027.",
			credential.HubSpotTokenPath, credential.HubSpotLegacyTokenPath)
	}
	return g.keepAccount(ctx, a, account, material, replace)
}

// before returns the account that has the name already, to take from it what
// is not said anew; the zero one where there is none, or none that can be read.
func (g *global) before(ctx context.Context, a *app.App, account credential.Account) (credential.Account, credential.Material) {
	vault, err := a.Vault()
	if err != nil {
		return credential.Account{}, credential.Material{}
	}
	known, material, err := vault.Get(ctx, account.Name, account.Side)
	if err != nil {
		return credential.Account{}, credential.Material{}
	}
	return known, material
}
