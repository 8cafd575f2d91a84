package diagnose

import "strings"

// meaning is what one Salesforce code stands for.
type meaning struct{ class, what, next, retry, permission, limit string }

// salesforceMeaningOf explains a code, in upper case.
// https://developer.salesforce.com/docs/atlas.en-us.object_reference.meta/object_reference/sforce_api_calls_concepts_core_data_objects.htm
func salesforceMeaningOf(code, message string) (meaning, bool) {
	for _, table := range []func(string, string) (meaning, bool){salesforceSession, salesforceAccess, salesforceRecord, salesforceCall} {
		if m, ok := table(code, message); ok {
			return m, true
		}
	}
	return meaning{}, false
}

func salesforceSession(code, message string) (meaning, bool) {
	switch code {
	case "INVALID_SESSION_ID", "INVALIDSESSIONID":
		if strings.Contains(message, "INVALID_AUTH_HEADER") {
			return meaning{class: "no-session", what: "the call carries no session: the Authorization header is missing or misspelt", next: "send Authorization: Bearer <access_token>", retry: retryMending}, true
		}
		return meaning{class: "session", what: "the session has ended (two idle hours by default), was revoked, or is of another org than the host", next: "get a new access token, and send the call to the instance_url that came with it", retry: retryMending}, true
	case "INVALID_AUTH_HEADER":
		return meaning{class: "no-session", what: "the Authorization header is missing or misspelt", next: "send Authorization: Bearer <access_token>", retry: retryMending}, true
	case "BAD_OAUTH_TOKEN":
		return meaning{class: "session", what: "the access token has ended, was revoked or was not copied whole", next: "get a new access token", retry: retryMending}, true
	case "MISSING_OAUTH_TOKEN":
		return meaning{class: "no-session", what: "the call carries no access token", next: "send Authorization: Bearer <access_token>", retry: retryMending}, true
	case "BAD_ID":
		return meaning{class: "identity", what: "the identity URL names an org or user that does not exist", next: "use the id of the token's answer as it is", retry: retryMending}, true
	case "INVALID_LOGIN":
		return meaning{class: "login", what: "username, password or security token is wrong, the user is locked, or this is the wrong login host", next: "sandboxes sign in at test.salesforce.com; outside trusted networks the security token follows the password. SOAP login ends in 2027: use an External Client App", retry: retryMending}, true
	case "LOGIN_MUST_USE_SECURITY_TOKEN":
		return meaning{class: "login", what: "outside trusted networks the security token must follow the password", next: "Settings > Reset My Security Token; better, use an External Client App: SOAP login ends in 2027", retry: retryMending}, true
	}
	return meaning{}, false
}

func salesforceAccess(code, message string) (meaning, bool) {
	switch code {
	case "REQUEST_LIMIT_EXCEEDED":
		if strings.Contains(message, "Concurrent") {
			return meaning{class: "limit-concurrent", what: "too many long calls run at once", limit: "25 calls of 20 seconds or more at once (5 in Developer Edition)", next: "let fewer run at once, and make them shorter", retry: retryLater}, true
		}
		return meaning{class: "limit-day", what: "the org's calls of the last 24 hours are used up, by all its integrations together", limit: "API calls per 24 hours of the org", next: "wait: they come back bit by bit over 24 hours. Setup > Company Information and System Overview show the use; budget: in lockstep.yaml bounds our share", retry: retryLater}, true
	case "API_DISABLED_FOR_ORG", "API_CURRENTLY_DISABLED", "API_DISABLED":
		return meaning{class: "api-disabled", what: "the org, or this user, has no API access", permission: "API Enabled", next: "give the user \"API Enabled\" by a permission set (lockstep check --permission-set writes one); Professional and Group Edition need the API as an add-on", retry: retryMending}, true
	case "INSUFFICIENT_ACCESS_OR_READONLY", "INSUFFICIENT_ACCESS":
		return meaning{class: "no-access", what: "the user may not do this with the record: its object permission, or sharing, forbids it", permission: "Create, Edit or Delete on the object, and access to the record", next: "lockstep check names missing object permissions; where none is missing, it is sharing: look at the record's owner and Setup > Sharing Settings", retry: retryMending}, true
	case "INSUFFICIENT_ACCESS_ON_CROSS_REFERENCE_ENTITY":
		return meaning{class: "no-access-related", what: "the user may not use the record that this one refers to (account, owner, record type)", permission: "access to the referenced record", next: "share that record with the user, or refer to another one; the id stands in the message", retry: retryMending}, true
	case "INVALID_FIELD_FOR_INSERT_UPDATE":
		return meaning{class: "field-not-editable", what: "the user may not edit these fields, or Salesforce computes them", permission: "Edit (field-level security)", next: "lockstep check --permission-set writes a permission set that grants it; leave fields out that Salesforce computes", retry: retryMending}, true
	case "INVALID_FIELD":
		return meaning{class: "unknown-field", what: "the object has no such field, or the user may not see it: Salesforce does not tell which", permission: "Read (field-level security)", next: "compare the API name in Setup > Object Manager (custom fields end in __c), then the user's field permissions: lockstep check names them", retry: retryMending}, true
	case "INVALID_TYPE":
		return meaning{class: "unknown-object", what: "there is no such object, or the user may not see it: Salesforce does not tell which", permission: "Read on the object", next: "compare the API name in Setup > Object Manager (singular, custom ones end in __c), then the user's object permissions: lockstep check names them", retry: retryMending}, true
	case "TRANSFER_REQUIRES_READ":
		return meaning{class: "owner-may-not-read", what: "the new owner may not read this kind of record", permission: "Read on the object, for the new owner", next: "give it to the owner, or choose another one", retry: retryMending}, true
	case "INACTIVE_OWNER_OR_USER":
		return meaning{class: "inactive-owner", what: "the owner is not active any more", next: "choose an active owner; records of people who left must be handed on first", retry: retryMending}, true
	case "STORAGE_LIMIT_EXCEEDED":
		return meaning{class: "limit-storage", what: "the org's data storage is full", limit: "data storage of the org", next: "Setup > Storage Usage shows what fills it; nothing can be created before there is room", retry: retryMending}, true
	}
	return meaning{}, false
}

