package hubspot

import (
	"net/http"
	"slices"
	"strconv"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

const (
	memberPage        = 100 // members a page, unless told otherwise
	memberPageMost    = 250
	memberChangesMost = 100_000
)

// readMembers answers GET lists/{id}/memberships: by record id.
func readMembers(c *call) (int, *problem) { return c.readMembers(false) }

// readMembersByJoining answers GET lists/{id}/memberships/join-order.
func readMembersByJoining(c *call) (int, *problem) { return c.readMembers(true) }

func (c *call) readMembers(byJoining bool) (int, *problem) {
	limit, refused := c.limit(memberPage, memberPageMost)
	if refused != nil {
		return 0, refused
	}
	c.s.mu.RLock()
	defer c.s.mu.RUnlock()
	l, refused := c.s.list(c.arg("id"))
	if refused != nil {
		return 0, refused
	}
	ids := l.members(byJoining)
	start, end := 0, min(limit, len(ids))
	after, before := c.parsedQuery().Get("after"), c.parsedQuery().Get("before")
	place := func(cursor string) (int, *problem) { // of the first id that is not before it
		id, err := strconv.ParseInt(cursor, 10, 64)
		if err != nil {
			return 0, invalid("%q is not a cursor of this API", cursor)
		}
		if at := slices.Index(ids, id); at >= 0 {
			return at, nil
		}
		at, _ := slices.BinarySearch(ids, id) // it has left the list
		return at, nil
	}
	switch {
	case after != "":
		if start, refused = place(after); refused == nil {
			if start < len(ids) && strconv.FormatInt(ids[start], 10) == after {
				start++
			}
			end = min(start+limit, len(ids))
		}
	case before != "":
		if end, refused = place(before); refused == nil {
			start = max(0, end-limit)
		}
	}
	if refused != nil {
		return 0, refused
	}
	page := slices.Clone(ids[start:end])
	if before != "" { // backwards
		slices.Reverse(page)
	}
	c.out.object()
	c.out.numberField("total", int64(len(ids)))
	c.out.key("results")
	c.out.array()
	for _, id := range page {
		c.out.object()
		c.out.idField("recordId", id)
		c.out.millisField("membershipTimestamp", l.Members[id])
		c.out.endObject()
	}
	c.out.endArray()
	c.writeMemberPaging(ids, start, end)
	c.out.endObject()
	return http.StatusOK, nil
}

func (c *call) writeMemberPaging(ids []int64, start, end int) {
	if start == 0 && end == len(ids) || start == end {
		return
	}
	link := *c.s.origin.Load() + c.request.URL.Path
	c.out.key("paging")
	c.out.object()
	for _, way := range []struct {
		name, cursor string
		at           int
		there        bool
	}{{"next", "after", end - 1, end < len(ids)}, {"prev", "before", start, start > 0}} {
		if way.there {
			cursor := strconv.FormatInt(ids[way.at], 10)
			c.out.key(way.name)
			c.out.object()
			c.out.textField(way.cursor, cursor)
			c.out.textField("link", link+"?"+way.cursor+"="+cursor)
			c.out.endObject()
		}
	}
	c.out.endObject()
}

// memberIDs are record ids, as text or as numbers.
type memberIDs []string

// UnmarshalJSONFrom reads an array of texts or numbers.
func (in *memberIDs) UnmarshalJSONFrom(d *jsontext.Decoder) error {
	var ids []text
	if err := json.UnmarshalDecode(d, &ids); err != nil {
		return err
	}
	for _, id := range ids {
		*in = append(*in, id.value)
	}
	return nil
}

func addMembers(c *call) (int, *problem) {
	var in memberIDs
	if refused := c.decode(&in); refused != nil {
		return 0, refused
	}
	return c.changeMembers(in, nil)
}

func removeMembers(c *call) (int, *problem) {
	var in memberIDs
	if refused := c.decode(&in); refused != nil {
		return 0, refused
	}
	return c.changeMembers(nil, in)
}

func addAndRemoveMembers(c *call) (int, *problem) {
	var in struct {
		Add    memberIDs `json:"recordIdsToAdd"`
		Remove memberIDs `json:"recordIdsToRemove"`
	}
	if refused := c.decode(&in); refused != nil {
		return 0, refused
	}
	return c.changeMembers(in.Add, in.Remove)
}

func (c *call) changeMembers(add, remove []string) (int, *problem) {
	if len(add)+len(remove) > memberChangesMost {
		return 0, invalid("At most %d records can be added and removed at once", memberChangesMost)
	}
	c.s.mu.Lock()
	defer c.s.mu.Unlock()
	l, refused := c.s.list(c.arg("id"))
	if refused != nil {
		return 0, refused
	}
	added, removed, missing, refused := c.s.changeMembers(l, add, remove, c.token.by)
	if refused != nil {
		return 0, refused
	}
	c.out.object()
	c.out.textsField("recordsIdsAdded", added) // the vendor's own spelling
	c.out.textsField("recordIdsRemoved", removed)
	c.out.textsField("recordIdsMissing", missing)
	c.out.endObject()
	return http.StatusOK, nil
}

// addMembersFrom answers PUT lists/{id}/memberships/add-from/{source}.
func addMembersFrom(c *call) (int, *problem) {
	c.s.mu.Lock()
	defer c.s.mu.Unlock()
	l, refused := c.s.list(c.arg("id"))
	if refused != nil {
		return 0, refused
	}
	from, refused := c.s.list(c.arg("source"))
	switch {
	case refused != nil:
		return 0, refused
	case from.table != l.table:
		return 0, invalid("Lists %d and %d hold records of different types", l.ID, from.ID)
	case len(from.Members) > memberChangesMost:
		return 0, invalid("At most %d records can be added at once", memberChangesMost)
	}
	var ids []string
	for _, id := range from.members(false) {
		ids = append(ids, strconv.FormatInt(id, 10))
	}
	if _, _, _, refused = c.s.changeMembers(l, ids, nil, c.token.by); refused != nil {
		return 0, refused
	}
	return http.StatusNoContent, nil
}

// clearMembers answers DELETE lists/{id}/memberships.
func clearMembers(c *call) (int, *problem) {
	c.s.mu.Lock()
	defer c.s.mu.Unlock()
	l, refused := c.s.list(c.arg("id"))
	if refused != nil {
		return 0, refused
	}
	var ids []string
	for _, id := range l.members(false) {
		ids = append(ids, strconv.FormatInt(id, 10))
	}
	if _, _, _, refused = c.s.changeMembers(l, nil, ids, c.token.by); refused != nil {
		return 0, refused
	}
	return http.StatusNoContent, nil
}

// listsOfRecord answers GET lists/records/{type}/{record}/memberships.
func listsOfRecord(c *call) (int, *problem) {
	c.s.mu.RLock()
	defer c.s.mu.RUnlock()
	id, err := strconv.ParseInt(c.arg("record"), 10, 64)
	if err != nil {
		return 0, notNumeric(c.arg("record"))
	}
	c.out.object()
	c.out.key("results")
	c.out.array()
	c.writeListsOf(c.table, id)
	c.out.endArray()
	c.out.endObject()
	return http.StatusOK, nil
}

func (c *call) writeListsOf(t *table, id int64) {
	for _, l := range t.lists {
		last, member := l.Members[id]
		if !member || l.DeletedAt != 0 {
			continue
		}
		c.out.object()
		c.out.idField("listId", l.ID)
		c.out.numberField("listVersion", l.Version)
		c.out.millisField("firstAddedTimestamp", l.Firsts[id])
		c.out.millisField("lastAddedTimestamp", last)
		c.out.endObject()
	}
}
