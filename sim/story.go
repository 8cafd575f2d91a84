package main

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"time"

	"github.com/lockstep-sync/lockstep/internal/crm"
	"github.com/lockstep-sync/lockstep/sandbox/faults"
)

// story is what happens in one history: a mapping, a world at the start and
// steps. It is data: steps can be taken out, and the rest still makes sense,
// for they name things by number and do nothing where there is no such thing.
type story struct {
	seed   uint64
	family *family
	steps  []step
	// slowest is how many milliseconds a call takes at most: where all of a cycle
	// fits into a second, everything has the same time.
	slowest int
	// skew is how far the vendors' clock is before the program's.
	skew time.Duration
}

// act is a kind of step.
type act string

const (
	actCreate  act = "create"  // people make the thing on a side
	actEdit    act = "edit"    // people edit a field
	actDelete  act = "delete"  // people delete a record
	actRestore act = "restore" // people bring it back
	actMerge   act = "merge"   // people merge another record of a side into the thing's
	actErase   act = "erase"   // people delete the contact for good, as the GDPR asks
	actAnswer  act = "answer"  // people answer one of the conflicts that wait for them
	actRelate  act = "relate"  // people associate the person with another company, or with none
	actConvert act = "convert" // people convert the thing's Lead in Salesforce
	actTwin    act = "twin"    // people make a second record of the thing
	actWait    act = "wait"
	actFaults  act = "faults" // the dials are turned for the next cycle
	actSync    act = "sync"
	actPlan    act = "plan"  // plan, and look whether it wrote
	actSeal    act = "seal"  // plan, seal; people go on; apply the file
	actUndo    act = "undo"  // undo one of the runs
	actSleep   act = "quiet" // the process ends and another begins
)

// step is one step of a story.
type step struct {
	act    act
	side   crm.Side
	object int // number in the family
	thing  int
	field  int
	value  int
	wait   time.Duration
	setup  faults.Setting
	// Of a cycle:
	complete bool
	release  bool
	// during are steps of people at the n-th call of the cycle; at 0 those between a
	// plan that is sealed and its apply.
	during map[int][]step
	// The process dies at this call or commit; 0: it does not.
	moment string
	dieAt  int
}

// weights say how often people and machines do what; a zero switches it off.
var weights = []struct {
	act    act
	weight int
}{
	{actEdit, 40}, {actCreate, 10}, {actDelete, 6}, {actRestore, 4}, {actTwin, 2},
	{actWait, 10}, {actFaults, 3}, {actSync, 24}, {actPlan, 3}, {actSeal, 3}, {actSleep, 2},
}

// draw picks by weight.
func draw(random *rand.Rand) act {
	sum := 0
	for _, w := range weights {
		sum += w.weight
	}
	n := random.IntN(sum)
	for _, w := range weights {
		if n -= w.weight; n < 0 {
			return w.act
		}
	}
	return actSync
}

// quick is a call's longest time in milliseconds where whole cycles fit into a
// second.
const quick = 3

// newStory draws a story from its seed.
func newStory(seed uint64) *story {
	random := rand.New(rand.NewPCG(seed, 0x51a7))
	s := &story{seed: seed, family: newFamily(random)}
	s.slowest = []int{quick, 40, 150}[random.IntN(3)]
	things := 2 + random.IntN(4)
	// Most of what happens happens to few: a field that nobody edits twice has no
	// history.
	hot, hotFields := random.IntN(things), random.Perm(8)[:2]
	value := 0
	people := func(a act) step {
		value++
		x := step{act: a, side: crm.HubSpot, object: random.IntN(len(s.family.objects)), thing: random.IntN(things), value: value}
		if random.IntN(2) == 0 {
			x.side = crm.Salesforce
		}
		if random.IntN(2) == 0 {
			x.thing = hot
		}
		x.field = random.IntN(len(s.family.objects[x.object].fields) + 2)
		if random.IntN(2) == 0 {
			x.field = hotFields[random.IntN(2)] % len(s.family.objects[x.object].fields)
		}
		return x
	}
	// The world at the start.
	for n := range s.family.objects {
		for thing := range things {
			where := random.IntN(5)
			for i, side := range []crm.Side{crm.HubSpot, crm.Salesforce} {
				if where == i { // only on the other side
					continue
				}
				value++
				s.steps = append(s.steps, step{act: actCreate, side: side, object: n, thing: thing, value: value})
			}
		}
	}
	for range 8 + random.IntN(24) {
		x := people(draw(random))
		switch x.act {
		case actWait:
			x.wait = []time.Duration{time.Second, 2 * time.Second, 7 * time.Second, 40 * time.Second, 3 * time.Minute, 20 * time.Minute, 25 * time.Hour}[random.IntN(7)]
		case actFaults:
			x.setup = drawFaults(random)
		case actSync, actSeal:
			if random.IntN(3) == 0 {
				s.steps = append(s.steps, step{act: actFaults, setup: drawFaults(random)})
			}
			x.complete = random.IntN(6) == 0
			x.release = random.IntN(3) == 0
			if random.IntN(3) == 0 {
				x.during = map[int][]step{}
				for range 1 + random.IntN(2) {
					n := 1 + random.IntN(14)
					x.during[n] = append(x.during[n], people([]act{actEdit, actEdit, actEdit, actCreate, actDelete}[random.IntN(5)]))
				}
			}
			if random.IntN(4) == 0 {
				x.moment = []string{"before commit", "after commit", "before call", "after call", "after call"}[random.IntN(5)]
				x.dieAt = 1 + random.IntN(30)
			}
		}
		s.steps = append(s.steps, x)
	}
	s.skew = []time.Duration{0, 0, 0, 3 * time.Second, -3 * time.Second, 2 * time.Minute, -2 * time.Minute}[random.IntN(7)]
	if random.IntN(3) == 0 {
		s.addMerges(random, people)
	}
	if random.IntN(3) == 0 {
		s.addCompanies(random, people)
	}
	if random.IntN(2) == 0 {
		s.addLeads(random, people)
	}
	if random.IntN(3) == 0 {
		s.addSome(random, people, actErase)
	}
	if random.IntN(2) == 0 {
		s.addSome(random, people, actAnswer)
	}
	if random.IntN(3) == 0 {
		s.addPartial(random)
	}
	s.addBetween(random, people)
	return s
}

