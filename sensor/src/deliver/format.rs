//! An alert in the forms that other people's tools read.

use serde::Serialize;
use serde_json::Value;

use super::links::Links;
use crate::alert::Alert;
use crate::config::WebhookFormat;
use crate::time::Timestamp;

mod alertmanager;
mod cef;
mod ecs;
mod ocsf;
mod splunk;

pub(super) use cef::cef;

/// Who made the event, wherever a format asks for vendor and product.
const PRODUCT: &str = "Egret";
const VERSION: &str = env!("CARGO_PKG_VERSION");

/// `alert` as `format` has it. `now` is when it is sent.
///
/// # Errors
/// When the alert cannot be written as JSON.
pub(super) fn body(
    format: WebhookFormat,
    alert: &Alert,
    links: Option<&Links>,
    now: Timestamp,
) -> Result<Vec<u8>, serde_json::Error> {
    match format {
        WebhookFormat::Egret => serde_json::to_vec(&Linked { alert, links }),
        WebhookFormat::Ecs => serde_json::to_vec(&ecs::event(alert, links)?),
        WebhookFormat::Ocsf => serde_json::to_vec(&ocsf::finding(alert, links)?),
        WebhookFormat::Alertmanager => serde_json::to_vec(&alertmanager::alerts(alert, links, now)),
        WebhookFormat::SplunkHec => serde_json::to_vec(&splunk::event(alert, links)?),
    }
}

/// The alert as Egret has it, with links where there are any.
#[derive(Serialize)]
struct Linked<'a> {
    #[serde(flatten)]
    alert: &'a Alert,
    #[serde(skip_serializing_if = "Option::is_none")]
    links: Option<&'a Links>,
}

/// Leaves out what is not known, at any depth: receivers map `null` to nothing good.
fn known(value: Value) -> Value {
    match value {
        Value::Object(fields) => {
            let fields = fields.into_iter().filter(|(_, value)| !value.is_null());
            Value::Object(fields.map(|(key, value)| (key, known(value))).collect())
        }
        Value::Array(items) => Value::Array(items.into_iter().map(known).collect()),
        value => value,
    }
}

/// Milliseconds since the epoch, as OCSF and CEF have times.
const fn millis(time: Timestamp) -> u64 {
    time.as_nanos() / 1_000_000
}

/// Confidence from 0 to 100.
fn percent(alert: &Alert) -> u8 {
    (alert.confidence * 100.0).clamp(0.0, 100.0).round() as u8
}

/// Community IDs in the evidence, each once.
fn community_ids(alert: &Alert) -> Vec<&str> {
    use crate::alert::Fact;
    let mut ids: Vec<&str> = Vec::new();
    for piece in &alert.evidence {
        if let Fact::TlsSession { community_id, .. } | Fact::Connection { community_id, .. } =
            &piece.fact
            && !ids.contains(&community_id.as_str())
        {
            ids.push(community_id);
        }
    }
    ids
}

#[cfg(test)]
pub(super) mod tests;
