//! An application's own deferred constraints are its own: no lead is rejected for them, and they stay deferred.

use crate::support::{Crm, Database, Session, process_in};

const TABLES: &str = "
  create table public.a (id integer primary key);
  create table public.b (a integer references public.a deferrable initially deferred);
  create table public.c (n integer, unique (n) deferrable initially deferred);
  create table public.d (a integer references public.a deferrable initially immediate);
  create table public.e (n integer);
  create function public.small() returns trigger language plpgsql as $$ begin
    if (select sum(n) from public.e) > 10 then raise exception 'too large' using errcode = '23514'; end if;
    return null;
  end $$;
  create constraint trigger small after insert or update on public.e deferrable initially deferred
  for each row execute function public.small()";

/// What leaves a constraint open, and what satisfies it.
const OPEN: [(&str, &str); 4] = [
    (
        "insert into public.b values (1)",
        "insert into public.a values (1)",
    ),
    (
        "insert into public.c values (1), (1)",
        "delete from public.c where ctid = '(0,1)'",
    ),
    (
        "set constraints all deferred; insert into public.d values (1)",
        "insert into public.a values (1)",
    ),
    (
        "insert into public.e values (11)",
        "delete from public.e; insert into public.e values (1)",
    ),
];

/// Begins a transaction that leaves a constraint open, and moves a batch in it.
async fn batch_in(application: &Session, open: &str) {
    application
        .batch_execute(&format!("begin; {open}"))
        .await
        .unwrap();
    let batch = process_in(application, None)
        .await
        .unwrap()
        .expect("it is due");
    assert!(batch.success, "{open}: {batch:?}");
    assert_eq!(batch.leads_moved, 100, "{open}");
}

async fn assert_moved(crm: &Crm<'_>, run: uuid::Uuid, leads: i64) {
    assert_eq!(crm.leads_at(run, crm.target).await, leads);
    assert_eq!(crm.rejected(run).await, []);
    crm.check().await;
}

#[tokio::test]
async fn a_constraint_that_the_application_satisfies_later_rejects_no_lead() {
    for (open, satisfy) in OPEN {
        let database = Database::new().await;
        let crm = database.crm().await;
        database.run(TABLES).await;
        let run = crm.run_of(300).await;
        crm.enqueue(run).await;
        let application = database.open().await;

        batch_in(&application, open).await;
        application
            .batch_execute(&format!("{satisfy}; commit"))
            .await
            .unwrap();

        assert_moved(&crm, run, 100).await;
        crm.process_all().await;
        crm.all_moved(run).await;
    }
}

#[tokio::test]
async fn constraints_are_still_deferred_after_the_call() {
    for (open, satisfy) in OPEN {
        let database = Database::new().await;
        let crm = database.crm().await;
        database.run(TABLES).await;
        let run = crm.run_of(300).await;
        crm.enqueue(run).await;
        let application = database.open().await;

        // Nothing is open when the batch runs, then something is.
        let deferred = if open.contains("set constraints") {
            "set constraints all deferred"
        } else {
            ""
        };
        batch_in(&application, deferred).await;
        let statement = open.trim_start_matches("set constraints all deferred; ");
        application
            .batch_execute(&format!("{statement}; {satisfy}; commit"))
            .await
            .unwrap_or_else(|error| panic!("{open}: {error:?}"));

        assert_moved(&crm, run, 100).await;
    }
}

#[tokio::test]
async fn a_constraint_that_is_never_satisfied_undoes_the_batch_with_the_transaction() {
    for (open, _) in OPEN {
        let database = Database::new().await;
        let crm = database.crm().await;
        database.run(TABLES).await;
        let run = crm.run_of(300).await;
        crm.enqueue(run).await;
        let application = database.open().await;

        batch_in(&application, open).await;
        let error = application.batch_execute("commit").await.unwrap_err();
        // The server sends the error first, and undoes the transaction then.
        application.batch_execute("").await.unwrap();

        let code = error.code().expect("the server answers").code().to_owned();
        assert_eq!(&code[..2], "23", "{open}");
        assert_moved(&crm, run, 0).await;
        crm.process_all().await;
        crm.all_moved(run).await;
    }
}

#[tokio::test]
async fn a_lead_that_a_deferred_constraint_rejects_is_listed_while_the_applications_own_hold() {
    let database = Database::new().await;
    let crm = database.crm().await;
    database.run(TABLES).await;
    let run = crm.run_of(100).await;
    let lead = crm.lead_ids(run).await[37];
    let body = format!("if new.id = '{lead}' then raise exception 'no'; end if; return null;");
    let when = "after update on public.leads deferrable initially deferred for each row";
    database.on_leads(when, &body).await;
    crm.enqueue(run).await;
    let application = database.open().await;
    application
        .batch_execute("begin; insert into public.a values (1); insert into public.b values (1)")
        .await
        .unwrap();

    let batch = process_in(&application, None)
        .await
        .unwrap()
        .expect("it is due");
    assert_eq!(batch.leads_moved, 99);
    application.batch_execute("commit").await.unwrap();

    crm.all_moved_but(run, lead, "P0001").await;
}

#[tokio::test]
async fn a_lead_that_a_deferred_trigger_puts_elsewhere_is_listed_while_a_constraint_is_open() {
    for (open, satisfy) in OPEN {
        let database = Database::new().await;
        let crm = database.crm().await;
        database.run(TABLES).await;
        let run = crm.run_of(50).await;
        let lead = crm.lead_ids(run).await[7];
        let body = format!(
            "if new.id = '{lead}' and new.column_id = '{}' then
               update public.leads set column_id = '{}', funnel_id = '{}' where id = new.id;
             end if;
             return null;",
            crm.target.column, crm.inbox.column, crm.inbox.funnel
        );
        database
            .on_leads(
                "after update on public.leads deferrable initially deferred for each row",
                &body,
            )
            .await;
        crm.enqueue(run).await;
        let application = database.open().await;
        application
            .batch_execute(&format!("begin; {open}"))
            .await
            .unwrap();

        process_in(&application, None).await.unwrap();

        application
            .batch_execute(&format!("{satisfy}; commit"))
            .await
            .unwrap_or_else(|error| panic!("{open}: {error:?}"));
        crm.all_moved_but(run, lead, "09000").await;
    }
}
