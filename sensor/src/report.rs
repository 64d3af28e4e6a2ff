//! What a reading came to: the summary at its end, for people and as one JSON line.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use serde_json::{Value, json};

use crate::alert::{Alert, Analytic, Severity};
use crate::config::Role;
use crate::event::{Traffic, TunnelKind};
use crate::intake::audit::Refusal;
use crate::intake::{self, audit};
use crate::observe::mirrored::Pair;
use crate::text::{counted, grouped, printable, printable_within};
use crate::time::{ByteSize, Elapsed, Timestamp};

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

/// An alert that was held back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HeldAlert {
    /// Of which analytic.
    pub analytic: Analytic,
    /// When.
    pub time: Timestamp,
    /// About whom.
    pub asset: String,
    /// In a sentence.
    pub summary: String,
}

impl HeldAlert {
    /// What is shown of an alert.
    pub fn of(alert: &Alert) -> Self {
        Self {
            analytic: alert.analytic,
            time: alert.time,
            asset: alert.asset.name.clone(),
            summary: alert.summary.clone(),
        }
    }

    fn json(&self) -> Value {
        json!({
            "analytic": self.analytic,
            "time": self.time,
            "asset": self.asset,
            "summary": self.summary,
        })
    }
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
            "audit_records_refused": audit_refused,
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
        for (what, count) in [("repeated", self.audit.repeated)].into_iter().chain(refused) {
            if count > 0 {
                text += &format!(", {} {}", grouped(count), what.replace('_', " "));
            }
        }
        text
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
mod tests {
    use super::*;

    fn summary() -> Summary {
        let start = Timestamp::from_parts(1_795_183_391, 0);
        Summary {
            packets: 1_234_567,
            wire_bytes: 9_800_000_000,
            refused: BTreeMap::from([
                (("ip", "bad_version"), 2),
                (("ethernet", "truncated"), 1_010),
            ]),
            flows: 12_345,
            flow_evictions: 0,
            capture: Some((start, start.plus(Duration::from_secs(86_400)))),
            client_hellos: 1_234,
            snis: 1_200,
            cut_hellos: 3,
            refused_hellos: 0,
            dns_responses: 1,
            dns_answers: 9_012,
            logs: intake::Counts { understood: 12, irrelevant: 3_000, ..intake::Counts::default() },
            audit: audit::Counts { understood: 6, irrelevant: 2, ..audit::Counts::default() },
            assets: vec![
                AssetCount { role: Role::Esxi, configured: 2, discovered: 0 },
                AssetCount { role: Role::Vcenter, configured: 0, discovered: 0 },
                AssetCount { role: Role::Guest, configured: 2, discovered: 18 },
            ],
            alerts: BTreeMap::from([(Severity::High, 2), (Severity::Low, 1)]),
            held: vec![HeldAlert {
                analytic: Analytic::AN1416,
                time: start,
                asset: "app-01".to_owned(),
                summary: "app-01 sent 150.0 MB over TLS to cdn\x1b[2J".to_owned(),
            }],
            wall: Duration::from_millis(2_300),
            mirrored: vec![MirroredPair {
                pair: Pair {
                    kind: Some(TunnelKind::Vxlan),
                    id: Some(77),
                    source: [10, 0, 0, 5].into(),
                    destination: [203, 0, 113, 9].into(),
                    port: Some(4789),
                    interface: None,
                },
                traffic: Traffic { packets: 1_200, bytes: 800_000 },
                copies: 1_100,
            }],
            notes: vec!["monday.pcap: cut in the middle of a packet\nfake line".to_owned()],
        }
    }

    #[test]
    fn people_read_aligned_lines() {
        assert_eq!(
            summary().text().to_string(),
            "\
alerts   2 high, 1 low
held     1 weak alert, beyond detect.site_budget
         AN1416: app-01 sent 150.0 MB over TLS to cdn\\x1b[2J
capture  2026-11-20 14:03:11 to 2026-11-21 14:03:11 UTC, 1d
read     1,234,567 packets, 9.8 GB, in 2.30s: 536,768 packets/s, 4.3 GB/s
refused  1,012 packets
         1,010 ethernet: truncated
         2 ip: bad version
flows    12,345 conversations
TLS      1,234 ClientHellos, 1,200 with a server name, 3 cut off
DNS      1 response, 9,012 answers
logs     3,012 messages, 12 understood, 0 unreadable
audit    8 records, 6 understood
assets   2 esxi, 20 guest (18 discovered)
mirrored 10.0.0.5 to 203.0.113.9 in vxlan 77: 1,200 packets, 800.0 kB, 1,100 of them seen bare, too
note     monday.pcap: cut in the middle of a packet\\nfake line
"
        );
    }

    #[test]
    fn an_empty_reading_says_so_and_divides_by_nothing() {
        let text = Summary::default().text().to_string();
        assert!(text.contains("alerts   none\n"));
        assert!(text.contains("capture  no packets\n"));
        assert!(text.contains("read     0 packets, 0 B, in 0s: 0 packets/s, 0 B/s\n"));
        assert!(text.contains("refused  nothing\n"));
        assert!(text.contains("assets   none: name them as [[asset]] in the config"));
    }

    #[test]
    fn many_notes_are_cut_and_counted() {
        let notes = (0..20).map(|i| format!("file {i}")).collect();
        let text = Summary { notes, ..Summary::default() }.text().to_string();
        assert_eq!(text.matches("note ").count(), 8);
        assert!(text.ends_with("         and 12 more; all are in --json\n"));
    }

    #[test]
    fn machines_read_one_object() {
        let json = summary().json();
        assert_eq!(json["event_type"], "summary");
        assert_eq!(json["bytes"], 9_800_000_000_u64);
        assert_eq!(json["refused"]["ethernet"]["truncated"], 1_010);
        assert_eq!(json["capture_start"], "2026-11-20T14:03:11.000000Z");
        assert_eq!(json["capture_seconds"], 86_400.0);
        assert_eq!(json["assets"]["guest"]["discovered"], 18);
        assert_eq!(json["log_messages"], 3_012);
        assert_eq!(json["audit_records"], 8);
        assert_eq!(json["mirrored"][0]["dest_ip"], "203.0.113.9");
        assert_eq!(json["alerts"]["critical"], 0);
        assert_eq!(json["suppressed"][0]["analytic"], "AN1416");
        assert_eq!(json["packets_per_second"], 536_768);
        assert!(!json.to_string().contains('\n'));
        assert!(Summary::default().json()["capture_start"].is_null());
    }
}
