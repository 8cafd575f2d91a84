package hubspot

import (
	"cmp"
	"net/http"
	"slices"
	"strconv"
	"strings"
)

const (
	ownerDefault = 100
	ownerLimit   = 500
)

// listOwners answers GET owners, by id.
func listOwners(c *call) (int, *problem) {
	limit, refused := c.limit(ownerDefault, ownerLimit)
	if refused != nil {
		return 0, refused
	}
	var after int64
	if v := c.parsedQuery().Get("after"); v != "" {
		n, err := strconv.ParseInt(v, 10, 64)
		if err != nil {
			return 0, invalid("Invalid value for after: %q is not a cursor of this API", v)
		}
		after = n
	}
	email, archived := c.parsedQuery().Get("email"), c.flag("archived")
	c.s.mu.RLock()
	defer c.s.mu.RUnlock()
	var found []*Owner
	for _, o := range c.s.owners {
		if o.Archived == archived && ownerNumber(o) >= after && (email == "" || strings.EqualFold(email, o.Email)) {
			found = append(found, o)
		}
	}
	slices.SortFunc(found, func(a, b *Owner) int { return cmp.Compare(ownerNumber(a), ownerNumber(b)) })
	c.out.object()
	c.out.key("results")
	c.out.array()
	for _, o := range found[:min(limit, len(found))] {
		c.out.owner(o)
	}
	c.out.endArray()
	if len(found) > limit {
		c.nextPage(found[limit].ID)
	}
	c.out.endObject()
	return http.StatusOK, nil
}

func ownerNumber(o *Owner) int64 {
	n, _ := strconv.ParseInt(o.ID, 10, 64)
	return n
}

// readOwner answers GET owners/{id}, by owner id or by user id.
func readOwner(c *call) (int, *problem) {
	byUser, archived := c.parsedQuery().Get("idProperty") == "userId", c.flag("archived")
	c.s.mu.RLock()
	defer c.s.mu.RUnlock()
	for _, o := range c.s.owners {
		id := o.ID
		if byUser {
			id = strconv.FormatInt(o.UserID, 10)
		}
		if id == c.arg("id") && o.Archived == archived {
			c.out.owner(o)
			return http.StatusOK, nil
		}
	}
	return 0, notFound()
}
