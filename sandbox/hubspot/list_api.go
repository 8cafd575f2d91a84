package hubspot

import (
	"cmp"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/go-json-experiment/json/jsontext"
)

const (
	listSearchCount = 20 // lists a page, unless told otherwise
	listSearchMost  = 500
)

func readLists(c *call) *problem { return c.needAny([]string{"crm.lists.read"}) }

// writeLists wants both scopes.
func writeLists(c *call) *problem {
	if c.token.granted["crm.lists.read"] && c.token.granted["crm.lists.write"] {
		return nil
	}
	return missingScopes(true, []string{"crm.lists.read", "crm.lists.write"})
}

func (e *encoder) list(l *list, filters bool) {
	e.object()
	e.listMembers(l)
	if filters && l.Branch != nil {
		e.branch(l.Branch)
	}
	e.numberField("size", int64(len(l.Members)))
	e.endObject()
}

func (e *encoder) listMembers(l *list) {
	e.idField("listId", l.ID)
	e.numberField("listVersion", l.Version)
	e.textField("name", l.Name)
	e.textField("objectTypeId", l.table.kind.typeID)
	e.textField("processingType", l.Processing)
	e.textField("processingStatus", "COMPLETE")
	e.millisField("createdAt", l.CreatedAt)
	e.millisField("updatedAt", l.UpdatedAt)
	e.millisField("filtersUpdatedAt", l.FiltersAt)
	e.idField("createdById", l.CreatedBy)
	e.idField("updatedById", l.UpdatedBy)
}

// createList answers POST lists with 200.
func createList(c *call) (int, *problem) {
	var in struct {
		Name         string         `json:"name"`
		ObjectTypeID string         `json:"objectTypeId"`
		Processing   string         `json:"processingType"`
		Branch       jsontext.Value `json:"filterBranch"`
	}
	if refused := c.decode(&in); refused != nil {
		return 0, refused
	}
	if in.ObjectTypeID == "" {
		return 0, missingFields("objectTypeId")
	}
	c.s.mu.Lock()
	defer c.s.mu.Unlock()
	t := c.s.table(in.ObjectTypeID)
	if t == nil {
		return 0, unknownType(in.ObjectTypeID)
	}
	l := &list{Name: in.Name, Processing: in.Processing, Branch: given(in.Branch)}
	if refused := c.s.judgeList(t, l); refused != nil {
		return 0, refused
	}
	c.s.addList(t, l, c.token.UserID)
	c.out.object()
	c.out.key("list")
	c.out.list(l, true)
	c.out.endObject()
	return http.StatusOK, nil
}

// given is a JSON value that is there and not null.
func given(v jsontext.Value) []byte {
	if len(v) == 0 || v.Kind() == 'n' {
		return nil
	}
	return slices.Clone(v)
}

// readManyLists answers GET lists?listIds=1&listIds=2: those that are there.
func readManyLists(c *call) (int, *problem) {
	c.s.mu.RLock()
	defer c.s.mu.RUnlock()
	c.out.object()
	c.out.key("lists")
	c.out.array()
	for _, id := range c.list("listIds") {
		if l, refused := c.s.list(id); refused == nil {
			c.out.list(l, c.flag("includeFilters"))
		}
	}
	c.out.endArray()
	c.out.endObject()
	return http.StatusOK, nil
}

func readList(c *call) (int, *problem) {
	c.s.mu.RLock()
	defer c.s.mu.RUnlock()
	l, refused := c.s.list(c.arg("id"))
	if refused != nil {
		return 0, refused
	}
	c.writeList("list", l)
	return http.StatusOK, nil
}

func (c *call) writeList(name string, l *list) {
	c.out.object()
	c.out.key(name)
	c.out.list(l, c.flag("includeFilters"))
	c.out.endObject()
}

// readListByName answers GET lists/object-type-id/{type}/name/{name}.
func readListByName(c *call) (int, *problem) {
	c.s.mu.RLock()
	defer c.s.mu.RUnlock()
	for _, l := range c.table.lists {
		if l.DeletedAt == 0 && strings.EqualFold(l.Name, c.arg("name")) {
			c.writeList("list", l)
			return http.StatusOK, nil
		}
	}
	return 0, objectNotFound("List does not exist with name %s and object type ID %s.", c.arg("name"), c.table.kind.typeID)
}

