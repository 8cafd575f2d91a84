package salesforce

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/lockstep-sync/lockstep/internal/apicall"
	"github.com/lockstep-sync/lockstep/internal/crm"
	"github.com/lockstep-sync/lockstep/internal/fault"
)

const (
	// collectionRecords is how many records one collection takes.
	// https://developer.salesforce.com/docs/atlas.en-us.api_rest.meta/api_rest/resources_composite_sobjects_collections.htm
	collectionRecords = 200
	// mostLost is after how many calls in a row without an answer Salesforce is
	// taken to be out of reach, and the rest is not sent.
	mostLost = 2
	// mostHalvings bounds the search for records that spoil a whole collection:
	// finding one among 200 takes eight.
	mostHalvings = 100
)

// lockRounds are the sizes in which records that somebody else held are sent
// again: smaller each time, so that fewer of them hold each other.
var lockRounds = []int{collectionRecords, 50, 10, 1}

// item is one record on its way: the write that it answers to, and the JSON or
// the id that travels.
type item struct {
	write  int
	record []byte
	id     string
}

// lane is one way to send records of one kind of write.
type lane struct {
	method string
	path   string
	safety apicall.Safety
	// creates: the lane may make new records, which duplicate rules look at.
	creates bool
	// fresh: success means that the record is new; an upsert says so itself.
	fresh bool
	// deletes: ids travel in the address, and a record that is gone is success.
	deletes bool
}

func createLane() lane {
	return lane{method: http.MethodPost, path: "/composite/sobjects", safety: apicall.Once, creates: true, fresh: true}
}

func updateLane() lane {
	return lane{method: http.MethodPatch, path: "/composite/sobjects", safety: apicall.Keyed}
}

func upsertLane(object, field string) lane {
	return lane{method: http.MethodPatch, path: "/composite/sobjects/" + url.PathEscape(object) + "/" + url.PathEscape(field), safety: apicall.Keyed, creates: true}
}

func deleteLane() lane {
	return lane{method: http.MethodDelete, path: "/composite/sobjects", safety: apicall.Keyed, deletes: true}
}

// sender sends items and writes their results.
type sender struct {
	client  *Client
	results []crm.Result
	settled []bool
	// doubted are writes that an attempt without an answer may have made.
	doubted map[int]bool
	// duplicates are items that a duplicate rule refused without saying what it
	// found.
	duplicates []item
	// lost counts calls in a row without an answer.
	lost     int
	halvings int
}

// itemAnswer is the result of one record of a collection.
type itemAnswer struct {
	ID      string    `json:"id"`
	Success bool      `json:"success"`
	Created *bool     `json:"created"`
	Errors  []problem `json:"errors"`
}

// send sends items over a lane. The error is for what stops everything; items
// that were not sent then have no result yet.
func (s *sender) send(ctx context.Context, l lane, items []item) error {
	for round, size := range lockRounds {
		last := round == len(lockRounds)-1
		locked, err := s.round(ctx, l, items, size, last)
		if err != nil || len(locked) == 0 {
			return err
		}
		items = locked
		if err := s.client.rest(ctx, round); err != nil {
			return err
		}
	}
	return nil
}

// rest waits before records that were locked are sent again.
func (c *Client) rest(ctx context.Context, round int) error {
	c.mu.Lock()
	wait := time.Second<<round/2 + time.Duration(c.chance.Float64()*float64(time.Second<<round/2))
	c.mu.Unlock()
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return fault.New(fault.Unavailable, "stopped while waiting for records that others held").Wrap(context.Cause(ctx))
	}
}

// round sends all items once, size in a collection, five collections in a call
// when there are several. It returns the items whose records somebody else
// held, unless it is the last round, in which that is their result.
func (s *sender) round(ctx context.Context, l lane, items []item, size int, last bool) (locked []item, err error) {
	var chunks [][]item
	for first := 0; first < len(items); first += size {
		chunks = append(chunks, items[first:min(first+size, len(items))])
	}
	for first := 0; first < len(chunks); first += compositeQueries {
		batch := chunks[first:min(first+compositeQueries, len(chunks))]
		var again []item
		if len(batch) == 1 {
			again, err = s.single(ctx, l, batch[0], last)
		} else {
			again, err = s.packed(ctx, l, batch, last)
		}
		locked = append(locked, again...)
		if err != nil {
			s.giveBack(locked, err)
			return nil, err
		}
	}
	return locked, nil
}

