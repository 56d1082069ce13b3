//! Every PL/pgSQL function of the product, checked by the extension `plpgsql_check`: names that do not exist,
//! types that do not fit, unused variables, text pasted into dynamic SQL.

use std::fmt::Write;

use crate::support::{Database, is_left_out};

/// Findings that are accepted: how the message begins, a part of its detail, and the reason.
const KEPT: [(&str, &str, &str); 10] = [
    (
        "routine is marked as VOLATILE, should be STABLE",
        "",
        "a stable function has its caller's snapshot; these have to see what was committed since",
    ),
    (
        "composite OUT variable ",
        "",
        "some internal functions return several rows side by side",
    ),
    // Assignments, each once a call. A cast that keeps an index from being used is in a condition, and has
    // a message of its own.
    (
        "target type is different type than source type",
        "\"bigint\" value to \"integer\"",
        "count(*) of at most a batch, or of lanes",
    ),
    (
        "target type is different type than source type",
        "\"integer\" value to \"bigint\"",
        "a constant, or a sum of a batch's counts",
    ),
    (
        "target type is different type than source type",
        "\"numeric\" value to \"double precision\"",
        "extract(epoch from …), a metric in seconds",
    ),
    (
        "target type is different type than source type",
        "\"name\" value to \"text\"",
        "the name of a role",
    ),
    (
        "target type is different type than source type",
        "value to \"lead_mover.lead_key[]\"",
        "the domain is for this check; where the functions run, the key has its own type",
    ),
    (
        "target type is different type than source type",
        "\"text\" value to \"uuid\"",
        "an id in a message is an input of whatever type the mapping has",
    ),
    (
        "routine is marked as STABLE, should be IMMUTABLE",
        "",
        "the conversion of text to an id of another type than uuid may depend on a setting",
    ),
    (
        "never read variable \"funnel_id\"",
        "",
        "it is read where the mapping has no funnels",
    ),
];

#[tokio::test]
async fn plpgsql_check_finds_nothing_in_any_function() {
    let Some(database) = with_plpgsql_check().await else {
        return;
    };
    let functions: i64 = database
        .value(&format!("select count(*) from ({FUNCTIONS}) as f"), &[])
        .await;
    assert!(functions > 20, "the functions are in another schema");

    assert_eq!(findings(&database).await, "");
}

#[tokio::test]
async fn plpgsql_check_notices_a_column_that_does_not_exist() {
    let Some(database) = with_plpgsql_check().await else {
        return;
    };
    database
        .run(
            "create function lead_mover.wrong() returns bigint language plpgsql as $$
             begin
               return (select max(l.no_such_column) from lead_mover.leads l);
             end
             $$",
        )
        .await;
    let findings = findings(&database).await;
    assert!(
        findings.contains("lead_mover.wrong(): line 3, error: ")
            && findings.contains("no_such_column"),
        "{findings}"
    );
}

/// None where the environment has the setting that this server has no such extension.
async fn with_plpgsql_check() -> Option<Database> {
    let without = "TEST_WITHOUT_PLPGSQL_CHECK";
    if is_left_out(without) {
        return None;
    }
    let database = Database::new().await;
    let is_available =
        "select exists (select from pg_available_extensions where name = 'plpgsql_check')";
    assert!(
        database.value::<bool>(is_available, &[]).await,
        "PostgreSQL's extension plpgsql_check is not installed: run scripts/setup tests, or install Debian's \
         package postgresql-VERSION-plpgsql-check; where there is none, set {without}=1"
    );
    database.run("create extension plpgsql_check").await;
    Some(database)
}

/// The PL/pgSQL functions of the product, a trigger function once for each table that it is a trigger of, with
/// the names of all transition tables that it has there.
const FUNCTIONS: &str = "
    select
      p.oid::regprocedure as function,
      coalesce(t.tgrelid, 0)::regclass as trigger_table,
      max(t.tgoldtable) as old_table,
      max(t.tgnewtable) as new_table
    from pg_proc p
    join pg_language l on l.oid = p.prolang
    left join pg_trigger t on t.tgfoid = p.oid
    where l.lanname = 'plpgsql'
      and p.pronamespace in ('lead_mover'::regnamespace, 'public'::regnamespace)
    group by p.oid, t.tgrelid";

/// A line for each finding that [`KEPT`] does not name.
///
/// All warnings are on. The arguments have no names, because those differ between releases of the extension:
/// they are `fatal_errors`, then the kinds of warnings (other, performance, extra, security, compatibility),
/// the transition tables, and the type that `anyelement` stands for, the key's.
async fn findings(database: &Database) -> String {
    let query = format!(
        "select f.function::text, coalesce(c.lineno, 0), c.level, c.message, coalesce(c.detail, '')
         from ({FUNCTIONS}) as f
         cross join lateral plpgsql_check_function_tb(
           f.function, f.trigger_table, false, true, true, true, true, true, f.old_table, f.new_table, 'uuid'
         ) as c
         order by 1, 2"
    );
    let mut findings = String::new();
    for row in database.session().query(&query, &[]).await.expect(&query) {
        let (function, line): (String, i32) = (row.get(0), row.get(1));
        let (level, message, detail): (String, String, String) =
            (row.get(2), row.get(3), row.get(4));
        let is_kept = KEPT
            .iter()
            .any(|(start, part, _)| message.starts_with(start) && detail.contains(part));
        if !is_kept {
            writeln!(
                findings,
                "{function}: line {line}, {level}: {message} {detail}"
            )
            .expect("a string takes any text");
        }
    }
    findings
}
