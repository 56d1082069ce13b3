//! The lists against the files on the disk.

use std::collections::BTreeSet;
use std::path::Path;

use super::*;
use crate::schema::each_time::{
    BOOTSTRAP, EXAMPLE_SCHEMA, IDS, INDEXES, KEYS, MAPPING, MAPPING_CHECKS, NEEDED_RIGHTS, RIGHTS,
    TABLE_RIGHTS,
};

fn sql_files_below(directory: &Path, found: &mut BTreeSet<String>) {
    for entry in std::fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            sql_files_below(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "sql") {
            let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("migrations");
            found.insert(path.strip_prefix(root).unwrap().display().to_string());
        }
    }
}

#[test]
fn every_sql_file_is_built_in_once() {
    let mut on_disk = BTreeSet::new();
    sql_files_below(
        &Path::new(env!("CARGO_MANIFEST_DIR")).join("migrations"),
        &mut on_disk,
    );
    on_disk.remove("schema.sql"); // generated from the others

    let each_time = [
        BOOTSTRAP,
        EXAMPLE_SCHEMA,
        IDS,
        INDEXES,
        KEYS,
        MAPPING,
        MAPPING_CHECKS,
        NEEDED_RIGHTS,
        RIGHTS,
        TABLE_RIGHTS,
    ];
    let mut built_in = each_time.map(|file| file.path).to_vec();
    built_in.extend(recorded().map(|file| file.path));
    built_in.sort_unstable();

    assert_eq!(
        built_in,
        on_disk.iter().map(String::as_str).collect::<Vec<_>>()
    );
}
