package engine_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/lockstep-sync/lockstep/internal/crm"
	"github.com/lockstep-sync/lockstep/internal/engine"
	"github.com/lockstep-sync/lockstep/sandbox"
	"github.com/lockstep-sync/lockstep/sandbox/faults"
	sandboxsalesforce "github.com/lockstep-sync/lockstep/sandbox/salesforce"
)

// fair is a pair of accounts with people on both sides, and lists and campaigns
// between them.
type fair struct {
	*connected
	contact, lead    string // people of HubSpot
	person, prospect string // and what they are in Salesforce
	companyID        string
}

func openFair(t *testing.T, dir string) *fair {
	return openFairBy(t, dir, func(yaml string) string { return createBoth(yaml) })
}

func openFairBy(t *testing.T, dir string, edit func(string) string) *fair {
	f := &fair{connected: connectObjects(t, dir, sandbox.Config{Seed: "empty"}, edit, nil, "companies", "people", "campaigns")}
	f.companyID = f.insertHubSpot("companies", values{"name": "Acme", "domain": "acme.example"})
	f.contact, f.lead = f.worker("lee@acme.example"), f.insertHubSpot("contacts", values{"lastname": "Kim", "email": "kim@elsewhere.example"})
	time.Sleep(time.Minute)
	f.sync()
	f.person, f.prospect = f.partner("people", crm.HubSpot, f.contact), f.partner("people", crm.HubSpot, f.lead)
	return f
}

// worker makes a contact with a company, which becomes a Contact.
func (f *fair) worker(email string) string {
	id := f.insertHubSpot("contacts", values{"lastname": "Worker", "email": email})
	f.box.HubSpot().Associate("contacts", id, "companies", f.companyID, 1)
	return id
}

// call makes a call to HubSpot as another integration, and returns its answer.
func (f *fair) call(method, path, body string) map[string]any {
	f.t.Helper()
	request, err := http.NewRequestWithContext(f.t.Context(), method, f.box.HubSpotURL()+"/crm/v3/lists"+path, strings.NewReader(body))
	if err != nil {
		f.t.Fatal(err)
	}
	request.Header.Set("Authorization", "Bearer "+f.box.Credentials().HubSpot.PrivateApp)
	request.Header.Set("Content-Type", "application/json")
	response, err := f.box.Client().Do(request)
	if err != nil {
		f.t.Fatal(err)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	answer := map[string]any{}
	if err == nil && len(text) > 0 {
		err = json.Unmarshal(text, &answer)
	}
	if err != nil || response.StatusCode >= 300 {
		f.t.Fatalf("%s %s: %d %s %v", method, path, response.StatusCode, text, err)
	}
	return answer
}

func (f *fair) newList(name string, members ...string) string {
	f.t.Helper()
	id, err := f.box.HubSpot().AddList("contacts", name)
	if err != nil {
		f.t.Fatal(err)
	}
	f.change(id, members, nil)
	return id
}

func (f *fair) change(list string, add, remove []string) {
	f.t.Helper()
	if err := f.box.HubSpot().AsPerson().ChangeList(list, add, remove); err != nil {
		f.t.Fatal(err)
	}
}

// join makes a campaign member as a person does.
func (f *fair) join(campaign, person string) string {
	field := "ContactId"
	if strings.HasPrefix(person, "00Q") {
		field = "LeadId"
	}
	return f.insertSalesforce("CampaignMember", values{"CampaignId": campaign, field: person, "Status": "Responded"})
}

// members are who is in a campaign: Contacts and Leads.
func (f *fair) members(campaign string) (people []string) {
	f.box.Salesforce().Each("CampaignMember", func(_ string, fields map[string]any) bool {
		if fields["CampaignId"] == campaign {
			for _, name := range []string{"ContactId", "LeadId"} {
				if id, ok := fields[name].(string); ok && id != "" {
					people = append(people, id)
					break
				}
			}
		}
		return true
	})
	slices.Sort(people)
	return people
}

func (f *fair) member(campaign, person string) (id string, fields map[string]any) {
	f.box.Salesforce().Each("CampaignMember", func(row string, values map[string]any) bool {
		if values["CampaignId"] == campaign && (values["ContactId"] == person || values["LeadId"] == person) {
			id, fields = row, values
		}
		return id == ""
	})
	return id, fields
}

// wants compares who is in the list and who is in the campaign.
func (f *fair) wants(when, list, campaign string, contacts, people []string) {
	f.t.Helper()
	got, err := f.box.HubSpot().ListMembers(list)
	if err != nil {
		f.t.Fatal(err)
	}
	sorted := func(ids []string) []string { return slices.Sorted(slices.Values(ids)) }
	if diff := cmp.Diff(sorted(contacts), sorted(got)); diff != "" {
		f.t.Errorf("%s: members of the list (-want +got):\n%s", when, diff)
	}
	if diff := cmp.Diff(sorted(people), sorted(f.members(campaign))); diff != "" {
		f.t.Errorf("%s: members of the campaign (-want +got):\n%s", when, diff)
	}
}

// after waits for the next cycle and lets it run.
func (f *fair) after() *engine.Run {
	f.t.Helper()
	time.Sleep(time.Minute)
	run := f.sync()
	if run.Tally.Failed+run.Tally.Pending != 0 {
		f.t.Errorf("%+v%s", run.Tally, f.outcomes("campaigns"))
	}
	return run
}

func inFair(t *testing.T, play func(t *testing.T, f *fair)) {
	dir := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		f := openFair(t, dir)
		defer f.close()
		play(t, f)
	})
}

