package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/lockstep-sync/lockstep/internal/crm"
	"github.com/lockstep-sync/lockstep/internal/engine"
	"github.com/lockstep-sync/lockstep/internal/fault"
	"github.com/lockstep-sync/lockstep/internal/mapping"
	"github.com/lockstep-sync/lockstep/internal/reconcile"
	"github.com/lockstep-sync/lockstep/sandbox"
	"github.com/lockstep-sync/lockstep/sandbox/faults"
	"github.com/lockstep-sync/lockstep/sandbox/salesforce"
)

// violation is one thing that is not as it should be.
type violation struct {
	Kind string
	Step int
	Text string
}

// outcome is what became of one history.
type outcome struct {
	Seed       uint64
	Violations []violation
	Trace      uint64
	Calls      int
	Writes     int
	// Lines are everything that happened, where it was asked for; Story is the
	// shrunk story.
	Lines []string
	Story string
}

// world is one history while it is played.
type world struct {
	seed   uint64
	story  *story
	random *rand.Rand // of the machine: order of calls, latency
	box    *sandbox.Sandbox
	bound  *mapping.Bound
	ledger *ledger
	oracle *oracle
	trace  *trace

	lagged  bool // search was late at some time
	disk    string
	deaths  int
	process *process
	calls   int  // of the current cycle
	now     step // the current cycle
	at      int  // number of the current step
	total   int  // calls of the history
	// writeCalls counts those that were meant to change something.
	writeCalls int
}

// play plays a story from start to end and says what was wrong.
func play(t *testing.T, s *story, root string, keepTrace bool) outcome {
	w := &world{seed: s.seed, story: s, random: rand.New(rand.NewPCG(s.seed, 0x6a7e)), trace: &trace{keep: keepTrace}}
	out := outcome{Seed: s.seed}
	base := filepath.Join(root, fmt.Sprintf("%d", s.seed))
	defer os.RemoveAll(base) //nolint:errcheck // the root goes in the end
	synctest.Test(t, func(*testing.T) {
		time.Sleep(time.Until(time.Date(2026, 11, 2, 8, 0, 0, 0, time.UTC)))
		if err := w.open(root, base); err != nil {
			out.Violations = append(out.Violations, violation{"set-up", 0, err.Error()})
			return
		}
		w.run()
		if w.process != nil {
			_ = w.process.stop()
		}
		_ = w.box.Close()
	})
	if w.oracle != nil {
		out.Violations = append(out.Violations, w.oracle.violations...)
		out.Writes = w.ledger.writes
	}
	out.Trace, out.Calls, out.Lines = w.trace.sum, w.total, w.trace.lines
	return out
}

func (w *world) open(root, base string) error {
	read, err := readSchemas()
	if err != nil {
		return err
	}
	m, err := mapping.Parse("lockstep.yaml", []byte(w.story.family.yaml))
	if err != nil {
		return fmt.Errorf("%w\n%s", err, w.story.family.yaml)
	}
	var problems *mapping.Problems
	if w.bound, problems = m.Bind(read); w.bound == nil {
		return fmt.Errorf("%w\n%s", problems, w.story.family.yaml)
	}
	fresh, err := freshStore(root)
	if err != nil {
		return err
	}
	w.disk = filepath.Join(base, "0")
	if err := copyDisk(w.disk, fresh); err != nil {
		return err
	}
	if w.box, err = newBox(w.seed); err != nil {
		return err
	}
	if s := w.story.skew; s != 0 {
		w.box.Clock().Set(time.Now().Add(s))
	}
	w.ledger = newLedger(w.box, w.story.family)
	w.ledger.note(people)
	w.oracle = newOracle(w)
	return nil
}

func (w *world) say(format string, args ...any) {
	w.trace.add(time.Now().UTC().Format("15:04:05.000 ") + fmt.Sprintf(format, args...))
}

// run plays all steps, then the end that every history has.
func (w *world) run() {
	for i, x := range w.story.steps {
		w.at = i
		w.say("step %d: %s", i, x.tell(w.story.family))
		w.step(x)
	}
	w.at = len(w.story.steps)
	w.end()
}

func (w *world) step(x step) {
	switch x.act {
	case actWait:
		w.pass(x.wait)
	case actFaults:
		w.box.Dials().Set(x.setup)
		w.lagged = w.lagged || x.setup.SearchLagMillis > 0
	case actSleep:
		w.restart()
	case actAnswer:
		w.answer(x)
	case actSync, actPlan, actSeal:
		w.cycle(x)
		w.box.Dials().Set(faults.Setting{SearchLagMillis: w.box.Dials().Setting().SearchLagMillis})
	default:
		w.act(x)
	}
}