// giveBack settles items that will not be tried again because everything stopped.
func (s *sender) giveBack(items []item, err error) {
	for _, it := range items {
		s.notDone(it, err)
		s.results[it.write].Unknown = s.doubted[it.write]
	}
}

// notDone settles an item that nothing was said about: it was not sent, or its
// whole call was turned away. No status code refused the record, so there is no
// Cause.
func (s *sender) notDone(it item, err error) {
	s.fail(it, err, "")
	s.results[it.write].Cause = ""
}

// single sends one collection.
func (s *sender) single(ctx context.Context, l lane, items []item, last bool) (locked []item, err error) {
	lost := false
	call := apicall.Call{Method: l.method, Path: l.path, Safety: l.safety, Lost: &lost}
	if l.deletes {
		call.Query = deleteQuery(items)
	} else {
		call.Body = collection(items)
	}
	var answer compositeAnswer
	err = s.client.do(ctx, call, func(status int, header http.Header, body io.Reader) error {
		answer = compositeAnswer{Status: status, requestID: requestIDOf(header)}
		return apicall.Into(&answer.Body)(status, header, body)
	})
	if err != nil {
		return s.refused(ctx, l, items, err, last)
	}
	s.lost = 0
	answer.repeated = lost
	return s.settle(l, items, &answer, last), nil
}

// packed sends up to five collections in one call.
func (s *sender) packed(ctx context.Context, l lane, chunks [][]item, last bool) (locked []item, err error) {
	session, err := s.client.open(ctx)
	if err != nil {
		return nil, err
	}
	parts := make([]compositePart, len(chunks))
	for i, items := range chunks {
		parts[i] = compositePart{Method: l.method, URL: session.data + l.path, ReferenceID: reference(i), Headers: writeHeaders}
		if l.deletes {
			parts[i].URL += "?" + deleteQuery(items).Encode()
		} else {
			parts[i].Body = collection(items)
		}
	}
	answers, err := s.client.composite(ctx, parts, l.safety)
	if err != nil {
		return s.packedRefused(ctx, l, chunks, err, last)
	}
	s.lost = 0
	for i, items := range chunks {
		a := &answers[i]
		if a.Status == http.StatusOK || a.Status == http.StatusCreated {
			locked = append(locked, s.settle(l, items, a, last)...)
			continue
		}
		again, err := s.refused(ctx, l, items, a.partFault(l), last)
		locked = append(locked, again...)
		if err != nil {
			return locked, err
		}
	}
	return locked, nil
}

// partFault is why a whole collection inside a composite call was refused. A
// part without an answer leaves it open whether its records were written.
func (a *compositeAnswer) partFault(l lane) error {
	e := a.fault()
	if a.Status == 0 || a.Status >= 500 && e.Code != lockedRow {
		return &lostPart{e}
	}
	return e
}

// lostPart is a part of a composite call whose effect is not known.
type lostPart struct{ cause *fault.Error }

// Error returns the cause's text.
func (l *lostPart) Error() string { return l.cause.Error() }

// Unwrap returns the cause.
func (l *lostPart) Unwrap() error { return l.cause }

// packedRefused handles a composite call that failed as a whole.
func (s *sender) packedRefused(ctx context.Context, l lane, chunks [][]item, err error, last bool) (locked []item, _ error) {
	if fault.KindOf(err) != fault.Invalid {
		var all []item
		for _, items := range chunks {
			all = append(all, items...)
		}
		return s.refused(ctx, l, all, err, last)
	}
	// It had no effect, and one of the records is to blame: find out which by
	// sending the collections one by one.
	for _, items := range chunks {
		again, err := s.single(ctx, l, items, last)
		locked = append(locked, again...)
		if err != nil {
			return locked, err
		}
	}
	return locked, nil
}

