//! `POST /functions/v1/process-lead-migration-queue`: the address of the Edge Function that the service
//! replaces. Its callers go on as before; the workers need no such request.

mod error_response;
mod response;

use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, FromRequest as _, Request, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use axum::{Json, Router};
use serde_json::Value;
use tokio::sync::Semaphore;
use tokio::time::timeout;

use self::error_response::ErrorResponse;
use self::response::QueueResponse;
use crate::config::ApiToken;
use crate::pipeline::{Pipeline, PipelineError};
use crate::queue::{Batch, Outcome, Queue, QueueError};
use crate::report::{self, Reporter};
use crate::shutdown::Shutdown;
use crate::timings::Timings;
use pg_connection::ConnectionSettings;

const PATH: &str = "/functions/v1/process-lead-migration-queue";
/// Batches a request, as the Edge Function did.
const MOST_BATCHES: usize = 10;
/// Requests at once; each has a session of its own.
const MOST_REQUESTS: u32 = 4;
const BODY_LIMIT: usize = 16 * 1024;

/// What a request needs.
#[derive(Clone)]
pub(crate) struct ProcessQueue {
    token: ApiToken,
    settings: ConnectionSettings,
    reporter: Reporter,
    shutdown: Shutdown,
    slots: Arc<Semaphore>,
    timings: Timings,
}

impl ProcessQueue {
    pub(crate) fn new(
        token: ApiToken,
        settings: ConnectionSettings,
        reporter: Reporter,
        shutdown: Shutdown,
        timings: Timings,
    ) -> Self {
        Self {
            token,
            settings,
            reporter,
            shutdown,
            slots: Arc::new(Semaphore::new(MOST_REQUESTS as usize)),
            timings,
        }
    }

    pub(super) fn router(self) -> Router {
        Router::new()
            .route(
                PATH,
                post(process)
                    .options(async || allow_origin("ok".into_response()))
                    .fallback(async || {
                        allow_origin(ErrorResponse::method_not_allowed().into_response())
                    })
                    .layer(DefaultBodyLimit::max(BODY_LIMIT)),
            )
            .with_state(self)
    }

    /// Returns when stopping has begun and no request is under way any more.
    pub(crate) async fn drained(&self) {
        self.shutdown.begun().await;
        // It fails only when the semaphore is closed, and nothing closes it.
        let _all = self.slots.acquire_many(MOST_REQUESTS).await;
    }

    async fn respond(&self, request: Request) -> Result<QueueResponse, ErrorResponse> {
        if !self.token.is_in(request.headers()) {
            return Err(ErrorResponse::unauthorized());
        }
        let batch_size = batch_size(&self.body(request).await?)?;
        let Ok(_slot) = self.slots.try_acquire() else {
            return Err(ErrorResponse::unavailable(
                "Há chamadas demais ao mesmo tempo",
            ));
        };
        if self.shutdown.has_begun() {
            return Err(ErrorResponse::stopping());
        }
        let batches = self.process(batch_size).await.map_err(|error| {
            report::database_error(&error);
            tracing::warn!(
                error = pg_connection::describe(&error),
                "HTTP request failed"
            );
            ErrorResponse::unavailable("O banco de dados não está disponível")
        })?;
        if batches.is_empty() && self.shutdown.is_forced() {
            return Err(ErrorResponse::stopping());
        }
        Ok(QueueResponse::of(batches))
    }

    async fn body(&self, request: Request) -> Result<Bytes, ErrorResponse> {
        match timeout(self.timings.http_body, Bytes::from_request(request, &())).await {
            Ok(Ok(body)) => Ok(body),
            Ok(Err(rejection)) if rejection.status() == StatusCode::PAYLOAD_TOO_LARGE => {
                Err(ErrorResponse::too_large(BODY_LIMIT))
            }
            Ok(Err(_)) | Err(_) => Err(ErrorResponse::bad_request("Corpo incompleto")),
        }
    }

    /// Batch after batch until none is due, the limit is reached, or the service is stopping.
    async fn process(&self, batch_size: Option<i32>) -> Result<Vec<Batch>, QueueError> {
        let queue = Queue::connect_worker(&self.settings, "lead-mover http").await?;
        let mut batches: Vec<Batch> = Vec::new();
        let mut pipeline = Pipeline::new(&queue, &self.shutdown, self.timings.response);
        while batches.len() < MOST_BATCHES && !self.shutdown.has_begun() {
            pipeline.push(batch_size);
            let (batch, duration) = match pipeline.next_result().await {
                Ok(Some(result)) => result,
                Ok(None) | Err(PipelineError::Stopped) => break,
                // The response has the batches that were processed.
                Err(PipelineError::ConnectionLost(error)) if !batches.is_empty() => {
                    report::database_error(&error);
                    tracing::warn!(
                        error = pg_connection::describe(&error),
                        "HTTP request cut short"
                    );
                    break;
                }
                Err(PipelineError::ConnectionLost(error)) => return Err(error),
            };
            if batch.outcome == Outcome::Idle {
                break;
            }
            self.reporter.batch(batch.clone(), duration);
            batches.push(batch);
        }
        Ok(batches)
    }
}

async fn process(State(queue): State<ProcessQueue>, request: Request) -> Response {
    let response = match queue.respond(request).await {
        Ok(response) => Json(response).into_response(),
        Err(response) => response.into_response(),
    };
    allow_origin(response)
}

/// The one key that a body may have; `null` or nothing is the size that each move was queued with.
fn batch_size(body: &[u8]) -> Result<Option<i32>, ErrorResponse> {
    if body.trim_ascii().is_empty() {
        return Ok(None);
    }
    let body: Value = serde_json::from_slice(body).map_err(|error| {
        ErrorResponse::bad_request(&format!("Corpo inválido: não é JSON ({error})"))
    })?;
    let Value::Object(body) = body else {
        return Err(ErrorResponse::bad_request(
            "Corpo inválido: não é um objeto JSON",
        ));
    };
    match body.get("batch_size") {
        None | Some(Value::Null) => Ok(None),
        Some(size) => size
            .as_i64()
            .filter(|size| (1..=10_000).contains(size))
            .and_then(|size| i32::try_from(size).ok())
            .map(Some)
            .ok_or_else(|| {
                ErrorResponse::bad_request("batch_size deve ser um número inteiro de 1 a 10000")
            }),
    }
}

/// As Supabase's functions do: a browser may call from any origin, but needs the key all the same.
fn allow_origin(mut response: Response) -> Response {
    response.headers_mut().extend(HeaderMap::from_iter([
        (
            header::ACCESS_CONTROL_ALLOW_ORIGIN,
            HeaderValue::from_static("*"),
        ),
        (
            header::ACCESS_CONTROL_ALLOW_HEADERS,
            HeaderValue::from_static("authorization, x-client-info, apikey, content-type"),
        ),
        (
            header::ACCESS_CONTROL_ALLOW_METHODS,
            HeaderValue::from_static("POST, OPTIONS"),
        ),
    ]));
    response
}
