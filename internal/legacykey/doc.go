// Package legacykey finds the use of credentials and addresses that HubSpot and
// Salesforce have ended or are about to end, and rewrites the HubSpot API key
// (hapikey) into a bearer token where that is safe.
//
// Scan looks for short, telling words (hapikey, pat-, /services/Soap/) in a
// lower-cased copy of each file; only around a hit are the slower questions
// asked: is it a query, a header, a client option, a setting, or only talked
// about? Dates are in rules.go, one line for each rule.
//
// Migrate changes a file whole or not at all: it rewrites the forms it knows,
// scans the result, and gives the file back untouched when any use of the key
// is left, because a key variable that was half moved would send the new token
// in a URL.
//
// Rehearse sends the GET requests of a collection in its old and its new form
// to one address and compares the answers.
//
// No secret that is found leaves this package: a Finding holds it redacted.
package legacykey
