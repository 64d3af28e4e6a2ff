//! What DNS answers say of who asks: names that there are not, names that carry something, names that
//! lead somewhere else each time, and names of hidden services.
//!
//! Bounds an asset: [`NAMES`] names that there are not and [`NAMES`] labels below one domain, as hashes:
//! 2 KB once one of them was suspicious. For the estate: [`PLACES`] names whose answers may rotate, 24
//! bytes each, and of those that lead to several networks [`NETWORKS`] of them: 330 KB at most.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use arrayvec::ArrayVec;

use super::few;
use super::finding::{Finding, crosses, hashed};
use super::table::{Detector, Learns, Reads};
use crate::alert::Severity;
use crate::detect::domain::{lower, registered};
use crate::event::{DnsData, DnsMessage};
use crate::inventory::AssetId;
use crate::time::Timestamp;

/// Names that there are not, and that nobody made up.
pub(super) const NXDOMAIN_BURST: Detector = Detector {
    name: "nxdomain_burst",
    title: "Burst of random names that do not exist",
    detects: "an asset asks for many names of random letters that do not exist, each below another domain",
    techniques: &["T1568.002"],
    most: Severity::Medium,
    prior: (-1.0, "browsers probe for a captive portal with names of random letters"),
    reads: &[Reads::Dns],
    bound: "20 such domains in 10 min",
    learns: Learns::Usual,
};

/// Names that carry something.
pub(super) const LONG_NAMES: Detector = Detector {
    name: "long_names",
    title: "Many long random names below one domain",
    detects: "an asset asks for many long names of random letters below one domain, as who moves data by DNS does",
    techniques: &["T1071.004", "T1048.003"],
    most: Severity::Medium,
    prior: (-1.0, "virus scanners and content networks ask by hashes in names"),
    reads: &[Reads::Dns],
    bound: "50 names with a label of 24 characters or more, below one domain, in 10 min",
    learns: Learns::Usual,
};

/// Names of hidden services.
pub(super) const HIDDEN_SERVICE: Detector = Detector {
    name: "hidden_service",
    title: "Name of a hidden service asked for",
    detects: "an asset asks DNS for a name below onion or i2p: what does so expected an anonymising network",
    techniques: &["T1090.003"],
    most: Severity::Medium,
    prior: (0.2, "a link that was followed by mistake does that, too"),
    reads: &[Reads::Dns],
    bound: "one answer",
    learns: Learns::Nothing,
};

/// Fast flux.
pub(super) const ROTATING_ANSWERS: Detector = Detector {
    name: "rotating_answers",
    title: "A name that leads to ever other networks",
    detects: "a name is answered with short-lived addresses in ever other networks (fast flux)",
    techniques: &["T1568.001"],
    most: Severity::Informational,
    prior: (-3.0, "large content networks answer like that, too"),
    reads: &[Reads::Dns],
    bound: "12 networks (/16, of IPv6 /32) in an hour, with a time to live of 5 min at most",
    learns: Learns::Usual,
};

const NAMES: usize = 128;
const SPAN: Duration = Duration::from_secs(600);
const GONE: u32 = 20;
const LONG: u32 = 50;
const LONG_LABEL: usize = 24;
/// The shortest label whose letters say anything.
const SHORT: usize = 8;
/// Bits a letter that a random label has at least; long words have as many.
const RANDOM: f64 = 2.8;
/// Consonants in a row, or changes between letters and digits, that words do not have.
const CONSONANTS: u32 = 5;
const CHANGES: u32 = 4;
const NX: u16 = 3;
const PLACES: usize = 1024;
const NETWORKS: usize = 32;
const ROTATES: u32 = 12;
const HOUR: Duration = Duration::from_secs(3600);
const SHORT_LIVED: u32 = 300;
const SHOWN: usize = 8;

/// What one asset asked for of late.
#[derive(Debug, Default)]
pub(super) struct Asked {
    gone: Distinct,
    long: Distinct,
    /// The domain that `long` is about.
    below: Box<str>,
}

#[derive(Debug, Default)]
struct Distinct {
    since: Timestamp,
    /// At most [`NAMES`].
    hashes: Vec<u32>,
    shown: Vec<String>,
}

