package legacykey

import "time"

// The rules by name.
const (
	ruleKeyQuery         = "hubspot-key-query"
	ruleKeyHeader        = "hubspot-key-header"
	ruleKeyClient        = "hubspot-key-client"
	ruleKeySetting       = "hubspot-key-setting"
	ruleKeyName          = "hubspot-key-name"
	ruleKeyMention       = "hubspot-key-mention"
	ruleDeveloperKey     = "hubspot-developer-key"
	ruleToken            = "hubspot-token"
	ruleRefreshToken     = "hubspot-refresh-token"
	rulePersonalKey      = "hubspot-personal-key"
	rulePrivateApp       = "hubspot-private-app"
	rulePathLists        = "hubspot-path-contact-lists-v1"
	rulePathPipelines    = "hubspot-path-pipelines-v1"
	rulePathOAuth        = "hubspot-path-oauth-v1"
	rulePathV4           = "hubspot-path-v4"
	rulePathLegacy       = "hubspot-path-v1-v3"
	ruleSession          = "salesforce-session"
	ruleSalesforceToken  = "salesforce-refresh-token"
	ruleConsumerSecret   = "salesforce-consumer-secret"
	rulePasswordOAuth    = "salesforce-password-oauth"
	ruleSOAPLogin        = "salesforce-soap-login"
	ruleSOAPNeverWorked  = "salesforce-soap-login-v65"
	ruleVersionRetired   = "salesforce-version-retired"
	ruleVersionEnding    = "salesforce-version-31-40"
	hubspotSunset        = "https://developers.hubspot.com/changelog/upcoming-api-key-sunset"
	hubspotUnsupported   = "https://developers.hubspot.com/changelog/legacy-apis-and-legacy-apps-whats-going-unsupported-and-when"
	hubspotVersioning    = "https://developers.hubspot.com/docs/developer-tooling/platform/versioning"
	salesforceSOAP       = "https://help.salesforce.com/s/articleView?id=005132110"
	salesforceVersions   = "https://developer.salesforce.com/docs/atlas.en-us.api_rest.meta/api_rest/api_rest_eol.htm"
	salesforcePassword   = "https://help.salesforce.com/s/articleView?id=xcloud.remoteaccess_disable_username_password_flow_ca.htm"
	hubspotServiceKeys   = "https://developers.hubspot.com/docs/apps/developer-platform/build-apps/authentication/account-service-keys"
	deadSince            = "already dead, since 30 November 2022"
	untilSeptember2027   = "unsupported from September 2027"
	moveToServiceKey     = "make a service key (Development > Keys > Service keys) and send its token as \"Authorization: Bearer\""
	migrateCommandAdvice = "; lockstep keys migrate rewrites the common forms"
)

// day is midnight UTC.
func day(year int, month time.Month, d int) time.Time {
	return time.Date(year, month, d, 0, 0, 0, 0, time.UTC)
}

