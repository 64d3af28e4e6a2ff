//! Whose word counts, where several tell of the same traffic.
//!
//! A router and a switch on one path both export what passes, and the firewall logs it. What goes from one
//! address to another is taken from one of them: the first that told of it, or one that counts more, as
//! long as that one tells anything at all.
//!
//! Bounds: [`PAIRS`] pairs of addresses and [`EXPORTERS`] exporters in each of two generations, 64 and 24
//! bytes each; who was forgotten for want of room is taken for new.

use std::hash::BuildHasher;
use std::net::IpAddr;
use std::time::Duration;

use crate::detect::recent::Recent;
use crate::event::{FlowRecord, Reporter, Service};
use crate::time::Timestamp;

/// Pairs of addresses whose exporter is remembered.
const PAIRS: usize = 1 << 16;
/// Exporters that are remembered.
const EXPORTERS: usize = 4096;
/// A pair of which nobody tells for so long is anybody's.
const SPAN: Duration = Duration::from_secs(3600);
/// An exporter that tells nothing for so long has lost its pairs.
const SILENT: Duration = Duration::from_secs(900);

/// How much of what passes a source counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Rank {
    /// Some packets: a sample, or what a rule logs.
    Some,
    /// All.
    All,
}

/// Who tells of a pair.
#[derive(Debug, Clone, Copy)]
struct Owner {
    exporter: u64,
    rank: Rank,
}

/// See the module.
#[derive(Debug)]
pub(super) struct Exporters {
    heard: Recent<u64, Timestamp>,
    pairs: Recent<[IpAddr; 2], Owner>,
    hasher: foldhash::fast::RandomState,
}

impl Exporters {
    pub(super) fn new() -> Self {
        Self {
            heard: Recent::new(SPAN, EXPORTERS),
            pairs: Recent::new(SPAN, PAIRS),
            hasher: foldhash::fast::RandomState::default(),
        }
    }

    /// Whether what a record says of `sent` and of `received` is to be counted.
    pub(super) fn take(
        &mut self,
        reporter: &Reporter,
        record: &FlowRecord,
        now: Timestamp,
    ) -> [bool; 2] {
        let exporter = self.hasher.hash_one((reporter.service, &reporter.host, reporter.peer));
        match self.heard.get_mut(exporter) {
            Some(heard) => *heard = now,
            None => self.heard.insert(now, exporter, now),
        }
        let own = Owner { exporter, rank: rank(reporter.service, record) };
        let [from, to] = [record.from.0, record.to.0];
        let sent = self.owns(own, [from, to], now);
        [sent, record.received.is_some() && self.owns(own, [to, from], now)]
    }

    fn owns(&mut self, own: Owner, pair: [IpAddr; 2], now: Timestamp) -> bool {
        if let Some(owner) = self.pairs.get_mut(pair) {
            if owner.exporter == own.exporter {
                return true;
            }
            let heard = self.heard.get(&owner.exporter);
            let is_heard = heard.is_some_and(|heard| now.since(*heard) <= SILENT);
            if is_heard && own.rank <= owner.rank {
                return false;
            }
            *owner = own;
            return true;
        }
        self.pairs.insert(now, pair, own);
        true
    }
}

fn rank(service: Service, record: &FlowRecord) -> Rank {
    let is_sampled = record.one_in.is_some_and(|one_in| one_in > 1.0);
    match service {
        Service::NetFlow | Service::Ipfix | Service::FlowLog | Service::Nsx if !is_sampled => {
            Rank::All
        }
        // What connection tracking counts has both directions.
        Service::Netfilter if record.received.is_some() => Rank::All,
        _ => Rank::Some,
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{at, record};
    use super::*;
    use crate::event::Traffic;

    fn reporter(service: Service, host: &str) -> Reporter {
        Reporter { service, host: Some(host.into()), peer: None }
    }

    #[test]
    fn of_two_who_tell_the_same_the_first_counts_while_it_tells_anything() {
        let (mut exporters, record) = (Exporters::new(), record("10.1.0.3", "203.0.113.9", [1, 2]));
        let [router, switch] = ["router", "switch"].map(|host| reporter(Service::Ipfix, host));
        let mut counts = |by: &Reporter, seconds| exporters.take(by, &record, at(seconds))[0];
        assert!(counts(&router, 0) && !counts(&switch, 1) && counts(&router, 60));
        assert!(!counts(&switch, 900) && counts(&router, 901) && !counts(&switch, 1700));
        assert!(counts(&switch, 1900), "the router fell silent");
        assert!(!counts(&router, 1901));
    }

    #[test]
    fn who_counts_all_comes_before_who_counts_some() {
        let (mut exporters, whole) = (Exporters::new(), record("10.1.0.3", "203.0.113.9", [1, 2]));
        let sampled = FlowRecord { one_in: Some(100.0), ..whole.clone() };
        let [firewall, netflow, switch] =
            [Service::Pf, Service::NetFlow, Service::Ipfix].map(|service| reporter(service, "a"));
        assert!(exporters.take(&firewall, &whole, at(0))[0]);
        assert!(exporters.take(&netflow, &whole, at(1))[0], "a log of first packets gives way");
        assert!(!exporters.take(&firewall, &whole, at(2))[0]);
        assert!(!exporters.take(&switch, &sampled, at(3))[0], "and so does a sample");
    }

    #[test]
    fn each_direction_is_somebody_s_own() {
        let (mut exporters, there) = (Exporters::new(), record("10.1.0.3", "203.0.113.9", [1, 2]));
        let both =
            FlowRecord { received: Some(Traffic { packets: 1, bytes: 40 }), ..there.clone() };
        let [one_way, two_way] = ["a", "b"].map(|host| reporter(Service::Ipfix, host));
        assert_eq!(exporters.take(&one_way, &there, at(0)), [true, false]);
        assert_eq!(exporters.take(&two_way, &both, at(1)), [false, true]);
        assert_eq!(exporters.take(&one_way, &both, at(2)), [true, false]);
    }
}
