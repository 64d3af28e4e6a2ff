//! What machines ask: metrics, whether the sensor lives, whether it does its work.

use axum::Json;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::json;

use super::Parts;
use super::refusal::Refusal;

/// Prometheus' text format.
const EXPOSITION: &str = "text/plain; version=0.0.4; charset=utf-8";

/// `GET /metrics`
pub(super) async fn metrics(State(parts): State<Parts>) -> Result<Response, Refusal> {
    match parts.metrics.text() {
        Ok(text) => Ok(([(header::CONTENT_TYPE, EXPOSITION)], text).into_response()),
        Err(error) => Err(Refusal::unavailable(error.to_string())),
    }
}

/// `GET /healthz`: whether to let it live. Only what a restart can help.
pub(super) async fn alive(State(parts): State<Parts>) -> Response {
    answer("alive", &parts.status().stopped((parts.clock)()), &[])
}

/// `GET /readyz`: whether it does all of its work. A mirror that is silent is an alert's matter.
pub(super) async fn ready(State(parts): State<Parts>) -> Response {
    let status = parts.status();
    answer("ready", &status.missing((parts.clock)()), &status.notes())
}

fn answer(what: &'static str, reasons: &[String], notes: &[String]) -> Response {
    let status = if reasons.is_empty() { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    let mut said = json!({ what: reasons.is_empty(), "reasons": reasons });
    if let Some(said) = said.as_object_mut().filter(|_| !notes.is_empty()) {
        said.insert("notes".to_owned(), json!(notes));
    }
    (status, Json(said)).into_response()
}