// rules is the one table of what is looked for, with the vendors' own dates as
// they stood in November 2026.
func rules() []Rule {
	keysEnded := day(2022, time.November, 30)
	return []Rule{
		{ID: ruleKeyQuery, Title: "HubSpot API key in a query (?hapikey=)", Until: deadSince, ending: stops, ends: keysEnded,
			Mend: moveToServiceKey + migrateCommandAdvice, Source: hubspotSunset, Fix: FixSafe},
		{ID: ruleKeyHeader, Title: "HubSpot API key in a header", Until: "never worked: the key was only ever read from the query, and is dead since 30 November 2022", ending: stops, ends: keysEnded,
			Mend: moveToServiceKey, Source: hubspotSunset, Fix: FixManual},
		{ID: ruleKeyClient, Title: "HubSpot client made with an API key", Until: deadSince, ending: stops, ends: keysEnded,
			Mend: "give the client an access token (accessToken, access_token) of a service key" + migrateCommandAdvice, Source: hubspotSunset, Fix: FixSafe},
		{ID: ruleKeySetting, Title: "HubSpot API key as a setting", Until: deadSince, ending: stops, ends: keysEnded,
			Mend: "put the token of a service key in HUBSPOT_ACCESS_TOKEN instead" + migrateCommandAdvice, Source: hubspotSunset, Fix: FixSafe},
		{ID: ruleKeyName, Title: "Setting named after the HubSpot API key, used as a bearer token", Until: "works if it holds a pat- token", ending: always, severity: SeverityNote,
			Mend: "name it HUBSPOT_ACCESS_TOKEN, so that nobody looks for an API key", Source: hubspotSunset, Fix: FixManual},
		{ID: ruleKeyMention, Title: "The word hapikey, with no call", Until: deadSince, ending: always, severity: SeverityNote,
			Mend: "nothing has to be changed for a call to work", Source: hubspotSunset, Fix: FixNone},
		{ID: ruleDeveloperKey, Title: "HubSpot developer API key", Until: "works: only for managing apps (webhook settings, timeline templates, calling and card extensions)", ending: always, severity: SeverityNote,
			Mend: "keep it; it opens no CRM data", Source: "https://developers.hubspot.com/docs/apps/developer-platform/build-apps/authentication/overview", Fix: FixNone},
		{ID: ruleToken, Title: "HubSpot token in plain text", Until: "works until it is rotated; tokens of legacy private apps are unsupported from September 2027", ending: always, severity: SeverityError,
			Mend: "rotate it where it was made (Development > Keys > Service keys, or Legacy apps > your app > Auth), and read the new one from the environment", Source: hubspotServiceKeys, Fix: FixManual},
		{ID: ruleRefreshToken, Title: "HubSpot OAuth refresh token in plain text", Until: "works until the app is uninstalled or the token revoked", ending: always, severity: SeverityError,
			Mend: "revoke it (POST /oauth/2026-09/token/revoke), install the app anew, and keep the new token in a vault", Source: "https://developers.hubspot.com/docs/api-reference/legacy/authentication/manage-oauth-tokens", Fix: FixManual},
		{ID: rulePersonalKey, Title: "HubSpot CLI personal access key in plain text", Until: "works until its owner deletes it", ending: always, severity: SeverityError,
			Mend: "delete it in HubSpot (Development > Keys > Personal access key) and run hs account auth anew; keep hubspot.config.yml out of version control", Source: "https://developers.hubspot.com/docs/developer-tooling/local-development/hubspot-cli/personal-access-key", Fix: FixManual},
		{ID: rulePrivateApp, Title: "HubSpot legacy private app", Until: untilSeptember2027 + "; new ones cannot be created", ending: unsupported, ends: day(2027, time.September, 1),
			Mend: "make a service key with the same scopes; its token is used the same way", Source: hubspotUnsupported, Fix: FixManual},
		{ID: rulePathLists, Title: "HubSpot contact lists v1", Until: "already dead, since 30 April 2026", ending: stops, ends: day(2026, time.April, 30),
			Mend: "use /crm/lists/2026-09/…; list ids differ: /crm/v3/lists/idmapping translates them", Source: hubspotVersioning, Fix: FixManual},
		{ID: rulePathPipelines, Title: "HubSpot pipelines v1", Until: "4 December 2026", ending: stops, ends: day(2026, time.December, 4),
			Mend: "use /crm/pipelines/2026-09/{objectType}", Source: hubspotVersioning, Fix: FixManual},
		{ID: rulePathOAuth, Title: "HubSpot OAuth v1 endpoint", Until: "16 February 2027", ending: stops, ends: day(2027, time.February, 16),
			Mend: "use /oauth/2026-09/token (secrets in the body only) and /oauth/2026-09/token/introspect", Source: "https://developers.hubspot.com/changelog/v1-oauth-api-deprecation", Fix: FixManual},
		{ID: rulePathV4, Title: "HubSpot v4 path", Until: "unsupported from 30 March 2027", ending: unsupported, ends: day(2027, time.March, 30),
			Mend: "use the dated path", Source: "https://developers.hubspot.com/changelog/deprecating-support-for-hubspot-v4-apis", Fix: FixManual},
		{ID: rulePathLegacy, Title: "HubSpot v1, v2 or v3 path", Until: untilSeptember2027, ending: unsupported, ends: day(2027, time.September, 1),
			Mend: "use the dated path", Source: hubspotUnsupported, Fix: FixManual},
		{ID: ruleSession, Title: "Salesforce session id in plain text", Until: "works until the session ends (two hours without use, unless the org says otherwise)", ending: always, severity: SeverityError,
			Mend: "end the session (Setup > Session Management) and take the id out of the file", Source: "https://help.salesforce.com/s/articleView?id=xcloud.security_auth_session.htm", Fix: FixManual},
		{ID: ruleSalesforceToken, Title: "Salesforce refresh token in plain text", Until: "works until it is revoked", ending: always, severity: SeverityError,
			Mend: "revoke it (POST /services/oauth2/revoke, or Setup > Connected Apps OAuth Usage) and take it out of the file", Source: "https://help.salesforce.com/s/articleView?id=xcloud.remoteaccess_revoke_token.htm", Fix: FixManual},
		{ID: ruleConsumerSecret, Title: "Salesforce consumer secret in plain text", Until: "works until it is rotated", ending: always, severity: SeverityError,
			Mend: "rotate it (External Client App Manager > your app > Settings > OAuth Settings > Consumer Key and Secret) and read the new one from the environment", Source: "https://help.salesforce.com/s/articleView?id=xcloud.rotate_consumer_details.htm", Fix: FixManual},
		{ID: rulePasswordOAuth, Title: "Salesforce username-password OAuth (grant_type=password)", Until: "off by default in orgs made since Summer '23, and being deprecated", ending: always, severity: SeverityWarning,
			Mend: "use client credentials or the JWT bearer flow of an External Client App: lockstep connect salesforce --help", Source: salesforcePassword, Fix: FixManual},
		{ID: ruleSOAPLogin, Title: "Salesforce SOAP login with username, password and security token", Until: "1 June 2027; only API versions 31.0 to 64.0, and off by default in new orgs", ending: stops, ends: day(2027, time.June, 1),
			Mend: "use client credentials or the JWT bearer flow of an External Client App: lockstep connect salesforce --help", Source: salesforceSOAP, Fix: FixManual},
		{ID: ruleSOAPNeverWorked, Title: "Salesforce SOAP login in an API version that has none", Until: "never worked: login() is absent from version 65.0 on", ending: always, severity: SeverityError,
			Mend: "use client credentials or the JWT bearer flow of an External Client App: lockstep connect salesforce --help", Source: salesforceSOAP, Fix: FixManual},
		{ID: ruleVersionRetired, Title: "Salesforce API version that is retired", Until: "already dead: versions below 31.0 answer 410", ending: always, severity: SeverityError,
			Mend: "use version 68.0", Source: salesforceVersions, Fix: FixManual},
		{ID: ruleVersionEnding, Title: "Salesforce API version 31.0 to 40.0", Until: "unsupported from Summer '27, retired in Summer '28", ending: unsupported, ends: day(2027, time.June, 1),
			Mend: "use version 68.0", Source: salesforceVersions, Fix: FixManual},
	}
}

// isKeyRule tells whether a rule is about the account's API key in use: what
// Migrate is there to rewrite.
func isKeyRule(id string) bool {
	switch id {
	case ruleKeyQuery, ruleKeyHeader, ruleKeyClient, ruleKeySetting:
		return true
	}
	return false
}
