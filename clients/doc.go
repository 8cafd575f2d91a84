// Package clients runs clients that we did not write against the sandbox: the
// vendors' own Node clients and newman, unmodified; and a browser, as a person
// would use it. They need Node, Chromium and the packages of package-lock.json:
//
//	cd clients && npm ci && cd .. && go test -tags clients ./clients
//
// Each folder has one client's tests; clients_test.go starts a sandbox for each
// on loopback ports and tells it the addresses in the environment.
package clients
