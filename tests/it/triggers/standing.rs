//! A lead counts as moved where it stands at the target when all triggers have run.

use crate::support::Database;

/// Four ways to put a lead elsewhere, and one to keep it: when the trigger runs, and what it does.
const WAYS: [(&str, &str); 5] = [
    (
        "before update on public.leads for each row",
        "if new.id = 'LEAD' then new.column_id := old.column_id; new.funnel_id := old.funnel_id; end if; return new;",
    ),
    (
        "before update on public.leads for each row",
        "if new.id = 'LEAD' then new.column_id := 'COLUMN'; new.funnel_id := 'FUNNEL'; end if; return new;",
    ),
    // Of the two columns one alone.
    (
        "before update on public.leads for each row",
        "if new.id = 'LEAD' then new.funnel_id := old.funnel_id; end if; return new;",
    ),
    (
        "after update on public.leads for each row",
        "if new.id = 'LEAD' and new.column_id <> 'COLUMN' then
           update public.leads set column_id = 'COLUMN', funnel_id = 'FUNNEL' where id = new.id;
         end if; return null;",
    ),
    (
        "after update on public.leads deferrable initially deferred for each row",
        "if new.id = 'LEAD' and new.column_id <> 'COLUMN' then
           update public.leads set column_id = 'COLUMN', funnel_id = 'FUNNEL' where id = new.id;
         end if; return null;",
    ),
];

#[tokio::test]
async fn a_lead_that_a_trigger_puts_elsewhere_is_listed() {
    for as_service in [false, true] {
        for (when, body) in WAYS {
            let database = Database::new().await;
            let crm = database.crm().await;
            let run = crm.run_of(250).await;
            let lead = crm.lead_ids(run).await[6];
            let elsewhere = crm.another_target().await;
            let body = body
                .replace("LEAD", &lead.to_string())
                .replace("COLUMN", &elsewhere.column.to_string())
                .replace("FUNNEL", &elsewhere.funnel.to_string());
            database.on_leads(when, &body).await;
            crm.enqueue(run).await;

            if as_service {
                while database.process_as_service(database.session()).await != "idle" {}
            } else {
                crm.process_all().await;
            }

            crm.all_moved_but(run, lead, "09000").await;
            assert_eq!(crm.progress(run).await.get::<_, i64>("moved"), 249);
            assert_eq!(crm.progress(run).await.get::<_, i32>("attempts"), 0);
        }
    }
}

#[tokio::test]
async fn a_lead_that_a_trigger_deletes_or_takes_out_of_the_run_is_gone() {
    for (when, body) in [
        (
            "after update on public.leads for each row",
            "if new.id = 'LEAD' then delete from public.leads where id = new.id; end if; return null;",
        ),
        (
            "after update on public.leads deferrable initially deferred for each row",
            "if new.id = 'LEAD' then delete from public.leads where id = new.id; end if; return null;",
        ),
        (
            "before update on public.leads for each row",
            "if new.id = 'LEAD' then new.run_id := gen_random_uuid(); end if; return new;",
        ),
        (
            "before update on public.leads for each row",
            "if new.id = 'LEAD' then new.id := gen_random_uuid(); new.run_id := gen_random_uuid(); end if; return new;",
        ),
    ] {
        let database = Database::new().await;
        let crm = database.crm().await;
        let run = crm.run_of(250).await;
        let lead = crm.lead_ids(run).await[6];
        let body = body.replace("LEAD", &lead.to_string());
        database.on_leads(when, &body).await;
        crm.enqueue(run).await;

        crm.process_all().await;

        crm.all_moved(run).await;
        assert_eq!(
            crm.progress(run).await.get::<_, i64>("moved"),
            249,
            "{body}"
        );
        assert_eq!(crm.rejected(run).await, []);
    }
}
