-- A move is queued when it has its message: its lanes are there by then.
create or replace trigger moves_announced
after update of status, message_id on lead_mover.moves
for each row
when (old.status is distinct from new.status or (old.message_id is null and new.message_id is not null))
execute function lead_mover.announce_status();
