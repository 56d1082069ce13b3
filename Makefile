# GNU make 3.81 or newer, as macOS has no other. Needs a Rust toolchain (https://rustup.rs);
# scripts/setup installs the rest where it is missing.

# More words for `demo` and `test`: make demo ARGS=--exit
ARGS ?=

SHELL_SCRIPTS := .ci/run scripts/postgres-versions scripts/setup

# PGBIN=DIRECTORY: the server programs that the tests run on, instead of the system's. A directory that lacks one
# would be passed over in PATH, and the tests would pass on another server.
ifneq ($(origin PGBIN),undefined)
  $(foreach program,initdb postgres pg_ctl pg_dump psql,$(if $(wildcard $(PGBIN)/$(program)),,\
    $(error PGBIN is to be a directory with PostgreSQL's programs, and "$(PGBIN)" has no $(program))))
  export PATH := $(abspath $(PGBIN)):$(PATH)
endif

# The major versions of `make test-versions`. The system's own, mostly another, is what `make test` runs on.
VERSIONS ?= 14 16 17 18

# Cargo uses all cores by itself, and steps side by side would only mix up what they print.
.NOTPARALLEL:
.PHONY: help setup test-setup linter-setup demo test test-versions mutants model bench check schema advisories shellcheck compose dockerfile yaml github sql deny rustfmt clippy rustdoc

help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-13s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

demo: setup ## move 992 leads in a private PostgreSQL and watch (ARGS=--exit ends by itself)
	cargo run --locked --release -- demo $(ARGS)

test: test-setup ## all tests (ARGS=NAME for those with NAME in their name, PGBIN=DIRECTORY for another server)
	cargo test --locked $(ARGS)

# There is no plpgsql_check and no pg_cron for these servers; what they do does not depend on the version.
test-versions: ## the tests of `it` on PostgreSQL 14, 16, 17 and 18, which it fetches (VERSIONS=17 for one)
	for version in $(VERSIONS); do \
		pgbin=$$(scripts/postgres-versions "$$version") || exit; \
		"$$pgbin/postgres" --version; \
		TEST_WITHOUT_PLPGSQL_CHECK=1 TEST_WITHOUT_PG_CRON=1 $(MAKE) test PGBIN="$$pgbin" ARGS="--test it $(ARGS)" || exit; \
	done

mutants: test-setup ## change the SQL wrongly in many ways; a test has to notice each (CI does it every night)
	cargo test --locked --test it -- --ignored mutants::
	UPDATE_VERIFIED=mutants cargo test --locked --test it -- --exact verified::make_mutants_passed_with_these_migrations

# How many scenarios `model` plays.
PROPTEST_CASES ?= 1000

model: test-setup ## play random scenarios against a model of the promises (CI does it every night)
	PROPTEST_CASES=$(PROPTEST_CASES) cargo test --locked --test it -- model::
	UPDATE_VERIFIED=model cargo test --locked --test it -- --exact verified::make_model_passed_with_these_migrations

bench: setup ## measure what a move costs, and whom (ARGS='--only growth')
	cargo bench --locked --bench moves -- $(ARGS)

check: setup shellcheck compose dockerfile yaml github sql deny rustfmt clippy rustdoc test ## everything that CI checks

schema: test-setup ## write migrations/schema.sql anew after a change of migrations
	UPDATE_SCHEMA=1 cargo test --locked --test it schema_sql

advisories: linter-setup ## look our crates up in RustSec's database (needs github.com; CI does it every night)
	target/linters/bin/cargo-deny --locked check advisories

setup: ## install what is missing to build and demonstrate
	@scripts/setup

test-setup: ## install what is missing to test
	@scripts/setup tests

linter-setup:
	@scripts/setup linters

# --- The parts of `check`, the quick ones first ---
# None is left out where its program is missing: `linter-setup` installs it, or says what only you can install.

shellcheck: linter-setup
	target/linters/bin/shellcheck $(SHELL_SCRIPTS)

# That they are well formed: nothing here starts a container.
compose: linter-setup
	target/linters/bin/check-jsonschema --builtin-schema vendor.compose-spec docker-compose.yml

dockerfile: linter-setup
	target/linters/bin/hadolint Dockerfile

yaml: linter-setup
	target/linters/bin/yamllint --strict $$(git ls-files --cached --others --exclude-standard '*.yml' '*.yaml')

# Workflows: what a schema says of them, then what an attacker would. Offline: no look at GitHub is needed.
github: linter-setup
	target/linters/bin/check-jsonschema --builtin-schema vendor.github-workflows .github/workflows/*.yml
	target/linters/bin/check-jsonschema --builtin-schema custom.github-workflows-require-timeout .github/workflows/*.yml
	target/linters/bin/check-jsonschema --builtin-schema vendor.dependabot .github/dependabot.yml
	target/linters/bin/check-jsonschema --builtin-schema vendor.github-issue-config .github/ISSUE_TEMPLATE/config.yml
	target/linters/bin/check-jsonschema --builtin-schema vendor.github-issue-forms \
		.github/ISSUE_TEMPLATE/bug_report.yml .github/ISSUE_TEMPLATE/feature_request.yml
	target/linters/bin/zizmor --quiet --no-progress --offline --pedantic --strict-collection .

sql: linter-setup
	target/linters/bin/squawk $$(git ls-files --cached --others --exclude-standard '*.sql')

# Two versions of one crate are only warned of, and not here: `cargo-deny check bans` lists them.
deny: linter-setup
	target/linters/bin/cargo-deny --locked --log-level error check bans licenses sources

rustfmt:
	cargo fmt --check

# Without the default features too: the container image is built so.
clippy: setup
	cargo clippy --locked --all-targets -- -D warnings
	cargo clippy --locked -p lead-mover --all-targets --no-default-features -- -D warnings

rustdoc: setup
	RUSTDOCFLAGS='-D warnings' cargo doc --locked --no-deps --document-private-items
