# GNU make 3.81 or newer, as macOS has no other. Needs a Rust toolchain (https://rustup.rs);
# scripts/setup installs the rest where it is missing.

# More words for `demo` and `test`: make demo ARGS=--exit
ARGS ?=

SHELL_SCRIPTS := .ci/run scripts/setup

# Cargo uses all cores by itself, and steps side by side would only mix up what they print.
.NOTPARALLEL:
.PHONY: help setup test-setup linter-setup demo test bench check schema shellcheck compose dockerfile yaml rustfmt clippy rustdoc deny

help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-10s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

demo: setup ## move 992 leads in a private PostgreSQL and watch (ARGS=--exit ends by itself)
	cargo run --locked --release -- demo $(ARGS)

test: test-setup ## all tests (ARGS=NAME for those with NAME in their name)
	cargo test --locked $(ARGS)

bench: setup ## measure what a move costs, and whom (ARGS='--only growth')
	cargo bench --locked --bench moves -- $(ARGS)

check: setup shellcheck compose dockerfile yaml rustfmt clippy rustdoc deny test ## everything that CI checks

schema: test-setup ## write migrations/schema.sql anew after a change of migrations
	UPDATE_SCHEMA=1 cargo test --locked --test it schema_sql

setup: ## install what is missing to build and demonstrate
	@scripts/setup

test-setup: ## install what is missing to test
	@scripts/setup tests

linter-setup:
	@scripts/setup linters

# --- The parts of `check`, the quick ones first ---

shellcheck:
	@if command -v shellcheck >/dev/null; \
	then echo 'shellcheck $(SHELL_SCRIPTS)' && shellcheck $(SHELL_SCRIPTS); \
	else echo 'skipped: shellcheck is not installed'; fi

# That they are well formed: nothing here starts a container.
compose: linter-setup
	target/linters/bin/check-jsonschema --builtin-schema vendor.compose-spec docker-compose.yml

dockerfile: linter-setup
	target/linters/bin/hadolint Dockerfile

yaml: linter-setup
	target/linters/bin/yamllint --strict $$(git ls-files --cached --others --exclude-standard '*.yml' '*.yaml')

rustfmt:
	cargo fmt --check

# Without the default features too: the container image is built so.
clippy: setup
	cargo clippy --locked --all-targets -- -D warnings
	cargo clippy --locked --all-targets --no-default-features -- -D warnings

rustdoc: setup
	RUSTDOCFLAGS='-D warnings' cargo doc --locked --no-deps --document-private-items

deny:
	@if cargo deny --version >/dev/null 2>&1; \
	then echo 'cargo deny --locked check' && cargo deny --locked check; \
	else echo 'skipped: cargo-deny is not installed (cargo install --locked cargo-deny)'; fi
