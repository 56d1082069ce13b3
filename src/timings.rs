//! How long the service waits for what, as one value: tests shorten it.

use std::time::Duration;

/// Intervals and time-outs that are no settings of the operator.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Timings {
    /// How far apart the listener asks whether its session still listens.
    pub heartbeat: Duration,
    /// How long a notification, or the answer to a listener's statement, may take.
    pub notify: Duration,
    /// How far apart workers look for messages at most while no notification comes in.
    pub degraded_poll: Duration,
    /// How old a sample of the gauges may be before a request takes another.
    pub sample: Duration,
    /// How old a sample may become while the database does not answer. After that the gauges are `NaN`: a
    /// number that stands still looks like a queue that does.
    pub sample_expiry: Duration,
    /// How long a request for the metrics waits for a sample. After that it shows the last one.
    pub sample_wait: Duration,
    /// How long the database may take for a sample.
    pub sample_response: Duration,
    /// How long a new session of a worker may take for its first answer. A server or pooler that takes
    /// connections and answers nothing looks open for ever.
    pub ping: Duration,
    /// How long a batch may take. The server gives up before (`statement_timeout`, 60 s), so a longer one means
    /// a server that is gone without a word, or a pooler that never gave the session one.
    pub response: Duration,
    /// The longest delay between two tries to connect, jitter included.
    pub reconnect: Duration,
    /// How long an HTTP client may take to send the head of a request, or be idle between two.
    pub http_head: Duration,
    /// How long an HTTP client may take to send the body of a request.
    pub http_body: Duration,
    /// How long the statements of one check of the doctor may take.
    pub check: Duration,
    /// How long cancelled batches may take to roll back before the process ends without them.
    pub rollback: Duration,
}

impl Default for Timings {
    fn default() -> Self {
        Self {
            heartbeat: Duration::from_secs(10),
            notify: Duration::from_secs(5),
            degraded_poll: Duration::from_secs(2),
            sample: Duration::from_secs(15),
            sample_expiry: Duration::from_secs(60),
            sample_wait: Duration::from_secs(1),
            sample_response: Duration::from_secs(15),
            ping: Duration::from_secs(10),
            response: Duration::from_secs(90),
            reconnect: Duration::from_secs(30),
            http_head: Duration::from_secs(5),
            http_body: Duration::from_secs(10),
            check: Duration::from_secs(10),
            rollback: Duration::from_secs(3),
        }
    }
}

impl std::str::FromStr for Timings {
    type Err = String;

    /// The defaults, but for those that are named: `heartbeat=200ms,sample=1s`.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let mut timings = Self::default();
        for part in text.split(',') {
            let (name, value) = part
                .split_once('=')
                .ok_or_else(|| format!("{part}: expected NAME=DURATION"))?;
            let value = humantime::parse_duration(value).map_err(|error| error.to_string())?;
            *timings
                .field(name)
                .ok_or_else(|| format!("there is no timing {name}"))? = value;
        }
        Ok(timings)
    }
}

impl Timings {
    fn field(&mut self, name: &str) -> Option<&mut Duration> {
        Some(match name {
            "heartbeat" => &mut self.heartbeat,
            "notify" => &mut self.notify,
            "degraded_poll" => &mut self.degraded_poll,
            "sample" => &mut self.sample,
            "sample_expiry" => &mut self.sample_expiry,
            "sample_wait" => &mut self.sample_wait,
            "sample_response" => &mut self.sample_response,
            "ping" => &mut self.ping,
            "response" => &mut self.response,
            "reconnect" => &mut self.reconnect,
            "http_head" => &mut self.http_head,
            "http_body" => &mut self.http_body,
            "check" => &mut self.check,
            "rollback" => &mut self.rollback,
            _ => return None,
        })
    }
}
