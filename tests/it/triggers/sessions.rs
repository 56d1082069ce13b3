//! A trigger that changes a setting for the rest of the session.

use crate::support::{Database, Service};

/// All moves share the service's sessions: what one trigger has left in them may stop no other move for good.
#[tokio::test]
async fn what_a_trigger_has_set_for_the_session_ends_with_the_next_failed_batch() {
    let database = Database::new().await;
    let crm = database.crm().await;
    let (first, second) = (crm.run_of(50).await, crm.run_of(50).await);
    database
        .run(&format!(
            "create function public.leave_a_setting() returns trigger language plpgsql as $$
             begin
               if new.run_id = '{first}' then
                 perform set_config('app.left', 'yes', false);
               elsif current_setting('app.left', true) = 'yes' then
                 raise exception using errcode = 'disk_full', message = 'app.left is set';
               end if;
               return new;
             end
             $$;
             create trigger leave_a_setting before update on public.leads
             for each row execute function public.leave_a_setting()"
        ))
        .await;
    let service = Service::start(&database, &["--workers", "1"]).await;
    crm.enqueue(first).await;
    crm.completed(first).await;

    crm.enqueue(second).await;

    crm.completed(second).await;
    assert_eq!(crm.leads_at(second, crm.target).await, 50);
    assert_eq!(service.stop().await, Some(0));
}
