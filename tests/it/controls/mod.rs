mod cancel;
mod cancel_races;
mod pause;
mod resume;
pub(crate) mod retry;
mod retry_without_effect;
