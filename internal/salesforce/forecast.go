package salesforce

import (
	"github.com/lockstep-sync/lockstep/internal/crm"
)

// Forecast tells how many calls this work would cost: pages of 2,000 rows and a
// count, lookups of 2,000, writes of 1,000 (of 200 when there is but one
// collection). Schemas and tokens, once per run, are not in it, nor are pages
// that Salesforce makes smaller because rows are large, nor repeats.
func (c *Client) Forecast(work crm.Work) int {
	calls := 0
	if work.Read > 0 {
		calls += 1 + ceil(work.Read, pageRows)
	}
	calls += ceil(work.Lookup, lookupIDs)
	if work.Relation > 0 {
		for _, j := range junctionsOf(work.Object) {
			calls += junctionCalls(&j, work.Lookup)
		}
	}
	for _, n := range []int{work.Create, work.Update, work.Archive} {
		calls += writeCalls(n)
	}
	if work.Relate > 0 {
		for _, j := range junctionsOf(work.Object) {
			calls += junctionCalls(&j, work.Relate)
		}
		calls += writeCalls(work.Relate)
	}
	return calls
}

// writeCalls: five collections of 200 in a call.
func writeCalls(n int) int { return ceil(n, collectionRecords*compositeQueries) }

// junctionCalls is what reading the rows of n near records costs.
func junctionCalls(j *junction, n int) int {
	if n == 0 {
		return 0
	}
	q := query{layout: j.layout(), order: "Id"}
	room := maxEncodedQuery - len(escape(q.soql("x IN ()"))) - len(escape(j.nearField))
	perQuery := room / (len(escape(quote("000000000000000AAA"))) + len(escape(",")))
	return ceil(ceil(n, perQuery), compositeQueries)
}

func ceil(n, size int) int { return (n + size - 1) / size }
