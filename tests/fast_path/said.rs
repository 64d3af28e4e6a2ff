//! What a sensor said, without what follows from the time of the run: two sensors that saw the same
//! said the same.

use std::collections::BTreeMap;
use std::fmt::Debug;

use egret_tests::egret::json_lines;
use serde_json::Value;

/// Of a conversation in one direction.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Sent {
    pub(crate) packets: u64,
    pub(crate) bytes: u64,
    tcp_flags: u64,
}

/// All of it, in one form.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Said {
    /// `tls`, `quic` and `dns` events, and how often each was told.
    pub(crate) messages: BTreeMap<String, u64>,
    /// What each of two ends, the lower one first, sent to the other, over all accounts of it.
    pub(crate) conversations: BTreeMap<String, [Sent; 2]>,
    /// Alerts, without evidence.
    pub(crate) alerts: BTreeMap<String, u64>,
}

impl Said {
    /// Of events and alerts as the sensor writes them, one a line.
    pub(crate) fn new(events: &str, alerts: &[Value]) -> Self {
        let mut said = Self::default();
        for event in json_lines(events) {
            match event["event_type"].as_str().unwrap() {
                "tls" | "quic" | "dns" => said.message(event),
                "flow" => said.account(&event),
                _ => {}
            }
        }
        for alert in alerts {
            let fields = ["analytic", "techniques", "title", "severity", "asset", "destination"];
            let kept: Vec<String> = fields.map(|field| alert[field].to_string()).into();
            *said.alerts.entry(kept.join(" ")).or_default() += 1;
        }
        said
    }

    fn message(&mut self, mut event: Value) {
        for field in ["timestamp", "flow_id", "in_iface"] {
            event.as_object_mut().unwrap().remove(field);
        }
        *self.messages.entry(event.to_string()).or_default() += 1;
    }

    fn account(&mut self, event: &Value) {
        let end = |which: &str| {
            let port = event[format!("{which}_port")].as_u64().unwrap_or_default();
            format!("{}:{port}", event[format!("{which}_ip")].as_str().unwrap())
        };
        let (source, destination) = (end("src"), end("dest"));
        let sent = ["toserver", "toclient"].map(|way| Sent {
            packets: event["flow"][format!("pkts_{way}")].as_u64().unwrap(),
            bytes: event["flow"][format!("bytes_{way}")].as_u64().unwrap(),
            tcp_flags: {
                let field = if way == "toserver" { "tcp_flags_ts" } else { "tcp_flags_tc" };
                let flags = event["tcp"][field].as_str().unwrap_or("0");
                u64::from_str_radix(flags, 16).unwrap()
            },
        });
        let is_lower = source <= destination;
        let (ends, sent) = if is_lower {
            ([source, destination], sent)
        } else {
            ([destination, source], [sent[1], sent[0]])
        };
        // Without ICMP's types, of which a request and its answer have different ones: fragments are
        // another worker's than the rest of their conversation, who takes what he sees first for its
        // beginning.
        let name = format!("{} {}", event["proto"].as_str().unwrap(), ends.join(" "));
        for (sum, sent) in self.conversations.entry(name).or_default().iter_mut().zip(sent) {
            sum.packets += sent.packets;
            sum.bytes += sent.bytes;
            sum.tcp_flags |= sent.tcp_flags;
        }
    }

    /// All that conversations sent: packets and bytes.
    pub(crate) fn sent(&self) -> (u64, u64) {
        let each = self.conversations.values().flatten();
        each.fold((0, 0), |(packets, bytes), sent| (packets + sent.packets, bytes + sent.bytes))
    }

    /// What the other said differently, a line each.
    pub(crate) fn differences(&self, other: &Self) -> Vec<String> {
        let mut all = differences(&self.messages, &other.messages);
        all.extend(differences(&self.conversations, &other.conversations));
        all.extend(differences(&self.alerts, &other.alerts));
        all
    }

    /// The same, where the two see segments together or apart: then packets are not comparable.
    pub(crate) fn differences_but_packets(&self, other: &Self) -> Vec<String> {
        let without = |said: &Self| {
            let mut said = said.clone();
            said.conversations.values_mut().flatten().for_each(|sent| sent.packets = 0);
            said
        };
        without(self).differences(&without(other))
    }
}

fn differences<T: Debug + PartialEq>(
    one: &BTreeMap<String, T>,
    other: &BTreeMap<String, T>,
) -> Vec<String> {
    let missing = other.keys().filter(|key| !one.contains_key(*key));
    one.keys()
        .chain(missing)
        .filter(|key| one.get(*key) != other.get(*key))
        .map(|key| format!("{key}: {:?} and {:?}", one.get(key), other.get(key)))
        .collect()
}
