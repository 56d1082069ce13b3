create or replace trigger finished_moves_counted_on_insert
after insert on lead_mover.moves
referencing new table as new_moves
for each statement
execute function lead_mover.count_finished_moves();
