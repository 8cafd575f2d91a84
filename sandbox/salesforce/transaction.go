package salesforce

import "time"

// transaction is what one call changes. Every change can be taken back, so that
// all-or-none calls leave nothing behind.
type transaction struct {
	server *Server
	user   *user
	now    int64 // seconds: one stamp for all that the call changes
	took   int64 // seconds from that stamp to the commit
	origin string
	undos  []undo
}

type undo struct {
	object  *object
	row     *row
	before  row
	created bool
	silent  bool // moved no stamp, so that nobody is told
}

// begin starts a transaction; the dial of late commits may let it have begun
// earlier.
func (s *Server) begin(u *user) *transaction {
	t := &transaction{server: s, user: u, now: s.clock.Now().Unix()}
	if late := s.dials.LateCommit(); late > 0 {
		t.take(late)
	}
	return t
}

// take lets the transaction have run for so long before its commit, which is now.
func (t *transaction) take(d time.Duration) {
	t.now += t.took
	t.took = int64(d / time.Second)
	t.now -= t.took
}

// stampOn is the transaction's stamp on a row. While another transaction held
// the row this one waited, so that it is no earlier than that one's commit.
func (t *transaction) stampOn(r *row) int64 {
	if t.took == 0 {
		return t.now
	}
	return max(t.now, r.stamp+int64(r.late))
}

// lateness is the row's time from its stamp to the commit.
func (t *transaction) lateness(stamp int64) int32 { return int32(max(0, t.now+t.took-stamp)) }

func (t *transaction) mark() int { return len(t.undos) }

// rollback takes back everything since the mark.
func (t *transaction) rollback(mark int) {
	for i := len(t.undos) - 1; i >= mark; i-- {
		u := t.undos[i]
		if u.created {
			u.object.drop(u.row)
			continue
		}
		u.object.become(u.row, u.before)
	}
	t.undos = t.undos[:mark]
}

// create stores a new row with the next id.
func (t *transaction) create(o *object, cells []value, created, modified int64, by string) *row {
	r := &row{
		id: makeID(o.prefix, o.first+uint64(len(o.rows))), cells: cells,
		created: created, modified: modified, stamp: modified, createdBy: by, modifiedBy: by,
	}
	if t.took > 0 {
		r.late = t.lateness(modified)
	}
	o.rows = append(o.rows, r)
	o.live++
	o.enter(r)
	t.undos = append(t.undos, undo{object: o, row: r, created: true})
	t.server.changes++
	return r
}

// update gives the row other cells. A system change moves SystemModstamp alone.
func (t *transaction) update(o *object, r *row, cells []value, system bool) {
	next := t.stamped(r)
	next.cells = cells
	if !system {
		next = t.edited(next)
	}
	t.change(o, r, next)
}

// remove puts the row into the recycle bin.
func (t *transaction) remove(o *object, r *row) {
	next := t.edited(t.stamped(r))
	next.deleted, next.deletedAt = true, t.now
	t.change(o, r, next)
	t.server.bin(o, r)
}

// restore takes the row out of the recycle bin.
func (t *transaction) restore(o *object, r *row, cells []value) {
	next := t.edited(t.stamped(r))
	next.cells, next.deleted, next.deletedAt = cells, false, 0
	t.change(o, r, next)
}

// stamped is the row with the transaction's SystemModstamp.
func (t *transaction) stamped(r *row) row {
	next := *r
	next.stamp, next.late = t.stampOn(r), 0
	if t.took > 0 {
		next.late = t.lateness(next.stamp)
	}
	return next
}

// edited names the user as the row's last editor.
func (t *transaction) edited(next row) row {
	next.modified = next.stamp
	if t.user != nil {
		next.modifiedBy = t.user.id
	}
	return next
}

func (t *transaction) change(o *object, r *row, next row) {
	t.undos = append(t.undos, undo{object: o, row: r, before: *r})
	o.become(r, next)
	t.server.changes++
}

// commit ends the transaction: what it changed cannot be taken back any more.
func (t *transaction) commit() {
	if t.server.watching && len(t.undos) > 0 {
		t.server.publish(t)
	}
	t.undos = t.undos[:0]
}

// enter puts a row into all indexes.
func (o *object) enter(r *row) {
	for _, ix := range o.indexes {
		if ix != nil {
			ix.insert(r.get(ix.field), r)
		}
	}
	o.stamps.insert(r)
}

// become replaces the state of a row and moves it in the indexes.
func (o *object) become(r *row, next row) {
	for _, ix := range o.indexes {
		if ix == nil {
			continue
		}
		before, after := r.cell(ix.field.index), next.cell(ix.field.index) // only stored fields have an index
		if !before.equal(after) {
			ix.remove(before, r)
			ix.insert(after, r)
		}
	}
	if r.deleted != next.deleted {
		if next.deleted {
			o.live--
		} else {
			o.live++
		}
	}
	moved := r.stamp != next.stamp
	*r = next
	if moved {
		o.stamps.insert(r)
	}
}

// drop forgets a row that was never committed; its id is not used again.
func (o *object) drop(r *row) {
	for _, ix := range o.indexes {
		if ix != nil {
			ix.remove(r.get(ix.field), r)
		}
	}
	if n, ok := counterOf(r.id); ok {
		o.rows[n-o.first] = nil
	}
	o.live--
	r.stamp = -1 // makes its entry in the stamp log stale
}

// find returns the row with the 18-character id, deleted or not.
func (o *object) find(id string) *row {
	if len(id) != longIDLength || id[:3] != o.prefix {
		return nil
	}
	n, ok := counterOf(id)
	if !ok || n < o.first || n-o.first >= uint64(len(o.rows)) {
		return nil
	}
	return o.rows[n-o.first]
}

// orderedStamps returns the stamp log in order. The caller holds the server's
// read lock, so nothing is added meanwhile.
func (o *object) orderedStamps() []stampEntry {
	o.stamps.mu.Lock()
	defer o.stamps.mu.Unlock()
	o.stamps.order(len(o.rows))
	return o.stamps.entries
}

func (s *Server) nowSeconds() int64 { return s.clock.Now().Unix() }

func seconds(t time.Time) int64 { return t.Unix() }
