package engine

import (
	"testing"

	"github.com/lockstep-sync/lockstep/internal/crm"
)

// TestARecordThatIsNoMoreLeavesTheAccount: what was read and is gone when it comes
// to decide is no thing any more, whether it had a result from before or not.
func TestARecordThatIsNoMoreLeavesTheAccount(t *testing.T) {
	var l ledger
	l.sawAll([]uint64{1, 2, 3})
	l.settle(1, crm.Unchanged)
	l.settle(2, crm.Held)
	l.end(2)
	l.end(3)
	l.sawAll([]uint64{4})
	l.end(4)
	l.settle(4, crm.Excluded) // a pair came to it by a merge
	l.sawAll([]uint64{5})
	l.same(5, 6) // it was merged into one that nobody read
	l.end(6)
	if read, tally, closed := l.close(); read != 2 || tally.Unchanged != 1 || tally.Held != 0 || !closed {
		t.Errorf("read %d, %+v, closed %v", read, tally, closed)
	}
}
