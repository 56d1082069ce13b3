//! What operators read: every link leads somewhere, every alert has its section, and what is to be run can
//! be run.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use crate::retry::failed_move;
use crate::support::{Database, command, files_below, finish, worker};

const RUNBOOK: &str = include_str!("../../docs/runbook.md");

/// A page and its text.
struct Page {
    path: PathBuf,
    text: String,
}

fn pages() -> Vec<Page> {
    let package = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut paths: Vec<PathBuf> = files_below("docs", "md")
        .iter()
        .map(|file| package.join(&file.path))
        .collect();
    for name in [
        "README.md",
        "README.pt-BR.md",
        "ARCHITECTURE.md",
        "CHANGELOG.md",
        "CONTRIBUTING.md",
        "SECURITY.md",
        "migrations/README.md",
    ] {
        paths.push(package.join(name));
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
fn prose(text: &str) -> String {
    text.split("```").step_by(2).collect()
}

/// The blocks of code in that language, with examples in the place of what stands for something.
fn blocks<'text>(text: &'text str, language: &'text str) -> impl Iterator<Item = String> {
    text.split("```")
        .skip(1)
        .step_by(2)
        .filter_map(move |block| block.strip_prefix(language)?.strip_prefix('\n'))
        .map(|block| {
            block
                .replace("'<run>'", "'a0000000-0000-4000-8000-000000000001'")
                .replace("'<move>'", "'1'")
                .replace("lead_mover_worker", &worker())
        })
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
    let mut links = 0;
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
            assert!(target.exists(), "{}: {link}", page.path.display());
            if !anchor.is_empty() {
                let text = fs::read_to_string(&target).expect("UTF-8");
                assert!(
                    anchors(&text).contains(anchor),
                    "{}: {link}",
                    page.path.display()
                );
            }
        }
    }
    assert!(links > 30, "only {links}");
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
async fn the_sql_of_the_documentation_runs() {
    let database = Database::new().await;
    failed_move(&database, &database.crm().await).await;
    let guide = include_str!("../../docs/from-the-edge-function.md");
    let mut statements: Vec<String> = blocks(RUNBOOK, "sql").collect();
    statements.extend(blocks(guide, "sql"));
    assert!(statements.len() > 14, "only {}", statements.len());

    for statement in statements {
        // There is no pg_cron here.
        if statement.contains("cron.job") {
            continue;
        }
        database.run(&format!("begin; {statement}; rollback")).await;
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
