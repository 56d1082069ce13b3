-- Takes away what lead_mover.open_to has not opened, as default privileges, a dump or a new function may have granted it,
-- and grants again what it has. Run last, each time.
select lead_mover.apply_openings();
