package cli

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/lockstep-sync/lockstep/internal/crm"
	"github.com/lockstep-sync/lockstep/internal/engine"
)

// demoExamples are how many pairs the demo shows on both sides.
const demoExamples = 3

// step says which chapter begins.
func (d *demo) step(format string, args ...any) {
	d.say("\n"+format, args...)
}

// printResult prints what a newcomer wants to see.
func (d *demo) printResult(ctx context.Context, result demoJSON) {
	d.print("")
	d.print("WHAT BECAME OF EACH RECORD")
	t := newTable("", ">READ", ">SYNCED", ">UNCHANGED", ">LEFT OUT", ">HELD", ">PENDING", ">FAILED")
	t.indent = "  "
	for _, o := range d.first.Objects {
		t.add(o.Name, o.Read, o.Tally.Synced, o.Tally.Unchanged, o.Tally.Excluded, o.Tally.Held, o.Tally.Pending, o.Tally.Failed)
	}
	sum := d.first.Tally
	t.add("together", d.first.Read, sum.Synced, sum.Unchanged, sum.Excluded, sum.Held, sum.Pending, sum.Failed)
	t.aligned(d.Out)
	d.print("  %s", writesInWords(d.first))
	d.print("  The second run wrote %s. %s", count(result.SecondRunWrites, "record", "records"), d.proofInWords())
	d.printExamples(ctx)
	d.printHeld(ctx)
	d.print("")
	d.print("CALLS, ALL IN ALL   %s to HubSpot, %s to Salesforce, in %s", separatedInt(result.Calls.HubSpot), separatedInt(result.Calls.Salesforce),
		took(time.Duration(result.Seconds*float64(time.Second))))
	d.printNext(ctx)
}

func (d *demo) proofInWords() string {
	pairs := 0
	for _, o := range d.proof.Objects {
		pairs += o.Verdicts[engine.InStep]
	}
	if d.proof.InStep && d.proof.Closed {
		return fmt.Sprintf("Both sides were read completely and compared: all %s agree.", count(pairs, "pair", "pairs"))
	}
	return "Both sides were read completely and compared, and they do not agree."
}

// printExamples prints three pairs as both sides hold them now.
func (d *demo) printExamples(ctx context.Context) {
	d.print("")
	d.print("THREE OF THEM, ON BOTH SIDES")
	for _, thing := range d.examples(ctx) {
		d.print("  %s (%s)   %s  <->  %s", thing.Title, thing.Mapping, record(thing.HubSpot), record(thing.Salesforce))
		t := newTable("", "", "", "")
		t.indent = "    "
		shown := 0
		for _, f := range thing.Fields {
			if f.HubSpot == nil && f.Salesforce == nil || f.HubSpotField == "" || f.SalesforceField == "" || shown == 4 {
				continue
			}
			shown++
			const longest = 34
			t.add(f.HubSpotField, cut(value(f.HubSpot), longest), f.SalesforceField, cut(value(f.Salesforce), longest))
		}
		t.body(d.Out)
	}
}

// examples picks one thing of each object that the first run wrote, as
// `lockstep explain` tells it.
func (d *demo) examples(ctx context.Context) []engine.ExplainedThing {
	var things []engine.ExplainedThing
	wanted := map[string]bool{}
	_ = d.pair.Engine.Journal(ctx, d.first.ID, func(e engine.JournalEntry) error {
		if e.Record.Side != crm.Salesforce || e.Op != crm.Create || wanted[e.Mapping] || len(things) == demoExamples {
			return nil
		}
		found, err := d.pair.Engine.Explain(ctx, e.Record.ID)
		if err != nil || len(found.Things) == 0 || found.Things[0].HubSpot == nil {
			return nil
		}
		wanted[e.Mapping] = true
		things = append(things, found.Things[0])
		return nil
	})
	return things
}

// printHeld prints what was held and left out, and why.
func (d *demo) printHeld(ctx context.Context) {
	status, err := d.pair.Engine.Status(ctx)
	if err != nil {
		return
	}
	for _, section := range []struct {
		outcome crm.Outcome
		title   string
	}{{crm.Held, "HELD FOR A PERSON, NEVER GUESSED"}, {crm.Excluded, "LEFT OUT, BY A RULE OF THE MAPPING"}} {
		titled := false
		for _, o := range status.Objects {
			for _, c := range o.Outcomes {
				if c.Outcome != section.outcome {
					continue
				}
				if !titled {
					d.print("")
					d.print("%s", section.title)
					titled = true
				}
				d.print("  %s: %s, such as: %s", o.Name, count(c.Count, "record", "records"), c.Example.Text)
				if c.Example.Mend != "" {
					d.print("      next: %s", oneLine.Replace(strings.ReplaceAll(c.Example.Mend, "\n", " ")))
				}
			}
		}
	}
}

// printNext tells what to try now.
func (d *demo) printNext(ctx context.Context) {
	d.print("")
	d.print("TRY NEXT")
	d.print("  Look at both CRMs in a browser while the demo runs:")
	d.print("    HubSpot      %s", d.box.HubSpotURL())
	d.print("    Salesforce   %s", d.box.SalesforceURL())
	if !d.options.once {
		if id := d.somebody(ctx); id != "" {
			d.print("  Change a person in HubSpot, and see it arrive in Salesforce:")
			d.print("    curl -X PATCH %s/hubspot/records/contacts/%s -d '{\"properties\":{\"jobtitle\":\"Astronaut\"}}'", d.box.ManageURL(), id)
		}
	}
	d.print("  Connect your own accounts:   lockstep connect hubspot --help")
}

// somebody is the HubSpot id of a person who was copied; empty when nobody was.
func (d *demo) somebody(ctx context.Context) string {
	for _, thing := range d.examples(ctx) {
		if thing.Mapping == "people" {
			return thing.HubSpot.ID
		}
	}
	return ""
}

// watch keeps both sandboxes in step until ctrl-C.
func (d *demo) watch(ctx context.Context) error {
	d.print("")
	d.print("Watching both, every %s. Ctrl-C ends the demo.", demoEvery)
	err := d.pair.Engine.Watch(ctx, demoEvery, func(run *engine.Run, err error) error {
		if run == nil || err != nil || run.Quiet() {
			return d.tellCycle(run, err)
		}
		d.print("%s  %s", time.Now().Format("15:04:05"), writesInWords(run))
		return d.pair.Engine.Journal(ctx, run.ID, func(e engine.JournalEntry) error {
			for _, c := range e.Changes {
				d.print("          %s %s: %s %s", e.Op, record(&e.Record), c.Field, changeInWords(e.Op, c))
			}
			return nil
		})
	})
	if ctx.Err() != nil {
		return nil
	}
	return err
}
