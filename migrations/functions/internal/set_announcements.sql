-- Switches the messages to Supabase's Realtime on or off, for all moves from their next batch on. The functions'
-- owner sends them, and has to be allowed to call realtime.send.
create or replace function lead_mover.set_announcements(p_on boolean)
returns void
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
begin
  if p_on is null then
    raise exception using
      errcode = 'null_value_not_allowed',
      message = 'Falta dizer se os avisos devem ser enviados',
      hint = 'Use select lead_mover.set_announcements(true), ou false.';
  end if;

  insert into lead_mover.announcements (is_on)
  values (p_on)
  on conflict (is_only) do update
  set is_on = excluded.is_on;

  if p_on and not exists (
    select
    from pg_proc p
    join pg_namespace n on n.oid = p.pronamespace
    where n.nspname = 'realtime'
      and p.proname = 'send'
      and oidvectortypes(p.proargtypes) = 'jsonb, text, text, boolean'
  ) then
    raise warning using
      message = 'Não há função realtime.send(jsonb, text, text, boolean) neste banco: nada será enviado até que haja',
      hint = 'No Supabase, o serviço Realtime cria essa função quando é iniciado.';
  end if;
end
$$;

select lead_mover.make_private('lead_mover.set_announcements(boolean)');

comment on function lead_mover.set_announcements(boolean) is 'Switches the messages about moves to Supabase''s Realtime on or off.';