// pass lets time go by. Over a longer while no process runs: one that does
// renews its claim on the pair every few seconds.
func (w *world) pass(d time.Duration) {
	if d > time.Minute {
		w.restart()
	}
	time.Sleep(d)
}

// records lists the live records of a thing on a side, oldest first.
func (w *world) records(o *object, thing int, side crm.Side) []*record {
	var out []*record
	for _, r := range w.ledger.order {
		if r.o == o && r.thing == thing && r.side == side {
			out = append(out, r)
		}
	}
	return out
}

func (w *world) liveOf(o *object, thing int, side crm.Side) *record {
	for _, r := range w.records(o, thing, side) {
		if r.live() {
			return r
		}
	}
	return nil
}

// act does what people do. What a vendor refuses them does not happen.
func (w *world) act(x step) {
	o := w.story.family.objects[x.object%len(w.story.family.objects)]
	switch { // people need a moment, or none: an automation's edits all fall into one second
	case w.story.slowest > quick:
		time.Sleep(time.Duration(x.value%4) * 700 * time.Millisecond)
	case x.value%8 == 0:
		time.Sleep(700 * time.Millisecond)
	}
	var err error
	var merged []*record
	mergedID := ""
	switch x.act {
	case actMerge:
		if merged = w.toMerge(o, x); merged == nil {
			return
		}
		if x.side == crm.HubSpot {
			mergedID, err = w.box.HubSpot().Merge(o.hub, merged[0].id, merged[1].id)
		} else {
			mergedID, err = merged[0].id, w.box.Salesforce().Merge(merged[0].object, merged[0].id, merged[1].id)
		}
	case actCreate, actTwin:
		if x.act == actCreate && w.liveOf(o, x.thing, x.side) != nil {
			return
		}
		if x.act == actTwin && w.liveOf(o, x.thing, x.side) == nil {
			return
		}
		values := o.newValues(x)
		if x.side == crm.HubSpot {
			_, err = w.box.HubSpot().Create(o.hub, values)
		} else {
			object := o.sf
			if o.leads && x.value%2 == 0 {
				object, values["Company"] = "Lead", "Sim"
			}
			w.box.Salesforce().Insert(object, o.sfValues(values), w.box.Clock().Now(), w.box.Clock().Now())
		}
	case actEdit:
		r := w.liveOf(o, x.thing, x.side)
		if r == nil {
			return
		}
		name, value := o.edited(x)
		if x.side == crm.HubSpot {
			err = w.box.HubSpot().Update(o.hub, r.id, map[string]string{name: value})
		} else {
			err = w.box.Salesforce().Update(r.object, r.id, o.sfValues(map[string]string{name: value}))
		}
	case actConvert:
		lead := w.leadOf(o, x.thing)
		if lead == nil {
			return
		}
		var done salesforce.Converted
		if done, err = w.box.Salesforce().ConvertLead(lead.id, salesforce.Conversion{NoOpportunity: true}); err == nil {
			lead.converted, merged, mergedID = true, []*record{lead}, done.ContactID
		}
	case actRelate:
		if err = w.relate(o, x); err != nil {
			return
		}
	case actDelete:
		r := w.liveOf(o, x.thing, x.side)
		if r == nil {
			return
		}
		if x.side == crm.HubSpot {
			err = w.box.HubSpot().Archive(o.hub, r.id)
		} else {
			err = w.box.Salesforce().Delete(r.object, r.id)
		}
	case actErase:
		all := w.records(o, x.thing, crm.HubSpot)
		if len(all) == 0 || o.hub != "contacts" {
			return
		}
		err = w.box.HubSpot().Erase(o.hub, all[len(all)-1].id)
	case actRestore:
		if w.liveOf(o, x.thing, x.side) != nil {
			return
		}
		all := w.records(o, x.thing, x.side)
		if len(all) == 0 {
			return
		}
		r := all[len(all)-1]
		if x.side == crm.HubSpot {
			err = w.box.HubSpot().Restore(o.hub, r.id)
		} else {
			err = w.box.Salesforce().Undelete(r.object, r.id)
		}
	}
	if err != nil {
		w.say("  refused: %v", err)
	}
	for _, r := range w.ledger.note(people) {
		if r.thing < 0 {
			r.thing = x.thing
		}
		if r.live() {
			r.into = nil // it was restored
		}
		w.say("  %s %s %s now %v %q", r.side, r.object, r.id, r.live(), r.last().values)
	}
	into := o.vendorName(x.side) // of a Lead that was converted as well
	if merged != nil && x.act == actMerge {
		into = merged[0].object
	}
	if survivor := w.ledger.records[key{x.side, into, mergedID}]; merged != nil && err == nil && survivor != nil {
		for _, r := range merged {
			if r != survivor {
				r.into, r.once = survivor, survivor
			}
		}
	}
}