// addBetween lets people go on between a plan that is sealed and its apply.
func (s *story) addBetween(random *rand.Rand, people func(act) step) {
	for i := range s.steps {
		if x := &s.steps[i]; x.act == actSeal && random.IntN(2) == 0 {
			if x.during == nil {
				x.during = map[int][]step{}
			}
			for range 1 + random.IntN(3) {
				x.during[0] = append(x.during[0], people([]act{actEdit, actEdit, actEdit, actCreate, actTwin, actDelete, actRestore}[random.IntN(7)]))
			}
		}
	}
}

// companies are the things that a person may belong to, one more than there may
// be: that is none.
const companies = 6

// addCompanies lets people belong to companies, and changes that now and then.
func (s *story) addCompanies(random *rand.Rand, people func(act) step) {
	if s.family.relate(); !s.family.objects[len(s.family.objects)-1].belongs {
		return
	}
	first := slices.IndexFunc(s.steps, func(x step) bool { return x.act != actCreate })
	for range 3 + random.IntN(6) {
		x := people(actRelate)
		x.object = len(s.family.objects) - 1
		at := max(first, 0) + random.IntN(len(s.steps)-max(first, 0)+1)
		s.steps = slices.Insert(s.steps, at, x)
	}
}

// addLeads lets people be Leads in Salesforce, and be converted.
func (s *story) addLeads(random *rand.Rand, people func(act) step) {
	if !s.family.convert() {
		return
	}
	for range 1 + random.IntN(4) {
		x := people(actConvert)
		x.side, x.object = crm.Salesforce, len(s.family.objects)-1
		at := len(s.steps)/4 + random.IntN(len(s.steps)-len(s.steps)/4)
		s.steps = slices.Insert(s.steps, at, x)
	}
}

// addPartial has every second record of some writes fail, wherever dials are turned.
func (s *story) addPartial(random *rand.Rand) {
	for i := range s.steps {
		if s.steps[i].act == actFaults {
			s.steps[i].setup.Rules = append(s.steps[i].setup.Rules, faults.Rule{Kind: faults.Partial, Share: .5, Method: "write", Path: []string{"batch/", "composite"}[random.IntN(2)]})
		}
	}
}

// addSome lets people do something now and then.
func (s *story) addSome(random *rand.Rand, people func(act) step, a act) {
	for range 1 + random.IntN(3) {
		at := len(s.steps)/3 + random.IntN(len(s.steps)-len(s.steps)/3)
		s.steps = slices.Insert(s.steps, at, people(a))
	}
}

// addMerges lets people merge records, of one thing or of two, where the program
// has had time to link them or not.
func (s *story) addMerges(random *rand.Rand, people func(act) step) {
	for range 1 + random.IntN(2) {
		m := people(actMerge)
		add := []step{m}
		if random.IntN(2) == 0 { // of two records of one thing
			twin := m
			twin.act = actTwin
			add = []step{twin, m}
			if random.IntN(2) == 0 {
				add = []step{twin, {act: actSync, release: true}, m}
			}
		}
		if random.IntN(3) == 0 {
			add = append(add, people(actEdit))
		}
		at := len(s.steps)/3 + random.IntN(len(s.steps)-len(s.steps)/3)
		s.steps = slices.Insert(s.steps, at, add...)
	}
}

