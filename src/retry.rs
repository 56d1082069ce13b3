//! Trying again to connect, with exponential delays and jitter.
//!
//! The only module that knows the crate `backoff`, so that replacing it costs this file.

use std::time::Duration;

use backoff::backoff::Backoff as _;
use backoff::{ExponentialBackoff, ExponentialBackoffBuilder};

use crate::metrics::{self, ConnectionRole};
use crate::shutdown::Shutdown;

/// The longest delay, jitter included.
const LONGEST: Duration = Duration::from_secs(30);

/// One connection that is opened until it works, and again whenever it is lost.
pub(crate) struct Reconnecting {
    role: ConnectionRole,
    delays: ExponentialBackoff,
    lost: bool,
}

impl Reconnecting {
    /// Delays of about 0.2 s, doubling, never more than 30 s.
    pub(crate) fn new(role: ConnectionRole) -> Self {
        let delays = ExponentialBackoffBuilder::new()
            .with_initial_interval(Duration::from_millis(200))
            .with_multiplier(2.0)
            .with_randomization_factor(0.5)
            // The jitter is half the interval either way.
            .with_max_interval(LONGEST.mul_f64(2.0 / 3.0))
            .with_max_elapsed_time(None)
            .build();
        Self {
            role,
            delays,
            lost: false,
        }
    }

    /// It works: the next failure starts from the shortest delay.
    pub(crate) fn works(&mut self) {
        self.delays.reset();
        if std::mem::take(&mut self.lost) {
            metrics::reconnect(self.role);
        }
    }

    /// It was lost or could not be opened: waits before the next try. `false` when stopping began.
    pub(crate) async fn pause(&mut self, shutdown: &Shutdown) -> bool {
        self.lost = true;
        shutdown.sleep(self.next_delay()).await
    }

    fn next_delay(&mut self) -> Duration {
        self.delays.next_backoff().unwrap_or(LONGEST)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn delays_grow_to_half_a_minute_and_no_further() {
        let mut connection = Reconnecting::new(ConnectionRole::Worker);

        let delays: Vec<Duration> = (0..40).map(|_| connection.next_delay()).collect();

        assert!(delays[0] <= Duration::from_millis(300), "{:?}", delays[0]);
        assert!(delays.iter().all(|delay| *delay <= LONGEST), "{delays:?}");
        assert!(
            delays[20..]
                .iter()
                .all(|delay| *delay >= Duration::from_secs(10)),
            "{delays:?}"
        );
    }

    #[test]
    fn success_starts_the_delays_over() {
        let mut connection = Reconnecting::new(ConnectionRole::Worker);
        for _ in 0..20 {
            connection.next_delay();
        }

        connection.works();

        assert!(connection.next_delay() <= Duration::from_millis(300));
    }
}