// answer is a person's answer to one of the conflicts that wait.
func (w *world) answer(x step) {
	if !w.need() {
		return
	}
	ctx, store := w.process.ctx, w.process.store
	all, err := engine.ConflictsOf(ctx, store)
	if err != nil || len(all) == 0 {
		return
	}
	c := &all[x.value%len(all)]
	a := engine.ConflictAnswer{By: "a person"}
	switch c.Kind {
	case reconcile.ConflictField:
		a.Take = reconcile.TakeHubSpot
		if x.side == crm.Salesforce {
			a.Take = reconcile.TakeSalesforce
		}
	case reconcile.ConflictMatch:
		if len(c.Candidates) == 0 {
			return
		}
		a.Take, a.Link = reconcile.TakeLink, c.Candidates[x.value%len(c.Candidates)].ID
	default:
		return // what the policy asks for is never answered here
	}
	err = engine.Resolve(ctx, store, c, a)
	w.say("  %s of %s: %s %s, %v", c.Kind, c.Title, a.Take, a.Link, err)
	switch {
	case err != nil:
	case c.Kind == reconcile.ConflictField:
		w.oracle.answered(c, x.side)
	case c.HubSpot != nil:
		w.oracle.told = append(w.oracle.told, [2]string{c.HubSpot.ID, a.Link})
	case c.Salesforce != nil:
		w.oracle.told = append(w.oracle.told, [2]string{c.Salesforce.ID, a.Link})
	}
}

// leadOf is the first live Lead of a thing.
func (w *world) leadOf(o *object, thing int) *record {
	for _, r := range w.records(o, thing, crm.Salesforce) {
		if r.live() && r.object == "Lead" {
			return r
		}
	}
	return nil
}

// relate gives a person another company, or none. In HubSpot nothing but the
// association changes.
func (w *world) relate(o *object, x step) error {
	r := w.liveOf(o, x.thing, x.side)
	if r == nil {
		return nil
	}
	company := w.liveOf(w.story.family.objects[0], x.value%companies, x.side)
	if x.side == crm.Salesforce {
		var account any
		if company != nil {
			account = company.id
		}
		return w.box.Salesforce().Update(o.sf, r.id, map[string]any{accountOf: account})
	}
	if had := r.last().values[o.place[crm.HubSpot][companyOf]]; had != "" {
		w.box.HubSpot().Dissociate(o.hub, r.id, "companies", had)
	}
	if company != nil {
		w.box.HubSpot().Associate(o.hub, r.id, "companies", company.id)
	}
	return nil
}

// toMerge finds two live records: the thing's, and its twin or the next thing's.
func (w *world) toMerge(o *object, x step) []*record {
	first := w.liveOf(o, x.thing, x.side)
	if first == nil {
		return nil
	}
	var others []*record
	for _, r := range w.ledger.order {
		if r.o == o && r.key.object == first.object && r.side == x.side && r != first && r.live() {
			if r.thing == x.thing {
				return []*record{first, r}
			}
			others = append(others, r)
		}
	}
	if len(others) == 0 {
		return nil
	}
	return []*record{first, others[x.value%len(others)]}
}

// newValues are what people fill into a new record.
func (o *object) newValues(x step) map[string]string {
	values := map[string]string{}
	for i, f := range o.fields {
		if name := f.name(x.side); name != "" && (x.value+i)%3 != 0 {
			values[name] = f.valueFor(x.side, x.value+i)
		}
	}
	values[o.key.name(x.side)] = o.ownKey(x.side, x.thing, x.value)
	need := map[string]string{"contacts": "lastname", "companies": "name", "Contact": "LastName", "Account": "Name"}[o.vendorName(x.side)]
	if values[need] == "" {
		values[need] = fmt.Sprintf("Thing %d of %d", x.thing, x.value)
	}
	return values
}

