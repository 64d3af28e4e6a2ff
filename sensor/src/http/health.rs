//! What machines ask: metrics, whether the sensor lives, whether it does its work.

use std::time::Duration;

use axum::Json;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::json;

use super::Parts;
use super::refusal::Refusal;
use crate::status::Status;
use crate::time::Timestamp;

/// A status is set every second; one this old is set no more.
const STALE: Duration = Duration::from_secs(10);
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
    answer("alive", &stopped(&parts.status(), (parts.clock)()))
}

/// `GET /readyz`: whether it does all of its work. A mirror that is silent is an alert's matter.
pub(super) async fn ready(State(parts): State<Parts>) -> Response {
    answer("ready", &missing(&parts.status(), (parts.clock)()))
}

fn answer(what: &'static str, reasons: &[String]) -> Response {
    let status = if reasons.is_empty() { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    (status, Json(json!({ what: reasons.is_empty(), "reasons": reasons }))).into_response()
}

/// What has stopped.
fn stopped(status: &Status, now: Timestamp) -> Vec<String> {
    let age = now.since(status.now);
    if age > STALE {
        return vec![format!("the sensor has not told its state since {}", status.now)];
    }
    if !status.workers_alive {
        return vec!["a worker has not looked for packets within the last seconds".to_owned()];
    }
    Vec::new()
}

/// What is not as it should be.
fn missing(status: &Status, now: Timestamp) -> Vec<String> {
    let mut reasons = stopped(status, now);
    if status.interfaces.is_empty() {
        reasons.push(
            "no interface to capture from: name one in capture.interface and restart".to_owned(),
        );
    }
    // One that is down is open: it is a matter of the mirror, like one that is silent.
    for interface in &status.interfaces {
        if interface.state == "gone" || interface.state.starts_with("closed") {
            reasons.push(format!("interface {} is {}", interface.name, interface.state));
        }
    }
    if let Some(error) = &status.reload_error {
        reasons.push(format!("the config was not reloaded: {error}"));
    }
    reasons.extend(status.clock_error.clone());
    if let Some(error) = &status.store_error {
        reasons.push(format!("alerts cannot be stored: {error}"));
    }
    reasons
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::status::Interface;

    fn status() -> Status {
        let interface = |state: &str| Interface {
            name: "eth1".to_owned(),
            state: state.to_owned(),
            ..Interface::default()
        };
        Status {
            now: Timestamp::from_parts(1000, 0),
            workers_alive: true,
            interfaces: vec![interface("up"), interface("down")],
            ..Status::default()
        }
    }

    #[test]
    fn a_silent_or_unplugged_mirror_is_ready() {
        assert!(missing(&status(), Timestamp::from_parts(1009, 0)).is_empty());
    }

    #[test]
    fn what_a_restart_cannot_help_is_alive_and_not_ready() {
        let now = Timestamp::from_parts(1001, 0);
        let mut broken = status();
        broken.interfaces[0].state = "gone".to_owned();
        broken.interfaces[1].state = "closed: no memory".to_owned();
        broken.clock_error = Some("the clock was set back".to_owned());
        broken.reload_error = Some("egret.toml:3: a".to_owned());
        broken.store_error = Some("disk full".to_owned());
        assert!(stopped(&broken, now).is_empty());
        assert_eq!(missing(&broken, now).len(), 5);
        assert_eq!(missing(&Status { interfaces: Vec::new(), ..status() }, now).len(), 1);
    }

    #[test]
    fn a_loop_that_has_stopped_is_not_alive() {
        let now = Timestamp::from_parts(1001, 0);
        assert_eq!(stopped(&Status { workers_alive: false, ..status() }, now).len(), 1);
        assert_eq!(stopped(&status(), Timestamp::from_parts(1011, 0)).len(), 1);
        assert!(stopped(&status(), Timestamp::from_parts(900, 0)).is_empty(), "the clock was set");
    }
}
