package cli

import (
	"context"

	"github.com/lockstep-sync/lockstep/internal/app"
	"github.com/lockstep-sync/lockstep/internal/engine"
)

// open returns the program at the place that --config names.
func (g *global) open() (*app.App, error) {
	log, err := g.logger()
	if err != nil {
		return nil, err
	}
	return app.New(app.Config{File: g.path(g.config), Env: g.Env, Log: log, Keyring: g.keyring, Now: g.Now}), nil
}

// withPair opens the pair, runs work and closes all, telling what the mapping
// warns of and how far the work has come.
func (g *global) withPair(ctx context.Context, work func(*app.Pair, *progress) error) (err error) {
	a, err := g.open()
	if err != nil {
		return err
	}
	progress := g.newProgress()
	pair, err := a.Pair(ctx, progress.function())
	if err != nil {
		progress.close()
		return err
	}
	defer func() {
		if closed := pair.Close(); err == nil {
			err = closed
		}
	}()
	g.warn(pair)
	err = work(pair, progress)
	progress.close()
	return err
}

// warn tells the mapping's warnings in one line; check shows them all.
func (g *global) warn(pair *app.Pair) {
	if n := len(pair.Warnings.Warnings()); n > 0 {
		g.say("lockstep.yaml has %s; see them with: lockstep check", count(n, "warning", "warnings"))
	}
}

// function is what the engine reports to; nil when nothing is shown.
func (p *progress) function() func(engine.Event) {
	if p == nil {
		return nil
	}
	return p.event
}
