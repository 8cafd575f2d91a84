package hubspot

import (
	"context"
	"math"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/lockstep-sync/lockstep/internal/apicall"
	"github.com/lockstep-sync/lockstep/internal/crm"
	"github.com/lockstep-sync/lockstep/internal/fault"
)

// Lists are no CRM object of HubSpot: they have an API of their own, a name, a
// way in which they get their members, and the members. This client shows them
// as the object "lists" all the same, whose associations with contacts are the
// memberships. Only lists of contacts are shown.
// https://developers.hubspot.com/docs/api-reference/latest/crm/lists/guide
const (
	listsObject  = "lists"
	listName     = "name"
	listKind     = "processingType"
	listCreated  = "createdAt"
	listUpdated  = "updatedAt"
	listsOf      = "0-1" // contacts, in words of HubSpot's paths
	listMembers  = "contacts"
	dynamicList  = "DYNAMIC"
	manualList   = "MANUAL"
	snapshotList = "SNAPSHOT"

	// listSearchPage is the most lists of one page, memberPage the most members.
	listSearchPage = 500
	memberPage     = "250"
	// memberChanges is how many records one call adds and removes at most.
	memberChanges = 100_000
	// listsByID keeps the address of a call for some lists short.
	listsByID = 100
	// listsByName is how many lists are asked for by name, one a call, before all
	// are looked through instead.
	listsByName = 10
	// listReads is how often the lists are read when their number moved meanwhile.
	listReads = 3
	// membersSettle is how long after a list's stamps moved its members may still
	// move without them: how late the stamps are is not established.
	membersSettle = time.Minute
	// rememberedMembers bounds the memberships that are kept to tell what did not
	// change: about 16 bytes each.
	rememberedMembers = 500_000
)

var listScopes = struct{ read, write []string }{[]string{"crm.lists.read"}, []string{"crm.lists.write"}}

func isList(object string) bool { return object == listsObject }

// list is one list as HubSpot tells it.
type list struct {
	ID        string    `json:"listId"`
	Name      string    `json:"name"`
	Type      string    `json:"objectTypeId"`
	Kind      string    `json:"processingType"`
	CreatedAt time.Time `json:"createdAt"`
	UpdatedAt time.Time `json:"updatedAt"`
	DeletedAt string    `json:"deletedAt"`
	// Stamps come with a search only: size, and when somebody joined and left.
	Stamps map[string]string `json:"additionalProperties"`
}

// memberStamps are the properties of a list that move with its members.
var memberStamps = []string{"hs_list_size", "hs_last_record_added_at", "hs_last_record_removed_at"}

// stamp is what moves when the members do.
func (l *list) stamp() string {
	var parts []string
	for _, name := range memberStamps {
		parts = append(parts, l.Stamps[name])
	}
	return strings.Join(parts, "|")
}

// movedMicros is the latest change of the list or of its members that HubSpot
// tells of; a stamp in a form that cannot be read may be of any time.
func (l *list) movedMicros() int64 {
	at := l.UpdatedAt
	for _, name := range memberStamps[1:] {
		t, ok := parseListTime(l.Stamps[name])
		switch {
		case l.Stamps[name] == "":
		case !ok:
			return math.MaxInt64
		case t.After(at):
			at = t
		}
	}
	return at.UnixMicro()
}

// parseListTime reads a stamp as RFC 3339 or as Unix milliseconds: which of the
// two HubSpot sends is not documented.
func parseListTime(text string) (time.Time, bool) {
	if ms, err := strconv.ParseInt(text, 10, 64); err == nil {
		return time.UnixMilli(ms), true
	}
	t, err := time.Parse(time.RFC3339, text)
	return t, err == nil
}

