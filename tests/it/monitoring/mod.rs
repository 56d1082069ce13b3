//! A real Prometheus reads the real service, with the rules and the dashboards that come with it.

mod alerts;
mod files;
mod healthy;
mod names;
mod server;

use std::path::{Path, PathBuf};

/// A file or directory of the package.
fn path(below: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(below)
}
