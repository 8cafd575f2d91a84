package hubspot

import (
	"strconv"
	"strings"
)

// Hand changes the account without the API, as somebody in particular: history
// and events say who. Values are checked as for an API call, and search learns of
// a change late as of any write. Errors are the refusals that the API would give.
type Hand struct {
	s      *Server
	by     source
	person bool
}

// someUser stands for a person in an account that has no owner.
const someUser = 1_000_000

// AsPerson is the first user among the owners, in HubSpot's own pages.
func (s *Server) AsPerson() Hand {
	s.mu.RLock()
	defer s.mu.RUnlock()
	user := int64(someUser)
	for _, o := range s.owners {
		if o.UserID != 0 && !o.Archived {
			user = o.UserID
			break
		}
	}
	return s.AsUser(user)
}

// AsUser is a user in HubSpot's own pages: history says CRM_UI and userId:… .
func (s *Server) AsUser(userID int64) Hand { return Hand{s, byUser(userID), true} }

// AsIntegration is an app that writes by the API: history says INTEGRATION and
// the app's number. name is the app's, and may be "".
func (s *Server) AsIntegration(appID int64, name string) Hand {
	return Hand{s, integration(appID, name), false}
}

// AsSource is any other writer, in the vendor's words: AUTOMATION_PLATFORM for
// workflows, IMPORT, SALESFORCE for the vendor's own connector … id may be "".
// https://developers.hubspot.com/docs/api-reference/webhooks-webhooks-v3/guide
func (s *Server) AsSource(sourceType, id string) Hand {
	sourceType = strings.ToUpper(sourceType)
	return Hand{s, source{Type: sourceType, ID: id, Label: sourceType}, false}
}

func (h Hand) writer() writer { return writer{by: h.by, person: h.person} }

// Create makes a record and returns its id.
func (h Hand) Create(objectType string, properties map[string]string) (id string, err error) {
	s := h.s
	s.mu.Lock()
	defer s.mu.Unlock()
	t := s.table(objectType)
	if t == nil {
		return "", unknownType(objectType)
	}
	c, refused := s.judge(t, nil, properties, h.writer(), nil)
	if refused != nil {
		return "", refused
	}
	return strconv.FormatInt(s.create(t, c, h.by).id, 10), nil
}

// Update edits a record; a value "" clears.
func (h Hand) Update(objectType, id string, properties map[string]string) error {
	s := h.s
	s.mu.Lock()
	defer s.mu.Unlock()
	t, r, err := s.findLive(objectType, id)
	if err != nil {
		return err
	}
	c, refused := s.judge(t, r, properties, h.writer(), nil)
	if refused != nil {
		return refused
	}
	s.update(t, c, h.by)
	return nil
}

// Archive archives a record; its associations end.
func (h Hand) Archive(objectType, id string) error {
	h.s.mu.Lock()
	defer h.s.mu.Unlock()
	t, r, err := h.s.findLive(objectType, id)
	if err != nil {
		return err
	}
	h.s.archive(t, r, h.by)
	return nil
}

// Restore brings an archived record back, which HubSpot allows its users for 90
// days and its API never. Its associations do not come back. A value that must be
// unique and that another record has meanwhile refuses it.
func (h Hand) Restore(objectType, id string) error {
	s := h.s
	s.mu.Lock()
	defer s.mu.Unlock()
	t := s.table(objectType)
	if t == nil {
		return unknownType(objectType)
	}
	number, _ := strconv.ParseInt(id, 10, 64)
	was := t.archivedRecord(number)
	if was == nil {
		return notFound()
	}
	for n := range t.unique {
		var holder *record
		t.eachUnique(was, n, func(v string) {
			if r := t.holder(t.properties[n], v); r != nil {
				holder = r
			}
		})
		switch {
		case holder == nil:
		case t.properties[n].Name == "email" && t.kind.name == "contacts":
			return contactExists(holder.id)
		default:
			v, _ := was.value(n)
			return s.valueTaken(t, t.properties[n], v, was, holder.id)
		}
	}
	s.restore(t, was, h.by)
	return nil
}

