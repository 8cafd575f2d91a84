package salesforce

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/lockstep-sync/lockstep/internal/crm"
	"github.com/lockstep-sync/lockstep/internal/fault"
)

// roles is a fake org that keeps OpportunityContactRole rows.
type roles struct {
	rows  []map[string]any
	lose  bool // the next create happens and is not answered
	posts int
}

func (r *roles) answer(call fakeCall) (int, string) {
	switch {
	case call.Path == "/query":
		var rows []string
		for _, row := range r.rows {
			if strings.Contains(call.SOQL, "'"+row["OpportunityId"].(string)+"'") {
				rows = append(rows, fmt.Sprintf(`{"Id":%q,"OpportunityId":%q,"ContactId":%q,"Role":%q,"IsPrimary":%v}`, row["id"], row["OpportunityId"], row["ContactId"], row["Role"], row["IsPrimary"] == true))
			}
		}
		return 200, fakePage(len(rows), "", rows...)
	case call.Path == "/composite/sobjects" && call.Method == "POST":
		r.posts++
		status, text := wellDone(call.Body, func(record map[string]any) string {
			record["id"] = fakeID("00K", len(r.rows)+1)
			if record["Role"] == nil {
				record["Role"] = ""
			}
			r.rows = append(r.rows, record)
			return fmt.Sprintf(`{"id":%q,"success":true,"errors":[]}`, record["id"])
		})
		if r.lose {
			r.lose = false
			return 0, ""
		}
		return status, text
	case call.Path == "/composite/sobjects" && call.Method == "PATCH":
		return wellDone(call.Body, func(record map[string]any) string {
			for _, row := range r.rows {
				if row["id"] == record["id"] && record["Role"] != nil {
					row["Role"] = record["Role"]
				}
			}
			return ""
		})
	case call.Method == "DELETE":
		r.rows = slices.DeleteFunc(r.rows, func(row map[string]any) bool { return row["id"] == call.Query["ids"][0] })
		return 200, fmt.Sprintf(`[{"id":%q,"success":true,"errors":[]}]`, call.Query["ids"][0])
	}
	return leave, ""
}

func relating(op crm.Op, key string, contact int, role string) crm.Write {
	return crm.Write{Key: key, Op: op, Object: "Opportunity", ID: fakeID("006", 1), Relation: crm.Relation{Object: "Contact", ID: fakeID("003", contact), Label: role}}
}

func TestRelatingTwiceMakesOneRow(t *testing.T) {
	kept := &roles{}
	c := newClient(t, &fakeOrg{answer: kept.answer})
	writes := []crm.Write{relating(crm.Relate, "a", 1, ""), relating(crm.Relate, "b", 2, "Evaluator"), relating(crm.Relate, "c", 1, "")}
	for range 2 {
		results, err := c.Apply(t.Context(), writes)
		if err != nil || results[0].ID != fakeID("00K", 1) || results[1].ID != fakeID("00K", 2) || results[2].ID != fakeID("00K", 1) {
			t.Fatalf("%+v, %v", results, err)
		}
	}
	if len(kept.rows) != 2 || kept.posts != 1 {
		t.Errorf("%d rows in %d calls", len(kept.rows), kept.posts)
	}
	if _, err := c.Apply(t.Context(), []crm.Write{relating(crm.Relate, "a", 1, "Decision Maker")}); err != nil || kept.rows[0]["Role"] != "Decision Maker" {
		t.Errorf("the role is %v, %v", kept.rows[0]["Role"], err)
	}
	results, err := c.Apply(t.Context(), []crm.Write{relating(crm.Unrelate, "d", 2, ""), relating(crm.Unrelate, "e", 7, "")})
	if diff := cmp.Diff([]string{"d ok", "e ok"}, outcomes(results)); diff != "" || err != nil || len(kept.rows) != 1 {
		t.Errorf("%d rows left, %v\n%s", len(kept.rows), err, diff)
	}
	results, err = c.Apply(t.Context(), []crm.Write{{Key: "f", Op: crm.Unrelate, Object: "Opportunity", ID: fakeID("006", 1), Relation: crm.Relation{RowID: fakeID("00K", 1)}}})
	if diff := cmp.Diff([]string{"f ok"}, outcomes(results)); diff != "" || err != nil || len(kept.rows) != 0 {
		t.Errorf("%d rows left, %v\n%s", len(kept.rows), err, diff)
	}
}

