//! What records are wrapped in on their way here.
//!
//! | from | the form |
//! | --- | --- |
//! | files of CloudTrail, `lookup-events` | `{"Records":[…]}`; `{"Events":[{"CloudTrailEvent":"…"}]}` |
//! | EventBridge | `{"detail-type":"…","detail":{…}}` |
//! | CloudWatch Logs | `{"messageType":"DATA_MESSAGE","logEvents":[{"timestamp":…,"message":"…"}]}` |
//! | Data Firehose | `{"records":[{"data":"base64"}]}`, gzip in it |
//! | SNS, SQS | `{"Type":"Notification","Message":"…"}`; `{"MessageId":"…","Body":"…"}` |
//! | Azure | `{"records":[…]}` (Event Hub), `{"value":[…]}` (REST) |
//! | Google Cloud | `{"message":{"data":"base64"}}` (Pub/Sub), `{"entries":[…]}` |
//! | log shippers | `{"message":"{…}"}` |

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value};

/// What holds records in an object around them.
pub(super) const LISTS: [&str; 9] = [
    "Records",
    "records",
    "logEvents",
    "Events",
    "events",
    "entries",
    "value",
    "Messages",
    "receivedMessages",
];

/// What is in a value.
#[derive(Debug, Clone, PartialEq)]
pub enum Inside {
    /// It is a record.
    Record(Value),
    /// Values, each a record or an envelope.
    Values(Vec<Value>),
    /// Bytes, to be read as a file is.
    Bytes(Vec<u8>),
    /// Nothing to read.
    Nothing,
}

/// Opens one envelope, if this is one.
pub fn open(value: Value) -> Inside {
    match value {
        Value::Object(mut map) => opened(&mut map).unwrap_or(Inside::Record(Value::Object(map))),
        Value::Array(values) => Inside::Values(values),
        Value::String(text) => Inside::Bytes(text.into_bytes()),
        Value::Null | Value::Bool(_) | Value::Number(_) => Inside::Nothing,
    }
}

fn opened(map: &mut Map<String, Value>) -> Option<Inside> {
    if is(map, "messageType", "CONTROL_MESSAGE") {
        return Some(Inside::Nothing);
    }
    for name in LISTS {
        if let Some(Value::Array(list)) = map.get_mut(name) {
            return Some(Inside::Values(std::mem::take(list)));
        }
    }
    if map.contains_key("detail-type")
        && let Some(detail @ Value::Object(_)) = map.get_mut("detail")
    {
        return Some(Inside::Values(vec![detail.take()]));
    }
    if let Some(Value::Object(message)) = map.get("message") {
        return encoded(message);
    }
    if map.keys().all(|key| FIREHOSE.contains(&key.as_str())) {
        return encoded(map);
    }
    let name = text_of(map)?;
    match map.get_mut(name)?.take() {
        Value::String(text) => Some(Inside::Bytes(text.into_bytes())),
        _ => None,
    }
}

/// What a record of Data Firehose has: `data`, and when and as what it came.
const FIREHOSE: [&str; 3] = ["data", "recordId", "approximateArrivalTimestamp"];

/// The member that has the record as text.
fn text_of(map: &Map<String, Value>) -> Option<&'static str> {
    let has = |name| map.contains_key(name);
    let text = |name| map.get(name).and_then(Value::as_str);
    if is(map, "Type", "Notification") && text("Message").is_some() {
        return Some("Message");
    }
    for (body, id) in [("Body", "MessageId"), ("body", "messageId")] {
        if has(id) && text(body).is_some() {
            return Some(body);
        }
    }
    if text("CloudTrailEvent").is_some() {
        return Some("CloudTrailEvent");
    }
    // A log event of CloudWatch, whatever its message is, or a line that a shipper took from a file.
    let message = text("message")?;
    let is_log_event = map.get("timestamp").is_some_and(Value::is_number);
    (is_log_event || message.starts_with('{')).then_some("message")
}

fn is(map: &Map<String, Value>, name: &str, value: &str) -> bool {
    map.get(name).and_then(Value::as_str) == Some(value)
}

/// Bytes in base64, as the member `data`.
fn encoded(map: &Map<String, Value>) -> Option<Inside> {
    let data = map.get("data")?.as_str()?;
    STANDARD.decode(data).ok().map(Inside::Bytes)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn bytes(text: &str) -> Inside {
        Inside::Bytes(text.as_bytes().to_vec())
    }

    #[test]
    fn envelopes_are_opened() {
        let record = json!({ "eventName": "x" });
        let one = || Inside::Values(vec![record.clone()]);
        for (envelope, inside) in [
            (json!({ "Records": [record] }), one()),
            (json!({ "time": "t", "records": [record] }), one()),
            (json!([record]), one()),
            (
                json!({ "version": "0", "detail-type": "AWS API Call via CloudTrail", "detail": record }),
                one(),
            ),
            (
                json!({ "messageType": "DATA_MESSAGE", "owner": "1", "logEvents": [record] }),
                one(),
            ),
            (json!({ "messageType": "CONTROL_MESSAGE", "logEvents": [record] }), Inside::Nothing),
            (json!({ "id": "1", "timestamp": 1, "message": "2 1 eni-1 -" }), bytes("2 1 eni-1 -")),
            (json!({ "@timestamp": "t", "message": "{}" }), bytes("{}")),
            (
                json!({ "message": { "data": "e30=", "messageId": "1" }, "subscription": "s" }),
                bytes("{}"),
            ),
            (json!({ "data": "e30=" }), bytes("{}")),
            (json!({ "Type": "Notification", "Message": "{}", "MessageId": "1" }), bytes("{}")),
            (json!({ "MessageId": "1", "Body": "{}" }), bytes("{}")),
            (json!({ "messageId": "1", "body": "{}" }), bytes("{}")),
            (json!({ "EventId": "1", "CloudTrailEvent": "{}" }), bytes("{}")),
            (json!("{}"), bytes("{}")),
            (json!(12), Inside::Nothing),
        ] {
            assert_eq!(open(envelope.clone()), inside, "{envelope}");
        }
    }

    #[test]
    fn a_record_is_no_envelope() {
        for record in [
            json!({ "eventName": "x", "requestParameters": { "Records": [1] } }),
            json!({ "detail": {}, "message": "it failed" }),
            json!({ "data": "no base64" }),
            json!({ "data": "e30=", "eventName": "x" }),
            json!({ "Records": {}, "records": null }),
            json!({ "Type": "Notification", "Message": {} }),
            json!({}),
        ] {
            assert_eq!(open(record.clone()), Inside::Record(record));
        }
    }
}
