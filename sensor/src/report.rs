//! What a reading came to: the summary at its end, for people and as one JSON line.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use serde_json::{Value, json};

use crate::alert::Severity;
use crate::config::Role;
use crate::detect::FlowRecords;
use crate::event::{Traffic, TunnelKind};
use crate::intake::audit::Refusal;
use crate::intake::{self, audit};
use crate::observe::mirrored::Pair;
use crate::text::{counted, grouped, printable, printable_within};
use crate::time::{ByteSize, Elapsed, Timestamp};

pub use held::HeldAlert;

mod held;

/// The numbers of one reading.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Summary {
    /// Frames read, refused ones included.
    pub packets: u64,
    /// Their bytes on the wire, link headers included.
    pub wire_bytes: u64,
    /// Frames that could not be decoded, by layer and reason.
    pub refused: BTreeMap<(&'static str, &'static str), u64>,
    /// Conversations.
    pub flows: u64,
    /// Conversations that ended early because the table was full.
    pub flow_evictions: u64,
    /// Time of the first and last frame; none when there was none.
    pub capture: Option<(Timestamp, Timestamp)>,
    /// TLS and QUIC ClientHellos.
    pub client_hellos: u64,
    /// Those that name a server.
    pub snis: u64,
    /// Those that were read only as far as they go, because their end was not captured.
    pub cut_hellos: u64,
    /// Hellos, of clients and servers, that could not be read; not among the others.
    pub refused_hellos: u64,
    /// DNS responses.
    pub dns_responses: u64,
    /// Records that answered in them.
    pub dns_answers: u64,
    /// Log messages, seen in the captures and in log files.
    pub logs: intake::Counts,
    /// Records in audit files.
    pub audit: audit::Counts,
    /// Flow records that logs told.
    pub flow_records: FlowRecords,
    /// Assets seen or configured.
    pub assets: Vec<AssetCount>,
    /// Alerts, by severity.
    pub alerts: BTreeMap<Severity, u64>,
    /// Alerts that the site's budget held back.
    pub held: Vec<HeldAlert>,
    /// How long the reading took.
    pub wall: Duration,
    /// Mirrored traffic on the wire, the most first.
    pub mirrored: Vec<MirroredPair>,
    /// What people should know about the capture files: where one was cut, what was lost.
    pub notes: Vec<String>,
}

/// How many assets of one role there are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AssetCount {
    /// The role.
    pub role: Role,
    /// Named in the config.
    pub configured: u64,
    /// Found in the traffic.
    pub discovered: u64,
}

/// What went wrapped between two ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MirroredPair {
    /// The ends, and how it was wrapped.
    pub pair: Pair,
    /// How much it was, with its wrapping.
    pub traffic: Traffic,
    /// How many of the packets were seen bare, too.
    pub copies: u64,
}

impl MirroredPair {
    fn text(&self) -> String {
        let Pair { kind, id, source, destination, port, .. } = self.pair;
        let wrapping = match (kind, port) {
            (Some(kind), _) => format!("in {}", kind.name()),
            (None, Some(port)) => format!("to UDP port {port}"),
            (None, None) => "wrapped".to_owned(),
        };
        let id = id.map_or_else(String::new, |id| format!(" {id}"));
        let copies = match self.copies {
            0 => String::new(),
            copies => format!(", {} of them seen bare, too", grouped(copies)),
        };
        let Traffic { packets, bytes } = self.traffic;
        let (packets, bytes) = (counted(packets, "packet"), ByteSize(bytes));
        format!("{source} to {destination} {wrapping}{id}: {packets}, {bytes}{copies}")
    }

    fn json(&self) -> Value {
        let Pair { kind, id, source, destination, port, .. } = self.pair;
        json!({
            "kind": kind.map(TunnelKind::name),
            "id": id,
            "src_ip": source,
            "dest_ip": destination,
            "dest_port": port,
            "packets": self.traffic.packets,
            "bytes": self.traffic.bytes,
            "copies": self.copies,
        })
    }
}

/// The most notes and reasons that are printed for people; the rest is counted.
const MOST_LINES: usize = 8;

impl Summary {
    /// The summary for people, a line a subject.
    pub fn text(&self) -> impl fmt::Display {
        fmt::from_fn(|f| self.write_text(f))
    }

