//! One vocabulary: the terms of ARCHITECTURE.md, and none of the words that they replaced.

use crate::support::{File, texts_below};

/// Where the vocabulary is used.
const EVERYWHERE: [&str; 16] = [
    "src",
    "crates",
    "migrations",
    "tests",
    "benches",
    "docs",
    "grafana",
    "prometheus",
    "README.md",
    "README.pt-BR.md",
    "ARCHITECTURE.md",
    "CONTRIBUTING.md",
    "CHANGELOG.md",
    "Dockerfile",
    "Makefile",
    "docker-compose.yml",
];

/// Words and phrases in whatever case and form: `last moment` stands for `LAST_MOMENT` and `LastMoment` too.
const OLD_WORDS: &[&str] = &[
    // A lead is rejected, a message is archived.
    "refuse",
    "refuses",
    "refused",
    "refusing",
    "refusal",
    "refusals",
    "is refusal",
    "recusado",
    "recusados",
    "recusada",
    "recusadas",
    // A counted lead that needed no update is unchanged.
    "settled",
    "text for people",
    "move leads apart",
    "short way",
    "long way",
    // Waking and probing.
    "bell",
    "bells",
    "ear",
    "ears",
    "echo",
    "echoes",
    // Errors of the database.
    "said by the server",
    "is conflict",
    // A time-out is named after what times out.
    "patience",
    "last moment",
    // Doctor and commands.
    "circumstance",
    "circumstances",
    "examination",
    "examinations",
    "examine",
    "examined",
    "examines",
    "mend",
    "mends",
    "mended",
    "mending",
    "is well",
    "is not well",
    "not well",
    "obey",
    "obeys",
    "story",
    "stories",
    "chapter",
    "chapters",
    "guardian",
    "guardians",
    // Tests.
    "weather",
    "luck",
    "onlooker",
    "onlookers",
    "naive",
    "twin",
    "twins",
    "witness",
    "witnesses",
    // Prose.
    "know nothing of",
    "knows nothing of",
    "room",
    "rooms",
    "house",
    "people",
    "whoever",
    "somebody",
];

/// Names in exactly this form, where the same word is fine otherwise.
const OLD_NAMES: &[&str] = &[
    "p_migration",
    "v_migration",
    "start_migration",
    "fail_migration",
    "close_migration",
    "lock_active_migration",
    "lead_mover.migrations",
    "control_answer",
    "Outcome::Ended",
    "\"ended\"",
    "'ended'",
    "|ended",
    "DEADLINE",
    "Unanswered",
    "fn stay(",
    "fn tell(",
    "fn say(",
    "fn hear(",
    "fn ring(",
    "hearing.rs",
    "struct Calls",
    "Calls::",
];

/// Phrases with an old word in them that mean something else.
const OTHER_MEANINGS: &[&str] = &[
    // The operating system and PostgreSQL refuse connections.
    "connection refused",
    "refused connection",
    "refuses the connection",
    "refuse connections",
    // PostgreSQL's own option of psql.
    "echo all",
];

/// Files in which an old word means something else, and what.
const EXCEPTIONS: &[(&str, &str, &str)] = &[(
    "tests/it/architecture/vocabulary.rs",
    "",
    "it lists the words",
)];

#[test]
fn none_of_the_words_that_were_replaced_is_left() {
    let mut hits = Vec::new();
    for file in texts_below(&EVERYWHERE) {
        let path = spaced(&file.path);
        hits.extend(old_in(&file, &path, &file.path).map(|word| format!("{}: {word}", file.path)));
        let lines: Vec<String> = file.text.lines().map(spaced).collect();
        for (number, line) in file.text.lines().enumerate() {
            let normalised = &lines[number];
            hits.extend(
                old_in(&file, normalised, line)
                    .map(|word| format!("{}:{}: {word}: {}", file.path, number + 1, line.trim())),
            );
            // A phrase may go on in the next line.
            let Some(next) = lines.get(number + 1) else {
                continue;
            };
            let both = format!("{}{}", normalised.trim_end(), next);
            hits.extend(
                old_in(&file, &both, "")
                    .filter(|word| word.contains(' '))
                    .filter(|word| {
                        ![normalised, next]
                            .iter()
                            .any(|line| line.contains(&format!(" {word} ")))
                    })
                    .map(|word| format!("{}:{}: {word}: {} …", file.path, number + 1, line.trim())),
            );
        }
    }
    assert!(
        hits.is_empty(),
        "{} old words:\n{}",
        hits.len(),
        hits.join("\n")
    );
}

/// The old words and names in a line of a file. `spaced` is the same line as words.
fn old_in(file: &File, spaced: &str, line: &str) -> impl Iterator<Item = &'static str> {
    let mut spaced = spaced.to_owned();
    for phrase in OTHER_MEANINGS {
        spaced = spaced.replace(&format!(" {phrase} "), " … ");
    }
    let words = OLD_WORDS
        .iter()
        .filter(move |word| spaced.contains(&format!(" {word} ")));
    let line = line.to_owned();
    let names = OLD_NAMES.iter().filter(move |name| has_name(&line, name));
    let path = file.path.clone();
    words.chain(names).copied().filter(move |word| {
        !EXCEPTIONS.iter().any(|(excepted, which, _reason)| {
            *excepted == path && (which.is_empty() || which == word)
        })
    })
}

/// Whether a line has this name in it, and not only as a part of a longer one.
fn has_name(line: &str, name: &str) -> bool {
    let is_of_a_name = |c: char| c.is_alphanumeric() || c == '_';
    line.match_indices(name).any(|(start, _)| {
        let (before, after) = (&line[..start], &line[start + name.len()..]);
        let begins_earlier = name.starts_with(is_of_a_name) && before.ends_with(is_of_a_name);
        let ends_later = name.ends_with(is_of_a_name) && after.starts_with(is_of_a_name);
        !begins_earlier && !ends_later
    })
}

/// The words of a line in lower case, each between two spaces: those of `snake_case` and `CamelCase` names are
/// words too.
fn spaced(line: &str) -> String {
    let mut spaced = String::from(" ");
    let mut before = ' ';
    for character in line.chars() {
        let boundary =
            !character.is_alphanumeric() || character.is_uppercase() && before.is_lowercase();
        if boundary && !spaced.ends_with(' ') {
            spaced.push(' ');
        }
        if character.is_alphanumeric() {
            spaced.extend(character.to_lowercase());
        }
        before = character;
    }
    if !spaced.ends_with(' ') {
        spaced.push(' ');
    }
    spaced
}

#[test]
fn a_word_is_found_in_prose_and_in_names() {
    for (line, word) in [
        ("const LAST_MOMENT: Duration", "last moment"),
        ("let lastMoment = 1;", "last moment"),
        ("Outcome::Refused", "refused"),
        ("the lead is refused.", "refused"),
    ] {
        assert!(spaced(line).contains(&format!(" {word} ")), "{line}");
    }
    assert!(!spaced("ECONNREFUSED, roommates").contains(" room "));
    assert!(has_name("start_move(p_migration bigint)", "p_migration"));
    assert!(!has_name("undo(p_migration_id bigint)", "p_migration"));
}
