//! What the plan of a statement may look like where tables grow.

use serde_json::Value;

use super::EXECUTIONS;
use crate::support::{Plan, below};

const INDEX: &str = "leads_run_id_id_idx";
const PRIMARY_KEY: &str = "leads_pkey";
const TAKE_MESSAGE: &str = "q.msg_id > v_last_message_id";

/// The statements of a move that a growing table could slow down, by words that no other has.
const STATEMENTS: [(&str, &str); 11] = [
    ("check_target: the run", "from lead_mover.runs r\n"),
    ("check_target: the column", "where c.id = p_column_id"),
    ("start_move: the last lead", "desc\n    limit 1"),
    ("start_move: the count", "row_number() over"),
    ("take_message", TAKE_MESSAGE),
    ("next_leads", "l.id >= p_first_id"),
    ("lock_leads", "for no key update of l skip locked"),
    ("open_update", "update lead_mover.leads l"),
    ("standing_of_leads", "where k.is_at_target"),
    ("leads_left", "unnest(p_locked)"),
    ("lock_next_leads", "for no key update of l nowait"),
];

/// Fails where a statement was not seen often enough, or walks along anything but its index.
pub(super) fn assert_walks_along_the_index(plans: &[Plan]) {
    for (name, words) in STATEMENTS {
        let of_it: Vec<&Plan> = plans
            .iter()
            .filter(|plan| plan.statement.contains(words))
            .collect();
        let times = of_it.len();
        assert!(times >= EXECUTIONS, "{name} was seen {times} times");
        for node in of_it.iter().flat_map(|plan| plan.nodes()) {
            let kind = node["Node Type"].as_str().expect("a word");
            let walks_a_table = kind == "Seq Scan" || kind.starts_with("Bitmap");
            assert!(!walks_a_table, "{name}: {node:#}");
            assert!(
                words != TAKE_MESSAGE || !kind.contains("Sort"),
                "{name}: {node:#}"
            );
        }
    }
    for plan in plans {
        for node in plan.nodes() {
            let kind = node["Node Type"].as_str().expect("a word");
            // `Update` names its table, and reads nothing.
            if node["Relation Name"] == "leads" && kind != "ModifyTable" {
                assert!(
                    is_walk(node) || is_lookup(node),
                    "{node:#}\nin {}",
                    plan.statement
                );
            }
            assert!(
                !(kind.contains("Sort") && below(node).into_iter().any(is_walk)),
                "a run is sorted: {node:#}\nin {}",
                plan.statement
            );
        }
    }
}

/// Of leads of one run, by the index that has them in the order of their keys.
fn is_walk(node: &Value) -> bool {
    let condition = node["Index Cond"].as_str().unwrap_or_default();
    node["Index Name"] == INDEX && condition.contains("(run_id ") && !is_lookup(node)
}

/// Of one lead at a time.
fn is_lookup(node: &Value) -> bool {
    let condition = node["Index Cond"].as_str().unwrap_or_default();
    let by_key = node["Index Name"] == PRIMARY_KEY || node["Index Name"] == INDEX;
    by_key && condition.contains("(id = ")
}
