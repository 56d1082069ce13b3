//! Wrong ways to bring queue and ledger together again.

use super::mutants;

mutants! {
    nothing_is_repaired,
    noticed by "repairs::messages::a_call_that_finds_nothing_due_sends_what_is_missing":
        in "functions/internal/run_batch" "v_work.message_id is null and lead_mover.repair() > 0" => "false";

    queueing_again_repairs_nothing,
    noticed by "repairs::messages::what_belongs_to_another_move_is_left_alone":
        in "functions/internal/start_move" "perform lead_mover.repair(v_move.migration_id);" => "null;";

    a_message_without_a_delay_is_due_by_the_clock,
    noticed by "repairs::clock::what_has_no_delay_is_due_whatever_the_clock_says":
        in "functions/internal/send_lanes" "'epoch'::timestamptz" => "clock_timestamp()";

    messages_that_are_due_too_late_are_waited_for,
    noticed by "repairs::clock::messages_of_a_move_that_are_due_in_the_far_future_are_due_at_once":
        in "functions/internal/repair" "  set vt = 'epoch'\n  from late" => "  set vt = q.vt\n  from late";

    messages_that_are_never_due_are_left_alone,
    noticed by "repairs::clock::messages_of_a_move_that_are_due_in_the_far_future_are_due_at_once":
        in "functions/internal/repair" "    set vt = 'epoch'\n    from held" => "    set vt = q.vt\n    from held";

    the_row_of_a_move_that_a_batch_holds_is_waited_for,
    noticed by "repairs::messages::a_lost_message_is_sent_again_while_the_first_batch_of_its_move_is_open":
        in "functions/internal/send_lanes" "and m.message_id is null\n" => "\n" "and sent.lane = 1" => "";

    the_first_batch_locks_its_move_against_messages,
    noticed by "repairs::messages::a_lost_message_is_sent_again_while_the_first_batch_of_its_move_is_open":
        in "functions/internal/record_batch" "for no key update skip locked" => "for update skip locked";

    a_message_that_was_a_moves_is_taken_for_adopted,
    noticed by "repairs::edits::a_message_that_is_edited_before_its_first_batch_holds_up_nobody":
        in "functions/internal/adopt_message" "        and lead_mover.has_message(l)\n" => "" "        and l.message_id = p_message_id\n" => "";

    a_move_without_lanes_stays_active,
    noticed by "repairs::edits::a_move_whose_lanes_are_deleted_fails_and_can_be_queued_again":
        in "functions/internal/repair" "        true\n      )" => "        false\n      )";

    what_another_consumer_has_read_is_waited_for,
    noticed by "repairs::clock::a_message_that_another_consumer_has_read_is_due_at_once":
        in "functions/internal/longest_delay" "interval '10 seconds'" => "interval '10 minutes'";

    a_delay_of_an_application_is_cut_short,
    noticed by "repairs::clock::a_message_that_an_application_delays_and_one_of_a_paused_move_stay":
        in "functions/internal/repair" "q.enqueued_at > v_now + interval '1 minute'" => "true";

    a_missing_archive_stays_missing,
    noticed by "repairs::queue::queueing_a_run_makes_what_is_missing":
        in "functions/internal/ensure_queue" "v_tables = 2 and" => "v_tables > 0 and" "if v_tables < 2 then" => "if v_tables = 0 then";

    a_missing_trigger_stays_missing,
    noticed by "repairs::queue::queueing_a_run_makes_what_is_missing":
        in "functions/internal/ensure_queue" "v_tables = 2 and v_triggers = cardinality(c_functions)" => "v_tables = 2";
}
