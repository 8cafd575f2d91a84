package hubspot

import (
	"cmp"
	"strconv"
	"time"
)

// Owner is a user, or a queue, that records can belong to.
// https://developers.hubspot.com/docs/api-reference/latest/crm/owners/guide
type Owner struct {
	ID        string // "" means one of the account's choosing
	Email     string
	FirstName string
	LastName  string
	Type      string // PERSON, or QUEUE; "" means PERSON
	UserID    int64  // 0 means one of the account's choosing; QUEUEs have none
	Archived  bool
	Teams     []Team
	CreatedAt time.Time // zero means now
}

// Team is a team that an owner belongs to.
type Team struct {
	ID      string
	Name    string
	Primary bool
}

// AddOwner adds an owner and returns the id that hubspot_owner_id holds.
func (s *Server) AddOwner(o Owner) (id string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if o.ID == "" {
		s.lastOwnerID += 1 + int64(s.random.IntN(5000))
		o.ID = strconv.FormatInt(s.lastOwnerID, 10)
	}
	o.Type = cmp.Or(o.Type, "PERSON")
	if o.UserID == 0 && o.Type == "PERSON" {
		number, _ := strconv.ParseInt(o.ID, 10, 64)
		o.UserID = number/7 + 1_000_000 // never equal to the owner id: the two are easily confused
	}
	if o.CreatedAt.IsZero() {
		o.CreatedAt = s.clock.Now()
	}
	s.owners = append(s.owners, &o)
	s.version.Add(1)
	return o.ID
}

// Owners returns all owners in the order they were added.
func (s *Server) Owners() []Owner {
	s.mu.RLock()
	defer s.mu.RUnlock()
	out := make([]Owner, len(s.owners))
	for i, o := range s.owners {
		out[i] = *o
	}
	return out
}

func (s *Server) ownerExists(id string) bool {
	for _, o := range s.owners {
		if o.ID == id && !o.Archived {
			return true
		}
	}
	return false
}

func (e *encoder) owner(o *Owner) {
	e.object()
	e.textField("id", o.ID)
	if o.Email != "" {
		e.textField("email", o.Email)
	}
	e.textField("type", o.Type)
	e.textField("firstName", o.FirstName)
	e.textField("lastName", o.LastName)
	e.key("userId")
	if o.Archived || o.UserID == 0 {
		e.null()
	} else {
		e.number(o.UserID)
	}
	if o.UserID != 0 {
		e.numberField("userIdIncludingInactive", o.UserID)
	}
	e.millisField("createdAt", o.CreatedAt.UnixMilli())
	e.millisField("updatedAt", o.CreatedAt.UnixMilli())
	e.boolField("archived", o.Archived)
	if len(o.Teams) > 0 {
		e.key("teams")
		e.array()
		for _, t := range o.Teams {
			e.object()
			e.textField("id", t.ID)
			e.textField("name", t.Name)
			e.boolField("primary", t.Primary)
			e.endObject()
		}
		e.endArray()
	}
	e.endObject()
}