// TestListsAndCampaigns makes a list and a campaign, lets both travel with
// their members, changes the members on either side and on both, renames, and
// deletes. After each the other side follows, and a quiet world writes nothing.
func TestListsAndCampaigns(t *testing.T) {
	inFair(t, func(t *testing.T, f *fair) {
		list := f.newList("Fair 2026", f.contact, f.lead)
		campaign := f.insertSalesforce("Campaign", values{"Name": "Webinar"})
		f.join(campaign, f.person)
		f.after()
		made, madeList := f.partner("campaigns", crm.HubSpot, list), f.partner("campaigns", crm.Salesforce, campaign)
		f.holds(crm.Salesforce, "Campaign", made, values{"Name": "Fair 2026"})
		f.wants("the list is a campaign", list, made, []string{f.contact, f.lead}, []string{f.person, f.prospect})
		f.wants("the campaign is a list", madeList, campaign, []string{f.contact}, []string{f.person})
		if _, member := f.member(made, f.prospect); member["Status"] != "Sent" || member["LeadId"] != f.prospect || member["ContactId"] != nil {
			t.Errorf("a new member of the campaign is %v", member)
		}
		f.inStep()
		f.quiet("after the first copy")

		f.change(list, nil, []string{f.contact})
		f.after()
		f.wants("somebody left the list", list, made, []string{f.lead}, []string{f.prospect})
		row, _ := f.member(made, f.prospect)
		if err := f.box.Salesforce().Delete("CampaignMember", row); err != nil {
			t.Fatal(err)
		}
		f.join(made, f.person)
		f.after()
		f.wants("one left the campaign and one joined", list, made, []string{f.contact}, []string{f.person})

		third := f.worker("pat@acme.example")
		f.after()
		f.change(list, []string{third}, []string{f.contact})
		f.join(made, f.prospect)
		f.after()
		f.wants("both sides changed", list, made, []string{third, f.lead}, []string{f.partner("people", crm.HubSpot, third), f.prospect})
		f.inStep()
		f.quiet("after changes on both sides")

		f.call("PUT", "/"+list+"/update-list-name?listName=Fair%202027", "")
		if err := f.box.Salesforce().Update("Campaign", campaign, map[string]any{"Name": "Webinar II"}); err != nil {
			t.Fatal(err)
		}
		f.after()
		f.holds(crm.Salesforce, "Campaign", made, values{"Name": "Fair 2027"})
		if name := f.call("GET", "/"+madeList, "")["list"].(map[string]any)["name"]; name != "Webinar II" {
			t.Errorf("the list is called %v", name)
		}
		f.quiet("after two new names")
	})
}

