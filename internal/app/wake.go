package app

import (
	"context"
	"slices"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/lockstep-sync/lockstep/internal/credential"
	"github.com/lockstep-sync/lockstep/internal/crm"
	"github.com/lockstep-sync/lockstep/internal/engine"
	"github.com/lockstep-sync/lockstep/internal/fault"
	"github.com/lockstep-sync/lockstep/internal/hubspot"
	"github.com/lockstep-sync/lockstep/internal/mapping"
	"github.com/lockstep-sync/lockstep/internal/salesforce/changeevent"
	"github.com/lockstep-sync/lockstep/internal/web"
)

// EnvPubSubURL names another endpoint of Salesforce's Pub/Sub API.
const EnvPubSubURL = "LOCKSTEP_SALESFORCE_PUBSUB_URL"

// markEvery is how often the mark of a silent source is kept: often enough that
// three days of silence are told from three days away.
const markEvery = time.Minute

// listener is one source of hints that runs beside the watch.
type listener struct {
	// name is for people: "webhooks on 127.0.0.1:8087".
	name string
	run  func(context.Context) error
}

// Wakers are the sources of hints that lockstep.yaml names, ready to run.
type Wakers struct{ list []listener }

// Names says what will be listened to, for people.
func (w *Wakers) Names() []string {
	var names []string
	for _, l := range w.list {
		names = append(names, l.name)
	}
	return names
}

// Run listens to all sources until ctx ends. A source that cannot go on is
// handed to trouble and left; the others, and the polls, go on: hints only make
// changes arrive sooner.
func (w *Wakers) Run(ctx context.Context, trouble func(name string, err error)) {
	var group errgroup.Group
	for _, l := range w.list {
		group.Go(func() error {
			if err := l.run(ctx); err != nil && ctx.Err() == nil {
				trouble(l.name, err)
			}
			return nil
		})
	}
	_ = group.Wait()
}

// Wakers builds the sources that `wake:` names. What is wrong with one is an
// error at once: a port that is taken, an account without an app. The engine's
// lease has to be held before they run; Watch's first cycle takes it.
func (a *App) Wakers(ctx context.Context, pair *Pair) (*Wakers, error) {
	wakers := &Wakers{}
	wake := pair.Mapping.Wake
	if wake.Webhooks != nil {
		l, err := a.webhooks(ctx, pair)
		if err != nil {
			return nil, err
		}
		wakers.list = append(wakers.list, l)
	}
	if wake.Journal {
		l, err := a.journal(ctx, pair)
		if err != nil {
			return nil, err
		}
		wakers.list = append(wakers.list, l)
	}
	if wake.ChangeEvents {
		list, err := a.changeEvents(ctx, pair)
		if err != nil {
			return nil, err
		}
		wakers.list = append(wakers.list, list...)
	}
	return wakers, nil
}

func (a *App) webhooks(ctx context.Context, pair *Pair) (listener, error) {
	vault, err := a.Vault()
	if err != nil {
		return listener{}, err
	}
	account, material, err := vault.Get(ctx, pair.Mapping.HubSpot, crm.HubSpot)
	if err != nil {
		return listener{}, err
	}
	if material.ClientSecret.IsZero() {
		return listener{}, fault.New(fault.Invalid, "webhooks are signed with the client secret of the app, and %s has none here", account.Name).
			WithMend("lockstep connect hubspot --name %s --token-file TOKEN --client-secret-file SECRET; the secret stands beside the token, on the app's Auth page", account.Name)
	}
	hooks := &web.Webhooks{URL: pair.Mapping.Wake.Webhooks.URL, Secret: material.ClientSecret.Reveal(), Portal: account.ID, Log: a.config.Log,
		Hear: func(ctx context.Context, hints []crm.Hint) error {
			return pair.Engine.Hear(ctx, engine.SourceWebhooks, hints, nil)
		}}
	handler, err := hooks.Handler()
	if err != nil {
		return listener{}, err
	}
	port, err := web.Listen(pair.Mapping.Wake.Webhooks.Listen)
	if err != nil {
		return listener{}, err
	}
	return listener{"HubSpot's webhooks on " + port.Addr().String(), func(ctx context.Context) error { return web.Serve(ctx, port, handler) }}, nil
}

