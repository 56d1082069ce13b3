//! A session that is told the plan of every statement it runs, those inside functions included.

use std::future::poll_fn;

use serde_json::Value;
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};
use tokio::task::JoinSet;
use tokio_postgres::AsyncMessage;

use super::{Database, Session, WITHOUT_CONTRIB, is_left_out};

const SETTINGS: &str = "set auto_explain.log_min_duration = 0;
     set auto_explain.log_nested_statements = on;
     set auto_explain.log_format = json;
     set auto_explain.log_level = notice;
     set client_min_messages = notice";

/// Plans arrive as notices, each before the answer of its statement.
pub(crate) struct Explaining {
    session: Session,
    plans: UnboundedReceiver<Plan>,
    _driver: JoinSet<()>,
}

/// How one statement was carried out.
#[derive(Debug)]
pub(crate) struct Plan {
    pub(crate) statement: String,
    pub(crate) root: Value,
}

impl Explaining {
    /// `None` where the environment has the setting that this server has no contrib.
    pub(crate) async fn start(database: &Database) -> Option<Self> {
        if is_left_out(WITHOUT_CONTRIB) {
            return None;
        }
        let (session, mut connection) = pg_connection::connect(&database.settings(), "explaining")
            .await
            .expect("it opens");
        let (sender, plans) = unbounded_channel();
        let mut driver = JoinSet::new();
        driver.spawn(async move {
            while let Some(Ok(message)) = poll_fn(|cx| connection.poll_message(cx)).await {
                if let AsyncMessage::Notice(notice) = message
                    && let Some(plan) = plan_of(notice.message())
                {
                    let _ = sender.send(plan);
                }
            }
        });
        if let Err(error) = session.batch_execute("load 'auto_explain'").await {
            panic!(
                "{}: install PostgreSQL's contrib, or set {WITHOUT_CONTRIB}=1",
                pg_connection::describe(&error)
            );
        }
        session.batch_execute(SETTINGS).await.expect("it is set");
        Some(Self {
            session,
            plans,
            _driver: driver,
        })
    }

    pub(crate) fn session(&self) -> &Session {
        &self.session
    }

    /// The plans of the statements that have ended since this was asked last.
    pub(crate) fn plans(&mut self) -> Vec<Plan> {
        std::iter::from_fn(|| self.plans.try_recv().ok()).collect()
    }
}

impl Plan {
    /// All its nodes.
    pub(crate) fn nodes(&self) -> Vec<&Value> {
        below(&self.root)
    }
}

/// A node of a plan and all below it.
pub(crate) fn below(node: &Value) -> Vec<&Value> {
    let mut nodes = vec![node];
    for child in node["Plans"].as_array().into_iter().flatten() {
        nodes.extend(below(child));
    }
    nodes
}

fn plan_of(notice: &str) -> Option<Plan> {
    let (_, explained) = notice.split_once("plan:\n")?;
    let mut explained: Value = serde_json::from_str(explained).expect("it is JSON");
    Some(Plan {
        statement: explained["Query Text"].as_str()?.to_owned(),
        root: explained["Plan"].take(),
    })
}
