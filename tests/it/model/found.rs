//! Scenarios in which the model has found something, shortened.

use super::behaviours::Behaviour;
use super::operations::{Control, Operation, Pick, Scenario};
use super::world::World;
use crate::support::Database;

const fn nth(nth: usize) -> Pick {
    Pick { run: 0, nth }
}

const ENQUEUE: Operation = Operation::Enqueue {
    run: 0,
    target: 1,
    batch_size: 1,
};

async fn play(leads: usize, operations: &[Operation]) {
    let database = Database::new().await;
    let scenario = Scenario {
        leads: [leads, 0, 0],
        operations: operations.to_vec(),
    };
    let outcome = World::new(&database).await.play(&scenario).await;
    assert_eq!(outcome, Ok(()));
}

/// It said that as many remain as were added.
#[tokio::test]
async fn the_last_batch_of_a_run_that_grew_says_that_no_lead_remains() {
    let (person, behind, count) = (0, nth(0), 2);
    let adds = Operation::PersonAdds {
        person,
        behind,
        count,
    };
    play(2, &[ENQUEUE, adds]).await;
}

/// The leads that were added and moved were taken off the number of those still to be moved, and with
/// none to be moved any rejection was one too many.
#[tokio::test]
async fn a_move_that_failed_in_a_run_that_grew_can_be_taken_up_again() {
    let adds = Operation::PersonAdds {
        person: 0,
        behind: nth(0),
        count: 4,
    };
    let block = |code| Operation::Block {
        first: nth(2),
        count: 2,
        behaviour: Behaviour::Raises(code),
    };
    let fails = Operation::Batches {
        worker: 0,
        calls: 20,
    };
    let retry = Operation::Control {
        control: Control::Retry,
        run: 0,
    };
    play(
        2,
        &[ENQUEUE, adds, block("53100"), fails, block("P0001"), retry],
    )
    .await;
}

/// With as many rejected as there were leads at first, it failed.
#[tokio::test]
async fn a_run_that_grew_may_have_as_many_rejections_as_it_had_leads() {
    let adds = Operation::PersonAdds {
        person: 0,
        behind: nth(0),
        count: 4,
    };
    let block = Operation::Block {
        first: nth(2),
        count: 2,
        behaviour: Behaviour::Raises("P0001"),
    };
    play(2, &[ENQUEUE, adds, block]).await;
}

/// It was taken for a batch that did not work, and after ten of those the move had failed.
#[tokio::test]
async fn a_rejected_lead_that_is_alone_in_its_batch_is_listed_as_any_other() {
    let block = Operation::Block {
        first: nth(2),
        count: 1,
        behaviour: Behaviour::Raises("P0001"),
    };
    let calls = Operation::Batches {
        worker: 0,
        calls: 3,
    };
    play(3, &[ENQUEUE, block, calls]).await;
}

/// Those that had waited for other transactions stayed counted, and the next ones were numbered from below 0.
#[tokio::test]
async fn a_move_that_is_resumed_counts_its_attempts_anew() {
    let block = Operation::Block {
        first: nth(0),
        count: 2,
        behaviour: Behaviour::Raises("40001"),
    };
    let waits = Operation::Batches {
        worker: 0,
        calls: 2,
    };
    let told = |control| Operation::Control { control, run: 0 };
    let resumes = [told(Control::Pause), told(Control::Resume)];
    play(2, &[ENQUEUE, block, waits, resumes[0], resumes[1]]).await;
}
