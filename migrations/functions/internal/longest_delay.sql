-- Longer than any delay that a batch sets for a message that has been read so often. A message that is due later was
-- put off by others.
create or replace function lead_mover.longest_delay(p_read_ct integer)
returns interval
language plpgsql
immutable
parallel safe
set search_path = pg_catalog, pg_temp
as $$
begin
  return interval '10 seconds' + interval '1 second' * least(2 ^ least(p_read_ct, 10), 600);
end
$$;

select lead_mover.make_private('lead_mover.longest_delay(integer)');

comment on function lead_mover.longest_delay(integer) is 'Longer than any delay that a batch sets for a message that has been read so often.';
