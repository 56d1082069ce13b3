//! Queue and ledger come together again, whatever others did to the queue.

mod clock;
mod messages;
mod queue;
