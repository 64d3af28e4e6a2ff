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
