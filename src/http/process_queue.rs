//! `POST /functions/v1/process-lead-migration-queue`: the address of the Edge Function that the service
//! replaces. Whoever called that goes on as before; the workers need no such call.

use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, FromRequest as _, Request, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use axum::{Json, Router};
use chrono::{SecondsFormat, Utc};
use serde::Serialize;
use serde_json::{Value, json};
use tokio::sync::Semaphore;
use tokio::time::timeout;
use uuid::Uuid;

use super::ApiToken;
use crate::batch::{self, Unanswered};
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

/// What a call answers with.
#[derive(Serialize)]
struct Answer {
    success: bool,
    timestamp: String,
    batches_processed: usize,
    total_leads_moved: u64,
    results: Vec<BatchResult>,
    message: String,
}

#[derive(Serialize)]
struct BatchResult {
    /// From 1.
    batch: usize,
    message_id: Option<i64>,
    run_id: Option<Uuid>,
    run_name: Option<String>,
    leads_moved: u32,
    leads_remaining: u64,
    success: bool,
    message: Option<String>,
}

/// Why a call was refused; its text is for people.
struct Refusal(StatusCode, String);

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
                    .fallback(async || {
                        allow_origin(
                            Refusal(
                                StatusCode::METHOD_NOT_ALLOWED,
                                "Método não permitido: use POST".to_owned(),
                            )
                            .into_response(),
                        )
                    })
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
            return Err(Refusal(
                StatusCode::UNAUTHORIZED,
                "Não autorizado: chave ausente ou inválida".to_owned(),
            ));
        }
        let batch_size = batch_size(&body(request).await?)?;
        let Ok(_call) = self.calls.try_acquire() else {
            return Err(unavailable("Há chamadas demais ao mesmo tempo"));
        };
        if self.shutdown.has_begun() {
            return Err(unavailable("O serviço está sendo encerrado"));
        }
        let batches = self.process(batch_size).await.map_err(|error| {
            tracing::warn!(error = db::describe(&error), "HTTP call failed");
            unavailable("O banco de dados não está disponível")
        })?;
        Ok(Answer::of(batches))
    }

    /// Batch after batch until none is due, it has been enough, or the service is stopping.
    async fn process(&self, batch_size: Option<i32>) -> Result<Vec<Batch>, QueueError> {
        let queue = Queue::connect(&self.settings, "lead-mover http").await?;
        let mut batches: Vec<Batch> = Vec::new();
        while batches.len() < MOST_BATCHES && !self.shutdown.has_begun() {
            let started = Instant::now();
            let batch = match batch::process(&queue, batch_size, &self.shutdown).await {
                Ok(batch) => batch,
                Err(Unanswered::Stopped) => break,
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
            self.reporter.batch(batch.clone(), started.elapsed());
            batches.push(batch);
        }
        Ok(batches)
    }
}

impl Answer {
    fn of(batches: Vec<Batch>) -> Self {
        let total_leads_moved = batches
            .iter()
            .map(|batch| u64::from(batch.leads_moved))
            .sum();
        Self {
            success: true,
            timestamp: Utc::now().to_rfc3339_opts(SecondsFormat::Secs, true),
            batches_processed: batches.len(),
            total_leads_moved,
            message: format!(
                "Processados {} batch(es), {total_leads_moved} leads movidos",
                batches.len()
            ),
            results: (1..).zip(batches).map(BatchResult::of).collect(),
        }
    }
}

impl BatchResult {
    fn of((number, batch): (usize, Batch)) -> Self {
        Self {
            batch: number,
            message_id: batch.message_id,
            run_id: batch.run_id,
            run_name: batch.run_name,
            leads_moved: batch.leads_moved,
            leads_remaining: batch.leads_remaining,
            success: batch.outcome == Outcome::Moved,
            message: batch.text,
        }
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let Self(status, error) = self;
        let mut response =
            (status, Json(json!({ "success": false, "error": error }))).into_response();
        let (name, value) = match status {
            StatusCode::UNAUTHORIZED => (header::WWW_AUTHENTICATE, "Bearer"),
            StatusCode::METHOD_NOT_ALLOWED => (header::ALLOW, "POST, OPTIONS"),
            StatusCode::SERVICE_UNAVAILABLE => (header::RETRY_AFTER, "5"),
            _ => return response,
        };
        response
            .headers_mut()
            .insert(name, HeaderValue::from_static(value));
        response
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
        Ok(Err(rejection)) if rejection.status() == StatusCode::PAYLOAD_TOO_LARGE => Err(Refusal(
            StatusCode::PAYLOAD_TOO_LARGE,
            format!("Corpo grande demais: no máximo {BODY_LIMIT} bytes"),
        )),
        Ok(Err(_)) | Err(_) => Err(bad_request("Corpo incompleto")),
    }
}

/// The one key that a body may have; `null` or nothing is the size that each move was queued with.
fn batch_size(body: &[u8]) -> Result<Option<i32>, Refusal> {
    if body.trim_ascii().is_empty() {
        return Ok(None);
    }
    let body: Value = serde_json::from_slice(body)
        .map_err(|error| bad_request(&format!("Corpo inválido: não é JSON ({error})")))?;
    let Value::Object(body) = body else {
        return Err(bad_request("Corpo inválido: não é um objeto JSON"));
    };
    match body.get("batch_size") {
        None | Some(Value::Null) => Ok(None),
        Some(size) => size
            .as_i64()
            .filter(|size| (1..=10_000).contains(size))
            .and_then(|size| i32::try_from(size).ok())
            .map(Some)
            .ok_or_else(|| bad_request("batch_size deve ser um número inteiro de 1 a 10000")),
    }
}

fn bad_request(text: &str) -> Refusal {
    Refusal(StatusCode::BAD_REQUEST, text.to_owned())
}

fn unavailable(text: &str) -> Refusal {
    Refusal(
        StatusCode::SERVICE_UNAVAILABLE,
        format!("{text}; tente de novo em alguns segundos"),
    )
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
