package hubspot

import (
	"strings"
	"time"
)

// notice is an event as one subscription is told of it.
type notice struct {
	eventID, subscriptionID, portalID, appID int64
	kind                                     string // the subscription's eventType
	typeID                                   string // of object.* events
	event                                    event
	due                                      time.Time
}

// eventNames are what verbs are called in event types.
var eventNames = map[verb]string{
	wasCreated: "creation", wasChanged: "propertyChange", wasDeleted: "deletion", wasErased: "privacyDeletion",
	wasRestored: "restore", wasMerged: "merge", wasLinked: "associationChange", wasUnlinked: "associationChange",
}

// hear turns an event in an account into what each subscription is told of it.
// The caller holds the account's lock.
func (h *hooks) hear(s *Server, e event) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.journal.hear(s, h.clock.Now(), &e)
	name := eventNames[e.verb]
	if name == "" || h.post.closed {
		return
	}
	h.lastEvent++
	for _, a := range h.apps {
		if a.Settings == nil {
			continue
		}
		var receiver *app // looked up at the first subscription that fits
		for i := range a.Subscriptions {
			sub := &a.Subscriptions[i]
			if !sub.wants(&e, name) {
				continue
			}
			if receiver == nil {
				if receiver = s.receiver(a, e.table); receiver == nil {
					break
				}
			}
			n := notice{
				eventID: h.eventID(), subscriptionID: sub.ID, portalID: s.config.PortalID, appID: receiver.ID, kind: sub.EventType, event: e,
			}
			if strings.HasPrefix(sub.EventType, "object.") {
				n.typeID = e.table.kind.typeID
			}
			h.post.take(h, a, n)
		}
	}
}

// eventID is the number of an event: the same for all its subscriptions, and not
// in any order.
func (h *hooks) eventID() int64 {
	return int64(uint32(h.lastEvent) * 2_654_435_761) // odd: no two of 2^32 are the same
}

func (sub *Subscription) wants(e *event, name string) bool {
	if !sub.Active {
		return false
	}
	object, what, _ := strings.Cut(sub.EventType, ".")
	if what != name || what == "propertyChange" && sub.PropertyName != e.property.Name {
		return false
	}
	if object == "object" {
		return sub.ObjectTypeID == e.table.kind.typeID
	}
	return object == e.table.kind.singular && !e.table.kind.custom
}

// receiver is the app as it is in an account, when it may hear of a type there.
func (s *Server) receiver(a *AppWebhooks, t *table) *app {
	var found *app
	if a.ClientID != "" {
		for _, candidate := range s.apps {
			if candidate.ClientID == a.ClientID && candidate.DeletedAt.IsZero() && candidate.Kind != ClientCredentials {
				found = candidate
			}
		}
	} else if s.config.PortalID == a.PortalID {
		found = s.appByID[a.AppID]
	}
	if found == nil || !found.DeletedAt.IsZero() {
		return nil
	}
	for _, scope := range t.objectScopes("read") {
		for _, granted := range found.Scopes {
			if scope == granted {
				return found
			}
		}
	}
	return nil
}

// deliveryBody writes a batch as it is sent: an array of events.
func deliveryBody(batch []notice, attempt int) []byte {
	var e encoder
	e.array()
	for i := range batch {
		e.notice(&batch[i], attempt)
	}
	e.endArray()
	return e.b
}

func (e *encoder) notice(n *notice, attempt int) {
	ev := &n.event
	e.object()
	e.numberField("eventId", n.eventID)
	e.numberField("subscriptionId", n.subscriptionID)
	e.numberField("portalId", n.portalID)
	e.numberField("appId", n.appID)
	e.numberField("occurredAt", ev.at)
	e.textField("subscriptionType", n.kind)
	e.numberField("attemptNumber", int64(attempt))
	if ev.pair == nil {
		e.numberField("objectId", ev.id)
	}
	if n.typeID != "" {
		e.textField("objectTypeId", n.typeID)
	}
	switch ev.verb {
	case wasChanged:
		e.textField("propertyName", ev.property.Name)
		e.textField("propertyValue", ev.shownValue())
		if ev.sensitive() {
			e.boolField("isSensitive", true)
		}
	case wasCreated:
		e.textField("changeFlag", "CREATED")
	case wasDeleted:
		e.textField("changeFlag", "DELETED")
	case wasMerged:
		e.numberField("primaryObjectId", ev.primary)
		e.key("mergedObjectIds")
		e.array()
		e.number(ev.other)
		e.endArray()
		e.numberField("newObjectId", ev.id)
		e.numberField("numberOfPropertiesMoved", int64(ev.moved))
	case wasLinked, wasUnlinked:
		e.textField("associationType", ev.linkName())
		e.textField("associationCategory", ev.types[0].category)
		e.numberField("fromObjectId", ev.id)
		e.numberField("toObjectId", ev.to)
		e.boolField("associationRemoved", ev.verb == wasUnlinked)
		e.boolField("isPrimaryAssociation", ev.primaryLink())
	}
	e.textField("changeSource", ev.by.Type)
	if ev.by.ID != "" {
		e.textField("sourceId", ev.by.ID)
	}
	e.endObject()
}

// linkName is CONTACT_TO_COMPANY for the direction of a link.
func (e *event) linkName() string {
	return strings.ToUpper(e.pair.from.kind.singular + "_to_" + e.pair.to.kind.singular)
}
