//! The binary: parses the command line, runs the command, and turns its end into an exit status.

use std::process::ExitCode;

use clap::Parser as _;

fn main() -> ExitCode {
    lead_mover::cli::Cli::parse().run()
}
