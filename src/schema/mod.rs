//! The schema: the SQL files that are built in, and what of them a database has.
//!
//! [`migrate`](crate::migrate) applies it; the queue, the health page and the doctor look whether it is there.

mod each_time;
mod files;
mod lead_index;
mod signs;
mod state;

pub(crate) use each_time::{
    BOOTSTRAP, EXAMPLE_SCHEMA, IDS, INDEXES, KEYS, MAPPING, MAPPING_CHECKS, NEEDED_RIGHTS, RIGHTS,
    SESSION, TABLE_RIGHTS,
};
pub(crate) use files::{LIVING, REMOVED, SqlFile, TRIGGERS, VERSIONED, function_body, recorded};
pub use lead_index::missing_lead_index;
pub(crate) use signs::{adoption, is_gone};
pub(crate) use state::missing_objects;
pub use state::{SchemaState, schema_state};
