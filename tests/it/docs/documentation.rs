//! What operators read: every link leads somewhere, every alert has its section, every command exists.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use crate::support::{command, files_below, finish};

const RUNBOOK: &str = include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/runbook.md"));

/// A page and its text.
struct Page {
    path: PathBuf,
    text: String,
}

/// Every page of the repository's root, of `docs/` and of `migrations/`.
fn pages() -> Vec<Page> {
    let package = Path::new(env!("CARGO_MANIFEST_DIR"));
    let entries = fs::read_dir(package).expect("the root");
    let mut paths: Vec<PathBuf> = entries
        .map(|entry| entry.expect("an entry").path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "md"))
        .collect();
    assert!(paths.len() >= 4, "{paths:?}");
    for directory in ["docs", "migrations"] {
        let files = files_below(directory, "md");
        paths.extend(files.iter().map(|file| package.join(&file.path)));
    }
    paths
        .into_iter()
        .map(|path| Page {
            text: fs::read_to_string(&path).expect("UTF-8"),
            path,
        })
        .collect()
}

/// A page's text without its blocks of code.
pub(crate) fn prose(text: &str) -> String {
    text.split("```").step_by(2).collect()
}

/// The names that GitHub gives a page's headings.
fn anchors(text: &str) -> BTreeSet<String> {
    prose(text)
        .lines()
        .filter(|line| line.starts_with('#'))
        .map(|line| {
            line.trim_start_matches('#')
                .trim()
                .to_lowercase()
                .chars()
                .filter(|letter| letter.is_alphanumeric() || [' ', '-', '_'].contains(letter))
                .map(|letter| if letter == ' ' { '-' } else { letter })
                .collect()
        })
        .collect()
}

#[test]
fn every_link_to_a_file_or_heading_leads_somewhere() {
    let (mut links, mut broken) = (0, Vec::new());
    for page in pages() {
        let directory = page.path.parent().expect("a directory");
        for link in prose(&page.text).split("](").skip(1) {
            let (link, _) = link.split_once(')').expect("it is closed");
            if link.starts_with("http") {
                continue;
            }
            links += 1;
            let (file, anchor) = link.split_once('#').unwrap_or((link, ""));
            let target = match file {
                "" => page.path.clone(),
                file => directory.join(file),
            };
            let leads_somewhere = target.exists()
                && (anchor.is_empty() || {
                    let text = fs::read_to_string(&target).expect("UTF-8");
                    anchors(&text).contains(anchor)
                });
            if !leads_somewhere {
                broken.push(format!("{}: {link}", page.path.display()));
            }
        }
    }
    assert_eq!(broken, Vec::<String>::new());
    assert!(links > 100, "only {links}");
}

/// An engineer who looks for what ARCHITECTURE.md names finds it.
#[test]
fn every_path_that_the_architecture_names_is_there() {
    let package = Path::new(env!("CARGO_MANIFEST_DIR"));
    let text = fs::read_to_string(package.join("ARCHITECTURE.md")).expect("UTF-8");
    let (mut paths, mut missing) = (0, Vec::new());
    for word in prose(&text).split('`').skip(1).step_by(2) {
        let within = [
            "src/",
            "crates/",
            "migrations/",
            "tests/",
            "prometheus/",
            "grafana/",
            "docs/",
        ];
        // `NAME` stands for a file that is still to be written.
        if within.iter().any(|start| word.starts_with(start)) && !word.contains("NAME") {
            paths += 1;
            if !package.join(word).exists() {
                missing.push(word.to_owned());
            }
        }
    }
    assert_eq!(missing, Vec::<String>::new());
    assert!(paths > 30, "only {paths}");
}

#[test]
fn every_alert_has_its_section_in_the_runbook_and_no_section_is_left_over() {
    let rules: String = files_below("prometheus/rules", "yml")
        .into_iter()
        .map(|file| file.text)
        .collect();
    let of = |before: &str| -> BTreeSet<String> {
        rules
            .lines()
            .filter_map(|line| line.trim_start().strip_prefix(before))
            .map(ToOwned::to_owned)
            .collect()
    };
    let alerts = of("- alert: ");
    assert!(alerts.len() >= 7, "{alerts:?}");
    let sections: BTreeSet<String> = RUNBOOK
        .lines()
        .filter_map(|line| line.strip_prefix("## "))
        .map(ToOwned::to_owned)
        .collect();
    assert_eq!(alerts, sections);

    let addresses = alerts
        .iter()
        .map(|alert| format!("docs/runbook.md#{}", alert.to_lowercase()));
    assert_eq!(of("runbook_url: "), addresses.collect());
    for section in RUNBOOK.split("\n## ").skip(1) {
        for part in ["**Means.**", "**Users notice.**", "**Look.**", "**Do.**"] {
            assert!(section.contains(part), "{part} in {section}");
        }
    }
}

#[test]
fn alerts_that_dashboards_name_are_there() {
    for file in files_below("grafana/dashboards", "json") {
        for (start, before) in file.text.match_indices("alert LeadMover") {
            let rest = &file.text[start + before.len()..];
            let end = rest
                .find(|letter: char| !letter.is_alphanumeric())
                .expect("an end");
            let name = format!("LeadMover{}", &rest[..end]);
            assert!(RUNBOOK.contains(&format!("\n## {name}\n")), "{name}");
        }
    }
}

#[tokio::test]
async fn the_commands_of_the_documentation_are_commands() {
    let mut commands = BTreeSet::new();
    for page in pages() {
        let blocks = page.text.split("```").skip(1).step_by(2);
        let prose = prose(&page.text);
        let inline = prose.split('`').skip(1).step_by(2);
        for line in blocks.flat_map(str::lines).chain(inline) {
            if let Some(called) = line.trim_start().strip_prefix("lead-mover ") {
                let end = called.find(|letter: char| !letter.is_ascii_lowercase());
                commands.insert(called[..end.unwrap_or(called.len())].to_owned());
            }
        }
    }
    assert!(commands.len() > 8, "{commands:?}");
    for name in commands {
        let finished = finish(&mut command(&[&name, "--help"])).await;
        assert_eq!(finished.status, Some(0), "{name}: {finished:?}");
    }
}
