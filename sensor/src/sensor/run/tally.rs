//! What a worker's sources and its path have counted, published as metrics now and then: an addition a
//! family, not one a packet.

use std::collections::BTreeMap;

use prometheus::IntCounter;

use super::refused::Refused;
use crate::capture::{Kernel, Stats};
use crate::flow;
use crate::intake;
use crate::metrics::Metrics;
use crate::metrics::labels::{self, RCODES};
use crate::observe::Counts;
use crate::sensor::path::Path;
use crate::time::Timestamp;

/// What one worker has published so far.
#[derive(Debug)]
pub(super) struct Tally {
    metrics: Metrics,
    frames: u64,
    wire_bytes: u64,
    duplicates: u64,
    cut: u64,
    active: usize,
    flows: flow::Stats,
    read: Counts,
    logs: intake::Counts,
    /// By layer and reason.
    refused: BTreeMap<(&'static str, &'static str), u64>,
    /// What all workers have refused.
    all_refused: Refused,
}

/// What was published of one source so far.
#[derive(Debug, Default)]
pub(super) struct Told {
    lost: u64,
    cut: u64,
    counted: u64,
    counted_bytes: u64,
    kernel: Kernel,
}

/// What has come on top at one source.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct News {
    /// Frames lost.
    pub(super) lost: u64,
    /// Packets that were counted and not given as frames.
    pub(super) counted: u64,
    /// When the last of them came.
    pub(super) last: Option<Timestamp>,
}

impl Tally {
    pub(super) fn new(metrics: Metrics, all_refused: Refused) -> Self {
        Self {
            metrics,
            frames: 0,
            wire_bytes: 0,
            duplicates: 0,
            cut: 0,
            active: 0,
            flows: flow::Stats::default(),
            read: Counts::default(),
            logs: intake::Counts::default(),
            refused: BTreeMap::new(),
            all_refused,
        }
    }

    /// Publishes what a source has done since the last call.
    pub(super) fn source(&self, stats: &Stats, told: &mut Told) -> News {
        // What the ring holds and cannot be read is as lost as what it could not hold.
        let lost = grown(&mut told.lost, stats.dropped + stats.invalid);
        self.metrics.capture_dropped.with_label_values(&["ring"]).inc_by(lost);
        raise(&self.metrics.capture_truncated, &mut told.cut, stats.truncated);
        let Some(kernel) = &stats.kernel else { return News { lost, ..News::default() } };
        News { lost, counted: self.kernel(kernel, told), last: kernel.last }
    }

    /// Publishes what the kernel's half of a source has done; how many packets it alone has counted.
    ///
    /// What it handed up is counted where it is read, like all frames: so nothing counts twice, and
    /// the sum is the whole as soon as everything is read.
    fn kernel(&self, now: &Kernel, told: &mut Told) -> u64 {
        let (metrics, fast_path) = (&self.metrics, &self.metrics.fast_path);
        let (totals, known) = (&now.totals, &mut told.kernel.totals);
        let counted = grown(&mut told.counted, totals.packets.saturating_sub(totals.handed));
        let bytes = totals.bytes.saturating_sub(totals.handed_bytes);
        let counted_bytes = grown(&mut told.counted_bytes, bytes);
        metrics.capture_packets.inc_by(counted);
        metrics.capture_bytes.inc_by(counted_bytes);
        raise(&metrics.capture_duplicates, &mut known.duplicates, totals.duplicates);

        fast_path.counted_packets.inc_by(counted);
        fast_path.counted_bytes.inc_by(counted_bytes);
        raise(&fast_path.handed_up_packets, &mut known.handed, totals.handed);
        raise(&fast_path.handed_up_bytes, &mut known.handed_bytes, totals.handed_bytes);
        raise(&fast_path.ring_full, &mut known.ring_full, totals.ring_full);
        raise(&fast_path.evicted, &mut known.evicted, totals.evicted);
        raise(&fast_path.overflow, &mut known.overflow, totals.overflow);
        raise(&fast_path.unattributed, &mut known.unattributed, totals.unattributed);
        raise(&fast_path.unparsed, &mut known.unparsed, totals.unparsed);

        fast_path.slots_used.add(grown(&mut known.slots_used, totals.slots_used) as i64);
        fast_path.slots.add(grown(&mut told.kernel.slots, now.slots) as i64);
        counted
    }

