//! Whether the lead table has the index that moves walk along; `migrate` reports it, and never creates it.

use tokio_postgres::Client;

use super::function_body;

/// The statement that creates the index which serves `where run_id = … and id > … order by id`, if
/// no index of the table under `lead_mover.leads` does. `None` where one does, and where the view is
/// not a simple one over one table, because then it is unknown.
///
/// # Errors
/// When the server does not answer.
pub async fn missing_lead_index(client: &Client) -> Result<Option<String>, tokio_postgres::Error> {
    let checks = client
        .query_typed(function_body("check_mapping"), &[])
        .await?;
    for check in &checks {
        let (name, status): (&str, &str) = (check.try_get(0)?, check.try_get(1)?);
        if name == "index" && status == "failure" {
            let advice: &str = check.try_get(3)?;
            let statement = advice.trim_start_matches("run: ").trim_end_matches(';');
            return Ok(Some(statement.to_owned()));
        }
    }
    Ok(None)
}
