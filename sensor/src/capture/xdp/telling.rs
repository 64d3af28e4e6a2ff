//! How what the kernel counted is told.

use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering::Relaxed;

use super::clock::{self, Clock};
use super::key::{Key, Told};
use crate::capture::{Counted, Scan};
use crate::time::Timestamp;

/// What counts need besides themselves to be told.
#[derive(Debug)]
pub(super) struct Telling {
    pub(super) clock: Clock,
    /// When the last scan began that told all and has ended, in the kernel's time.
    scanned: u64,
    /// When the last one began that tells all.
    began: u64,
    /// When the last packet came that any source of the interface has told of, in the kernel's time.
    last: Arc<AtomicU64>,
}

impl Telling {
    pub(super) fn new(last: Arc<AtomicU64>) -> Self {
        Self { clock: Clock::measured(), scanned: 0, began: 0, last }
    }

    /// A scan begins.
    pub(super) fn begin(&mut self, scan: Scan) {
        self.clock = Clock::measured();
        if scan == Scan::All {
            self.began = clock::monotonic();
        }
    }

    /// The scan has ended.
    pub(super) const fn end(&mut self) {
        self.scanned = self.began;
    }

    /// When the last packet came that was told of.
    pub(super) fn last(&self) -> Option<Timestamp> {
        let last = self.last.load(Relaxed);
        (last > 0).then(|| self.clock.time(last))
    }

    /// As the packet path wants it.
    pub(super) fn counted<K: Key>(&self, told: &Told<K>) -> Counted {
        let Told { key, count } = told;
        if count.last > self.last.load(Relaxed) {
            self.last.fetch_max(count.last, Relaxed);
        }
        let ([source, destination], last) = (key.addresses(), self.clock.time(count.last));
        Counted {
            source,
            destination,
            ports: key.ports(),
            protocol: key.protocol(),
            tcp_flags: count.tcp_flags as u8,
            packets: count.packets,
            bytes: count.bytes,
            // The kernel's times are as exact as its ticks, so that the last one may lie before a scan
            // that it was not told by.
            since: self.clock.time(count.first.max(self.scanned)).min(last),
            last,
        }
    }
}

#[cfg(test)]
mod tests {
    use egret_ebpf::{Count, Key4};

    use super::*;

    #[test]
    fn counts_reach_back_to_their_first_packet_or_to_the_last_scan_that_ended() {
        let mut telling = Telling::new(Arc::default());
        let told = |first, last| {
            let count = Count { packets: 1, bytes: 60, first, last, ..Count::default() };
            Told { key: Key4::default(), count }
        };
        let spans = |telling: &Telling, first, last| {
            let counted = telling.counted(&told(first, last));
            (counted.last.since(counted.since).as_nanos() as u64, counted.last)
        };
        let early = clock::monotonic();
        telling.begin(Scan::All);
        let late = telling.began + 1000;
        assert_eq!(spans(&telling, early, late).0, late - early, "the scan goes on");
        telling.end();
        assert_eq!(spans(&telling, early, late).0, 1000);
        assert_eq!(spans(&telling, late - 10, late).0, 10);
        let (span, last) = spans(&telling, early, early);
        assert_eq!(
            (span, last),
            (0, telling.clock.time(early)),
            "a tick that began before the scan"
        );
        assert_eq!(telling.last(), Some(telling.clock.time(late)));
    }
}