func salesforceRecord(code, _ string) (meaning, bool) {
	park := func(class, what, next string) (meaning, bool) {
		return meaning{class: class, what: what, next: next, retry: retryMending}, true
	}
	switch code {
	case "REQUIRED_FIELD_MISSING":
		return park("missing-field", "a required field has no value", "fill it; in lockstep.yaml map the field, or give it blank: <value>")
	case "FIELD_CUSTOM_VALIDATION_EXCEPTION":
		return park("validation-rule", "a validation rule that an administrator wrote refuses the record; the message is that rule's", "mend the record, or let the rule except the integration user: Setup > Object Manager > Validation Rules")
	case "FIELD_FILTER_VALIDATION_EXCEPTION":
		return park("lookup-filter", "the record referred to does not pass the lookup's filter", "refer to another record, or change the filter in Setup > Object Manager")
	case "INVALID_TYPE_ON_FIELD_IN_RECORD":
		return park("wrong-type", "a value has the wrong type for its field", "send dates as 2026-11-23, date-times as 2026-11-23T14:05:06Z, numbers without separators")
	case "JSON_PARSER_ERROR":
		return park("bad-json", "the body is not JSON, or a value cannot become its field's type; the message names line and column", "check quotes, commas, dates (2026-11-23) and variables that were not filled in")
	case "STRING_TOO_LONG":
		return park("too-long", "a text is longer than its field", "shorten it, or make the field longer; in lockstep.yaml: too-long: cut")
	case "NUMBER_OUTSIDE_VALID_RANGE":
		return park("out-of-range", "a number, or an OFFSET above 2,000, is outside what is allowed", "send a smaller one; read on by keys instead of OFFSET")
	case "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST":
		return park("picklist", "the value is not in the picklist, or not for this record type", "send the API name of an active value, or add it in Setup > Object Manager; in lockstep.yaml map it under values:")
	case "INVALID_EMAIL_ADDRESS":
		return park("invalid-email", "Salesforce does not take the e-mail address", "mend or blank it")
	case "INVALID_CROSS_REFERENCE_KEY":
		return park("broken-reference", "an id refers to a record, owner or record type that does not exist or that the user cannot see", "look the id up anew; record types must be assigned to the user's profile")
	case "CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY":
		return park("apex", "an Apex trigger of the org failed; the message is its exception", "show the message to those who wrote the trigger; a lock or a limit in it may pass by itself")
	case "CANNOT_EXECUTE_FLOW_TRIGGER":
		return park("flow", "a flow of the org failed", "Setup > Flows: the flow's administrators got a mail with the step that failed")
	case "DUPLICATES_DETECTED":
		return park("duplicate-rule", "a duplicate rule finds that the record exists already", "use the record that matchResults names, or send Sforce-Duplicate-Rule-Header: allowSave=true where the rule only alerts; Setup > Duplicate Rules")
	case "DUPLICATE_VALUE", "DUPLICATE_EXTERNAL_ID":
		return park("duplicate-value", "another record has this value in a unique field; the message names it, unless the user cannot see it", "update that record instead of creating one, or merge the two")
	case "ENTITY_IS_DELETED":
		return meaning{class: "deleted", what: "the record is in the recycle bin", next: "restore it, or treat it as gone", retry: retryNever}, true
	case "MALFORMED_ID":
		return park("malformed-id", "the id is not one, or is of another object", "ids have 15 or 18 characters and begin with the object's three: 001 Account, 003 Contact, 00Q Lead, 006 Opportunity")
	case "CANNOT_UPDATE_CONVERTED_LEAD":
		return meaning{class: "converted-lead", what: "the lead was converted and cannot be changed any more", next: "write to its contact or account: ConvertedContactId names it", retry: retryNever}, true
	case "DELETE_FAILED", "DEPENDENCY_EXISTS":
		return park("in-use", "other records or settings depend on it, so it cannot be deleted", "delete or move those first")
	case "UNABLE_TO_LOCK_ROW":
		return meaning{class: "locked", what: "somebody else was saving this record or its parent for more than ten seconds", next: "repeat after a moment; send records of one parent in one batch, and fewer batches at once", retry: retryLater}, true
	case "ALL_OR_NONE_OPERATION_ROLLED_BACK", "PROCESSING_HALTED", "BATCH_PROCESSING_HALTED":
		return meaning{class: "rolled-back", what: "nothing is wrong with this part: another part of the same call failed, and all were undone or left out", next: "look for the part with another code, mend it, and send all again", retry: retryMending}, true
	}
	return meaning{}, false
}

