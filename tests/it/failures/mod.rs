mod commands;
mod failing_batches;
mod failing_moves;
mod rejection_limits;
mod rejections;
mod timed_out_sizes;
mod timeouts;
mod turns;
