//! The SQL files of `migrations/`, as they are built into the binary.

use sha2::{Digest, Sha256};

/// One SQL file.
#[derive(Debug, Clone, Copy)]
pub(crate) struct SqlFile {
    /// Its path below `migrations/`, by which the database remembers it.
    pub(crate) path: &'static str,
    /// Its text.
    pub(crate) text: &'static str,
}

impl SqlFile {
    /// SHA-256 of the text, in lower-case hexadecimal.
    pub(crate) fn checksum(&self) -> String {
        Sha256::digest(self.text)
            .iter()
            .fold(String::new(), |hex, byte| hex + &format!("{byte:02x}"))
    }

    /// The schema and the name of the function that it makes, if it makes one.
    pub(crate) fn function(&self) -> Option<(&'static str, &'static str)> {
        let (directory, file) = self.path.strip_prefix("functions/")?.split_once('/')?;
        let schema = match directory {
            "internal" => "lead_mover",
            other => other,
        };
        Some((schema, file.strip_suffix(".sql")?))
    }
}

macro_rules! sql_files {
    ($($path:literal),* $(,)?) => {
        &[$(SqlFile { path: $path, text: include_str!(concat!("../../migrations/", $path)) }),*]
    };
}

/// Files of earlier versions: a database that remembers one is not a newer version's.
pub(crate) const REMOVED: &[&str] = &[
    "functions/internal/is_rejection.sql",
    "functions/internal/move_range.sql",
];

/// Tables, types and indexes: applied once, in this order, and never edited once released.
pub(crate) const VERSIONED: &[SqlFile] = sql_files![
    "versioned/0001_ledger.sql",
    "versioned/0002_locked_batches.sql",
    "versioned/0003_counts_of_finished_moves.sql",
    "versioned/0004_ids_of_any_type.sql",
    "versioned/0005_announcements.sql",
];

/// Views and functions: applied again whenever their text has changed. Views come first, because
/// functions use their row types.
pub(crate) const LIVING: &[SqlFile] = sql_files![
    "views/progress.sql",
    "functions/internal/active_moves.sql",
    "functions/internal/adopt_message.sql",
    "functions/internal/announce.sql",
    "functions/internal/announce_status.sql",
    "functions/internal/begin_scheduled_run.sql",
    "functions/internal/bisect_leads.sql",
    "functions/internal/change_of_status.sql",
    "functions/internal/check_mapping.sql",
    "functions/internal/check_queue.sql",
    "functions/internal/check_rights.sql",
    "functions/internal/check_server.sql",
    "functions/internal/check_service.sql",
    "functions/internal/check_target.sql",
    "functions/internal/close_move.sql",
    "functions/internal/constraints_hold.sql",
    "functions/internal/control_result.sql",
    "functions/internal/count_finished_moves.sql",
    "functions/internal/delay_message.sql",
    "functions/internal/doctor.sql",
    "functions/internal/ensure_queue.sql",
    "functions/internal/error_kind.sql",
    "functions/internal/fail_move.sql",
    "functions/internal/fold_finished_counts.sql",
    "functions/internal/grown_size.sql",
    "functions/internal/has_funnels.sql",
    "functions/internal/has_message.sql",
    "functions/internal/has_timed_out.sql",
    "functions/internal/has_update_rules.sql",
    "functions/internal/hint_to_repeat.sql",
    "functions/internal/is_cancelled.sql",
    "functions/internal/is_of_the_target.sql",
    "functions/internal/key_text.sql",
    "functions/internal/lane_of_message.sql",
    "functions/internal/lead_columns.sql",
    "functions/internal/leads_left.sql",
    "functions/internal/lock_active_move.sql",
    "functions/internal/lock_delay.sql",
    "functions/internal/lock_key.sql",
    "functions/internal/lock_leads.sql",
    "functions/internal/lock_next_leads.sql",
    "functions/internal/lock_sent_messages.sql",
    "functions/internal/longest_delay.sql",
    "functions/internal/longest_wait.sql",
    "functions/internal/message.sql",
    "functions/internal/move_batch.sql",
    "functions/internal/move_leads.sql",
    "functions/internal/needs_key_lock.sql",
    "functions/internal/next_due_seconds.sql",
    "functions/internal/next_leads.sql",
    "functions/internal/next_message_id.sql",
    "functions/internal/notify_queued.sql",
    "functions/internal/open_update.sql",
    "functions/internal/own_constraints_hold.sql",
    "functions/internal/own_constraints_immediate.sql",
    "functions/internal/printable.sql",
    "functions/internal/process_batch.sql",
    "functions/internal/put_behind.sql",
    "functions/internal/put_last.sql",
    "functions/internal/read_sample.sql",
    "functions/internal/record_batch.sql",
    "functions/internal/record_failure.sql",
    "functions/internal/record_lost_batch.sql",
    "functions/internal/record_skipped.sql",
    "functions/internal/reject_skipped_lead.sql",
    "functions/internal/rejected_keys.sql",
    "functions/internal/repair.sql",
    "functions/internal/retry_lock_key.sql",
    "functions/internal/run_batch.sql",
    "functions/internal/run_of_message.sql",
    "functions/internal/sample.sql",
    "functions/internal/schedule.sql",
    "functions/internal/scheduled_command.sql",
    "functions/internal/send_lanes.sql",
    "functions/internal/set_announcements.sql",
    "functions/internal/standing_of_leads.sql",
    "functions/internal/start_move.sql",
    "functions/internal/take_message.sql",
    "functions/internal/target_exists.sql",
    "functions/internal/unschedule.sql",
    "functions/internal/why_impossible.sql",
    "functions/public/cancel_lead_migration.sql",
    "functions/public/get_lead_migration_progress.sql",
    "functions/public/get_lead_migration_queue_status.sql",
    "functions/public/get_lead_migration_rejections.sql",
    "functions/public/pause_lead_migration.sql",
    "functions/public/process_lead_migration_batch.sql",
    "functions/public/queue_lead_migration.sql",
    "functions/public/resume_lead_migration.sql",
    "functions/public/retry_lead_migration.sql",
];

/// Triggers: applied last, because one needs the queue, and like views and functions again whenever their text
/// has changed.
pub(crate) const TRIGGERS: &[SqlFile] = sql_files![
    "triggers/finished_moves_counted_on_delete.sql",
    "triggers/finished_moves_counted_on_insert.sql",
    "triggers/finished_moves_counted_on_truncate.sql",
    "triggers/finished_moves_counted_on_update.sql",
    "triggers/lead_migration_queued.sql",
    "triggers/moves_announced.sql",
];

/// The text between the `$$` of an internal function: a query that can be sent by itself. Empty where there is
/// no such function.
pub(crate) fn function_body(name: &str) -> &'static str {
    LIVING
        .iter()
        .find(|file| file.function() == Some(("lead_mover", name)))
        .and_then(|file| file.text.split("\n$$;").next()?.split("as $$\n").nth(1))
        .unwrap_or_default()
}

/// All files that a database remembers, in the order in which they are applied.
pub(crate) fn recorded() -> impl Iterator<Item = &'static SqlFile> {
    VERSIONED.iter().chain(LIVING).chain(TRIGGERS)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::path::Path;

    use super::*;
    use crate::schema::each_time::{
        BOOTSTRAP, CLOSING, EXAMPLE_SCHEMA, IDS, KEYS, MAPPING, MAPPING_CHECKS, NEEDED_RIGHTS,
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
            CLOSING,
            EXAMPLE_SCHEMA,
            IDS,
            KEYS,
            MAPPING,
            MAPPING_CHECKS,
            NEEDED_RIGHTS,
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
}
