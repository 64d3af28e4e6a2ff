//! `/api/alerts`: what was raised, and what people say about it.

use std::collections::BTreeMap;
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

use super::approvals::Offered;
use super::{Asked, Parts, Refusal, asked, limit, named};
use crate::alert::format::{Explained, explained};
use crate::alert::{Alert, Analytic, Severity, Status, Verdict};
use crate::evidence::{self, Missing};
use crate::store::Stored;
use crate::store::keeper;
use crate::time::Timestamp;

/// What a pcapng file is (IANA, media types).
const PCAP: &str = "application/vnd.tcpdump.pcap";

/// What may be asked for.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::http) struct Wanted {
    min_severity: Option<String>,
    status: Option<String>,
    asset: Option<String>,
    analytic: Option<String>,
    /// RFC 3339.
    since: Option<String>,
    limit: Option<usize>,
    /// Without evidence, of which there may be much.
    #[serde(default)]
    brief: bool,
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
    /// It in words, as `egret alerts show` has them.
    explained: Explained,
    /// What can be approved so that it is not told again, the narrowest first: bodies for
    /// `POST /api/approvals`.
    approvals: Vec<Offered>,
    /// The page of the handbook about its analytic.
    runbook: String,
    /// Whether `GET /api/alerts/{id}/pcap` has packets.
    pcap: bool,
}

/// How many alerts there are.
#[derive(Debug, Serialize)]
pub(in crate::http) struct Counts {
    /// By severity.
    open: BTreeMap<&'static str, u64>,
    acknowledged: u64,
    /// Held back beyond the site's budget.
    suppressed: u64,
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
    verdict: Option<Verdict>,
}

/// `GET /api/alerts`
pub(in crate::http) async fn list(
    State(parts): State<Parts>,
    wanted: Asked<Wanted>,
) -> Result<Json<Page>, Refusal> {
    let wanted = asked(wanted)?;
    let brief = wanted.brief;
    let mut wanted = filter(wanted)?;
    let limit = wanted.limit;
    wanted.limit += 1;
    let mut alerts = parts.keeper.alerts(wanted).await?;
    let more = alerts.len() > limit;
    alerts.truncate(limit);
    if brief {
        alerts.iter_mut().for_each(|alert| alert.evidence.clear());
    }
    Ok(Json(Page { alerts, more }))
}

/// `GET /api/alerts/counts`
pub(in crate::http) async fn counts(State(parts): State<Parts>) -> Result<Json<Counts>, Refusal> {
    let all = parts.keeper.ask(|store| store.alert_counts()).await?;
    let mut counts = Counts { open: BTreeMap::new(), acknowledged: 0, suppressed: 0 };
    for (status, severity, count) in all {
        match status {
            Status::Open => drop(counts.open.insert(severity.name(), count)),
            Status::Acknowledged => counts.acknowledged += count,
            Status::Suppressed => counts.suppressed += count,
        }
    }
    Ok(Json(counts))
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
    let Acknowledgement { note, verdict } = said(body)?;
    let is_there = parts.keeper.acknowledge(id, note, verdict, (parts.clock)()).await?;
    if !is_there {
        return Err(no_such(id));
    }
    told(&parts, id).await
}

async fn told(parts: &Parts, id: Uuid) -> Result<Json<Told>, Refusal> {
    let Stored { alert, raised, note, seen, verdict } =
        parts.keeper.ask(move |store| store.alert(id)).await?.ok_or_else(|| no_such(id))?;
    let acknowledged = seen.map(|(at, by)| Seen { at, by });
    let explained = explained(&alert);
    let approvals = alert.approvals().iter().map(Offered::of).collect();
    let runbook = format!("runbooks/{}.md", alert.analytic.name().to_lowercase());
    let data_dir = Arc::clone(&parts.data_dir);
    // The disk may take its time.
    let pcap = spawn_blocking(move || evidence::is_there(&data_dir, id)).await.unwrap_or(false);
    Ok(Json(Told {
        alert,
        raised,
        note,
        acknowledged,
        verdict,
        explained,
        approvals,
        runbook,
        pcap,
    }))
}

fn filter(wanted: Wanted) -> Result<keeper::Wanted, Refusal> {
    let Wanted { min_severity, status, asset, analytic, since, limit: most, .. } = wanted;
    Ok(keeper::Wanted {
        min_severity: named(
            "min_severity",
            min_severity.as_deref(),
            &Severity::ALL,
            Severity::name,
        )?,
        status: named("status", status.as_deref(), &Status::ALL, Status::name)?,
        asset,
        analytic: named("analytic", analytic.as_deref(), &Analytic::ALL, Analytic::name)?,
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

/// What a body says, which may be empty.
fn said(body: Result<Bytes, BytesRejection>) -> Result<Acknowledgement, Refusal> {
    if body.as_ref().is_ok_and(|body| body.trim_ascii().is_empty()) {
        return Ok(Acknowledgement::default());
    }
    let expected = "{\"note\": \"…\", \"verdict\": \"harmless\" or \"incident\"}";
    let said: Acknowledgement = super::body(body, expected)?;
    Ok(Acknowledgement { note: super::note(said.note)?, ..said })
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
            analytic: text("AN1416"),
            limit: Some(7),
            brief: true,
        };
        let wanted = filter(asked).unwrap();
        assert_eq!(wanted.min_severity, Some(Severity::High));
        assert_eq!(wanted.status, Some(Status::Open));
        assert_eq!(wanted.asset.as_deref(), Some("esxi-01"));
        assert_eq!(wanted.since.unwrap().to_string(), "2026-11-20T13:03:11.000000Z");
        assert_eq!((wanted.limit, wanted.analytic), (7, Some(Analytic::AN1416)));
    }

    #[test]
    fn a_filter_that_cannot_be_is_refused() {
        let text = Some("x".to_owned());
        for wanted in [
            Wanted { min_severity: text.clone(), ..Wanted::default() },
            Wanted { status: text.clone(), ..Wanted::default() },
            Wanted { analytic: text.clone(), ..Wanted::default() },
            Wanted { since: text, ..Wanted::default() },
            Wanted { since: Some("1960-01-01T00:00:00Z".to_owned()), ..Wanted::default() },
            Wanted { limit: Some(1001), ..Wanted::default() },
        ] {
            assert!(filter(wanted).is_err());
        }
    }

    #[test]
    fn a_note_is_text_or_nothing() {
        let note = |body: &[u8]| said(Ok(Bytes::copy_from_slice(body))).map(|said| said.note);
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
