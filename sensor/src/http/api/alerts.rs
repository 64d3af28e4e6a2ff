//! `/api/alerts`: what was raised, and what people say about it.

use std::str::FromStr;
use std::sync::Arc;

use axum::Json;
use axum::body::Bytes;
use axum::extract::rejection::BytesRejection;
use axum::extract::{Path, State};
use axum::http::header;
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};
use tokio::task::spawn_blocking;
use uuid::Uuid;

use super::{Asked, Parts, Refusal, asked, limit, named};
use crate::alert::{Alert, Severity, Status, Verdict};
use crate::evidence::{self, Missing};
use crate::store::Stored;
use crate::store::keeper;
use crate::time::Timestamp;

/// What a pcapng file is (IANA, media types).
const PCAP: &str = "application/vnd.tcpdump.pcap";

/// The longest note, in characters.
const LONGEST_NOTE: usize = 2000;

/// What may be asked for.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::http) struct Wanted {
    min_severity: Option<String>,
    status: Option<String>,
    asset: Option<String>,
    /// RFC 3339.
    since: Option<String>,
    limit: Option<usize>,
}

/// Alerts, the latest first.
#[derive(Debug, Serialize)]
pub(in crate::http) struct Page {
    alerts: Vec<Alert>,
    /// Whether there are older ones.
    more: bool,
}

/// One alert, and beside it what was said of it.
#[derive(Debug, Serialize)]
pub(in crate::http) struct Told {
    #[serde(flatten)]
    alert: Alert,
    /// When it was first raised.
    raised: Timestamp,
    note: Option<String>,
    /// The last time; it may have become worse since, and be open again.
    acknowledged: Option<Seen>,
    /// What a person found it to be.
    verdict: Option<Verdict>,
}

#[derive(Debug, Serialize)]
struct Seen {
    at: Timestamp,
    by: String,
}

/// What a person says.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Acknowledgement {
    note: Option<String>,
}

/// `GET /api/alerts`
pub(in crate::http) async fn list(
    State(parts): State<Parts>,
    wanted: Asked<Wanted>,
) -> Result<Json<Page>, Refusal> {
    let mut wanted = filter(asked(wanted)?)?;
    let limit = wanted.limit;
    wanted.limit += 1;
    let mut alerts = parts.keeper.alerts(wanted).await?;
    let more = alerts.len() > limit;
    alerts.truncate(limit);
    Ok(Json(Page { alerts, more }))
}

/// `GET /api/alerts/{id}`
pub(in crate::http) async fn one(
    State(parts): State<Parts>,
    Path(id): Path<String>,
) -> Result<Json<Told>, Refusal> {
    told(&parts, uuid(&id)?).await
}

/// `GET /api/alerts/{id}/pcap`
pub(in crate::http) async fn packets(
    State(parts): State<Parts>,
    Path(id): Path<String>,
) -> Result<Response, Refusal> {
    let id = uuid(&id)?;
    let data_dir = Arc::clone(&parts.data_dir);
    // The disk may take its time.
    let read = spawn_blocking(move || evidence::read(&data_dir, id)).await;
    match read {
        Ok(Ok(packets)) => {
            let disposition = format!("attachment; filename=\"egret-{id}.pcapng\"");
            let headers = [
                (header::CONTENT_TYPE, PCAP.to_owned()),
                (header::CONTENT_DISPOSITION, disposition),
            ];
            Ok((headers, packets).into_response())
        }
        Ok(Err(missing @ (Missing::Never | Missing::GaveWay))) => {
            let is_known = parts.keeper.alert(id).await?.is_some();
            Err(if is_known { Refusal::missing(missing.to_string()) } else { no_such(id) })
        }
        Ok(Err(unreadable)) => Err(Refusal::unavailable(unreadable.to_string())),
        Err(error) => Err(Refusal::unavailable(error.to_string())),
    }
}

/// `POST /api/alerts/{id}/ack`
pub(in crate::http) async fn acknowledge(
    State(parts): State<Parts>,
    Path(id): Path<String>,
    body: Result<Bytes, BytesRejection>,
) -> Result<Json<Told>, Refusal> {
    let id = uuid(&id)?;
    let body = body.map_err(|rejection| Refusal::new(rejection.status(), rejection.body_text()))?;
    let note = note(&body)?;
    let is_there = parts.keeper.acknowledge(id, note, (parts.clock)()).await?;
    if !is_there {
        return Err(no_such(id));
    }
    told(&parts, id).await
}