    /// A source's tables are no more.
    pub(super) fn retired(&self, told: &Told) {
        let fast_path = &self.metrics.fast_path;
        fast_path.slots_used.sub(told.kernel.totals.slots_used as i64);
        fast_path.slots.sub(told.kernel.slots as i64);
    }

    /// Publishes what has come on top since the last call.
    pub(super) fn publish(&mut self, path: &Path, events_dropped: u64) {
        let metrics = &self.metrics;
        raise(&metrics.capture_packets, &mut self.frames, path.frames);
        raise(&metrics.capture_bytes, &mut self.wire_bytes, path.wire_bytes);
        metrics.events_dropped.with_label_values(&["detect"]).inc_by(events_dropped);

        let copies = path.copies();
        raise(&metrics.capture_duplicates, &mut self.duplicates, copies);

        raise(&metrics.capture_truncated, &mut self.cut, path.table.cut());

        let active = path.table.active();
        metrics.flows_active.add(active as i64 - self.active as i64);
        self.active = active;
        let (flows, evicted) = (path.table.stats(), &metrics.flows_evicted);
        raise(&evicted.with_label_values(&["table_full"]), &mut self.flows.evicted, flows.evicted);
        raise(
            &evicted.with_label_values(&["stream_budget"]),
            &mut self.flows.streams_evicted,
            flows.streams_evicted,
        );

        let sides = &metrics.flows_sides;
        raise(
            &sides.with_label_values(&["one"]),
            &mut self.flows.tcp_one_sided,
            flows.tcp_one_sided,
        );
        raise(&sides.with_label_values(&["both"]), &mut self.flows.tcp_both, flows.tcp_both);

        let read = path.reader.counts();
        raise(
            &evicted.with_label_values(&["session_budget"]),
            &mut self.read.tls_evicted,
            read.tls_evicted,
        );
        raise(&metrics.client_hellos, &mut self.read.client_hellos, read.client_hellos);
        let unread = read.quic.by_reason().into_iter().zip(self.read.quic.by_reason());
        for ((reason, now), (_, mut known)) in unread {
            raise(&metrics.quic_unread.with_label_values(&[reason]), &mut known, now);
        }
        self.read.quic = read.quic;
        raise(&metrics.incomplete_hellos, &mut self.read.cut_hellos, read.cut_hellos);
        raise(&metrics.dns_unasked, &mut self.read.dns_unasked, read.dns_unasked);
        let counts = self.read.dns_rcodes.iter_mut().zip(read.dns_rcodes);
        for (rcode, (known, count)) in counts.enumerate() {
            if count > *known {
                let name = RCODES.get(rcode).or(RCODES.last()).copied().unwrap_or_default();
                raise(&metrics.dns_responses.with_label_values(&[name]), known, count);
            }
        }
        let logs = path.reader.log_counts();
        let mirror = metrics.syslog.received.with_label_values(&["mirror"]);
        mirror.inc_by(logs.total().saturating_sub(self.logs.total()));
        metrics.syslog.read(&mut self.logs, logs);
        self.publish_refused(path);
    }

    fn publish_refused(&mut self, path: &Path) {
        for (refusal, count) in path.refusals.iter() {
            let known = self.refused.entry((refusal.layer(), refusal.reason())).or_default();
            let more = grown(known, count);
            self.all_refused.add(refusal, more);
            // What is none of the sensor's business, such as ARP, is no error.
            if refusal.is_malformed() {
                self.metrics.decode_errors.with_label_values(&[refusal.layer()]).inc_by(more);
            }
        }
        let read = path.reader.counts();
        for (layer, now) in [
            (labels::TLS, read.refused_hellos),
            (labels::CERTIFICATE, read.certificates_refused),
            (labels::DNS, read.dns_refused + read.dns_incomplete),
        ] {
            let known = self.refused.entry((layer, "")).or_default();
            raise(&self.metrics.decode_errors.with_label_values(&[layer]), known, now);
        }
    }
}

/// Raises a counter by how much a number has grown since it was `known`.
pub(super) fn raise(counter: &IntCounter, known: &mut u64, now: u64) {
    counter.inc_by(grown(known, now));
}

/// By how much a number that only grows has grown. A difference of two that are read while they change
/// can be seen to shrink for a moment: what was counted by then is not counted again.
fn grown(known: &mut u64, now: u64) -> u64 {
    let more = now.saturating_sub(*known);
    *known = now.max(*known);
    more
}

#[cfg(test)]
mod tests;
