# Needs Go, git, make and a C compiler (for the race detector); everything else
# is built from Go modules. `make help` lists the targets.

SHELL   := /bin/sh
GO      ?= go
GOFMT   := $(shell $(GO) env GOROOT)/bin/gofmt
VERSION ?= $(shell git describe --tags --always --dirty 2>/dev/null || echo unknown)
LDFLAGS := -s -w -X main.version=$(VERSION)

# The linter has a module of its own, so that the product's go.mod stays short.
# Give NICE= to take the whole machine for it.
NICE := nice -n 10
TOOL = $(NICE) $(GO) tool -modfile=$(CURDIR)/tools/go.mod

# The modules under test/, which build an API server and Prometheus, and the one that builds releases.
TEST_MODULES := $(patsubst %/go.mod,%,$(wildcard test/*/go.mod test/*/*/go.mod)) tools/release

# What `make generate` writes.
GENERATED := docs/reference docs/kube-state-metrics.md deploy/clusterrole.yaml deploy/clusterrole-all.yaml deploy/helm/kubestate deploy/kustomize

export MAKE GO

.DEFAULT_GOAL := help

.PHONY: help
help: ## List the targets.
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  \1\t\2/p' Makefile | expand -t 19

.PHONY: demo
demo: build ## Serve a simulated cluster on :8080 (DEMO_FLAGS="--nodes 50 --pods 1000").
	bin/kubestate demo $(DEMO_FLAGS)

.PHONY: build
build: ## Build the static binary bin/kubestate.
	CGO_ENABLED=0 $(GO) build -trimpath -ldflags '$(LDFLAGS)' -o bin/kubestate ./cmd/kubestate

RELEASE = $(GO) -C tools/release run . $(1) --root $(CURDIR) --version '$(VERSION)' --out $(CURDIR)/bin/$(2)

.PHONY: image
image: ## Write the container image for linux/amd64 and linux/arm64 to bin/image, an OCI layout; needs no daemon.
	@$(call RELEASE,image,image)

.PHONY: push
push: ## Push bin/image to a registry: IMAGE=registry/name:tag, as the user of ~/.docker/config.json.
	@$(GO) -C tools/release run . push --layout $(CURDIR)/bin/image '$(IMAGE)'

.PHONY: release
release: ## Write archives for Linux, macOS and Windows, SBOMs and checksums to bin/release.
	@$(call RELEASE,archives,release)

.PHONY: test
test: ## Run everything, cheapest first; CI runs this.
	@tools/stages.sh format tidy lint vulnerabilities unit without-race generated end-to-end

.PHONY: check
check: ## Run what takes a minute or two: format, lint and tests without the race detector.
	@tools/stages.sh format lint quick

.PHONY: format
format: ## Fail if a file is not as gofmt -s writes it.
	@files=$$($(GOFMT) -s -l .); if [ -n "$$files" ]; then \
		echo "not formatted, run gofmt -s -w on:" $$files >&2; exit 1; fi

.PHONY: tidy
tidy: ## Fail if go.mod lists more or less than the code imports.
	$(GO) mod tidy -diff

.PHONY: vet
vet: ## Run go vet, which lint does, too.
	$(GO) vet ./...

.PHONY: lint
lint: ## Run the linters of .golangci.yml (the first time builds them: minutes).
	$(TOOL) golangci-lint run
	cd test/e2e/harness && $(TOOL) golangci-lint run
	cd test/bench && $(TOOL) golangci-lint run

.PHONY: vulnerabilities
vulnerabilities: ## Report known vulnerabilities, if their database can be reached.
	@tools/vulncheck.sh $(TOOL) govulncheck

# Stores check themselves after every change, also in programs that tests start.
unit quick without-race end-to-end: export KUBESTATE_VALIDATE := 1

.PHONY: unit
unit: ## Run the unit tests with the race detector.
	CGO_ENABLED=1 $(GO) test -race -timeout 10m ./...

.PHONY: quick
quick: ## Run the unit tests without the race detector.
	$(GO) test -timeout 5m ./...

# The race detector allocates, and makes slow what most of these do in one goroutine.
# test/e2e runs the program with it.
WITHOUT_RACE := Test.*Alloc|TestScripts|TestReads|TestChangesLeaveNoTrace

.PHONY: without-race
without-race: ## Run the tests that skip themselves under the race detector, as those that count allocations.
	$(GO) test -run '$(WITHOUT_RACE)' $$(grep -rlE --include='*_test.go' --exclude-dir=test \
		'^func ($(WITHOUT_RACE))' . | xargs -n 1 dirname | sort -u)

.PHONY: generate
generate: ## Write docs/reference, the tables of docs/kube-state-metrics.md and the cluster roles.
	$(GO) run ./internal/gen

.PHONY: generated
generated: ## Fail if make generate changes anything.
	@tools/generated.sh $(GENERATED)

.PHONY: end-to-end
end-to-end: ## Test against a real API server and Prometheus (the first time builds them: many minutes).
	@for tool in curl node python3 zstd; do command -v $$tool >/dev/null || \
		echo "NOT TESTED with $$tool, which is not installed" >&2; done
	@tools/end-to-end.sh test/e2e $(filter-out test/e2e,$(TEST_MODULES))

.PHONY: bench
bench: ## Measure a scenario against reference costs: SCENARIO=small|20k|100k|growth|all, BENCH_FLAGS.
	$(GO) -C test/bench build -o $(CURDIR)/bin/bench . && bin/bench --scenario '$(or $(SCENARIO),20k)' $(BENCH_FLAGS)

.PHONY: bench-micro
bench-micro: ## Run the benchmarks in the packages COUNT times (default 6), BENCH='.' and PKG choose.
	$(GO) test -run '^$$' -bench '$(or $(BENCH),.)' -benchmem -count $(or $(COUNT),6) $(or $(PKG),./...)

.PHONY: bench-compare
bench-compare: ## Compare bench-micro of two revisions: OLD=main NEW=HEAD (. is the working tree).
	@BENCH='$(BENCH)' COUNT='$(COUNT)' PKG='$(PKG)' tools/bench-compare.sh '$(OLD)' '$(NEW)'

.PHONY: soak
soak: ## Change and scrape for SOAK (default 10m); fail if anything leaks or breaks.
	$(GO) -C test/bench build -o $(CURDIR)/bin/bench . && bin/bench soak --duration '$(or $(SOAK),10m)' $(SOAK_FLAGS)

.PHONY: fuzz
fuzz: ## Run every fuzz test for FUZZTIME (default 30s).
	tools/fuzz.sh $(or $(FUZZTIME),30s) . $(TEST_MODULES)

.PHONY: clean
clean: ## Remove what was built.
	rm -rf bin
