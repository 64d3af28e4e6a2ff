//! Splunk's HTTP event collector: the alert as the event, with what Splunk indexes it by.

use serde_json::{Value, json};

use super::super::links::Links;
use super::{Linked, millis};
use crate::alert::Alert;

pub(super) fn event(alert: &Alert, links: Option<&Links>) -> Result<Value, serde_json::Error> {
    let millis = millis(alert.time);
    Ok(json!({
        // Seconds; as text, so that no digit is rounded away.
        "time": format!("{}.{:03}", millis / 1000, millis % 1000),
        "host": alert.sensor,
        "source": "egret",
        "sourcetype": "egret:alert",
        "event": serde_json::to_value(Linked { alert, links })?,
    }))
}
