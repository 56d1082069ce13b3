//! `POST /functions/v1/process-lead-migration-queue`: the address of the Edge Function that the service
//! replaces. Whoever called that goes on as before; the workers need no such call.

mod answer;
mod refusal;

use std::sync::Arc;
use std::time::Duration;

use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, FromRequest as _, Request, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use axum::{Json, Router};
use serde_json::Value;
use tokio::sync::Semaphore;
use tokio::time::timeout;

use self::answer::Answer;
use self::refusal::Refusal;
use super::ApiToken;
use crate::batch::{Calls, Unanswered};
use crate::db::{self, ConnectionSettings};
use crate::queue::{Batch, Outcome, Queue, QueueError};
use crate::report::Reporter;
use crate::shutdown::Shutdown;

const PATH: &str = "/functions/v1/process-lead-migration-queue";
/// Batches a call, as the Edge Function did.
const MOST_BATCHES: usize = 10;
/// Calls at once; each has a session of its own.
const MOST_CALLS: u32 = 4;
const BODY_LIMIT: usize = 16 * 1024;
const BODY_TIMEOUT: Duration = Duration::from_secs(10);

/// What a call needs.
#[derive(Clone)]
pub(crate) struct ProcessQueue {
    token: ApiToken,
    settings: ConnectionSettings,
    reporter: Reporter,
    shutdown: Shutdown,
    calls: Arc<Semaphore>,
}

impl ProcessQueue {
    pub(crate) fn new(
        token: ApiToken,
        settings: ConnectionSettings,
        reporter: Reporter,
        shutdown: Shutdown,
    ) -> Self {
        Self {
            token,
            settings,
            reporter,
            shutdown,
            calls: Arc::new(Semaphore::new(MOST_CALLS as usize)),
        }
    }

    pub(super) fn router(self) -> Router {
        Router::new()
            .route(
                PATH,
                post(process)
                    .options(async || allow_origin("ok".into_response()))
                    .fallback(async || allow_origin(Refusal::method_not_allowed().into_response()))
                    .layer(DefaultBodyLimit::max(BODY_LIMIT)),
            )
            .with_state(self)
    }

    /// Returns when stopping has begun and no call is under way any more.
    pub(crate) async fn drained(&self) {
        self.shutdown.begun().await;
        // It fails only when the semaphore is closed, and nobody closes it.
        let _all = self.calls.acquire_many(MOST_CALLS).await;
    }

    async fn answer(&self, request: Request) -> Result<Answer, Refusal> {
        if !self.token.is_in(request.headers()) {
            return Err(Refusal::unauthorized());
        }
        let batch_size = batch_size(&body(request).await?)?;
        let Ok(_call) = self.calls.try_acquire() else {
            return Err(Refusal::unavailable("Há chamadas demais ao mesmo tempo"));
        };
        if self.shutdown.has_begun() {
            return Err(Refusal::stopping());
        }
        let batches = self.process(batch_size).await.map_err(|error| {
            tracing::warn!(error = db::describe(&error), "HTTP call failed");
            Refusal::unavailable("O banco de dados não está disponível")
        })?;
        if batches.is_empty() && self.shutdown.is_forced() {
            return Err(Refusal::stopping());
        }
        Ok(Answer::of(batches))
    }

    /// Batch after batch until none is due, it has been enough, or the service is stopping.
    async fn process(&self, batch_size: Option<i32>) -> Result<Vec<Batch>, QueueError> {
        let queue = Queue::connect_to_work(&self.settings, "lead-mover http").await?;
        let mut batches: Vec<Batch> = Vec::new();
        let mut calls = Calls::new(&queue, &self.shutdown);
        while batches.len() < MOST_BATCHES && !self.shutdown.has_begun() {
            calls.send(batch_size);
            let (batch, duration) = match calls.answer().await {
                Ok(Some(answer)) => answer,
                Ok(None) | Err(Unanswered::Stopped) => break,
                // What was done is worth more to the caller than what comes next.
                Err(Unanswered::Lost(error)) if !batches.is_empty() => {
                    tracing::warn!(error = db::describe(&error), "HTTP call cut short");
                    break;
                }
                Err(Unanswered::Lost(error)) => return Err(error),
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
    let response = match queue.answer(request).await {
        Ok(answer) => Json(answer).into_response(),
        Err(refusal) => refusal.into_response(),
    };
    allow_origin(response)
}

async fn body(request: Request) -> Result<Bytes, Refusal> {
    match timeout(BODY_TIMEOUT, Bytes::from_request(request, &())).await {
        Ok(Ok(body)) => Ok(body),
        Ok(Err(rejection)) if rejection.status() == StatusCode::PAYLOAD_TOO_LARGE => {
            Err(Refusal::too_large(BODY_LIMIT))
        }
        Ok(Err(_)) | Err(_) => Err(Refusal::bad_request("Corpo incompleto")),
    }
}

/// The one key that a body may have; `null` or nothing is the size that each move was queued with.
fn batch_size(body: &[u8]) -> Result<Option<i32>, Refusal> {
    if body.trim_ascii().is_empty() {
        return Ok(None);
    }
    let body: Value = serde_json::from_slice(body)
        .map_err(|error| Refusal::bad_request(&format!("Corpo inválido: não é JSON ({error})")))?;
    let Value::Object(body) = body else {
        return Err(Refusal::bad_request("Corpo inválido: não é um objeto JSON"));
    };
    match body.get("batch_size") {
        None | Some(Value::Null) => Ok(None),
        Some(size) => size
            .as_i64()
            .filter(|size| (1..=10_000).contains(size))
            .and_then(|size| i32::try_from(size).ok())
            .map(Some)
            .ok_or_else(|| {
                Refusal::bad_request("batch_size deve ser um número inteiro de 1 a 10000")
            }),
    }
}

/// As Supabase's functions do it: a browser may call from anywhere, it needs the key all the same.
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