// record says a list in the words of package crm, without its members.
func (l *list) record(layout *crm.Layout) crm.Record {
	r := crm.Record{Layout: layout, ID: l.ID, CreatedMicros: l.CreatedAt.UnixMicro(), ModifiedMicros: l.UpdatedAt.UnixMicro(), Values: make([]crm.Value, len(layout.Fields))}
	for i, field := range layout.Fields {
		switch field {
		case listName:
			r.Values[i] = crm.Text(l.Name)
		case listKind:
			r.Values[i] = crm.Text(l.Kind)
		case listCreated:
			r.Values[i] = crm.Text(l.CreatedAt.UTC().Format(time.RFC3339Nano))
		case listUpdated:
			r.Values[i] = crm.Text(l.UpdatedAt.UTC().Format(time.RFC3339Nano))
		case idProperty:
			r.Values[i] = crm.Text(l.ID)
		}
	}
	return r
}

// listObject is the schema of lists, which HubSpot does not describe.
func (c *Client) listObject() *crm.Object {
	o := &crm.Object{Side: crm.HubSpot, Name: listsObject, Label: "List", LabelPlural: "Lists"}
	c.rights(o, listScopes.write)
	return o
}

// describeLists asks for one list, which shows whether the token may see any.
func (c *Client) describeLists(ctx context.Context) (*crm.Object, error) {
	if _, err := c.searchLists(ctx, listSearch{Count: 1, Additional: []string{}}); err != nil {
		return nil, err
	}
	o := c.listObject()
	kind := func(value, label string) crm.Option { return crm.Option{Value: value, Label: label, Active: true} }
	o.Fields = []crm.Field{
		{Name: idProperty, Label: "List ID", Kind: crm.KindID, Type: "string/text", Calculated: true},
		{Name: listName, Label: "Name", Kind: crm.KindText, Type: "string/text", Required: true, Filterable: true, Creatable: o.Creatable, Updatable: o.Updatable},
		{Name: listKind, Label: "Processing type", Kind: crm.KindPicklist, Type: "enumeration/select", Creatable: o.Creatable, Restricted: true, Help: "How the list gets its members.",
			Options: []crm.Option{kind(manualList, "Manual"), kind(snapshotList, "Snapshot"), kind(dynamicList, "Dynamic")}},
		{Name: listCreated, Label: "Created at", Kind: crm.KindDateTime, Type: "datetime/date"},
		{Name: listUpdated, Label: "Updated at", Kind: crm.KindDateTime, Type: "datetime/date"},
	}
	c.mu.Lock()
	c.schemas[listsObject] = o
	c.mu.Unlock()
	return o, nil
}

type listSearch struct {
	Query      string   `json:"query"`
	Kinds      []string `json:"processingTypes,omitempty"`
	Type       string   `json:"objectTypeId,omitempty"`
	Offset     int      `json:"offset"`
	Count      int      `json:"count"`
	Additional []string `json:"additionalProperties"`
}

type listPageAnswer struct {
	Lists   []list `json:"lists"`
	HasMore bool   `json:"hasMore"`
	Offset  int    `json:"offset"`
	Total   int    `json:"total"`
}

func (c *Client) searchLists(ctx context.Context, query listSearch) (*listPageAnswer, error) {
	body, err := marshal(query)
	if err != nil {
		return nil, err
	}
	p := new(listPageAnswer)
	return p, c.post(ctx, c.paths.lists()+"/search", nil, body, apicall.ReadOnly, apicall.Into(p))
}

// allLists reads every live list of contacts, 500 a call, with the vendor's own
// count. The pages are cut by number, so that a list that is made or deleted
// meanwhile may push another one over a border: where the sum is not the count,
// all are read again.
func (c *Client) allLists(ctx context.Context) (found []list, total int, err error) {
	for range listReads {
		seen := map[string]bool{}
		found = found[:0]
		for offset := 0; ; {
			// Lists of other kinds (HubSpot makes some for itself) refuse to tell their members.
			p, err := c.searchLists(ctx, listSearch{Type: listsOf, Kinds: []string{manualList, snapshotList, dynamicList}, Offset: offset, Count: listSearchPage, Additional: memberStamps})
			if err != nil {
				return nil, 0, err
			}
			total = p.Total
			for i := range p.Lists {
				l := p.Lists[i]
				if !seen[l.ID] && l.Type == listsOf && l.DeletedAt == "" {
					found = append(found, l)
				}
				seen[l.ID] = true
			}
			if !p.HasMore || len(p.Lists) == 0 {
				break
			}
			offset = max(p.Offset, offset+1)
		}
		if len(seen) == total {
			return found, len(found), nil
		}
	}
	return found, total, fault.New(fault.Conflict, "the read of HubSpot lists is short: the pages gave %d of %d", len(found), total).
		WithMend("run the command again when fewer lists are made or deleted at once")
}

