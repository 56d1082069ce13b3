//! What operators watch it with: a real Prometheus reads the real service, by the rules and the dashboards
//! that come with it.

mod files;
mod healthy;
mod names;
mod server;
mod troubles;

use std::path::{Path, PathBuf};

/// A file or directory of the package.
fn path(below: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(below)
}
