package cli

import (
	"fmt"
	"strings"
	"time"

	"github.com/lockstep-sync/lockstep/internal/app"
	"github.com/lockstep-sync/lockstep/internal/credential"
	"github.com/lockstep-sync/lockstep/internal/oauth"
)

// guideHubSpot asks what decides which credential fits, and tells how it is
// made. It returns the kind that was chosen.
func (g *global) guideHubSpot(a *app.App, callback string) (credential.Kind, error) {
	has, err := g.askYes("Do you have a HubSpot token already? It starts with pat-",
		"if not, Lockstep asks up to four things and says which credential fits and where it is made")
	if err != nil || has {
		return credential.HubSpotToken, err
	}
	var answers credential.HubSpotAnswers
	questions := []struct {
		question, why string
		answer        *bool
	}{
		{"Will this app connect more than one HubSpot account?", "then each account installs it in the browser, by OAuth, and no token changes hands", &answers.SeveralAccounts},
		{"Is there a private app for this in the account already?", "existing ones work until September 2027; new ones could be created until 26 October 2026", &answers.PrivateApp},
		{"Shall HubSpot push changes by webhooks?", "service keys cannot have webhooks; without them Lockstep looks every minute, which is enough for most", &answers.Webhooks},
	}
	for _, q := range questions {
		if *q.answer, err = g.askYes(q.question, q.why); err != nil {
			return "", err
		}
		if answers.SeveralAccounts {
			break
		}
	}
	needs, mapped, err := a.NeededScopes(true)
	if err != nil {
		return "", err
	}
	if !mapped {
		answers.Writes, err = g.askYes("Shall changes in Salesforce be written to HubSpot, too?", "it decides whether the credential gets .write scopes; you can add them later")
		if err != nil {
			return "", err
		}
		if needs, _, err = a.NeededScopes(answers.Writes); err != nil {
			return "", err
		}
	}
	scopes := app.ScopeNames(needs)
	for _, scope := range scopes {
		answers.Writes = answers.Writes || strings.HasSuffix(scope, ".write")
	}
	listed := scopes
	if answers.SeveralAccounts {
		listed = app.OAuthScopes(needs)
	}
	advice := credential.AdviseHubSpot(answers, listed, callback, time.Now())
	g.tellAdvice(advice)
	from := "companies, contacts and deals need these; once there is a lockstep.yaml, lockstep check compares"
	if mapped {
		from = "computed from " + a.File()
	}
	fmt.Fprintf(g.Err, "\nThe scopes in one line, to paste (%s):\n%s\n\n", from, strings.Join(listed, " "))
	return advice.Kind, nil
}

// guideSalesforce does the same for Salesforce.
func (g *global) guideSalesforce() (credential.Kind, error) {
	var answers credential.SalesforceAnswers
	var err error
	answers.Unattended, err = g.askYes("Shall the sync run when nobody is logged in, on a server or by a schedule?",
		"then it should act as a user of its own, by client credentials or a JWT; a login in the browser acts as you")
	if err != nil {
		return "", err
	}
	if answers.Unattended {
		answers.NoSecret, err = g.askYes("Are there several orgs, or may no client secret be kept?",
			"a JWT is signed with a private key of yours, and one certificate serves every org")
	} else {
		answers.CLI, err = g.askYes("Is the Salesforce CLI (sf) logged in to this org here?",
			"its login can be used as it is, which is the quickest way to try")
	}
	if err != nil {
		return "", err
	}
	advice := credential.AdviseSalesforce(answers, oauth.DefaultRedirectURI)
	g.tellAdvice(advice)
	fmt.Fprintln(g.Err)
	return advice.Kind, nil
}

func (g *global) tellAdvice(advice credential.Advice) {
	fmt.Fprintf(g.Err, "\nWhat fits: %s\n", advice.Title)
	for _, why := range advice.Why {
		fmt.Fprintf(g.Err, "  - %s\n", why)
	}
	for _, clicks := range advice.Clicks {
		fmt.Fprintf(g.Err, "\n%s:\n", clicks.Title)
		for i, step := range clicks.Steps {
			if len(clicks.Steps) == 1 {
				fmt.Fprintf(g.Err, "  %s\n", step)
				continue
			}
			fmt.Fprintf(g.Err, "  %d. %s\n", i+1, step)
		}
	}
}
