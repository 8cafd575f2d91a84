// Package salesforce is a Salesforce org for tests and trials: a server that
// speaks the REST API (versions 31 to 68), the OAuth token endpoint, some of SOAP
// and the Pub/Sub API with change events as the vendor's does, with records in
// memory.
//
// The idea: one set of typed rows (row, object, index) under one lock; handlers
// read or change rows through transactions that can be rolled back and return
// finished bytes; one adapter (serve.go) authenticates, counts, meets faults
// and writes; what a transaction changed becomes events when it commits
// (event_record.go). All routes are on one page (routes.go). SOQL is parsed by the
// package soql and bound to the schema here.
//
// It shares no code with any client.
package salesforce
