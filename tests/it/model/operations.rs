//! What can happen: the operations of applications, workers and users, and lists of them.

use proptest::prelude::*;

use super::behaviours::{Behaviour, behaviour};
use super::queue_changes::{QueueChange, queue_change};

pub(super) const RUNS: usize = 3;
pub(super) const WORKERS: usize = 3;
pub(super) const USERS: usize = 2;
/// Inbox and targets: the places that users put leads in.
pub(super) const TARGETS: usize = 3;

/// Runs with that many leads, and what happens to them, one thing after the other.
#[derive(Debug, Clone)]
pub(super) struct Scenario {
    pub(super) leads: [usize; RUNS],
    pub(super) operations: Vec<Operation>,
}

#[derive(Debug, Clone, Copy)]
pub(super) enum Operation {
    Enqueue {
        run: usize,
        target: usize,
        batch_size: i32,
    },
    /// Gives up where it would have to wait for a worker.
    Control {
        control: Control,
        run: usize,
    },
    /// Waits for the workers that are in the middle of a batch; those end theirs meanwhile.
    ControlWhileBatchesEnd {
        control: Control,
        run: usize,
        ending: Ending,
    },
    /// One call, committed at once.
    Batch {
        worker: usize,
        at_most: Option<i32>,
    },
    /// Some calls, each after the delays are over.
    Batches {
        worker: usize,
        calls: usize,
    },
    /// One call in a transaction that stays open.
    OpenBatch {
        worker: usize,
    },
    /// Of the first from that worker on who has one open.
    EndBatch {
        worker: usize,
        ending: Ending,
    },
    /// Within the person's transaction, where one is open.
    PersonMoves {
        person: usize,
        lead: Pick,
        target: Option<usize>,
    },
    PersonDeletes {
        person: usize,
        lead: Pick,
    },
    /// Right behind that lead of the run.
    PersonAdds {
        person: usize,
        behind: Pick,
        count: usize,
    },
    /// In a transaction that stays open. Weakly: as by a note that is added to the lead.
    PersonLocks {
        person: usize,
        first: Pick,
        count: usize,
        weakly: bool,
    },
    /// The first from that one on who is in a transaction.
    PersonEnds {
        person: usize,
        commits: bool,
    },
    /// A trigger is in the way of the leads.
    Block {
        first: Pick,
        count: usize,
        behaviour: Behaviour,
    },
    /// The trigger leaves one of the blocked leads alone again.
    Unblock {
        nth: usize,
    },
    /// A user changes the queue past the mover.
    ChangeQueue {
        nth: usize,
        change: QueueChange,
    },
    /// The delays of all messages are over.
    MakeDue,
}

/// The `nth` lead of a run in the order of the keys, counted around.
#[derive(Debug, Clone, Copy)]
pub(super) struct Pick {
    pub(super) run: usize,
    pub(super) nth: usize,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Control {
    Cancel,
    Pause,
    Resume,
    Retry,
}

impl Control {
    pub(super) fn function(self) -> &'static str {
        match self {
            Self::Cancel => "cancel_lead_migration",
            Self::Pause => "pause_lead_migration",
            Self::Resume => "resume_lead_migration",
            Self::Retry => "retry_lead_migration",
        }
    }
}

/// How an open batch ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ending {
    Commit,
    Rollback,
    /// The server process of the worker dies.
    Crash,
}

pub(super) fn scenarios() -> impl Strategy<Value = Scenario> {
    let leads = prop_oneof![1 => Just(0), 5 => 1..8_usize, 4 => 8..=40_usize];
    (
        proptest::array::uniform(leads),
        proptest::collection::vec(operation(), 1..=40),
    )
        .prop_map(|(leads, operations)| Scenario { leads, operations })
}

fn operation() -> impl Strategy<Value = Operation> {
    use Operation::{
        Batch, Batches, Block, ChangeQueue, Control, ControlWhileBatchesEnd, EndBatch, Enqueue,
        MakeDue, OpenBatch, PersonAdds, PersonDeletes, PersonEnds, PersonLocks, PersonMoves,
        Unblock,
    };
    let worker = 0..WORKERS;
    let person = 0..USERS;
    let at_most = proptest::option::weighted(0.2, 1..4);
    let target = proptest::option::weighted(0.8, 0..TARGETS);
    prop_oneof![
        12 => (run(), 0..TARGETS, 1..=7)
            .prop_map(|(run, target, batch_size)| Enqueue { run, target, batch_size }),
        12 => (control(), run()).prop_map(|(control, run)| Control { control, run }),
        3 => (waiting_control(), run(), ending())
            .prop_map(|(control, run, ending)| ControlWhileBatchesEnd { control, run, ending }),
        20 => (worker.clone(), at_most).prop_map(|(worker, at_most)| Batch { worker, at_most }),
        6 => (worker.clone(), 2..=6_usize)
            .prop_map(|(worker, calls)| Batches { worker, calls }),
        10 => worker.clone().prop_map(|worker| OpenBatch { worker }),
        8 => (worker, ending()).prop_map(|(worker, ending)| EndBatch { worker, ending }),
        8 => (person.clone(), pick(), target)
            .prop_map(|(person, lead, target)| PersonMoves { person, lead, target }),
        3 => (person.clone(), pick()).prop_map(|(person, lead)| PersonDeletes { person, lead }),
        6 => (person.clone(), pick(), 1..=4_usize)
            .prop_map(|(person, behind, count)| PersonAdds { person, behind, count }),
        7 => (person.clone(), pick(), 1..=5_usize, proptest::bool::weighted(0.2))
            .prop_map(|(person, first, count, weakly)| PersonLocks { person, first, count, weakly }),
        6 => (person, any::<bool>()).prop_map(|(person, commits)| PersonEnds { person, commits }),
        9 => (pick(), 1..=6_usize, behaviour())
            .prop_map(|(first, count, behaviour)| Block { first, count, behaviour }),
        3 => (0..8_usize).prop_map(|nth| Unblock { nth }),
        6 => (0..8_usize, queue_change())
            .prop_map(|(nth, change)| ChangeQueue { nth, change }),
        8 => Just(MakeDue),
    ]
}

fn pick() -> impl Strategy<Value = Pick> {
    (run(), 0..40_usize).prop_map(|(run, nth)| Pick { run, nth })
}

/// Most of it happens to one run.
fn run() -> impl Strategy<Value = usize> {
    prop_oneof![3 => Just(0), 1 => Just(1), 1 => Just(2)]
}

fn control() -> impl Strategy<Value = Control> {
    prop_oneof![
        3 => Just(Control::Resume),
        2 => Just(Control::Pause),
        3 => Just(Control::Retry),
        2 => Just(Control::Cancel),
    ]
}

fn waiting_control() -> impl Strategy<Value = Control> {
    prop_oneof![
        Just(Control::Resume),
        Just(Control::Pause),
        Just(Control::Cancel)
    ]
}

fn ending() -> impl Strategy<Value = Ending> {
    prop_oneof![
        3 => Just(Ending::Commit),
        2 => Just(Ending::Rollback),
        1 => Just(Ending::Crash),
    ]
}
