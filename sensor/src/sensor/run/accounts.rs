//! What the event file is told now and then of the frames: how many, and how many were refused.

use super::event_file::EventFile;
use super::refused::Refused;
use crate::decode::Refusal;
use crate::eve;
use crate::metrics::Metrics;
use crate::metrics::labels::DROPPED;
use crate::system::now;

/// What was told, and where to look for more.
#[derive(Debug)]
pub(super) struct Accounts {
    refused: Refused,
    told: [u64; Refusal::ALL.len()],
}

impl Accounts {
    pub(super) const fn new(refused: Refused) -> Self {
        Self { refused, told: [0; _] }
    }

    /// Writes an `anomaly` line for each reason of which there is more, and a `stats` line.
    pub(super) fn write(&mut self, metrics: &Metrics, uptime: u64, events: &mut EventFile) {
        let drops = |reason| metrics.capture_dropped.with_label_values(&[reason]).get();
        let kernel_drops = DROPPED.into_iter().map(drops).sum();
        let pkts = metrics.capture_packets.get();
        let stats = eve::Stats {
            uptime: Some(uptime),
            capture: Some(eve::Capture { kernel_packets: pkts + kernel_drops, kernel_drops }),
            decoder: eve::Decoder {
                pkts,
                bytes: metrics.capture_bytes.get(),
                invalid: self.refused.malformed(),
            },
        };
        let (now, more) = (now(), self.more());
        events.anomalies(now, &more);
        events.stats(now, &stats, &self.refused.by_layer());
    }

    /// What was refused since the last time.
    fn more(&mut self) -> Vec<(Refusal, u64)> {
        let mut more = Vec::new();
        for (refusal, count) in self.refused.iter() {
            let Some(told) = self.told.get_mut(refusal as usize) else { continue };
            if count > *told {
                more.push((refusal, count - *told));
                *told = count;
            }
        }
        more
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use serde_json::{Value, json};

    use super::*;
    use crate::cli::Stream;
    use crate::sensor::run::event_file;

    #[test]
    fn all_that_was_done_is_told_and_of_what_was_refused_what_is_new() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("eve.json");
        let metrics = Metrics::new().unwrap();
        let dropped = metrics.events_dropped.with_label_values(&["events"]);
        let opened = event_file::open(&Stream::File(path.clone())).unwrap();
        let mut events = EventFile::start(opened, Vec::new(), dropped).unwrap();
        let refused = Refused::default();
        let mut accounts = Accounts::new(refused.clone());
        metrics.capture_packets.inc_by(10);
        metrics.capture_bytes.inc_by(1000);
        metrics.capture_dropped.with_label_values(&["ring"]).inc_by(2);
        for uptime in [60, 120] {
            refused.add(Refusal::UdpLength, uptime / 60);
            refused.add(Refusal::NotIp, 1);
            accounts.write(&metrics, uptime, &mut events);
        }
        accounts.write(&metrics, 180, &mut events);
        events.close();
        let lines = fs::read_to_string(path).unwrap();
        let lines: Vec<Value> =
            lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        let types: Vec<_> = lines.iter().map(|line| line["event_type"].as_str().unwrap()).collect();
        assert_eq!(types, ["anomaly", "stats", "anomaly", "stats", "stats"]);
        assert_eq!(
            (&lines[0]["egret"]["count"], &lines[2]["egret"]["count"]),
            (&1.into(), &2.into())
        );
        assert_eq!(
            lines[4]["stats"],
            json!({
                "uptime": 180,
                "capture": { "kernel_packets": 12, "kernel_drops": 2 },
                "decoder": { "pkts": 10, "bytes": 1000, "invalid": 3 },
            })
        );
        assert_eq!(
            lines[4]["egret"]["refused"],
            json!({ "link": { "not_ip": 2 }, "udp": { "bad_length": 3 } })
        );
    }
}
