-- The first trigger of lead_mover.requests, with the rights of the caller. Whatever the caller has written into the
-- columns that the triggers fill is overwritten.
create or replace function lead_mover.check_request()
returns trigger
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
declare
  v_run_id lead_mover.moves.run_id%type := new.run_id;
  v_funnel_id lead_mover.moves.funnel_id%type := new.funnel_id;
  v_column_id lead_mover.moves.column_id%type := new.column_id;
  v_opening constant text := case when new.action in ('pause', 'resume', 'retry') then 'control' else new.action end;
begin
  if new.action is null or new.action not in ('queue', 'cancel', 'pause', 'resume', 'retry') then
    raise exception using
      errcode = 'invalid_parameter_value',
      message = format('lead_mover.requests: no such action: %s', new.action);
  end if;

  new.requested_by := lead_mover.actor();
  new.is_seen := true;
  new.leads_seen := null;
  new.result := null;
  new.total := null;

  if lead_mover.is_trusted(v_opening) then
    return new;
  end if;

  if not exists (
    select
    from lead_mover.openings o
    join pg_roles r on r.rolname = o.role_name
    where o.action = v_opening
      and pg_has_role(r.oid, 'usage')
  ) then
    raise exception using
      errcode = 'insufficient_privilege',
      message = format('A role %I não pode fazer isto: %s', current_user, new.action),
      hint = format('O operador abre com: select lead_mover.open_to(%L, array[%L]);', current_user, v_opening);
  end if;

  if new.action = 'retry' then
    select m.funnel_id, m.column_id
    into v_funnel_id, v_column_id
    from lead_mover.moves m
    where m.run_id = v_run_id
    order by m.migration_id desc
    limit 1;
  elsif new.action <> 'queue' then
    v_funnel_id := null;
    v_column_id := null;
  end if;

  new.funnel_id := v_funnel_id::text;
  new.column_id := v_column_id::text;

  select c.p_is_seen, c.p_leads_seen
  into new.is_seen, new.leads_seen
  from lead_mover.check_caller(new.action, v_run_id, v_funnel_id, v_column_id) c;

  return new;
end
$$;

select lead_mover.make_private('lead_mover.check_request()');

comment on function lead_mover.check_request() is 'Trigger: checks a row of lead_mover.requests with the rights of the caller.';
