// Package changeevent follows Salesforce's Change Data Capture over the Pub/Sub
// API and gives what it hears as hints: which records to look at.
//
// The idea: of an event only its header is read (which object, which records,
// who made the change); what a record holds always comes from a read. One
// stream for each object is asked for a hundred events at a time, and its
// replay id is handed on together with the hints, so that both are kept in one
// step. A replay id that the bus no longer knows is a gap: a hint about the whole
// object comes instead.
//
// https://developer.salesforce.com/docs/platform/pub-sub-api/guide/intro.html
package changeevent

//go:generate protoc --go_out=../eventbus --go_opt=paths=source_relative --connect-go_out=../eventbus --connect-go_opt=paths=source_relative -I ../eventbus pubsub.proto
