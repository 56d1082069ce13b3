-- The triggers of a view fire in the order of their names.
create or replace trigger requests_2_done
instead of insert on lead_mover.requests
for each row
execute function lead_mover.act_on_request();
