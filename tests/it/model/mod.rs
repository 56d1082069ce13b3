//! The promises, against a model: whatever applications, workers and users do, in whatever order.
//!
//! A scenario is a list of operations, played one after the other in sessions whose transactions may
//! stay open in between. After each of them everything in the database is compared with what the model
//! expects, and with a record of every write to a lead. At the end everybody lets go, and every move has
//! to come to its end.
//!
//! `PROPTEST_CASES` says how many scenarios (50; `make model` plays 1 000), `PROPTEST_RNG_SEED` which.

mod applications;
mod behaviours;
mod blocked_leads;
mod checks;
mod expected;
mod found;
mod operations;
mod queue_changes;
mod scenario;
mod sight;
mod users;
mod workers;
mod world;

use std::cell::RefCell;

use proptest::test_runner::{Config, RngSeed, TestCaseError, TestError, TestRunner};
use uuid::Uuid;

use crate::support::Database;
use operations::{Scenario, scenarios};
use world::World;

/// What an ordinary run of the tests plays.
const CASES: u32 = 50;

#[test]
fn whatever_happens_and_in_whatever_order_the_promises_hold() {
    let config = config();
    let RngSeed::Fixed(seed) = config.rng_seed else {
        unreachable!("it is set");
    };
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    let database = runtime.block_on(Database::new());
    let world = RefCell::new(runtime.block_on(World::new(&database)));

    let outcome = TestRunner::new(config.clone()).run(&scenarios(), |scenario| {
        runtime
            .block_on(world.borrow_mut().play(&scenario))
            .map_err(TestCaseError::fail)
    });

    if let Err(error) = outcome {
        panic!(
            "{}\nagain: PROPTEST_RNG_SEED={seed} PROPTEST_CASES={}",
            describe(error),
            config.cases
        );
    }
}

fn config() -> Config {
    let default = Config::default(); // as the environment has it
    #[expect(
        clippy::disallowed_methods,
        reason = "proptest's own default is another number"
    )]
    let is_set = std::env::var_os("PROPTEST_CASES").is_some();
    let seed = match default.rng_seed {
        RngSeed::Fixed(seed) => seed,
        RngSeed::Random => Uuid::new_v4().as_u64_pair().0,
    };
    Config {
        cases: if is_set { default.cases } else { CASES },
        rng_seed: RngSeed::Fixed(seed),
        failure_persistence: None,
        max_shrink_iters: 2_000,
        ..default
    }
}

fn describe(error: TestError<Scenario>) -> String {
    match error {
        TestError::Abort(reason) => format!("aborted: {reason}"),
        TestError::Fail(reason, scenario) => {
            let operations: Vec<String> = scenario
                .operations
                .iter()
                .enumerate()
                .map(|(n, operation)| format!("{n}: {operation:?}"))
                .collect();
            format!(
                "{reason}\nruns of {:?} leads\n{}",
                scenario.leads,
                operations.join("\n")
            )
        }
    }
}
