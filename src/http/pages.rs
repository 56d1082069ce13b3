//! `/healthz`, `/readyz` and `/metrics`.

use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use metrics_exporter_prometheus::PrometheusHandle;
use serde::Serialize;

use crate::health::{Health, HealthReporter};
use crate::sampler::GaugeCache;

/// What the pages show.
#[derive(Clone)]
pub(crate) struct Pages {
    pub(crate) health: HealthReporter,
    pub(crate) metrics: PrometheusHandle,
    pub(crate) gauges: GaugeCache,
}

#[derive(Serialize)]
struct Readiness {
    ready: bool,
    #[serde(flatten)]
    health: Health,
}

impl Pages {
    pub(super) fn router(self) -> Router {
        Router::new()
            .route("/healthz", get(healthz))
            .route("/readyz", get(readyz))
            .route("/metrics", get(render_metrics))
            .with_state(self)
    }
}

/// Any answer means that the process lives: a task that dies ends it.
async fn healthz() -> &'static str {
    "ok\n"
}

async fn readyz(State(pages): State<Pages>) -> Response {
    // The sample is for the next request: this one is answered at once.
    pages.gauges.request();
    let health = pages.health.now();
    let ready = health.is_ready();
    let status = if ready {
        StatusCode::OK
    } else {
        StatusCode::SERVICE_UNAVAILABLE
    };
    (status, Json(Readiness { ready, health })).into_response()
}

async fn render_metrics(State(pages): State<Pages>) -> impl IntoResponse {
    pages.gauges.refresh().await;
    (
        [(
            header::CONTENT_TYPE,
            "text/plain; version=0.0.4; charset=utf-8",
        )],
        pages.metrics.render(),
    )
}
