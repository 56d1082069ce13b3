//! Triggers that a CRM may have on its leads, and what became of the leads.

use uuid::Uuid;

use super::database::Session;
use super::{Crm, Database};

impl Database {
    /// A trigger on the leads: `when` is what stands between its name and `execute`, `body` what its function does.
    pub(crate) async fn on_leads(&self, when: &str, body: &str) {
        let create = if when.contains("deferred") {
            "create constraint trigger on_leads"
        } else {
            "create trigger on_leads"
        };
        self.run(&format!(
            "create function public.on_leads() returns trigger language plpgsql as
             $$ begin {body} end $$;
             {create} {when} execute function public.on_leads()"
        ))
        .await;
    }

    /// One batch as the service takes it, in a transaction of its own; its outcome.
    pub(crate) async fn process_as_service(&self, session: &Session) -> String {
        super::value(
            session,
            "select outcome from lead_mover.process_batch()",
            &[],
        )
        .await
    }
}

impl Crm<'_> {
    /// The rejected leads of the run's newest move and the SQLSTATE of each, in the order of their keys.
    pub(crate) async fn rejected(&self, run: Uuid) -> Vec<(String, String)> {
        let migration_id: i64 = self.progress(run).await.get("migration_id");
        self.database
            .session()
            .query(
                "select lead_id, sqlstate from public.get_lead_migration_rejections($1) order by lead_id",
                &[&migration_id],
            )
            .await
            .expect("they can be read")
            .iter()
            .map(|row| (row.get("lead_id"), row.get("sqlstate")))
            .collect()
    }

    /// That the newest move has ended around the one lead, and that every other lead is at the target.
    pub(crate) async fn all_moved_but(&self, run: Uuid, lead: Uuid, sqlstate: &str) {
        let expected = [(lead.to_string(), sqlstate.to_owned())];
        assert_eq!(self.rejected(run).await, expected);
        assert_eq!(
            self.status(run).await,
            "completed_with_errors",
            "{sqlstate}"
        );
        let leads = i64::try_from(self.lead_ids(run).await.len()).unwrap();
        assert_eq!(
            self.leads_at(run, self.target).await,
            leads - 1,
            "{sqlstate}"
        );
        self.check().await;
    }

    /// That the run's newest move is completed, and all its leads are at the target.
    pub(crate) async fn all_moved(&self, run: Uuid) {
        let leads = i64::try_from(self.lead_ids(run).await.len()).unwrap();
        assert_eq!(self.leads_at(run, self.target).await, leads);
        assert_eq!(self.status(run).await, "completed");
        assert_eq!(self.progress(run).await.get::<_, i64>("moved"), leads);
        self.check().await;
    }
}
