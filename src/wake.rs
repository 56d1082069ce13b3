//! What the listener tells the workers: "look", and how far apart to look unasked.
//!
//! Waking carries no data. A worker that is told to look finds out from the queue what there is, so
//! that notification, poll and due time all run the same code.

use std::time::Duration;

use tokio::sync::watch;

/// Why a worker looked at the queue.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum WakeReason {
    /// A notification came in.
    Notify,
    /// The listener is back, and may have missed something.
    Reconnect,
    /// A delayed message fell due.
    Due,
    /// Nobody said anything for a whole poll interval.
    Poll,
}

impl WakeReason {
    /// All of them, for the metrics that exist from the start.
    pub(crate) const ALL: [Self; 4] = [Self::Notify, Self::Reconnect, Self::Due, Self::Poll];

    /// The value of the label `reason`.
    pub(crate) fn label(self) -> &'static str {
        match self {
            Self::Notify => "notify",
            Self::Reconnect => "reconnect",
            Self::Due => "due",
            Self::Poll => "poll",
        }
    }
}

/// The listener's end.
#[derive(Debug, Clone)]
pub(crate) struct Bell(watch::Sender<Signal>);

/// A worker's end. A ring between looking and waiting is not lost: the next wait ends at once.
#[derive(Debug, Clone)]
pub(crate) struct Ear(watch::Receiver<Signal>);

#[derive(Debug, Clone, Copy)]
struct Signal {
    reason: WakeReason,
    poll_interval: Duration,
}

/// A bell, and an ear to be cloned for each worker.
pub(crate) fn bell(poll_interval: Duration) -> (Bell, Ear) {
    let (sender, receiver) = watch::channel(Signal {
        reason: WakeReason::Reconnect,
        poll_interval,
    });
    (Bell(sender), Ear(receiver))
}

impl Bell {
    /// Wakes every worker.
    pub(crate) fn ring(&self, reason: WakeReason) {
        self.0.send_modify(|signal| signal.reason = reason);
    }

    /// Changes how far apart the workers look unasked; wakes those that sleep for longer than that.
    pub(crate) fn set_poll_interval(&self, poll_interval: Duration) {
        self.0.send_if_modified(|signal| {
            let shorter = poll_interval < signal.poll_interval;
            signal.poll_interval = poll_interval;
            signal.reason = WakeReason::Poll;
            shorter
        });
    }
}

impl Ear {
    /// To be called before looking: only rings after this end the next wait.
    pub(crate) fn clear(&mut self) {
        self.0.mark_unchanged();
    }

    /// Waits for a ring, for the next due message, or for the poll interval.
    pub(crate) async fn wait(&mut self, next_due: Option<Duration>) -> WakeReason {
        let poll_interval = self.0.borrow().poll_interval;
        let (at_most, reason) = match next_due {
            Some(due) if due < poll_interval => (due, WakeReason::Due),
            _ => (poll_interval, WakeReason::Poll),
        };
        match tokio::time::timeout(at_most, self.0.changed()).await {
            Ok(Ok(())) => self.0.borrow().reason,
            // The bell is gone only while everything is being stopped.
            Ok(Err(_)) | Err(_) => reason,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR: Duration = Duration::from_secs(3600);

    #[tokio::test]
    async fn a_ring_between_looking_and_waiting_is_heard() {
        let (bell, mut ear) = bell(HOUR);
        ear.clear();

        bell.ring(WakeReason::Notify);

        assert_eq!(ear.wait(None).await, WakeReason::Notify);
    }

    #[tokio::test(start_paused = true)]
    async fn a_delayed_message_ends_the_wait_before_the_poll_does() {
        let (_bell, mut ear) = bell(HOUR);

        assert_eq!(
            ear.wait(Some(Duration::from_secs(1))).await,
            WakeReason::Due
        );
        assert_eq!(ear.wait(None).await, WakeReason::Poll);
    }

    #[tokio::test]
    async fn a_shorter_poll_interval_reaches_a_worker_that_sleeps() {
        let (bell, mut ear) = bell(HOUR);

        bell.set_poll_interval(Duration::from_secs(2));

        assert_eq!(ear.wait(None).await, WakeReason::Poll);
    }
}
