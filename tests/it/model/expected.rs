//! What the model believes: where each lead is, and what each move is and has done.

use std::collections::{BTreeMap, BTreeSet};

use uuid::Uuid;

use super::operations::Control;
use crate::support::Batch;

/// What is wrong, in words; ends the case.
pub(super) type Outcome<T = ()> = Result<T, String>;

/// Says what is wrong unless `holds`.
pub(super) fn ensure(holds: bool, what: impl FnOnce() -> String) -> Outcome {
    if holds { Ok(()) } else { Err(what()) }
}

/// Everything that is committed.
#[derive(Debug, Default)]
pub(super) struct Expected {
    pub(super) leads: BTreeMap<Uuid, Lead>,
    pub(super) moves: BTreeMap<i64, Move>,
    /// The leads that cannot be moved now, …
    pub(super) blocked: BTreeSet<Uuid>,
    /// … and those that could not be at some time.
    pub(super) once_blocked: BTreeSet<Uuid>,
    /// Those of them for which a whole batch may have failed.
    pub(super) once_failed: BTreeSet<Uuid>,
    /// Runs with a lead whose trigger called that.
    pub(super) once_told: Vec<(Control, usize)>,
    /// A user has changed what is in the queue.
    pub(super) queue_was_changed: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Lead {
    pub(super) run: usize,
    /// Index into the world's places.
    pub(super) place: usize,
}

#[derive(Debug, Default)]
pub(super) struct Move {
    pub(super) run: usize,
    /// Index into the world's places.
    pub(super) target: usize,
    pub(super) batch_size: i32,
    pub(super) status: String,
    /// The answer that its application got.
    pub(super) message_id: i64,
    /// The leads that it is to bring to the target.
    pub(super) counted: BTreeSet<Uuid>,
    pub(super) written: BTreeSet<Uuid>,
    pub(super) rejected: BTreeSet<Uuid>,
    /// A trigger put or kept them elsewhere when they were written: to be listed as rejected.
    pub(super) put_elsewhere: BTreeSet<Uuid>,
    /// At the target already when a batch of it came by.
    pub(super) met_there: BTreeSet<Uuid>,
    /// Moved by the moves that this one takes up again.
    pub(super) moved_before: BTreeSet<Uuid>,
}

/// What one operation may have changed, beside what users did.
#[derive(Debug, Default)]
pub(super) struct Effect {
    pub(super) committed: Vec<Committed>,
    pub(super) control: Option<(Control, usize)>,
}

/// A batch that became true with the operation.
#[derive(Debug)]
pub(super) struct Committed {
    pub(super) worker: usize,
    pub(super) batch: Batch,
    pub(super) at_most: Option<i32>,
    /// Nothing else was committed since it began.
    pub(super) at_once: bool,
}

impl Expected {
    pub(super) fn leads_of(&self, run: usize) -> impl Iterator<Item = (Uuid, usize)> {
        self.leads
            .iter()
            .filter(move |(_, lead)| lead.run == run)
            .map(|(id, lead)| (*id, lead.place))
    }

    /// The active move of a run.
    pub(super) fn active(&mut self, run: usize) -> Option<(i64, &mut Move)> {
        self.moves
            .iter_mut()
            .find(|(_, a_move)| a_move.run == run && a_move.is_active())
            .map(|(id, a_move)| (*id, a_move))
    }

    pub(super) fn newest(&self, run: usize) -> Option<&Move> {
        self.moves.values().rev().find(|a_move| a_move.run == run)
    }

    /// A batch of the run's move begins: what it finds at the target it has no need to move.
    pub(super) fn begin_batch(&mut self, run: usize) -> Outcome {
        let there: Vec<(Uuid, usize)> = self.leads_of(run).collect();
        let (id, a_move) = self
            .active(run)
            .ok_or_else(|| format!("a batch of run {run}, which has no active move"))?;
        ensure(a_move.status != "paused", || {
            format!("a batch of move {id}, which is paused")
        })?;
        let target = a_move.target;
        a_move.met_there.extend(
            there
                .into_iter()
                .filter(|(_, place)| *place == target)
                .map(|(lead, _)| lead),
        );
        Ok(())
    }
}

impl Move {
    pub(super) fn is_active(&self) -> bool {
        matches!(self.status.as_str(), "pending" | "processing" | "paused")
    }

    /// The move that takes this one up again.
    pub(super) fn again(&self, message_id: i64) -> Self {
        Self {
            run: self.run,
            target: self.target,
            batch_size: self.batch_size,
            status: "pending".to_owned(),
            message_id,
            counted: self
                .counted
                .union(&self.rejected)
                .filter(|lead| !self.written.contains(*lead))
                .copied()
                .collect(),
            met_there: self.met_there.clone(),
            moved_before: self.moved_before.union(&self.written).copied().collect(),
            ..Self::default()
        }
    }

    /// Promise 3, for a move that says that it is complete.
    pub(super) fn ensure_complete(&self, id: i64, leads: &BTreeMap<Uuid, Lead>) -> Outcome {
        let left: Vec<&Uuid> = self
            .counted
            .iter()
            .filter(|lead| {
                leads
                    .get(*lead)
                    .is_some_and(|lead| lead.place != self.target)
                    && !self.written.contains(*lead)
                    && !self.met_there.contains(*lead)
                    && !self.rejected.contains(*lead)
            })
            .collect();
        ensure(left.is_empty(), || {
            format!("move {id} is {} and left {left:?} behind", self.status)
        })?;
        ensure(
            self.rejected.is_empty() == (self.status == "completed"),
            || {
                format!(
                    "move {id} is {} with rejections {:?}",
                    self.status, self.rejected
                )
            },
        )
    }
}

/// Whether the operation may take a move of that run from one status to another. `once_told`: what triggers
/// may have called in its batches.
pub(super) fn may_become(
    effect: &Effect,
    once_told: &[(Control, usize)],
    run: usize,
    from: &str,
    to: &str,
) -> bool {
    let worked = !effect.committed.is_empty();
    let told = |control| {
        effect.control == Some((control, run)) || worked && once_told.contains(&(control, run))
    };
    match (from, to) {
        ("pending", "processing")
        | ("pending" | "processing", "completed" | "completed_with_errors" | "failed") => worked,
        ("pending" | "processing", "paused") => told(Control::Pause),
        ("paused", "pending" | "processing") => told(Control::Resume),
        ("pending" | "processing" | "paused", "cancelled") => told(Control::Cancel),
        _ => false,
    }
}
