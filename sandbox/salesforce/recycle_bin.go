package salesforce

import (
	"fmt"
	"slices"
	"time"
)

// binLife is how long a deleted record can be seen by queryAll and undeleted.
// https://help.salesforce.com/s/articleView?id=xcloud.recycle_bin.htm
const binLife = 15 * 24 * time.Hour

// binnedRow is a place in the recycle bin. A row that was restored leaves a
// stale entry behind, which the next sweep drops.
type binnedRow struct {
	object *object
	row    *row
}

// bin notes that a row was deleted.
func (s *Server) bin(o *object, r *row) {
	s.binRows = append(s.binRows, binnedRow{o, r})
	if due := r.deletedAt + int64(binLife/time.Second); len(s.binRows) == 1 || due < s.binDue.Load() {
		s.binDue.Store(due)
	}
}

// binIsDue says whether something in the bin has lain there for its 15 days.
func (s *Server) binIsDue() bool {
	due := s.binDue.Load()
	return due > 0 && s.nowSeconds() >= due
}

// sweepBin removes for good what has lain in the bin for 15 days of the
// sandbox's clock. The caller holds the write lock.
func (s *Server) sweepBin() {
	if !s.binIsDue() {
		return
	}
	before := s.nowSeconds() - int64(binLife/time.Second)
	next := int64(0)
	s.binRows = slices.DeleteFunc(s.binRows, func(b binnedRow) bool {
		switch {
		case !b.row.deleted || b.object.find(b.row.id) != b.row:
			return true
		case b.row.deletedAt <= before:
			s.purge(b.object, b.row)
			return true
		}
		if due := b.row.deletedAt + int64(binLife/time.Second); next == 0 || due < next {
			next = due
		}
		return false
	})
	s.binDue.Store(next)
}

// purge removes a deleted row for good: no call finds it any more, and its id
// is not used again.
func (s *Server) purge(o *object, r *row) {
	for _, ix := range o.indexes {
		if ix != nil {
			ix.remove(r.get(ix.field), r)
		}
	}
	if n, ok := counterOf(r.id); ok {
		o.rows[n-o.first] = nil
	}
	o.purged = max(o.purged, r.deletedAt)
	r.stamp = -1 // makes its entry in the stamp log stale
	s.changes++
}

// binned finds a record in the recycle bin.
func (s *Server) binned(objectName, id string) (*object, *row, error) {
	o := s.object(objectName)
	if o == nil {
		return nil, nil, fmt.Errorf("no object %s", objectName)
	}
	long, _ := longID(id)
	r := o.find(long)
	if r == nil || !r.deleted {
		return nil, nil, fmt.Errorf("no %s %s in the recycle bin", objectName, id)
	}
	return o, r, nil
}

// undelete takes a row out of the bin. Children that were deleted at the same
// moment because of it come back too; references that others lost stay lost.
// A record that was merged away stands on its own again.
// https://developer.salesforce.com/docs/atlas.en-us.api.meta/api/sforce_api_calls_undelete.htm
func (s *Server) undelete(t *transaction, o *object, r *row) *failure {
	if !o.undeletable {
		return refuse("UNDELETE_FAILED", "entity is not undeletable: "+o.name)
	}
	return s.restore(t, o, r)
}

func (s *Server) restore(t *transaction, o *object, r *row) *failure {
	d := draftOf(r)
	if problem := s.unique(o, d, nil); problem != nil {
		return problem
	}
	if o.master != nil {
		d.set(o.master, value{})
	}
	gone := r.deletedAt
	t.restore(o, r, d.cells)
	for _, f := range o.childOrder {
		ix := f.object.indexes[f.index]
		if ix == nil || !f.Cascade {
			continue
		}
		var children []*row
		ix.find(textOf(r.id), func(child *row) bool {
			if child.deleted && child.deletedAt == gone {
				children = append(children, child)
			}
			return true
		})
		for _, child := range children {
			if !child.deleted {
				continue
			}
			if problem := s.restore(t, f.object, child); problem != nil {
				return problem
			}
		}
	}
	if o.name == "OpportunityLineItem" {
		s.sumLineItems(t, o, r.get(o.byName["opportunityid"]))
	}
	return nil
}

// EmptyRecycleBin removes deleted records for good, with what was deleted below
// them; all records of the bin when no id is given. Live records and unknown
// ids are refused, and then nothing is removed.
func (s *Server) EmptyRecycleBin(ids ...string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.sweepBin()
	var rows []binnedRow
	for _, id := range ids {
		long, _ := longID(id)
		o := s.objectOf(long)
		if o == nil || o.find(long) == nil || !o.find(long).deleted {
			return fmt.Errorf("empty the recycle bin: %s is not in it", id)
		}
		rows = append(rows, binnedRow{o, o.find(long)})
	}
	if ids == nil {
		rows = s.binRows
	}
	for _, b := range slices.Clone(rows) {
		if b.row.deleted && b.object.find(b.row.id) == b.row {
			s.purgeBelow(b.object, b.row)
		}
	}
	return nil
}

// HardDelete deletes a record and removes it for good, without a time in the
// bin: what the Bulk API's hardDelete does.
func (s *Server) HardDelete(objectName, id string) error {
	s.mu.RLock()
	_, _, err := s.binned(objectName, id)
	s.mu.RUnlock()
	if err != nil {
		if err := s.Delete(objectName, id); err != nil {
			return err
		}
	}
	return s.EmptyRecycleBin(id)
}

// purgeBelow purges a row and the deleted rows that hang on it.
func (s *Server) purgeBelow(o *object, r *row) {
	for _, f := range o.childOrder {
		ix := f.object.indexes[f.index]
		if ix == nil || !f.Cascade {
			continue
		}
		var children []*row
		ix.find(textOf(r.id), func(child *row) bool {
			if child.deleted {
				children = append(children, child)
			}
			return true
		})
		for _, child := range children {
			if f.object.find(child.id) == child {
				s.purgeBelow(f.object, child)
			}
		}
	}
	s.purge(o, r)
}