func TestARelationWhoseAnswerWasLostIsLookedUp(t *testing.T) {
	kept := &roles{lose: true}
	results, err := newClient(t, &fakeOrg{answer: kept.answer}).Apply(t.Context(), []crm.Write{relating(crm.Relate, "a", 1, "")})
	if diff := cmp.Diff([]string{"a ok"}, outcomes(results)); diff != "" || err != nil || len(kept.rows) != 1 || results[0].ID != fakeID("00K", 1) {
		t.Errorf("%d rows, %v\n%s", len(kept.rows), err, diff)
	}
}

func TestALeadHasNoRole(t *testing.T) {
	w := relating(crm.Relate, "a", 1, "")
	w.Relation.Object = "Lead"
	results, err := newClient(t, &fakeOrg{}).Apply(t.Context(), []crm.Write{w})
	if err != nil || fault.KindOf(results[0].Err) != fault.Invalid || !strings.Contains(fault.MendOf(results[0].Err), "only contacts have roles") {
		t.Errorf("%+v, %v", results, err)
	}
}

func TestARowThatIsNamedGetsAnotherRole(t *testing.T) {
	kept := &roles{}
	c := newClient(t, &fakeOrg{answer: kept.answer})
	if _, err := c.Apply(t.Context(), []crm.Write{relating(crm.Relate, "a", 1, "Evaluator")}); err != nil {
		t.Fatal(err)
	}
	w := relating(crm.Relate, "b", 1, "Decision Maker")
	w.Relation.RowID = fakeID("00K", 1)
	results, err := c.Apply(t.Context(), []crm.Write{w})
	if diff := cmp.Diff([]string{"b ok"}, outcomes(results)); diff != "" || err != nil || len(kept.rows) != 1 || kept.rows[0]["Role"] != "Decision Maker" {
		t.Errorf("%v, %v\n%s", kept.rows, err, diff)
	}
}

// TestARowThatSalesforceRefusesAsADuplicateIsTheOneThatWasWanted: a campaign has
// one member for a contact, and somebody may have made it between our look and
// our create.
func TestARowThatSalesforceRefusesAsADuplicateIsTheOneThatWasWanted(t *testing.T) {
	kept := &roles{}
	refused := false
	c := newClient(t, &fakeOrg{answer: func(call fakeCall) (int, string) {
		if call.Path == "/composite/sobjects" && call.Method == "POST" && !refused {
			refused = true
			kept.rows = append(kept.rows, map[string]any{"id": fakeID("00K", 9), "OpportunityId": fakeID("006", 1), "ContactId": fakeID("003", 1), "Role": "Other", "IsPrimary": false})
			return 200, `[{"success":false,"errors":[{"statusCode":"DUPLICATE_VALUE","message":"duplicate value found","fields":[]}]}]`
		}
		return kept.answer(call)
	}})
	results, err := c.Apply(t.Context(), []crm.Write{relating(crm.Relate, "a", 1, "Decision Maker")})
	if diff := cmp.Diff([]string{"a ok"}, outcomes(results)); diff != "" || err != nil || results[0].ID != fakeID("00K", 9) || len(kept.rows) != 1 {
		t.Errorf("%+v, %d rows, %v\n%s", results, len(kept.rows), err, diff)
	}
}

func TestTwoRolesOfOneContactAreTwoRows(t *testing.T) {
	kept := &roles{}
	c := newClient(t, &fakeOrg{answer: kept.answer})
	for _, want := range [][]string{{"a created", "b created"}, {"a ok", "b ok"}} {
		results, err := c.Apply(t.Context(), []crm.Write{relating(crm.Relate, "a", 1, "Decision Maker"), relating(crm.Relate, "b", 1, "Evaluator")})
		if diff := cmp.Diff(want, outcomes(results)); diff != "" || err != nil || len(kept.rows) != 2 || results[0].ID == results[1].ID {
			t.Fatalf("%+v, %d rows, %v\n%s", results, len(kept.rows), err, diff)
		}
	}
}
