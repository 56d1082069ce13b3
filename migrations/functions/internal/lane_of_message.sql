-- The lane that a message belongs to, its move and how far that is; nulls for a message that is none of ours.
-- What the message says of itself is only a hint where to look: an application may have sent a copy of an old one.
create or replace function lead_mover.lane_of_message(
  p_message_id bigint,
  p_message jsonb,
  out p_lane lead_mover.lanes,
  out p_move lead_mover.moves,
  out p_progress lead_mover.progress
)
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
declare
  v_found record;
begin
  -- Other types are not even looked at: written out, a small message may be longer than a text can be.
  if jsonb_typeof(p_message -> 'migration_id') = 'number' and jsonb_typeof(p_message -> 'lane') = 'number'
    and (p_message ->> 'migration_id') ~ '^[0-9]{1,18}$' and (p_message ->> 'lane') ~ '^[0-9]{1,9}$'
  then
    select l as lane, m as migration, p as progress
    into v_found
    from lead_mover.lanes l
    join lead_mover.moves m on m.migration_id = l.migration_id
    join lead_mover.progress p on p.migration_id = l.migration_id
    where l.migration_id = (p_message ->> 'migration_id')::bigint
      and l.lane = (p_message ->> 'lane')::integer
      and l.message_id = p_message_id;

    p_lane := v_found.lane;
    p_move := v_found.migration;
    p_progress := v_found.progress;
  end if;
end
$$;

select lead_mover.make_private('lead_mover.lane_of_message(bigint, jsonb)');

comment on function lead_mover.lane_of_message(bigint, jsonb) is 'The lane that a message belongs to, and its move, if it is one of ours.';