// searchLists answers POST lists/search.
func searchLists(c *call) (int, *problem) {
	var in struct {
		Query      string   `json:"query"`
		Processing []string `json:"processingTypes"`
		IDs        []text   `json:"listIds"`
		ObjectType string   `json:"objectTypeId"`
		Offset     int      `json:"offset"`
		Count      int      `json:"count"`
		Additional []string `json:"additionalProperties"`
		Sort       string   `json:"sort"`
	}
	if refused := c.decode(&in); refused != nil {
		return 0, refused
	}
	in.Count = cmp.Or(in.Count, listSearchCount)
	if in.Count < 0 || in.Count > listSearchMost || in.Offset < 0 {
		return 0, invalid("count must be at most %d, and offset at least 0", listSearchMost)
	}
	c.s.mu.RLock()
	defer c.s.mu.RUnlock()
	var found []*list
	for _, l := range c.s.lists {
		byID := slices.ContainsFunc(in.IDs, func(id text) bool { return id.value == strconv.FormatInt(l.ID, 10) })
		switch {
		case l.DeletedAt != 0, len(in.IDs) > 0 && !byID, len(in.Processing) > 0 && !slices.Contains(in.Processing, l.Processing):
		case in.ObjectType != "" && c.s.table(in.ObjectType) != l.table:
		case strings.Contains(strings.ToLower(l.Name), strings.ToLower(in.Query)):
			found = append(found, l)
		}
	}
	if name, descending := strings.CutPrefix(in.Sort, "-"); name == "HS_LIST_NAME" {
		slices.SortStableFunc(found, func(a, b *list) int { return strings.Compare(strings.ToLower(a.Name), strings.ToLower(b.Name)) })
		if descending {
			slices.Reverse(found)
		}
	}
	start := min(in.Offset, len(found))
	page := found[start:min(start+in.Count, len(found))]
	c.out.object()
	c.out.numberField("total", int64(len(found)))
	c.out.numberField("offset", int64(start+len(page)))
	c.out.boolField("hasMore", start+len(page) < len(found))
	c.out.key("lists")
	c.out.array()
	for _, l := range page {
		c.out.object()
		c.out.listMembers(l)
		c.out.key("additionalProperties")
		c.out.object()
		c.out.textField("hs_list_size", strconv.Itoa(len(l.Members)))
		for _, stamp := range []struct {
			name string
			at   int64
		}{{"hs_last_record_added_at", l.LastJoined}, {"hs_last_record_removed_at", l.LastLeft}} {
			if stamp.at != 0 { // what is empty is left out
				c.out.textField(stamp.name, strconv.FormatInt(stamp.at, 10))
			}
		}
		c.out.textField("hs_list_reference_count", "0")
		c.out.endObject()
		c.out.endObject()
	}
	c.out.endArray()
	c.out.endObject()
	return http.StatusOK, nil
}

// renameList answers PUT lists/{id}/update-list-name?listName=.
func renameList(c *call) (int, *problem) {
	return c.editList(func(l *list) *problem { return l.rename(c.parsedQuery().Get("listName")) })
}

// rename gives a list another name, which no other list of its type may have.
func (l *list) rename(name string) *problem {
	if name == "" {
		return missingFields("listName")
	}
	for _, other := range l.table.lists {
		if other != l && other.DeletedAt == 0 && strings.EqualFold(other.Name, name) {
			return invalid("A list named %q already exists", name)
		}
	}
	l.Name = name
	return nil
}

// refilterList answers PUT lists/{id}/update-list-filters: the members follow at once.
func refilterList(c *call) (int, *problem) {
	var in struct {
		Branch jsontext.Value `json:"filterBranch"`
	}
	if refused := c.decode(&in); refused != nil {
		return 0, refused
	}
	return c.editList(func(l *list) *problem {
		if l.Processing != Dynamic {
			return invalid("Only lists with processingType DYNAMIC can get other filters")
		}
		raw := given(in.Branch)
		if raw == nil {
			return missingFields("filterBranch")
		}
		filter, refused := c.s.newListFilter(l.table, raw)
		if refused != nil {
			return refused
		}
		l.Branch, l.filter, l.FiltersAt = raw, filter, c.s.nowMillis()
		for _, r := range l.table.records {
			c.s.relist(l.table, r, c.token.by)
		}
		return nil
	})
}

func (c *call) editList(edit func(*list) *problem) (int, *problem) {
	c.s.mu.Lock()
	defer c.s.mu.Unlock()
	l, refused := c.s.list(c.arg("id"))
	if refused == nil {
		refused = edit(l)
	}
	if refused != nil {
		return 0, refused
	}
	c.s.stampList(l, c.token.UserID)
	c.writeList("updatedList", l)
	return http.StatusOK, nil
}

// stampList stamps a list that somebody changed.
func (s *Server) stampList(l *list, user int64) {
	l.Version++
	l.UpdatedAt, l.UpdatedBy = s.nowMillis(), user
	s.version.Add(1)
}

func deleteList(c *call) (int, *problem) {
	c.s.mu.Lock()
	defer c.s.mu.Unlock()
	l, refused := c.s.list(c.arg("id"))
	if refused != nil {
		return 0, refused
	}
	l.DeletedAt = c.s.nowMillis()
	c.s.version.Add(1)
	return http.StatusNoContent, nil
}

// restoreList answers PUT lists/{id}/restore, within 90 days of its deletion.
func restoreList(c *call) (int, *problem) {
	c.s.mu.Lock()
	defer c.s.mu.Unlock()
	for _, l := range c.s.lists {
		if strconv.FormatInt(l.ID, 10) != c.arg("id") || l.DeletedAt != 0 && c.s.nowMillis()-l.DeletedAt > listLife {
			continue
		}
		l.DeletedAt = 0
		if l.Processing == Dynamic {
			for _, r := range l.table.records {
				c.s.relist(l.table, r, c.token.by)
			}
		}
		c.s.version.Add(1)
		return http.StatusNoContent, nil
	}
	return 0, objectNotFound("List does not exist with ID %s.", c.arg("id"))
}
