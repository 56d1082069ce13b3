//! What the image, the compose file and the systemd unit are made of, as far as it can be tried without
//! a container engine.

mod compose;
mod image;
mod unit;

use std::path::Path;

const COMPOSE: &str = include_str!("../../../docker-compose.yml");

fn package() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}