// TestTheFirstLookAtAListAndACampaignUnitesTheirMembers: nothing is known of
// who left, so nobody is taken out.
func TestTheFirstLookAtAListAndACampaignUnitesTheirMembers(t *testing.T) {
	inFair(t, func(t *testing.T, f *fair) {
		list := f.newList("Fair", f.contact)
		campaign := f.insertSalesforce("Campaign", values{"Name": "FAIR"})
		f.join(campaign, f.prospect)
		f.after()
		if f.partner("campaigns", crm.HubSpot, list) != campaign {
			t.Fatal("the same name is not the same campaign")
		}
		f.wants("first look", list, campaign, []string{f.contact, f.lead}, []string{f.person, f.prospect})
		if _, member := f.member(campaign, f.prospect); member["Status"] != "Responded" {
			t.Errorf("who was a member already is %v now", member)
		}
		f.quiet("after the first look")
	})
}

// TestAMemberWhoIsNotOnBothSidesWaits: a contact that the mapping leaves out is
// in the list. Explain and verify say so, and once it is let in, it joins.
func TestAMemberWhoIsNotOnBothSidesWaits(t *testing.T) {
	dir := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		f := openFairBy(t, dir, func(yaml string) string {
			return createBoth(strings.Replace(yaml, "    hubspot: contacts\n", "    hubspot: contacts\n    where: {hubspot: 'hubspot.city != \"Nowhere\"'}\n", 1))
		})
		defer f.close()
		stranger := f.insertHubSpot("contacts", values{"lastname": "Doe", "email": "doe@elsewhere.example", "city": "Nowhere"})
		list := f.newList("Fair", f.contact, stranger)
		f.after()
		campaign := f.partner("campaigns", crm.HubSpot, list)
		f.wants("a stranger is in the list", list, campaign, []string{f.contact, stranger}, []string{f.person})
		f.quiet("while the stranger waits")
		ctx := context.Background()
		explained, err := f.engine.Explain(ctx, campaign)
		if err != nil || len(explained.Things) != 1 {
			t.Fatalf("%+v, %v", explained, err)
		}
		text := fmt.Sprintf("%+v", explained.Things[0])
		if want := "HubSpot contacts " + stranger + " is held, excluded or failed"; !strings.Contains(text, want) {
			t.Errorf("explain does not say %q:\n%s", want, text)
		}
		var allowed string
		v, err := f.engine.Verify(ctx, func(finding engine.Finding) error {
			for _, d := range finding.Differences {
				allowed += d.Allowed
			}
			return nil
		})
		if err != nil || !v.Closed || !v.InStep || !strings.Contains(allowed, stranger) {
			t.Errorf("verify says closed %v, in step %v, and of the difference %q; %v", v.Closed, v.InStep, allowed, err)
		}
		if err := f.box.HubSpot().Update("contacts", stranger, values{"city": "Bern"}); err != nil {
			t.Fatal(err)
		}
		f.after()
		f.after()
		f.wants("the stranger is let in", list, campaign, []string{f.contact, stranger}, []string{f.person, f.partner("people", crm.HubSpot, stranger)})
	})
}

// TestDynamicListsAreOnlyRead: HubSpot fills them, so they go to Salesforce, and
// what somebody does to the campaign stays there.
func TestDynamicListsAreOnlyRead(t *testing.T) {
	dir := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		f := openFairBy(t, dir, func(yaml string) string {
			lines := slices.DeleteFunc(strings.Split(yaml, "\n"), func(line string) bool { return strings.Contains(line, "where: {hubspot: 'hubspot.processingType") })
			return createBoth(strings.ReplaceAll(strings.Join(lines, "\n"), "deletes: ask ", "deletes: archive "))
		})
		defer f.close()
		list := f.call("POST", "", `{"name":"From Acme","objectTypeId":"0-1","processingType":"DYNAMIC","filterBranch":{"filterBranchType":"OR","filterBranches":[{"filterBranchType":"AND","filterBranches":[],
			"filters":[{"filterType":"PROPERTY","property":"email","operation":{"operationType":"STRING","operator":"CONTAINS","value":"acme.example"}}]}],"filters":[]}}`)["list"].(map[string]any)["listId"].(string)
		f.after()
		campaign := f.partner("campaigns", crm.HubSpot, list)
		f.wants("the filter gives the members", list, campaign, []string{f.contact}, []string{f.person})
		f.join(campaign, f.prospect)
		if err := f.box.Salesforce().Update("Campaign", campaign, map[string]any{"Name": "Mine"}); err != nil {
			t.Fatal(err)
		}
		f.after()
		f.wants("the campaign has a member of its own", list, campaign, []string{f.contact}, []string{f.person, f.prospect})
		if name := f.call("GET", "/"+list, "")["list"].(map[string]any)["name"]; name != "From Acme" {
			t.Errorf("the list is called %v", name)
		}
		another := f.worker("pat@acme.example")
		f.after()
		f.after()
		f.wants("one more matches the filter", list, campaign, []string{f.contact, another}, []string{f.person, f.prospect, f.partner("people", crm.HubSpot, another)})
		f.inStep()
		f.quiet("with a dynamic list")
		if err := f.box.Salesforce().Delete("Campaign", campaign); err != nil {
			t.Fatal(err)
		}
		f.after()
		f.call("GET", "/"+list, "") // it is still there
	})
}

