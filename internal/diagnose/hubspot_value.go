package diagnose

import (
	"cmp"
	"encoding/json"
	"strings"
)

// hubSpotValue is what one code of a property means.
type hubSpotValue struct{ class, what, next string }

func hubSpotValueOf(code, message string) (hubSpotValue, bool) {
	switch code {
	case "PROPERTY_DOESNT_EXIST":
		return hubSpotValue{"unknown-property", "the account has no such property, or it was archived", "use the internal name (Settings > Properties > the property > </>), not the label; GET /crm/v3/properties/<object> lists them"}, true
	case "INVALID_EMAIL":
		return hubSpotValue{"invalid-email", "HubSpot does not take the e-mail address", "mend the address: no quotes before the @, a domain that exists"}, true
	case "INVALID_OPTION":
		if strings.Contains(message, "pipeline stage") {
			return hubSpotValue{"invalid-stage", "the stage is not one of the record's pipeline", "send the id of a stage of that pipeline, not its label: GET /crm/v3/pipelines/deals; when the pipeline changes, send both"}, true
		}
		return hubSpotValue{"invalid-option", "the value is not one of the property's options; case counts", "send the internal value, not the label, or add the option in Settings > Properties; in lockstep.yaml map it under values:"}, true
	case "INVALID_INTEGER", "INVALID_LONG", "INVALID_NUMBER":
		return hubSpotValue{"invalid-number", "the value is not a number as HubSpot reads one", "send digits with at most one decimal point and no thousands separator"}, true
	case "INVALID_DATE":
		return hubSpotValue{"invalid-date", "a date property takes a day, and this is a moment within it or no date", "send 2026-11-23, or the milliseconds of midnight UTC"}, true
	case "READ_ONLY_VALUE":
		return hubSpotValue{"read-only", "HubSpot computes the property itself; it cannot be set", "leave it out; in lockstep.yaml: direction: to-salesforce"}, true
	case "INVALID_OWNER_ID":
		return hubSpotValue{"invalid-owner", "this is no owner's id; often it is the id of a user", "send the id of GET /crm/v3/owners, not userId; in lockstep.yaml: owner: by-email"}, true
	case "INVALID_ALPHA", "CONTAINS_URL":
		return hubSpotValue{"invalid-name", "HubSpot does not take this as a name: it holds a web address or what is no letter", "clean the name; HubSpot does not publish the exact rule"}, true
	case "INVALID_DOMAIN":
		return hubSpotValue{"invalid-domain", "the value is no domain name", "send the bare domain, acme.com, or leave it out"}, true
	case "MISSING_REQUIRED_PROPERTY":
		return hubSpotValue{"missing-property", "a property that the account requires is missing", "send it, or make it optional in the settings of the object (create form, required properties)"}, true
	case "MISSING_CONDITIONAL_REQUIRED_PROPERTY":
		return hubSpotValue{"missing-conditional-property", "a rule of the account requires a property because another one has a value", "send it, or change the conditional property rule in the settings of the object; paths before 2026-09 do not enforce it"}, true
	}
	return hubSpotValue{}, false
}

// hubSpotValues is for 400s about single properties. One call reports every bad one.
func hubSpotValues(_ *Exchange, r *hubSpotBody) []Finding {
	var out []Finding
	add := func(code, message string, fields []string) {
		v, ok := hubSpotValueOf(code, message)
		if !ok {
			return
		}
		out = append(out, Finding{Class: "hubspot." + v.class, Known: true, Code: code, What: v.what, Next: v.next, Retry: retryMending, Fields: fields, Said: clip(message)})
	}
	for i := range r.Errors {
		add(r.Errors[i].Code, r.Errors[i].Message, r.Errors[i].fields())
	}
	if len(out) > 0 {
		return out
	}
	// Before 2023 the list stood only in the message, as text.
	if start := strings.Index(r.Message, "[{"); start >= 0 {
		var packed []struct{ Error, Message, Name string }
		if json.NewDecoder(strings.NewReader(r.Message[start:])).Decode(&packed) == nil {
			for _, p := range packed {
				add(p.Error, p.Message, []string{p.Name})
			}
		}
	}
	if len(out) == 0 {
		add(cmp.Or(r.Code, r.SubCategory), r.Message, r.fields())
	}
	return out
}

// worded are errors that HubSpot gives no code of their own: their words, or
// their subcategory, tell them apart.
type worded struct {
	part, class, what, next string
	limit                   string
}

