//! Which path is answered by what.

use axum::extract::{DefaultBodyLimit, Request};
use axum::http::StatusCode;
use axum::routing::{delete, get, post};
use axum::{Router, middleware};

use super::refusal::Refusal;
use super::{Access, Parts, api, audit, console, guard, health};

/// The largest body of a request: a note on an alert.
const MAX_BODY: usize = 16 << 10;

/// All of it behind the guard.
pub(super) fn routes(parts: Parts, access: Access) -> Router {
    Router::new()
        .route("/metrics", get(health::metrics))
        .route("/healthz", get(health::alive))
        .route("/readyz", get(health::ready))
        .route("/api/status", get(api::status))
        .route("/api/assets", get(api::assets::list))
        .route("/api/assets/{name}", get(api::asset::one))
        .route("/api/volumes", get(api::asset::volumes))
        .route("/api/sources", get(api::sources::sources))
        .route("/api/fleet", get(api::fleet::fleet))
        .route("/api/approvals", get(api::approvals::list).post(api::approvals::approve))
        .route("/api/approvals/{number}", delete(api::approvals::unapprove))
        .route("/api/alerts", get(api::alerts::list))
        .route("/api/alerts/counts", get(api::alerts::counts))
        .route("/api/alerts/{id}", get(api::alerts::one))
        .route(guard::PACKETS, get(api::alerts::packets))
        .route("/api/alerts/{id}/ack", post(api::alerts::acknowledge))
        .with_state(parts.clone())
        .merge(audit::route(parts, access.clone()))
        .merge(console::route(access.clone()))
        .fallback(nothing_here)
        .method_not_allowed_fallback(not_this_way)
        .layer(DefaultBodyLimit::max(MAX_BODY))
        .layer(middleware::from_fn_with_state(access, guard::guard))
}

async fn nothing_here() -> Refusal {
    Refusal::missing(
        "nothing is here; there are /, /metrics, /healthz, /readyz, /api/status, /api/assets, \
         /api/volumes, /api/sources, /api/fleet, /api/alerts, /api/approvals and /intake/audit",
    )
}

async fn not_this_way(request: Request) -> Refusal {
    let reason = format!("{} is not answered here", request.method());
    Refusal::new(StatusCode::METHOD_NOT_ALLOWED, reason)
}
