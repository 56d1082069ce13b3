-- The statement that makes the deferrable constraints of the lead table, and its deferrable triggers, immediate: at once
-- they run for what the transaction has changed.
create or replace function lead_mover.own_constraints_immediate()
returns text
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
begin
  return coalesce(
    (
      select format('set constraints %s immediate', string_agg(distinct format('%I.%I', n.nspname, c.conname), ', '))
      from lead_mover.lead_columns() t
      join pg_constraint c on c.conrelid = t.relation and c.condeferrable
      join pg_namespace n on n.oid = c.connamespace
    ),
    'do $do$ begin end $do$'
  );
end
$$;

select lead_mover.make_private('lead_mover.own_constraints_immediate()');

comment on function lead_mover.own_constraints_immediate() is 'The statement that makes the deferrable constraints of the lead table immediate.';