// ownKey is the match key by which the thing is found on both sides.
func (o *object) ownKey(side crm.Side, thing, n int) string {
	if o.key.kind == domain {
		if side == crm.Salesforce && n%2 == 0 {
			return fmt.Sprintf("https://www.Thing%d.test", thing)
		}
		return fmt.Sprintf("thing%d.test", thing)
	}
	if n%3 == 0 {
		return fmt.Sprintf("Thing%d@Sim.Example", thing)
	}
	return fmt.Sprintf("thing%d@sim.example", thing)
}

// beforeCall and afterCall stand around every call of the program.
func (w *world) beforeCall(c *call) error {
	w.calls++
	w.total++
	for _, x := range w.now.during[w.calls] {
		w.say("  meanwhile %s", x.tell(w.story.family))
		w.act(x)
	}
	return w.mayDie("before call")
}

func (w *world) afterCall(c *call) error {
	changed := w.ledger.note(program)
	if c.writes() {
		w.writeCalls++
	}
	w.say("  call %d %s %s %d %v, %d changed", w.calls, c.request.Method, c.request.URL.Path, c.status, c.err, len(changed))
	for _, r := range changed {
		w.say("    %s %s %s now %v %q", r.side, r.object, r.id, r.live(), r.last().values)
	}
	if c.err != nil {
		w.ledger.loseAnswer(changed)
	} else if c.status < 300 {
		if shown := w.ledger.read(c); w.trace.keep && len(shown) > 0 {
			w.say("    shown %s", strings.Join(shown, ", "))
		}
	}
	if err := w.mayDie("after call"); err != nil {
		w.ledger.loseAnswer(changed)
		return err
	}
	return nil
}

func (w *world) mayDie(moment string) error {
	if w.now.dieAt != w.calls || w.now.moment != moment {
		return nil
	}
	p := w.process
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.crashed {
		return errDead
	}
	return p.die()
}

// need makes sure that a process runs.
func (w *world) need() bool {
	if w.process != nil {
		return true
	}
	p, err := w.start()
	if err != nil {
		w.oracle.violate("start", "the program does not start: %v", err)
		return false
	}
	w.process = p
	return true
}

func (w *world) restart() {
	if w.process == nil {
		return
	}
	p := w.process
	w.process = nil
	if err := p.stop(); err != nil {
		w.oracle.violate("stop", "the store does not close: %v", err)
	}
	if p.crashed {
		w.deaths++
		w.disk = p.left
		w.say("  the process died; another starts from its disk")
		time.Sleep(time.Duration(16+w.random.IntN(60)) * time.Second) // until its claim on the pair has ended
	}
}

// arm begins a piece of the program's work, in which the process may die.
func (w *world) arm(p *process, x step) {
	w.ledger.cycle++
	w.now, w.calls = x, 0
	p.mu.Lock()
	defer p.mu.Unlock()
	p.commits, p.dieAt, p.moment = 0, 0, ""
	if strings.HasSuffix(x.moment, "commit") {
		p.dieAt, p.moment = x.dieAt, x.moment
	}
}

// disarm ends it and tells whether the process died.
func (w *world) disarm(p *process) (crashed bool) {
	w.now = step{}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.dieAt = 0
	return p.crashed
}

// cycle lets the program work once.
func (w *world) cycle(x step) (*engine.Run, error) {
	if !w.need() {
		return nil, errDead
	}
	p := w.process
	w.arm(p, x)
	w.oracle.begin(x)
	var run *engine.Run
	var err error
	switch x.act {
	case actPlan:
		err = p.do(func(ctx context.Context) error {
			_, err := p.engine.Plan(ctx, engine.PlanOptions{Complete: x.complete})
			return err
		})
	case actSeal:
		run, err = w.sealed(p, x)
	default:
		err = p.do(func(ctx context.Context) (err error) {
			run, err = p.engine.Sync(ctx, engine.SyncOptions{Complete: x.complete, ReleaseBrakes: x.release})
			return err
		})
	}
	crashed := w.disarm(p)
	w.oracle.take(p.store)
	if run != nil {
		w.say("  run %d %s, read %d, %+v, wrote %+v, closed %v, err %v", run.ID, run.Status, run.Read, run.Tally, run.Writes, run.Closed, err)
	} else {
		w.say("  no run: %v", err)
	}
	if err != nil && !crashed && !w.expected(err) {
		w.oracle.violate("error", "the cycle ended with %v", err)
	}
	if crashed {
		w.restart()
	}
	w.oracle.judge(x, run, err, crashed)
	return run, err
}

