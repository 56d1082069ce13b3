//! A lead's fault is found whatever SQLSTATE a trigger raises for it.

use crate::support::Database;

/// Also those that the server raises when no lead is at fault.
const SQLSTATES: [&str; 16] = [
    "55000", "55006", "53400", "53100", "25000", "25006", "57000", "57P03", "08006", "58030",
    "XX000", "42804", "0A000", "40001", "40P01", "55P03",
];

/// One lead of that many, in that place, raises each SQLSTATE in turn.
async fn one_lead_is_listed(leads: i32, place: usize, batch_size: i32, sqlstates: &[&str]) {
    for sqlstate in sqlstates {
        let database = Database::new().await;
        let crm = database.crm().await;
        let run = crm.run_of(leads).await;
        let lead = crm.lead_ids(run).await[place];
        let body = format!(
            "if new.id = '{lead}' then raise exception 'no' using errcode = '{sqlstate}'; end if; return new;"
        );
        database
            .on_leads("before update on public.leads for each row", &body)
            .await;
        crm.try_enqueue(run, crm.target, Some(batch_size))
            .await
            .unwrap();

        crm.process_to_the_end().await;

        crm.all_moved_but(run, lead, sqlstate).await;
    }
}

#[tokio::test]
async fn one_lead_of_300_is_listed_and_the_others_move() {
    one_lead_is_listed(300, 149, 100, &SQLSTATES).await;
}

#[tokio::test]
async fn the_first_of_all_leads_is_listed_and_the_others_move() {
    one_lead_is_listed(300, 0, 100, &["55000", "08006", "40001", "XX000"]).await;
}

#[tokio::test]
async fn a_lead_alone_in_its_batch_is_listed_once_others_have_moved() {
    one_lead_is_listed(201, 200, 100, &["55000", "25006", "57000", "XX000"]).await;
    one_lead_is_listed(3, 0, 1, &["55000"]).await;
}
