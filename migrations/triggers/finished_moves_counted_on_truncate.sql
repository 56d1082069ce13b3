create or replace trigger finished_moves_counted_on_truncate
after truncate on lead_mover.moves
for each statement
execute function lead_mover.count_finished_moves();
