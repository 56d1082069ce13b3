//! The form of the files with SQL functions: one function each, private, described, with a search path.

use crate::support::files_below;

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
        let function = format!("{schema}.{}(", name.trim_end_matches(".sql"));
        // The two that write leads run the lead table's triggers, which look for tables there.
        let path = match name {
            "move_leads.sql" | "move_range.sql" => "pg_catalog, public, extensions, pg_temp",
            _ => "pg_catalog, pg_temp",
        };
        for (what, times) in [
            ("create or replace function ".to_owned(), 1),
            (format!("\ncreate or replace function {function}"), 1),
            (format!("\nset search_path = {path}\n"), 1),
            (format!("\nselect lead_mover.make_private('{function}"), 1),
            (format!("\ncomment on function {function}"), 1),
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
