//! How the listener wakes the workers, and sets how far apart they poll.
//!
//! Waking carries no data. A worker that is woken asks the queue what is due, so that notification, poll and
//! due time all run the same code.

use std::time::Duration;

use strum::{IntoStaticStr, VariantArray};
use tokio::sync::watch;

/// Why a worker looked at the queue: the label `reason` of `lead_mover_wakeups_total`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, IntoStaticStr, VariantArray)]
#[strum(serialize_all = "snake_case")]
pub(crate) enum WakeReason {
    /// A notification came in.
    Notify,
    /// The listener is back, and may have missed something.
    Reconnect,
    /// A delayed message fell due.
    Due,
    /// A whole poll interval has passed.
    Poll,
}

/// The listener's end.
#[derive(Debug, Clone)]
pub(crate) struct WakeSender(watch::Sender<Signal>);

/// A worker's end. A wake between looking and waiting is not lost: the next wait ends at once.
#[derive(Debug, Clone)]
pub(crate) struct WakeReceiver(watch::Receiver<Signal>);

#[derive(Debug, Clone, Copy)]
struct Signal {
    reason: WakeReason,
    poll_interval: Duration,
}

/// A sender, and a receiver to be cloned for each worker.
pub(crate) fn channel(poll_interval: Duration) -> (WakeSender, WakeReceiver) {
    let (sender, receiver) = watch::channel(Signal {
        reason: WakeReason::Reconnect,
        poll_interval,
    });
    (WakeSender(sender), WakeReceiver(receiver))
}

impl WakeSender {
    /// Wakes every worker.
    pub(crate) fn wake(&self, reason: WakeReason) {
        self.0.send_modify(|signal| signal.reason = reason);
    }

    /// Changes how far apart the workers poll; wakes those that would sleep for longer than that.
    pub(crate) fn set_poll_interval(&self, poll_interval: Duration) {
        self.0.send_if_modified(|signal| {
            let shorter = poll_interval < signal.poll_interval;
            signal.poll_interval = poll_interval;
            signal.reason = WakeReason::Poll;
            shorter
        });
    }
}

impl WakeReceiver {
    /// To be called before looking: only a wake after this ends the next wait.
    pub(crate) fn clear(&mut self) {
        self.0.mark_unchanged();
    }

    /// Waits for a wake, for the next due message, or for the poll interval.
    pub(crate) async fn wait(&mut self, next_due: Option<Duration>) -> WakeReason {
        let poll_interval = self.0.borrow().poll_interval;
        let (at_most, reason) = match next_due {
            Some(due) if due < poll_interval => (due, WakeReason::Due),
            _ => (poll_interval, WakeReason::Poll),
        };
        match tokio::time::timeout(at_most, self.0.changed()).await {
            Ok(Ok(())) => self.0.borrow().reason,
            // The sender is gone only while everything is being stopped.
            Ok(Err(_)) | Err(_) => reason,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR: Duration = Duration::from_secs(3600);

    #[tokio::test]
    async fn a_wake_between_looking_and_waiting_is_not_lost() {
        let (sender, mut receiver) = channel(HOUR);
        receiver.clear();

        sender.wake(WakeReason::Notify);

        assert_eq!(receiver.wait(None).await, WakeReason::Notify);
    }

    #[tokio::test(start_paused = true)]
    async fn a_delayed_message_ends_the_wait_before_the_poll_does() {
        let (_sender, mut receiver) = channel(HOUR);

        assert_eq!(
            receiver.wait(Some(Duration::from_secs(1))).await,
            WakeReason::Due
        );
        assert_eq!(receiver.wait(None).await, WakeReason::Poll);
    }

    #[tokio::test]
    async fn a_shorter_poll_interval_reaches_a_worker_that_sleeps() {
        let (sender, mut receiver) = channel(HOUR);

        sender.set_poll_interval(Duration::from_secs(2));

        assert_eq!(receiver.wait(None).await, WakeReason::Poll);
    }
}
