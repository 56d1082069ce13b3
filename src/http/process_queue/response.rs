//! The response to a request: the Edge Function's JSON, key by key.

use chrono::{SecondsFormat, Utc};
use serde::Serialize;

use crate::queue::{Batch, Id, Outcome};

/// All batches of one request.
#[derive(Serialize)]
pub(super) struct QueueResponse {
    success: bool,
    timestamp: String,
    batches_processed: usize,
    total_leads_moved: u64,
    results: Vec<BatchResult>,
    message: String,
}

#[derive(Serialize)]
struct BatchResult {
    /// From 1.
    batch: usize,
    message_id: Option<i64>,
    run_id: Option<Id>,
    run_name: Option<String>,
    leads_moved: u32,
    leads_remaining: u64,
    success: bool,
    message: Option<String>,
}

impl QueueResponse {
    pub(super) fn of(batches: Vec<Batch>) -> Self {
        let total_leads_moved = batches
            .iter()
            .map(|batch| u64::from(batch.leads_moved))
            .sum();
        Self {
            success: true,
            timestamp: Utc::now().to_rfc3339_opts(SecondsFormat::Secs, true),
            batches_processed: batches.len(),
            total_leads_moved,
            message: format!(
                "Processados {} batch(es), {total_leads_moved} leads movidos",
                batches.len()
            ),
            results: (1..).zip(batches).map(BatchResult::of).collect(),
        }
    }
}

impl BatchResult {
    fn of((number, batch): (usize, Batch)) -> Self {
        Self {
            batch: number,
            message_id: batch.message_id,
            run_id: batch.run_id,
            run_name: batch.run_name,
            leads_moved: batch.leads_moved,
            leads_remaining: batch.leads_remaining,
            success: batch.outcome == Outcome::Moved,
            message: batch.message,
        }
    }
}
