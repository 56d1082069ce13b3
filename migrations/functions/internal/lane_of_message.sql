-- The lane of a message, its move and the move's progress; a row of nulls for a message of no lane. The ids in the
-- message only select the row to compare: an application may have sent a copy of an old message.
create or replace function lead_mover.lane_of_message(p_message_id bigint, p_message jsonb)
returns lead_mover.work
language plpgsql
stable
set search_path = pg_catalog, pg_temp
set enable_seqscan = off
as $$
declare
  v_work lead_mover.work;
begin
  -- Values of other types are not converted to text: a small message may have one whose text is too long.
  if jsonb_typeof(p_message -> 'migration_id') = 'number' and jsonb_typeof(p_message -> 'lane') = 'number'
    and (p_message ->> 'migration_id') ~ '^[0-9]{1,18}$' and (p_message ->> 'lane') ~ '^[0-9]{1,9}$'
  then
    select p_message_id, l, m, p.total, p.moved, p.rejected, p.unchanged, greatest(p.remaining, 0)
    into v_work
    from lead_mover.lanes l
    join lead_mover.moves m on m.migration_id = l.migration_id
    -- As in the view progress, without what a batch does not need.
    cross join lateral (
      select
        sum(k.total)::bigint as total,
        sum(k.moved)::bigint as moved,
        sum(k.rejected)::bigint as rejected,
        sum(k.unchanged)::bigint as unchanged,
        sum(k.total - k.moved - k.rejected - k.unchanged)::bigint as remaining
      from lead_mover.lanes k
      where k.migration_id = l.migration_id
    ) p
    where l.migration_id = (p_message ->> 'migration_id')::bigint
      and l.lane = (p_message ->> 'lane')::integer
      and l.message_id = p_message_id;
  end if;

  return v_work;
end
$$;

select lead_mover.make_private('lead_mover.lane_of_message(bigint, jsonb)');

comment on function lead_mover.lane_of_message(bigint, jsonb) is 'The lane of a message, its move and the move''s progress; nulls for a message of no lane.';