// drawFaults turns the dials.
func drawFaults(random *rand.Rand) faults.Setting {
	s := faults.Setting{Seed: random.Uint64()}
	if random.IntN(2) == 0 {
		s.SearchLagMillis = []int{500, 5_000, 20_000, 45_000}[random.IntN(4)]
	}
	for range 1 + random.IntN(3) {
		s.Rules = append(s.Rules, []faults.Rule{
			{Kind: faults.TooMany, Share: .1, Path: "/services/data"},
			{Kind: faults.TooMany, Share: .1, Path: "/crm/"},
			{Kind: faults.ServerError, Share: .1},
			{Kind: faults.CutBefore, Share: .1},
			{Kind: faults.CutAfter, Share: .25, Method: "write"},
			{Kind: faults.CutAfter, Share: .6, Method: "write", Path: "batch/create"},
			{Kind: faults.CutAfter, Share: .6, Method: "write", Path: "composite"},
			{Kind: faults.Locked, Share: .2, Method: "write"},
			{Kind: faults.Expired, Share: .05, Side: "salesforce"},
		}[random.IntN(9)])
	}
	return s
}

// String tells a step as one line.
func (x step) tell(f *family) string {
	o := f.objects[min(x.object, len(f.objects)-1)]
	what := fmt.Sprintf("%s %d", o.name, x.thing)
	var b strings.Builder
	switch x.act {
	case actCreate:
		fmt.Fprintf(&b, "people create %s in %s (values %d)", what, x.side.Title(), x.value)
	case actTwin:
		fmt.Fprintf(&b, "people create %s in %s once more (values %d)", what, x.side.Title(), x.value)
	case actEdit:
		name, value := o.edited(x)
		fmt.Fprintf(&b, "people set %s of %s in %s to %q", name, what, x.side.Title(), value)
	case actMerge:
		fmt.Fprintf(&b, "people merge another record into %s in %s (%d)", what, x.side.Title(), x.value)
	case actErase:
		fmt.Fprintf(&b, "people erase %s in HubSpot", what)
	case actAnswer:
		fmt.Fprintf(&b, "people answer conflict %d: take %s", x.value, x.side.Title())
	case actConvert:
		fmt.Fprintf(&b, "people convert the Lead of %s in Salesforce", what)
	case actRelate:
		fmt.Fprintf(&b, "people give %s in %s company %d", what, x.side.Title(), x.value%companies)
	case actDelete, actRestore:
		fmt.Fprintf(&b, "people %s %s in %s", x.act, what, x.side.Title())
	case actWait:
		fmt.Fprintf(&b, "%s pass", x.wait)
	case actFaults:
		fmt.Fprintf(&b, "dials: search lag %d ms", x.setup.SearchLagMillis)
		for _, r := range x.setup.Rules {
			fmt.Fprintf(&b, ", %s %.0f%% %s %s", r.Kind, r.Share*100, r.Method, r.Path)
		}
	case actSleep:
		b.WriteString("the process ends and another begins")
	default:
		b.WriteString("lockstep " + string(x.act))
		if x.complete {
			b.WriteString(" --complete")
		}
		if x.release {
			b.WriteString(" --release-brakes")
		}
		if x.dieAt > 0 {
			fmt.Fprintf(&b, ", dies %s %d", x.moment, x.dieAt)
		}
		for n := range 100 {
			for _, d := range x.during[n] {
				if n == 0 {
					fmt.Fprintf(&b, "; before the apply %s", d.tell(f))
				} else {
					fmt.Fprintf(&b, "; at call %d %s", n, d.tell(f))
				}
			}
		}
	}
	return b.String()
}

// edited is which field a step edits, and the new value.
func (o *object) edited(x step) (name, value string) {
	n := x.field % (len(o.fields) + 2)
	switch {
	case n == len(o.fields): // the tier decides about the filter
		f := &field{hub: tierHub, sf: tierSF, kind: choice}
		return f.name(x.side), f.valueFor(x.side, x.value)
	case n > len(o.fields):
		return (&field{hub: canaryHub, sf: canarySF}).name(x.side), fmt.Sprintf("canary %d", x.value)
	}
	f := o.fields[n]
	if f.from != "" && x.side == crm.HubSpot {
		return "sim_note", fmt.Sprintf("Value %d", x.value)
	}
	return f.name(x.side), f.valueFor(x.side, x.value)
}
