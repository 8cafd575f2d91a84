// Package postman writes what a mapping asks for as requests that a person can
// open, read and send: a Postman collection (format 2.1) with its environment,
// or the same for Bruno; and runs a collection with newman, Postman's own runner.
//
// The one idea: a collection is made of small scripts that stand here as files
// of JavaScript (scripts/), in front of which Go writes the facts of one
// mapping: fields, value tables, filters. So a person reads the same rules in
// each request that `lockstep plan` follows. What JavaScript cannot say of a
// mapping is left out and named, in the request's description and in
// Collection.LeftOut.
//
// No secret is ever in a file: variables that hold one are of Postman's type
// "secret" and empty.
package postman
