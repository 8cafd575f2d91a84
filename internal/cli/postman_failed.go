package cli

import (
	"context"
	"strconv"
	"strings"

	"github.com/lockstep-sync/lockstep/internal/app"
	"github.com/lockstep-sync/lockstep/internal/crm"
	"github.com/lockstep-sync/lockstep/internal/engine"
	"github.com/lockstep-sync/lockstep/internal/fault"
	"github.com/lockstep-sync/lockstep/internal/postman"
)

// searchedRuns is how many of the last runs are looked through for a failed call.
const searchedRuns = 50

// exportFailed writes the calls of a run that a vendor refused or never answered.
func (g *global) exportFailed(ctx context.Context, pair *app.Pair, o postmanExportOptions, options postman.Options) error {
	run, calls, err := findFailed(ctx, pair, o.args)
	if err != nil {
		return err
	}
	collection, environment := postman.ExportFailed(pair.Bound, run, calls, options)
	return g.writeCollection(o, collection, environment, run)
}

func findFailed(ctx context.Context, pair *app.Pair, args []string) (int64, []postman.FailedCall, error) {
	if len(args) == 1 {
		id, err := strconv.ParseInt(args[0], 10, 64)
		if err != nil {
			return 0, nil, usage("lockstep runs list", "%s is not the number of a run", shown(args[0]))
		}
		run, err := pair.Engine.Run(ctx, id)
		if err != nil {
			return 0, nil, err
		}
		calls, err := failedCalls(ctx, pair, id)
		if err == nil && len(calls) == 0 {
			err = nothingFailed(run)
		}
		return id, calls, err
	}
	runs, err := engine.Runs(ctx, pair.Store, searchedRuns)
	if err != nil {
		return 0, nil, err
	}
	for i := range runs {
		calls, err := failedCalls(ctx, pair, runs[i].ID)
		if err != nil || len(calls) > 0 {
			return runs[i].ID, calls, err
		}
	}
	return 0, nil, fault.New(fault.NotFound, "no write of the last runs was refused").WithMend("lockstep runs list")
}

// nothingFailed says what is known of a run without a refused write.
func nothingFailed(run *engine.Run) error {
	if run.Error != "" {
		return fault.New(fault.NotFound, "run %d stopped before a write was refused, and calls that only read are not kept: %s", run.ID, run.Error).
			WithMend("lockstep postman export writes requests that read with the same token")
	}
	return fault.New(fault.NotFound, "no write of run %d was refused", run.ID).WithMend("lockstep runs list")
}

func failedCalls(ctx context.Context, pair *app.Pair, run int64) ([]postman.FailedCall, error) {
	var calls []postman.FailedCall
	err := pair.Engine.Journal(ctx, run, func(e engine.JournalEntry) error {
		if e.Result == "done" || len(calls) == postman.MaxFailedCalls {
			return nil
		}
		call := postman.FailedCall{
			Mapping: e.Mapping, Op: e.Op, RequestID: e.Request, Time: e.Time,
			Record: crm.Ref{Side: e.Record.Side, Object: e.Record.Object, ID: e.Record.ID},
			Cause:  strings.TrimPrefix(strings.TrimPrefix(e.Result, "refused:"), " "),
		}
		if r := e.Relation; r != nil {
			call.Relation = &crm.Relation{Object: r.Object, ID: r.ID, Label: r.Label, Primary: r.Primary, Junction: r.Junction, RowID: r.RowID}
			call.Relabel = r.Relabel
		}
		if e.Result == "unknown" {
			call.Cause = ""
		}
		for _, c := range e.Changes {
			value := crm.Value{State: crm.Blank}
			if c.After != nil {
				value = crm.Text(*c.After)
			}
			call.Fields = append(call.Fields, crm.FieldValue{Name: c.Field, Value: value})
		}
		calls = append(calls, call)
		return nil
	})
	return calls, err
}
