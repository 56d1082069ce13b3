//! The form of the SQL files: one function each, private, described, with a search path; tables and views are
//! described too. All that a database is sent has only characters that LATIN1 has.

use lead_mover::migrate;

use crate::support::{File, files_below};

#[test]
fn each_sql_function_is_private_described_and_has_a_search_path() {
    let files = files_below("migrations/functions", "sql");
    assert!(files.len() > 20, "the functions are in another folder");
    for file in files {
        let (directory, name) = file.path.rsplit_once('/').expect("a directory");
        let schema = match directory {
            "migrations/functions/public" => "public",
            "migrations/functions/internal" => "lead_mover",
            other => panic!("no functions belong in {other}"),
        };
        // Functions whose parameters have the mapping's types are named without them.
        let bare = format!("{schema}.{}", name.trim_end_matches(".sql"));
        let signature = format!("\ncomment on function {bare} is ");
        let function = format!("{bare}(");
        let (private, comment) = if file.text.contains(&signature) {
            (format!("'{bare}')"), bare)
        } else {
            (format!("'{function}"), function.clone())
        };
        // The one that writes leads runs the lead table's triggers, which look for tables there.
        let path = match name {
            "move_leads.sql" | "write_as_caller.sql" => "pg_catalog, public, extensions, pg_temp",
            _ => "pg_catalog, pg_temp",
        };
        for (what, times) in [
            ("create or replace function ".to_owned(), 1),
            (format!("\ncreate or replace function {function}"), 1),
            (format!("\nset search_path = {path}\n"), 1),
            (format!("\nselect lead_mover.make_private({private}"), 1),
            (format!("\ncomment on function {comment}"), 1),
        ] {
            let text = format!("\n{}", file.text);
            assert_eq!(
                text.matches(&what).count(),
                times,
                "{what:?} in {}",
                file.path
            );
        }
        let volatilities = file
            .text
            .lines()
            .filter(|line| ["volatile", "stable", "immutable"].contains(line))
            .count();
        assert_eq!(volatilities, 1, "the volatility in {}", file.path);
    }
}

/// With `standard_conforming_strings` off, which a role or a database can have, a function reads the backslashes of an
/// ordinary string as escapes each time that it runs.
#[test]
fn strings_with_backslashes_are_read_alike_under_every_setting() {
    for file in files_below("migrations", "sql") {
        if file.path == "migrations/schema.sql" {
            continue;
        }
        for line in file.text.lines().filter(|line| line.contains('\\')) {
            let (before, _) = line.split_once('\\').expect("a backslash");
            let (start, _) = before.rsplit_once('\'').expect("a string");
            assert!(start.ends_with('E'), "{line:?} in {}", file.path);
        }
    }
}

#[test]
fn each_table_and_view_is_described() {
    let mut files = files_below("migrations/versioned", "sql");
    files.extend(files_below("migrations/views", "sql"));
    let text: String = files.into_iter().map(|file| file.text).collect();
    let mut described = 0;
    for (create, kind) in [
        ("create table ", "table"),
        ("create or replace view ", "view"),
    ] {
        for (start, _) in text.match_indices(create) {
            let after = &text[start + create.len()..];
            let name = after.split([' ', '(', '\n']).next().expect("a name");
            let comment = format!("\ncomment on {kind} {name} is '");
            assert!(text.contains(&comment), "{kind} {name} has no comment");
            described += 1;
        }
    }
    assert!(described >= 4, "the tables are in another folder");
}

#[test]
fn no_sql_has_a_character_that_latin1_lacks() {
    let folders = ["migrations", "src", "grafana"];
    let mut files: Vec<File> = folders
        .iter()
        .flat_map(|folder| files_below(folder, "sql"))
        .collect();
    assert!(files.len() > 40, "the SQL files are in another folder");
    files.push(File {
        path: "migrate --print".to_owned(),
        text: migrate::script(true),
    });
    let mut found = Vec::new();
    for file in &files {
        for (number, line) in file.text.lines().enumerate() {
            // Unicode begins with the characters of LATIN1.
            if line.chars().any(|letter| letter > '\u{ff}') {
                found.push(format!("{}:{}: {line}", file.path, number + 1));
            }
        }
    }
    assert!(found.is_empty(), "{}", found.join("\n"));
}
