//! Copies of a database: of the schema alone, as a Supabase branch is, and whole dumps that are restored where default
//! privileges open functions. `migrate` alone makes them whole.

use lead_mover::migrate;
use lead_mover::schema::SchemaState;

use crate::support::{
    Crm, Database, Listening, assert_same_schema, owner, pg_dump, process_in, restore, restored,
    worker,
};

/// As in Supabase projects from before November 2026; and for the other schemas too, which is worse.
const DEFAULT_PRIVILEGES: &str = "
alter default privileges in schema public grant all on functions to anon, authenticated, service_role;
alter default privileges grant execute on functions to anon, authenticated, service_role;
grant usage on schema public to anon, authenticated, service_role;";

async fn migrate(database: &Database) {
    let migrated = database.migrate(&[]).await;
    assert_eq!(migrated.status, Some(0), "{migrated:?}");
}

/// Moves are queued, heard of and carried out.
async fn assert_works(database: &Database) {
    database.doctor_report().await.assert_all_pass();
    let crm = database.crm().await;
    let run = crm.run_of(150).await;
    let mut listening = Listening::start(database).await;
    crm.enqueue(run).await;
    assert_eq!(listening.received(database).await, [""]);
    crm.process_all().await;
    assert_eq!(crm.status(run).await, "completed");
}

#[tokio::test]
async fn a_copy_of_the_schema_alone_is_made_whole() {
    let database = Database::new().await;
    database
        .run(&format!(
            "select lead_mover.open_to('{}', array['serve'], true);
             select lead_mover.open_to('lead_mover_stranger', p_all_runs => true)",
            worker()
        ))
        .await;
    for arguments in [&["-s"][..], &["-s", "--no-comments"]] {
        let copy = restored(&database, arguments, "").await;
        assert_eq!(copy.schema_state().await, SchemaState::Outdated);
        let report = copy.doctor_report().await;
        report.assert_failure("schema", "run: lead-mover migrate");
        assert!(report.check("schema").1.contains("copy without its rows"));

        migrate(&copy).await;

        assert_eq!(copy.schema_state().await, SchemaState::Current);
        if arguments == ["-s"] {
            assert_same_schema(&copy.schema(), &database.schema());
            assert_eq!(openings(&copy).await, openings(&database).await);
        } else {
            // What was open to them stood in the comment.
            for role in [&worker(), "lead_mover_stranger"] {
                let close = format!("select lead_mover.close_to('{role}')");
                copy.run(&close).await;
            }
        }
        assert_works(&copy).await;
        let again = migrate::install(&copy.settings(), false)
            .await
            .expect("it is current");
        assert_eq!(again, Vec::<String>::new());
    }
}

#[tokio::test]
async fn a_copy_of_the_schema_alone_is_made_whole_by_the_printed_script() {
    let database = Database::new().await;
    let copy = restored(&database, &["-s"], "").await;

    copy.run_print().await;

    assert_same_schema(&copy.schema(), &database.schema());
    assert_works(&copy).await;
}

/// The schemas of the application alone.
#[tokio::test]
async fn a_dump_without_the_queue_gets_queue_trigger_and_messages_again() {
    let database = Database::new().await;
    let crm = database.crm().await;
    let run = crm.run_of(250).await;
    crm.enqueue(run).await;
    crm.process().await.expect("it is due");
    let dump = pg_dump(database.name(), &["-n", "public", "-n", "lead_mover"]);
    let copy = Database::empty().await;
    // It is there in every database.
    restore(&copy, &dump.replace("CREATE SCHEMA public;", "")).await;
    assert!(!copy.has("pgmq").await);

    let migrated = copy.migrate(&[]).await;
    assert_eq!(migrated.status, Some(0), "{migrated:?}");
    assert!(
        migrated
            .stderr
            .contains("messages of active moves were gone"),
        "{migrated:?}"
    );

    let crm = crm.over(&copy);
    crm.process_all().await;
    assert_eq!(crm.status(run).await, "completed");
    assert_eq!(crm.leads_at(run, crm.target).await, 250);
    assert_works(&copy).await;
}

#[tokio::test]
async fn a_dump_restored_in_the_middle_of_a_move_opens_nothing_and_the_move_ends() {
    let database = Database::new().await;
    let crm = database.crm().await;
    let run = crm.run_of(250).await;
    crm.enqueue(run).await;
    crm.process().await.expect("it is due");
    for arguments in [&[][..], &["--no-privileges"]] {
        let copy = restored(&database, arguments, DEFAULT_PRIVILEGES).await;
        assert_ne!(open_to(&copy, "anon").await, 0, "nothing was opened");
        assert_ne!(copy.doctor_report().await.check("exposure").0, "ok");

        migrate(&copy).await;

        for role in ["public", "anon", "authenticated"] {
            assert_eq!(open_to(&copy, role).await, 0, "{role}");
        }
        assert!(open_to(&copy, "service_role").await >= 9);
        assert_ends(&copy, &crm.over(&copy), run).await;
    }
}

async fn assert_ends(copy: &Database, crm: &Crm<'_>, run: uuid::Uuid) {
    while process_in(copy.session(), None).await.unwrap().is_some() {}
    assert_eq!(crm.status(run).await, "completed");
    assert_eq!(crm.leads_at(run, crm.target).await, 250);
    assert_works(copy).await;
}

#[tokio::test]
async fn what_the_owners_default_privileges_open_is_closed_by_the_owner() {
    let database = Database::of_owner().await;
    database
        .run("grant execute on all functions in schema lead_mover to public, anon, authenticated")
        .await;

    migrate::install(&database.settings_as(&owner()), false)
        .await
        .expect("it is current");

    for role in ["public", "anon", "authenticated"] {
        assert_eq!(internal_open_to(&database, role).await, 0, "{role}");
    }
}

async fn open_to(database: &Database, role: &str) -> i64 {
    count_of_open(database, role, "like '%'").await
}

async fn internal_open_to(database: &Database, role: &str) -> i64 {
    count_of_open(database, role, "= 'lead_mover'").await
}

async fn count_of_open(database: &Database, role: &str, schemas: &str) -> i64 {
    database
        .value(
            &format!(
                "select count(*)
                 from pg_proc p
                 join pg_namespace n on n.oid = p.pronamespace
                 where (n.nspname = 'lead_mover' or p.proname like '%lead_migration%')
                   and n.nspname {schemas}
                   and has_function_privilege($1::text, p.oid, 'execute')"
            ),
            &[&role],
        )
        .await
}

async fn openings(database: &Database) -> Vec<String> {
    database
        .value(
            "select array_agg(o::text order by o::text) from lead_mover.openings o",
            &[],
        )
        .await
}
