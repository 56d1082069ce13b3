//! What decides over a caller beside the run that they see: columns, single leads, grants, the operator's function; and
//! what is kept and shown of them.

use tokio_postgres::error::SqlState;
use uuid::Uuid;

use super::tenants::{TENANTS, answer, callers, prepared, state};
use crate::support::{Database, Target};

/// A column of another tenant is one that does not exist.
#[tokio::test]
async fn leads_are_moved_to_a_column_that_the_caller_sees() {
    let database = Database::new().await;
    if !database.has_invoker_views().await {
        return;
    }
    database.run(TENANTS).await;
    let crm = database.crm().await;
    let others = crm.another_target().await;
    database
        .run(&format!(
            "update public.columns set org = 'B' where id = '{}'",
            others.column
        ))
        .await;
    let (run, _) = prepared(&crm, &database, "queue", "A").await;
    let user = &callers(&database).await[2].1;

    let of_others = answer(user, "queue", run, 0, others).await;
    let unknown = Target {
        funnel: others.funnel,
        column: Uuid::new_v4(),
    };

    assert!(of_others.starts_with("LM002 "), "{of_others}");
    assert_eq!(
        of_others.replace(&others.column.to_string(), "COLUMN"),
        answer(user, "queue", run, 0, unknown)
            .await
            .replace(&unknown.column.to_string(), "COLUMN")
    );
    assert_eq!(crm.queue_length().await, 0);
}

/// Leads that the caller does not see, does not see to change, or may not put there.
#[tokio::test]
async fn a_run_is_moved_only_by_who_may_move_each_of_its_leads() {
    let some = "(select id from public.leads order by id desc limit 1)";
    for (name, statements) in [
        (
            "not seen",
            format!("update public.leads set org = 'B' where id = {some}"),
        ),
        (
            "not seen, among others that are at the target",
            format!(
                "update public.leads set org = 'B' where id = {some};
                 update public.leads l set funnel_id = c.funnel_id, column_id = c.id
                 from public.columns c where c.name = 'Primeiro contato' and l.org = 'A'"
            ),
        ),
        (
            "seen, and not changed",
            format!(
                "drop policy users on public.leads;
                 create policy reads on public.leads for select to authenticated using (org = public.org());
                 create policy writes on public.leads for update to authenticated using (id <> {some});
                 grant select on public.leads to public"
            ),
        ),
        (
            "not put there",
            "drop policy users on public.leads;
             create policy users on public.leads to authenticated using (org = public.org())
               with check (column_id in (select id from public.columns where name = 'Novos'))"
                .to_owned(),
        ),
        (
            "a column without a grant",
            "revoke update on public.leads from authenticated;
             grant update (funnel_id, name) on public.leads to authenticated"
                .to_owned(),
        ),
        (
            "the operator's function",
            "create function lead_mover.may(p_action text, p_run uuid, p_funnel uuid, p_column uuid) returns boolean
             language sql as $$ select p_action <> 'queue' $$;
             grant execute on function lead_mover.may to authenticated"
                .to_owned(),
        ),
    ] {
        let database = Database::new().await;
        if !database.has_invoker_views().await {
            return;
        }
        database.run(TENANTS).await;
        let crm = database.crm().await;
        let (run, _) = prepared(&crm, &database, "queue", "A").await;
        database.run(&statements).await;
        let user = &callers(&database).await[2].1;

        for action in ["queue", "message"] {
            let said = answer(user, action, run, 0, crm.target).await;

            assert!(said.starts_with("42501 "), "{name}, {action}: {said}");
            assert_eq!(crm.queue_length().await, 0, "{name}");
            let moves: i64 = database.value("select count(*) from lead_mover.moves", &[]).await;
            assert_eq!(moves, 0, "{name}");
        }
    }
}

