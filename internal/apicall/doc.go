// Package apicall makes one call to a rate-limited JSON API, for both vendors
// alike: it waits for its turn, authorizes, sends, repeats what may be
// repeated, and turns everything that can go wrong into one fault.
//
// The idea: a call says how safe it is to repeat (ReadOnly, Keyed, Once), a
// vendor says how its errors look (Config.Classify), and the rest is the same
// for everybody. Pacing is exact. A Window remembers the calls of the last ten
// seconds one by one, and a call keeps its place until one period after its
// answer arrived; since the vendor counted it somewhere between sending and
// answering, no window of the vendor's can hold more of our calls than ours
// did, whatever the latency does.
//
//	caller, err := apicall.New(apicall.Config{Side: crm.HubSpot, Base: "https://api.hubapi.com", …})
//	err = caller.Do(ctx, apicall.Call{Method: "GET", Path: "/crm/v3/owners"}, apicall.Into(&page))
//
// Nothing that could be a secret (headers, bodies, query values, user
// information in a proxy's address) reaches a log or an error.
package apicall
