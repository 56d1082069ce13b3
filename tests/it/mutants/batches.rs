//! Wrong ways to take a batch, and to move it.

use super::mutants;

mutants! {
    /// Locked leads make a batch a short one, too.
    a_short_batch_is_the_last,
    noticed by "moves::user_locks::leads_locked_at_the_head_are_moved_once_unlocked":
        in "functions/internal/record_batch"
        "p_lane.next_id is null and cardinality(p_lane.skipped) = 0;" =>
        "p_moved < p_lane.batch_size;";

    locked_leads_are_forgotten,
    noticed by "moves::user_locks::leads_locked_at_the_tail_are_moved_once_unlocked":
        in "functions/internal/move_batch"
        "p_lane.skipped := p_lane.skipped || v_batch.p_skipped;" => "null;";

    locked_leads_are_moved_once_unlocked_all_at_once,
    noticed by "moves::user_locks::a_move_all_of_whose_leads_are_locked_waits_for_them":
        in "functions/internal/move_batch"
        "v_page := p_lane.skipped[:p_limit];" => "v_page := p_lane.skipped;"
        "p_lane.skipped := p_lane.skipped[p_limit + 1:];" => "p_lane.skipped := '{}';";

    the_batch_size_of_a_call_is_taken_as_it_is,
    noticed by "moves::batches::a_number_caps_the_batch_for_that_call_only":
        in "functions/internal/process_batch"
        "least(p_batch_size, v_lane.batch_size)" => "coalesce(p_batch_size, v_lane.batch_size)";

    an_explicit_null_is_no_default,
    noticed by "queueing::enqueue::missing_parameters_raise_an_error_and_a_null_batch_size_is_the_default":
        in "functions/internal/start_move"
        "coalesce(p_batch_size, 100)" => "p_batch_size";

    the_end_of_a_lane_is_no_limit,
    noticed by "moves::user_changes::leads_added_behind_the_last_stay_where_they_are":
        in "functions/internal/move_range"
        "      and l.id operator(pg_catalog.<=) p_last_id\n" => ""
        "offset p_limit - 1 limit 1), p_last_id)" =>
        "offset p_limit - 1 limit 1), (select page.id from page order by page.id desc limit 1))";

    /// Null is not the target, and not different from it either.
    null_is_not_counted,
    noticed by "moves::user_changes::leads_that_were_placed_nowhere_are_moved_like_any_other":
        in "functions/internal/start_move" " is distinct from " => " <> ";

    null_is_not_moved,
    noticed by "moves::user_changes::leads_that_were_placed_nowhere_are_moved_like_any_other":
        in "functions/internal/move_range" " is distinct from " => " <> ";

    null_is_not_moved_past_locked_leads,
    noticed by "moves::user_changes::leads_that_were_placed_nowhere_are_moved_like_any_other":
        in "functions/internal/move_leads" " is distinct from " => " <> ";

    null_is_not_looked_for_past_locked_leads,
    noticed by "moves::user_changes::leads_that_were_placed_nowhere_are_moved_like_any_other":
        in "functions/internal/move_batch" " is distinct from " => " <> ";

    for_update_locks_out_notes,
    noticed by "moves::user_locks::a_note_added_under_a_lead_does_not_hold_up_its_move":
        in "functions/internal/move_leads" "for no key update of l skip locked" => "for update of l skip locked";

    locked_leads_are_waited_for,
    noticed by "moves::user_locks::leads_locked_at_the_head_are_moved_once_unlocked":
        in "functions/internal/move_leads" "for no key update of l skip locked" => "for no key update of l";

    the_fast_path_waits_for_locked_leads,
    noticed by "moves::user_locks::leads_locked_at_the_head_are_moved_once_unlocked":
        in "functions/internal/move_range" "set lock_timeout = '1ms'\n" => "";

    leads_at_the_target_are_written,
    noticed by "moves::user_changes::a_lead_that_a_user_put_at_the_target_before_its_turn_is_not_written":
        in "functions/internal/move_range"
        "      and (l.funnel_id is distinct from p_move.funnel_id or l.column_id is distinct from p_move.column_id)\n"
        => "";

    leads_that_came_to_the_target_while_locked_are_written,
    noticed by "moves::user_locks::what_the_holder_of_a_lock_did_is_respected":
        in "functions/internal/move_leads"
        "      and (l.funnel_id is distinct from p_move.funnel_id or l.column_id is distinct from p_move.column_id)\n"
        => "";

    leads_that_left_the_run_while_locked_are_written,
    noticed by "moves::user_locks::what_the_holder_of_a_lock_did_is_respected":
        in "functions/internal/move_leads"
        "where l.run_id = p_move.run_id\n      and" => "where"
        "and l.run_id = p_move.run_id\n      and" => "and";

    /// Whatever is not at the target yet: also what users have moved on.
    each_batch_looks_from_the_beginning,
    noticed by "moves::user_changes::a_lead_that_a_user_moved_on_after_its_batch_stays_there":
        in "functions/internal/move_range" "      and l.id operator(pg_catalog.>=) p_first_id\n" => "";

    a_batch_past_locked_leads_looks_from_the_beginning,
    noticed by "moves::user_changes::a_lead_that_a_user_moved_on_after_its_batch_stays_there":
        in "functions/internal/move_batch" "        and l.id >= p_lane.next_id\n" => "";

    an_update_that_a_trigger_suppressed_counts,
    noticed by "failures::rejections::a_trigger_that_suppresses_the_update_rejects_the_lead":
        in "functions/internal/move_range" "p_moved < v_expected" => "false";

    an_update_that_a_trigger_suppressed_is_tried_for_ever,
    noticed by "failures::rejections::a_trigger_that_suppresses_the_update_rejects_the_lead":
        in "functions/internal/move_leads" "p_moved < v_held" => "false";

    triggers_do_not_find_their_tables,
    noticed by "rights::hostile_names::triggers_of_the_crm_find_their_tables_without_naming_the_schema":
        in "functions/internal/move_range" "pg_catalog, public, extensions, pg_temp" => "pg_catalog, pg_temp"
        in "functions/internal/move_leads" "pg_catalog, public, extensions, pg_temp" => "pg_catalog, pg_temp";

    /// Those that are gone, or were put there by a user, are in no batch.
    leads_that_were_never_met_are_waited_for,
    noticed by "moves::user_changes::leads_deleted_before_their_turn_are_gone_and_the_counts_add_up":
        in "functions/internal/record_batch"
        "v_uncounted := p_lane.moved + p_lane.rejected + p_lane.unchanged + v_done - p_lane.total;" =>
        "v_uncounted := 0;";
}
