package sandbox

import "strings"

// Guide describes the management calls as plain text, with this sandbox's
// addresses in it. GET / on the management port answers the same.
func (s *Sandbox) Guide() string {
	return strings.NewReplacer("{HUBSPOT}", s.HubSpotURL(), "{SALESFORCE}", s.SalesforceURL(), "{MANAGE}", s.ManageURL()).Replace(guide)
}

const guide = `Lockstep sandbox: a HubSpot account and a Salesforce org on this machine

  HubSpot     {HUBSPOT}   API, and pages for a browser
  Salesforce  {SALESFORCE}   API with its token endpoint, and pages
  Management  {MANAGE}   the calls below: JSON in, JSON out

Errors are one form, {"what": "…", "mend": "…"}, with 400, 403 or 404. A call
with nothing to tell answers 204. Unknown keys in a body are refused.

THE WHOLE
  GET  /state         the time, records and API calls of each side, the dials
  GET  /credentials   tokens, app and user that the seed made
  POST /reset         forget all changes: the same story, ids and credentials anew
  POST /save          write the data file now (it is written every few seconds anyway)

TIME
  GET  /clock
  POST /clock         {"advance": "90m"} or {"set": "2027-01-31T12:00:00Z"}

WHAT GOES WRONG
  GET  /faults
  PUT  /faults        all dials at once; {} lets everything pass again
       {"seed": 1, "latencyMillis": 150, "jitterMillis": 50, "searchLagMillis": 5000,
        "rules": [{"kind": "rate-limit", "side": "hubspot", "method": "write",
                   "path": "/contacts", "share": 0.1, "skip": 3, "times": 5}]}
       kind    rate-limit     429, or Salesforce's 403 REQUEST_LIMIT_EXCEEDED
               server-error   500, 502, 503, 504 in turn
               cut-before     the connection closes, nothing was done
               cut-after      it was done, and then the connection closes unanswered
               lock           423, or Salesforce's UNABLE_TO_LOCK_ROW, on writes
               partial        every second record of a write of several: in errors of HubSpot's
                              207, UNABLE_TO_LOCK_ROW in Salesforce's results
               expired-token  401 as for a token that has run out
       side    hubspot or salesforce; absent: both      method  one method, or write
       path    a part of the path                       share   0 to 1; absent: every call
       skip    let so many pass first                   times   stop after so many hits
       searchLagMillis is how late HubSpot's search index is, searchLoses the share of changes that it
               never gets to see until the record changes again.
       "webhooks": {"delayMillis": 2000, "jitterMillis": 5000, "duplicateShare": 0.1, "dropShare": 0.1, "oneAtATime": true}
               delays HubSpot's events, lets them overtake each other, sends some twice and some never,
               and makes one delivery at a time, so that their order follows from the seed.
       lateCommitSeconds is how much earlier than its commit a Salesforce transaction may be stamped, evenly spread.
       "changeEvents": {"delayMillis": 2000, "duplicates": 0.1, "drops": 0.05, "gaps": 0.1, "lostPositions": 0.2}: Salesforce's
       change events come late, shares of them twice, never or without values; a share of saved positions is refused.

HUBSPOT
  GET    /hubspot/tokens
  POST   /hubspot/tokens                {"kind": "private-app", "name": "x", "scopes": ["crm.objects.contacts.read"]}
                                        -> {"id", "token", …}; kind private-app, service-key, static-auth, and
                                        api-key with --year 2022;
                                        no scopes: all that a sync may want; "portalId" for another account
  DELETE /hubspot/tokens/{id}           unknown from now on
  POST   /hubspot/tokens/{id}/expire    answers EXPIRED_AUTHENTICATION from now on
  GET    /hubspot/accounts              the accounts and the apps in each
  GET    /hubspot/apps                  developers' project apps with client ids and secrets, and the developer's key,
                                        the hapikey of /webhooks/v3/{appId}/…
  POST   /hubspot/apps                  an app-hsmeta.json as it is in a project; the same uid again changes the app
  POST   /hubspot/installs              {"clientId": "…", "portalId": 0, "optionalScopes": []} -> tokens, without a browser
  GET    /hubspot/webhooks              what apps hear of, what signs it, how many deliveries were taken, failed and given up
  PUT    /hubspot/apps/{appId}/webhooks {"targetUrl": "http://127.0.0.1:9000/hooks", "maxConcurrentRequests": 10,
                                         "subscriptions": [{"eventType": "contact.propertyChange", "propertyName": "city"},
                                                           {"eventType": "object.creation", "objectTypeId": "0-46"}]}
                                        -> with "clientSecret"; of a private app, by the appId of its token, or a project app
  POST   /hubspot/apps/{appId}/webhooks a webhooks-hsmeta.json as it is in a project
  DELETE /hubspot/apps/{appId}/webhooks
  As a person in the browser would, with no limit and no token. ?as=user:123 says which person, ?as=app:4200011 an
  app by its id, ?as=AUTOMATION_PLATFORM:1 any other source of the vendor's; history and events tell:
  POST   /hubspot/records/{type}        {"properties": {…}, "associations": [{"type": "companies", "id": "1"}]}
                                        without as, the values go in unchecked
  GET    /hubspot/records/{type}/{id}   also by an id that was merged into it
  PATCH  /hubspot/records/{type}/{id}   {"properties": {"city": "Bremen"}}
  DELETE /hubspot/records/{type}/{id}   archives it
  GET    /hubspot/archived/{type}       the archived records
  POST   /hubspot/records/{type}/{id}/restore   brings an archived one back, without its associations
  POST   /hubspot/records/{type}/{id}/erase     deletes a contact for good, as the GDPR asks
  POST   /hubspot/merges                {"type": "contacts", "primaryId": "1", "otherId": "2"} -> the record that both became
  POST   /hubspot/associations          {"from": {"type": "contacts", "id": "1"}, "to": {"type": "companies", "id": "2"},
                                         "types": [279], "remove": false}
  GET    /hubspot/lists                 lists (segments) with the ids of their members
  POST   /hubspot/lists                 {"type": "contacts", "name": "Fair"} -> {"listId"}, of a list that is filled by hand
  POST   /hubspot/lists/{id}/members    {"add": ["1"], "remove": ["2"]}
  POST   /hubspot/search-losses         {"type": "contacts", "id": "1"}: search never sees the record's next change, until
                                        one more; no id: the next new record

SALESFORCE
  GET    /salesforce/apps
  POST   /salesforce/apps               {"name": "x", "flows": ["client_credentials", "jwt_bearer"], "runAs": "user@…",
                                         "certificate": "-----BEGIN …", "rotateRefreshTokens": false, "refreshIdleDays": 30,
                                         "callbackUrls": ["http://localhost:1717/callback"], "requirePkce": true, "secretOptional": false,
                                         "permittedUsers": "self-authorize", "approvedProfiles": [], "approvedPermissionSets": []}
                                        -> {"clientId", "clientSecret", "username", "password", "securityToken", "loginUrl", …}
                                        flows also authorization_code, refresh_token and password; permittedUsers absent:
                                        everybody counts as approved; or self-authorize, or admin-approved with the lists
  POST   /salesforce/apps/{clientId}/rotate  -> the new {"clientSecret"}; the old one stops at once
  POST   /salesforce/tokens             {"username": "user@…"} -> {"token", "instanceUrl"}; no username: the integration user
  POST   /salesforce/refresh-tokens     {"clientId": "…", "username": "user@…"} -> {"refreshToken"}, without a browser
  POST   /salesforce/expire-sessions    {} ends all, {"token": "…"} one
  PUT    /salesforce/session-timeout    {"minutes": 15}: so long an unused session lives, 15 to 1440; 120 at first
  GET    /salesforce/users              users with profiles, permission sets and passwords
  PUT    /salesforce/users/{username}   {"profile": "Minimum Access - API Only Integrations"}: of this profile and of
                                        "Minimum Access - Salesforce" only permission sets count
  GET    /salesforce/permission-sets
  POST   /salesforce/permission-sets?name=Lockstep&assign=user@…   the content of a .permissionset-meta.xml file, as
                                        lockstep check --permission-set writes it; or the same as JSON. Both parameters may be absent
  POST   /salesforce/permission-sets/{name}/assign   {"username": "user@…", "remove": false}
  DELETE /salesforce/permission-sets/{name}          one that nobody has
  As a person in the browser would; "username" names one (the administrator else), "tookSeconds" is how long before
  its commit the change was stamped:
  POST   /salesforce/records/{object}        {"fields": {"LastName": "Nowak"}}
  GET    /salesforce/records/{object}/{id}   also one in the recycle bin
  PATCH  /salesforce/records/{object}/{id}   {"fields": {"Phone": "+48 22 555 01 02"}, "username": "user@…", "tookSeconds": 300}
  DELETE /salesforce/records/{object}/{id}   into the recycle bin; the body may hold username and tookSeconds
  POST   /salesforce/records/{object}/{id}/undelete   out of it, with what went there because of it
  POST   /salesforce/merge                   {"object": "Contact", "masterId": "003…", "ids": ["003…"]}
  POST   /salesforce/convert-lead            {"id": "00Q…", "accountId": "", "contactId": "", "noOpportunity": false, "opportunityName": "",
                                              "status": "", "ownerId": "", "overwriteLeadSource": false} -> {"accountId", "contactId", "opportunityId"}
  POST   /salesforce/empty-recycle-bin       {"ids": ["001…"]}; {} empties it whole. After 15 days a record is gone anyway
  POST   /salesforce/locks                   {"object": "Account", "id": "001…", "times": 2}: its next writes meet UNABLE_TO_LOCK_ROW
  PUT    /salesforce/permissions             {"username": "user@…", "object": "Lead", "read": true, "create": false, "edit": false, "delete": false};
                                             with "field": "Phone" just read and edit of that field
  POST   /salesforce/duplicate-rules         {"object": "Contact", "fields": ["Email"], "against": ["Contact", "Lead"], "block": true}
  POST   /salesforce/fields                  {"object": "Contact", "field": {"name": "Region__c", "type": "picklist", "picklist": [{"value": "North"}]}};
                                             a formula: {"name": "Label__c", "formula": "Account.Name & \" / \" & LastName"}, with a type where
                                             it is no text; a roll-up: {"name": "Won__c", "type": "currency", "scale": 2, "rollUp": {"object":
                                             "Opportunity", "reference": "AccountId", "operation": "sum", "field": "Amount", "filter": "IsWon"}}
  PUT    /salesforce/change-events           {"objects": ["Account", "Contact"]}: these (five at most) have change events from now on,
                                             by gRPC at {SALESFORCE}; "allowance" is the deliveries of 24 hours, 10000 at first
  GET    /salesforce/change-events           -> {"objects", "kept", "delivered", "allowance", "latestReplayId"}
  POST   /salesforce/change-events/gaps      {"object": "Account", "changeType": "UPDATE", "ids": ["001…"]}; OVERFLOW needs no ids
  POST   /salesforce/change-events/lose-positions   positions that clients have saved are refused from now on
  POST   /salesforce/change-events/end-streams      open subscriptions end with UNAVAILABLE
  POST   /salesforce/managed-subscriptions   {"developerName": "Sync", "topic": "/data/ChangeEvents", "earliest": true} -> {"id", …}
  POST   /salesforce/objects                 {"name": "Seat__c", "autoNumber": "S-{0000}", "activities": true, "fields": [
                                               {"name": "Account__c", "masterDetail": true, "referenceTo": ["Account"], "children": "Seats"},
                                               {"name": "Contact__c", "type": "reference", "referenceTo": ["Contact"], "children": "Seats"}]}
`
