//! What a statement costs, as a number that no other load on the machine changes.

use serde_json::Value;

use super::Session;
use super::database::value;

/// How many shared buffers a statement touches, with all that it calls and all triggers. Those that planning
/// touches are not counted.
pub(crate) async fn touched_buffers(session: &Session, statement: &str) -> i64 {
    let query = format!("explain (analyze, buffers, format json) {statement}");
    let explained: Value = value(session, &query, &[]).await;
    let count = |what: &str| explained[0]["Plan"][what].as_i64().expect("a count");
    count("Shared Hit Blocks") + count("Shared Read Blocks")
}
