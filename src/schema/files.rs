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
    "versioned/0006_rights.sql",
];

/// Views and functions: applied again whenever their text has changed. Views come first, because
/// functions use their row types.
pub(crate) const LIVING: &[SqlFile] = sql_files![
    "views/progress.sql",
    "views/requests.sql",
    "functions/internal/act_on_request.sql",
    "functions/internal/active_moves.sql",
    "functions/internal/actor.sql",
    "functions/internal/adopt_message.sql",
    "functions/internal/adopt_sent_message.sql",
    "functions/internal/allows.sql",
    "functions/internal/announce.sql",
    "functions/internal/announce_status.sql",
    "functions/internal/apply_openings.sql",
    "functions/internal/begin_scheduled_run.sql",
    "functions/internal/bisect_leads.sql",
    "functions/internal/cancel_move.sql",
    "functions/internal/change_of_status.sql",
    "functions/internal/check_caller.sql",
    "functions/internal/check_exposure.sql",
    "functions/internal/check_leads_of_request.sql",
    "functions/internal/check_mapping.sql",
    "functions/internal/check_queue.sql",
    "functions/internal/check_request.sql",
    "functions/internal/check_rights.sql",
    "functions/internal/check_sender.sql",
    "functions/internal/check_server.sql",
    "functions/internal/check_service.sql",
    "functions/internal/check_target.sql",
    "functions/internal/close_move.sql",
    "functions/internal/close_to.sql",
    "functions/internal/constraints_hold.sql",
    "functions/internal/control_result.sql",
    "functions/internal/count_finished_moves.sql",
    "functions/internal/count_leads.sql",
    "functions/internal/count_seen_leads.sql",
    "functions/internal/delay_message.sql",
    "functions/internal/doctor.sql",
    "functions/internal/ensure_queue.sql",
    "functions/internal/error_kind.sql",
    "functions/internal/fail_move.sql",
    "functions/internal/fold_finished_counts.sql",
    "functions/internal/grants_of_action.sql",
    "functions/internal/grown_size.sql",
    "functions/internal/has_funnels.sql",
    "functions/internal/has_message.sql",
    "functions/internal/has_timed_out.sql",
    "functions/internal/has_update_rules.sql",
    "functions/internal/hint_to_repeat.sql",
    "functions/internal/is_cancelled.sql",
    "functions/internal/is_of_the_target.sql",
    "functions/internal/is_trusted.sql",
    "functions/internal/keep_message.sql",
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
    "functions/internal/may_move_a_lead.sql",
    "functions/internal/message.sql",
    "functions/internal/move_batch.sql",
    "functions/internal/move_leads.sql",
    "functions/internal/name_sender.sql",
    "functions/internal/needs_key_lock.sql",
    "functions/internal/next_due_seconds.sql",
    "functions/internal/next_leads.sql",
    "functions/internal/next_message_id.sql",
    "functions/internal/notify_queued.sql",
    "functions/internal/open_to.sql",
    "functions/internal/open_update.sql",
    "functions/internal/opened_objects.sql",
    "functions/internal/own_constraints_hold.sql",
    "functions/internal/own_constraints_immediate.sql",
    "functions/internal/pause_move.sql",
    "functions/internal/printable.sql",
    "functions/internal/process_batch.sql",
    "functions/internal/put_behind.sql",
    "functions/internal/put_last.sql",
    "functions/internal/queue_move.sql",
    "functions/internal/raise_no_column.sql",
    "functions/internal/raise_no_run.sql",
    "functions/internal/raise_not_allowed.sql",
    "functions/internal/read_sample.sql",
    "functions/internal/record_batch.sql",
    "functions/internal/record_failure.sql",
    "functions/internal/record_lost_batch.sql",
    "functions/internal/record_skipped.sql",
    "functions/internal/reject_skipped_lead.sql",
    "functions/internal/rejected_keys.sql",
    "functions/internal/repair.sql",
    "functions/internal/resume_move.sql",
    "functions/internal/retry_lock_key.sql",
    "functions/internal/retry_move.sql",
    "functions/internal/run_batch.sql",
    "functions/internal/run_of_message.sql",
    "functions/internal/sample.sql",
    "functions/internal/schedule.sql",
    "functions/internal/scheduled_command.sql",
    "functions/internal/sees_run.sql",
    "functions/internal/send_lanes.sql",
    "functions/internal/set_announcements.sql",
    "functions/internal/standing_of_leads.sql",
    "functions/internal/start_move.sql",
    "functions/internal/take_message.sql",
    "functions/internal/target_exists.sql",
    "functions/internal/undo.sql",
    "functions/internal/unschedule.sql",
    "functions/internal/views_of_owner.sql",
    "functions/internal/why_impossible.sql",
    "functions/internal/write_as_caller.sql",
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
    "policies/ledger.sql",
    "triggers/finished_moves_counted_on_delete.sql",
    "triggers/finished_moves_counted_on_insert.sql",
    "triggers/finished_moves_counted_on_truncate.sql",
    "triggers/finished_moves_counted_on_update.sql",
    "triggers/lead_migration_kept.sql",
    "triggers/lead_migration_named.sql",
    "triggers/lead_migration_queued.sql",
    "triggers/lead_migration_sent.sql",
    "triggers/moves_announced.sql",
    "triggers/requests_1_checked.sql",
    "triggers/requests_2_done.sql",
    "triggers/requests_3_counted.sql",
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
mod tests;
