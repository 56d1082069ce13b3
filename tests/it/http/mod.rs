mod connections;
mod process_queue;
