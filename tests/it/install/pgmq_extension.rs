//! PGMQ as the server's extension, in the oldest version that is supported, in those after which its tables or
//! functions changed, and in the newest.

use crate::support::{Database, PgmqServer, finish};

async fn moves_leads_with(version: &str) {
    if let Some(pgmq) = PgmqServer::start(version).await {
        moves_leads_before_and_after_a_restore(&pgmq, version).await;
    }
}

/// `migrate` takes the extension, leads move, and what a dump has is moved to the end where it is restored.
async fn moves_leads_before_and_after_a_restore(pgmq: &PgmqServer, version: &str) {
    let database = pgmq.server.database("crm").await;
    assert_eq!(database.pgmq_version().await.as_deref(), Some(version));
    database.doctor_report().await.assert_all_pass();
    let crm = database.crm().await;
    let moved = crm.run_of(250).await;
    crm.enqueue(moved).await;
    crm.process_all().await;
    assert_eq!(crm.leads_at(moved, crm.target).await, 250);
    let moving = crm.run_of(2_500).await;
    crm.enqueue(moving).await;
    crm.process().await.expect("it is due");
    let has_queue = !database.has_queue_of_extension().await;

    let restored = restored(pgmq, has_queue).await;

    let crm = crm.over(&restored);
    if !has_queue {
        assert!(!restored.has("pgmq.q_lead_migration_queue").await);
        assert_eq!(restored.migrate(&[]).await.status, Some(0));
    }
    restored.doctor_report().await.assert_all_pass();
    crm.process_all().await;
    assert_eq!(crm.leads_at(moving, crm.target).await, 2_500);
    assert_eq!(crm.status(moving).await, "completed");
    assert_eq!(restored.pgmq_version().await.as_deref(), Some(version));
}

/// Another database with what `pg_dump` tells of the first one, which has no error where the queue is in it.
async fn restored(pgmq: &PgmqServer, has_queue: bool) -> Database {
    let database = pgmq.server.empty_database("restored").await;
    let file = tempfile::NamedTempFile::new().expect("a file");
    std::fs::write(file.path(), pgmq.server.dump("crm")).expect("it is written");
    let mut psql = pgmq.server.psql("restored");
    psql.args(["-X", "-q", "-f"]).arg(file.path());
    let finished = finish(&mut psql).await;
    let mut errors = finished.stderr.lines().filter(|line| {
        // Of programs of 17 and later, on a server that is older than they are.
        line.contains("ERROR") && !line.contains("\"transaction_timeout\"")
    });
    assert!(
        errors.all(|line| !has_queue && line.contains("q_lead_migration_queue")),
        "{finished:?}"
    );
    database
}

impl Database {
    /// None where PGMQ is not installed as an extension.
    async fn pgmq_version(&self) -> Option<String> {
        let query = "select (select extversion from pg_extension where extname = 'pgmq')";
        self.value(query, &[]).await
    }

    /// Before 1.6 PGMQ makes a queue's tables part of the extension, and a dump has none of them.
    async fn has_queue_of_extension(&self) -> bool {
        let query = "select exists (
            select from pg_depend
            where classid = 'pg_class'::regclass
              and objid = 'pgmq.q_lead_migration_queue'::regclass
              and deptype = 'e'
        )";
        self.value(query, &[]).await
    }
}

#[tokio::test]
async fn pgmq_1_4_4_moves_leads_before_and_after_a_restore() {
    moves_leads_with("1.4.4").await;
}

#[tokio::test]
async fn pgmq_1_5_1_moves_leads_before_and_after_a_restore() {
    moves_leads_with("1.5.1").await;
}

#[tokio::test]
async fn pgmq_1_11_1_moves_leads_before_and_after_a_restore() {
    moves_leads_with("1.11.1").await;
}

#[tokio::test]
async fn the_newest_pgmq_moves_leads_before_and_after_a_restore() {
    if let Some((pgmq, version)) = PgmqServer::start_newest().await {
        moves_leads_before_and_after_a_restore(&pgmq, &version).await;
    }
}

#[tokio::test]
async fn a_move_goes_on_after_an_upgrade_of_pgmq() {
    let Some(pgmq) = PgmqServer::start("1.4.4").await else {
        return;
    };
    let database = pgmq.server.database("crm").await;
    let crm = database.crm().await;
    let run = crm.run_of(2_500).await;
    crm.enqueue(run).await;
    crm.process().await.expect("it is due");

    database
        .run("alter extension pgmq update to '1.11.1'")
        .await;

    database.doctor_report().await.assert_all_pass();
    crm.process_all().await;
    assert_eq!(crm.leads_at(run, crm.target).await, 2_500);
    assert_eq!(crm.status(run).await, "completed");
}
