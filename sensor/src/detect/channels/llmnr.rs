//! Who answers for names that are not its own, by LLMNR (RFC 4795).
//!
//! Bounds: [`RESPONDERS`] hosts in each of two generations of an hour, with [`NAMES`] names each.

use std::net::IpAddr;
use std::time::Duration;

use arrayvec::ArrayVec;

use super::finding::{Finding, Place, crosses, hashed};
use super::table::{Detector, Learns, Reads};
use crate::alert::Severity;
use crate::detect::domain::lower;
use crate::detect::recent::Recent;
use crate::event::DnsMessage;
use crate::inventory::AssetId;
use crate::time::Timestamp;

/// A host that answers for others.
pub(super) const LLMNR_POISONING: Detector = Detector {
    name: "llmnr_poisoning",
    title: "A host answers for many names by LLMNR",
    detects: "one host answers an asset, and others, for many names by LLMNR, where a host answers for its \
              own alone: what is sent to those names comes to it",
    techniques: &["T1557.001"],
    most: Severity::Medium,
    prior: (0.0, "a host with several names answers for each of them"),
    reads: &[Reads::Dns],
    bound: "4 names within an hour",
    learns: Learns::Usual,
};

const RESPONDERS: usize = 1024;
const NAMES: usize = 32;
const MANY: u32 = 4;
const HOUR: Duration = Duration::from_secs(3600);
const SHOWN: usize = 8;

/// Who answered by LLMNR.
#[derive(Debug)]
pub(super) struct Responders(Recent<IpAddr, Answered>);

#[derive(Debug)]
struct Answered {
    since: Timestamp,
    names: ArrayVec<u32, NAMES>,
    shown: Vec<String>,
}

impl Responders {
    pub(super) fn new() -> Self {
        Self(Recent::new(HOUR, RESPONDERS))
    }

    /// An asset was answered for a name.
    pub(super) fn answered(
        &mut self,
        (asset, by): (AssetId, IpAddr),
        now: Timestamp,
        name: &str,
        message: &DnsMessage,
    ) -> Option<Finding> {
        if message.answers.is_empty() {
            return None;
        }
        if self.0.get_mut(by).is_none_or(|known| now.since(known.since) > HOUR) {
            let (names, shown) = (ArrayVec::new(), Vec::new());
            self.0.insert(now, by, Answered { since: now, names, shown });
        }
        let known = self.0.get_mut(by)?;
        let name = lower(name);
        let hash = hashed(&*name) as u32;
        if known.names.contains(&hash) || known.names.try_push(hash).is_err() {
            return None;
        }
        if known.shown.len() < SHOWN {
            known.shown.push(name.to_string());
        }
        let count = known.names.len() as u32;
        if !crosses(count, MANY) {
            return None;
        }
        let counted = ("names", f64::from(count), f64::from(MANY));
        let what =
            format!("was answered by {by}, which answered for {count} names by LLMNR, last {name}");
        let found = Finding::new(&LLMNR_POISONING, asset, known.since, counted);
        let mut found = found.about(by.to_string(), what).with(known.shown.clone());
        found.place = Some(Place { address: by, port: 5355, name: None });
        Some(found)
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::World;

    #[test]
    fn a_host_that_answers_for_many_names_by_llmnr_is_told_of_and_one_that_answers_for_its_own_is_not()
     {
        let mut world = World::new();
        for n in 0..50 {
            world.llmnr(
                100 + n * 60,
                ["10.1.0.1", "10.1.0.9"],
                ["fileserver", "FileServer"][n as usize % 2],
            );
            world.llmnr(100 + n * 4000, ["10.1.0.1", "10.1.0.8"], &format!("host-{n}"));
        }
        world.is_quiet();
        for name in ["wpad", "filesrv", "printr", "intranett"] {
            world.llmnr(500_000, ["10.1.0.1", "10.1.0.66"], name);
        }
        assert_eq!(world.names(), ["llmnr_poisoning"]);
        let alert = world.alerts()[0];
        assert!(alert.summary.contains("10.1.0.66"), "{}", alert.summary);
    }
}