// membersOf reads the ids of a list's members, 250 a call, in the order of ids;
// there is false when the list is gone.
func (c *Client) membersOf(ctx context.Context, id string) (ids []string, there bool, err error) {
	for after := ""; ; {
		query := url.Values{"limit": {memberPage}}
		if after != "" {
			query.Set("after", after)
		}
		var answer struct {
			Results []struct {
				ID flexibleID `json:"recordId"`
			} `json:"results"`
			Paging paging `json:"paging"`
		}
		err := c.get(ctx, c.paths.list(id)+"/memberships", query, apicall.Into(&answer))
		if fault.KindOf(err) == fault.NotFound {
			return nil, false, nil
		}
		if err != nil {
			return nil, false, err
		}
		for _, m := range answer.Results {
			ids = append(ids, string(m.ID))
		}
		if after = answer.Paging.Next.After; after == "" {
			break
		}
	}
	slices.SortFunc(ids, compareNumbers)
	return slices.Compact(ids), true, nil
}

func compareNumbers(a, b string) int {
	if len(a) != len(b) {
		return len(a) - len(b)
	}
	return strings.Compare(a, b)
}

// fillLists gives records of lists their members, several lists at once. Those
// of lists that have gone meanwhile are left out.
func (c *Client) fillLists(ctx context.Context, read crm.Read, lists []list, fresh bool) ([]crm.Record, error) {
	records := make([]crm.Record, len(lists))
	gone := make([]bool, len(lists))
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(atOnce)
	for i := range lists {
		records[i] = lists[i].record(read.Layout)
		if !slices.Contains(read.Relations, listMembers) {
			continue
		}
		group.Go(func() error {
			ids, there, err := c.members(ctx, &lists[i], fresh)
			gone[i] = !there
			records[i].Relations = make([]crm.Relation, len(ids))
			for k, id := range ids {
				records[i].Relations[k] = crm.Relation{Object: listMembers, ID: id}
			}
			return err
		})
	}
	if err := group.Wait(); err != nil {
		return nil, err
	}
	out := records[:0]
	for i := range records {
		if !gone[i] {
			out = append(out, records[i])
		}
	}
	return out, nil
}

// members are those of a list, from memory where its stamps say that they did
// not change, unless they are wanted fresh.
func (c *Client) members(ctx context.Context, l *list, fresh bool) (ids []string, there bool, err error) {
	now := c.now()
	if known := c.listsSeen.of(l, now); known != nil && !fresh {
		return known, true, nil
	}
	ids, there, err = c.membersOf(ctx, l.ID)
	if err == nil && there && l.Stamps != nil {
		c.listsSeen.keep(l, ids, now)
	}
	return ids, there, err
}

// readLists streams every list once.
func (c *Client) readLists(ctx context.Context, read crm.Read, yield func([]crm.Record) error) (crm.ReadReport, error) {
	ctx, calls := tallied(ctx)
	began := c.now()
	report := crm.ReadReport{Expected: -1, Method: "search of lists", Overlap: usualOverlap, NextMicros: began.Add(-usualOverlap).UnixMicro()}
	lists, total, err := c.allLists(ctx)
	if err == nil {
		c.listsSeen.begin(lists)
		report.Expected = total
		for chunk := range slices.Chunk(lists, listsByID) {
			var records []crm.Record
			if records, err = c.fillLists(ctx, read, chunk, true); err != nil {
				break
			}
			report.Expected -= len(chunk) - len(records) // gone since they were counted
			report.Rows += len(records)
			if err = yield(records); err != nil {
				break
			}
		}
	}
	report.Calls = int(calls.Load())
	return report, err
}

