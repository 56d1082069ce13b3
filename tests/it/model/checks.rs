//! What has to be true after every step.

use std::collections::{BTreeMap, BTreeSet};

use tokio_postgres::Row;
use uuid::Uuid;

use super::expected::{Committed, Effect, Lead, Outcome, ensure, may_become};
use super::operations::Control;
use super::sight::{Transaction, Write};
use super::world::World;

/// Disagreements that users cause who take messages out of the queue, until a call finds nothing else to do.
const OF_THE_QUEUE: [&str; 2] = [
    "a lane names a message that is not there",
    "an open lane has no message",
];

impl World<'_> {
    pub(super) async fn check(&mut self, effect: &Effect) -> Outcome {
        let sight = self.look().await;
        self.check_writes(effect, sight.writes)?;
        self.check_leads(&sight.leads)?;
        self.check_rejections(sight.rejections)?;
        ensure(sight.moves.len() == self.expected.moves.len(), || {
            let expected = self.expected.moves.len();
            format!("{} moves, not {expected}", sight.moves.len())
        })?;
        for row in &sight.moves {
            self.check_move(effect, row)?;
        }
        let strays = sight.strays;
        let was_changed = self.expected.queue_was_changed;
        ensure(strays == 0 || was_changed, || {
            format!("{strays} messages without a lane")
        })?;
        ensure(sight.miscounted == 0, || {
            format!(
                "{} lanes waited more often than they tried",
                sight.miscounted
            )
        })?;
        let mut disagreements = sight.disagreements;
        disagreements
            .retain(|what| !was_changed || !OF_THE_QUEUE.iter().any(|of| what.ends_with(of)));
        ensure(disagreements.is_empty(), || disagreements.join(", "))
    }

    /// Every write of the mover since the last step is one of a batch that became true with this step.
    fn check_writes(
        &mut self,
        effect: &Effect,
        mut writes: BTreeMap<Transaction, Vec<Write>>,
    ) -> Outcome {
        for committed in &effect.committed {
            let who = format!("worker {}", committed.worker);
            let its = writes
                .keys()
                .find(|transaction| transaction.who == who)
                .cloned()
                .and_then(|key| writes.remove(&key))
                .unwrap_or_default();
            self.check_batch(committed, &its)?;
        }
        ensure(writes.is_empty(), || {
            format!("writes of no batch: {:?}", writes.keys())
        })
    }

    fn check_batch(&mut self, committed: &Committed, writes: &[Write]) -> Outcome {
        let batch = &committed.batch;
        let run = self.run_of(batch.run_id);
        let Some((id, a_move)) = self
            .expected
            .moves
            .iter_mut()
            .find(|(_, a_move)| a_move.run == run && a_move.is_active())
        else {
            return Err(format!("a batch of run {run}, which has no active move"));
        };
        ensure(a_move.status != "paused", || {
            format!("a batch of move {id}, which is paused")
        })?;
        let most = committed
            .at_most
            .map_or(a_move.batch_size, |most| most.min(a_move.batch_size));
        ensure(batch.leads_moved <= most, || {
            format!("more than {most} leads in one transaction: {batch:?}")
        })?;
        let mut moved = 0;
        for (lead, (from, to)) in net_of(writes)? {
            let is_at_target = to == a_move.target;
            let known = self.expected.leads.get_mut(&lead);
            let is_right = known.as_ref().is_some_and(|known| {
                known.run == run && known.place == from && from != a_move.target
            });
            ensure(
                is_right && (is_at_target || self.expected.once_blocked.contains(&lead)),
                || format!("move {id} of run {run} brought {lead} from {from} to {to}: {known:?}"),
            )?;
            if let Some(known) = known {
                known.place = to;
            }
            if !is_at_target {
                a_move.put_elsewhere.insert(lead);
                continue;
            }
            moved += 1;
            ensure(!a_move.moved_before.contains(&lead), || {
                format!("move {id} moved {lead}, as the move it takes up did before")
            })?;
            ensure(a_move.written.insert(lead), || {
                format!("move {id} moved {lead} twice")
            })?;
        }
        ensure(moved == batch.leads_moved, || {
            format!("{moved} leads were brought to the target, but {batch:?}")
        })
    }

    /// Every lead is there once, where it should be.
    fn check_leads(&self, leads: &BTreeMap<Uuid, Lead>) -> Outcome {
        ensure(*leads == self.expected.leads, || {
            let all: BTreeSet<_> = leads.keys().chain(self.expected.leads.keys()).collect();
            let different: Vec<_> = all
                .into_iter()
                .map(|id| (id, leads.get(id), self.expected.leads.get(id)))
                .filter(|(_, there, expected)| there != expected)
                .collect();
            format!("leads, where they are and where they should be: {different:?}")
        })
    }

    fn check_rejections(&mut self, mut listed: BTreeMap<i64, BTreeSet<Uuid>>) -> Outcome {
        for (id, a_move) in &mut self.expected.moves {
            let rejected = listed.remove(id).unwrap_or_default();
            ensure(rejected.is_superset(&a_move.rejected), || {
                format!("move {id} forgot a rejection")
            })?;
            ensure(rejected.is_subset(&self.expected.once_blocked), || {
                format!("move {id} lists {rejected:?}, which nothing blocked")
            })?;
            ensure(rejected.is_disjoint(&a_move.written), || {
                format!("move {id} moved what it lists as rejected")
            })?;
            ensure(rejected.is_superset(&a_move.put_elsewhere), || {
                format!("move {id} does not list {:?}", a_move.put_elsewhere)
            })?;
            a_move.rejected = rejected;
        }
        Ok(())
    }

    /// A row of `get_lead_migration_progress` against what the move has done.
    fn check_move(&mut self, effect: &Effect, row: &Row) -> Outcome {
        let id: i64 = row.get("migration_id");
        let run = self.run_of(row.get("run_id"));
        let status: String = row.get("status");
        let number = |column| row.get::<_, i64>(column);
        let (total, moved) = (number("total"), number("moved"));
        let (rejected, remaining) = (number("rejected"), number("remaining"));
        let a_move = self
            .expected
            .moves
            .get_mut(&id)
            .ok_or_else(|| format!("nobody queued move {id}"))?;

        ensure(moved == as_number(&a_move.written), || {
            format!("move {id} says {moved} moved, not {}", a_move.written.len())
        })?;
        ensure(rejected == as_number(&a_move.rejected), || {
            format!(
                "move {id} says {rejected} rejected, not {:?}",
                a_move.rejected
            )
        })?;
        for Committed { batch, at_once, .. } in &effect.committed {
            let is_its = self.runs[run] == batch.run_id.unwrap_or_default() && a_move.is_active();
            ensure(
                !is_its || !at_once || batch.leads_remaining == remaining,
                || format!("{remaining} leads remain of move {id}, but {batch:?}"),
            )?;
        }

        let from = std::mem::replace(&mut a_move.status, status);
        let to = a_move.status.as_str();
        ensure(
            from == to || may_become(effect, &self.expected.once_told, run, &from, to),
            || format!("move {id} went from {from} to {to}"),
        )?;
        match to {
            "completed" | "completed_with_errors" if from != to => {
                ensure(remaining == 0, || {
                    format!("move {id} is {to} and {remaining} remain")
                })?;
                a_move.ensure_complete(id, &self.expected.leads)
            }
            "failed" if from != to => {
                let attempts: i32 = row.get("attempts");
                ensure(
                    attempts >= 5 || rejected > 0 && rejected >= total.min(6),
                    || format!("move {id} failed with {rejected} rejected of {total}"),
                )
            }
            "pending" | "processing" => {
                ensure(effect.control != Some((Control::Pause, run)), || {
                    format!("move {id} is {to} though paused")
                })?;
                ensure(effect.control != Some((Control::Cancel, run)), || {
                    format!("move {id} is {to} though cancelled")
                })
            }
            "paused" => ensure(effect.control != Some((Control::Resume, run)), || {
                format!("move {id} is paused though resumed")
            }),
            _ => Ok(()),
        }
    }
}

/// Where each lead was before a transaction, and where it is after it.
fn net_of(writes: &[Write]) -> Outcome<BTreeMap<Uuid, (usize, usize)>> {
    let mut net = BTreeMap::new();
    for &Write { lead, from, to } in writes {
        let (_, there) = net.entry(lead).or_insert((from, from));
        ensure(*there == from, || {
            format!("{lead} was at {there}, and is moved from {from}")
        })?;
        *there = to;
    }
    Ok(net)
}

fn as_number(leads: &BTreeSet<Uuid>) -> i64 {
    i64::try_from(leads.len()).unwrap_or(i64::MAX)
}
