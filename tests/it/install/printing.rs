//! `lead-mover migrate --print`: the script installs, upgrades whatever earlier state there is, and changes nothing
//! the second time.

use std::fs;
use std::path::{Path, PathBuf};

use lead_mover::migrate;
use lead_mover::schema::SchemaState;

use crate::support::{Database, EXAMPLE_TABLES, assert_same_schema, printed};

const MIGRATIONS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/migrations");

#[tokio::test]
async fn it_makes_what_migrate_makes_and_the_second_time_changes_nothing() {
    let database = Database::empty().await;
    database.run(EXAMPLE_TABLES).await;

    database.run_print().await;

    assert_eq!(database.schema_state().await, SchemaState::Current);
    assert_same_schema(&database.schema(), &Database::new().await.schema());
    database.doctor_report().await.assert_all_pass();
    let before = versions_of_everything(&database).await;

    database.run_print().await;

    assert_eq!(versions_of_everything(&database).await, before);
    let applied = migrate::install(&database.settings(), false)
        .await
        .expect("it is current");
    assert_eq!(applied, Vec::<String>::new());
    assert_eq!(versions_of_everything(&database).await, before);
}

/// The rows of functions, relations, triggers and applied files, each with the transaction that wrote it.
async fn versions_of_everything(database: &Database) -> Vec<String> {
    database
        .value(
            "select array_agg(v.version order by v.version)
             from (
               select format('%s %s', p.oid::regprocedure, p.xmin) as version
               from pg_proc p
               where p.pronamespace in ('lead_mover'::regnamespace, 'public'::regnamespace, 'pgmq'::regnamespace)
                 and p.proname <> 'make_private'
               union all
               select format('%s %s', c.oid::regclass, c.xmin)
               from pg_class c
               where c.relnamespace in ('lead_mover'::regnamespace, 'public'::regnamespace, 'pgmq'::regnamespace)
               union all
               select format('%s %s', t.tgname, t.xmin) from pg_trigger t
               union all
               select format('%s %s', f.path, f.xmin) from lead_mover.schema_files f
             ) v",
            &[],
        )
        .await
}

#[tokio::test]
async fn with_example_tables_and_in_one_transaction_it_makes_the_same() {
    let database = Database::empty().await;

    let finished = database
        .psql_with(&["-1"], &printed(&["--example-schema"]).await)
        .await;

    assert_eq!(finished.status, Some(0), "{finished:?}");
    assert_same_schema(&database.schema(), &Database::new().await.schema());
}

#[tokio::test]
async fn a_script_that_fails_leaves_nothing() {
    let database = Database::empty().await;
    let before = database.schema();

    let finished = database.psql(&printed(&[]).await).await;

    assert_eq!(finished.status, Some(3), "{finished:?}");
    assert!(finished.stderr.contains("cannot map your tables"));
    assert_eq!(database.schema(), before);
}

#[tokio::test]
async fn it_takes_over_the_old_systems_functions_queue_and_messages() {
    let database = Database::without_lead_mover().await;
    let crm = database.crm().await;
    let run = crm.run_of(250).await;
    database
        .run(&format!(
            "create function public.process_lead_migration_batch(p_batch_size integer default 100)
             returns table (x int) language sql as 'select 1';
             create function public.cancel_lead_migration(run uuid) returns boolean language sql as 'select true';
             do $$ begin perform pgmq.create('lead_migration_queue'); end $$;
             select pgmq.send('lead_migration_queue', jsonb_build_object('run_id', '{run}', 'funnel_id', '{}', 'column_id', '{}'))",
            crm.target.funnel, crm.target.column
        ))
        .await;

    database.run_print().await;

    assert_same_schema(&database.schema(), &Database::new().await.schema());
    crm.process_all().await;
    assert_eq!(crm.status(run).await, "completed");
    assert_eq!(crm.leads_at(run, crm.target).await, 250);
}

/// Those that the first of the versioned files make.
#[tokio::test]
async fn it_upgrades_each_earlier_state() {
    let schema = Database::new().await.schema();
    let versioned = versioned_files();
    for applied in 1..versioned.len() {
        for remembers in [true, false] {
            let database = Database::without_lead_mover().await;
            apply_first(&database, &versioned[..applied]).await;
            if !remembers {
                database.run("truncate lead_mover.schema_files").await;
            }

            database.run_print().await;

            assert_eq!(database.schema_state().await, SchemaState::Current);
            assert_same_schema(&database.schema(), &schema);
            database.doctor_report().await.assert_all_pass();
        }
    }
}