// listChanges streams the lists that HubSpot stamped since, those whose stamps
// are not as they were seen last, and those that were seen and are gone.
func (c *Client) listChanges(ctx context.Context, read crm.Read, sinceMicros int64, yield func([]crm.Record) error) (crm.ReadReport, error) {
	ctx, calls := tallied(ctx)
	asked := c.now()
	report := crm.ReadReport{Expected: -1, Method: "search of lists, by stamps", NextMicros: sinceMicros, Overlap: usualOverlap}
	lists, _, err := c.allLists(ctx)
	if err == nil {
		changed, gone := c.listsSeen.all(lists)
		var moved []list
		for i := range lists {
			if l := &lists[i]; changed[l.ID] || l.movedMicros() >= sinceMicros {
				moved = append(moved, *l)
			}
		}
		err = c.giveLists(ctx, read, moved, gone, &report, yield)
		if err != nil {
			c.listsSeen.forget(moved) // they have to be told again
		} else {
			report.NextMicros = max(asked.Add(-usualOverlap).UnixMicro(), sinceMicros)
		}
	}
	report.Calls = int(calls.Load())
	return report, err
}

func (c *Client) giveLists(ctx context.Context, read crm.Read, moved []list, gone []string, report *crm.ReadReport, yield func([]crm.Record) error) error {
	for chunk := range slices.Chunk(moved, listsByID) {
		records, err := c.fillLists(ctx, read, chunk, false)
		if err != nil {
			return err
		}
		report.Rows += len(records)
		if err := yield(records); err != nil {
			return err
		}
	}
	if len(gone) == 0 {
		return nil
	}
	records := make([]crm.Record, len(gone))
	for i, id := range gone {
		records[i] = crm.Record{Layout: read.Layout, ID: id, Archived: true}
	}
	report.Archived += len(records)
	return yield(records)
}

// lookupLists reads lists by id, a hundred a call, and their members afresh.
func (c *Client) lookupLists(ctx context.Context, read crm.Read, ids []string) ([]crm.Record, error) {
	ids = unique(ids)
	byID := map[string]crm.Record{}
	for chunk := range slices.Chunk(ids, listsByID) {
		var answer listPageAnswer
		if err := c.get(ctx, c.paths.lists(), url.Values{"listIds": chunk}, apicall.Into(&answer)); err != nil {
			return nil, err
		}
		live := slices.DeleteFunc(answer.Lists, func(l list) bool { return l.Type != listsOf || l.DeletedAt != "" })
		records, err := c.fillLists(ctx, read, live, true)
		if err != nil {
			return nil, err
		}
		for _, r := range records {
			byID[r.ID] = r
		}
	}
	records := make([]crm.Record, len(ids))
	for i, id := range ids {
		r, there := byID[id]
		if !there {
			r = crm.Record{Layout: read.Layout, ID: id, Archived: true}
		}
		records[i] = r
	}
	return records, nil
}

// listRelations reads the members of lists by id: one call for 500 lists, and
// those of the lists that moved since read.SinceMicros. Of the others, what is
// remembered is told, and else nothing.
func (c *Client) listRelations(ctx context.Context, read crm.Read, ids []string) (records []crm.Record, calls int, err error) {
	ctx, counted := tallied(ctx)
	ids = unique(ids)
	lists, _, err := c.allLists(ctx)
	if err != nil {
		return nil, int(counted.Load()), err
	}
	wanted := make(map[string]bool, len(ids))
	for _, id := range ids {
		wanted[id] = true
	}
	resting := map[string]bool{}
	for i := range lists {
		l := &lists[i]
		resting[l.ID] = l.movedMicros() < read.SinceMicros && c.listsSeen.of(l, c.now()) == nil
	}
	filled, err := c.fillLists(ctx, read, slices.DeleteFunc(lists, func(l list) bool { return !wanted[l.ID] || resting[l.ID] }), false)
	byID := indexByID(filled)
	for _, id := range ids {
		r := byID[id]
		switch {
		case r != nil:
			records = append(records, crm.Record{Layout: read.Layout, ID: id, Relations: r.Relations})
		case !resting[id]:
			records = append(records, crm.Record{Layout: read.Layout, ID: id, Archived: true})
		}
	}
	return records, int(counted.Load()), err
}

