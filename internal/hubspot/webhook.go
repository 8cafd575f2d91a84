package hubspot

import (
	"encoding/json"
	"strconv"
	"strings"

	"github.com/lockstep-sync/lockstep/internal/crm"
	"github.com/lockstep-sync/lockstep/internal/fault"
)

// webhookEvent is what a delivery holds of one event, as far as it is a hint.
// https://developers.hubspot.com/docs/api-reference/webhooks-webhooks-v3/guide
type webhookEvent struct {
	PortalID         int64   `json:"portalId"`
	SubscriptionType string  `json:"subscriptionType"`
	ObjectTypeID     string  `json:"objectTypeId"`
	ObjectID         int64   `json:"objectId"`
	PropertyName     string  `json:"propertyName"`
	PrimaryID        int64   `json:"primaryObjectId"`
	MergedIDs        []int64 `json:"mergedObjectIds"`
	NewID            int64   `json:"newObjectId"`
	FromID           int64   `json:"fromObjectId"`
	ToID             int64   `json:"toObjectId"`
	FromTypeID       string  `json:"fromObjectTypeId"`
	ToTypeID         string  `json:"toObjectTypeId"`
	AssociationType  string  `json:"associationType"`
	ChangeSource     string  `json:"changeSource"`
	SourceID         string  `json:"sourceId"`
}

// webhookObjects are the object types as subscriptions name them.
var webhookObjects = map[string]string{
	"contact": "contacts", "company": "companies", "deal": "deals", "ticket": "tickets", "product": "products", "line_item": "line_items",
}

// WebhookHints reads a delivery: a list of events, each of which hints at one
// record, or at all that took part in a merge or an association. Events of
// other accounts are left out, since one app may be installed in many;
// portal "" takes all. So are those of writes by app, our own app's id, unless it is
// ""; and what is no hint at a record (conversations, an unknown type). The
// error is fault.Invalid.
func WebhookHints(body []byte, portal, app string) ([]crm.Hint, error) {
	var events []webhookEvent
	if err := json.Unmarshal(body, &events); err != nil {
		return nil, fault.New(fault.Invalid, "the delivery is no list of HubSpot's events")
	}
	var hints []crm.Hint
	for i := range events {
		e := &events[i]
		own := app != "" && e.ChangeSource == "INTEGRATION" && e.SourceID == app
		if !own && (portal == "" || strconv.FormatInt(e.PortalID, 10) == portal) {
			hints = append(hints, e.hints()...)
		}
	}
	return hints, nil
}

func (e *webhookEvent) hints() []crm.Hint {
	kind, what, _ := strings.Cut(e.SubscriptionType, ".")
	object := webhookObjects[kind]
	if kind == "object" {
		object = e.ObjectTypeID
	}
	why := e.SubscriptionType
	if e.PropertyName != "" {
		why += " " + e.PropertyName
	}
	var hints []crm.Hint
	add := func(object string, ids ...int64) {
		for _, id := range ids {
			if object != "" && id != 0 {
				hints = append(hints, crm.Hint{Side: crm.HubSpot, Object: object, ID: strconv.FormatInt(id, 10), Why: why})
			}
		}
	}
	switch what {
	case "associationChange":
		from, to := e.ends(object)
		add(from, e.FromID)
		add(to, e.ToID)
	case "merge":
		add(object, e.ObjectID, e.PrimaryID, e.NewID)
		add(object, e.MergedIDs...)
	default:
		add(object, e.ObjectID)
	}
	return hints
}

// ends are the object types of an association: told by type ids, or by a name
// like CONTACT_TO_COMPANY.
func (e *webhookEvent) ends(object string) (from, to string) {
	from, to = e.FromTypeID, e.ToTypeID
	a, b, _ := strings.Cut(e.AssociationType, "_TO_")
	if from == "" {
		if from = webhookObjects[strings.ToLower(a)]; from == "" {
			from = object
		}
	}
	if to == "" {
		to = webhookObjects[strings.ToLower(b)]
	}
	return from, to
}