// TestAListWithManyMembers has more of them than a page of HubSpot's and a
// collection of Salesforce's, and counts the calls.
func TestAListWithManyMembers(t *testing.T) {
	inFair(t, func(t *testing.T, f *fair) {
		const many = 600
		var ids []string
		for i := range many {
			ids = append(ids, f.insertHubSpot("contacts", values{"lastname": "Guest", "email": fmt.Sprintf("g%d@elsewhere.example", i)}))
		}
		f.after()
		list := f.newList("Fair", ids...)
		before := f.sides[crm.Salesforce].Usage().Calls
		f.after()
		calls := f.sides[crm.Salesforce].Usage().Calls - before
		campaign := f.partner("campaigns", crm.HubSpot, list)
		if got := len(f.members(campaign)); got != many {
			t.Fatalf("%d of %d members came over", got, many)
		}
		if calls > 25 {
			t.Errorf("%d calls to Salesforce for %d members", calls, many)
		}
		f.quiet("with many members")
		f.change(list, nil, ids[:500])
		f.after()
		if got := len(f.members(campaign)); got != many-500 {
			t.Errorf("%d members are left, want %d", got, many-500)
		}
		// And the other way: what leaves the campaign in Salesforce leaves the list.
		rest := f.members(campaign)
		for _, person := range rest[:60] {
			row, _ := f.member(campaign, person)
			if err := f.box.Salesforce().Delete("CampaignMember", row); err != nil {
				t.Fatal(err)
			}
		}
		f.after()
		if got, err := f.box.HubSpot().ListMembers(list); err != nil || len(got) != 40 {
			t.Errorf("%d are left in the list, %v", len(got), err)
		}
		f.quiet("after many left")
		for range 2 {
			f.wait(time.Hour)
			f.sync()
		}
		time.Sleep(time.Minute)
		hub := f.sides[crm.HubSpot].Usage().Calls
		f.sync()
		// Companies 2, contacts 2 and one for their associations, lists 1 and one for their members.
		if calls := f.sides[crm.HubSpot].Usage().Calls - hub; calls > 7 {
			t.Errorf("a quiet cycle costs %d calls to HubSpot", calls)
		}
	})
}

// TestUndoOfMemberships takes back what a run did to a campaign's members; the
// list stays as its people left it, and neither follows the other before it changes.
func TestUndoOfMemberships(t *testing.T) {
	inFair(t, func(t *testing.T, f *fair) {
		list := f.newList("Fair", f.contact)
		f.after()
		campaign := f.partner("campaigns", crm.HubSpot, list)
		f.change(list, []string{f.lead}, []string{f.contact})
		run := f.after()
		f.wants("one left and one joined", list, campaign, []string{f.lead}, []string{f.prospect})
		plan, err := f.engine.PlanUndo(context.Background(), run.ID, engine.UndoOptions{})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := f.engine.Undo(context.Background(), plan, false); err != nil {
			t.Fatal(err)
		}
		f.wants("undone", list, campaign, []string{f.lead}, []string{f.person})
		f.quiet("after an undo")
		f.wants("undone, and at rest", list, campaign, []string{f.lead}, []string{f.person})
	})
}

