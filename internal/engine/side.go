package engine

import (
	"context"

	"github.com/lockstep-sync/lockstep/internal/crm"
)

// Side is the one interface that both clients satisfy: all that the engine
// asks of a vendor. Methods are safe for concurrent use. Every error is or
// wraps a *fault.Error. Pacing, retries of safe calls and budgets are the
// client's business; the engine never sleeps for a limit.
type Side interface {
	Name() crm.Side
	// Account says whose account the credential opens; it is one cheap call.
	Account(ctx context.Context) (crm.Account, error)
	// Objects lists all objects that the credential can see, without fields.
	Objects(ctx context.Context) ([]crm.Object, error)
	// Describe returns the schema of one object. fault.NotFound when there is no
	// such object, fault.Denied with Scopes when it may not be seen.
	Describe(ctx context.Context, object string) (*crm.Object, error)
	// Owners lists everyone who can own records, inactive ones included.
	Owners(ctx context.Context) ([]crm.Owner, error)
	// Read streams every live record of the object once. yield gets pages in any
	// order, never two at a time, and owns the slice. A read that cannot prove
	// that it was complete returns an error, after what it yielded.
	Read(ctx context.Context, read crm.Read, yield func([]crm.Record) error) (crm.ReadReport, error)
	// Changes streams records modified at or after sinceMicros (UTC), and
	// records archived, deleted or merged away since, the latter with Archived
	// set and possibly no values. A record may come twice.
	Changes(ctx context.Context, read crm.Read, sinceMicros int64, yield func([]crm.Record) error) (crm.ReadReport, error)
	// Lookup reads records by id, in batches. Ids that are not there, or are
	// archived, come back as records with Archived set and no values; a merged id
	// comes back with MergedInto, and its survivor with TookIn where the vendor tells.
	Lookup(ctx context.Context, read crm.Read, ids []string) ([]crm.Record, error)
	// Relations reads nothing but the associations that read names, of the
	// records with these ids, in the largest batches that the vendor takes: one
	// record for each id, with ID and Relations and no values. An id that is not
	// there has no relations, and is Archived where that is told; one of which the
	// vendor proves that they did not move since read.SinceMicros may be left out.
	// calls is what it cost.
	Relations(ctx context.Context, read crm.Read, ids []string) (records []crm.Record, calls int, err error)
	// Find reads the live records whose field equals one of values (as the vendor
	// compares), in batches.
	Find(ctx context.Context, read crm.Read, field string, values []string) ([]crm.Record, error)
	// Gone streams the records of an object that were created at or after
	// createdMicros (UTC, by the vendor's clock) and are deleted, archived or merged
	// away by now, with Archived set and the values that they had when they went. What
	// the vendor has thrown away for good is not among them. It may cost a call for
	// each hundred archived records, and is asked only about lost creates.
	Gone(ctx context.Context, read crm.Read, createdMicros int64, yield func([]crm.Record) error) error
	// FieldTimes tells when each of these fields of live records was last set and
	// by whom, by id and field; a vendor that keeps no time for a field tells that
	// of the record. What is not known is left out. It is asked only where both
	// sides changed a field, so it may cost a call for fifty records.
	FieldTimes(ctx context.Context, object string, ids, fields []string) (map[string]map[string]crm.FieldTime, error)
	// Apply sends writes of one object in batches and returns one result for
	// each write it was given, in any order. What a vendor refuses for one record
	// is in its Result. The error is for what stops everything (Denied,
	// cancelled, quota used up); results then still cover every write: those not
	// sent carry Err and Unknown false. Creates are sent once; a create whose
	// answer was lost comes back Unknown.
	Apply(ctx context.Context, writes []crm.Write) ([]crm.Result, error)
	// Forecast tells how many calls this work would cost on this side.
	Forecast(work crm.Work) int
	// Usage tells what was spent so far.
	Usage() crm.Usage
	// Restorable tells whether crm.Restore brings archived records of the object
	// back; where it does not, page is where a person restores them, if known.
	Restorable(object string) (page string, ok bool)
	// RecordURL is where a person sees the record; empty when it cannot be said.
	RecordURL(object, id string) string
}
