//! `/healthz`, `/readyz` and `/metrics`.

use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use metrics_exporter_prometheus::PrometheusHandle;
use serde::Serialize;

use crate::health::{Health, HealthReporter};

#[derive(Clone)]
struct Shown {
    health: HealthReporter,
    metrics: PrometheusHandle,
}

#[derive(Serialize)]
struct Readiness {
    ready: bool,
    #[serde(flatten)]
    health: Health,
}

/// The addresses that the service answers on.
pub(crate) fn router(health: HealthReporter, metrics: PrometheusHandle) -> Router {
    Router::new()
        .route("/healthz", get(healthz))
        .route("/readyz", get(readyz))
        .route("/metrics", get(render_metrics))
        .with_state(Shown { health, metrics })
}

/// That it answers is the answer: a task that dies ends the process.
async fn healthz() -> &'static str {
    "ok\n"
}

async fn readyz(State(shown): State<Shown>) -> Response {
    let health = shown.health.now();
    let ready = health.is_ready();
    let status = if ready {
        StatusCode::OK
    } else {
        StatusCode::SERVICE_UNAVAILABLE
    };
    (status, Json(Readiness { ready, health })).into_response()
}

async fn render_metrics(State(shown): State<Shown>) -> impl IntoResponse {
    (
        [(
            header::CONTENT_TYPE,
            "text/plain; version=0.0.4; charset=utf-8",
        )],
        shown.metrics.render(),
    )
}
