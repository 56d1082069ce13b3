//! The checks of the SQL function `lead_mover.doctor`. Its parts are sent as text, so that they work also where
//! nothing is installed, on a standby, and for a role that may call nothing.

use postgres_types::{ToSql, Type};
use tokio_postgres::{Client, Row};

use super::finding::{Check, Status};
use crate::schema::function_body;

/// One of the functions that `lead_mover.doctor` calls.
pub(super) struct Part {
    function: &'static str,
    workers: Option<i32>,
}

/// All parts, each with the first check that it makes.
pub(super) fn parts(workers: u8) -> [(&'static str, Part); 6] {
    let part = |function| Part {
        function,
        workers: None,
    };
    let server = Part {
        function: "check_server",
        workers: Some(i32::from(workers)),
    };
    [
        ("server", server),
        ("pgmq", part("check_queue")),
        ("grants", part("check_rights")),
        ("exposure", part("check_exposure")),
        ("mapping", part("check_mapping")),
        ("service", part("check_service")),
    ]
}

impl Part {
    pub(super) async fn read(&self, client: &Client) -> Result<Vec<Check>, tokio_postgres::Error> {
        let workers = self
            .workers
            .as_ref()
            .map(|workers| (workers as &(dyn ToSql + Sync), Type::INT4));
        let parameters: Vec<_> = workers.into_iter().collect();
        let rows = client
            .query_typed(function_body(self.function), &parameters)
            .await?;
        rows.iter().map(check_of).collect()
    }
}

fn check_of(row: &Row) -> Result<Check, tokio_postgres::Error> {
    let status: &str = row.try_get(1)?;
    Ok(Check {
        check: row.try_get(0)?,
        status: status.parse().unwrap_or(Status::Failure),
        found: row.try_get(2)?,
        advice: row.try_get(3)?,
    })
}
