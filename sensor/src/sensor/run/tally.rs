//! What a worker's path has counted, published as metrics now and then: an addition a family, not
//! one a packet.

use std::collections::BTreeMap;

use prometheus::IntCounter;

use crate::decode::duplicates::Duplicates;
use crate::flow;
use crate::metrics::Metrics;
use crate::metrics::labels::RCODES;
use crate::observe::Counts;
use crate::sensor::path::Path;

/// What one worker has published so far.
#[derive(Debug)]
pub(super) struct Tally {
    metrics: Metrics,
    frames: u64,
    wire_bytes: u64,
    duplicates: u64,
    active: usize,
    flows: flow::Stats,
    read: Counts,
    /// By layer and reason.
    refused: BTreeMap<(&'static str, &'static str), u64>,
}

impl Tally {
    pub(super) fn new(metrics: Metrics) -> Self {
        Self {
            metrics,
            frames: 0,
            wire_bytes: 0,
            duplicates: 0,
            active: 0,
            flows: flow::Stats::default(),
            read: Counts::default(),
            refused: BTreeMap::new(),
        }
    }

    /// So many more frames found no room in a ring, and so many more were cut.
    pub(super) fn source(&self, lost: u64, cut: u64) {
        self.metrics.capture_dropped.with_label_values(&["ring"]).inc_by(lost);
        self.metrics.capture_truncated.inc_by(cut);
    }

    /// Publishes what has come on top since the last call.
    pub(super) fn publish(&mut self, path: &Path, events_dropped: u64) {
        let metrics = &self.metrics;
        raise(&metrics.capture_packets, &mut self.frames, path.frames);
        raise(&metrics.capture_bytes, &mut self.wire_bytes, path.wire_bytes);
        metrics.events_dropped.with_label_values(&["detect"]).inc_by(events_dropped);

        let copies = path.duplicates.as_ref().map_or(0, Duplicates::count);
        raise(&metrics.capture_duplicates, &mut self.duplicates, copies);

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
        raise(&metrics.client_hellos, &mut self.read.client_hellos, read.client_hellos);
        let counts = self.read.dns_rcodes.iter_mut().zip(read.dns_rcodes);
        for (rcode, (known, count)) in counts.enumerate() {
            if count > *known {
                let name = RCODES.get(rcode).or(RCODES.last()).copied().unwrap_or_default();
                raise(&metrics.dns_responses.with_label_values(&[name]), known, count);
            }
        }
        self.publish_refused(path);
    }

    fn publish_refused(&mut self, path: &Path) {
        // What is none of the sensor's business, such as ARP, is no error.
        for (refusal, count) in path.refusals.iter().filter(|(refusal, _)| refusal.is_malformed()) {
            let known = self.refused.entry((refusal.layer(), refusal.reason())).or_default();
            let errors = self.metrics.decode_errors.with_label_values(&[refusal.layer()]);
            raise(&errors, known, count);
        }
    }
}

fn raise(counter: &IntCounter, known: &mut u64, now: u64) {
    counter.inc_by(now.saturating_sub(*known));
    *known = now;
}
