//! Wrong ways to run the lead table's triggers, and to handle what they do.

use super::mutants;

mutants! {
    triggers_do_not_find_their_tables,
    noticed by "rights::hostile_names::triggers_of_the_crm_find_their_tables_without_naming_the_schema":
        in "functions/internal/move_leads" "pg_catalog, public, extensions, pg_temp" => "pg_catalog, pg_temp";

    triggers_wait_for_a_millisecond_only,
    noticed by "triggers::settings::a_trigger_that_has_to_wait_for_a_row_waits_as_in_an_update":
        in "functions/internal/move_leads"
        "set search_path = pg_catalog, public, extensions, pg_temp\n" =>
        "set search_path = pg_catalog, public, extensions, pg_temp\nset lock_timeout = '1ms'\n";

    triggers_run_with_the_batchs_planner_settings,
    noticed by "triggers::settings::triggers_see_no_other_setting_than_search_path_changed":
        in "functions/internal/move_leads"
        "set search_path = pg_catalog, public, extensions, pg_temp\n" =>
        "set search_path = pg_catalog, public, extensions, pg_temp\nset enable_mergejoin = off\n";

    triggers_run_without_the_sessions_commit,
    noticed by "triggers::settings::triggers_see_no_other_setting_than_search_path_changed":
        in "functions/internal/run_batch"
        "v_result := lead_mover.move_batch(" =>
        "perform set_config('synchronous_commit', 'off', true); v_result := lead_mover.move_batch(";

    only_sqlstates_of_leads_are_looked_for_in_leads,
    noticed by "triggers::sqlstates::one_lead_of_300_is_listed_and_the_others_move":
        in "functions/internal/run_batch"
        "      (v_work.lane).attempts >= c_failures_before\n      or lead_mover" => "      lead_mover";

    an_unclear_error_is_held_against_no_lead,
    noticed by "triggers::sqlstates::one_lead_of_300_is_listed_and_the_others_move":
        in "functions/internal/bisect_leads"
        "or not p_all_errors and lead_mover.error_kind(v_sqlstate) <> 'lead'" =>
        "or lead_mover.error_kind(v_sqlstate) <> 'lead'";

    a_failed_assertion_is_not_caught,
    noticed by "triggers::raised::a_failed_assertion_is_recorded":
        in "functions/internal/run_batch" "when query_canceled or assert_failure or others then" => "when query_canceled or others then";

    whatever_has_the_sqlstate_of_a_cancel_is_one,
    noticed by "triggers::raised::a_trigger_that_reports_a_cancelled_query_is_no_cancel":
        in "functions/internal/is_cancelled"
        "\n    and split_part(p_context, E'\\n', 1) !~ ' RAISE$'" => "";

    errors_while_a_batch_is_recorded_are_raised,
    noticed by "triggers::recording::an_error_while_a_message_is_put_back_fails_the_batch_alone":
        in "functions/internal/run_batch"
        "        v_recorded := lead_mover.record_batch(
          v_work, v_result, cardinality(v_result.rejected) >= v_most_rejections, p_asynchronous
        );
" => ""
        "        leads_remaining := v_recorded.p_remaining;
        pickup_seconds := v_recorded.p_pickup_seconds;
" => ""
        "    exit when v_sqlstate is null or" =>
        "    if v_sqlstate is null then
      v_recorded := lead_mover.record_batch(
        v_work, v_result, cardinality(v_result.rejected) >= v_most_rejections, p_asynchronous
      );
      leads_remaining := v_recorded.p_remaining;
      pickup_seconds := v_recorded.p_pickup_seconds;
    end if;

    exit when v_sqlstate is null or";

    a_failure_that_cannot_be_recorded_is_raised,
    noticed by "triggers::recording::a_ledger_that_cannot_be_written_delays_the_message":
        in "functions/internal/run_batch" "perform lead_mover.delay_message(message_id);" => "raise;";

    a_cancel_within_the_batch_is_overwritten,
    noticed by "triggers::controls::a_trigger_may_cancel_its_own_move_in_the_last_batch_of_the_service":
        in "functions/internal/record_batch" "if v_status in ('cancelled', 'failed') then" => "if false then";

    a_pause_within_the_batch_is_overlooked,
    noticed by "triggers::controls::a_trigger_may_pause_its_own_move":
        in "functions/internal/record_batch" "when v_status = 'paused' then 'infinity'" => "when false then 'infinity'"
        "status = case m.status when 'pending' then 'processing' else m.status end" => "status = 'processing'";

    old_plans_are_kept,
    noticed by "triggers::old_plans::a_column_whose_type_changes_rejects_no_lead_in_a_session_that_has_moved_some":
        in "functions/internal/run_batch" "      discard plans;\n" => "";

    the_applications_own_constraints_are_held_against_leads,
    noticed by "transactions::constraints::a_constraint_that_the_application_satisfies_later_rejects_no_lead":
        in "functions/internal/run_batch"
        "elsif v_constraints = 'deferred' and not lead_mover.constraints_hold() then" => "elsif false then";

    constraints_stay_immediate_after_the_call,
    noticed by "transactions::constraints::constraints_are_still_deferred_after_the_call":
        in "functions/internal/move_leads"
        "      raise exception using errcode = 'LM0RB', message = c_rollback;\n" => "";

    rules_are_not_looked_for,
    noticed by "triggers::rules::a_rule_that_keeps_a_history_fires":
        in "functions/internal/has_update_rules" "return exists (" => "return false and exists (";

    the_lead_tables_constraints_are_left_alone_with_the_applications,
    noticed by "transactions::constraints::a_lead_that_a_deferred_trigger_puts_elsewhere_is_listed_while_a_constraint_is_open":
        in "functions/internal/run_batch" "v_constraints := 'own';" => "v_constraints := 'unchecked';";

    every_error_with_the_sqlstate_of_our_own_is_taken_for_it,
    noticed by "triggers::raised::errors_of_the_server_within_a_trigger_are_recorded":
        in "functions/internal/move_leads" "if sqlerrm <> c_rollback then" => "if false then";

    a_cancel_of_another_session_is_taken_for_one_of_this,
    noticed by "triggers::raised::a_cancel_of_another_session_is_recorded":
        in "functions/internal/is_cancelled" "remote SQL command: |while .* on" => "nothing: |nothing on";
}
