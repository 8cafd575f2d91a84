package trial

import (
	"context"
	"fmt"
	"strings"

	"github.com/lockstep-sync/lockstep/internal/crm"
	"github.com/lockstep-sync/lockstep/internal/engine"
	"github.com/lockstep-sync/lockstep/internal/mapping"
)

// judged gathers how policies stood in all plans of the story.
type judged struct {
	asked  map[string]int
	broken map[string][]string
}

// Story tries the mapping on the sandbox's story: a first copy, a second run
// that must write nothing, a proof, edits of every mapped field on both sides,
// and all of it again; then every policy on all that was planned. yield gets
// each result as it is known. An error is what kept the trial from going on: a
// *mapping.Problems where the mapping does not fit.
func Story(ctx context.Context, c Config, yield func(Result)) (err error) {
	w, err := open(ctx, c, c.Seed)
	if err != nil {
		return err
	}
	defer func() {
		if closed := w.close(); err == nil {
			err = closed
		}
	}()
	j := &judged{asked: map[string]int{}, broken: map[string][]string{}}
	edits := &editor{world: w}
	for _, chapter := range []struct {
		name string
		try  func() ([]string, error)
		note func() string
	}{
		{"a first plan writes nothing", func() ([]string, error) { return w.plan(ctx, j) }, nil},
		{"the first sync gives every record an outcome", func() ([]string, error) { return w.firstSync(ctx) }, w.wrote},
		{"a second sync writes nothing", func() ([]string, error) { return w.quiet(ctx) }, nil},
		{"both sides agree", func() ([]string, error) { return w.proof(ctx) }, nil},
		{"edits of every mapped field are planned", func() ([]string, error) {
			if err := edits.all(ctx); err != nil {
				return nil, err
			}
			return w.plan(ctx, j)
		}, func() string { return counted(edits.edits, "edit was made", "edits were made") + " on both sides" }},
		{"a sync brings the edits over", func() ([]string, error) { return w.firstSync(ctx) }, w.wrote},
		{"another sync writes nothing", func() ([]string, error) { return w.quiet(ctx) }, nil},
		{"both sides agree again", func() ([]string, error) { return w.proof(ctx) }, nil},
	} {
		r, err := timed("story", chapter.name, chapter.try)
		if err != nil {
			return fmt.Errorf("%s: %w", chapter.name, err)
		}
		if r.OK && chapter.note != nil {
			r.Told = []string{chapter.note()}
		}
		yield(r)
	}
	for i := range w.pair.Mapping.Policies {
		yield(j.result(&w.pair.Mapping.Policies[i], c.AllowHeld))
	}
	return nil
}

// plan plans, and wants nothing to be written by it.
func (w *world) plan(ctx context.Context, j *judged) ([]string, error) {
	before := w.records()
	p, err := w.pair.Engine.Plan(ctx, engine.PlanOptions{})
	if err != nil {
		return nil, err
	}
	var told []string
	if now := w.records(); now != before {
		told = append(told, fmt.Sprintf("there were %d records before it, and %d after it", before, now))
	}
	if !p.Closed {
		told = append(told, "the sums do not close: records were read that have no outcome")
	}
	return told, p.Items(ctx, engine.ItemFilter{}, func(it engine.Item) error {
		j.add(w.pair.Bound, &it)
		return nil
	})
}

// records counts what both servers hold of the mapped objects.
func (w *world) records() int {
	n := 0
	for _, o := range w.pair.Bound.Objects {
		n += w.box.HubSpot().Count(o.HubSpot)
		for _, t := range o.Targets {
			n += w.box.Salesforce().Count(t.Object)
		}
	}
	return n
}

// wrote says what the last sync came to.
func (w *world) wrote() string {
	t := w.last.Tally
	return fmt.Sprintf("%s: %d synced, %d unchanged, %d excluded, %d held; %s",
		counted(w.last.Read, "record", "records"), t.Synced, t.Unchanged, t.Excluded, t.Held, counted(w.last.Writes.Sum(), "write", "writes"))
}

