//! Queue and ledger come together again, whatever others did to the queue.

mod clock;
mod edits;
mod messages;
mod queue;
