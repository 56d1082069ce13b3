//! What `migrate` makes of a database.

use lead_mover::schema::{self, SchemaState};

use super::{Database, Finished, command, finish, pg_dump};

/// The tables of `--example-schema`.
pub(crate) const EXAMPLE_TABLES: &str = include_str!("../../../migrations/example_schema.sql");

impl Database {
    /// One with nothing in it, which stores texts in that encoding.
    pub(crate) async fn empty_in(encoding: &str) -> Self {
        Self::copy_of(&format!(
            "template0 encoding '{encoding}' lc_collate 'C' lc_ctype 'C'"
        ))
        .await
    }

    /// The example tables and PGMQ, and nothing of ours.
    pub(crate) async fn without_lead_mover() -> Self {
        let database = Self::new().await;
        database
            .run(
                "set client_min_messages = warning;
                 drop schema lead_mover cascade;
                 do $$
                 declare
                   v_function regprocedure;
                 begin
                   for v_function in
                     select oid::regprocedure from pg_proc
                     where pronamespace = 'public'::regnamespace and proname like '%lead_migration%'
                   loop
                     execute format('drop function %s', v_function);
                   end loop;
                   perform pgmq.drop_queue('lead_migration_queue');
                 end
                 $$",
            )
            .await;
        database
    }

    /// `lead-mover migrate` with those arguments.
    pub(crate) async fn migrate(&self, arguments: &[&str]) -> Finished {
        finish(
            command(&["migrate"])
                .args(arguments)
                .env("DATABASE_URL", self.connection_string()),
        )
        .await
    }

    /// The schema as `pg_dump` tells it, without what differs from dump to dump.
    pub(crate) fn schema(&self) -> String {
        let dump = pg_dump(self.name(), &["--schema-only", "--no-owner"]);
        let noise = ["--", r"\restrict", r"\unrestrict"];
        dump.lines()
            .filter(|line| !noise.iter().any(|noise| line.starts_with(noise)))
            .collect::<Vec<_>>()
            .join("\n")
    }

    pub(crate) async fn schema_state(&self) -> SchemaState {
        schema::schema_state(self.session())
            .await
            .expect("the server answers")
    }

    /// Whether there is a schema or a relation of that name.
    pub(crate) async fn has(&self, name: &str) -> bool {
        let question = if name.contains('.') {
            "select to_regclass($1) is not null"
        } else {
            "select to_regnamespace($1) is not null"
        };
        self.value(question, &[&name]).await
    }
}

/// Fails with the first line that differs, as a whole schema is too long to be looked at.
pub(crate) fn assert_same_schema(left: &str, right: &str) {
    let differing = left
        .lines()
        .zip(right.lines())
        .find(|(left, right)| left != right);
    assert_eq!(differing, None);
    assert_eq!(left.lines().count(), right.lines().count());
}

/// A database with what `pg_dump` tells of another one, with those arguments, after those statements.
pub(crate) async fn restored(from: &Database, arguments: &[&str], before: &str) -> Database {
    let copy = Database::empty().await;
    copy.run(before).await;
    restore(&copy, &pg_dump(from.name(), arguments)).await;
    copy
}

pub(crate) async fn restore(copy: &Database, dump: &str) {
    // Of programs of 17 and later, on a server that is older than they are.
    let dump = dump.replace("SET transaction_timeout = 0;", "");
    let finished = copy.psql(&dump).await;
    assert_eq!(finished.status, Some(0), "{finished:?}");
}
