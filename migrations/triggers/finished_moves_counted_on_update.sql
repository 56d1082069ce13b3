create or replace trigger finished_moves_counted_on_update
after update on lead_mover.moves
referencing old table as old_moves new table as new_moves
for each statement
execute function lead_mover.count_finished_moves();
