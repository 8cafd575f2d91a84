# Lockstep's tasks. `make help` lists them.
SHELL := /bin/bash
STATICCHECK := honnef.co/go/tools/cmd/staticcheck@v0.8.2
export CGO_ENABLED ?= 0
# What the race detector does not watch: SQLite itself, which is C translated to Go
# and makes the tests several times slower under it. Its driver and our code are
# watched. `make race RACE_SPARE=` watches all of it.
RACE_SPARE := $(foreach p,modernc.org/sqlite/lib modernc.org/libc modernc.org/memory,-gcflags=$(p)=-race=false)
CHECKS ?= 1000

.PHONY: help
help: ## list the tasks
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 16

.PHONY: build
build: ## build ./lockstep
	go build -trimpath -o lockstep ./cmd/lockstep

.PHONY: demo
demo: ## run the demo: no account, no file, no question
	go run ./cmd/lockstep demo

.PHONY: check
check: ## formatting, vet, staticcheck, and every Go test as users get the program (no cgo)
	@bad=$$(gofmt -l $$(git ls-files '*.go')); if [ -n "$$bad" ]; then echo "gofmt would change:"; echo "$$bad"; exit 1; fi
	go vet ./...
	go vet -tags clients ./clients
	go vet -tags kills ./e2e
	go run $(STATICCHECK) ./...
	go test -timeout 30m ./...

.PHONY: race
race: tools ## every Go test again, under the race detector (which needs cgo)
	CGO_ENABLED=1 go test -race $(RACE_SPARE) -timeout 45m ./...

.PHONY: properties
properties: ## the properties with many more random cases than `check` draws: CHECKS=1000 each
	go test -count=1 -timeout 60m $$(grep -rl --include='*_test.go' pgregory.net/rapid internal sandbox | xargs -n1 dirname | sort -u | sed 's|^|./|') -rapid.checks=$(CHECKS)

.PHONY: clients
clients: tools ## the vendors' own clients against the sandbox
	cd clients && npm ci --no-audit --no-fund --loglevel=error
	cd clients && python3 -m venv .venv && .venv/bin/pip install --quiet --disable-pip-version-check -r requirements.txt
	go test -count=1 -tags clients -v ./clients

.PHONY: prove
prove: ## the demo, twice, checked by its own figures
	go run ./scripts/provedemo -seed small
	go run ./scripts/provedemo -seed 10000

.PHONY: sim
sim: ## 2,000 simulated histories with faults and crashes
	go run ./sim -seeds 2000 -v

.PHONY: sim-some
sim-some: ## as many of them as fit a minute or so
	go run ./sim -seeds 200

.PHONY: kills
kills: ## kill `lockstep sync` 200 times while it works on 5,000 records
	go test -count=1 -tags kills -timeout 20m -parallel 4 -run TestKilledRunsEndInStep -v ./e2e

.PHONY: test
test: tools check race clients prove sim-some kills ## everything, from a bare machine; what CI runs

.PHONY: tools
tools: ## install what the tests need on a bare Debian machine (node, npm, python, chromium, a C compiler for -race)
	scripts/tools.sh

.PHONY: bench
bench: ## speed, as ratios in one run
	go test -run '^$$' -bench . -benchtime 2s ./bench
