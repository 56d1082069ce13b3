-- Ends a block whose writes are to be undone: the block has a handler for LM999.
create or replace function lead_mover.undo()
returns void
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
begin
  raise exception using errcode = 'LM999';
end
$$;

select lead_mover.make_private('lead_mover.undo()');

comment on function lead_mover.undo() is 'Raises LM999, for a block whose writes are to be undone.';