// TestMembersStayWhilePeopleChange: a lead is converted, two people are merged,
// one is deleted. None of it takes anybody out of the list or the campaign.
func TestMembersStayWhilePeopleChange(t *testing.T) {
	inFair(t, func(t *testing.T, f *fair) {
		hub, org := f.box.HubSpot(), f.box.Salesforce()
		twin := f.worker("lee2@acme.example")
		gone := f.worker("gone@acme.example")
		f.after()
		list := f.newList("Fair", f.contact, f.lead, twin, gone)
		f.after()
		campaign := f.partner("campaigns", crm.HubSpot, list)
		leaver := f.partner("people", crm.HubSpot, gone)
		all := []string{f.person, f.prospect, f.partner("people", crm.HubSpot, twin), leaver}
		f.wants("at first", list, campaign, []string{f.contact, f.lead, twin, gone}, all)

		done, err := org.ConvertLead(f.prospect, sandboxsalesforce.Conversion{NoOpportunity: true})
		if err != nil {
			t.Fatal(err)
		}
		f.after()
		f.quiet("after a conversion")
		all[1] = done.ContactID
		f.wants("after a conversion", list, campaign, []string{f.contact, f.lead, twin, gone}, all)
		if f.partner("people", crm.HubSpot, f.lead) != done.ContactID {
			t.Error("the link did not follow the conversion")
		}

		if err := hub.Archive("contacts", gone); err != nil {
			t.Fatal(err)
		}
		f.after()
		f.quiet("after a contact was deleted")
		f.wants("after a contact was deleted", list, campaign, []string{f.contact, f.lead, twin}, all)
		if err := hub.Restore("contacts", gone); err != nil {
			t.Fatal(err)
		}
		f.after()
		f.after()
		f.wants("restored, it joins the list that HubSpot took it out of", list, campaign, []string{f.contact, f.lead, twin, gone}, all)
		f.quiet("after a contact was restored")

		merged, err := hub.Merge("contacts", f.contact, twin)
		if err != nil {
			t.Fatal(err)
		}
		f.after()
		f.quiet("after a merge")
		f.wants("after a merge", list, campaign, []string{merged, f.lead, gone}, all)
	})
}

// TestDeletedListsAndCampaigns follows `deletes`: archive both ways, which takes
// the members of a campaign with it, and undo brings both back.
func TestDeletedListsAndCampaigns(t *testing.T) {
	dir := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		f := openFairBy(t, dir, func(yaml string) string {
			return createBoth(strings.ReplaceAll(yaml, "deletes: ask ", "deletes: archive "))
		})
		defer f.close()
		first, second := f.newList("One", f.contact), f.newList("Two", f.contact, f.lead)
		f.after()
		one, two := f.partner("campaigns", crm.HubSpot, first), f.partner("campaigns", crm.HubSpot, second)
		f.call("DELETE", "/"+first, "")
		f.after()
		if gone, _ := f.box.Salesforce().Get("Campaign", one); gone["IsDeleted"] != true || len(f.members(one)) != 0 {
			t.Errorf("the campaign of a deleted list is still there, with %v", f.members(one))
		}
		if err := f.box.Salesforce().Delete("Campaign", two); err != nil {
			t.Fatal(err)
		}
		run := f.after()
		if _, err := f.box.HubSpot().ListMembers(second); err == nil {
			t.Error("the list of a deleted campaign is still there")
		}
		f.quiet("after both are deleted")
		plan, err := f.engine.PlanUndo(context.Background(), run.ID, engine.UndoOptions{})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := f.engine.Undo(context.Background(), plan, false); err != nil {
			t.Fatal(err)
		}
		if members, err := f.box.HubSpot().ListMembers(second); err != nil || len(members) != 2 {
			t.Errorf("undo brings the list back with %v, %v", members, err)
		}
	})
}

