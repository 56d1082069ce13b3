//! Names of runs that no client can be sent: the leads move all the same.

use crate::support::Database;

/// An encoding of a database, and a name that UTF-8 has no characters for.
const NAMES: [(&str, &str); 3] = [
    ("WIN1252", r"convert_from('\x457874726181', 'WIN1252')"),
    ("SQL_ASCII", r"convert_from('\x436166e9', 'SQL_ASCII')"),
    ("SQL_ASCII", r"convert_from('\xfffe80', 'SQL_ASCII')"),
];

#[tokio::test]
async fn a_run_whose_name_cannot_be_sent_moves_and_so_do_those_behind_it() {
    for (encoding, name) in NAMES {
        let database = Database::empty_in(encoding).await;
        let migrated = database.migrate(&["--example-schema"]).await;
        assert_eq!(migrated.status, Some(0), "{encoding}: {migrated:?}");
        let crm = database.crm().await;
        let (run, other) = (crm.run_of(250).await, crm.run_of(50).await);
        database
            .run(&format!(
                "update public.runs set name = {name} where id = '{run}'"
            ))
            .await;
        crm.enqueue(run).await;
        crm.enqueue(other).await;

        let batches = crm.process_all().await;

        assert!(batches.iter().all(|batch| batch.success), "{batches:?}");
        crm.all_moved(run).await;
        crm.all_moved(other).await;
    }
}

#[tokio::test]
async fn an_error_whose_text_cannot_be_sent_is_recorded() {
    for (encoding, text) in NAMES {
        let database = Database::empty_in(encoding).await;
        let migrated = database.migrate(&["--example-schema"]).await;
        assert_eq!(migrated.status, Some(0), "{encoding}: {migrated:?}");
        let crm = database.crm().await;
        let (run, other) = (crm.run_of(250).await, crm.run_of(50).await);
        let lead = crm.lead_ids(run).await[7];
        database
            .on_leads(
                "before update on public.leads for each row",
                &format!(
                    "if new.id = '{lead}' then raise exception '%', {text} using errcode = '55000'; end if; return new;"
                ),
            )
            .await;
        crm.enqueue(run).await;
        assert!(!crm.process().await.expect("it is due").success);
        crm.enqueue(other).await;
        assert_eq!(crm.progress(run).await.get::<_, i32>("attempts"), 1);

        crm.process_to_the_end().await;

        crm.all_moved(other).await;
        crm.all_moved_but(run, lead, "55000").await;
    }
}
