//! Examples, for the end of each command's `--help`.

pub(super) const AFTER_HELP: &str = "\
Examples:
  lead-mover demo
  DATABASE_URL=postgresql://… lead-mover migrate
  DATABASE_URL=postgresql://… lead-mover doctor
  DATABASE_URL=postgresql://… lead-mover serve
  lead-mover enqueue RUN FUNNEL COLUMN --wait
  lead-mover status --watch

Exit status: 0 done, 1 failed, 2 wrong use or settings.";

pub(super) const SERVE_HELP: &str = "\
Examples:
  DATABASE_URL=postgresql://… lead-mover serve
  lead-mover serve --workers 4 --http-addr 0.0.0.0:8080 --log-format json
  DATABASE_URL=postgresql://…:6543/postgres DATABASE_LISTEN_URL=postgresql://…:5432/postgres lead-mover serve

SIGTERM or SIGINT stops it: no new batch, the running ones finish. A second one cancels those.";

pub(super) const MIGRATE_HELP: &str = "\
Examples:
  DATABASE_URL=postgresql://… lead-mover migrate
  DATABASE_URL=postgresql://… lead-mover migrate --example-schema
  lead-mover migrate --print > supabase/migrations/20251210120000_lead_mover.sql";

pub(super) const ENQUEUE_HELP: &str = "\
Examples:
  lead-mover enqueue 7d3c… f1a2… c9e4…
  lead-mover enqueue 7d3c… f1a2… c9e4… --batch-size 500 --wait
  lead-mover enqueue 7d3c… f1a2… c9e4… --json | jq .migration_id";

pub(super) const HEALTH_HELP: &str = "\
Examples:
  lead-mover health
  lead-mover health --ready --http-addr 0.0.0.0:8080

Exit status: 0 it does, 1 it does not or does not answer, 2 wrong use or settings.";

pub(super) const STATUS_HELP: &str = "\
Examples:
  lead-mover status
  lead-mover status 7d3c… --watch
  lead-mover status --json | jq '.[] | {run_name, percent, status}'";

pub(super) const COMPLETIONS_HELP: &str = "\
Examples:
  lead-mover completions bash > ~/.local/share/bash-completion/completions/lead-mover
  lead-mover completions zsh > \"${fpath[1]}/_lead-mover\"
  lead-mover completions fish > ~/.config/fish/completions/lead-mover.fish";
