//! A progress bar for each move on a terminal, plain lines elsewhere.

use std::collections::BTreeMap;
use std::io::IsTerminal as _;

use indicatif::{MultiProgress, ProgressBar, ProgressStyle};

use super::output::print_line;
use crate::queue::Progress;

/// Bars by move, in the order in which they were first shown.
#[derive(Default)]
pub(super) struct Bars {
    screen: MultiProgress,
    drawn: BTreeMap<i64, ProgressBar>,
    lines: BTreeMap<i64, String>,
}

impl Bars {
    /// Shows these moves as they are now.
    pub(super) fn show(&mut self, moves: &[Progress]) {
        for progress in moves {
            if std::io::stderr().is_terminal() {
                self.show_bar(progress);
            } else {
                self.show_line(progress);
            }
        }
    }

    fn show_bar(&mut self, progress: &Progress) {
        let bar = self
            .drawn
            .entry(progress.migration_id)
            .or_insert_with(|| self.screen.add(ProgressBar::new(0).with_style(style())));
        bar.set_prefix(name(progress).to_owned());
        bar.set_length(progress.total.unsigned_abs());
        bar.set_position(progress.total.abs_diff(progress.remaining));
        bar.set_message(pace(progress));
        if progress.is_finished() && !bar.is_finished() {
            bar.abandon();
        }
    }

    /// Prints a line only where it differs from the last one.
    fn show_line(&mut self, progress: &Progress) {
        let line = line(progress);
        if self.lines.get(&progress.migration_id) != Some(&line) {
            print_line(&line);
            self.lines.insert(progress.migration_id, line);
        }
    }
}

/// One move on one line.
pub(super) fn line(progress: &Progress) -> String {
    format!(
        "{:>6}  {}  {:>5.1}%  {}/{}  {}",
        progress.migration_id,
        name(progress),
        progress.percent,
        progress.moved,
        progress.total,
        pace(progress)
    )
}

fn name(progress: &Progress) -> &str {
    progress.run_name.as_deref().unwrap_or("(no name)")
}

fn pace(progress: &Progress) -> String {
    let parts = [
        Some(progress.status.clone()),
        progress
            .leads_per_second
            .map(|rate| format!("{rate:.0} leads/s")),
        progress.eta_seconds.map(|eta| format!("{eta:.0} s left")),
        (progress.rejected > 0).then(|| format!("{} rejected", progress.rejected)),
        progress
            .last_error
            .as_ref()
            .map(|error| format!("({error})")),
    ];
    parts.into_iter().flatten().collect::<Vec<_>>().join("  ")
}

fn style() -> ProgressStyle {
    // The template is a constant; were it wrong, a plain bar would do.
    ProgressStyle::with_template("{prefix:34!} [{bar:32}] {pos:>5}/{len:<5} {msg}")
        .unwrap_or_else(|_| ProgressStyle::default_bar())
        .progress_chars("=> ")
}
