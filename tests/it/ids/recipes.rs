//! The recipes of docs/mapping.md, over the columns that these CRMs have. Each moves 1 000 leads, one of which is
//! locked at first and one of which a trigger rejects.

use serde_json::Value;

use super::crms;
use crate::support::Database;

const PAGE: &str = include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/mapping.md"));

/// A CRM: its tables with two runs of 1 000 and 10 leads, and what to move where.
pub(super) struct Crm {
    pub(super) recipe: &'static str,
    pub(super) tables: &'static str,
    /// The leads of the run, and the table that has them.
    pub(super) leads: &'static str,
    /// The lead table's column that says where a lead is.
    pub(super) stage: &'static str,
    /// SQL for run, funnel and column of the call.
    pub(super) target: [&'static str; 3],
    /// As the answer's JSON has the run.
    pub(super) run: &'static str,
}

/// The block of SQL below that heading.
fn recipe(heading: &str) -> &'static str {
    let section = PAGE
        .split("\n## ")
        .find(|section| section.starts_with(&format!("{heading}\n")))
        .unwrap_or_else(|| panic!("docs/mapping.md has no section {heading}"));
    let block = section.split("```sql\n").nth(1).expect("a block");
    block.split("```").next().expect("its end")
}

async fn drain(database: &Database) {
    database
        .run("update pgmq.q_lead_migration_queue set vt = clock_timestamp()")
        .await;
    while let Some(batch) = process_in_text(database).await {
        assert!(batch, "a batch failed");
    }
}

/// Whether the next batch succeeded; none where nothing is due. Of a run whose id is of any type.
async fn process_in_text(database: &Database) -> Option<bool> {
    database
        .session()
        .query_opt(
            "select success from public.process_lead_migration_batch()",
            &[],
        )
        .await
        .expect("it is processed")
        .map(|row| row.get(0))
}

impl Crm {
    async fn installed(&self) -> Database {
        let database = Database::empty().await;
        database.run(self.tables).await;
        database.run(recipe(self.recipe)).await;
        let installed = database.migrate(&[]).await;
        assert_eq!(installed.status, Some(0), "{installed:?}");
        assert!(!installed.stdout.contains("No index"), "{installed:?}");
        database.doctor_report().await.assert_all_pass();
        database
    }

    /// How many leads of the run meet a condition.
    async fn count(&self, database: &Database, condition: &str) -> i64 {
        let query = format!("select count(*) from {} and {condition}", self.leads);
        database.value(&query, &[]).await
    }

    async fn moves_around_one_locked_and_one_rejected_lead(&self) {
        let database = self.installed().await;
        let (table, _) = self.leads.split_once(" where").expect("a condition");
        let keys: Vec<String> = database
            .value(
                &format!("select array_agg(id::text order by id) from {}", self.leads),
                &[],
            )
            .await;
        let (moved_on, locked, rejected) = (&keys[3], &keys[250], &keys[600]);
        let [run, funnel, column] = self.target;
        let (stage, recipe) = (self.stage, self.recipe);
        let there = format!("{stage} = {column}");
        let is_null_or_at = format!("{stage} is not distinct from");
        database
            .run(&format!(
                "create function public.reject() returns trigger language plpgsql as $$ begin
                   if new.id::text = '{rejected}' then raise exception 'fica onde esta' using errcode = 'P0001'; end if;
                   return new;
                 end $$;
                 create trigger reject before update on {table} for each row execute function public.reject()"
            ))
            .await;
        let before: String = database
            .value(
                &format!(
                    "select {stage}::text from {} and id::text = '{rejected}'",
                    self.leads
                ),
                &[],
            )
            .await;
        let user = database.open().await;
        user.batch_execute(&format!(
            "begin; select from {table} where id::text = '{locked}' for update"
        ))
        .await
        .unwrap();

        let queued: Value = database
            .value(
                &format!("select public.queue_lead_migration({run}, {funnel}, {column})"),
                &[],
            )
            .await;
        assert_eq!(queued["total"], 1_000, "{recipe}");
        assert_eq!(queued["run_id"].to_string(), self.run, "{recipe}");
        assert_eq!(process_in_text(&database).await, Some(true), "{recipe}");
        // A person moves one of them on.
        database
            .run(&format!(
                "update {table} set {stage} = (select {stage} from {table} where id::text = '{rejected}')
                 where id::text = '{moved_on}'"
            ))
            .await;
        for _ in 0..15 {
            process_in_text(&database).await;
        }
        assert_eq!(self.count(&database, &there).await, 997, "{recipe}");
        user.batch_execute("rollback").await.unwrap();
        drain(&database).await;

        assert_eq!(self.count(&database, &there).await, 998, "{recipe}");
        let back =
            format!("{is_null_or_at} (select {stage} from {table} where id::text = '{rejected}')");
        assert_eq!(self.count(&database, &back).await, 2, "{recipe}");
        let now: String = database
            .value(
                &format!(
                    "select {stage}::text from {} and id::text = '{rejected}'",
                    self.leads
                ),
                &[],
            )
            .await;
        assert_eq!(now, before, "{recipe}");
        let others: i64 = database
            .value(
                &format!("select count(*) from {table} where {stage} = {column}"),
                &[],
            )
            .await;
        assert_eq!(others, 998, "{recipe}: leads of other runs");
        let progress: Value = database
            .value(
                &format!("select to_jsonb(p) from public.get_lead_migration_progress({run}) p"),
                &[],
            )
            .await;
        assert_eq!(progress["status"], "completed_with_errors", "{recipe}");
        assert_eq!(progress["moved"], 999, "{recipe}");
        let listed: Vec<String> = database
            .value(
                "select array_agg(lead_id) from public.get_lead_migration_rejections(1)",
                &[],
            )
            .await;
        assert_eq!(listed, std::slice::from_ref(rejected), "{recipe}");
        database.doctor_report().await.assert_all_pass();
    }
}

