package postman

import (
	"encoding/json"
	"fmt"
	"net/url"
	"slices"
	"strings"

	"github.com/lockstep-sync/lockstep/internal/mapping"
)

// places are the names of an object's requests, for going on at another one.
type places struct {
	Pull  string `json:"pull"`
	Match string `json:"match"`
	Push  string `json:"push"`
	Sum   string `json:"sum"`
}

// chainFolder is the whole way: for each object a page from HubSpot, what
// Salesforce has of it, what is to be written, and on with the next page.
func chainFolder(bound *mapping.Bound) (*Item, []LeftOut) {
	f := folder("5 The whole chain", chainText)
	f.Items = append(f.Items, folder("Begin", "Sets the chain up.", request("Which version of the API", "GET", "{{instance_url}}", "services/data").
		test(constant("newest", newestVersion), constant("oldest", oldestVersion), source("begin")).
		describe("Asks for the versions of the API, which needs no token, and clears what an earlier run has left behind. The newest version that this collection knows goes into salesforce_version, unless that is filled.")))
	var leftOut []LeftOut
	for _, o := range bound.Objects {
		if isLists(o.HubSpot) {
			leftOut = append(leftOut, LeftOut{Object: o.Name, What: "the whole transfer", Why: "lists have an API of their own, which this chain does not speak"})
			continue
		}
		r := rulesOf(bound, o)
		properties, rest := readProperties(sorted(r.asked))
		if len(rest) > 0 {
			r.barred = "its properties do not fit into one address"
			r.leave("the whole transfer", "%s: %s and %d more", r.barred, rest[0], len(rest)-1)
		}
		leftOut = append(leftOut, r.leftOut...)
		if r.barred == "" && len(r.counted) > 0 {
			f.Items = append(f.Items, objectFolder(r, properties))
		}
	}
	return f, leftOut
}

func (r *rules) leave(what, format string, args ...any) {
	r.leftOut = append(r.leftOut, LeftOut{Object: r.object.Name, What: what, Why: fmt.Sprintf(format, args...)})
}

const chainText = `Run this folder as a whole; single requests of it make no sense. For each object of lockstep.yaml, in the order in which records refer to each other: pull a page from HubSpot, look for its records in Salesforce, push what is missing by one composite call, go on with the next page until HubSpot has no more, then add up.

It goes one way, from HubSpot to Salesforce, and knows no past: it does not see who changed what last, deletes nothing and clears nothing. Records that Salesforce has already get their blanks filled (the variable existing: fill), are overwritten where the mapping lets HubSpot win (overwrite), or are left alone (leave). Two records that match the same one are not both sent, and a value that Salesforce would not take keeps its whole record out; the console says which and why. lockstep plan and lockstep sync do all of this both ways.

Records that it writes are the newer ones from then on: where the mapping lets the newest win, a later sync takes their values from Salesforce. It writes only when the variable write is yes.`

func sorted(names []string) []string {
	out := slices.Clone(names)
	slices.Sort(out)
	return out
}

func objectFolder(r *rules, properties []string) *Item {
	o := r.object
	here := places{Pull: "Pull " + o.HubSpot, Match: "Match " + o.HubSpot, Push: "Push " + o.HubSpot, Sum: "Add up " + o.HubSpot}
	query := []Variable{{Key: "limit", Value: "{{page_size}}"}, {Key: "properties", Value: strings.Join(properties, ",")}}
	if len(r.related) > 0 {
		query = append(query, Variable{Key: "associations", Value: strings.Join(r.related, ",")})
	}
	query = append(query, Variable{Key: "after", Value: "{{after}}"})
	composite := func(name, body string) *Item {
		return request(name, "POST", "{{instance_url}}", "services/data/v{{salesforce_version}}/composite").bearer("{{access_token}}").json(body)
	}
	facts := []string{constant("here", here), r.source}
	what := o.HubSpot + " to " + strings.Join(r.counted, " or ")
	f := folder(what, o.Name+" of lockstep.yaml."+leftOutText(r.leftOut))
	f.Items = []*Item{
		request(here.Pull, "GET", "{{hubspot_url}}", "crm/objects/{{hubspot_version}}/"+o.HubSpot, query...).bearer("{{hubspot_token}}").
			before(source("pull_before")).test(concat(facts, library(), []string{source("prepare"), source("pull")})...).
			describe("A page of HubSpot records, mapped by the rules at the head of its test script." + leftOutText(r.leftOut)),
		composite(here.Match, "{{lookup}}").test(concat(facts, library(), []string{source("decide"), source("match")})...).
			describe("One call with a query for each Salesforce object: which of the page are there already, by external id or match field, and where references lead. Its test decides what is to be written."),
		composite(here.Push, "{{push}}").test(constant("here", here), constant("rules", map[string]string{"hubspot": o.HubSpot}), source("push")).
			describe(pushText(o)),
		composite(here.Sum, countBody(r)).test(constant("rules", map[string]string{"hubspot": o.HubSpot, "externalId": o.ExternalID}), source("sum")).
			describe("What was read must be what was written, fits already, is excluded, was left out or was refused: none is lost. Salesforce says how many of its records carry a HubSpot id."),
	}
	return f
}

func concat(lists ...[]string) []string { return slices.Concat(lists...) }

func pushText(o *mapping.BoundObject) string {
	if o.ExternalID == "" {
		return "One composite call: new records by POST, as the mapping names no external id, and updates by record id. If its answer is lost, look before you send it again: a repeat would create the records twice."
	}
	return "One composite call: new records as upserts by " + o.ExternalID + ", so that a repeat creates nothing twice, and updates by record id. Each record is taken or refused by itself."
}

// countBody asks how many records there are, of those that carry a HubSpot id
// where there is a field for it.
func countBody(r *rules) string {
	type part struct {
		Method    string `json:"method"`
		URL       string `json:"url"`
		Reference string `json:"referenceId"`
	}
	parts := []part{}
	for _, object := range r.counted {
		soql := "SELECT COUNT() FROM " + object
		if r.object.ExternalID != "" {
			soql += " WHERE " + r.object.ExternalID + " != null"
		}
		parts = append(parts, part{"GET", "/services/data/v{{salesforce_version}}/query?q=" + url.QueryEscape(soql), object})
	}
	body, err := json.MarshalIndent(map[string]any{"allOrNone": false, "compositeRequest": parts}, "", "  ")
	if err != nil {
		panic(err) // texts only
	}
	return string(body)
}
