//! Wrong ways to tell of a move while it goes on, and to have `pg_cron` move its leads.

use super::mutants;

mutants! {
    only_ordinary_errors_of_realtime_are_caught,
    noticed by "announcements::realtime::an_error_of_realtime_fails_no_batch_and_no_call":
        in "functions/internal/announce" "query_canceled or assert_failure or others" => "others";

    progress_is_sent_by_every_batch,
    noticed by "announcements::realtime::a_move_of_many_lanes_sends_its_progress_at_most_once_a_second":
        in "functions/internal/announce" "not between v_now - c_interval and v_now" => "is not null"
        in "functions/internal/record_batch" "not between date_trunc('second', v_now) and v_now" => "is not null";

    an_adopted_message_is_not_told,
    noticed by "announcements::events::a_message_that_an_application_sent_is_notified_when_it_is_adopted":
        in "triggers/moves_announced" " or (old.message_id is null and new.message_id is not null)" => "";

    a_run_of_the_schedule_is_one_transaction,
    noticed by "schedule::command::a_run_moves_all_that_is_due_in_a_transaction_a_batch":
        in "functions/internal/scheduled_command" "    commit;\n" => "";

    a_move_starts_when_the_run_of_the_schedule_did,
    noticed by "schedule::command::a_move_that_is_queued_during_a_run_does_not_start_before_it_was_queued":
        in "functions/internal/record_batch"
        "greatest(statement_timestamp(), transaction_timestamp())" => "statement_timestamp()";
}
