-- The queue message of one lane. Its progress is that of the whole move. The function is in PL/pgSQL, like all
-- that a batch calls: PL/pgSQL keeps its plans, while a function in SQL is planned again in each transaction.
create or replace function lead_mover.message(
  p_move lead_mover.moves,
  p_lane integer,
  p_moved bigint,
  p_remaining bigint,
  p_total bigint,
  p_last_batch_at timestamptz
)
returns jsonb
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
begin
  return jsonb_build_object(
    'run_id', p_move.run_id,
    'run_name', p_move.run_name,
    'funnel_id', p_move.funnel_id,
    'column_id', p_move.column_id,
    'batch_size', p_move.batch_size,
    'created_at', to_char(p_move.queued_at at time zone 'utc', 'YYYY-MM-DD"T"HH24:MI:SS"Z"'),
    'status', case when p_move.started_at is null then 'pending' else 'processing' end,
    'progress', jsonb_build_object(
      'moved', p_moved,
      'remaining', p_remaining,
      'total', p_total,
      'last_batch_at', to_char(p_last_batch_at at time zone 'utc', 'YYYY-MM-DD"T"HH24:MI:SS"Z"')
    ),
    'migration_id', p_move.migration_id,
    'lane', p_lane
  );
end
$$;

select lead_mover.make_private('lead_mover.message(lead_mover.moves, integer, bigint, bigint, bigint, timestamptz)');

comment on function lead_mover.message(lead_mover.moves, integer, bigint, bigint, bigint, timestamptz) is 'The queue message of one lane of a move.';
