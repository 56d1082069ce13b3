//! Wrong ways to handle errors, rejections and messages that cannot be read.

use super::mutants;

mutants! {
    /// What it would write down is lost with its transaction.
    a_failing_batch_raises,
    noticed by "failures::failing_batches::a_failing_batch_is_undone_alone_and_comes_back_after_a_growing_delay":
        in "functions/internal/run_batch" "if lead_mover.is_cancelled(v_sqlstate, v_error, v_context) then" => "if true then";

    a_failing_batch_comes_back_at_once,
    noticed by "failures::failing_batches::a_failing_batch_is_undone_alone_and_comes_back_after_a_growing_delay":
        in "functions/internal/record_failure" "else v_now + v_delay end" => "else v_now end";

    the_delay_does_not_grow,
    noticed by "failures::failing_batches::a_failing_batch_is_undone_alone_and_comes_back_after_a_growing_delay":
        in "functions/internal/record_failure" "interval '1 second' * 2 ^ least(v_lane.attempts - v_lane.waits - 1, 10)" => "interval '1 second'";

    attempts_are_not_counted,
    noticed by "failures::failing_batches::ten_attempts_after_growing_delays_end_the_move_as_failed":
        in "functions/internal/record_failure" "attempts = l.attempts + 1" => "attempts = l.attempts";

    it_never_gives_up,
    noticed by "failures::failing_batches::ten_attempts_after_growing_delays_end_the_move_as_failed":
        in "functions/internal/record_failure" "if v_lane.attempts - v_lane.waits >= c_most_attempts or" => "if";

    attempts_are_counted_through_progress,
    noticed by "failures::failing_batches::a_failing_batch_is_undone_alone_and_comes_back_after_a_growing_delay":
        in "functions/internal/record_batch"
        "attempts = case when v_lock_waits = 0 then 0 else l.attempts end," => "attempts = l.attempts,";

    a_statement_that_took_too_long_is_not_caught,
    noticed by "failures::timeouts::after_a_statement_timeout_the_next_batch_is_half_as_large":
        in "functions/internal/run_batch" "when query_canceled or assert_failure or others then" => "when assert_failure or others then";

    a_statement_that_took_too_long_was_cancelled,
    noticed by "failures::timeouts::after_a_statement_timeout_the_next_batch_is_half_as_large":
        in "functions/internal/is_cancelled" "p_error = 'canceling statement due to user request'" => "true";

    a_cancelled_statement_is_a_failure,
    noticed by "failures::timeouts::a_cancelled_statement_is_no_failure_of_the_move":
        in "functions/internal/is_cancelled" "p_sqlstate = '57014'" => "false";

    a_batch_that_took_too_long_is_tried_as_it_was,
    noticed by "failures::timeouts::after_a_statement_timeout_the_next_batch_is_half_as_large":
        in "functions/internal/record_failure"
        "batch_size = case when p_timed_out then greatest(least(p_size, l.batch_size) / 2, 1) else l.batch_size end" =>
        "batch_size = l.batch_size";

    batches_stay_small_after_a_timeout,
    noticed by "failures::failing_batches::batches_that_were_made_smaller_grow_back_to_the_moves_size":
        in "functions/internal/record_batch"
        "else lead_mover.grown_size(l, v_move.batch_size)" => "else l.batch_size";

    the_size_that_timed_out_is_tried_again,
    noticed by "failures::timed_out_sizes::a_size_that_timed_out_is_not_tried_again_at_once":
        in "functions/internal/grown_size" "p_lane.timed_out_at > clock_timestamp() - c_memory" => "false";

    a_time_out_is_remembered_for_ever,
    noticed by "failures::timed_out_sizes::the_size_grows_to_the_moves_own_when_the_time_out_is_long_ago":
        in "functions/internal/grown_size" "p_lane.timed_out_at > clock_timestamp() - c_memory" => "p_lane.timed_out_at is not null";

    locked_leads_are_looked_at_without_a_pause,
    noticed by "moves::user_locks::leads_locked_at_the_head_are_moved_once_unlocked":
        in "functions/internal/record_batch"
        "v_delay := lead_mover.lock_delay(v_lock_waits, p_result.next_id is null, v_skipped);" => "null;";

    a_deferred_constraint_speaks_at_the_commit,
    noticed by "failures::rejections::a_lead_that_would_be_rejected_only_at_commit_is_isolated_too":
        in "functions/internal/move_leads" "set constraints all immediate;" => "";

    a_rejected_lead_takes_its_neighbours_along,
    noticed by "failures::rejections::a_trigger_rejects_one_lead_of_a_hundred_and_the_rest_moves":
        in "functions/internal/bisect_leads"
        "if v_from = v_to then" => "if true then"
        "p_ids[v_from:v_from];" => "p_ids[v_from:v_to];"
        "p_sqlstates := p_sqlstates || v_sqlstate;" => "p_sqlstates := p_sqlstates || array_fill(v_sqlstate, array[v_to - v_from + 1]);"
        "p_errors := p_errors || v_error;" => "p_errors := p_errors || array_fill(v_error, array[v_to - v_from + 1]);";

    a_rejected_lead_fails_its_batch,
    noticed by "failures::rejections::a_trigger_rejects_one_lead_of_a_hundred_and_the_rest_moves":
        in "functions/internal/run_batch" "or lead_mover.error_kind(v_sqlstate) = 'lead' and" => "or false and";

    rejections_have_no_cap,
    noticed by "failures::rejection_limits::after_a_thousand_rejections_the_move_fails_and_lists_no_more":
        in "functions/internal/run_batch" "cardinality(v_result.rejected) >= v_most_rejections" => "false";

    rejections_of_a_large_run_have_no_cap,
    noticed by "failures::failing_moves::a_move_with_a_thousand_rejected_leads_stops_and_a_retry_moves_the_rest":
        in "functions/internal/run_batch"
        "c_most_rejections - v_work.rejected" => "v_work.total - v_work.rejected";

    the_cap_of_rejections_is_looked_at_after_the_batch,
    noticed by "failures::failing_moves::a_move_with_a_thousand_rejected_leads_stops_and_a_retry_moves_the_rest":
        in "functions/internal/bisect_leads" "and cardinality(p_rejected) < p_most_rejections" => "";

    leads_behind_the_cap_are_forgotten,
    noticed by "failures::failing_moves::a_move_with_a_thousand_rejected_leads_stops_and_a_retry_moves_the_rest":
        in "functions/internal/bisect_leads" "from unnest(v_todo) as stretch (r)" => "from unnest(v_todo[:0]) as stretch (r)";

    a_deadlock_is_held_against_the_lead,
    noticed by "failures::failing_batches::an_error_that_is_not_about_a_lead_rejects_none":
        in "functions/internal/error_kind" "'55P03', '40001', '40P01'" => "'55P03'" "'25', '40', " => "'25', ";

    an_error_of_the_server_is_held_against_the_lead,
    noticed by "failures::failing_batches::an_error_that_is_not_about_a_lead_rejects_none":
        in "functions/internal/error_kind" ", '57', 'XX')" => ", '57')";

    a_deadlock_among_the_halves_is_held_against_the_lead,
    noticed by "failures::failing_batches::a_deadlock_among_rejected_leads_undoes_the_batch":
        in "functions/internal/bisect_leads" "or not p_all_errors and lead_mover.error_kind(v_sqlstate) <> 'lead'" => "";

    a_message_that_cannot_be_read_raises,
    noticed by "queueing::archived_messages::messages_that_lack_keys_are_archived":
        in "functions/internal/adopt_message" "when query_canceled or assert_failure or others then" => "when division_by_zero then";

    a_message_that_cannot_be_read_comes_back,
    noticed by "queueing::archived_messages::messages_that_lack_keys_are_archived":
        in "functions/internal/adopt_message"
        "if v_sqlstate not like 'LM%' and left(v_sqlstate, 2) <> '22' then" => "if true then";

    a_message_that_cannot_be_read_is_deleted,
    noticed by "queueing::archived_messages::messages_that_lack_keys_are_archived":
        in "functions/internal/adopt_message" "perform pgmq.archive(" => "perform pgmq.delete(";

    a_message_that_cannot_be_adopted_now_is_tried_at_once,
    noticed by "failures::timeouts::a_message_whose_adoption_has_to_wait_does_not_hold_up_the_one_behind_it":
        in "functions/internal/adopt_message"
        "perform lead_mover.delay_message(p_message_id);" => "null;";

    an_adoption_waits_for_strangers,
    noticed by "failures::timeouts::a_message_whose_adoption_has_to_wait_does_not_hold_up_the_one_behind_it":
        in "functions/internal/adopt_message" "set lock_timeout = '50ms'\n" => "";

    what_a_message_says_is_believed,
    noticed by "queueing::messages::keys_that_claim_to_belong_to_another_move_are_ignored":
        in "functions/internal/lane_of_message" "      and l.message_id = p_message_id;" => ";";

    a_second_message_for_the_same_move_is_adopted,
    noticed by "queueing::archived_messages::a_message_for_a_run_that_is_active_to_the_same_target_is_a_duplicate":
        in "functions/internal/adopt_message" "if v_move.message_id = p_message_id and exists (" => "if v_move.migration_id is not null or exists (";

    a_move_that_waits_keeps_its_place,
    noticed by "failures::turns::a_small_move_comes_after_one_batch_that_waits":
        in "functions/internal/record_failure" "perform lead_mover.put_last(v_lane.migration_id);" => "null;";

    a_move_that_fails_has_all_workers,
    noticed by "failures::turns::a_move_whose_batches_fail_has_one_at_a_time":
        in "functions/internal/take_message" "continue when (p_work.lane).attempts > 0" => "continue when false";

    the_lock_stays_too_weak_for_what_a_trigger_writes,
    noticed by "keys::locks::a_lead_with_an_open_note_holds_up_no_other_where_a_trigger_writes_a_key":
        in "functions/internal/record_failure" "    set key_lock = true\n" => "    set key_lock = false\n";
}