// findLists reads live lists by name, as HubSpot compares names: without regard
// to case.
func (c *Client) findLists(ctx context.Context, read crm.Read, field string, values []string) ([]crm.Record, error) {
	values = unique(values)
	if field == idProperty {
		records, err := c.lookupLists(ctx, read, values)
		return slices.DeleteFunc(records, func(r crm.Record) bool { return r.Archived }), err
	}
	var found []list
	if field == listName && len(values) <= listsByName {
		seen := map[string]bool{}
		for _, name := range values {
			l, there, err := c.listNamed(ctx, name)
			if err != nil {
				return nil, err
			}
			if there && !seen[l.ID] {
				seen[l.ID] = true
				found = append(found, l)
			}
		}
		return c.fillLists(ctx, read, found, true)
	}
	all, _, err := c.allLists(ctx)
	if err != nil {
		return nil, err
	}
	layout := crm.NewLayout(listsObject, []string{field})
	for i := range all {
		r := all[i].record(layout)
		if v := r.Value(field); v.IsPresent() && slices.ContainsFunc(values, func(value string) bool { return strings.EqualFold(value, v.Text) }) {
			found = append(found, all[i])
		}
	}
	return c.fillLists(ctx, read, found, true)
}

// listNamed asks for one list by its name.
func (c *Client) listNamed(ctx context.Context, name string) (l list, there bool, err error) {
	var answer struct {
		List list `json:"list"`
	}
	err = c.get(ctx, c.paths.lists()+"/object-type-id/"+listsOf+"/name/"+escape(name), nil, apicall.Into(&answer))
	if fault.KindOf(err) == fault.NotFound {
		return list{}, false, nil
	}
	return answer.List, err == nil && answer.List.ID != "" && answer.List.DeletedAt == "", err
}

// listsOfRecords adds the lists that records are in, a call for each record.
func (c *Client) listsOfRecords(ctx context.Context, records []crm.Record, object string) error {
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(atOnce)
	for i := range records {
		r := &records[i]
		if r.Archived {
			continue
		}
		group.Go(func() error {
			var answer struct {
				Results []struct {
					ID flexibleID `json:"listId"`
				} `json:"results"`
			}
			err := c.get(ctx, c.paths.lists()+"/records/"+escape(typeID(object))+"/"+escape(r.ID)+"/memberships", nil, apicall.Into(&answer))
			for _, l := range answer.Results {
				r.Relations = append(r.Relations, crm.Relation{Object: listsObject, ID: string(l.ID)})
			}
			return err
		})
	}
	return group.Wait()
}

// listTimes tells when lists were updated; HubSpot keeps no time of a name.
func (c *Client) listTimes(ctx context.Context, ids, fields []string) (map[string]map[string]crm.FieldTime, error) {
	records, err := c.lookupLists(ctx, crm.Read{Layout: crm.NewLayout(listsObject, nil)}, ids)
	if err != nil {
		return nil, err
	}
	times := map[string]map[string]crm.FieldTime{}
	for _, r := range records {
		if r.Archived {
			continue
		}
		times[r.ID] = map[string]crm.FieldTime{}
		for _, field := range fields {
			times[r.ID][field] = crm.FieldTime{Micros: r.ModifiedMicros, OfRecord: true}
		}
	}
	return times, nil
}

func (p paths) lists() string { return p.api("lists", "v3") }

func (p paths) list(id string) string { return p.lists() + "/" + escape(id) }

// put and remove change something; both may be repeated.
func (c *Client) put(ctx context.Context, path string, query url.Values, body []byte, decode decode) error {
	tally(ctx)
	return c.caller.Do(ctx, apicall.Call{Method: http.MethodPut, Path: path, Query: query, Body: body, Safety: apicall.Keyed}, decode)
}

func (c *Client) remove(ctx context.Context, path string) error {
	tally(ctx)
	return c.caller.Do(ctx, apicall.Call{Method: http.MethodDelete, Path: path, Safety: apicall.Keyed}, apicall.Into(new(struct{})))
}