/// Also that each versioned file has a sign of its own, by which a copy without rows is known.
#[tokio::test]
async fn no_versioned_file_is_taken_for_applied_before_it_is() {
    let versioned = versioned_files();
    for applied in 0..=versioned.len() {
        let database = Database::without_lead_mover().await;
        apply_first(&database, &versioned[..applied]).await;
        database.run("truncate lead_mover.schema_files").await;
        let print = printed(&[]).await;
        let start = print
            .find("insert into lead_mover.schema_files")
            .expect("it has one");
        let length = print[start..].find(";\n").expect("it ends");
        let adoption = &print[start..start + length];

        database.run(adoption).await;

        let adopted: i64 = database
            .value("select count(*) from lead_mover.schema_files", &[])
            .await;
        assert_eq!(adopted, i64::try_from(applied).expect("a few"));
    }
}

fn versioned_files() -> Vec<PathBuf> {
    let mut files: Vec<PathBuf> = fs::read_dir(Path::new(MIGRATIONS).join("versioned"))
        .expect("they are there")
        .map(|entry| entry.expect("a file").path())
        .collect();
    files.sort();
    files
}

async fn apply_first(database: &Database, files: &[PathBuf]) {
    let read = |path: &Path| fs::read_to_string(path).expect("it is there");
    let session = database.open().await;
    let mut statements =
        "set search_path = ''; set check_function_bodies = off; set client_min_messages = warning;"
            .to_owned();
    for file in ["bootstrap.sql", "mapping.sql"] {
        statements += &read(&Path::new(MIGRATIONS).join(file));
    }
    session
        .batch_execute(&statements)
        .await
        .expect("it is applied");
    for file in files {
        let text = read(file);
        session.batch_execute(&text).await.expect("it is applied");
        let path = file.strip_prefix(MIGRATIONS).expect("it is below");
        session
            .execute(
                "insert into lead_mover.schema_files (path, checksum)
                 values ($1, encode(sha256(convert_to($2, 'UTF8')), 'hex'))",
                &[&path.to_str(), &text],
            )
            .await
            .expect("it is recorded");
    }
}

#[tokio::test]
async fn over_another_versions_files_it_stops_as_migrate_does() {
    for (change, message) in [
        (
            "insert into lead_mover.schema_files values ('versioned/9999_future.sql', 'x')",
            "the database was installed by a newer lead-mover (it has versioned/9999_future.sql)",
        ),
        (
            "update lead_mover.schema_files set checksum = 'x' where path = 'versioned/0002_locked_batches.sql'",
            "versioned/0002_locked_batches.sql was changed after it had been applied",
        ),
    ] {
        let database = Database::new().await;
        database.run(change).await;
        let before = database.schema();

        let finished = database.psql(&printed(&[]).await).await;

        assert_eq!(finished.status, Some(3), "{finished:?}");
        assert!(finished.stderr.contains(message), "{finished:?}");
        assert_eq!(database.schema(), before);
    }
}

#[tokio::test]
async fn a_function_whose_text_differs_is_made_again_and_keeps_its_grants() {
    let database = Database::new().await;
    let before = database.schema();
    database
        .run(
            "update lead_mover.schema_files set checksum = 'earlier' where path like 'functions/public/%';
             create or replace function public.get_lead_migration_queue_status()
             returns table (queue_name text, total_messages bigint, oldest_message timestamptz, newest_message timestamptz)
             language sql as $$ select 'earlier', 0::bigint, now(), now() $$",
        )
        .await;

    database.run_print().await;

    assert_eq!(database.schema_state().await, SchemaState::Current);
    assert_same_schema(&database.schema(), &before);
}

/// No line for psql alone, nor one that belongs to one transaction of its own: whatever runs SQL can run it.
#[tokio::test]
async fn it_is_plain_sql_in_statements_of_a_moderate_size() {
    let print = printed(&[]).await;
    assert!(print.lines().all(|line| !line.starts_with('\\')));
    // Releases of the Supabase CLI before 3 read no statement that is longer than 256 kB.
    let longest = print.split("\n\n\n-- ").map(str::len).max();
    assert!(longest < Some(100_000), "{longest:?}");
}