// TestMembersTravelWithTheirPeopleInOneSealedPlan: list, members and the people
// themselves are new, and a plan that was sealed makes all of them.
func TestMembersTravelWithTheirPeopleInOneSealedPlan(t *testing.T) {
	inFair(t, func(t *testing.T, f *fair) {
		ctx := context.Background()
		worker, prospect := f.worker("new@acme.example"), f.insertHubSpot("contacts", values{"lastname": "New", "email": "new@elsewhere.example"})
		list := f.newList("Fair", worker, prospect, f.lead)
		time.Sleep(time.Minute)
		plan, err := f.engine.Plan(ctx, engine.PlanOptions{})
		if err != nil {
			t.Fatal(err)
		}
		members := 0
		err = plan.Items(ctx, engine.ItemFilter{}, func(item engine.Item) error {
			for _, w := range item.Writes {
				if w.Relation != nil && w.Relation.Object == "CampaignMember" {
					members++
				}
			}
			return nil
		})
		if err != nil || members != 3 {
			t.Errorf("the plan shows %d new members, %v", members, err)
		}
		var file bytes.Buffer
		if err := plan.Seal(ctx, &file); err != nil {
			t.Fatal(err)
		}
		sealed, err := engine.ReadSealed(&file)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := f.engine.ApplyReleased(ctx, sealed); err != nil {
			t.Fatal(err)
		}
		campaign := f.partner("campaigns", crm.HubSpot, list)
		f.wants("the plan is applied", list, campaign, []string{worker, prospect, f.lead},
			[]string{f.partner("people", crm.HubSpot, worker), f.partner("people", crm.HubSpot, prospect), f.prospect})
		f.quiet("after a sealed plan")
		f.inStep()
	})
}

// TestFaultsLoseNoMemberAndMakeNoListTwice: answers are lost, calls are
// throttled and refused; in the end both sides have the same lists and members.
func TestFaultsLoseNoMemberAndMakeNoListTwice(t *testing.T) {
	for seed := range uint64(3) {
		t.Run(fmt.Sprintf("seed %d", seed), func(t *testing.T) {
			inFair(t, func(t *testing.T, f *fair) {
				lists, campaigns := map[string]string{}, map[string]string{}
				for i := range 6 {
					name := fmt.Sprintf("List %d", i)
					lists[name] = f.newList(name, f.contact, f.lead)
					name = fmt.Sprintf("Campaign %d", i)
					campaigns[name] = f.insertSalesforce("Campaign", values{"Name": name})
					f.join(campaigns[name], f.person)
					f.join(campaigns[name], f.prospect)
				}
				f.box.Dials().Set(faults.Setting{Seed: seed + 1, Rules: []faults.Rule{
					{Kind: faults.TooMany, Share: 0.05}, {Kind: faults.ServerError, Share: 0.1}, {Kind: faults.CutAfter, Share: 0.3, Method: "write"}, {Kind: faults.CutBefore, Share: 0.05}}})
				for range 6 {
					time.Sleep(time.Minute)
					if _, err := f.engine.Sync(context.Background(), engine.SyncOptions{ReleaseBrakes: true}); err != nil {
						t.Log(err) // the next one goes on
					}
				}
				f.box.Dials().Set(faults.Setting{})
				if f.sides[crm.HubSpot].Usage().Retries == 0 || f.sides[crm.Salesforce].Usage().Retries == 0 {
					t.Error("nothing went wrong, so nothing is proved")
				}
				for range 4 {
					f.wait(time.Hour)
					f.sync()
				}
				for name, list := range lists {
					f.wants(name, list, f.partner("campaigns", crm.HubSpot, list), []string{f.contact, f.lead}, []string{f.person, f.prospect})
				}
				for name, campaign := range campaigns {
					f.wants(name, f.partner("campaigns", crm.Salesforce, campaign), campaign, []string{f.contact, f.lead}, []string{f.person, f.prospect})
				}
				if lists, campaigns := len(f.box.HubSpot().Lists()), f.box.Salesforce().Count("Campaign"); lists != 12 || campaigns != 12 {
					t.Errorf("%d lists and %d campaigns, want 12 of each", lists, campaigns)
				}
				f.quiet("after faults")
				f.inStep()
			})
		})
	}
}

// memberEdit is what somebody does to one membership on one side.
type memberEdit struct {
	list, person int
	side         crm.Side
	in           bool
}

