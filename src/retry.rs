//! How long to wait before trying again: exponential delays with jitter.
//!
//! The only module that knows the crate `backoff`, so that replacing it costs this file.

use std::time::Duration;

use backoff::backoff::Backoff as _;
use backoff::{ExponentialBackoff, ExponentialBackoffBuilder};

/// The longest delay, jitter included.
const LONGEST: Duration = Duration::from_secs(30);

/// Delays of one thing that is tried until it works.
pub(crate) struct Backoff(ExponentialBackoff);

impl Backoff {
    /// For reaching the database: about 0.2 s, doubling, never more than 30 s.
    pub(crate) fn reconnecting() -> Self {
        Self(
            ExponentialBackoffBuilder::new()
                .with_initial_interval(Duration::from_millis(200))
                .with_multiplier(2.0)
                .with_randomization_factor(0.5)
                // The jitter is half the interval either way.
                .with_max_interval(LONGEST.mul_f64(2.0 / 3.0))
                .with_max_elapsed_time(None)
                .build(),
        )
    }

    /// The delay before the next try.
    pub(crate) fn next_delay(&mut self) -> Duration {
        self.0.next_backoff().unwrap_or(LONGEST)
    }

    /// It worked: the next failure starts from the shortest delay again.
    pub(crate) fn reset(&mut self) {
        self.0.reset();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn delays_grow_to_half_a_minute_and_no_further() {
        let mut backoff = Backoff::reconnecting();

        let delays: Vec<Duration> = (0..40).map(|_| backoff.next_delay()).collect();

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
        let mut backoff = Backoff::reconnecting();
        for _ in 0..20 {
            backoff.next_delay();
        }

        backoff.reset();

        assert!(backoff.next_delay() <= Duration::from_millis(300));
    }
}
