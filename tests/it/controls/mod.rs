mod answers;
mod cancel;
mod cancel_races;
mod cancel_storm;
mod resume;
pub(crate) mod retry;
mod retry_rejected;
