package hubspot

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/lockstep-sync/lockstep/internal/crm"
)

func TestEventsHintAtEveryRecordThatTookPart(t *testing.T) {
	hint := func(object, id, why string) crm.Hint {
		return crm.Hint{Side: crm.HubSpot, Object: object, ID: id, Why: why}
	}
	for _, c := range []struct {
		name string
		body string
		want []crm.Hint
	}{
		{"a changed property hints at its record",
			`[{"eventId":3816279340,"subscriptionId":25,"portalId":33,"appId":1160452,"occurredAt":1462216307945,"subscriptionType":"contact.propertyChange","attemptNumber":0,"objectId":1246965,"propertyName":"lifecyclestage","propertyValue":"subscriber","changeSource":"INTEGRATION","sourceId":"1160452"}]`,
			[]crm.Hint{hint("contacts", "1246965", "contact.propertyChange lifecyclestage")}},
		{"a merge hints at both old records and the new one",
			`[{"portalId":33,"subscriptionType":"company.merge","objectId":9,"primaryObjectId":9,"mergedObjectIds":[8],"newObjectId":12}]`,
			[]crm.Hint{hint("companies", "9", "company.merge"), hint("companies", "9", "company.merge"), hint("companies", "12", "company.merge"), hint("companies", "8", "company.merge")}},
		{"an association hints at both ends",
			`[{"portalId":33,"subscriptionType":"contact.associationChange","associationType":"CONTACT_TO_COMPANY","fromObjectId":1,"toObjectId":2,"associationRemoved":true}]`,
			[]crm.Hint{hint("contacts", "1", "contact.associationChange"), hint("companies", "2", "contact.associationChange")}},
		{"a custom object is named by its type id",
			`[{"portalId":33,"subscriptionType":"object.deletion","objectTypeId":"2-77","objectId":5,"changeFlag":"DELETED"}]`,
			[]crm.Hint{hint("2-77", "5", "object.deletion")}},
		{"an erasure hints at the record that is no more",
			`[{"portalId":33,"subscriptionType":"contact.privacyDeletion","objectId":5}]`,
			[]crm.Hint{hint("contacts", "5", "contact.privacyDeletion")}},
		{"another account's event is not ours",
			`[{"portalId":34,"subscriptionType":"contact.creation","objectId":5}]`, nil},
		{"what our own app wrote is no news",
			`[{"portalId":33,"subscriptionType":"contact.propertyChange","objectId":5,"propertyName":"phone","changeSource":"INTEGRATION","sourceId":"999"}]`, nil},
		{"a conversation is no record that is kept in step",
			`[{"portalId":33,"subscriptionType":"conversation.creation","objectId":5}]`, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := WebhookHints([]byte(c.body), "33", "999")
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
	for _, body := range []string{``, `{}`, `[1]`, `[{"objectId":"x"}]`} {
		if _, err := WebhookHints([]byte(body), "", ""); err == nil {
			t.Errorf("%q was taken for events", body)
		}
	}
}
