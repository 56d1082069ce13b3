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

/// The sources of the product, without tests and comments.
pub(crate) fn code() -> Vec<File> {
    let mut files = files_below("src", "rs");
    assert!(files.len() > 20, "the sources are not where they were");
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
