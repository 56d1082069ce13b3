//! Wrong ways to begin, share, stop and end a move.

use super::mutants;

mutants! {
    a_second_caller_meets_the_unique_index,
    noticed by "queueing::enqueue_races::fifty_callers_at_once_queue_one_move":
        in "functions/internal/start_move"
        "    on conflict (run_id) where status in ('pending', 'processing', 'paused') do nothing\n" => "";

    two_callers_at_once_queue_two_moves,
    noticed by "queueing::enqueue_races::fifty_callers_at_once_queue_one_move":
        in "functions/internal/start_move"
        "    on conflict (run_id) where status in ('pending', 'processing', 'paused') do nothing\n" => ""
        "select lead_mover.make_private(" =>
        "drop index lead_mover.moves_one_active_per_run; select lead_mover.make_private(";

    callers_queue_one_after_the_other,
    noticed by "queueing::enqueue_races::an_enqueue_waits_for_no_enqueue_of_another_run":
        in "functions/internal/start_move"
        "  v_run_name := lead_mover.check_target(" =>
        "  perform pg_advisory_xact_lock(4711); v_run_name := lead_mover.check_target(";

    an_active_move_is_answered_whatever_its_target,
    noticed by "queueing::enqueue::what_cannot_be_queued_raises_the_contracts_sqlstates_and_changes_nothing":
        in "functions/internal/start_move"
        "if v_move.funnel_id is not distinct from v_funnel_id and v_move.column_id = p_column_id then" => "if true then";

    a_column_of_another_funnel_will_do,
    noticed by "queueing::enqueue::what_cannot_be_queued_raises_the_contracts_sqlstates_and_changes_nothing":
        in "functions/internal/target_exists" "\n      and funnel_id is not distinct from p_funnel_id" => "";

    a_message_that_was_adopted_is_sent_again,
    noticed by "queueing::messages::a_message_with_the_least_that_is_needed_moves_all_leads":
        in "functions/internal/send_lanes" "      and l.message_id is null\n" => "";

    the_target_is_checked_only_at_the_start,
    noticed by "moves::target_deleted::a_target_deleted_half_way_fails_the_move":
        in "functions/internal/why_impossible" "not lead_mover.target_exists(" => "false and not lead_mover.target_exists(";

    a_message_keeps_its_place,
    noticed by "moves::batches::moves_take_turns":
        in "functions/internal/record_batch" "      msg_id = default,\n" => "";

    putting_back_is_sending,
    noticed by "controls::resume::resume_notifies_once_at_commit_and_pause_does_not":
        in "functions/internal/record_batch"
        "    update pgmq.q_lead_migration_queue q
    set
      msg_id = default,
      read_ct = default,
      enqueued_at = default,
      vt = case" =>
        "    insert into pgmq.q_lead_migration_queue as sent (vt, message)
    select q.vt, q.message from pgmq.q_lead_migration_queue q where q.msg_id = p_work.message_id
    returning sent.msg_id into v_message_id;
    delete from pgmq.q_lead_migration_queue q where q.msg_id = p_work.message_id;

    update pgmq.q_lead_migration_queue q
    set vt = case"
        "    where q.msg_id = p_work.message_id\n    returning" => "    where q.msg_id = v_message_id\n    returning";

    every_batch_notifies,
    noticed by "controls::resume::resume_notifies_once_at_commit_and_pause_does_not":
        in "triggers/lead_migration_queued" "after insert on" => "after insert or update on";

    the_message_says_what_it_said,
    noticed by "queueing::enqueue::the_message_in_the_queue_has_the_contracts_shape":
        in "functions/internal/record_batch"
        "        'status', 'processing',
        'progress', " =>
        "        'the first batch', ";

    a_message_that_is_held_is_waited_for,
    noticed by "controls::cancel::an_undecided_cancel_does_not_hold_up_other_moves":
        in "functions/internal/take_message" "    for update skip locked;" => "    for update;";

    a_batch_waits_for_who_stops_its_move,
    noticed by "controls::cancel_races::a_cancel_waits_for_every_lanes_running_batch":
        in "functions/internal/take_message"
        "continue when not pg_try_advisory_xact_lock_shared(lead_mover.lock_key((p_work.move).migration_id));" =>
        "perform pg_advisory_xact_lock_shared(lead_mover.lock_key((p_work.move).migration_id));";

    a_batch_takes_no_lock,
    noticed by "controls::cancel::a_cancel_waits_for_the_running_batch_and_nothing_moves_after_it":
        in "functions/internal/take_message"
        "continue when not pg_try_advisory_xact_lock_shared(lead_mover.lock_key((p_work.move).migration_id));" => "";

    a_cancel_takes_no_lock,
    noticed by "controls::cancel::a_cancel_waits_for_the_running_batch_and_nothing_moves_after_it":
        in "functions/internal/lock_active_move"
        "  perform pg_advisory_xact_lock(lead_mover.lock_key(v_move.migration_id));\n" => "";

    what_ended_meanwhile_is_cancelled,
    noticed by "controls::cancel_races::a_cancel_that_meets_the_last_batch_finds_the_move_completed":
        in "functions/internal/lock_active_move"
        "    and m.status in ('pending', 'processing', 'paused')\n  for update;" => "  for update;";

    one_lock_for_all_moves,
    noticed by "controls::cancel::an_undecided_cancel_does_not_hold_up_other_moves":
        in "functions/internal/lock_key" " | p_migration_id" => "";

    a_cancel_deletes_the_message_and_leaves_the_ledger,
    noticed by "controls::cancel::the_result_has_the_contracts_keys_and_values":
        in "functions/internal/close_move"
        "  where m.migration_id = p_migration_id;\nend" => "  where false;\nend";

    /// Without the move's lock they are what a batch that ends the move waits for.
    a_cancel_deletes_every_message_of_the_run,
    noticed by "controls::cancel_races::a_cancel_and_a_batch_that_ends_the_move_as_failed_do_not_wait_for_each_other":
        in "functions/internal/lock_sent_messages"
        "(lead_mover.lane_of_message(q.msg_id, q.message)).message_id is null" => "true"
        "(lead_mover.lane_of_message(v_sent.msg_id, v_sent.message)).message_id is null" => "true";

    a_run_is_spelled_in_one_way,
    noticed by "queueing::untaken_messages::cancelled_however_the_runs_id_is_written":
        in "functions/internal/lock_sent_messages"
        "lead_mover.run_of_message(q.message) = p_run_id" => "q.message ->> 'run_id' = p_run_id::text";

    a_batch_that_fails_its_move_waits_for_the_others,
    noticed by "failures::failing_moves::batches_that_must_fail_their_move_at_once_leave_the_end_to_the_next":
        in "functions/internal/fail_move"
        "  if pg_try_advisory_xact_lock(lead_mover.lock_key(p_migration_id)) then" =>
        "  perform pg_advisory_xact_lock(lead_mover.lock_key(p_migration_id)); if true then";

    a_batch_that_fails_its_move_does_not_mind_the_others,
    noticed by "failures::failing_moves::batches_that_must_fail_their_move_at_once_leave_the_end_to_the_next":
        in "functions/internal/fail_move"
        "  if pg_try_advisory_xact_lock(lead_mover.lock_key(p_migration_id)) then" => "  if true then";

    messages_of_a_failed_move_are_deleted,
    noticed by "failures::failing_batches::ten_attempts_after_growing_delays_end_the_move_as_failed":
        in "functions/internal/close_move" "if p_status = 'failed' then" => "if false then";

    a_finished_lane_ends_the_move,
    noticed by "moves::lanes::a_lane_that_ends_leaves_the_move_to_the_others":
        in "functions/internal/record_batch" "if v_open_lanes = 0 then" => "if v_open_lanes >= 0 then";

    lanes_that_end_at_once_leave_the_end_to_each_other,
    noticed by "moves::lanes::lanes_that_end_at_once_end_the_move":
        in "functions/internal/record_batch"
        "    update lead_mover.moves m
    set
      open_lanes = m.open_lanes - 1,
      failure = coalesce(m.failure, v_failure)
    where m.migration_id = v_move.migration_id
    returning m.open_lanes, m.failure
    into v_open_lanes, v_failure;" =>
        "    select count(*) into v_open_lanes from lead_mover.lanes l
    where l.migration_id = v_move.migration_id and l.finished_at is null;";

    a_paused_move_is_only_put_off,
    noticed by "controls::pause::a_paused_move_stays_where_it_is_even_if_its_message_is_made_due":
        in "functions/internal/take_message" "    continue when (p_work.move).status not in ('pending', 'processing');\n" => "";

    resume_makes_the_messages_due_again,
    noticed by "controls::resume::resume_notifies_once_at_commit_and_pause_does_not":
        in "functions/internal/resume_move"
        "    delete from pgmq.q_lead_migration_queue q
    using lead_mover.lanes l" =>
        "    update pgmq.q_lead_migration_queue q
    set vt = clock_timestamp()
    from lead_mover.lanes l"
        "      message_id = null,\n" => ""
        "    perform lead_mover.send_lanes(v_move.migration_id);\n" => "";

    /// Instead of where the old move stopped.
    retry_begins_at_the_beginning,
    noticed by "controls::retry::leads_that_a_user_moved_on_since_are_not_retried":
        in "functions/internal/retry_move"
        "      l.next_id,\n" =>
        "      (select first.id from lead_mover.leads first where first.run_id = p_run_id order by first.id limit 1),\n";

    retry_forgets_the_rejected_leads,
    noticed by "controls::retry::the_rejected_leads_of_a_finished_move_are_retried_alone":
        in "functions/internal/retry_move" "v_rejected := lead_mover.rejected_keys(v_old.migration_id, v_rejected);" => "v_rejected := '{}';";

    retry_forgets_the_locked_leads,
    noticed by "controls::retry::leads_that_were_locked_when_the_move_failed_are_retried":
        in "functions/internal/retry_move" "and s.lane = l.lane\n" => "and s.lane = l.lane and false\n"
        "        l.skipped_leads,\n" => "        0,\n";

    retry_does_not_ask_who_else_retries,
    noticed by "controls::retry_without_effect::a_retry_that_waited_for_another_enqueue_reports_that_the_move_is_active":
        in "functions/internal/retry_move"
        "    on conflict (run_id) where status in ('pending', 'processing', 'paused') do nothing\n" => "";

    every_end_updates_one_row,
    noticed by "moves::finished_counts_races::sessions_that_end_moves_at_once_do_not_wait_for_each_other":
        in "functions/internal/count_finished_moves"
        "      having sum(changed.moves) <> 0;" =>
        "      having sum(changed.moves) <> 0
      on conflict (id) do update set moves = finished_counts.moves + excluded.moves;"
        "      select changed.status, sum(changed.moves)" => "      overriding system value select changed.status, sum(changed.moves), 1"
        "    when 'UPDATE' then
      insert into lead_mover.finished_counts (status, moves)" =>
        "    when 'UPDATE' then
      insert into lead_mover.finished_counts (status, moves, id)";

    a_fold_waits_for_another,
    noticed by "moves::finished_counts_races::folding_waits_for_no_move_that_ends_and_no_end_waits_for_folding":
        in "functions/internal/fold_finished_counts" "    for update skip locked" => "    for update";

    a_fold_keeps_the_rows_that_it_has_summed_up,
    noticed by "moves::finished_counts::samples_fold_many_rows_into_few_and_leave_few_as_they_are":
        in "functions/internal/fold_finished_counts" "where t.id = c.id" => "where t.id = c.id and c.id % 2 = 0";

    an_active_move_is_counted_when_it_is_removed,
    noticed by "moves::finished_counts::whatever_changes_the_table_is_counted":
        in "functions/internal/count_finished_moves"
        "      where o.finished_at is not null\n      group by" => "      group by";

    a_function_is_left_to_everybody,
    noticed by "rights::privileges::nobody_may_execute_any_function_but_service_role":
        in "functions/public/cancel_lead_migration"
        "create or replace function public.cancel_lead_migration(" =>
        "drop function public.cancel_lead_migration;
         create function public.cancel_lead_migration("
        "select lead_mover.make_private('public.cancel_lead_migration');" => "";

    an_internal_function_is_left_to_everybody,
    noticed by "rights::privileges::nobody_may_execute_any_function_but_service_role":
        in "functions/internal/move_leads"
        "create or replace function lead_mover.move_leads(" =>
        "drop function lead_mover.move_leads;
         create function lead_mover.move_leads("
        "select lead_mover.make_private('lead_mover.move_leads');" => "";

    a_function_runs_with_its_callers_rights,
    noticed by "rights::privileges::service_role_may_call_all_nine":
        in "functions/public/process_lead_migration_batch" "security definer\n" => "";

    a_function_runs_with_its_callers_search_path,
    noticed by "rights::shadowing_objects::no_function_and_no_batch_uses_a_shadowing_object":
        in "functions/public/queue_lead_migration" "set search_path = pg_catalog, pg_temp\n" => "";

    the_heart_runs_with_its_callers_search_path,
    noticed by "rights::shadowing_objects::no_function_and_no_batch_uses_a_shadowing_object":
        in "functions/internal/process_batch" "set search_path = pg_catalog, pg_temp\n" => "";

    temporary_objects_are_found_first,
    noticed by "rights::hostile_names::temporary_objects_of_the_caller_are_looked_up_nowhere":
        in "functions/internal/start_move" "set search_path = pg_catalog, pg_temp\n" => "set search_path = ''\n";
}
