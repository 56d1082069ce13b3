//! The product's own sources, as text.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

/// One source file.
pub(crate) struct File {
    /// Below the package's directory.
    pub(crate) path: String,
    pub(crate) text: String,
}

/// The files with that extension below a directory of the package, in the order of their paths.
pub(crate) fn files_below(directory: &str, extension: &str) -> Vec<File> {
    let package = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut directories = vec![package.join(directory)];
    let mut files = Vec::new();
    while let Some(directory) = directories.pop() {
        for entry in fs::read_dir(&directory).expect("a directory") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                directories.push(path);
            } else if path.extension().is_some_and(|found| found == extension) {
                files.push(File {
                    path: path
                        .strip_prefix(package)
                        .expect("it is below")
                        .display()
                        .to_string(),
                    text: fs::read_to_string(&path).expect("UTF-8"),
                });
            }
        }
    }
    files.sort_by(|left, right| left.path.cmp(&right.path));
    files
}

/// The folders with the Rust sources of each crate of the workspace.
pub(crate) fn source_folders() -> Vec<String> {
    let crates = crates().into_iter().map(|name| format!("{name}/src"));
    std::iter::once("src".to_owned()).chain(crates).collect()
}

/// The folders of the crates below `crates/`.
pub(crate) fn crates() -> Vec<String> {
    let manifests = files_below("crates", "toml").into_iter();
    let crates: Vec<String> = manifests
        .filter_map(|file| Some(file.path.strip_suffix("/Cargo.toml")?.to_owned()))
        .collect();
    assert!(!crates.is_empty(), "there are no crates below crates/");
    crates
}

/// The sources of the product, its crates included, without tests and comments.
pub(crate) fn code() -> Vec<File> {
    let folders = source_folders();
    let mut files: Vec<File> = folders
        .iter()
        .flat_map(|folder| files_below(folder, "rs"))
        .collect();
    assert!(files.len() > 60, "the sources are in another folder");
    files.retain(|file| !file.path.ends_with("/tests.rs"));
    for file in &mut files {
        let code = file.text.split("#[cfg(test)]\nmod tests {").next();
        file.text = code
            .expect("at least one part")
            .lines()
            .map(|line| without_comment(line).to_owned() + "\n")
            .collect();
    }
    files
}

/// The files of the workspace that are written by hand, below these folders or with these names.
pub(crate) fn texts_below(paths: &[&str]) -> Vec<File> {
    let mut files: Vec<File> = paths
        .iter()
        .flat_map(|path| {
            if Path::new(env!("CARGO_MANIFEST_DIR")).join(path).is_file() {
                return vec![file(path)];
            }
            TEXT_EXTENSIONS
                .iter()
                .flat_map(|extension| files_below(path, extension))
                .collect()
        })
        .collect();
    files.retain(|file| {
        !GENERATED.contains(&file.path.as_str()) && !file.path.contains("node_modules/")
    });
    files
}

const TEXT_EXTENSIONS: [&str; 9] = [
    "rs", "sql", "md", "toml", "json", "yml", "yaml", "mjs", "service",
];
const GENERATED: [&str; 2] = [
    "migrations/schema.sql",
    "tests/supabase-js/package-lock.json",
];

fn file(path: &str) -> File {
    let package = Path::new(env!("CARGO_MANIFEST_DIR"));
    File {
        path: path.to_owned(),
        text: fs::read_to_string(package.join(path)).expect(path),
    }
}

fn without_comment(line: &str) -> &str {
    let outside_of_quotes = |start: &usize| line[..*start].matches('"').count().is_multiple_of(2);
    let mut starts = line.match_indices("//").map(|(start, _)| start);
    &line[..starts.find(outside_of_quotes).unwrap_or(line.len())]
}

/// The code of one module, be it a file or a folder.
pub(crate) fn code_of(module: &str) -> String {
    let (file, folder) = (format!("src/{module}.rs"), format!("src/{module}/"));
    let code: String = code()
        .into_iter()
        .filter(|found| found.path == file || found.path.starts_with(&folder))
        .map(|found| found.text)
        .collect();
    assert!(!code.is_empty(), "there is no module {module}");
    code
}

/// Names and key words, and the words in texts.
pub(crate) fn words(text: &str) -> BTreeSet<&str> {
    text.split(|c: char| !c.is_alphanumeric() && c != '_')
        .collect()
}

/// The files whose code has any of these in it.
pub(crate) fn files_with(any_of: &[&str]) -> Vec<String> {
    code()
        .into_iter()
        .filter(|file| any_of.iter().any(|part| file.text.contains(part)))
        .map(|file| file.path)
        .collect()
}
