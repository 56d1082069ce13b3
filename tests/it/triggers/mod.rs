//! Triggers of the lead table that raise, call our functions, or put leads elsewhere.

mod controls;
mod old_plans;
mod raised;
mod recording;
mod rules;
mod sessions;
mod settings;
mod sqlstates;
mod standing;