    /// The summary as one JSON object with `event_type` `summary`.
    pub fn json(&self) -> Value {
        let mut refused = BTreeMap::<_, BTreeMap<_, _>>::new();
        for ((layer, reason), count) in &self.refused {
            refused.entry(layer).or_default().insert(reason, count);
        }
        let assets: serde_json::Map<_, _> = self
            .assets
            .iter()
            .map(|count| {
                let counts =
                    json!({ "configured": count.configured, "discovered": count.discovered });
                (count.role.name().to_owned(), counts)
            })
            .collect();
        let alerts: serde_json::Map<_, _> = Severity::ALL
            .iter()
            .map(|severity| (severity.name().to_owned(), self.alerts_of(*severity).into()))
            .collect();
        let audit_refused: BTreeMap<_, _> = Refusal::ALL
            .iter()
            .map(|refusal| (refusal.name(), self.audit.refused_for(*refusal)))
            .filter(|(_, count)| *count > 0)
            .collect();
        json!({
            "event_type": "summary",
            "packets": self.packets,
            "bytes": self.wire_bytes,
            "refused": refused,
            "flows": self.flows,
            "flow_evictions": self.flow_evictions,
            "capture_start": self.capture.map(|(start, _)| start),
            "capture_end": self.capture.map(|(_, end)| end),
            "capture_seconds": self.capture_length().as_secs_f64(),
            "client_hellos": self.client_hellos,
            "snis": self.snis,
            "cut_hellos": self.cut_hellos,
            "refused_hellos": self.refused_hellos,
            "dns_responses": self.dns_responses,
            "dns_answers": self.dns_answers,
            "log_messages": self.logs.total(),
            "log_messages_understood": self.logs.understood,
            "log_messages_unreadable": self.logs.unreadable,
            "audit_records": self.audit.total(),
            "audit_records_understood": self.audit.understood,
            "audit_records_repeated": self.audit.repeated,
            "audit_records_skipped": self.audit.skipped,
            "audit_records_refused": audit_refused,
            "flow_records": BTreeMap::from(self.flow_records.by_result()),
            "assets": assets,
            "alerts": alerts,
            "suppressed": self.held.iter().map(HeldAlert::json).collect::<Vec<_>>(),
            "wall_seconds": self.wall.as_secs_f64(),
            "packets_per_second": self.per_second(self.packets),
            "mirrored": self.mirrored.iter().map(MirroredPair::json).collect::<Vec<_>>(),
            "notes": self.notes,
        })
    }

    fn write_text(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        line(f, "alerts", self.alerts_text())?;
        self.write_held(f)?;
        match self.capture {
            Some((start, end)) => {
                let length = Elapsed(self.capture_length());
                line(
                    f,
                    "capture",
                    format_args!("{} to {} UTC, {length}", start.people(), end.people()),
                )?;
            }
            None => line(f, "capture", "no packets")?,
        }
        line(
            f,
            "read",
            format_args!(
                "{}, {}, in {}: {} packets/s, {}/s",
                counted(self.packets, "packet"),
                ByteSize(self.wire_bytes),
                Elapsed(self.wall),
                grouped(self.per_second(self.packets)),
                ByteSize(self.per_second(self.wire_bytes)),
            ),
        )?;
        self.write_refused(f)?;
        let flows = counted(self.flows, "conversation");
        match self.flow_evictions {
            0 => line(f, "flows", flows)?,
            evictions => {
                let early = grouped(evictions);
                line(f, "flows", format_args!("{flows}, {early} ended early: the table was full"))?;
            }
        }
        let hellos = counted(self.client_hellos, "ClientHello");
        let [cut, refused] =
            [(self.cut_hellos, "cut off"), (self.refused_hellos, "could not be read")].map(
                |(count, what)| match count {
                    0 => String::new(),
                    count => format!(", {} {what}", grouped(count)),
                },
            );
        let named = grouped(self.snis);
        line(f, "TLS", format_args!("{hellos}, {named} with a server name{cut}{refused}"))?;
        let responses = counted(self.dns_responses, "response");
        line(f, "DNS", format_args!("{responses}, {}", counted(self.dns_answers, "answer")))?;
        if self.logs.total() > 0 {
            let messages = counted(self.logs.total(), "message");
            let [understood, unreadable] =
                [self.logs.understood, self.logs.unreadable].map(grouped);
            let text = format_args!("{messages}, {understood} understood, {unreadable} unreadable");
            line(f, "logs", text)?;
        }
        if self.audit.total() > 0 {
            line(f, "audit", self.audit_text())?;
        }
        if let Some(text) = self.records_text() {
            line(f, "records", text)?;
        }
        line(f, "assets", self.assets_text())?;
        for pair in self.mirrored.iter().take(MOST_LINES) {
            line(f, "mirrored", pair.text())?;
        }
        more(f, self.mirrored.len())?;
        self.notes
            .iter()
            .take(MOST_LINES)
            .try_for_each(|note| line(f, "note", printable_within(note, 500)))?;
        more(f, self.notes.len())
    }

