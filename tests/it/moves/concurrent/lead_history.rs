//! Compares the ledger with the record of every write, again and again, each time in one snapshot.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::support::{DISAGREEMENTS, Database, Session};

pub(super) struct LeadHistory {
    session: Session,
    /// What each move said of itself at the last look.
    moves: BTreeMap<i64, Seen>,
}

#[derive(Debug, Clone, PartialEq)]
struct Seen {
    status: String,
    moved: i64,
    rejected: i64,
}

/// Where moved, rejected, unchanged and remaining leads do not add up to the total.
const UNACCOUNTED: &str = "select coalesce(array_agg(p::text), '{}') from lead_mover.progress p
     where p.moved < 0 or p.rejected < 0 or p.unchanged < 0
       or p.remaining <> greatest(p.total - p.moved - p.rejected - p.unchanged, 0)";

/// Leads that the ledger says were moved, against the record of every write.
const MISCOUNTED: &str = "select coalesce(array_agg(x::text), '{}') from (
       select m.run_id, sum(p.moved) as moved, (
         select count(*) from public.writes w where w.run_id = m.run_id and w.who <> 'person'
       ) as written
       from lead_mover.moves m
       join lead_mover.progress p using (migration_id)
       group by m.run_id
     ) x
     where moved <> written";

/// Sessions of the services that hold a transaction open without doing anything.
const IDLE: &str = "select coalesce(array_agg(application_name), '{}') from pg_stat_activity
     where datname = current_database() and application_name like 'lead-mover%'
       and state like 'idle in transaction%' and state_change < clock_timestamp() - interval '5 s'";

impl LeadHistory {
    pub(super) async fn new(database: &Database) -> Self {
        Self {
            session: database.open().await,
            moves: BTreeMap::new(),
        }
    }

    /// Looks until it is over, and once more. Answers with how often it saw something new.
    pub(super) async fn watch(mut self, over: &AtomicBool) -> usize {
        let mut looks = 0;
        loop {
            let was_last = over.load(Ordering::Relaxed);
            looks += usize::from(self.look().await);
            if was_last {
                return looks;
            }
        }
    }

    /// Whether something has changed since the last look.
    async fn look(&mut self) -> bool {
        self.session
            .batch_execute("begin isolation level repeatable read read only")
            .await
            .unwrap();
        for question in [DISAGREEMENTS, UNACCOUNTED, MISCOUNTED, IDLE] {
            let row = self.session.query_one(question, &[]).await.unwrap();
            let wrong: Vec<String> = row.get(0);
            assert_eq!(wrong, Vec::<String>::new());
        }
        let rows = self
            .session
            .query(
                "select migration_id, status, moved, rejected from public.get_lead_migration_progress()",
                &[],
            )
            .await
            .unwrap();
        self.session.batch_execute("commit").await.unwrap();

        let mut changed = false;
        for row in rows {
            let seen = Seen {
                status: row.get("status"),
                moved: row.get("moved"),
                rejected: row.get("rejected"),
            };
            let before = self.moves.insert(row.get("migration_id"), seen.clone());
            changed |= before.as_ref() != Some(&seen);
            if let Some(before) = before {
                assert!(
                    seen.moved >= before.moved && seen.rejected >= before.rejected,
                    "{before:?} became {seen:?}"
                );
                let was_active =
                    ["pending", "processing", "paused"].contains(&before.status.as_str());
                assert!(
                    was_active || seen == before,
                    "what has ended was {before:?} and became {seen:?}"
                );
            }
        }
        changed
    }
}
