//! The table of settings has what the command line declares, no more and no less, in both languages.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use clap::{Arg, Command, CommandFactory as _};
use lead_mover::cli::Cli;

/// Variable and declared default (empty: none), of every command; where `serve` has another default than
/// `demo`, that of `serve`.
fn declared() -> BTreeMap<String, String> {
    let command = Cli::command();
    let serve = command.find_subcommand("serve").expect("it is declared");
    let of_all = command
        .get_subcommands()
        .chain([&command, serve])
        .flat_map(Command::get_arguments);
    of_all
        .filter_map(|argument: &Arg| {
            let variable = argument.get_env()?.to_str().expect("a name");
            let default = argument.get_default_values().first();
            let default = default.map_or("", |value| value.to_str().expect("text"));
            Some((variable.to_owned(), default.to_owned()))
        })
        .collect()
}

/// Variable and default as the table has them, with its back-ticks.
fn documented(page: &str) -> BTreeMap<String, String> {
    let text =
        fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(page)).expect("it is there");
    text.lines()
        .filter_map(|line| {
            let cells: Vec<&str> = line
                .strip_prefix("| `")?
                .split('|')
                .map(str::trim)
                .collect();
            let variable = cells[0].trim_end_matches('`');
            Some((variable.to_owned(), cells[1].to_owned()))
        })
        .collect()
}

#[test]
fn every_setting_stands_in_the_table_of_both_languages_with_its_default() {
    let declared = declared();
    assert!(declared.len() >= 9, "{declared:?}");
    for page in ["docs/settings.md", "docs/settings.pt-BR.md"] {
        let documented = documented(page);
        let variables: Vec<&String> = documented.keys().collect();
        assert_eq!(variables, declared.keys().collect::<Vec<_>>(), "{page}");
        for (variable, default) in &declared {
            let cell = &documented[variable];
            if !default.is_empty() {
                assert_eq!(*cell, format!("`{default}`"), "{page}: {variable}");
            }
        }
        // What has no declared default, and another value in its place.
        assert_eq!(documented["DATABASE_URL"], "", "{page}");
        assert_eq!(documented["LEAD_MOVER_API_TOKEN"], "", "{page}");
        assert!(
            documented["DATABASE_LISTEN_URL"].ends_with(" `DATABASE_URL`"),
            "{page}"
        );
        assert!(documented["RUST_LOG"].starts_with("`info`"), "{page}");
    }
}

#[test]
fn the_documented_defaults_of_the_log_and_the_flags_are_those_of_the_help() {
    let command = Cli::command();
    let log = command
        .get_arguments()
        .find(|argument| argument.get_id() == "log")
        .expect("it is declared");
    let help = log.get_help().expect("it has one").to_string();
    assert!(
        help.contains("[default: info for serve, else warn]"),
        "{help}"
    );
    let serve = command.find_subcommand("serve").expect("it is declared");
    assert!(
        serve
            .get_arguments()
            .any(|argument| argument.get_long() == Some("workers"))
    );
}
