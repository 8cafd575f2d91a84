// Package diagnose reads a failed call, as people have it at hand (a pasted
// answer, curl with its output, a HAR file, a newman report, the console of
// Postman), and says what it means: which scope, permission, limit or mistake
// it was, and the next step. It asks nobody; what it does not know, it says.
//
// Read turns text into Exchanges. Of turns one Exchange into a Diagnosis: first
// the mistakes that the request shows by itself (mistake.go), then what the
// vendor's answer means (hubspot_*.go, salesforce_*.go). Nothing that comes out
// holds a secret that went in (redact.go).
package diagnose
