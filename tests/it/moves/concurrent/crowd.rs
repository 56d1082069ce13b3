//! People who do with leads what people do, and operators who do with moves what those do.

use std::future::Future;
use std::sync::{Arc, Mutex};

use uuid::Uuid;

use super::BATCH_SIZE;
use crate::support::{Crm, Session, Target, control_in, enqueue_in};

/// So many that they never want the same lead: people who do are in each other's way without us.
pub(super) const PEOPLE: usize = 4;
const DEEDS: usize = 70;

#[derive(Clone)]
pub(super) struct Crowd {
    leads: Arc<Vec<Uuid>>,
    runs: Arc<Vec<Uuid>>,
    target: Target,
    elsewhere: Target,
    /// Where a run that was cancelled is queued to, until it is.
    second_targets: Arc<Mutex<Vec<Option<Target>>>>,
}

impl Crowd {
    pub(super) async fn new(crm: &Crm<'_>, runs: &[Uuid]) -> Self {
        let mut leads = Vec::new();
        let mut second_targets = Vec::new();
        for run in runs {
            leads.extend(crm.lead_ids(*run).await);
            second_targets.push(Some(crm.another_target().await));
        }
        Self {
            leads: Arc::new(leads),
            runs: Arc::new(runs.to_vec()),
            target: crm.target,
            elsewhere: crm.another_target().await,
            second_targets: Arc::new(Mutex::new(second_targets)),
        }
    }

    /// Somebody who locks, moves, adds and deletes leads.
    pub(super) fn person(
        &self,
        session: Session,
        number: usize,
    ) -> impl Future<Output = ()> + use<> {
        let crowd = self.clone();
        async move {
            // A deadlock would have two of us: everybody else waits for nobody.
            session
                .batch_execute("set lock_timeout = '30s'")
                .await
                .unwrap();
            for n in 0..DEEDS {
                crowd.deed(&session, number, n).await;
            }
        }
    }

    async fn deed(&self, session: &Session, number: usize, n: usize) {
        let some: Vec<Uuid> = (0..3).map(|k| self.lead(number, n * 3 + k)).collect();
        match n % 7 {
            0 | 3 => {
                session.batch_execute("begin").await.unwrap();
                let lock = "update public.leads set phone = phone where id = any ($1)";
                session.execute(lock, &[&some]).await.unwrap();
                for _ in 0..20 {
                    let read = "select count(*) from public.leads where column_id = $1";
                    session
                        .query_one(read, &[&self.target.column])
                        .await
                        .unwrap();
                }
                let end = if n.is_multiple_of(7) {
                    "commit"
                } else {
                    "rollback"
                };
                session.batch_execute(end).await.unwrap();
            }
            1 => put(session, &some, self.elsewhere).await,
            2 => put(session, &some, self.target).await,
            4 => {
                let delete = "delete from public.leads where id = $1";
                session.execute(delete, &[&some[0]]).await.unwrap();
            }
            5 => {
                let add = "insert into public.leads (run_id, name)
                     select $1, 'Novo ' || n from generate_series(1, 3) as n";
                let run = self.runs[n % self.runs.len()];
                session.execute(add, &[&run]).await.unwrap();
            }
            _ => {
                let rename = "update public.leads set phone = '11 5555' where id = any ($1)";
                session.execute(rename, &[&some]).await.unwrap();
            }
        }
    }

    /// One of those that are this person's, from all over the runs.
    fn lead(&self, number: usize, n: usize) -> Uuid {
        let its = self.leads.len() / PEOPLE;
        self.leads[(n * 7_919 % its) * PEOPLE + number]
    }

    /// Somebody who pauses, resumes and asks again, and cancels each run once to send it elsewhere.
    pub(super) fn operator(
        &self,
        session: Session,
        number: usize,
    ) -> impl Future<Output = ()> + use<> {
        let crowd = self.clone();
        async move {
            for n in 0..DEEDS {
                let nth = (n + number * 3) % crowd.runs.len();
                crowd.control(&session, nth, n).await;
            }
        }
    }

    async fn control(&self, session: &Session, nth: usize, n: usize) {
        let run = self.runs[nth];
        match n % 5 {
            0 => drop(tell(session, "pause_lead_migration", run).await),
            4 => {
                let answer = control_in(session, "retry_lead_migration", run).await;
                if let Err(error) = answer {
                    assert_eq!(error.code().code(), "LM004", "{error}");
                }
            }
            2 if n > DEEDS / 3 => {
                let second = self.second_targets.lock().unwrap()[nth].take();
                if let Some(second) = second {
                    tell(session, "cancel_lead_migration", run).await;
                    let answer = enqueue_in(session, run, second, Some(BATCH_SIZE)).await;
                    drop(answer.expect("nothing is active"));
                }
            }
            _ => drop(tell(session, "resume_lead_migration", run).await),
        }
    }
}

async fn put(session: &Session, leads: &[Uuid], target: Target) {
    session
        .execute(
            "update public.leads set funnel_id = $2, column_id = $3 where id = any ($1)",
            &[&leads, &target.funnel, &target.column],
        )
        .await
        .expect("it can be put there");
}

async fn tell(session: &Session, function: &str, run: Uuid) -> serde_json::Value {
    control_in(session, function, run)
        .await
        .expect("no deadlock")
}
