package hubspot

import "github.com/lockstep-sync/lockstep/internal/crm"

// Forecast tells how many calls the work would cost when nothing goes wrong:
// one call for a hundred records read or written, one for a thousand records'
// relations of each kind where these do not travel along, and for a complete
// read one search for the total, one to see how even the ids are, and about half
// a page where id ranges meet.
func (c *Client) Forecast(work crm.Work) int {
	if isList(work.Object) {
		// One call for each list, and its members from one call on.
		calls := ceil(work.Lookup, listsByID) + work.Lookup + work.Create + work.Update + work.Archive + ceil(work.Relate, memberChanges)
		if work.Read > 0 {
			calls += ceil(work.Read, listSearchPage) + work.Read
		}
		return calls
	}
	calls := 0
	if work.Read > 0 {
		calls += 1 + ceil(work.Read, listPage)
		if work.Read >= 2*splitPages*listPage {
			if work.Read > searchWindow+searchWindow/4 {
				calls++
			}
			calls += (3 + work.Read/listPage/pagesPerRange) / 2
		}
	}
	calls += ceil(work.Lookup, batchSize) + work.Relation*ceil(work.Lookup, associationBatch)
	calls += ceil(work.Create, batchSize) + ceil(work.Update, batchSize) + ceil(work.Archive, batchSize)
	return calls + ceil(work.Relate, relateBatch)
}

func ceil(n, by int) int { return (n + by - 1) / by }
