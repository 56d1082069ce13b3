//! The installation as text, for `migrate --print`.

use super::{QUEUE, record};
use crate::schema::{
    BOOTSTRAP, EXAMPLE_SCHEMA, IDS, KEYS, LIVING, MAPPING, MAPPING_CHECKS, RIGHTS, SESSION,
    SqlFile, TRIGGERS, VERSIONED,
};

/// The whole installation as one SQL script, to deliver as a Supabase migration. It expects the
/// extension pgmq to be available, and a database that lead-mover was never installed in.
#[must_use]
pub fn script(example_schema: bool) -> String {
    let start = format!(
        "-- lead-mover {}

begin;

create extension if not exists pgmq;
select pgmq.create('{QUEUE}');",
        env!("CARGO_PKG_VERSION")
    );
    let fixed = [SESSION, BOOTSTRAP]
        .into_iter()
        .chain(example_schema.then_some(EXAMPLE_SCHEMA))
        .chain([MAPPING, MAPPING_CHECKS])
        .map(|file| format!("-- {}\n\n{}", file.path, file.text));
    let recorded =
        |file: &SqlFile| format!("-- {}\n\n{}\n{}\n", file.path, file.text, record(file));

    let mut parts = vec![start];
    parts.extend(fixed);
    parts.extend(VERSIONED.iter().map(recorded));
    parts.extend([KEYS, IDS].map(|file| format!("-- {}\n\n{}", file.path, file.text)));
    parts.extend(LIVING.iter().chain(TRIGGERS).map(recorded));
    parts.push(format!("-- {}\n\n{}", RIGHTS.path, RIGHTS.text));
    parts.push("commit;\n".to_owned());
    parts.join("\n\n")
}
