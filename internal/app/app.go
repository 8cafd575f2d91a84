// Package app builds the program out of its parts, in order, by plain
// constructor calls: vault, clients, schemas, mapping, store, engine. It is the
// only place that knows every part; commands and end-to-end tests start here.
package app

import (
	"context"
	"errors"
	"io/fs"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"time"

	"github.com/lockstep-sync/lockstep/internal/apicall"
	"github.com/lockstep-sync/lockstep/internal/credential"
	"github.com/lockstep-sync/lockstep/internal/crm"
	"github.com/lockstep-sync/lockstep/internal/fault"
	"github.com/lockstep-sync/lockstep/internal/hubspot"
	"github.com/lockstep-sync/lockstep/internal/mapping"
	"github.com/lockstep-sync/lockstep/internal/salesforce"
)

// Config says where the program works.
type Config struct {
	// File is the mapping; .lockstep/ is kept beside it. Default "lockstep.yaml".
	File string
	// Env reads the environment; nil means there is none.
	Env func(string) string
	// Log gets what an operator acts on and, at debug, each call; nil drops it.
	Log *slog.Logger
	// HTTP is used for all calls; nil means each client's own default.
	HTTP *http.Client
	// Keyring allows the system's keychain for the vault's key.
	Keyring bool
	// Seed of all chance (jitter of retries).
	Seed uint64
	// Unpaced: HTTP leads to a sandbox that was made without limits, so that no call
	// waits for one.
	Unpaced bool
	// StorageLimitBytes bounds the database, 0 not at all. It is how tests meet a
	// full disk.
	StorageLimitBytes int64
	// Now is the machine's clock by which the state of the pair is dated; nil means
	// time.Now. Tests put it back.
	Now func() time.Time
}

// App is one place (a mapping file and its .lockstep folder) and what is opened
// there as it is needed.
type App struct {
	config  Config
	vault   *credential.Vault
	ledgers ledgers
}

// New returns the program at a place. Nothing is opened or made yet.
func New(config Config) *App {
	if config.File == "" {
		config.File = "lockstep.yaml"
	}
	if config.Log == nil {
		config.Log = slog.New(slog.DiscardHandler)
	}
	return &App{config: config}
}

// File is the mapping's path.
func (a *App) File() string { return a.config.File }

// StateDir is where accounts, keys and the database are kept.
func (a *App) StateDir() string { return filepath.Join(filepath.Dir(a.config.File), ".lockstep") }

// Vault opens the vault.
func (a *App) Vault() (*credential.Vault, error) {
	if a.vault != nil {
		return a.vault, nil
	}
	vault, err := credential.Open(a.StateDir(), credential.Config{Env: a.config.Env, Keyring: a.config.Keyring})
	if err != nil {
		return nil, err
	}
	a.vault = vault
	return vault, nil
}

// Mapping reads and parses lockstep.yaml. Errors are fault.Invalid: a
// *mapping.Problems for what the text says, a fault for what cannot be read.
func (a *App) Mapping() (*mapping.Mapping, error) {
	text, err := os.ReadFile(a.config.File)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, fault.New(fault.Invalid, "there is no %s here", a.config.File).
			WithMend("lockstep init writes one from both schemas; or name another with --config")
	case err != nil:
		return nil, fault.New(fault.Invalid, "%s cannot be read", a.config.File).Wrap(err)
	}
	return mapping.Parse(a.config.File, text)
}

// Identify asks the vendor whose account a credential opens, before it is kept.
// What the vendor refuses is explained in words of the account.
func (a *App) Identify(ctx context.Context, account credential.Account, material credential.Material) (crm.Account, error) {
	tokens, err := credential.NewTokenSource(account, material, a.config.HTTP)
	if err != nil {
		return crm.Account{}, err
	}
	counted := apicall.NewLedger("", "", nil)
	side, err := a.client(tokens, calling{ledger: counted})
	if err != nil {
		return crm.Account{}, err
	}
	found, err := side.Account(ctx)
	if err != nil {
		return crm.Account{}, Explain(err, account)
	}
	a.count(account.Side, found.ID, counted)
	return found, nil
}

// Explain turns a vendor's refusal into what it means for this account and the
// step that mends it.
func Explain(err error, account credential.Account) error {
	if err == nil {
		return nil
	}
	explained := *credential.Explain(err, account)
	if refused, ok := fault.As(err); ok && refused.What != explained.What {
		explained.Err = nil // its words are in the explanation already
	}
	return &explained
}

// Tokens opens the credential of a connected account.
func (a *App) Tokens(ctx context.Context, name string, side crm.Side) (*credential.TokenSource, error) {
	vault, err := a.Vault()
	if err != nil {
		return nil, err
	}
	return vault.TokenSource(ctx, name, side, a.config.HTTP)
}

// newHubSpot builds the HubSpot client of an account.
func (a *App) newHubSpot(tokens *credential.TokenSource, c calling) (*hubspot.Client, error) {
	var renew func(context.Context, string) (string, error)
	if tokens.Account().Kind.Renews() {
		renew = tokens.Renew
	}
	return hubspot.New(hubspot.Config{
		Base:   tokens.InstanceURL(),
		Renew:  renew,
		HTTP:   a.config.HTTP,
		Token:  tokens.Token,
		Budget: c.budget.HubSpot,
		Ledger: c.ledger,
		Notice: c.notice,
		Log:    a.config.Log,
		Seed:   a.config.Seed,

		Unpaced: a.config.Unpaced,
	})
}

// newSalesforce builds the Salesforce client of an account.
func (a *App) newSalesforce(tokens *credential.TokenSource, c calling) (*salesforce.Client, error) {
	return salesforce.New(salesforce.Config{
		Tokens: tokens,
		HTTP:   a.config.HTTP,
		Budget: c.budget.Salesforce,
		Ledger: c.ledger,
		Notice: c.notice,
		Log:    a.config.Log,
		Seed:   a.config.Seed,
	})
}
