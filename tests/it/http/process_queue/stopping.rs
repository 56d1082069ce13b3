//! Requests to the Edge Function's address that are under way when the service is asked to stop.

use nix::sys::signal::Signal;

use super::{post, service_that_waits_for_calls};
use crate::support::{Database, Gate, eventually};

#[tokio::test]
async fn a_call_ends_with_the_batch_that_it_is_in_and_reports_it() {
    let database = Database::new().await;
    let crm = database.crm().await;
    let run = crm.run_of(300).await;
    let mut service = service_that_waits_for_calls(&database).await;
    let gate = Gate::close(&database).await;
    crm.enqueue(run).await;

    let ((status, body), ()) = tokio::join!(post(&service, ""), async {
        gate.reached_by(1).await;
        service.ask_to_stop().await;
        gate.open().await;
    });

    assert_eq!((status, &body["total_leads_moved"]), (200, &100.into()));
    assert_eq!(service.exit().await, Some(0));
    assert_eq!(crm.leads_at(run, crm.target).await, 100);
    crm.check().await;
}

#[tokio::test]
async fn a_call_whose_batch_is_cancelled_reports_no_batch() {
    let database = Database::new().await;
    let crm = database.crm().await;
    let run = crm.run_of(300).await;
    let mut service = service_that_waits_for_calls(&database).await;
    let gate = Gate::close(&database).await;
    crm.enqueue(run).await;

    let ((status, body), ()) = tokio::join!(post(&service, ""), async {
        gate.reached_by(1).await;
        service.ask_to_stop().await;
        service.signal(Signal::SIGTERM);
    });

    assert_eq!((status, &body["success"]), (503, &false.into()));
    assert_eq!(service.exit().await, Some(0));
    gate.open().await;
    eventually("the batch has rolled back", async || {
        database.sessions_of_the_service().await == 0
    })
    .await;
    assert_eq!(crm.leads_at(run, crm.target).await, 0);
    crm.check().await;
}
