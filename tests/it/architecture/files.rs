//! The lengths of the source files.

use crate::support::{File, files_below, source_folders};

/// What can be read at once.
const MOST_LINES: usize = 250;

#[test]
fn no_source_file_has_more_than_250_lines() {
    let mut files: Vec<File> = source_folders()
        .iter()
        .flat_map(|folder| files_below(folder, "rs"))
        .collect();
    files.extend(files_below("migrations", "sql"));
    files.retain(|file| file.path != "migrations/schema.sql"); // generated
    let too_long: Vec<String> = files
        .into_iter()
        .filter(|file| file.text.lines().count() > MOST_LINES)
        .map(|file| file.path)
        .collect();
    assert_eq!(too_long, Vec::<String>::new());
}