// TestMembersFollowWhicheverSideChanged plays edits of memberships on both sides,
// several between two cycles and some of them lost to faults, against an oracle
// of one line: a side that differs from what was agreed has changed, and the
// other follows.
func TestMembersFollowWhicheverSideChanged(t *testing.T) {
	t.Parallel()
	const lists, people, rounds = 2, 5, 6
	rapid.Check(t, func(rt *rapid.T) {
		var plan [rounds][]memberEdit
		for round := range plan {
			for range rapid.IntRange(0, 8).Draw(rt, "edits") {
				plan[round] = append(plan[round], memberEdit{rapid.IntRange(0, lists-1).Draw(rt, "list"), rapid.IntRange(0, people-1).Draw(rt, "person"),
					rapid.SampledFrom([]crm.Side{crm.HubSpot, crm.Salesforce}).Draw(rt, "side"), rapid.Bool().Draw(rt, "in")})
			}
		}
		seed := rapid.Uint64Range(0, 3).Draw(rt, "faults")
		dir := t.TempDir()
		problem := ""
		synctest.Test(t, func(t *testing.T) {
			f := openFair(t, dir)
			defer f.close()
			problem = f.playMembers(plan[:], lists, people, seed)
		})
		if problem != "" {
			rt.Fatal(problem)
		}
	})
}

// playMembers returns what went wrong, empty for nothing.
func (f *fair) playMembers(plan [][]memberEdit, lists, people int, seed uint64) string {
	contacts, persons := []string{f.contact, f.lead}, []string{f.person, f.prospect}
	for i := len(contacts); i < people; i++ {
		contacts = append(contacts, f.worker(fmt.Sprintf("p%d@acme.example", i)))
	}
	var ids, campaigns []string
	for i := range lists {
		ids = append(ids, f.newList(fmt.Sprintf("List %d", i)))
	}
	f.after()
	for _, id := range contacts[len(persons):] {
		persons = append(persons, f.partner("people", crm.HubSpot, id))
	}
	for _, id := range ids {
		campaigns = append(campaigns, f.partner("campaigns", crm.HubSpot, id))
	}
	held := func(list, person int) (hubspot, salesforce bool) {
		members, err := f.box.HubSpot().ListMembers(ids[list])
		if err != nil {
			f.t.Fatal(err)
		}
		row, _ := f.member(campaigns[list], persons[person])
		return slices.Contains(members, contacts[person]), row != ""
	}
	agreed := map[[2]int]bool{}
	for round, edits := range plan {
		for _, edit := range edits {
			inHubSpot, inSalesforce := held(edit.list, edit.person)
			switch {
			case edit.side == crm.HubSpot && edit.in != inHubSpot && edit.in:
				f.change(ids[edit.list], []string{contacts[edit.person]}, nil)
			case edit.side == crm.HubSpot && edit.in != inHubSpot:
				f.change(ids[edit.list], nil, []string{contacts[edit.person]})
			case edit.side == crm.Salesforce && edit.in != inSalesforce && edit.in:
				f.join(campaigns[edit.list], persons[edit.person])
			case edit.side == crm.Salesforce && edit.in != inSalesforce:
				row, _ := f.member(campaigns[edit.list], persons[edit.person])
				if err := f.box.Salesforce().Delete("CampaignMember", row); err != nil {
					f.t.Fatal(err)
				}
			}
		}
		want := map[[2]int]bool{}
		for list := range lists {
			for person := range people {
				hubspot, salesforce := held(list, person)
				if want[[2]int{list, person}] = salesforce; hubspot != agreed[[2]int{list, person}] {
					want[[2]int{list, person}] = hubspot
				}
			}
		}
		if seed > 0 {
			f.box.Dials().Set(faults.Setting{Seed: seed + uint64(round), Rules: []faults.Rule{{Kind: faults.CutAfter, Share: 0.3, Method: "write"}, {Kind: faults.ServerError, Share: 0.1}}})
			time.Sleep(time.Minute)
			_, _ = f.engine.Sync(context.Background(), engine.SyncOptions{ReleaseBrakes: true}) // what failed is tried again below
			f.box.Dials().Set(faults.Setting{})
		}
		for range 2 {
			f.wait(30 * time.Minute)
			f.sync()
		}
		for key, in := range want {
			if hubspot, salesforce := held(key[0], key[1]); hubspot != in || salesforce != in {
				return fmt.Sprintf("round %d: person %d of list %d: in HubSpot %v, in Salesforce %v, want %v", round, key[1], key[0], hubspot, salesforce, in)
			}
		}
		agreed = want
	}
	time.Sleep(time.Minute)
	if run := f.sync(); run.Writes.Sum() != 0 {
		return fmt.Sprintf("at rest it writes %+v", run.Writes)
	}
	return ""
}
