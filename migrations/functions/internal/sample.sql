-- One reading of queue and ledger, for the gauges; see read_sample. It folds the counts of finished moves
-- afterwards, unless the transaction may not write, as on a standby. With one snapshot for the whole transaction,
-- rows that others have folded since would be an error.
create or replace function lead_mover.sample()
returns table (
  queue_depth bigint,
  oldest_message_age_seconds double precision,
  leads_remaining bigint,
  status_counts jsonb,
  migrations_stalled bigint
)
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
  return query
  select s.*
  from lead_mover.read_sample() s;

  if current_setting('transaction_read_only') = 'off'
    and current_setting('transaction_isolation') = 'read committed'
  then
    perform lead_mover.fold_finished_counts();
  end if;
end
$$;

select lead_mover.make_private('lead_mover.sample()');

comment on function lead_mover.sample() is 'One reading of queue and ledger, for the gauges.';
