mod commands;
mod failing_batches;
mod failing_moves;
mod rejection_limits;
mod rejections;
mod timeouts;
