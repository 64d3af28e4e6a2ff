//! Mirrors as they are known: what was on the wire while that was learned, and what was configured.
//!
//! A pair of ends is learned only while all is; one that comes later is known once the config approves
//! where it leads. An intruder's mirror does not become usual by going on.

use std::collections::BTreeMap;
use std::net::IpAddr;

use serde::{Deserialize, Serialize};

use crate::event::{Mirrored, TunnelKind};
use crate::time::Timestamp;

/// Pairs, and sessions, that are known at once.
pub(crate) const MAX_PAIRS: usize = 4096;

/// What was learned of mirrors; about 100 bytes a pair and 200 a session.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mirrors {
    /// When they were first looked for, in seconds since the epoch.
    pub since: u64,
    /// Who was seen to send wrapped packets where, by what `pair` names it.
    #[serde(default)]
    pub pairs: BTreeMap<String, Pair>,
    /// Sessions that audit logs told of, by where they belong and their id.
    #[serde(default)]
    pub sessions: BTreeMap<String, MirrorSession>,
}

impl Mirrors {
    /// Whether nothing is known.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// Takes a pair for usual; how many had to give way to it: those that were seen longest ago.
    pub(crate) fn learn(&mut self, name: &str, destination: IpAddr, time: Timestamp) -> u64 {
        let day = time.as_secs() / 86_400;
        if let Some(known) = self.pairs.get_mut(name) {
            known.last_day = known.last_day.max(day);
            return 0;
        }
        let mut gone = 0;
        if self.pairs.len() >= MAX_PAIRS {
            let mut oldest: Vec<_> =
                self.pairs.iter().map(|(name, pair)| (pair.last_day, name.clone())).collect();
            oldest.sort();
            for (_, name) in oldest.into_iter().take(MAX_PAIRS / 2) {
                self.pairs.remove(&name);
                gone += 1;
            }
        }
        let pair = Pair { destination, first_seen: time.as_secs(), last_day: day };
        self.pairs.insert(name.to_owned(), pair);
        gone
    }

    /// Forgets the pairs whose mirrors go to an address; whether there were any.
    pub(crate) fn forget(&mut self, destination: IpAddr) -> bool {
        let known = self.pairs.len();
        self.pairs.retain(|_, pair| pair.destination != destination);
        self.pairs.len() < known
    }
}

/// Two ends of wrapped packets that are usual.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pair {
    /// Who gets them.
    pub destination: IpAddr,
    /// When they were first seen, in seconds since the epoch.
    pub first_seen: u64,
    /// The latest day on which they were, counted from the epoch.
    pub last_day: u64,
}

/// A mirror as audit logs left it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct MirrorSession {
    /// Where to, by provider ids.
    pub targets: Vec<String>,
    /// Where to, by addresses.
    pub addresses: Vec<IpAddr>,
    /// What is mirrored.
    pub sources: Vec<String>,
    /// The id it has on the wire.
    pub wire_id: Option<u32>,
    /// Its filter's id.
    pub filter: Option<String>,
    /// When it was changed last, in nanoseconds since the epoch.
    pub changed: u64,
}

/// The name of a pair: `vxlan 10.0.0.1 > 198.51.100.7 id 7`.
pub(crate) fn pair(mirrored: &Mirrored) -> String {
    let kind = mirrored.kind.map_or("unknown", TunnelKind::name);
    let id = mirrored.id.map_or_else(String::new, |id| format!(" id {id}"));
    format!("{kind} {} > {}{id}", mirrored.source, mirrored.destination)
}