impl Distinct {
    /// Counts a name; how many there are, if it is new.
    fn add(&mut self, now: Timestamp, name: &str, shown: &str) -> Option<u32> {
        if now.since(self.since) > SPAN {
            self.hashes.clear();
            self.shown.clear();
            self.since = now;
        }
        let hash = hashed(name) as u32;
        if !few::add(&mut self.hashes, hash, NAMES) {
            return None;
        }
        if self.shown.len() < SHOWN {
            self.shown.push(shown.to_owned());
        }
        Some(self.hashes.len() as u32)
    }
}

/// Whether a name's first label could be of interest: most are not, and cost no more than this.
pub(super) fn is_long(name: &str) -> bool {
    name.len() > LONG_LABEL && name.bytes().take(LONG_LABEL).all(|byte| byte != b'.')
}

/// Whether there is no such name.
pub(super) const fn is_gone(message: &DnsMessage) -> bool {
    message.rcode() == NX
}

/// Whether a name is of a hidden service.
pub(super) fn is_hidden(name: &str) -> bool {
    let mut name = name.as_bytes();
    while let [before @ .., b'.'] = name {
        name = before;
    }
    let ends = |end: &[u8]| {
        let start = name.len().checked_sub(end.len());
        start.and_then(|at| name.get(at..)).is_some_and(|last| last.eq_ignore_ascii_case(end))
    };
    ends(b".onion") || ends(b".i2p")
}

/// Entropy of a label's letters, in bits.
fn entropy(label: &str) -> f64 {
    let mut counts = [0u32; 256];
    label.bytes().for_each(|byte| {
        if let Some(count) = counts.get_mut(usize::from(byte)) {
            *count += 1;
        }
    });
    let total = label.len() as f64;
    counts
        .iter()
        .filter(|count| **count > 0)
        .map(|count| f64::from(*count) / total)
        .map(|share| -share * share.log2())
        .sum()
}

/// Whether a label is of random letters rather than of words.
fn is_random(label: &str) -> bool {
    let (mut row, mut longest, mut changes, mut was_digit) = (0u32, 0u32, 0u32, false);
    for (n, byte) in label.bytes().enumerate() {
        let is_digit = byte.is_ascii_digit();
        let is_consonant =
            byte.is_ascii_lowercase() && !matches!(byte, b'a' | b'e' | b'i' | b'o' | b'u' | b'y');
        row = if is_consonant { row + 1 } else { 0 };
        longest = longest.max(row);
        changes += u32::from(n > 0 && is_digit != was_digit);
        was_digit = is_digit;
    }
    (longest >= CONSONANTS || changes >= CHANGES) && entropy(label) >= RANDOM
}

impl Asked {
    /// A name that does not exist.
    pub(super) fn gone(&mut self, asset: AssetId, now: Timestamp, name: &str) -> Option<Finding> {
        let name = lower(name);
        let domain = registered(&name);
        let label = domain.split('.').next().unwrap_or_default();
        if label.len() < SHORT || !domain.contains('.') || !is_random(label) {
            return None;
        }
        let count = self.gone.add(now, domain, domain)?;
        if !crosses(count, GONE) {
            return None;
        }
        let counted = ("random domains that do not exist", f64::from(count), f64::from(GONE));
        let what =
            format!("asked for {count} names of random letters that do not exist, last {name}");
        let found = Finding::new(&NXDOMAIN_BURST, asset, self.gone.since, counted);
        Some(found.about("", what).with(self.gone.shown.clone()))
    }

    /// A name with a long first label.
    pub(super) fn long(&mut self, asset: AssetId, now: Timestamp, name: &str) -> Option<Finding> {
        let name = lower(name);
        let domain = registered(&name);
        let label = name.split('.').next().unwrap_or_default();
        if domain.len() >= name.len() || !is_random(label) {
            return None;
        }
        if *self.below != *domain {
            // One that goes on is not pushed aside by a single other name.
            let is_old = now.since(self.long.since) > SPAN;
            if !is_old && self.long.hashes.len() > 4 {
                return None;
            }
            self.below = domain.into();
            self.long = Distinct::default();
        }
        let count = self.long.add(now, &name, label)?;
        if !crosses(count, LONG) {
            return None;
        }
        let counted = ("long random names", f64::from(count), f64::from(LONG));
        let what = format!("asked for {count} long names of random letters below {domain}");
        let found = Finding::new(&LONG_NAMES, asset, self.long.since, counted);
        Some(found.about(domain, what).with(self.long.shown.clone()))
    }
}