#[tokio::test]
async fn who_asked_is_kept_with_the_move() {
    let database = Database::new().await;
    if !database.has_invoker_views().await {
        return;
    }
    database.run(TENANTS).await;
    let crm = database.crm().await;
    let asked = "select requested_by from lead_mover.moves order by migration_id desc limit 1";

    for (caller, session) in callers(&database).await {
        for action in ["queue", "message", "retry"] {
            let (run, _) = prepared(
                &crm,
                &database,
                action,
                if caller == "b" { "B" } else { "A" },
            )
            .await;
            let said = answer(&session, action, run, 0, crm.target).await;
            if caller == "anon" {
                continue;
            }
            if action == "message" {
                assert_eq!(crm.process().await.unwrap().run_id, Some(run));
            }
            let requested_by: Option<String> = database.value(asked, &[]).await;
            assert_eq!(
                requested_by,
                Some(format!("user-{caller}")),
                "{action}: {said}"
            );
            database
                .run("delete from pgmq.q_lead_migration_queue; delete from lead_mover.moves")
                .await;
        }
    }
    database.run("set request.jwt.claims = ''").await;
    let run = crm.run_of(1).await;
    crm.enqueue(run).await;
    let (requested_by, role): (Option<String>, String) = (
        database.value(asked, &[]).await,
        database.value("select current_user::text", &[]).await,
    );
    assert_eq!(requested_by, Some(role));
}

/// Neither the rows of the ledger nor those of the view that asks tell more than the functions.
#[tokio::test]
async fn sql_of_a_tenants_own_shows_and_does_no_more_than_the_functions() {
    let database = Database::new().await;
    if !database.has_invoker_views().await {
        return;
    }
    database.run(TENANTS).await;
    let crm = database.crm().await;
    let (foreign, migration_id) = prepared(&crm, &database, "rejections", "B").await;
    prepared(&crm, &database, "rejections", "A").await;
    let direct = database.open_in_role("lead_mover_stranger").await;
    database
        .run("grant update on pgmq.q_lead_migration_queue to lead_mover_stranger")
        .await;

    for relation in ["moves", "lanes", "rejections", "progress", "leads", "runs"] {
        let count = format!("select count(*) from lead_mover.{relation}");
        let seen: i64 = direct.query_one(&count, &[]).await.unwrap().get(0);
        assert_eq!(seen, if relation == "leads" { 3 } else { 1 }, "{relation}");
    }
    let before = state(&database, foreign).await;
    for statement in [
        format!(
            "insert into lead_mover.requests (action, run_id, is_seen) values ('cancel', '{foreign}', true)"
        ),
        format!(
            "insert into lead_mover.requests (action, run_id, message_id, is_seen)
             values ('pause', '{foreign}', null, true)"
        ),
        format!(
            "update pgmq.q_lead_migration_queue set message = message || '{{\"run_id\": \"{foreign}\"}}'"
        ),
        format!("select lead_mover.cancel_move('{foreign}', true)"),
        format!(
            "update lead_mover.moves set status = 'cancelled' where migration_id = {migration_id}"
        ),
    ] {
        let _ = direct.batch_execute(&statement).await;
        assert_eq!(state(&database, foreign).await, before, "{statement}");
    }
    // Not even an action that is not open to the role.
    database.run("select lead_mover.close_to('lead_mover_stranger'); select lead_mover.open_to('lead_mover_stranger', array['cancel'])").await;
    let (run, _) = prepared(&crm, &database, "queue", "A").await;
    let error = direct
        .batch_execute(&format!(
            "insert into lead_mover.requests (action, run_id, funnel_id, column_id) values ('queue', '{run}', '{}', '{}')",
            crm.target.funnel, crm.target.column
        ))
        .await
        .expect_err("it is not open");
    assert_eq!(error.code(), Some(&SqlState::INSUFFICIENT_PRIVILEGE));
}

/// What a failed move had counted is no measure of what a caller sees now.
#[tokio::test]
async fn a_run_that_has_lost_leads_since_is_retried_and_cancelled_by_who_sees_the_rest() {
    let database = Database::new().await;
    if !database.has_invoker_views().await {
        return;
    }
    database.run(TENANTS).await;
    let crm = database.crm().await;
    let user = &callers(&database).await[2].1;
    for action in ["retry", "cancel", "pause"] {
        let (run, _) = prepared(&crm, &database, action, "A").await;
        database
            .run(&format!(
                "delete from public.leads where id in (select id from public.leads where run_id = '{run}' limit 2)"
            ))
            .await;

        let said = answer(user, action, run, 0, crm.target).await;

        assert!(said.contains("\"success\": true"), "{action}: {said}");
        // One that is hidden stops both.
        database
            .run(&format!(
                "update public.leads set org = 'B' where run_id = '{run}'"
            ))
            .await;
        let said = answer(user, "cancel", run, 0, crm.target).await;
        assert!(said.starts_with("42501 "), "{action}: {said}");
    }
}
