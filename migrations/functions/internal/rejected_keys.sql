-- The keys of the leads that a move rejected, read under the settings under which key_text wrote them.
create or replace function lead_mover.rejected_keys(p_migration_id bigint, p_type anyarray)
returns anyarray
language plpgsql
stable
set search_path = pg_catalog, pg_temp
set datestyle = 'ISO, YMD'
set intervalstyle = 'postgres'
set timezone = 'UTC'
set extra_float_digits = 1
set bytea_output = 'hex'
as $$
declare
  v_ids p_type%type := p_type;
begin
  v_ids := array(
    select r.lead_id
    from lead_mover.rejections r
    where r.migration_id = p_migration_id
    order by r.lead_id
  );

  return v_ids;
end
$$;

select lead_mover.make_private('lead_mover.rejected_keys(bigint, anyarray)');

comment on function lead_mover.rejected_keys(bigint, anyarray) is 'The keys of the leads that a move rejected.';