// sealed plans, seals, lets people go on, and applies the file.
func (w *world) sealed(p *process, x step) (run *engine.Run, err error) {
	var file bytes.Buffer
	err = p.do(func(ctx context.Context) error {
		plan, err := p.engine.Plan(ctx, engine.PlanOptions{Complete: x.complete})
		if err != nil {
			return err
		}
		return plan.Seal(ctx, &file)
	})
	if err != nil {
		return nil, err
	}
	w.oracle.dry("plan")
	for _, x := range x.during[0] {
		w.say("  meanwhile %s", x.tell(w.story.family))
		w.act(x)
	}
	time.Sleep(time.Minute)
	err = p.do(func(ctx context.Context) error {
		sealed, err := engine.ReadSealed(&file)
		if err != nil {
			return err
		}
		w.oracle.sealed(sealed)
		run, err = p.engine.Apply(ctx, sealed)
		return err
	})
	return run, err
}

// expected tells whether an error is one that the dials or a death bring about.
func (w *world) expected(err error) bool {
	switch fault.KindOf(err) {
	case fault.Unavailable, fault.RateLimited, fault.Denied:
		return w.lagged || len(w.box.Dials().Setting().Rules) > 0
	}
	// Where search is late, it and the list do not count alike, and a complete
	// read says so instead of taking records for deleted.
	return errors.Is(err, errDead) || w.lagged && strings.Contains(err.Error(), "is short")
}

// end lets faults stop and the program come to rest, and judges.
func (w *world) end() {
	w.box.Dials().Set(faults.Setting{})
	w.restart()
	w.pass(20 * time.Minute)
	w.say("the end: changes only")
	if !w.calm(step{act: actSync, release: true}, 7) {
		return
	}
	w.oracle.converged("edits")
	w.say("the end: complete")
	w.pass(time.Hour)
	if !w.calm(step{act: actSync, release: true, complete: true}, 5) {
		return
	}
	w.oracle.converged("all")
	w.say("the end: quiet")
	before, calls := w.ledger.writes, w.writeCalls
	w.pass(26 * time.Hour)
	for _, complete := range []bool{true, false} {
		if _, err := w.cycle(step{act: actSync, release: true, complete: complete}); err != nil {
			return
		}
		w.pass(10 * time.Minute)
	}
	if n, m := w.ledger.writes-before, w.writeCalls-calls; n > 0 || m > 0 && !w.oracle.refused() {
		w.oracle.violate("echo", "nobody changed anything, and the program wrote: %d records in %d calls", n, m)
	}
	w.oracle.last()
	w.verify()
	w.undo()
}

// verify wants the program's own proof to say what the oracle says.
func (w *world) verify() {
	if !w.need() {
		return
	}
	p := w.process
	var v *engine.Verification
	w.oracle.begin(step{})
	found := map[[2]string]bool{} // pairs of which it says that they are not in step
	err := p.do(func(ctx context.Context) (err error) {
		v, err = p.engine.Verify(ctx, func(f engine.Finding) error {
			if f.Verdict != engine.InStep && f.HubSpot != nil && f.Salesforce != nil {
				found[[2]string{f.HubSpot.ID, f.Salesforce.ID}] = true
			}
			if (f.Verdict == engine.Differs || f.Verdict == engine.Missing) && !w.oracle.knows(f) {
				w.oracle.violate("verify", "verify says %s %s: %+v %+v, %+v", f.Mapping, f.Verdict, f.HubSpot, f.Salesforce, f.Differences)
			}
			return nil
		})
		return err
	})
	w.oracle.dry("verify")
	w.oracle.verified(found)
	if err != nil {
		w.oracle.violate("error", "verify ended with %v", err)
	} else if !v.Closed {
		w.oracle.violate("sums", "the sums of verify do not close: %+v", v.Objects)
	}
}

// calm syncs until a cycle writes nothing.
func (w *world) calm(x step, most int) bool {
	for range most {
		before := w.ledger.writes
		run, err := w.cycle(x)
		if err != nil {
			w.oracle.violate("error", "a cycle without any fault ended with %v", err)
			return false
		}
		w.pass(2 * time.Minute)
		if w.ledger.writes == before && run.Tally.Pending+run.Tally.Failed == 0 {
			return true
		}
	}
	if w.oracle.failing() {
		return true
	}
	w.oracle.violate("rest", "it does not come to rest in %d cycles without faults", most)
	return true
}
