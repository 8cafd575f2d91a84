package hubspot

import (
	"context"
	"io"
	"net/http"
	"net/url"
	"slices"
	"sync"

	"github.com/lockstep-sync/lockstep/internal/apicall"
	"github.com/lockstep-sync/lockstep/internal/crm"
	"github.com/lockstep-sync/lockstep/internal/fault"
)

// applyLists sends writes of lists. Lists have no batches: each is made, renamed,
// deleted and restored by a call of its own; its members are added and removed
// in one call for up to 100,000 of them.
func (c *Client) applyLists(ctx context.Context, writes []crm.Write) ([]crm.Result, error) {
	a := &application{client: c, results: make([]crm.Result, len(writes))}
	members := map[string][]int{}
	var alone, order []string
	singles := map[string][]int{}
	for i := range writes {
		w := &writes[i]
		a.results[i].Key = w.Key
		if w.Op == crm.Relate || w.Op == crm.Unrelate {
			if members[w.ID] == nil {
				order = append(order, w.ID)
			}
			members[w.ID] = append(members[w.ID], i)
			continue
		}
		key := w.ID
		if key == "" {
			key = w.Key
		}
		if singles[key] == nil {
			alone = append(alone, key)
		}
		singles[key] = append(singles[key], i)
	}
	a.each(ctx, alone, func(key string) {
		for _, i := range singles[key] {
			a.list(ctx, &writes[i], i)
		}
	})
	a.each(ctx, order, func(id string) {
		for chunk := range slices.Chunk(members[id], memberChanges) {
			a.members(ctx, id, writes, chunk)
		}
	})
	return a.results, a.stop()
}

// each does something for several lists at once.
func (a *application) each(ctx context.Context, keys []string, do func(string)) {
	var group sync.WaitGroup
	slots := make(chan struct{}, atOnce)
	for _, key := range keys {
		slots <- struct{}{}
		group.Go(func() {
			defer func() { <-slots }()
			if err := a.stop(); err == nil && ctx.Err() != nil {
				a.halt(stopped(ctx.Err()))
			}
			do(key)
		})
	}
	group.Wait()
}

// list sends one write to a list itself.
func (a *application) list(ctx context.Context, w *crm.Write, i int) {
	c := a.client
	b := &batch{verb: map[crm.Op]verb{crm.Create: create, crm.Archive: archive}[w.Op], object: listsObject, writes: []*crm.Write{w}, index: []int{i}}
	if w.Op == crm.Update || w.Op == crm.Restore {
		b.verb = update
	}
	if err := a.stop(); err != nil {
		a.refuse(b, unsent(err))
		return
	}
	var err error
	id := w.ID
	switch fields := properties(w); w.Op {
	case crm.Create:
		id, err = c.createList(ctx, fields, &a.results[i])
	case crm.Update:
		if name, given := fields[listName]; given {
			err = c.put(ctx, c.paths.list(id)+"/update-list-name", url.Values{"listName": {name}}, nil, a.requestOf(i))
		}
	case crm.Archive:
		if err = c.remove(ctx, c.paths.list(id)); fault.KindOf(err) == fault.NotFound {
			err = nil // it is gone
		}
	case crm.Restore:
		err = c.put(ctx, c.paths.list(id)+"/restore", nil, nil, a.requestOf(i))
	default:
		err = fault.New(fault.Internal, "%q is no kind of write to a list", w.Op)
	}
	if err != nil {
		a.failed(ctx, b, err)
		return
	}
	a.results[i].ID, a.results[i].Created = id, w.Op == crm.Create
}

// requestOf keeps the vendor's id of a call whose answer says nothing else.
func (a *application) requestOf(i int) decode {
	return func(_ int, header http.Header, _ io.Reader) error {
		a.results[i].RequestID = requestIDOf(header)
		return nil
	}
}

// createList makes a list of contacts, to be filled by hand unless the write
// says otherwise.
func (c *Client) createList(ctx context.Context, fields map[string]string, result *crm.Result) (id string, err error) {
	kind := fields[listKind]
	if kind == "" {
		kind = manualList
	}
	if kind == dynamicList {
		return "", fault.New(fault.Invalid, "a dynamic list needs filters, which no other system can give it").WithMend("leave processingType out: the new list is filled by hand")
	}
	body, err := marshal(map[string]string{"name": fields[listName], "objectTypeId": listsOf, "processingType": kind})
	if err != nil {
		return "", err
	}
	var answer struct {
		List list `json:"list"`
	}
	err = c.post(ctx, c.paths.lists(), nil, body, apicall.Once, func(status int, header http.Header, body io.Reader) error {
		result.RequestID = requestIDOf(header)
		return apicall.Into(&answer)(status, header, body)
	})
	if err == nil && answer.List.ID == "" {
		err = fault.New(fault.Unavailable, "HubSpot made a list and did not say its id")
	}
	return answer.List.ID, err
}

// members adds and removes members of one list. A record that is a member already,
// or none any more, is as it was wanted; one that HubSpot does not have cannot be added.
// https://developers.hubspot.com/docs/api-reference/latest/crm/lists/memberships/update-list-memberships
func (a *application) members(ctx context.Context, id string, writes []crm.Write, some []int) {
	b := &batch{verb: relateDefault, object: listsObject, far: listMembers}
	change := struct {
		Add    []string `json:"recordIdsToAdd"`
		Remove []string `json:"recordIdsToRemove"`
	}{[]string{}, []string{}}
	for _, i := range some {
		w := &writes[i]
		b.writes, b.index = append(b.writes, w), append(b.index, i)
		if w.Op == crm.Relate {
			change.Add = append(change.Add, w.Relation.ID)
		} else {
			change.Remove = append(change.Remove, w.Relation.ID)
		}
	}
	err := a.stop()
	if err != nil {
		a.refuse(b, unsent(err))
		return
	}
	body, err := marshal(change)
	if err != nil {
		a.failed(ctx, b, err)
		return
	}
	var answer struct {
		Missing []flexibleID `json:"recordIdsMissing"`
	}
	request := ""
	err = a.client.put(ctx, a.client.paths.list(id)+"/memberships/add-and-remove", nil, body, func(status int, header http.Header, body io.Reader) error {
		request = requestIDOf(header)
		answer.Missing = nil
		return apicall.Into(&answer)(status, header, body)
	})
	if err != nil {
		a.failed(ctx, b, err)
		return
	}
	missing := make(map[string]bool, len(answer.Missing))
	for _, far := range answer.Missing {
		missing[string(far)] = true
	}
	for _, i := range some {
		w, r := &writes[i], &a.results[i]
		r.ID, r.RequestID = w.ID, request
		if w.Op == crm.Relate && missing[w.Relation.ID] {
			e := fault.New(fault.Invalid, "HubSpot has no contact %s to put into the list", w.Relation.ID).WithMend("run the sync again: it is looked up before anything is repeated")
			r.Err, r.Cause = e, "RECORD_MISSING"
		}
	}
}
