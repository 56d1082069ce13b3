-- The public functions that change something insert a row here, with their caller's rights. Two triggers make it an
-- action: check_request with the caller's rights, then act_on_request with the owner's. So there is no way to the
-- second that does not pass the first, also for a role that writes SQL itself.
create or replace view lead_mover.requests as
select
  null::text as action,
  null::text as run_id,
  null::text as funnel_id,
  null::text as column_id,
  null::integer as batch_size,
  null::bigint as message_id,
  null::text as requested_by,
  null::boolean as is_seen,
  null::bigint as leads_seen,
  null::bigint as total,
  null::jsonb as result
where false;

comment on view lead_mover.requests is 'An insert asks for an action on a run (queue, cancel, pause, resume, retry); its result is in the row that comes back.';
