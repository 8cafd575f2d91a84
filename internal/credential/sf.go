package credential

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"github.com/lockstep-sync/lockstep/internal/crm"
	"github.com/lockstep-sync/lockstep/internal/fault"
)

// sfProgram is the Salesforce CLI.
const sfProgram = "sf"

// mendNoSF is what to do where the Salesforce CLI cannot help.
const mendNoSF = "connect without it: lockstep connect salesforce --help shows the ways"

// SFOrg is what the Salesforce CLI tells of one of its logins.
type SFOrg struct {
	Alias       string
	Username    string
	InstanceURL string
	// Connected is the CLI's own word: "Connected", or why not.
	Connected string
}

// DisplaySF asks the installed Salesforce CLI for a login by alias or username.
// No secret is read.
// https://developer.salesforce.com/docs/platform/salesforce-cli-reference/guide/cli_reference_org_display.html
func DisplaySF(ctx context.Context, alias string) (SFOrg, error) {
	var shown struct {
		Alias       string `json:"alias"`
		Username    string `json:"username"`
		InstanceURL string `json:"instanceUrl"`
		Status      string `json:"connectedStatus"`
	}
	if err := runSF(ctx, &shown, alias, "org", "display", "--json", "--target-org", alias); err != nil {
		return SFOrg{}, err
	}
	return SFOrg{Alias: shown.Alias, Username: shown.Username, InstanceURL: shown.InstanceURL, Connected: shown.Status}, nil
}

// askSF gets an access token from the Salesforce CLI, which renews it itself.
// Since May 2026 a command of its own shows it; before, "org display" did.
// https://developer.salesforce.com/docs/platform/salesforce-cli-reference/guide/cli_reference_org_auth_show-access-token.html
func askSF(ctx context.Context, account Account) (tokenAnswer, error) {
	var shown struct {
		Token       string `json:"accessToken"`
		InstanceURL string `json:"instanceUrl"`
	}
	// The display comes first: it makes the CLI renew a token that has ended.
	if err := runSF(ctx, &shown, account.Username, "org", "display", "--json", "--target-org", account.Username); err != nil {
		return tokenAnswer{}, err
	}
	if Classify(shown.Token).Form != FormSalesforceSession {
		var secret struct {
			Token string `json:"accessToken"`
		}
		if err := runSF(ctx, &secret, account.Username, "org", "auth", "show-access-token", "--json", "--target-org", account.Username); err != nil {
			return tokenAnswer{}, err
		}
		shown.Token = secret.Token
	}
	if shown.Token == "" {
		return tokenAnswer{}, fault.New(fault.Denied, "the Salesforce CLI gives no access token for %s", account.Username).
			WithMend("bring the CLI up to date (sf update), log in again (sf org login web --alias %s), or %s", account.Username, mendNoSF)
	}
	instance, err := ValidateBaseURL(shown.InstanceURL)
	if err != nil {
		return tokenAnswer{}, fault.New(fault.Invalid, "the Salesforce CLI names an instance address that cannot be used: %v", err).WithMend("%s", mendNoSF)
	}
	return tokenAnswer{accessToken: accessToken{Token: shown.Token, InstanceURL: instance, Obtained: time.Now().Unix()}}, nil
}

