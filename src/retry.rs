//! Trying again to connect, with exponential delays and jitter.
//!
//! No other module may depend on the crate `backoff`, so that replacing it costs this file.

use std::time::Duration;

use backoff::backoff::Backoff as _;
use backoff::{ExponentialBackoff, ExponentialBackoffBuilder};

use crate::metrics::{self, ConnectionRole};
use crate::shutdown::Shutdown;

/// One connection that is opened until it works, and again whenever it is lost.
pub(crate) struct Reconnecting {
    role: ConnectionRole,
    longest: Duration,
    delays: ExponentialBackoff,
    lost: bool,
}

impl Reconnecting {
    /// Delays of about 0.2 s, doubling, and never more than `longest`, jitter included.
    pub(crate) fn new(role: ConnectionRole, longest: Duration) -> Self {
        let delays = ExponentialBackoffBuilder::new()
            .with_initial_interval(Duration::from_millis(200).min(longest))
            .with_multiplier(2.0)
            .with_randomization_factor(0.5)
            // The jitter is half the interval either way.
            .with_max_interval(longest.mul_f64(2.0 / 3.0))
            .with_max_elapsed_time(None)
            .build();
        Self {
            role,
            longest,
            delays,
            lost: false,
        }
    }

    /// The connection works: the next failure starts from the shortest delay.
    pub(crate) fn connected(&mut self) {
        self.delays.reset();
        if std::mem::take(&mut self.lost) {
            metrics::reconnect(self.role);
        }
    }

    /// The connection was lost or could not be opened: waits before the next try. `false` when stopping began.
    pub(crate) async fn pause(&mut self, shutdown: &Shutdown) -> bool {
        self.lost = true;
        shutdown.sleep(self.next_delay()).await
    }

    fn next_delay(&mut self) -> Duration {
        self.delays.next_backoff().unwrap_or(self.longest)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LONGEST: Duration = Duration::from_secs(30);

    #[test]
    fn delays_grow_to_half_a_minute_and_no_further() {
        let mut connection = Reconnecting::new(ConnectionRole::Worker, LONGEST);

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
        let mut connection = Reconnecting::new(ConnectionRole::Worker, LONGEST);
        for _ in 0..20 {
            connection.next_delay();
        }

        connection.connected();

        assert!(connection.next_delay() <= Duration::from_millis(300));
    }
}
