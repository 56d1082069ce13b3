//! PGMQ's own SQL, as its maintainers' crate carries it, for servers without the extension.
//!
//! Their crate has no way to get at the text: its installer takes a connection, and commits. As text it can be a part
//! of a transaction, and of a script. A test compares it with the crate's.

/// The version of PGMQ that the text makes.
const VERSION: &str = "1.11.1";

const PGMQ: &str = include_str!("../sql/pgmq.sql");

/// The tag of the dollar quotes around PGMQ's text, which does not occur in it.
const TAG: &str = "$pgmq$";

/// Statements of PL/pgSQL that make the schema `pgmq` with PGMQ in it, and note the version as the maintainers' own
/// installer does. They expect the search path that applications have.
#[must_use]
pub fn statements() -> String {
    format!(
        "-- PGMQ {VERSION}, copyright (c) 2023, Tembo, under the PostgreSQL License.
execute {TAG}
{PGMQ}
{TAG};
create table if not exists pgmq.__pgmq_migrations (
  name text primary key not null,
  version text not null,
  run_at timestamptz not null default clock_timestamp()
);
insert into pgmq.__pgmq_migrations (name, version) values ('pgmq.sql', '{VERSION}');
"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_text_can_stand_between_its_quotes() {
        assert!(!PGMQ.contains(TAG));
        assert_eq!(statements().matches(TAG).count(), 2);
    }
}
