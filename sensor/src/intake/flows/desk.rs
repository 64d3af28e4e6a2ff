//! What is kept across exporters, and where records become reports.
//!
//! Two things that exporters count twice are counted once. A switch or router that tells of what comes in
//! and of what goes out tells of a packet at each of two interfaces, and a distributed switch again in the
//! tunnel that it leaves by: of what a conversation moved at a time, what was told first is taken. And counters that go on from the start of a conversation (`octetTotalCount`)
//! are told again with each of its records: what is new since the last one is taken.

use std::hash::BuildHasher;
use std::net::IpAddr;
use std::time::Duration;

use foldhash::fast::RandomState;

use super::counts::{Counts, Early, Outcome};
use super::draft::Draft;
use super::exporters::{Exporter, Key};
use super::held::Held;
use super::recent::Recent;
use super::told::Told;
use crate::event::{FlowRecord, Report, Traffic};
use crate::time::Timestamp;

/// A place of which nothing was told for so long no longer counts.
const SILENT: Duration = Duration::from_secs(600);
/// So much later than what was told, it is not the same any more.
const NEXT: Duration = Duration::from_secs(1);

/// See the module.
#[derive(Debug, Default)]
pub(super) struct Desk {
    pub(super) counts: Counts,
    pub(super) held: Held,
    hasher: RandomState,
    /// Where a conversation is counted, when that was told last, and up to when.
    taken: Recent<(u8, Timestamp, Timestamp)>,
    /// What was told of a conversation so far.
    totals: Recent<[Traffic; 2]>,
}

impl Desk {
    /// Takes a record whose fields were read.
    pub(super) fn record(
        &mut self,
        key: &Key,
        exporter: &mut Exporter,
        told: &Told,
        draft: &Draft,
        reports: &mut Vec<Report>,
    ) {
        let one_in = exporter.samplers.one_in(draft.sampler);
        let started = draft.started.or(exporter.started).map(|started| told.corrected(started));
        let started = started.or_else(|| match (told.uptime, draft.uptime()) {
            (None, Some(uptime)) => Some(exporter.started_before(told.time, uptime)),
            _ => None,
        });
        let record = draft.finish(told, started, one_in);
        let outcome = match record {
            None => Outcome::Irrelevant,
            Some(record) if self.is_copy(key, told, draft.point(), &record) => Outcome::Copy,
            Some(mut record) => {
                if draft.is_running_total() {
                    self.since_last(key, &mut record);
                }
                reports.push(told.report(record));
                Outcome::Read
            }
        };
        self.counts.record(told.protocol, outcome);
    }

    /// A set came before its template.
    pub(super) fn hold(&mut self, key: &Key, id: u16, told: &Told, set: &[u8]) {
        self.counts.came_early(Early::Held);
        for _ in 0..self.held.hold(*key, id, *told, set) {
            self.counts.came_early(Early::Dropped);
        }
    }

    /// An exporter started anew: what waits for its old templates will never be read.
    pub(super) fn restarted(&mut self, key: &Key) {
        self.counts.restarts = self.counts.restarts.saturating_add(1);
        for _ in 0..self.held.forget(key) {
            self.counts.came_early(Early::Dropped);
        }
    }

    fn is_copy(&mut self, key: &Key, told: &Told, point: u8, record: &FlowRecord) -> bool {
        let hash = self.hasher.hash_one((key, ends(record)));
        let (taken, heard, until) = self.taken.of(hash, || (point, told.time, Timestamp::ZERO));
        // A conversation that begins later has its own direction: some exporters mean that of the
        // conversation, and not that at an interface.
        let is_told = record.first <= until.plus(NEXT) && told.time.since(*heard) < SILENT;
        if *taken != point && is_told {
            return true;
        }
        (*taken, *heard, *until) = (point, told.time.max(*heard), record.last.max(*until));
        false
    }

    /// Leaves in `record` what was not told before.
    fn since_last(&mut self, key: &Key, record: &mut FlowRecord) {
        let hash = self.hasher.hash_one((key, ends(record), record.first));
        let before = self.totals.of(hash, || [Traffic::default(); 2]);
        let totals = [record.sent, record.received.unwrap_or_default()];
        let [sent, received] = [since(totals[0], before[0]), since(totals[1], before[1])];
        *before = totals;
        record.sent = sent;
        record.received = record.received.map(|_| received);
    }
}

type Ends = ((IpAddr, u16), (IpAddr, u16), u8);

const fn ends(record: &FlowRecord) -> Ends {
    (record.from, record.to, record.protocol)
}

/// What `total` has more than `before`; all of it where it has less, for then it is another count.
const fn since(total: Traffic, before: Traffic) -> Traffic {
    match (total.packets.checked_sub(before.packets), total.bytes.checked_sub(before.bytes)) {
        (Some(packets), Some(bytes)) => Traffic { packets, bytes },
        _ => total,
    }
}
