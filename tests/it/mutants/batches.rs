//! Wrong ways to take a batch, and to move it.

use super::mutants;

mutants! {
    /// Locked leads make a batch a short one, too.
    a_short_batch_is_the_last,
    noticed by "moves::user_locks::leads_locked_at_the_head_are_moved_once_unlocked":
        in "functions/internal/record_batch"
        "v_ended := p_result.next_id is null and v_skipped = 0;" => "v_ended := p_result.moved < v_lane.batch_size;";

    locked_leads_are_forgotten,
    noticed by "moves::user_locks::leads_locked_at_the_tail_are_moved_once_unlocked":
        in "functions/internal/move_batch"
        "v_result.waiting := v_result.waiting || v_batch.p_left;" => "null;";

    the_batch_size_of_a_call_is_taken_as_it_is,
    noticed by "moves::batches::a_number_caps_the_batch_for_that_call_only":
        in "functions/internal/run_batch"
        "least(p_batch_size, (v_work.lane).batch_size)" => "coalesce(p_batch_size, (v_work.lane).batch_size)";

    an_explicit_null_is_no_default,
    noticed by "queueing::enqueue::missing_parameters_raise_an_error_and_a_null_batch_size_is_the_default":
        in "functions/internal/start_move"
        "coalesce(p_batch_size, 100)" => "p_batch_size";

    the_end_of_a_lane_is_no_limit,
    noticed by "moves::user_changes::leads_added_behind_the_last_stay_where_they_are":
        in "functions/internal/lock_next_leads" "      and l.id <= p_last_id\n" => ""
        in "functions/internal/next_leads" "      and l.id <= p_last_id\n" => "";

    /// Null is not the target, and not different from it either.
    null_is_not_counted,
    noticed by "moves::user_changes::leads_that_were_placed_nowhere_are_moved_like_any_other":
        in "functions/internal/start_move" " is distinct from " => " <> ";

    null_is_not_moved,
    noticed by "moves::user_changes::leads_that_were_placed_nowhere_are_moved_like_any_other":
        in "functions/internal/lock_next_leads" " is distinct from " => " <> ";

    null_is_not_moved_past_locked_leads,
    noticed by "moves::user_changes::leads_that_were_placed_nowhere_are_moved_like_any_other":
        in "functions/internal/lock_leads" " is distinct from " => " <> ";

    null_is_not_looked_for_past_locked_leads,
    noticed by "moves::user_changes::leads_that_were_placed_nowhere_are_moved_like_any_other":
        in "functions/internal/next_leads" " is distinct from " => " <> "
        in "functions/internal/leads_left" " is distinct from " => " <> ";

    for_update_locks_out_notes,
    noticed by "moves::user_locks::a_note_added_under_a_lead_does_not_hold_up_its_move":
        in "functions/internal/lock_next_leads" "for no key update of l nowait" => "for update of l nowait"
        in "functions/internal/lock_leads" "for no key update of l skip locked" => "for update of l skip locked";

    locked_leads_are_waited_for,
    noticed by "moves::user_locks::leads_locked_at_the_head_are_moved_once_unlocked":
        in "functions/internal/lock_next_leads" "for no key update of l nowait" => "for no key update of l";

    locked_leads_are_waited_for_by_a_batch_that_passes_them,
    noticed by "moves::user_locks::leads_locked_at_the_head_are_moved_once_unlocked":
        in "functions/internal/lock_leads" "for no key update of l skip locked" => "for no key update of l";

    leads_at_the_target_are_written,
    noticed by "moves::user_changes::a_lead_that_a_user_put_at_the_target_before_its_turn_is_not_written":
        in "functions/internal/lock_next_leads"
        "      and (funnel_id is distinct from p_funnel_id or l.column_id is distinct from p_column_id)\n"
        => "";

    leads_that_came_to_the_target_while_locked_are_written,
    noticed by "moves::user_locks::what_the_holder_of_a_lock_did_is_respected":
        in "functions/internal/lock_leads"
        "        and (funnel_id is distinct from p_funnel_id or l.column_id is distinct from p_column_id)\n"
        => "";

    leads_that_left_the_run_while_locked_are_written,
    noticed by "moves::user_locks::what_the_holder_of_a_lock_did_is_respected":
        in "functions/internal/lock_leads"
        "      where l.run_id = p_run_id\n        and l.run_id between p_run_id and p_run_id\n        and" => "      where"
        in "functions/internal/open_update"
        "        where l.run_id = p_run_id\n          and l.run_id between p_run_id and p_run_id\n          and" => "        where";

    /// Whatever is not at the target yet: also what users have moved on.
    each_batch_looks_from_the_beginning,
    noticed by "moves::user_changes::a_lead_that_a_user_moved_on_after_its_batch_stays_there":
        in "functions/internal/lock_next_leads" "      and l.id >= p_first_id\n" => ""
        in "functions/internal/next_leads" "      and l.id >= p_first_id\n" => "";

    rows_that_were_written_count_as_moved,
    noticed by "triggers::standing::a_lead_that_a_trigger_puts_elsewhere_is_listed":
        in "functions/internal/move_leads"
        "p_moved := v_standing.p_at_target;" => "p_moved := cardinality(v_written);"
        "p_rejected := v_standing.p_elsewhere;" =>
        "p_rejected := array(select unnest(p_ids) except select unnest(v_written));";

    an_update_that_a_trigger_suppressed_counts,
    noticed by "failures::rejections::a_trigger_that_suppresses_the_update_rejects_the_lead":
        in "functions/internal/move_leads"
        "p_moved := v_standing.p_at_target;" => "p_moved := cardinality(p_ids);"
        "p_rejected := v_standing.p_elsewhere;" => "p_rejected := p_ids[:0];";

    what_a_deferred_trigger_does_is_not_looked_at,
    noticed by "triggers::standing::a_lead_that_a_trigger_puts_elsewhere_is_listed":
        in "functions/internal/move_leads"
        "        set constraints all immediate;\n" => "        null;\n";

    a_strong_lock_is_never_needed,
    noticed by "keys::locks::a_lead_with_an_open_note_holds_up_no_other_whatever_the_indexes":
        in "functions/internal/needs_key_lock" "return exists (" => "return false and exists (";

    keys_of_partitions_are_no_keys,
    noticed by "keys::locks::leads_in_partitions_of_their_columns_are_moved_from_one_to_the_other":
        in "functions/internal/needs_key_lock"
        "and (c.attnum = any (k.partattrs) or k.partexprs is not null)" => "and false";

    /// Those that are gone, or were put there by a user, are in no batch.
    leads_that_were_never_met_are_waited_for,
    noticed by "moves::user_changes::leads_deleted_before_their_turn_are_gone_and_the_counts_add_up":
        in "functions/internal/record_batch"
        "v_uncounted := v_lane.moved + v_lane.rejected + v_lane.unchanged + v_done - v_lane.total;" =>
        "v_uncounted := 0;";
}
