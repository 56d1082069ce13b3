-- Processes one batch of one message, in the caller's transaction. It returns no row when nothing is due.
-- A message whose move is queued already, or that has nothing to move, is a success with no lead moved: callers stop at a
-- row that is none.
create or replace function public.process_lead_migration_batch(p_batch_size integer default null)
returns table (
  message_id bigint,
  run_id lead_mover.moves.run_id%type,
  run_name text,
  leads_moved integer,
  leads_remaining bigint,
  success boolean,
  error_message text
)
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
#variable_conflict use_column
begin
  return query
  select
    b.message_id,
    b.run_id,
    b.run_name,
    b.leads_moved,
    b.leads_remaining,
    b.outcome in ('moved', 'message_needless'),
    b.message
  from lead_mover.run_batch(p_batch_size, false, false) b
  where b.outcome <> 'idle';
end
$$;

select lead_mover.make_private('public.process_lead_migration_batch');

comment on function public.process_lead_migration_batch is 'Processes one batch of one message and returns one row, or none when nothing is due. error_message has a message on success too.';
