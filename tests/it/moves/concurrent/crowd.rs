//! Users who change leads, and operators who control moves.

use std::future::Future;
use std::sync::{Arc, Mutex};

use uuid::Uuid;

use super::BATCH_SIZE;
use crate::support::{Crm, Session, Target, control_in, enqueue_in};

/// So many that they never want the same lead: users who do are in each other's way without us.
pub(super) const USERS: usize = 4;
const DEEDS: usize = 70;
/// Of one run.
const MOST_CANCELS: usize = 8;

#[derive(Clone)]
pub(super) struct Crowd {
    leads: Arc<Vec<Uuid>>,
    runs: Arc<Vec<Uuid>>,
    target: Target,
    elsewhere: Target,
    /// For each run where it is queued to when it has been cancelled: to each of them once.
    later_targets: Arc<Mutex<Vec<Vec<Target>>>>,
}

impl Crowd {
    pub(super) async fn new(crm: &Crm<'_>, runs: &[Uuid]) -> Self {
        let mut leads = Vec::new();
        let mut later_targets = Vec::new();
        for run in runs {
            leads.extend(crm.lead_ids(*run).await);
            let mut targets = Vec::new();
            for _ in 0..MOST_CANCELS {
                targets.push(crm.another_target().await);
            }
            later_targets.push(targets);
        }
        Self {
            leads: Arc::new(leads),
            runs: Arc::new(runs.to_vec()),
            target: crm.target,
            elsewhere: crm.another_target().await,
            later_targets: Arc::new(Mutex::new(later_targets)),
        }
    }

    /// A user who locks, moves, adds and deletes leads.
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
        let its = self.leads.len() / USERS;
        self.leads[(n * 7_919 % its) * USERS + number]
    }

    /// An operator who pauses, resumes, retries, and cancels each run again and again to send it elsewhere.
    pub(super) fn operator(
        &self,
        session: Session,
        number: usize,
    ) -> impl Future<Output = ()> + use<> {
        let crowd = self.clone();
        async move {
            for n in 0..DEEDS {
                // Each does everything with each run.
                let nth = (n * 2 + n / 5 + number * 3) % crowd.runs.len();
                crowd.control(&session, nth, n).await;
            }
        }
    }

    async fn control(&self, session: &Session, nth: usize, n: usize) {
        let run = self.runs[nth];
        match n % 5 {
            0 => drop(control_ok(session, "pause_lead_migration", run).await),
            4 => {
                let answer = control_in(session, "retry_lead_migration", run).await;
                if let Err(error) = answer {
                    assert_eq!(error.code().code(), "LM004", "{error}");
                }
            }
            1 | 2 if n > DEEDS / 10 => {
                let next = self.later_targets.lock().unwrap()[nth].pop();
                if let Some(next) = next {
                    control_ok(session, "cancel_lead_migration", run).await;
                    // The other operator may have been faster.
                    if let Err(error) = enqueue_in(session, run, next, Some(BATCH_SIZE)).await {
                        assert_eq!(error.code().code(), "LM004", "{error}");
                    }
                }
            }
            _ => drop(control_ok(session, "resume_lead_migration", run).await),
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

async fn control_ok(session: &Session, function: &str, run: Uuid) -> serde_json::Value {
    control_in(session, function, run)
        .await
        .expect("no deadlock")
}
