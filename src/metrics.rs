//! Every metric: name, help, unit, labels and buckets. No other module names one.

use std::time::Duration;

use metrics::{
    Unit, counter, describe_counter, describe_gauge, describe_histogram, gauge, histogram,
};
use metrics_exporter_prometheus::{BuildError, Matcher, PrometheusBuilder, PrometheusHandle};
use strum::{IntoStaticStr, VariantArray};

use crate::error::ErrorKind;
use crate::queue::{Batch, MoveStatus, Outcome, Sample};
use crate::wake::WakeReason;

const LEADS_MOVED: &str = "lead_mover_leads_moved_total";
const LEADS_REJECTED: &str = "lead_mover_leads_rejected_total";
const BATCHES: &str = "lead_mover_batches_total";
const BATCH_DURATION: &str = "lead_mover_batch_duration_seconds";
const PICKUP: &str = "lead_mover_pickup_seconds";
const QUEUE_DEPTH: &str = "lead_mover_queue_depth";
const OLDEST_MESSAGE_AGE: &str = "lead_mover_queue_oldest_message_age_seconds";
const LEADS_REMAINING: &str = "lead_mover_leads_remaining";
const STALLED: &str = "lead_mover_migrations_stalled";
const MIGRATIONS: &str = "lead_mover_migrations";
const WAKEUPS: &str = "lead_mover_wakeups_total";
const LISTENER_CONNECTED: &str = "lead_mover_listener_connected";
const RECONNECTS: &str = "lead_mover_reconnects_total";
const ERRORS: &str = "lead_mover_errors_total";
const BUILD_INFO: &str = "lead_mover_build_info";

/// Seconds: 1 ms is resolved as well as 5 min, which a batch never takes but a move may wait for. With the
/// poll interval (30 s) and the statement time-out (60 s) among them, where batches pile up when either strikes.
const BUCKETS: [f64; 17] = [
    0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0,
    120.0, 300.0,
];

/// Which connection was opened again: the label `connection`.
#[derive(Debug, Clone, Copy, IntoStaticStr, VariantArray)]
#[strum(serialize_all = "snake_case")]
pub(crate) enum ConnectionRole {
    Listener,
    Worker,
    Sampler,
}

/// Installs the recorder of this process, with every series there from the start.
///
/// # Errors
/// When the process has a recorder already.
pub(crate) fn install() -> Result<PrometheusHandle, BuildError> {
    let mut builder = PrometheusBuilder::new();
    for name in [BATCH_DURATION, PICKUP] {
        builder = builder.set_buckets_for_metric(Matcher::Full(name.to_owned()), &BUCKETS)?;
    }
    let handle = builder.install_recorder()?;
    describe();
    start();
    Ok(handle)
}

fn describe() {
    describe_counter!(LEADS_MOVED, Unit::Count, "Leads that changed place.");
    describe_counter!(
        LEADS_REJECTED,
        Unit::Count,
        "Leads that were rejected by a constraint or trigger."
    );
    describe_counter!(
        BATCHES,
        Unit::Count,
        "Batches by outcome: moved, failed, move_failed, message_archived."
    );
    describe_histogram!(
        BATCH_DURATION,
        Unit::Seconds,
        "Seconds from requesting a batch to its commit."
    );
    describe_histogram!(
        PICKUP,
        Unit::Seconds,
        "Seconds from queueing a move to the end of its first batch."
    );
    describe_gauge!(
        QUEUE_DEPTH,
        Unit::Count,
        "Messages in the queue, those of paused moves included."
    );
    describe_gauge!(
        OLDEST_MESSAGE_AGE,
        Unit::Seconds,
        "Seconds that the oldest due message has been waiting; 0 where none is due."
    );
    describe_gauge!(
        LEADS_REMAINING,
        Unit::Count,
        "Leads of active moves that have not had their turn, those of paused moves included."
    );
    describe_gauge!(
        STALLED,
        Unit::Count,
        "Active moves, not paused, that nothing in the queue works on."
    );
    describe_gauge!(MIGRATIONS, Unit::Count, "Moves in the ledger by status.");
    describe_counter!(
        WAKEUPS,
        Unit::Count,
        "Times a worker looked again, by reason."
    );
    describe_gauge!(
        LISTENER_CONNECTED,
        "1 while notifications come in, 0 while they do not; NaN where none are wanted."
    );
    describe_counter!(
        RECONNECTS,
        Unit::Count,
        "Connections opened again after they were lost."
    );
    describe_counter!(ERRORS, Unit::Count, "Failed calls to the database by kind.");
    describe_gauge!(BUILD_INFO, "Always 1; the label is the version that runs.");
}

