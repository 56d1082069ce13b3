//! Mutants of the rights: what a caller may do and see.

use super::mutants;

mutants! {
    every_caller_is_trusted,
    noticed by "rights::tenants::only_what_is_allowed_happens":
        in "functions/internal/check_request"
        "  if lead_mover.is_trusted(v_opening) then" => "  if true then";

    a_run_that_is_not_seen_is_one,
    noticed by "rights::tenants::only_what_is_allowed_happens":
        in "functions/internal/check_caller"
        "  p_is_seen := exists (select from lead_mover.runs r where r.id = p_run_id);" => "  p_is_seen := true;";

    hidden_leads_are_moved_too,
    noticed by "rights::callers::a_run_is_moved_only_by_who_may_move_each_of_its_leads":
        in "functions/internal/check_leads_of_request" "  if new.total > new.leads_seen then" => "  if false then";

    policies_for_updates_are_not_asked,
    noticed by "rights::callers::a_run_is_moved_only_by_who_may_move_each_of_its_leads":
        in "functions/internal/count_seen_leads" "  if not v_has_update_policy then" => "  if true then";

    no_lead_is_tried,
    noticed by "rights::callers::a_run_is_moved_only_by_who_may_move_each_of_its_leads":
        in "functions/internal/may_move_a_lead"
        "      when insufficient_privilege then
        return false;" => "      when insufficient_privilege then
        return true;";

    the_function_of_the_operator_is_not_asked,
    noticed by "rights::callers::a_run_is_moved_only_by_who_may_move_each_of_its_leads":
        in "functions/internal/check_caller"
        "    or not lead_mover.allows(p_action, p_run_id, p_funnel_id, p_column_id)\n" => "";

    a_column_that_is_not_seen_is_one,
    noticed by "rights::callers::leads_are_moved_to_a_column_that_the_caller_sees":
        in "functions/internal/check_caller"
        "  if p_column_id is not null and not exists (" => "  if false and not exists (";

    a_sender_is_not_checked,
    noticed by "rights::tenants::only_what_is_allowed_happens":
        in "functions/internal/check_sender" "  if lead_mover.is_trusted('queue') then" => "  if true then";

    a_message_may_be_changed_by_its_sender,
    noticed by "rights::callers::sql_of_a_tenants_own_shows_and_does_no_more_than_the_functions":
        in "functions/internal/keep_message"
        "  if not has_schema_privilege('lead_mover', 'usage') or not lead_mover.is_trusted('queue') then" => "  if false then";

    every_move_is_seen,
    noticed by "rights::tenants::only_what_is_allowed_happens":
        in "functions/internal/sees_run" "      where r.id = p_move.run_id\n    )" => "      where r.id = p_move.run_id\n    ) is not null";

    who_asks_is_the_role,
    noticed by "rights::callers::who_asked_is_kept_with_the_move":
        in "functions/internal/actor" "coalesce(nullif(v_subject, ''), current_user::text)" => "current_user::text";

    nothing_is_closed,
    noticed by "doctor::roles::what_open_to_has_not_opened_is_a_failure":
        in "functions/internal/apply_openings" "      where o.role_name is null\n" => "      where false and o.role_name is null\n"
        "        or o.role_name in ('anon', 'authenticated', p_closed)\n" => "";
}
