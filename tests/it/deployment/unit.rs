//! The systemd unit, and how long systemd and compose wait for it to stop.

use std::fs;
use std::process::Command;

use super::COMPOSE;

const UNIT: &str = include_str!("../../../deploy/lead-mover.service");

#[test]
fn the_time_to_stop_is_longer_than_the_grace_of_running_batches() {
    let grace = 25;
    for (text, before) in [(UNIT, "TimeoutStopSec="), (COMPOSE, "stop_grace_period: ")] {
        let (_, seconds) = text.split_once(before).expect("it is set");
        let digits: String = seconds.chars().take_while(char::is_ascii_digit).collect();
        assert!(digits.parse::<u32>().expect("seconds") > grace, "{before}");
    }
    assert!(include_str!("../../../src/config/mod.rs").contains("default_value = \"25s\""));
}

#[test]
fn systemd_accepts_the_unit_and_rates_its_exposure_as_low() {
    if Command::new("systemd-analyze")
        .arg("--version")
        .output()
        .is_err()
    {
        return;
    }
    let directory = tempfile::tempdir().expect("a directory");
    let path = directory.path().join("lead-mover.service");
    let unit = UNIT.replace(
        "/usr/local/bin/lead-mover",
        env!("CARGO_BIN_EXE_lead-mover"),
    );
    fs::write(&path, unit).expect("it is written");

    for arguments in [
        &["verify"][..],
        &["security", "--no-pager", "--offline=true", "--threshold=15"],
    ] {
        let output = Command::new("systemd-analyze")
            .args(arguments)
            .arg(&path)
            .output();
        let output = output.expect("it runs");
        let printed = String::from_utf8_lossy(&output.stderr);
        assert!(
            output.status.success() && printed.is_empty(),
            "{arguments:?}: {printed}"
        );
    }
}