func salesforceCall(code, message string) (meaning, bool) {
	mend := func(class, what, next string) (meaning, bool) {
		return meaning{class: class, what: what, next: next, retry: retryMending}, true
	}
	later := func(class, what, next string) (meaning, bool) {
		return meaning{class: class, what: what, next: next, retry: retryLater}, true
	}
	switch code {
	case "NOT_FOUND":
		return mend("not-found", "the record, object or path does not exist, or the user may not see it", "compare the id and the path (/services/data/v68.0/sobjects/Contact/<id>); an object's API name is singular; then the user's permissions")
	case "MALFORMED_QUERY":
		return mend("query", "the SOQL query has a mistake; the message shows where", "check field names, quotes ('text'), and dates without quotes (2026-11-23T00:00:00Z); encode the query in the URL")
	case "INVALID_QUERY_LOCATOR":
		return mend("query-locator", "the next page of the query is gone: a locator lives two days", "run the query anew")
	case "QUERY_TIMEOUT", "QUERY_TOO_COMPLICATED":
		return mend("query-too-slow", "the query takes too long or is too complicated", "filter by an indexed field (Id, SystemModstamp, an external id), select less, or use a Bulk 2.0 query")
	case "EXCEEDED_MAX_SEMIJOIN_SUBSELECTS":
		return mend("query-subselects", "the query has too many subqueries in its WHERE", "split it: two semi-joins per query")
	case "METHOD_NOT_ALLOWED":
		return mend("method", "the path exists, but not with this method; the message lists those that it has", "Salesforce creates with POST, changes with PATCH (never PUT), deletes with DELETE")
	case "UNSUPPORTED_MEDIA_TYPE":
		return mend("content-type", "the body has the wrong type", "send Content-Type: application/json; Bulk uploads take text/csv; the token endpoint takes a form")
	case "TXN_SECURITY_METERING_ERROR", "TOO_MANY_APEX_REQUESTS":
		return later("limit-apex", "the org is busy with other long work of this kind", "repeat after a while, less often each time")
	case "OPERATION_TOO_LARGE":
		return mend("too-large", "the call touches more than is allowed at once", "split it")
	case "INVALID_REPLICATION_DATE":
		return mend("replication-window", "the time window of getUpdated or getDeleted lies too far back (30 days), or ends before it begins", "ask for a window within 30 days, of at least a minute")
	case "EXCEEDED_ID_LIMIT":
		return mend("replication-too-many", "more ids than one window may give", "ask for a shorter window")
	case "SERVER_UNAVAILABLE", "UNKNOWN_EXCEPTION", "REQUEST_RUNNING_TOO_LONG":
		return later("unavailable", "Salesforce has a problem of its own", "repeat after some minutes; look before you repeat a create. An ErrorId in the message is for Salesforce's support; https://status.salesforce.com tells of outages")
	case "UNSUPPORTED_API_VERSION", "GONE":
		return mend("version", "this version of the API is retired or does not exist", "GET /services/data lists the versions; use a newer one")
	case "MULTIPLE_CHOICES":
		return mend("several-records", "several records have this value in the external id field, so none was taken", "merge the duplicates, and make the field Unique")
	case "UNSUPPORTED_API":
		return mend("version", "this call is not there in this version: "+clip(message), "SOAP login exists up to version 64.0; use an External Client App")
	}
	return meaning{}, false
}
