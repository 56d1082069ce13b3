-- Has pg_cron process batches, where there is no place for a service. Each run commits after each batch, and ends when
-- nothing is due or after p_max_seconds. p_every is a schedule of pg_cron: '5 seconds', or a line as in crontab. pg_cron
-- never has two runs of one job at a time. Called again, it replaces the schedule. The runs have the rights of the
-- role that calls it. Returns the number of the job.
create or replace function lead_mover.schedule(
  p_every text default '5 seconds',
  p_max_seconds double precision default 25
)
returns bigint
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
declare
  -- As in begin_scheduled_run.
  c_schema constant text := 'cron';
  c_most_seconds constant integer := 3600;
  v_command text;
  v_timeout_ms bigint;
  v_place text;
  v_version text;
  v_is_active boolean;
  v_job_id bigint;
  v_error text;
begin
  if p_every is null then
    raise exception using
      errcode = 'null_value_not_allowed',
      message = 'Falta o intervalo entre as execuções',
      hint = 'Use, por exemplo, select lead_mover.schedule(''5 seconds'').';
  end if;

  if coalesce(p_max_seconds not between 0.1 and c_most_seconds, true) then
    raise exception using
      errcode = 'invalid_parameter_value',
      message = format('Duração máxima inválida: %s segundos', coalesce(p_max_seconds::text, 'null')),
      hint = format('Use um valor entre 0.1 e %s.', c_most_seconds);
  end if;

  -- What the client itself has set is not what a session of pg_cron gets.
  select s.reset_val::bigint
  into v_timeout_ms
  from pg_settings s
  where s.name = 'statement_timeout'
    and s.source <> 'client';

  if v_timeout_ms > 0 and v_timeout_ms <= p_max_seconds * 1000 then
    raise exception using
      errcode = 'invalid_parameter_value',
      message = format('Cada execução seria interrompida: statement_timeout é de %s ms', v_timeout_ms),
      hint = 'Use um p_max_seconds menor que o statement_timeout deste papel e deste banco.';
  end if;

  v_command := lead_mover.scheduled_command(p_max_seconds);
  v_place := current_setting('cron.database_name', true);

  select e.extversion
  into v_version
  from pg_extension e
  where e.extname = 'pg_cron';

  if v_version is null and v_place <> current_database() then
    raise exception using
      errcode = 'feature_not_supported',
      message = format('O pg_cron deste servidor só agenda a partir do banco %I', v_place),
      hint = format(
        E'Nesse banco, execute: select cron.schedule_in_database(%L, %L, %L, %L);',
        'lead-mover ' || current_database(), p_every, v_command, current_database()
      );
  elsif v_version is null then
    raise exception using
      errcode = 'feature_not_supported',
      message = 'O pg_cron não está instalado neste banco',
      hint = 'Execute create extension pg_cron (no Supabase: Integrations, Cron). O servidor precisa de pg_cron em '
        || 'shared_preload_libraries.';
  end if;

  -- A job that was switched off would stay off when it is replaced.
  execute format($query$
    select j.active
    from %I.job j
    where j.jobname = 'lead-mover'
      and j.username = current_user
  $query$, c_schema)
  into v_is_active;

  if not v_is_active then
    perform lead_mover.unschedule();
  end if;

  begin
    execute format('select %I.schedule(%L, %L, %L)', c_schema, 'lead-mover', p_every, v_command)
    into v_job_id;
  exception
    when invalid_parameter_value or internal_error then
      v_error := sqlerrm;

      if p_every ~* 'seconds?[[:space:]]*$' and v_version ~ '^1[.][0-4]([^0-9]|$)' then
        raise exception using
          errcode = 'feature_not_supported',
          message = format('O pg_cron %s não aceita intervalos em segundos', v_version),
          hint = 'A partir do 1.5 aceita. Antes, use a cada minuto: select lead_mover.schedule(''* * * * *'', 55).';
      end if;

      raise exception using
        errcode = 'invalid_parameter_value',
        message = format('Intervalo inválido: %s', p_every),
        detail = v_error,
        hint = 'Use de ''1 second'' a ''59 seconds'', ou uma linha de crontab, como ''* * * * *''.';
  end;

  return v_job_id;
end
$$;

select lead_mover.make_private('lead_mover.schedule(text, double precision)');

comment on function lead_mover.schedule(text, double precision) is 'Has pg_cron process batches at that interval, for so many seconds at most; replaces the schedule. Returns the job''s number.';