// runSF runs the Salesforce CLI and decodes the result of its --json answer.
// What it prints is never repeated: it may hold a token.
func runSF(ctx context.Context, result any, alias string, args ...string) error {
	if !plainAlias(alias) {
		return fault.New(fault.Invalid, "%q cannot be the alias of a login", alias).WithMend("sf org list shows the aliases")
	}
	path, err := exec.LookPath(sfProgram)
	if err != nil {
		return fault.New(fault.Invalid, "the Salesforce CLI (sf) is not installed here").Wrap(errNoSF).
			WithMend("npm install --global @salesforce/cli; or %s", mendNoSF)
	}
	command := exec.CommandContext(ctx, path, args...)
	var out bytes.Buffer
	command.Stdout = &out
	command.WaitDelay = 5 * time.Second
	runErr := command.Run()
	var answer struct {
		Status int             `json:"status"`
		Name   string          `json:"name"`
		Result json.RawMessage `json:"result"`
	}
	if json.Unmarshal(out.Bytes(), &answer) != nil {
		if ctx.Err() != nil {
			return fault.New(fault.Unavailable, "the Salesforce CLI did not answer in time").WithMend("try: sf org display --target-org %s", alias)
		}
		return fault.New(fault.Invalid, "the Salesforce CLI did not answer in JSON").WithMend("bring it up to date (sf update), or %s", mendNoSF)
	}
	var exit *exec.ExitError
	if runErr != nil && !errors.As(runErr, &exit) {
		return fault.New(fault.Invalid, "the Salesforce CLI cannot be run").Wrap(runErr).WithMend("%s", mendNoSF)
	}
	if answer.Status != 0 || runErr != nil {
		switch answer.Name {
		case "NamedOrgNotFoundError", "NamedOrgNotFound", "NoOrgFound", "AuthInfoCreationError":
			return fault.New(fault.NotFound, "the Salesforce CLI knows no login %s", alias).
				WithMend("sf org list shows the logins; sf org login web --alias %s makes one", alias)
		}
		return fault.New(fault.Denied, "the Salesforce CLI cannot use the login %s (it says: %s)", alias, said(answer.Name, "")).
			WithMend("log in again: sf org login web --alias %s", alias)
	}
	if err := json.Unmarshal(answer.Result, result); err != nil {
		return fault.New(fault.Invalid, "the Salesforce CLI answered in another form").WithMend("bring it up to date (sf update), or %s", mendNoSF)
	}
	return nil
}

var errNoSF = errors.New("there is no program sf in the PATH")

// IsNoSF tells whether err says that the Salesforce CLI is not installed.
func IsNoSF(err error) bool { return errors.Is(err, errNoSF) }

// PlainSFLogin looks into the files of the Salesforce CLI below home for a JWT
// login: of such a one everything lies there in the clear, the private key's
// path included. The tokens of other logins are encrypted for the CLI alone,
// and found is false.
func PlainSFLogin(home, alias string) (account Account, keyFile string, found bool) {
	if !plainAlias(alias) || strings.ContainsAny(alias, `/\`) {
		return Account{}, "", false
	}
	for _, folder := range []string{".sfdx", ".sf"} {
		var names struct {
			Orgs map[string]string `json:"orgs"`
		}
		username := alias
		if readJSON(filepath.Join(home, folder, "alias.json"), &names) && names.Orgs[alias] != "" {
			username = filepath.Base(names.Orgs[alias])
		}
		var login struct {
			Username   string `json:"username"`
			LoginURL   string `json:"loginUrl"`
			ClientID   string `json:"clientId"`
			PrivateKey string `json:"privateKey"`
		}
		if !readJSON(filepath.Join(home, folder, username+".json"), &login) || login.PrivateKey == "" || login.ClientID == "" || login.Username == "" {
			continue
		}
		login.LoginURL = orOther(login.LoginURL, DefaultSalesforceLoginURL)
		return Account{Side: crm.Salesforce, Kind: SalesforceJWT, LoginURL: strings.TrimRight(login.LoginURL, "/"), ClientID: login.ClientID, Username: login.Username}, login.PrivateKey, true
	}
	return Account{}, "", false
}

func readJSON(path string, into any) bool {
	text, err := os.ReadFile(path)
	return err == nil && json.Unmarshal(text, into) == nil
}

// plainAlias tells whether alias can go onto a command line as it is.
func plainAlias(alias string) bool {
	return alias != "" && !strings.HasPrefix(alias, "-") && !strings.ContainsAny(alias, " \t\r\n\x00")
}