func hubSpotWords() []worded {
	return []worded{
		{part: "CONTACT_EXISTS|Contact already exists", class: "contact-exists", what: "another contact has this e-mail address", next: "update that contact (its id stands in the message), or upsert by idProperty=email; in a batch the whole batch failed, and one bad input is enough"},
		{part: "PROPERTY_WITH_NAME_EXISTS|A property named", class: "property-exists", what: "a property of this name exists already", next: "use it, or choose another name; archived properties keep theirs"},
		{part: "crm.associations.TO_OBJECT_NOT_FOUND", class: "association-target", what: "the record at the far end of the association does not exist", next: "it was deleted or merged: look its id up anew"},
		{part: "crm.associations.INVALID_ASSOCIATION_TYPE|not a valid association type|invalid from object type", class: "association-type", what: "the association type does not fit the two objects, or their order", next: "GET /crm/v4/associations/<from>/<to>/labels lists those that fit; a type has a direction"},
		{part: "One or more associations are invalid", class: "association-in-create", what: "an association of the new record does not work: its target does not exist or its type does not fit", next: "look at INVALID_OBJECT_IDS in the answer's context; create without it, then associate"},
		{part: "Invalid input JSON", class: "bad-json", what: "the body is not JSON: the message names line and column", next: "check quotes, commas and variables that were not filled in; in a shell put the body in single quotes"},
		{part: "Some required fields were not set", class: "missing-field", what: "the body lacks a field that the endpoint requires; the message names it", next: "compare the body with the reference: records go under properties, batches under inputs"},
		{part: "maximum number of inputs supported in a batch request for property histories", class: "limit-history-batch", what: "a batch that reads histories takes 50 inputs", limit: "50 inputs with propertiesWithHistory", next: "send fewer at once"},
		{part: "maximum number of inputs supported in a batch", class: "limit-batch", what: "a batch takes 100 inputs", limit: "100 inputs per batch", next: "split it"},
		{part: "You can only request at most", class: "limit-page", what: "the page is larger than this endpoint gives", limit: "500 associations per page, 100 records per list", next: "ask for a smaller limit and follow paging.next.after"},
		{part: "already has that value", class: "unique-taken", what: "another record has this value in a unique property; the message names it", next: "update that record, or merge the two"},
		{part: "Cannot have more than 250 identities", class: "limit-merge", what: "the contact has taken in all the merges that HubSpot allows", limit: "250 identities of one contact", next: "keep the records apart"},
		{part: "PROPERTY_CREATE_FAILED_VALIDATION", class: "definition-invalid", what: "the definition of the property is not valid", next: "look at errors in the answer: name in lower case with underscores, type and fieldType that fit, an existing group"},
		{part: "MISSING_OPTIONS", class: "definition-options", what: "an enumeration needs options", next: "send options: [{label, value, displayOrder}]"},
		{part: "INVALID_BOOLEAN_OPTION", class: "definition-boolean", what: "a checkbox needs exactly the options true and false", next: "send these two"},
		{part: "CANNOT_DELETE_PROPERTY_IN_USE", class: "property-in-use", what: "the property is used (workflow, list, form) and cannot be archived", next: "Settings > Properties > Used in shows where"},
		{part: "GROUP_WITH_ACTIVE_PROPERTIES", class: "group-in-use", what: "the property group still holds properties", next: "move or archive them first"},
		{part: "STAGE_ID_IN_USE", class: "stage-in-use", what: "records stand in a stage of the pipeline, so it cannot be deleted", next: "move them first: context.objectIds lists them"},
		{part: "CANNOT_MODIFY_HUBSPOT_DEFINED_OBJECT_TYPE", class: "builtin-schema", what: "the schema of a built-in object cannot be changed", next: "add properties instead: POST /crm/v3/properties/<object>"},
		{part: "Missing 'Edit Associations' permission", class: "user-permission", what: "the user who installed the OAuth app may not edit associations", next: "give the user that permission in HubSpot, or use a service key"},
		{part: "OBJECT_CREATION contact limit|LimitExceededException", class: "limit-records", what: "the account's number of contacts is used up", limit: "contacts of the subscription", next: "delete contacts or buy more: Settings > Account & Billing > Usage & limits"},
		{part: "objectId are usually numeric", class: "id-not-numeric", what: "a record id is a number, and this is none", next: "to read by e-mail or another unique property add ?idProperty=email"},
		{part: "There was a problem with the request", class: "limit-search-depth", what: "search gives the first 10,000 results and no more", limit: "10,000 results per search", next: "search in slices (by hs_object_id or a date), or list the objects instead"},
	}
}

// hubSpotWorded is for errors that their words or subcategory tell apart.
func hubSpotWorded(e *Exchange, r *hubSpotBody) []Finding {
	text := r.Message + "\n" + r.SubCategory + "\n" + r.ErrorType
	for i := range r.Errors {
		text += "\n" + r.Errors[i].Message + "\n" + r.Errors[i].SubCategory + "\n" + r.Errors[i].Code
	}
	for _, w := range hubSpotWords() {
		if w.class == "limit-search-depth" && !strings.HasSuffix(e.address().Path, "/search") {
			continue
		}
		for part := range strings.SplitSeq(w.part, "|") {
			if strings.Contains(text, part) {
				return one(Finding{Class: "hubspot." + w.class, Known: true, Code: cmp.Or(r.SubCategory, r.Category), What: w.what, Next: w.next, Limit: w.limit, Retry: retryMending})
			}
		}
	}
	if r.Category == "OBJECT_NOT_FOUND" && strings.Contains(e.address().Path, "/properties/") {
		return one(Finding{Class: "hubspot.property-not-found", Known: true, Code: r.Category, Retry: retryMending, What: "the account has no such property", Next: "use the internal name, not the label: GET /crm/v3/properties/<object> lists them"})
	}
	if r.Category == "OBJECT_NOT_FOUND" {
		return one(Finding{Class: "hubspot.record-not-found", Known: true, Code: r.Category, Retry: retryNever, What: "what the call names does not exist in the account that the token belongs to",
			Next: "it was deleted or merged, or the token is of another account: GET /account-info/v3/details says which it is"})
	}
	return nil
}
