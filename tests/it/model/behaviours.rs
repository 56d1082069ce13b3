//! What a trigger of the application does when the mover comes to a lead.

use proptest::prelude::*;

use super::operations::{Control, TARGETS};
use super::world::{FIRST_TARGET, INBOX};

#[derive(Debug, Clone, Copy)]
pub(super) enum Behaviour {
    /// An error with that SQLSTATE.
    Raises(&'static str),
    /// The same error, which the trigger catches itself: the lead is moved.
    Swallows(&'static str),
    /// To that place: before the row is written …
    Redirects(usize),
    /// … or after it.
    RedirectsAfterwards(usize),
    /// Writes the row with the old column.
    Keeps,
    /// Returns null.
    Suppresses,
    /// Calls `cancel_lead_migration` or `pause_lead_migration` of the run.
    Controls(Control),
}

/// A trigger that raises one of these rejects the lead.
const OF_A_LEAD: [&str; 6] = ["P0001", "P0004", "23514", "42804", "38000", "LM004"];
/// These may pass: the batch is tried again before a lead is held to be the cause.
const OF_A_BATCH: [&str; 11] = [
    "0A000", "57014", "55P03", "40001", "40P01", "55000", "25000", "53100", "08006", "58030",
    "XX000",
];

impl Behaviour {
    /// The lead may be listed as rejected.
    pub(super) fn may_reject(self) -> bool {
        !matches!(self, Self::Swallows(_) | Self::Controls(_))
    }

    /// The whole batch may fail.
    pub(super) fn may_fail(self) -> bool {
        matches!(self, Self::Raises(code) if !OF_A_LEAD.contains(&code))
    }

    /// Its name in model.blocked, and the error or the place that belong to it.
    pub(super) fn row(self) -> (&'static str, Option<&'static str>, Option<usize>) {
        match self {
            Self::Raises(code) => ("raises", Some(code), None),
            Self::Swallows(code) => ("swallows", Some(code), None),
            Self::Redirects(place) => ("redirects", None, Some(place)),
            Self::RedirectsAfterwards(place) => ("redirects afterwards", None, Some(place)),
            Self::Keeps => ("keeps", None, None),
            Self::Suppresses => ("suppresses", None, None),
            Self::Controls(Control::Cancel) => ("cancels", None, None),
            Self::Controls(_) => ("pauses", None, None),
        }
    }
}

pub(super) fn behaviour() -> impl Strategy<Value = Behaviour> {
    let place = INBOX..FIRST_TARGET + TARGETS;
    prop_oneof![
        5 => proptest::sample::select(&OF_A_LEAD[..]).prop_map(Behaviour::Raises),
        4 => proptest::sample::select(&OF_A_BATCH[..]).prop_map(Behaviour::Raises),
        1 => proptest::sample::select(&OF_A_LEAD[..]).prop_map(Behaviour::Swallows),
        1 => proptest::sample::select(&OF_A_BATCH[..]).prop_map(Behaviour::Swallows),
        2 => place.clone().prop_map(Behaviour::Redirects),
        2 => place.prop_map(Behaviour::RedirectsAfterwards),
        1 => Just(Behaviour::Keeps),
        1 => Just(Behaviour::Suppresses),
        1 => Just(Behaviour::Controls(Control::Cancel)),
        1 => Just(Behaviour::Controls(Control::Pause)),
    ]
}
