//! What a channel detector found, before anybody is told.

use std::net::IpAddr;
use std::sync::Arc;

use super::table::Detector;
use crate::detect::estate::{Ends, Estate};
use crate::event::Flow;
use crate::inventory::AssetId;
use crate::time::Timestamp;

/// A conversation at a moment, as all detectors are given it.
#[derive(Clone, Copy)]
pub(super) struct Look<'a> {
    pub(super) estate: &'a Estate,
    pub(super) flow: &'a Flow,
    pub(super) ends: Ends,
    pub(super) now: Timestamp,
}

/// Something that stood out.
#[derive(Debug)]
pub(super) struct Finding {
    pub(super) of: &'static Detector,
    pub(super) asset: AssetId,
    /// What it is about, by which it is known again: a port, a place. Names from the wire may be in it.
    pub(super) subject: String,
    /// What the asset did, as the rest of a sentence that begins with its name.
    pub(super) what: String,
    /// What was counted.
    pub(super) counted: &'static str,
    pub(super) observed: f64,
    pub(super) bound: f64,
    pub(super) usual: Option<f64>,
    pub(super) since: Timestamp,
    pub(super) examples: Vec<String>,
    /// What it adds to the log-odds, in nats.
    pub(super) weight: f64,
    pub(super) place: Option<Place>,
    /// The conversation that shows it, by its community ID, once it is worth telling.
    pub(super) community_id: Option<String>,
    /// Whether the asset is the conversation's server.
    pub(super) is_server: bool,
}

/// Where a conversation went.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) address: IpAddr,
    pub(super) port: u16,
    pub(super) name: Option<Arc<str>>,
}

impl Finding {
    /// What an asset did `since` then, with nothing said yet but how much of what.
    pub(super) fn new(
        of: &'static Detector,
        asset: AssetId,
        since: Timestamp,
        (counted, observed, bound): (&'static str, f64, f64),
    ) -> Self {
        Self {
            of,
            asset,
            subject: String::new(),
            what: String::new(),
            counted,
            observed,
            bound,
            usual: None,
            since,
            examples: Vec::new(),
            weight: excess(observed, bound),
            place: None,
            community_id: None,
            is_server: false,
        }
    }

    pub(super) fn about(mut self, subject: impl Into<String>, what: impl Into<String>) -> Self {
        (self.subject, self.what) = (subject.into(), what.into());
        self
    }

    /// With the server of the conversation as its place.
    pub(super) fn at(mut self, look: &Look<'_>, name: Option<Arc<str>>) -> Self {
        let server = &look.flow.server;
        self.place = Some(Place { address: server.address, port: server.port, name });
        self
    }

    pub(super) fn with(mut self, examples: Vec<String>) -> Self {
        self.examples = examples;
        self
    }

    /// The asset is the server: the other side did it.
    pub(super) fn of_server(mut self) -> Self {
        self.is_server = true;
        self
    }
}

/// What so much more than the bound adds: nothing at the bound, and 3 nats at 20 times as much.
pub(super) fn excess(observed: f64, bound: f64) -> f64 {
    if bound > 0.0 { (observed / bound).ln().clamp(0.0, 3.0) } else { 0.0 }
}

/// The same for the same value on every reading, as all that alerts follow from has to be.
pub(super) fn hashed(value: impl std::hash::Hash) -> u64 {
    use std::hash::BuildHasher;
    foldhash::fast::FixedState::default().hash_one(value)
}

/// Whether a count that grows by one has come to `bound`, or to twice, four times, … as much: how often
/// what goes on is told of.
pub(super) const fn crosses(count: u32, bound: u32) -> bool {
    count >= bound && count.is_multiple_of(bound) && (count / bound).is_power_of_two()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_count_is_told_at_its_bound_and_each_time_it_has_doubled() {
        let told: Vec<u32> = (0..100).filter(|count| crosses(*count, 12)).collect();
        assert_eq!(told, [12, 24, 48, 96]);
    }

    #[test]
    fn what_exceeds_a_bound_weighs_more_up_to_a_limit() {
        assert_eq!(excess(10.0, 10.0), 0.0);
        assert!(excess(40.0, 10.0) > excess(20.0, 10.0));
        assert_eq!(excess(1e9, 1.0), 3.0);
        assert_eq!(excess(5.0, 0.0), 0.0);
    }
}
