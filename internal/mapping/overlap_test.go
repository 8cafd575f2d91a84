package mapping

import (
	"strings"
	"testing"

	"github.com/lockstep-sync/lockstep/internal/crm"
	"github.com/lockstep-sync/lockstep/internal/mapping/mappingtest"
)

// Two objects of the file may share a Salesforce object when their filters tell
// its records apart; a record that both would take is shown.
func TestARecordThatTwoObjectsWouldTakeIsShown(t *testing.T) {
	schemas := standardSchemas()
	subtype := mappingtest.Field("TaskSubtype", crm.KindPicklist)
	subtype.Options = []crm.Option{{Value: "Task", Active: true}, {Value: "Call", Active: true}, {Value: "Email", Active: true}}
	schemas.Salesforce["Task"] = &crm.Object{Side: crm.Salesforce, Name: "Task", Creatable: true, Updatable: true, Fields: []crm.Field{
		mappingtest.Field("Subject", crm.KindText), subtype, mappingtest.Field("IsRecurrence", crm.KindBool), mappingtest.Field("CallDurationInSeconds", crm.KindInteger)}}
	for _, name := range []string{"calls", "notes"} {
		schemas.HubSpot[name] = &crm.Object{Side: crm.HubSpot, Name: name, Creatable: true, Updatable: true, Fields: []crm.Field{mappingtest.Field("hs_body", crm.KindText)}}
	}
	for name, test := range map[string]struct{ calls, notes, example string }{
		"apart by one picklist":              {`salesforce.TaskSubtype == "Call"`, `salesforce.TaskSubtype != "Call"`, ""},
		"apart by a list of values":          {`salesforce.TaskSubtype in ["Call", "Email"]`, `salesforce.TaskSubtype in ["", "Task"]`, ""},
		"apart by two fields":                {`salesforce.TaskSubtype == "Call"`, `salesforce.TaskSubtype in ["", "Task"] and salesforce.Subject == "Note"`, ""},
		"apart by a number":                  {`salesforce.CallDurationInSeconds > 60`, `salesforce.CallDurationInSeconds <= 60`, ""},
		"not apart: each asks another field": {`salesforce.TaskSubtype == "Call"`, `salesforce.Subject == "Note"`, `Subject "Note", TaskSubtype "Call"`},
		"not apart at the edge":              {`salesforce.CallDurationInSeconds >= 60`, `salesforce.CallDurationInSeconds <= 60`, `CallDurationInSeconds 60`},
		"not apart: one of several":          {`salesforce.TaskSubtype in ["Call", "Email"]`, `salesforce.TaskSubtype in ["Email", "Task"]`, `TaskSubtype "Email"`},
		"not apart: what neither names":      {`salesforce.TaskSubtype != "Call"`, `salesforce.TaskSubtype != "Email"`, `TaskSubtype "Task"`},
		"not apart: equal, said differently": {`salesforce.TaskSubtype == "Call"`, `"Call" == salesforce.TaskSubtype`, `TaskSubtype "Call"`},
		"not apart: a part of a text":        {`salesforce.Subject startsWith "Re: "`, `not salesforce.IsRecurrence`, `IsRecurrence false, Subject "Re: "`},
	} {
		t.Run(name, func(t *testing.T) {
			src := "hubspot: a\nsalesforce: b\nobjects:\n"
			for _, o := range [][2]string{{"calls", test.calls}, {"notes", test.notes}} {
				src += "  - name: " + o[0] + "\n    hubspot: " + o[0] + "\n    salesforce: Task\n    create: never\n    where:\n      salesforce: '" + o[1] + "'\n    fields: [{hubspot: hs_body, salesforce: Subject}]\n"
			}
			m, err := Parse("lockstep.yaml", []byte(src))
			if err != nil {
				t.Fatal(err)
			}
			bound, problems := m.Bind(schemas)
			if bound == nil {
				t.Fatal(problems)
			}
			var said []string
			if problems != nil {
				for _, p := range problems.Warnings() {
					if p.Code == "mapping.filters-overlap" {
						said = append(said, p.What)
					}
				}
			}
			want := "calls and notes would both take a Salesforce Task with " + test.example
			if got := strings.Join(said, "; "); test.example == "" && got != "" || test.example != "" && got != want {
				t.Errorf("got %q, want %q", got, want)
			}
		})
	}
}
