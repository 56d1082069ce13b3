mod archived_messages;
mod enqueue;
mod enqueue_crowds;
mod enqueue_races;
mod messages;
mod odd_messages;
mod sent_not_taken;
