# Every task of the project; CI runs the same targets. `make help` lists them.
SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help

# The build cache may live outside the checkout: set CARGO_TARGET_DIR.
export CARGO_TARGET_DIR ?= $(CURDIR)/target
# Where the load driver of the load test lies; absent: the test says so and is passed over.
CTLLOAD ?= ../shared/tools/ctlload
# Real policy captures; absent: the test says so and is passed over.
ifneq ($(wildcard ../shared/policy-corpus/cases.jsonl.zst),)
export POLICY_CORPUS ?= $(abspath ../shared/policy-corpus/cases.jsonl.zst)
endif
# `make run LISTEN=203.0.113.10` serves other machines over TLS.
LISTEN ?=

.PHONY: help run test check demo interop bench dist accept console packages-% toolchain load

help: ## List the tasks
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*##/\t/' | expand -t 12

packages-%:
	@scripts/packages.sh $*

toolchain:
	@scripts/toolchain.sh

console: toolchain
	cargo xtask web --release

run: packages-run toolchain ## Build everything and start the server with its console
	@scripts/run.sh "$(LISTEN)"

test: packages-test toolchain ## Everything that must pass
	@scripts/test.sh

check: packages-run toolchain ## Format, lints, layering, licences
	@scripts/check.sh

demo: packages-test toolchain ## Three agents behind NATs in a lab on this machine, until Ctrl-C
	@scripts/demo.sh

interop: packages-interop toolchain ## Real Tailscale clients join, talk, obey and leave
	@scripts/interop.sh

load: toolchain ## The load driver against a release server
	@scripts/load.sh "$(CTLLOAD)"

bench: packages-bench toolchain ## Measure against tailscaled and write docs/performance.md
	@scripts/bench.sh "$(CTLLOAD)"

dist: packages-dist toolchain ## Static agent, server, and a .deb of each, into dist/
	@scripts/dist.sh

accept: toolchain ## Accept changed snapshots and generated documents
	INSTA_UPDATE=always WARREN_ACCEPT=1 cargo test --workspace --exclude e2e
