-- The triggers of a view fire in the order of their names.
create or replace trigger requests_1_checked
instead of insert on lead_mover.requests
for each row
execute function lead_mover.check_request();
