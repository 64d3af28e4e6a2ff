//! `POST /intake/audit`: audit records of clouds and of vCenter, in whatever envelope, from whoever has
//! the token in `intake.audit.token_file`.
//!
//! Bodies are unpacked here, and read by the thread that takes logs in. `202` says what became of the
//! records; `400`, that none could be read; `503`, that too much is under way, and that the body is to be
//! sent again. What is sent again is told once.

use std::io::Read;
use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, FromRequest, Request, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use axum::{Json, Router};
use flate2::read::MultiGzDecoder;
use serde_json::{Map, json};
use tokio::sync::{Semaphore, SemaphorePermit};
use tokio::task::spawn_blocking;

use super::refusal::Refusal;
use super::{Access, Parts, guard};
use crate::intake::audit::{Counts, GZIP, Refusal as Refused};

/// Where they are posted.
pub(super) const PATH: &str = "/intake/audit";
/// The largest body, packed and unpacked.
const MAX_BODY: usize = 16 << 20;
/// Bytes of bodies at a time, packed and unpacked.
const BUDGET: usize = 64 << 20;
/// Bytes that the budget is counted in.
const UNIT: usize = 1 << 10;

#[derive(Clone)]
struct Door {
    parts: Parts,
    access: Access,
    /// What is left of [`BUDGET`].
    budget: Arc<Semaphore>,
}

pub(super) fn route(parts: Parts, access: Access) -> Router {
    let budget = Arc::new(Semaphore::new(BUDGET / UNIT));
    Router::new().route(PATH, post(audit)).layer(DefaultBodyLimit::max(MAX_BODY)).with_state(Door {
        parts,
        access,
        budget,
    })
}

async fn audit(State(door): State<Door>, request: Request) -> Response {
    let taken = door.take(request).await;
    let result = match &taken {
        Ok(_) => "accepted",
        Err(refusal) => match refusal.status() {
            StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => "unauthorized",
            StatusCode::SERVICE_UNAVAILABLE => "busy",
            _ => "refused",
        },
    };
    door.parts.metrics.audit.requests.with_label_values(&[result]).inc();
    match taken {
        Ok(counts) => (StatusCode::ACCEPTED, told(&counts)).into_response(),
        Err(refusal) => refusal.into_response(),
    }
}

impl Door {
    async fn take(&self, request: Request) -> Result<Counts, Refusal> {
        let headers = request.headers();
        self.check_token(headers)?;
        check_encoding(headers)?;
        let length = length(headers)?;
        // Held until its records are read.
        let _room = self.room(length)?;
        let body = Bytes::from_request(request, &()).await;
        let body = body.map_err(|refused| Refusal::new(refused.status(), refused.body_text()))?;
        // Whatever the header says.
        let is_packed = body.starts_with(&GZIP);
        let _room = self.room(if is_packed { MAX_BODY } else { 0 })?;
        let body = if is_packed { unpack(body).await? } else { body.into() };
        let counts = self.parts.audit.send(body).await.ok_or_else(busy)?;
        if counts.total() == counts.refused() {
            return Err(Refusal::bad(unread(&counts)));
        }
        Ok(counts)
    }

    fn room(&self, bytes: usize) -> Result<SemaphorePermit<'_>, Refusal> {
        let units = u32::try_from(bytes.div_ceil(UNIT)).unwrap_or(u32::MAX);
        self.budget.try_acquire_many(units).map_err(|_| busy())
    }

    fn check_token(&self, headers: &HeaderMap) -> Result<(), Refusal> {
        let Some(token) = self.access.audit_token() else {
            let reason = "no audit records are taken here: set intake.audit.http and \
                          intake.audit.token_file in the config";
            return Err(Refusal::new(StatusCode::FORBIDDEN, reason));
        };
        guard::check(&token, "intake.audit.token_file", headers)
    }
}

fn check_encoding(headers: &HeaderMap) -> Result<(), Refusal> {
    let given = headers.get(header::CONTENT_ENCODING).map(HeaderValue::as_bytes);
    let known = [&b"gzip"[..], b"x-gzip", b"identity"];
    if given.is_none_or(|given| known.iter().any(|known| given.eq_ignore_ascii_case(known))) {
        return Ok(());
    }
    let reason = "send the body as it is, or with \"Content-Encoding: gzip\"";
    Err(Refusal::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, reason))
}

/// How long a body is, as it comes: one that does not say so, as long as one may be.
fn length(headers: &HeaderMap) -> Result<usize, Refusal> {
    let length = headers.get(header::CONTENT_LENGTH).and_then(|value| value.to_str().ok());
    let length = length.and_then(|length| length.parse().ok()).unwrap_or(MAX_BODY);
    if length > MAX_BODY { Err(too_large()) } else { Ok(length) }
}

async fn unpack(body: Bytes) -> Result<Vec<u8>, Refusal> {
    let unpacked = spawn_blocking(move || {
        let mut unpacked = Vec::new();
        let most = MAX_BODY as u64 + 1;
        MultiGzDecoder::new(&*body).take(most).read_to_end(&mut unpacked).map(|_| unpacked)
    });
    match unpacked.await {
        Ok(Ok(unpacked)) if unpacked.len() > MAX_BODY => Err(too_large()),
        Ok(Ok(unpacked)) => Ok(unpacked),
        Ok(Err(_)) => Err(Refusal::bad("the body begins like gzip and cannot be unpacked")),
        Err(_) => Err(busy()),
    }
}

fn too_large() -> Refusal {
    let reason = format!("expected at most {} MiB, packed and unpacked", MAX_BODY >> 20);
    Refusal::new(StatusCode::PAYLOAD_TOO_LARGE, reason)
}

fn busy() -> Refusal {
    Refusal::unavailable("too much is under way; send it again in a moment")
}

/// Why nothing of a body was read.
fn unread(counts: &Counts) -> String {
    let reasons: Vec<_> = refusals(counts)
        .map(|(reason, count)| format!("{count} {}", reason.replace('_', " ")))
        .collect();
    if reasons.is_empty() {
        return "there is no record in the body".to_owned();
    }
    format!("no audit record can be read in the body: {}", reasons.join(", "))
}

fn told(counts: &Counts) -> Json<serde_json::Value> {
    let refused: Map<_, _> =
        refusals(counts).map(|(reason, count)| (reason.to_owned(), count.into())).collect();
    Json(json!({
        "understood": counts.understood,
        "irrelevant": counts.irrelevant + counts.skipped,
        "repeated": counts.repeated,
        "refused": refused,
    }))
}

/// How many records were refused, by each reason that there was.
fn refusals(counts: &Counts) -> impl Iterator<Item = (&'static str, u64)> {
    let counted = Refused::ALL.map(|refusal| (refusal.name(), counts.refused_for(refusal)));
    counted.into_iter().filter(|(_, count)| *count > 0)
}
