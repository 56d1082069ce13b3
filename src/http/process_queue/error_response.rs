//! The response to a request that was not carried out.

use axum::Json;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::json;

/// A status, and a text for users.
pub(super) struct ErrorResponse(StatusCode, String);

impl ErrorResponse {
    /// Status 400.
    pub(super) fn bad_request(text: &str) -> Self {
        Self(StatusCode::BAD_REQUEST, text.to_owned())
    }

    /// Status 401.
    pub(super) fn unauthorized() -> Self {
        Self(
            StatusCode::UNAUTHORIZED,
            "Não autorizado: chave ausente ou inválida".to_owned(),
        )
    }

    /// Status 405.
    pub(super) fn method_not_allowed() -> Self {
        Self(
            StatusCode::METHOD_NOT_ALLOWED,
            "Método não permitido: use POST".to_owned(),
        )
    }

    /// Status 413.
    pub(super) fn too_large(limit: usize) -> Self {
        Self(
            StatusCode::PAYLOAD_TOO_LARGE,
            format!("Corpo grande demais: no máximo {limit} bytes"),
        )
    }

    /// Status 503.
    pub(super) fn stopping() -> Self {
        Self::unavailable("O serviço está sendo encerrado")
    }

    /// Status 503.
    pub(super) fn unavailable(text: &str) -> Self {
        Self(
            StatusCode::SERVICE_UNAVAILABLE,
            format!("{text}; tente de novo em alguns segundos"),
        )
    }
}

impl IntoResponse for ErrorResponse {
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