func (a *App) journal(ctx context.Context, pair *Pair) (listener, error) {
	vault, err := a.Vault()
	if err != nil {
		return listener{}, err
	}
	account, material, err := vault.Get(ctx, pair.Mapping.HubSpot, crm.HubSpot)
	if err != nil {
		return listener{}, err
	}
	tokens, err := credential.NewAppTokens(account, material, a.config.HTTP,
		hubspot.JournalReadScope, hubspot.JournalListScope, hubspot.JournalSubscribeScope)
	if err != nil {
		return listener{}, err
	}
	journal, err := hubspot.NewJournal(hubspot.JournalConfig{Base: account.BaseURL, HTTP: a.config.HTTP, Token: tokens.Token, Portal: account.ID, Log: a.config.Log})
	if err != nil {
		return listener{}, err
	}
	var objects []hubspot.JournalObject
	for _, o := range pair.Bound.Objects {
		if o.HubSpot == mapping.Lists {
			continue // they are no object of the journal's subscriptions; they are polled
		}
		object := hubspot.JournalObject{TypeID: o.HubSpotSchema.Prefix, Properties: o.HubSpotRead.Layout.Fields}
		for _, far := range pair.Bound.Objects {
			if slices.Contains(o.HubSpotRead.Relations, far.HubSpot) {
				object.Associated = append(object.Associated, far.HubSpotSchema.Prefix)
			}
		}
		objects = append(objects, object)
	}
	return listener{"HubSpot's webhooks journal", func(ctx context.Context) error {
		if err := journal.Subscribe(ctx, objects); err != nil {
			return err
		}
		mark, err := pair.Engine.Mark(ctx, engine.SourceJournal, crm.HubSpot)
		if err != nil {
			return err
		}
		keep := marks{}
		return journal.Follow(ctx, string(mark), func(hints []crm.Hint, mark string) error {
			if !keep.worth(hints, mark) {
				return nil
			}
			return pair.Engine.Hear(ctx, engine.SourceJournal, hints, []byte(mark))
		})
	}}, nil
}

func (a *App) changeEvents(ctx context.Context, pair *Pair) ([]listener, error) {
	tokens, err := a.Tokens(ctx, pair.Mapping.Salesforce, crm.Salesforce)
	if err != nil {
		return nil, err
	}
	org, err := pair.Salesforce.Account(ctx)
	if err != nil {
		return nil, err
	}
	follower, err := changeevent.New(changeevent.Config{Endpoint: a.env(EnvPubSubURL), HTTP: a.config.HTTP, Tokens: tokens, OrgID: org.ID, Log: a.config.Log})
	if err != nil {
		return nil, err
	}
	var list []listener
	for _, object := range eventObjects(pair) {
		list = append(list, listener{"Salesforce's change events of " + object, func(ctx context.Context) error {
			source := engine.Source(string(engine.SourceChangeEvents) + " " + object)
			mark, err := pair.Engine.MarkOf(ctx, source, crm.Hint{Side: crm.Salesforce, Object: object})
			if err != nil {
				return err
			}
			keep := marks{}
			return follower.Follow(ctx, object, mark, func(hints []crm.Hint, mark []byte) error {
				if !keep.worth(hints, string(mark)) {
					return nil
				}
				return pair.Engine.Hear(ctx, source, hints, mark)
			})
		}})
	}
	return list, nil
}

// eventObjects are the Salesforce objects whose changes matter: the mapped
// ones, and the rows that join them.
func eventObjects(pair *Pair) []string {
	var objects []string
	seen := map[string]bool{}
	for _, o := range pair.Bound.Objects {
		for _, t := range o.Targets {
			names := []string{t.Object}
			for _, a := range t.Associations {
				if a.Junction {
					names = append(names, a.Salesforce)
				}
			}
			for _, name := range names {
				if !seen[name] {
					seen[name] = true
					objects = append(objects, name)
				}
			}
		}
	}
	return objects
}

// marks tells which news of a source are worth a write: hints always, a mere
// sign of life once a minute.
type marks struct {
	kept time.Time
}

func (m *marks) worth(hints []crm.Hint, _ string) bool {
	if len(hints) == 0 && time.Since(m.kept) < markEvery {
		return false
	}
	m.kept = time.Now()
	return true
}

func (a *App) env(name string) string {
	if a.config.Env == nil {
		return ""
	}
	return strings.TrimSpace(a.config.Env(name))
}