macro_rules! recipes {
    ($($name:ident: $crm:ident;)+) => {
        $(
            #[tokio::test]
            async fn $name() {
                crms::$crm.moves_around_one_locked_and_one_rejected_lead().await;
            }
        )+

        #[test]
        fn every_recipe_is_run() {
            let mut tested = vec![$(crms::$crm.recipe),+];
            let mut written: Vec<&str> = PAGE
                .split("\n## ")
                .skip(1)
                .filter(|section| section.contains("```sql"))
                .filter_map(|section| section.lines().next())
                .collect();
            tested.sort_unstable();
            written.sort_unstable();
            assert_eq!(tested, written);
        }
    };
}

recipes! {
    uuid_with_funnels: UUID_WITH_FUNNELS;
    odoo: ODOO;
    stages_as_text: STAGES_AS_TEXT;
    stages_as_an_enum: STAGES_AS_AN_ENUM;
    a_tenant_for_a_funnel: A_TENANT_FOR_A_FUNNEL;
    espocrm: ESPOCRM;
    soft_deletes: SOFT_DELETES;
    partitioned_leads: PARTITIONED_LEADS;
    a_view_that_a_trigger_writes: A_VIEW_THAT_A_TRIGGER_WRITES;
}

/// An installation over tables whose runs, funnels and columns have ids of those types; no funnels where that one is
/// empty.
pub(super) async fn with_ids(run: &str, funnel: &str, column: &str) -> Database {
    let database = Database::empty().await;
    database
        .run(
            "create type public.state as enum ('new', 'won');
             create domain public.code as text check (value <> '')",
        )
        .await;
    database.run(&tables(run, funnel, column)).await;
    let installed = database.migrate(&[]).await;
    assert_eq!(installed.status, Some(0), "{installed:?}");
    database
}

/// Statements that make these tables, their index, and the views over them.
pub(super) fn tables(run: &str, funnel: &str, column: &str) -> String {
    let (funnel, name) = match funnel {
        "" => (String::new(), ""),
        some => (format!(", funnel_id {some}"), ", funnel_id"),
    };
    format!(
        "create table public.runs (id {run} primary key, name text);
         create table public.columns (id {column} primary key{funnel});
         create table public.leads (
           id bigint generated always as identity primary key, run_id {run}, column_id {column}{funnel}
         );
         create index on public.leads (run_id, id);
         create schema if not exists lead_mover;
         create view lead_mover.leads as select id, run_id, column_id{name} from public.leads;
         create view lead_mover.runs as select id, name from public.runs;
         create view lead_mover.columns as select id{name} from public.columns"
    )
}
