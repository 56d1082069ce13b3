//! Which module or crate must not depend on which, and what each dependency is for.

use std::collections::BTreeSet;

use crate::support::{code, code_of, crates, files_below, words};

/// The modules of the package that the code of a module names.
fn modules_used_by(module: &str) -> BTreeSet<String> {
    let code = code_of(module);
    let (mut modules, mut rest) = (BTreeSet::new(), code.as_str());
    while let Some((_, after)) = rest.split_once("crate::") {
        let names = match after.strip_prefix('{') {
            Some(list) => list.split('}').next().expect("a list"),
            None => after
                .split([';', ',', ')', ' ', '('])
                .next()
                .expect("a path"),
        };
        for name in names.split(',') {
            let name = name.trim().split("::").next().expect("a name");
            modules.insert(name.to_owned());
        }
        rest = after;
    }
    modules
}

#[test]
fn no_module_depends_on_one_that_it_must_not_depend_on() {
    let service = [
        "app",
        "supervisor",
        "shutdown",
        "listener",
        "wake",
        "worker",
        "pipeline",
        "report",
        "sampler",
        "health",
        "metrics",
        "http",
        "retry",
        "timings",
    ];
    for (module, forbidden) in [
        (
            "listener",
            &["queue", "worker", "pipeline", "sampler", "http"][..],
        ),
        ("worker", &["listener", "http", "config", "sampler"]),
        ("pipeline", &["worker", "http", "listener"]),
        ("sampler", &["worker", "http", "listener"]),
        ("http", &["worker", "listener", "migrate", "doctor"]),
        ("health", &["worker", "http", "listener", "queue"]),
        ("report", &["worker", "http", "listener"]),
        ("wake", &["worker", "http", "listener", "queue"]),
        ("error", &["queue", "worker", "http", "listener", "metrics"]),
        ("schema", &["migrate", "doctor"]),
        ("schema", &service),
        ("migrate", &service),
        ("migrate", &["queue", "doctor"]),
        ("queue", &service),
        ("queue", &["migrate", "doctor"]),
        (
            "doctor",
            &["worker", "http", "pipeline", "sampler", "migrate"],
        ),
    ] {
        let used = modules_used_by(module);
        for other in forbidden.iter().chain(&["cli"]) {
            assert!(!used.contains(*other), "{module} depends on {other}");
        }
    }
}

#[test]
fn the_crates_must_not_depend_on_lead_mover() {
    for manifest in crates()
        .into_iter()
        .flat_map(|folder| files_below(&folder, "toml"))
    {
        for line in dependencies(&manifest.text) {
            assert!(!line.starts_with("lead-mover"), "{}: {line}", manifest.path);
        }
    }
    for file in code() {
        if file.path.starts_with("crates/") {
            let product = words(&file.text)
                .into_iter()
                .find(|word| word.starts_with("lead_"));
            assert_eq!(product, None, "{}", file.path);
        }
    }
}

#[test]
fn only_the_crates_that_need_an_async_runtime_depend_on_one_and_none_on_sqlx() {
    let dependents = |dependency: &str| -> Vec<String> {
        manifests()
            .into_iter()
            .filter(|(_, text)| {
                dependencies(text).any(|line| {
                    line.split_once(" = ")
                        .is_some_and(|(name, _)| name == dependency)
                })
            })
            .map(|(path, _)| path)
            .collect()
    };
    assert_eq!(
        dependents("tokio"),
        ["Cargo.toml", "crates/pg-connection/Cargo.toml"]
    );
    assert_eq!(dependents("sqlx"), Vec::<String>::new());
    assert_eq!(dependents("pgmq"), ["crates/pgmq-installer/Cargo.toml"]);
    assert_eq!(dependents("backoff"), ["Cargo.toml"]);
}

#[test]
fn each_dependency_says_what_it_is_for() {
    for (path, text) in manifests() {
        let (mut section, mut before) = ("", "");
        let mut found = 0;
        for line in text.lines() {
            if line.starts_with('[') {
                section = line;
            } else if is_dependency(section, line) {
                // The table of the workspace has one comment for all of them.
                let shared =
                    section == "[workspace.dependencies]" && is_dependency(section, before);
                assert!(
                    shared || before.starts_with("# ") && !before.starts_with("# ---"),
                    "{path}: no reason stands above: {line}"
                );
                found += 1;
            }
            before = line;
        }
        assert!(found >= 1, "{path}: the dependencies are in another table");
    }
}

/// The path and text of each manifest of the workspace.
fn manifests() -> Vec<(String, String)> {
    let crates = files_below("crates", "toml").into_iter();
    let mut manifests = vec![(
        "Cargo.toml".to_owned(),
        include_str!("../../../Cargo.toml").to_owned(),
    )];
    manifests.extend(crates.map(|file| (file.path, file.text)));
    assert!(manifests.len() >= 4, "the crates are in another folder");
    manifests
}

/// The lines of a manifest that declare dependencies of the package; not those of the workspace.
fn dependencies(manifest: &str) -> impl Iterator<Item = &str> {
    let mut section = "";
    manifest.lines().filter(move |line| {
        if line.starts_with('[') {
            section = line;
        }
        section != "[workspace.dependencies]" && is_dependency(section, line)
    })
}

fn is_dependency(section: &str, line: &str) -> bool {
    section.ends_with("dependencies]") && line.contains(" = ") && !line.starts_with('#')
}
