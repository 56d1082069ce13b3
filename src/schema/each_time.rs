//! The SQL files that `migrate` runs each time, in this order around the versioned ones.

use super::SqlFile;

/// Every name has its schema, so the search path is empty. SQL functions may call others that come later in the
/// alphabet, so bodies are not checked. The others are the server's defaults, which a database or a role may have changed.
pub(crate) const SESSION: SqlFile = SqlFile {
    path: "session settings",
    text: "set local search_path = '';\nset local check_function_bodies = off;\nset local client_min_messages = warning;\n\
set local standard_conforming_strings = on;\nset local quote_all_identifiers = off;\n",
};

/// The schema and the memory of what was applied; run before anything else, each time.
pub(crate) const BOOTSTRAP: SqlFile = SqlFile {
    path: "bootstrap.sql",
    text: include_str!("../../migrations/bootstrap.sql"),
};

/// Stops where the role lacks a right that the installation needs; run before anything is changed, each time.
pub(crate) const NEEDED_RIGHTS: SqlFile = SqlFile {
    path: "needed_rights.sql",
    text: include_str!("../../migrations/needed_rights.sql"),
};

/// The tables to try it out on, for `--example-schema`.
pub(crate) const EXAMPLE_SCHEMA: SqlFile = SqlFile {
    path: "example_schema.sql",
    text: include_str!("../../migrations/example_schema.sql"),
};

/// Makes the mapping views that are missing; run each time.
pub(crate) const MAPPING: SqlFile = SqlFile {
    path: "mapping.sql",
    text: include_str!("../../migrations/mapping.sql"),
};

/// Stops at a mapping that moves cannot work with; run each time.
pub(crate) const MAPPING_CHECKS: SqlFile = SqlFile {
    path: "mapping_checks.sql",
    text: include_str!("../../migrations/mapping_checks.sql"),
};

/// Gives the ledger's columns for keys the type of the lead table's key; run each time.
pub(crate) const KEYS: SqlFile = SqlFile {
    path: "keys.sql",
    text: include_str!("../../migrations/keys.sql"),
};

/// The same for ids of runs, funnels and columns, and drops the functions that have other types then; run each time.
pub(crate) const IDS: SqlFile = SqlFile {
    path: "ids.sql",
    text: include_str!("../../migrations/ids.sql"),
};

/// Makes the ledger's indexes that were dropped; run after the versioned files, each time.
pub(crate) const INDEXES: SqlFile = SqlFile {
    path: "indexes.sql",
    text: include_str!("../../migrations/indexes.sql"),
};

/// Grants what is open, and takes the rest away; run after all functions are there, each time.
pub(crate) const RIGHTS: SqlFile = SqlFile {
    path: "rights.sql",
    text: include_str!("../../migrations/rights.sql"),
};

/// Stops where the role may not read or update the tables behind the mapping; run each time.
pub(crate) const TABLE_RIGHTS: SqlFile = SqlFile {
    path: "table_rights.sql",
    text: include_str!("../../migrations/table_rights.sql"),
};
