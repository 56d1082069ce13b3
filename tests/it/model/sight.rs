//! A look at everything that is committed.

use std::collections::{BTreeMap, BTreeSet};

use tokio_postgres::{Row, Statement};
use uuid::Uuid;

use super::expected::Lead;
use super::world::{Place, World};
use crate::support::{DISAGREEMENTS, Session};

pub(super) struct Sight {
    /// The mover's writes since the last look.
    pub(super) writes: BTreeMap<Transaction, Vec<Write>>,
    pub(super) leads: BTreeMap<Uuid, Lead>,
    /// Rows of `get_lead_migration_progress`.
    pub(super) moves: Vec<Row>,
    pub(super) rejections: BTreeMap<i64, BTreeSet<Uuid>>,
    /// Messages that no lane names.
    pub(super) strays: i64,
    /// Lanes in which more attempts waited than there were.
    pub(super) miscounted: i64,
    pub(super) disagreements: Vec<String>,
}

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Transaction {
    pub(super) who: String,
    id: String,
}

pub(super) struct Write {
    pub(super) lead: Uuid,
    pub(super) from: usize,
    pub(super) to: usize,
}

pub(super) struct Statements {
    pub(super) due: Statement,
    pub(super) lost: Statement,
    pub(super) waits: Statement,
    writes: Statement,
    leads: Statement,
    moves: Statement,
    rejections: Statement,
    strays: Statement,
    disagreements: Statement,
}

impl World<'_> {
    pub(super) async fn look(&self) -> Sight {
        let app = &self.app;
        let ask = &self.statements;
        let (writes, leads, moves, rejections, strays, disagreements) = tokio::try_join!(
            app.query(&ask.writes, &[]),
            app.query_one(&ask.leads, &[]),
            app.query(&ask.moves, &[]),
            app.query(&ask.rejections, &[]),
            app.query_one(&ask.strays, &[]),
            app.query_one(&ask.disagreements, &[]),
        )
        .expect("everything can be looked at");
        Sight {
            writes: self.writes(&writes),
            leads: self.leads(&leads),
            moves,
            rejections: by_move(&rejections),
            strays: strays.get(0),
            miscounted: strays.get(1),
            disagreements: disagreements.get(0),
        }
    }

    /// Which run that is.
    pub(super) fn run_of(&self, id: Option<Uuid>) -> usize {
        self.runs
            .iter()
            .position(|run| Some(*run) == id)
            .expect("a run of ours")
    }

    fn place_of(&self, place: Place) -> usize {
        self.places
            .iter()
            .position(|other| *other == place)
            .expect("a place of ours")
    }

    fn writes(&self, rows: &[Row]) -> BTreeMap<Transaction, Vec<Write>> {
        let mut writes: BTreeMap<_, Vec<_>> = BTreeMap::new();
        for row in rows {
            let transaction = Transaction {
                who: row.get("who"),
                id: row.get("by_transaction"),
            };
            writes.entry(transaction).or_default().push(Write {
                lead: row.get("lead_id"),
                from: self.place_of((row.get("old_funnel_id"), row.get("old_column_id"))),
                to: self.place_of((row.get("new_funnel_id"), row.get("new_column_id"))),
            });
        }
        writes
    }

    fn leads(&self, row: &Row) -> BTreeMap<Uuid, Lead> {
        let ids: Vec<Uuid> = row.get(0);
        let runs: Vec<Uuid> = row.get(1);
        let funnels: Vec<Option<Uuid>> = row.get(2);
        let columns: Vec<Option<Uuid>> = row.get(3);
        (0..ids.len())
            .map(|n| {
                let run = self.run_of(Some(runs[n]));
                let place = self.place_of((funnels[n], columns[n]));
                (ids[n], Lead { run, place })
            })
            .collect()
    }
}

impl Statements {
    pub(super) async fn prepare(app: &Session) -> Self {
        let prepare = async |query| app.prepare(query).await.unwrap();
        Self {
            due: prepare(
                "select count(*)
                 from pgmq.q_lead_migration_queue q
                 cross join lateral lead_mover.lane_of_message(q.msg_id, q.message) w
                 where q.vt <= clock_timestamp()
                   and (w.message_id is null or (w.move).status in ('pending', 'processing'))",
            )
            .await,
            lost: prepare(
                "select count(*)
                 from lead_mover.lanes l
                 join lead_mover.moves m on m.migration_id = l.migration_id
                 where m.status in ('pending', 'processing')
                   and l.finished_at is null
                   and ($1::bigint is null or l.migration_id = $1)
                   and not exists (
                     select
                     from pgmq.q_lead_migration_queue q
                     cross join lateral lead_mover.lane_of_message(q.msg_id, q.message) w
                     where q.msg_id = l.message_id
                       and w.message_id = l.message_id
                       and q.vt < clock_timestamp() + interval '10 minutes'
                   )",
            )
            .await,
            waits: prepare("select cardinality(pg_blocking_pids($1)) > 0").await,
            writes: prepare(
                "with new as (delete from model.writes returning *)
                 select * from new where who like 'worker%' order by seq",
            )
            .await,
            leads: prepare(
                "select
                   coalesce(array_agg(id), '{}'), coalesce(array_agg(run_id), '{}'),
                   coalesce(array_agg(funnel_id), '{}'), coalesce(array_agg(column_id), '{}')
                 from public.leads",
            )
            .await,
            moves: prepare("select * from public.get_lead_migration_progress()").await,
            rejections: prepare("select migration_id, lead_id::uuid from lead_mover.rejections")
                .await,
            strays: prepare(
                "select
                   (
                     select count(*) from pgmq.q_lead_migration_queue q
                     where not exists (select from lead_mover.lanes l where l.message_id = q.msg_id)
                   ),
                   (select count(*) from lead_mover.lanes l where l.waits > l.attempts)",
            )
            .await,
            disagreements: prepare(DISAGREEMENTS).await,
        }
    }
}

fn by_move(rows: &[Row]) -> BTreeMap<i64, BTreeSet<Uuid>> {
    let mut rejections: BTreeMap<_, BTreeSet<_>> = BTreeMap::new();
    for row in rows {
        rejections.entry(row.get(0)).or_default().insert(row.get(1));
    }
    rejections
}