    /// What was held back, a line each.
    fn write_held(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.held.is_empty() {
            return Ok(());
        }
        let count = counted(self.held.len() as u64, "weak alert");
        line(f, "held", format_args!("{count}, beyond detect.site_budget"))?;
        for HeldAlert { analytic, summary, .. } in self.held.iter().take(MOST_LINES) {
            let name = analytic.name();
            line(f, "", format_args!("{name}: {}", printable_within(summary, 200)))?;
        }
        more(f, self.held.len())
    }

    fn write_refused(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let total = self.refused.values().fold(0, |sum: u64, count| sum.saturating_add(*count));
        if total == 0 {
            return line(f, "refused", "nothing");
        }
        let mut reasons: Vec<_> = self.refused.iter().collect();
        // The most frequent first; equals stay in the order of their names.
        reasons.sort_by_key(|(_, count)| std::cmp::Reverse(**count));
        line(f, "refused", counted(total, "packet"))?;
        for ((layer, reason), count) in reasons.iter().take(MOST_LINES) {
            let reason = reason.replace('_', " ");
            line(f, "", format_args!("{} {layer}: {}", grouped(**count), printable(&reason)))?;
        }
        more(f, reasons.len())
    }

    fn audit_text(&self) -> String {
        let records = counted(self.audit.total(), "record");
        let mut text = format!("{records}, {} understood", grouped(self.audit.understood));
        let refused = Refusal::ALL.map(|refusal| (refusal.name(), self.audit.refused_for(refusal)));
        let others = [("repeated", self.audit.repeated), ("skipped", self.audit.skipped)];
        for (what, count) in others.into_iter().chain(refused) {
            if count > 0 {
                text += &format!(", {} {}", grouped(count), what.replace('_', " "));
            }
        }
        text
    }

    /// What became of flow records, where there were any.
    fn records_text(&self) -> Option<String> {
        let known = self.flow_records.by_result();
        let any = known.iter().filter(|(_, count)| *count > 0);
        let texts: Vec<String> = any
            .map(|(what, count)| format!("{} {}", grouped(*count), what.replace('_', " ")))
            .collect();
        (!texts.is_empty()).then(|| texts.join(", "))
    }

    fn alerts_text(&self) -> String {
        let counts: Vec<String> = Severity::ALL
            .iter()
            .rev()
            .filter(|severity| self.alerts_of(**severity) > 0)
            .map(|severity| format!("{} {}", grouped(self.alerts_of(*severity)), severity.name()))
            .collect();
        if counts.is_empty() { "none".to_owned() } else { counts.join(", ") }
    }

    fn assets_text(&self) -> String {
        let counts: Vec<String> = self
            .assets
            .iter()
            .filter_map(|count| {
                let role = count.role.name();
                match (count.configured, count.discovered) {
                    (0, 0) => None,
                    (configured, 0) => Some(format!("{} {role}", grouped(configured))),
                    (configured, discovered) => Some(format!(
                        "{} {role} ({} discovered)",
                        grouped(configured.saturating_add(discovered)),
                        grouped(discovered)
                    )),
                }
            })
            .collect();
        if counts.is_empty() {
            return "none: name them as [[asset]] in the config; others are found by VMware MAC addresses"
                .to_owned();
        }
        counts.join(", ")
    }

    fn alerts_of(&self, severity: Severity) -> u64 {
        self.alerts.get(&severity).copied().unwrap_or_default()
    }

    fn capture_length(&self) -> Duration {
        self.capture.map_or(Duration::ZERO, |(start, end)| end.since(start))
    }

    /// `count` by the second; 0 when it took no time.
    fn per_second(&self, count: u64) -> u64 {
        let rate = count as f64 / self.wall.as_secs_f64();
        if rate.is_finite() { rate as u64 } else { 0 }
    }
}

fn line(f: &mut fmt::Formatter<'_>, label: &str, text: impl fmt::Display) -> fmt::Result {
    writeln!(f, "{label:<9}{text}")
}

/// Says how many lines beyond [`MOST_LINES`] there are.
fn more(f: &mut fmt::Formatter<'_>, lines: usize) -> fmt::Result {
    match lines.saturating_sub(MOST_LINES) {
        0 => Ok(()),
        rest => line(f, "", format_args!("and {rest} more; all are in --json")),
    }
}

#[cfg(test)]
mod tests;
