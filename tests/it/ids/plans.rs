//! Whatever the types of the ids, and also without funnels, a move walks along the index of its run.

use serde_json::Value;

use super::recipes::with_ids;
use crate::support::{Explaining, Plan, below};

const INDEX: &str = "leads_run_id_id_idx";

/// Of one lead at a time.
fn is_lookup(node: &Value) -> bool {
    node["Index Cond"]
        .as_str()
        .is_some_and(|condition| condition.contains("(id = "))
}

fn assert_walks_along_the_index(plans: &[Plan], types: [&str; 3]) {
    let mut walks = 0;
    for plan in plans {
        for node in plan.nodes() {
            if node["Relation Name"] == "leads" && node["Node Type"] != "ModifyTable" {
                let is_walk = node["Index Name"] == INDEX;
                assert!(
                    is_walk || is_lookup(node),
                    "{types:?}: {node:#}\nin {}",
                    plan.statement
                );
                walks += u32::from(is_walk);
            }
            let kind = node["Node Type"].as_str().expect("a word");
            let sorts_a_run =
                kind.contains("Sort") && below(node).iter().any(|node| node["Index Name"] == INDEX);
            assert!(!sorts_a_run, "{types:?}: {node:#}\nin {}", plan.statement);
        }
    }
    assert!(walks > 100, "{types:?}: only {walks}");
}

/// Four runs in turn, with keys that count up: to the planner a walk along the primary key is cheap.
#[tokio::test]
async fn one_run_among_few_large_ones_is_walked_along_its_index() {
    for types in [
        ["integer", "bigint", "integer"],
        ["varchar(17)", "", "public.state"],
        ["text collate \"C\"", "", "integer"],
        ["public.code", "public.code", "public.code"],
    ] {
        let [run, funnel, column] = types;
        let database = with_ids(run, funnel, column).await;
        let (name, here, there) = if funnel.is_empty() {
            ("", "", "")
        } else {
            (", funnel_id", ", '1'", ", '2'")
        };
        let [inbox, target] = if column == "public.state" {
            ["new", "won"]
        } else {
            ["3", "4"]
        };
        database
            .run(&format!(
                "alter table public.leads set (autovacuum_enabled = off);
                 insert into public.runs values ('7', 'a'), ('8', 'b'), ('9', 'c'), ('10', 'd');
                 insert into public.columns (id{name}) values ('{inbox}'{here}), ('{target}'{there});
                 insert into public.leads (run_id, column_id{name})
                   select r.id, '{inbox}'{here} from generate_series(1, 4000) n, public.runs r;
                 analyze public.leads"
            ))
            .await;
        let Some(mut explaining) = Explaining::start(&database).await else {
            return;
        };
        let user = database.open().await;
        user.batch_execute("begin; select from public.leads where id % 500 = 1 for update")
            .await
            .unwrap();
        explaining.plans();
        let session = explaining.session();
        let queue = format!("select public.queue_lead_migration('7', '2', '{target}')");
        session.batch_execute(&queue).await.unwrap();
        for _ in 0..30 {
            let batch = "select success from public.process_lead_migration_batch()";
            let row = session.query_one(batch, &[]).await.unwrap();
            assert!(row.get::<_, bool>(0), "{types:?}");
        }
        user.batch_execute("rollback").await.unwrap();

        assert_walks_along_the_index(&explaining.plans(), types);
    }
}
