//! What the image is built from.

use std::collections::BTreeSet;

use crate::support::files_below;

const DOCKERFILE: &str = include_str!("../../../Dockerfile");
const DOCKERIGNORE: &str = include_str!("../../../.dockerignore");

#[test]
fn the_image_is_built_from_all_that_a_build_needs() {
    let copied: BTreeSet<&str> = DOCKERFILE
        .lines()
        .filter_map(|line| line.strip_prefix("COPY "))
        .filter(|line| !line.starts_with("--from"))
        .flat_map(|line| line.split(' ').rev().skip(1))
        .collect();
    let needed = BTreeSet::from([
        "Cargo.lock",
        "Cargo.toml",
        "benches",
        "crates",
        "migrations",
        "src",
    ]);
    assert_eq!(copied, needed);
    let let_through: BTreeSet<&str> = DOCKERIGNORE
        .lines()
        .filter_map(|line| line.strip_prefix("!/"))
        .map(|path| path.trim_end_matches('/'))
        .collect();
    assert_eq!(let_through, needed);
    assert!(DOCKERIGNORE.lines().any(|line| line == "*"));
    for file in files_below("src", "rs") {
        for (_, included) in file
            .text
            .match_indices("include_str!(")
            .map(|(start, name)| (start, &file.text[start + name.len()..]))
        {
            let path = included.trim_start().trim_start_matches('"');
            let within = !path.starts_with("../")
                || path.trim_start_matches("../").starts_with("migrations/");
            assert!(
                within || file.path.ends_with("tests.rs"),
                "{}: {}",
                file.path,
                &path[..40.min(path.len())]
            );
        }
    }
}

#[test]
fn the_image_is_built_by_a_toolchain_that_is_new_enough() {
    let manifest = include_str!("../../../Cargo.toml");
    let minor = |text: &str, before: &str| -> u32 {
        let (_, version) = text.split_once(before).expect("a version");
        let digits: String = version.chars().take_while(char::is_ascii_digit).collect();
        digits.parse().expect("a number")
    };
    assert!(minor(DOCKERFILE, "FROM rust:1.") >= minor(manifest, "rust-version = \"1."));
}