/// A name of a hidden service was asked for.
pub(super) fn hidden(asset: AssetId, now: Timestamp, name: &str) -> Finding {
    let name = lower(name);
    let found = Finding::new(&HIDDEN_SERVICE, asset, now, ("names", 1.0, 1.0));
    let what = format!("asked DNS for {name}, a name of a hidden service");
    found.about(registered(&name), what).with(vec![name.to_string()])
}

/// Names whose answers rotate: the place of a name follows from its hash, and what is there gives way.
#[derive(Debug)]
pub(super) struct Rotating {
    places: Vec<Place>,
}

/// What is known of a name: most lead to one network, and take no more than this.
#[derive(Debug, Default)]
struct Place {
    tag: u32,
    network: u32,
    /// In seconds since the epoch.
    since: u32,
    rotation: Option<Box<Rotation>>,
}

/// The networks of a name that led to several.
#[derive(Debug, Default)]
struct Rotation {
    networks: ArrayVec<u32, NETWORKS>,
    shown: ArrayVec<IpAddr, SHOWN>,
}

impl Rotating {
    pub(super) const fn new() -> Self {
        Self { places: Vec::new() }
    }

    /// A name was answered with addresses.
    pub(super) fn answered(
        &mut self,
        asset: AssetId,
        now: Timestamp,
        name: &Arc<str>,
        message: &DnsMessage,
    ) -> Option<Finding> {
        let is_short = |answer: &&crate::event::DnsAnswer| answer.ttl <= SHORT_LIVED;
        let addresses =
            message.answers.iter().filter(is_short).filter_map(|answer| match answer.data {
                DnsData::Address(address) => Some(address),
                _ => None,
            });
        let mut addresses = addresses.peekable();
        let first = wide(*addresses.peek()?);
        if self.places.is_empty() {
            self.places.resize_with(PLACES, Place::default);
        }
        let hash = hashed(&**name);
        let place = self.places.get_mut(hash as usize % PLACES)?;
        let (tag, seconds) = ((hash >> 32) as u32, now.as_secs() as u32);
        let is_over = u64::from(seconds.saturating_sub(place.since)) > HOUR.as_secs();
        if place.tag != tag && !is_over && place.is_rotating() {
            return None;
        }
        if place.tag != tag || is_over {
            *place = Place { tag, network: first, since: seconds, rotation: None };
        }
        let mut found = None;
        for address in addresses {
            let Some(count) = place.add(address).filter(|count| crosses(*count, ROTATES)) else {
                continue;
            };
            let counted = ("networks", f64::from(count), f64::from(ROTATES));
            let what =
                format!("asked for {name}, which was answered with addresses of {count} networks");
            let shown = place.rotation.iter().flat_map(|known| &known.shown);
            let shown = shown.map(ToString::to_string).collect();
            let since = Timestamp::from_parts(u64::from(place.since), 0);
            let of = Finding::new(&ROTATING_ANSWERS, asset, since, counted);
            found = Some(of.about(registered(name).to_owned(), what).with(shown));
        }
        found
    }
}

impl Place {
    /// Whether the name led to so many networks that it stays for its hour.
    fn is_rotating(&self) -> bool {
        self.rotation.as_ref().is_some_and(|known| known.networks.len() >= 4)
    }

    /// The name leads to an address; to how many networks by now, when its network is new.
    fn add(&mut self, address: IpAddr) -> Option<u32> {
        let network = wide(address);
        if self.rotation.is_none() && network == self.network {
            return None;
        }
        let first = self.network;
        let known = self.rotation.get_or_insert_with(|| {
            let mut known = Rotation::default();
            known.networks.push(first);
            Box::new(known)
        });
        if known.networks.contains(&network) || known.networks.try_push(network).is_err() {
            return None;
        }
        if !known.shown.is_full() {
            known.shown.push(address);
        }
        Some(known.networks.len() as u32)
    }
}

/// The network that an address's owner differs by.
const fn wide(address: IpAddr) -> u32 {
    match address {
        IpAddr::V4(address) => u32::from_be_bytes(address.octets()) >> 16,
        IpAddr::V6(address) => (u128::from_be_bytes(address.octets()) >> 96) as u32,
    }
}

#[cfg(test)]
mod tests;