func (w *world) firstSync(ctx context.Context) ([]string, error) {
	run, err := w.sync(ctx)
	if err != nil {
		return nil, err
	}
	w.last = run
	var told []string
	if !run.Closed {
		told = append(told, "the sums do not close: records were read that have no outcome")
	}
	if run.Tally.Failed > 0 {
		told = append(told, counted(run.Tally.Failed, "record failed", "records failed"))
		told = append(told, w.failures(ctx)...)
	}
	return told, nil
}

// failures tells why records failed, an example for each reason.
func (w *world) failures(ctx context.Context) []string {
	status, err := w.pair.Engine.Status(ctx)
	if err != nil {
		return nil
	}
	var told []string
	for _, o := range status.Objects {
		for _, c := range o.Outcomes {
			if c.Outcome == crm.Failed {
				told = append(told, o.Name+": "+c.Example.Text)
			}
		}
	}
	return told
}

func (w *world) quiet(ctx context.Context) ([]string, error) {
	run, err := w.sync(ctx)
	if err != nil || run.Writes.Sum() == 0 {
		return nil, err
	}
	told := []string{counted(run.Writes.Sum(), "record was written", "records were written")}
	const shown = 5
	err = w.pair.Engine.Journal(ctx, run.ID, func(e engine.JournalEntry) error {
		if len(told) <= shown {
			var fields []string
			for _, ch := range e.Changes {
				fields = append(fields, ch.Field)
			}
			told = append(told, fmt.Sprintf("%s %s %s %s: %s", e.Op, e.Record.Side.Title(), e.Record.Object, e.Record.ID, strings.Join(fields, ", ")))
		}
		return nil
	})
	return told, err
}

func (w *world) proof(ctx context.Context) ([]string, error) {
	var told []string
	const shown = 5
	v, err := w.pair.Engine.Verify(ctx, func(f engine.Finding) error {
		if len(told) < shown && (f.Verdict == engine.Differs || f.Verdict == engine.Missing) {
			told = append(told, findingInWords(f))
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	if v.InStep && v.Closed {
		return nil, nil
	}
	return append([]string{"the two sides do not agree"}, told...), nil
}

func findingInWords(f engine.Finding) string {
	text := fmt.Sprintf("%s: %s", f.Mapping, f.Verdict)
	for _, r := range []*engine.Record{f.HubSpot, f.Salesforce} {
		if r != nil {
			text += fmt.Sprintf(", %s %s %s", r.Side.Title(), r.Object, r.ID)
		}
	}
	for _, d := range f.Differences {
		if d.Allowed == "" {
			text += fmt.Sprintf(", %s/%s", d.HubSpotField, d.SalesforceField)
		}
	}
	return text
}

// add counts what a planned thing says of the policies.
func (j *judged) add(b *mapping.Bound, it *engine.Item) {
	o := b.Object(it.Mapping)
	if o == nil {
		return
	}
	for _, p := range o.Policies {
		for _, w := range it.Writes {
			if p.About(w.Side, w.Object) {
				j.asked[p.Name]++
			}
		}
	}
	for _, name := range it.Breaks {
		j.asked[name]++
		j.broken[name] = append(j.broken[name], it.Mapping+" "+it.Title+": "+it.Reason.Text)
	}
}

// result says how a policy stood. One that nothing was held against is told: it
// may be silent because of a slip.
func (j *judged) result(p *mapping.Policy, allowHeld bool) Result {
	r := Result{Kind: "policy", Name: p.Name, OK: true}
	broken := j.broken[p.Name]
	switch {
	case j.asked[p.Name] == 0:
		r.Told = append(r.Told, "no planned write was about it")
	case len(broken) == 0:
		r.Told = append(r.Told, "kept by "+counted(j.asked[p.Name], "planned write", "planned writes"))
	case p.Counts():
		r.Told = append(r.Told, counted(len(broken), "planned write breaks it", "planned writes break it")+"; it is a brake, so this is no failure")
	default:
		r.OK = allowHeld
		r.Told = append(r.Told, counted(len(broken), "record would break it, and is held", "records would break it, and are held"))
		r.Told = append(r.Told, broken[:min(3, len(broken))]...)
	}
	return r
}
