//! The pages that are there in Portuguese too: the same content, one page long where it has to be, and the
//! words that Brazilian users search for.

use std::fs;
use std::path::Path;

use crate::docs::documentation::prose;

/// English and Portuguese.
const PAIRS: [(&str, &str); 5] = [
    ("README.md", "README.pt-BR.md"),
    ("docs/use.md", "docs/use.pt-BR.md"),
    ("docs/mapping.md", "docs/mapping.pt-BR.md"),
    ("docs/settings.md", "docs/settings.pt-BR.md"),
    ("docs/upgrade.md", "docs/upgrade.pt-BR.md"),
];

fn text(page: &str) -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(page)).expect("it is there")
}

/// A page's blocks of code with a language, without comments: what is to be run, or its result.
fn code(page: &str) -> Vec<String> {
    let text = text(page);
    let blocks = text.split("```").skip(1).step_by(2);
    blocks
        .filter(|block| ["sql", "sh", "json"].contains(&block.lines().next().unwrap_or_default()))
        .flat_map(str::lines)
        .map(|line| {
            let code = line.split(" -- ").next().unwrap_or_default();
            code.split(" # ")
                .next()
                .unwrap_or_default()
                .trim()
                .to_owned()
        })
        .collect()
}

/// The levels of a page's headings, and the numbers of cells of the rows of its tables.
fn shape(page: &str) -> Vec<usize> {
    prose(&text(page))
        .lines()
        .filter(|line| line.starts_with(['#', '|']))
        .map(|line| match line.split(' ').next().unwrap_or_default() {
            level if level.starts_with('#') => level.len(),
            _ => 100 + line.split(" | ").count(),
        })
        .collect()
}

#[test]
fn the_readme_fits_on_a_page_in_both_languages() {
    for page in ["README.md", "README.pt-BR.md"] {
        let lines = text(page).lines().count();
        assert!(lines <= 120, "{page} has {lines} lines");
    }
}

#[test]
fn both_languages_have_the_same_sections_tables_statements_and_commands() {
    for (english, portuguese) in PAIRS {
        assert_eq!(code(english), code(portuguese), "{english}");
        assert_eq!(shape(english), shape(portuguese), "{english}");
        for (page, other) in [(english, portuguese), (portuguese, english)] {
            let name = other.rsplit('/').next().expect("a name");
            assert!(
                text(page).contains(&format!("({name})")),
                "{page} does not lead to {name}"
            );
        }
    }
}

#[test]
fn portuguese_prose_has_the_usual_words_for_rights_rejections_and_roles() {
    for (_, page) in PAIRS {
        let text = prose(&text(page)).to_lowercase();
        // Without what is in back-ticks: names, and messages as they are printed.
        let words: String = text.split('`').step_by(2).collect();
        for (unusual, usual) in [
            ("direito", "permissão"),
            ("recusa", "rejeita"),
            ("papel", "role"),
            ("partida", "inicialização"),
            ("batch", "lote"),
            ("read-only", "somente leitura"),
        ] {
            assert!(
                !words.contains(unusual),
                "{page} has {unusual:?}: write {usual:?}"
            );
        }
    }
    let readme = text("README.pt-BR.md");
    for said_once in ["extração = `run`", "funil = `funnel`", "coluna = `column`"] {
        assert_eq!(readme.matches(said_once).count(), 1, "{said_once}");
    }
}