/// All series from the start: counters at 0, and what is true of the queue unknown.
fn start() {
    counter!(LEADS_MOVED).absolute(0);
    counter!(LEADS_REJECTED).absolute(0);
    for outcome in Outcome::VARIANTS {
        if *outcome != Outcome::Idle {
            counter!(BATCHES, "outcome" => label(*outcome)).absolute(0);
        }
    }
    for reason in WakeReason::VARIANTS {
        counter!(WAKEUPS, "reason" => label(*reason)).absolute(0);
    }
    for role in ConnectionRole::VARIANTS {
        counter!(RECONNECTS, "connection" => label(*role)).absolute(0);
    }
    for kind in ErrorKind::VARIANTS {
        counter!(ERRORS, "kind" => label(*kind)).absolute(0);
    }
    gauge!(LISTENER_CONNECTED).set(0);
    clear_gauges();
    let _registered = (histogram!(BATCH_DURATION), histogram!(PICKUP));
    gauge!(BUILD_INFO, "version" => env!("CARGO_PKG_VERSION")).set(1);
}

/// A batch that was processed, and how long it took.
pub(crate) fn batch(batch: &Batch, duration: Duration) {
    counter!(BATCHES, "outcome" => label(batch.outcome)).increment(1);
    counter!(LEADS_MOVED).increment(u64::from(batch.leads_moved));
    counter!(LEADS_REJECTED).increment(u64::from(batch.leads_rejected));
    histogram!(BATCH_DURATION).record(duration);
    if let Some(pickup) = batch.pickup {
        histogram!(PICKUP).record(pickup);
    }
}

/// Sets the gauges of queue and ledger.
pub(crate) fn set_gauges(sample: &Sample) {
    gauge!(QUEUE_DEPTH).set(as_f64(sample.queue_depth));
    gauge!(OLDEST_MESSAGE_AGE).set(sample.oldest_message_age);
    gauge!(LEADS_REMAINING).set(as_f64(sample.leads_remaining));
    gauge!(STALLED).set(as_f64(sample.moves_stalled));
    for (status, moves) in &sample.moves {
        gauge!(MIGRATIONS, "status" => label(*status)).set(as_f64(*moves));
    }
}

/// There is no sample: the database has not answered, or no longer does. A 0 would mean that nothing waits;
/// `NaN` means that the value is unknown.
pub(crate) fn clear_gauges() {
    for name in [QUEUE_DEPTH, OLDEST_MESSAGE_AGE, LEADS_REMAINING, STALLED] {
        gauge!(name).set(f64::NAN);
    }
    for status in MoveStatus::VARIANTS {
        gauge!(MIGRATIONS, "status" => label(*status)).set(f64::NAN);
    }
}

pub(crate) fn wakeup(reason: WakeReason) {
    counter!(WAKEUPS, "reason" => label(reason)).increment(1);
}

/// Neither connected nor not.
pub(crate) fn listener_off() {
    gauge!(LISTENER_CONNECTED).set(f64::NAN);
}

pub(crate) fn listener_connected(connected: bool) {
    gauge!(LISTENER_CONNECTED).set(f64::from(u8::from(connected)));
}

pub(crate) fn reconnect(role: ConnectionRole) {
    counter!(RECONNECTS, "connection" => label(role)).increment(1);
}

pub(crate) fn error(kind: ErrorKind) {
    counter!(ERRORS, "kind" => label(kind)).increment(1);
}

/// The word that an enum derives for itself.
fn label(value: impl Into<&'static str>) -> &'static str {
    value.into()
}

#[expect(
    clippy::cast_precision_loss,
    reason = "gauges are floating point; exact up to 2^53"
)]
fn as_f64(count: u64) -> f64 {
    count as f64
}