// Merge merges a record into another, and returns the id of the record that both
// became.
func (h Hand) Merge(objectType, primaryID, otherID string) (id string, err error) {
	s := h.s
	s.mu.Lock()
	defer s.mu.Unlock()
	t, primary, err := s.findLive(objectType, primaryID)
	if err != nil {
		return "", err
	}
	_, other, err := s.findLive(objectType, otherID)
	if err != nil {
		return "", err
	}
	if primary.id == other.id || !t.kind.mergeable {
		return "", invalid("%s %s and %s cannot be merged", objectType, primaryID, otherID)
	}
	return strconv.FormatInt(s.merge(t, primary, other, h.by).id, 10), nil
}

// Erase deletes a contact, live or archived, for good, as the GDPR asks.
func (h Hand) Erase(objectType, id string) error {
	s := h.s
	s.mu.Lock()
	defer s.mu.Unlock()
	t := s.table(objectType)
	if t == nil {
		return unknownType(objectType)
	}
	if !t.kind.erasable {
		return invalid("Objects of type %s cannot be deleted for GDPR", t.kind.typeID)
	}
	_, r, err := s.findLive(objectType, id)
	if err != nil {
		number, _ := strconv.ParseInt(id, 10, 64)
		if r = t.archivedRecord(t.successor(number)); r == nil {
			return err
		}
	}
	s.erase(t, r, h.by)
	return nil
}

// Associate links two records in both directions. Without type ids the pair's
// plain type is meant.
func (h Hand) Associate(fromType, fromID, toType, toID string, typeIDs ...int) error {
	s := h.s
	s.mu.Lock()
	defer s.mu.Unlock()
	from, a, err := s.findLive(fromType, fromID)
	if err != nil {
		return err
	}
	to, b, err := s.findLive(toType, toID)
	if err != nil {
		return err
	}
	var types []*associationType
	for _, id := range typeIDs {
		t := s.pair(from, to).typeByID("", id)
		if t == nil {
			return invalid("%d is not a valid association type between %s and %s", id, from.kind.name, to.kind.name)
		}
		types = append(types, t)
	}
	s.associate(h.by, from, to, a.id, b.id, types, false)
	s.version.Add(1)
	return nil
}

// Dissociate takes the link between two records away; none there is no error.
// With type ids only those meanings go, and the link stays.
func (h Hand) Dissociate(fromType, fromID, toType, toID string, typeIDs ...int) error {
	s := h.s
	s.mu.Lock()
	defer s.mu.Unlock()
	from, a, err := s.findLive(fromType, fromID)
	if err != nil {
		return err
	}
	to, b, err := s.findLive(toType, toID)
	if err != nil {
		return err
	}
	var types []*associationType
	for _, id := range typeIDs {
		if t := s.pair(from, to).typeByID("", id); t != nil {
			types = append(types, t)
		}
	}
	if len(typeIDs) == 0 || len(types) > 0 {
		s.dissociate(h.by, from, to, a.id, b.id, types)
		s.version.Add(1)
	}
	return nil
}

// Create makes a record as a person in HubSpot would.
func (s *Server) Create(objectType string, properties map[string]string) (id string, err error) {
	return s.AsPerson().Create(objectType, properties)
}

// Update edits a record as a person in HubSpot would.
func (s *Server) Update(objectType, id string, properties map[string]string) error {
	return s.AsPerson().Update(objectType, id, properties)
}

// Archive archives a record as a person in HubSpot would.
func (s *Server) Archive(objectType, id string) error { return s.AsPerson().Archive(objectType, id) }

// Restore brings an archived record back as a person in HubSpot would.
func (s *Server) Restore(objectType, id string) error { return s.AsPerson().Restore(objectType, id) }

// Merge merges a record into another as a person in HubSpot would.
func (s *Server) Merge(objectType, primaryID, otherID string) (id string, err error) {
	return s.AsPerson().Merge(objectType, primaryID, otherID)
}

// Erase deletes a contact for good as a person in HubSpot would.
func (s *Server) Erase(objectType, id string) error { return s.AsPerson().Erase(objectType, id) }
