package app_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"slices"
	"testing"
	"time"

	"github.com/lockstep-sync/lockstep/internal/app"
	"github.com/lockstep-sync/lockstep/internal/credential"
	"github.com/lockstep-sync/lockstep/internal/crm"
	"github.com/lockstep-sync/lockstep/internal/engine"
	"github.com/lockstep-sync/lockstep/sandbox/hubspot"
)

// wakeMapping maps companies both ways; the watch looks once a day.
const wakeMapping = `hubspot: acme
salesforce: acme
every: 24h
wake: %s
objects:
  - name: companies
    hubspot: companies
    salesforce: Account
    match: [{hubspot: domain, salesforce: Website, as: domain}]
    external-id: HubSpot_Id__c
    create: in-salesforce
    fields:
      - {hubspot: name, salesforce: Name}
      - {hubspot: domain, salesforce: Website}
      - {hubspot: phone, salesforce: Phone}
`

// TestEverySourceWakesTheWatch makes one edit after the first cycle, with each
// source alone, and waits for the cycle that brings it over: the next poll would
// be tomorrow.
func TestEverySourceWakesTheWatch(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name string
		// prepare sets the source up at the vendor and returns its line of yaml.
		prepare func(p *pairOfAccounts) string
		from    crm.Side
	}{
		{"a signed webhook", webhookSource, crm.HubSpot},
		{"the webhooks journal", journalSource, crm.HubSpot},
		{"a change event", changeEventSource, crm.Salesforce},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			p := connectPair(t)
			p.write(fmt.Appendf(nil, wakeMapping, c.prepare(p)))
			ctx, stop := context.WithTimeout(t.Context(), time.Minute)
			defer stop()
			pair, err := p.app.Pair(ctx, nil)
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = pair.Close() }()
			if _, err := pair.Engine.Sync(ctx, engine.SyncOptions{ReleaseBrakes: true}); err != nil {
				t.Fatal(err)
			}
			wakers, err := p.app.Wakers(ctx, pair)
			if err != nil {
				t.Fatal(err)
			}
			listening, silence := context.WithCancel(ctx)
			ended := make(chan struct{})
			go func() {
				defer close(ended)
				wakers.Run(listening, func(name string, err error) { t.Errorf("%s: %v", name, err); stop() })
			}()
			defer func() { silence(); <-ended }()
			edited := p.editWhenHeard(ctx, pair, c.from)
			if err := pair.Engine.Watch(ctx, 24*time.Hour, func(run *engine.Run, err error) error {
				if err != nil {
					return err
				}
				if run.Writes.Updated > 0 {
					stop()
				}
				return nil
			}); err != nil {
				t.Fatal(err)
			}
			if ctx.Err() == nil || errors.Is(ctx.Err(), context.DeadlineExceeded) {
				t.Fatal("the edit did not arrive within a minute")
			}
			made := <-edited
			if got := p.phoneOn(c.from.Other(), made.other); !slices.Contains(made.phones, got) {
				t.Errorf("%s holds %q, want one of %q", c.from.Other().Title(), got, made.phones)
			}
		})
	}
}

func webhookSource(p *pairOfAccounts) string {
	p.t.Helper()
	port := freePort(p.t)
	target := "http://" + port + "/hubspot"
	apps := p.box.HubSpot().Apps()
	i := slices.IndexFunc(apps, func(a hubspot.App) bool { return a.Kind == hubspot.PrivateApp })
	hooks, err := p.box.HubSpot().SetWebhooks(apps[i].ID, hubspot.WebhookSettings{TargetURL: target},
		hubspot.Subscription{EventType: "company.propertyChange", PropertyName: "phone", Active: true})
	if err != nil {
		p.t.Fatal(err)
	}
	_, err = p.app.Connect(p.t.Context(), credential.Account{Name: "acme", Side: crm.HubSpot, Kind: credential.HubSpotToken},
		credential.Material{Token: credential.NewSecret(p.box.Credentials().HubSpot.PrivateApp), ClientSecret: credential.NewSecret(hooks.Secret)}, true)
	if err != nil {
		p.t.Fatal(err)
	}
	return "{webhooks: {url: '" + target + "', listen: '" + port + "'}}"
}

func journalSource(p *pairOfAccounts) string {
	p.t.Helper()
	client := p.box.Credentials().HubSpot.OAuth
	tokens, err := p.box.HubSpot().Install(client.ClientID, "crm.objects.companies.read", "crm.objects.companies.write")
	if err != nil {
		p.t.Fatal(err)
	}
	_, err = p.app.Connect(p.t.Context(), credential.Account{Name: "acme", Side: crm.HubSpot, Kind: credential.HubSpotOAuth, ClientID: client.ClientID},
		credential.Material{ClientSecret: credential.NewSecret(client.ClientSecret), RefreshToken: credential.NewSecret(tokens.RefreshToken),
			Access: credential.Access{Token: credential.NewSecret(tokens.AccessToken), Obtained: time.Now(), Expires: time.Now().Add(30 * time.Minute)}}, true)
	if err != nil {
		p.t.Fatal(err)
	}
	return "{journal: true}"
}

func changeEventSource(p *pairOfAccounts) string {
	p.t.Helper()
	if err := p.box.Salesforce().SelectChangeEvents("Account"); err != nil {
		p.t.Fatal(err)
	}
	return "{change-events: true}"
}

func freePort(t *testing.T) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = listener.Close() }()
	return listener.Addr().String()
}

// edits are what somebody typed, one after the other, and the record on the
// other side.
type edits struct {
	phones []string
	other  string
}

// editWhenHeard edits a linked record every second until the watch has ended:
// the first edits may come before the source listens.
func (p *pairOfAccounts) editWhenHeard(ctx context.Context, pair *app.Pair, side crm.Side) <-chan edits {
	p.t.Helper()
	links, err := pair.Store.LinkPage(ctx, "companies", "", 1)
	if err != nil || len(links) == 0 {
		p.t.Fatalf("no link: %v", err)
	}
	made := make(chan edits, 1)
	go func() {
		e := edits{other: links[0].SalesforceID}
		if side == crm.Salesforce {
			e.other = links[0].HubSpotID
		}
		ticker := time.NewTicker(time.Second)
		defer ticker.Stop()
		for {
			select {
			case <-ctx.Done():
				made <- e
				return
			case <-ticker.C:
			}
			phone := fmt.Sprintf("+49 421 555 %04d", len(e.phones))
			e.phones = append(e.phones, phone)
			var err error
			if side == crm.HubSpot {
				err = p.box.HubSpot().Update("companies", links[0].HubSpotID, map[string]string{"phone": phone})
			} else {
				err = p.box.Salesforce().Update("Account", links[0].SalesforceID, map[string]any{"Phone": phone})
			}
			if err != nil {
				p.t.Error(err)
			}
		}
	}()
	return made
}

func (p *pairOfAccounts) phoneOn(side crm.Side, id string) string {
	if side == crm.HubSpot {
		values, _ := p.box.HubSpot().Get("companies", id)
		return values["phone"]
	}
	fields, _ := p.box.Salesforce().Get("Account", id)
	return fmt.Sprint(fields["Phone"])
}
