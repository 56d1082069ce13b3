-- One row a move that the caller may see (policies/ledger.sql), newest first. leads_per_second is the average from the first batch to the last.
--
-- The moves of one run cost the same however many others the ledger has: they are looked up in the index on the
-- run, and the lanes of each in the index on the move, whatever statistics the planner has. `p_run_id is null
-- or m.run_id = p_run_id` could use no index. Without `offset 0` the lanes of all moves may be summed up first.
-- To start parallel workers takes longer than all the rest.
create or replace function public.get_lead_migration_progress(p_run_id lead_mover.moves.run_id%type default null)
returns table (
  migration_id bigint,
  run_id lead_mover.moves.run_id%type,
  run_name text,
  funnel_id lead_mover.moves.funnel_id%type,
  column_id lead_mover.moves.column_id%type,
  status text,
  total bigint,
  moved bigint,
  remaining bigint,
  rejected bigint,
  percent double precision,
  leads_per_second double precision,
  eta_seconds double precision,
  queued_at timestamptz,
  started_at timestamptz,
  last_batch_at timestamptz,
  finished_at timestamptz,
  attempts integer,
  last_error text
)
language sql
stable
set search_path = pg_catalog, pg_temp
set enable_seqscan = off
set max_parallel_workers_per_gather = 0
set jit = off
as $$
  with chosen as (
    select m.*
    from lead_mover.moves m
    where p_run_id is null
    union all
    select m.*
    from lead_mover.moves m
    where m.run_id = p_run_id
  )
  select
    m.migration_id,
    m.run_id,
    lead_mover.printable(m.run_name),
    m.funnel_id,
    m.column_id,
    m.status,
    p.total,
    p.moved,
    p.remaining,
    p.rejected,
    round(100.0 * (p.total - p.remaining) / greatest(p.total, 1), 1)::double precision,
    round(rate.leads_per_second::numeric, 1)::double precision,
    case when m.finished_at is null then ceil(p.remaining / nullif(rate.leads_per_second, 0)) end,
    m.queued_at,
    m.started_at,
    p.last_batch_at,
    m.finished_at,
    p.attempts,
    lead_mover.printable(coalesce(m.failure, p.last_error))
  from chosen m
  cross join lateral (
    select of_move.*
    from lead_mover.progress of_move
    where of_move.migration_id = m.migration_id
    offset 0
  ) p
  cross join lateral (
    select p.moved / nullif(extract(epoch from p.last_batch_at - m.started_at), 0)::double precision as leads_per_second
  ) rate
  order by m.migration_id desc
$$;

select lead_mover.make_private('public.get_lead_migration_progress');

comment on function public.get_lead_migration_progress is 'One row a move, newest first, with its progress and rate. p_run_id null: the moves of all runs.';