async fn told(parts: &Parts, id: Uuid) -> Result<Json<Told>, Refusal> {
    let Stored { alert, raised, note, seen, verdict } =
        parts.keeper.ask(move |store| store.alert(id)).await?.ok_or_else(|| no_such(id))?;
    let acknowledged = seen.map(|(at, by)| Seen { at, by });
    Ok(Json(Told { alert, raised, note, acknowledged, verdict }))
}

fn filter(wanted: Wanted) -> Result<keeper::Wanted, Refusal> {
    let Wanted { min_severity, status, asset, since, limit: most } = wanted;
    Ok(keeper::Wanted {
        min_severity: named(
            "min_severity",
            min_severity.as_deref(),
            &Severity::ALL,
            Severity::name,
        )?,
        status: named("status", status.as_deref(), &Status::ALL, Status::name)?,
        asset,
        since: since.as_deref().map(time).transpose()?,
        limit: limit(most)?,
    })
}

fn time(text: &str) -> Result<Timestamp, Refusal> {
    let nanos = jiff::Timestamp::from_str(text).map(jiff::Timestamp::as_nanosecond);
    match nanos.map(u64::try_from) {
        Ok(Ok(nanos)) => Ok(Timestamp::from_nanos(nanos)),
        _ => Err(Refusal::bad(format!(
            "since = {text:?}: expected a time such as 2026-11-20T14:03:11Z"
        ))),
    }
}

fn uuid(text: &str) -> Result<Uuid, Refusal> {
    Uuid::from_str(text).map_err(|_| {
        Refusal::bad("expected the id of an alert, such as 6fa459ea-ee8a-5ca4-894e-db77e160355e")
    })
}

/// The note in a body, which may be empty.
fn note(body: &[u8]) -> Result<Option<String>, Refusal> {
    if body.trim_ascii().is_empty() {
        return Ok(None);
    }
    let said: Acknowledgement = serde_json::from_slice(body)
        .map_err(|error| Refusal::bad(format!("expected {{\"note\": \"…\"}}: {error}")))?;
    match said.note {
        Some(note) if note.chars().count() > LONGEST_NOTE => {
            Err(Refusal::bad(format!("the note is longer than {LONGEST_NOTE} characters")))
        }
        note => Ok(note.filter(|note| !note.trim().is_empty())),
    }
}

fn no_such(id: Uuid) -> Refusal {
    Refusal::missing(format!("there is no alert {id}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_filter_reaches_its_place() {
        let text = |text: &str| Some(text.to_owned());
        let asked = Wanted {
            min_severity: text("high"),
            status: text("open"),
            asset: text("esxi-01"),
            since: text("2026-11-20T14:03:11+01:00"),
            limit: Some(7),
        };
        let wanted = filter(asked).unwrap();
        assert_eq!(wanted.min_severity, Some(Severity::High));
        assert_eq!(wanted.status, Some(Status::Open));
        assert_eq!(wanted.asset.as_deref(), Some("esxi-01"));
        assert_eq!(wanted.since.unwrap().to_string(), "2026-11-20T13:03:11.000000Z");
        assert_eq!(wanted.limit, 7);
    }

    #[test]
    fn a_filter_that_cannot_be_is_refused() {
        let text = Some("x".to_owned());
        for wanted in [
            Wanted { min_severity: text.clone(), ..Wanted::default() },
            Wanted { status: text.clone(), ..Wanted::default() },
            Wanted { since: text, ..Wanted::default() },
            Wanted { since: Some("1960-01-01T00:00:00Z".to_owned()), ..Wanted::default() },
            Wanted { limit: Some(1001), ..Wanted::default() },
        ] {
            assert!(filter(wanted).is_err());
        }
    }

    #[test]
    fn a_note_is_text_or_nothing() {
        assert_eq!(note(b"").unwrap(), None);
        assert_eq!(note(b" {} ").unwrap(), None);
        assert_eq!(note(br#"{"note":" "}"#).unwrap(), None);
        assert_eq!(note(br#"{"note":"known"}"#).unwrap().as_deref(), Some("known"));
        let long = serde_json::json!({ "note": "x".repeat(2001) }).to_string();
        for wrong in [&b"known"[..], br#"{"notes":"x"}"#, b"\xff", b"[", long.as_bytes()] {
            assert!(note(wrong).is_err());
        }
    }
}
