mod archived_messages;
mod concurrent_enqueues;
mod enqueue;
mod enqueue_races;
mod messages;
mod odd_messages;
mod prepared_transactions;
mod untaken_messages;