// refused handles a call, or a part of one, that was refused as a whole.
func (s *sender) refused(ctx context.Context, l lane, items []item, err error, last bool) (locked []item, _ error) {
	lost := isLost(err)
	switch {
	case isCode(err, lockedRow) && !last:
		return items, nil
	case isCode(err, lockedRow):
		err = problem{StatusCode: lockedRow, Message: "unable to obtain exclusive access to this record"}.fault()
	case fault.KindOf(err) == fault.Invalid && len(items) > 1 && s.halvings < mostHalvings:
		// A value that is malformed is refused for all: halve until it is alone.
		s.halvings++
		for _, half := range [][]item{items[:len(items)/2], items[len(items)/2:]} {
			again, err := s.single(ctx, l, half, last)
			locked = append(locked, again...)
			if err != nil {
				return locked, err
			}
		}
		return locked, nil
	}
	stops := ctx.Err() != nil || stopsEverything(err)
	for _, it := range items {
		if stops {
			s.notDone(it, err)
		} else {
			s.fail(it, err, "")
		}
		s.results[it.write].Unknown = lost || s.doubted[it.write] && fault.KindOf(err) != fault.Invalid
	}
	if stops {
		return nil, err
	}
	if fault.KindOf(err) == fault.Unavailable && !isCode(err, lockedRow) {
		if s.lost++; s.lost >= mostLost {
			return nil, err
		}
	}
	return nil, nil
}

func isLost(err error) bool {
	_, part := err.(*lostPart)
	return part || unknownEffect(err)
}

// settle writes the results of one collection and returns the locked items.
func (s *sender) settle(l lane, items []item, answer *compositeAnswer, last bool) (locked []item) {
	var answers []itemAnswer
	if err := json.Unmarshal(answer.Body, &answers); err != nil || len(answers) != len(items) {
		e := fault.New(fault.Unavailable, "Salesforce answered %d records with %d results", len(items), len(answers))
		e.RequestID = answer.requestID
		for _, it := range items {
			s.fail(it, e, answer.requestID)
			s.results[it.write].Unknown = true
		}
		return nil
	}
	for i, it := range items {
		if answer.repeated {
			if s.doubted == nil {
				s.doubted = map[int]bool{}
			}
			s.doubted[it.write] = true
		}
		if s.settleItem(l, it, &answers[i], answer.requestID, last) {
			locked = append(locked, it)
			continue
		}
		r := &s.results[it.write]
		r.Repeated = s.doubted[it.write]
		// Held by somebody now, it may have been written before.
		r.Unknown = r.Repeated && r.Cause == lockedRow
	}
	return locked
}

func (s *sender) settleItem(l lane, it item, a *itemAnswer, requestID string, last bool) (locked bool) {
	r := &s.results[it.write]
	if a.Success {
		s.settled[it.write] = true
		*r = crm.Result{Key: r.Key, ID: longID(a.ID), Created: l.fresh, RequestID: requestID}
		if a.Created != nil {
			r.Created = *a.Created
		}
		return false
	}
	p := problem{StatusCode: "UNKNOWN_EXCEPTION", Message: "the record was refused without a reason"}
	if len(a.Errors) > 0 {
		p = a.Errors[0]
	}
	switch {
	case p.code() == lockedRow && !last:
		return true
	case l.deletes && (p.code() == "ENTITY_IS_DELETED" || p.code() == "NOT_FOUND"):
		s.settled[it.write] = true
		*r = crm.Result{Key: r.Key, ID: it.id, Already: !s.doubted[it.write], RequestID: requestID}
		return false
	case p.code() == duplicatesDetected && len(p.Duplicates.matches()) == 0 && l.creates:
		s.duplicates = append(s.duplicates, it)
	}
	s.failWith(it, p, requestID)
	return false
}

func (s *sender) failWith(it item, p problem, requestID string) {
	s.fail(it, p.fault(), requestID)
	s.results[it.write].Fields = p.Fields
	s.results[it.write].ID = holderOf(p)
}

// fail writes down why an item was not written.
func (s *sender) fail(it item, err error, requestID string) {
	key := s.results[it.write].Key
	s.settled[it.write] = true
	s.results[it.write] = crm.Result{Key: key, Err: err, RequestID: requestID}
	if e, ok := fault.As(err); ok {
		s.results[it.write].Cause = e.Code
		if requestID == "" {
			s.results[it.write].RequestID = e.RequestID
		}
	}
}

func collection(items []item) []byte {
	var b bytes.Buffer
	b.WriteString(`{"allOrNone":false,"records":[`)
	for i, it := range items {
		if i > 0 {
			b.WriteByte(',')
		}
		b.Write(it.record)
	}
	b.WriteString(`]}`)
	return b.Bytes()
}

func deleteQuery(items []item) url.Values {
	ids := make([]string, len(items))
	for i, it := range items {
		ids[i] = it.id
	}
	return url.Values{"ids": {strings.Join(ids, ",")}, "allOrNone": {"false"}}
}
