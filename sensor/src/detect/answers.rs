//! What DNS has answered: to each asset, and to the estate.
//!
//! Bounds: [`PER_ASSET`] answers an asset (48 bytes each and their names), the newest ones; for the
//! estate 524,288 domains and (domain, address) pairs in each of two generations of 24 hours, 4 MiB
//! in each.

use std::hash::BuildHasher;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use std::collections::VecDeque;

use super::domain::{lower, registered};
use super::names::{Name, Names};
use super::recent::Recent;
use super::seen::{Mark, Seen};
use crate::event::{DnsAnswer, DnsData, DnsMessage, DnsTransport};
use crate::inventory::AssetId;
use crate::time::Timestamp;
use numbers::{in_labels, in_text};

mod numbers;

#[cfg(test)]
pub(crate) use numbers::Number;
pub(crate) use numbers::{Reading, Value, may_hold_number};

/// The record type of an alias (RFC 1035).
const CNAME: u16 = 5;
/// Answers held for one asset.
const PER_ASSET: usize = 256;
/// How long the estate's answers support a server name.
const SUPPORT: Duration = Duration::from_secs(86_400);
/// How long an answer explains a connection to its address at least, whatever its time to live.
const DIRECT: Duration = Duration::from_secs(3_600);
/// One answer that an asset got.
#[derive(Debug, Clone)]
pub(crate) struct Answer {
    /// The name asked for, in lower case.
    pub(crate) name: Arc<str>,
    pub(crate) value: Value,
    pub(crate) time: Timestamp,
    ttl: u32,
}

impl Answer {
    /// Its name's registered domain.
    pub(crate) fn domain(&self) -> &str {
        registered(&self.name)
    }

    /// Whether it explains a connection to its own address at `now`.
    pub(crate) fn is_alive(&self, now: Timestamp) -> bool {
        now <= self.until()
    }

    fn until(&self) -> Timestamp {
        self.time.plus(DIRECT.max(Duration::from_secs(u64::from(self.ttl))))
    }
}

/// The answers of one asset.
#[derive(Debug, Default)]
struct Held {
    answers: VecDeque<Answer>,
    /// Until when the oldest is alive, kept here so that the usual answer does not touch it.
    oldest_until: Timestamp,
    /// Whether a question was ever seen.
    asks: bool,
}

impl Held {
    fn push(&mut self, answer: Answer) {
        while self.answers.len() >= PER_ASSET || self.oldest_until < answer.time {
            if self.answers.pop_front().is_none() {
                break;
            }
            self.oldest_until = self.answers.front().map_or(Timestamp::MAX, Answer::until);
        }
        if self.answers.is_empty() {
            self.oldest_until = answer.until();
        }
        if self.answers.len() == self.answers.capacity() {
            // To the bound in four steps: growth is most of what an answer costs.
            self.answers.reserve_exact((self.answers.len() * 3).max(4));
        }
        self.answers.push_back(answer);
    }
}

/// A response as it is taken: to whom and when, for which name, and that name's domain.
struct Told {
    asset: Option<AssetId>,
    time: Timestamp,
    name: Arc<str>,
    domain: u64,
}

/// What DNS says about a server name at an address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Support {
    /// The address was answered for a name of that domain.
    Agreed,
    /// The domain was answered, but never with this address.
    Contradicted,
    /// The domain was not answered to anybody, though this asset's resolver is seen.
    Unknown,
    /// This asset's DNS is not seen: its answers prove nothing by their absence.
    Blind,
}

/// All that DNS has answered lately.
#[derive(Debug)]
pub(crate) struct Answers {
    assets: Vec<Held>,
    /// Hashes of (domain, address), and of domains alone.
    estate: Seen,
    names: Names,
    hasher: foldhash::fast::RandomState,
    /// Ports that SRV, SVCB and HTTPS records gave an asset, with the time until which they do.
    announced: Recent<(AssetId, u16), Timestamp>,
    /// Whether a question of anybody inside who is no asset was ever seen.
    asks: bool,
    unasked: u64,
}

impl Answers {
    pub(crate) fn new() -> Self {
        Self {
            assets: Vec::new(),
            estate: Seen::new(SUPPORT),
            names: Names::new(),
            hasher: foldhash::fast::RandomState::default(),
            announced: Recent::new(SUPPORT, 65_536),
            asks: false,
            unasked: 0,
        }
    }

    /// Takes a response that went to `asset`, or to somebody inside who is none. Multicast DNS
    /// answers anybody's claim, so it is left out. So is what nobody asked: whoever can send a
    /// datagram to an asset could otherwise say what it was answered.
    pub(crate) fn note(&mut self, asset: Option<AssetId>, time: Timestamp, message: &DnsMessage) {
        let unicast = matches!(message.transport, DnsTransport::Udp | DnsTransport::Tcp);
        let Some(question) = message.questions.first().filter(|_| unicast) else { return };
        if !message.response || message.rcode() != 0 || message.answers.is_empty() {
            return;
        }
        if !self.believes(asset, message) {
            self.unasked += 1;
            return;
        }
        let named = self.names.find(&question.name);
        self.estate.insert(time, Mark::alone(named.domain));
        let name =
            if named.is_lower { Arc::clone(&question.name) } else { lower(&question.name).into() };
        let told = Told { asset, time, name, domain: named.domain };
        let mut last = (&question.name, named);
        for answer in &message.answers {
            // An alias leads elsewhere, and the address belongs to both ends of the chain. The addresses
            // at its end have one owner, of which a message has the text once.
            if !Arc::ptr_eq(last.0, &answer.name) {
                last = (&answer.name, self.names.find(&answer.name));
            }
            let owner = last.1.domain;
            match &answer.data {
                DnsData::Name(target) if answer.rtype == CNAME => {
                    last = (target, self.names.find(target));
                    if last.1.may_hold_number {
                        let target = lower(target);
                        let numbers = in_labels(&target).map(Value::Number);
                        numbers.for_each(|number| self.hold(&told, number, answer.ttl));
                    }
                }
                _ => self.note_answer(&told, owner, answer),
            }
        }
    }

    /// What a name stands for.
    pub(crate) fn named(&mut self, name: &str) -> Name {
        self.names.find(name)
    }

    /// Whether a response is believed: its question was seen. Where a mirror shows one direction only,
    /// no question ever is, and responses have to do; that ends with the first that is seen.
    fn believes(&mut self, asset: Option<AssetId>, message: &DnsMessage) -> bool {
        let Some(asset) = asset else {
            self.asks |= message.asked;
            return message.asked || !self.asks;
        };
        let held = self.of(asset);
        held.asks |= message.asked;
        message.asked || !held.asks
    }

    /// One that is no alias, of a name in the domain `owner`.
    fn note_answer(&mut self, told: &Told, owner: u64, answer: &DnsAnswer) {
        match &answer.data {
            DnsData::Address(ip) => self.note_address(told, owner, *ip, answer.ttl),
            DnsData::ServiceBinding { hints, port, .. } => {
                hints.iter().for_each(|hint| self.note_address(told, owner, *hint, answer.ttl));
                self.announce(told, *port, answer.ttl);
            }
            DnsData::Service { port, .. } => self.announce(told, Some(*port), answer.ttl),
            DnsData::Text(text) => {
                let numbers = in_text(text).map(Value::Number);
                numbers.for_each(|number| self.hold(told, number, answer.ttl));
            }
            DnsData::Name(_) | DnsData::Authority(_) | DnsData::HostKey { .. } | DnsData::Other => {
            }
        }
    }

    fn note_address(&mut self, told: &Told, owner: u64, address: IpAddr, ttl: u32) {
        let number = number(address);
        self.estate.insert(told.time, self.pair(told.domain, number));
        if owner != told.domain {
            self.estate.insert(told.time, self.pair(owner, number));
        }
        self.hold(told, Value::Address(address), ttl);
    }

    fn hold(&mut self, told: &Told, value: Value, ttl: u32) {
        if let Some(asset) = told.asset {
            let (name, time) = (Arc::clone(&told.name), told.time);
            self.of(asset).push(Answer { name, value, time, ttl });
        }
    }

    #[expect(clippy::indexing_slicing, reason = "the table was grown to hold this index")]
    fn of(&mut self, asset: AssetId) -> &mut Held {
        if self.assets.len() <= asset.index() {
            self.assets.resize_with(asset.index() + 1, Held::default);
        }
        &mut self.assets[asset.index()]
    }

    fn announce(&mut self, told: &Told, port: Option<u16>, ttl: u32) {
        if let (Some(asset), Some(port)) = (told.asset, port) {
            let until = told.time.plus(DIRECT.max(Duration::from_secs(u64::from(ttl))));
            self.announced.insert(told.time, (asset, port), until);
        }
    }

    /// Forgets what `asset` was answered.
    pub(crate) fn forget(&mut self, asset: AssetId) {
        if let Some(held) = self.assets.get_mut(asset.index()) {
            *held = Held::default();
        }
        self.announced.retain(|(told, _), _| *told != asset);
    }

    /// The answers `asset` holds, newest first.
    pub(crate) fn held(&self, asset: AssetId) -> impl Iterator<Item = &Answer> {
        self.assets.get(asset.index()).into_iter().flat_map(|held| held.answers.iter().rev())
    }

    /// The name whose answer gave `asset` this address last.
    pub(crate) fn name_of(&self, asset: AssetId, address: IpAddr) -> Option<&Arc<str>> {
        let value = Value::Address(address);
        self.held(asset).find(|answer| answer.value == value).map(|answer| &answer.name)
    }

    /// What DNS says about a name of `domain` (see [`Name`]) at `address`, to which `asset` connects.
    pub(crate) fn support(&self, asset: AssetId, domain: u64, address: IpAddr) -> Support {
        if self.estate.contains(self.pair(domain, number(address))) {
            Support::Agreed
        } else if !self.sees(asset) {
            Support::Blind
        } else if self.estate.contains(Mark::alone(domain)) {
            Support::Contradicted
        } else {
            Support::Unknown
        }
    }

    /// Whether the answers `asset` gets are seen at all.
    pub(crate) fn sees(&self, asset: AssetId) -> bool {
        self.assets.get(asset.index()).is_some_and(|held| !held.answers.is_empty())
    }

    /// Whether a record told `asset` to use `port`.
    pub(crate) fn announces(&self, asset: AssetId, port: u16, now: Timestamp) -> bool {
        self.announced.get(&(asset, port)).is_some_and(|until| now <= *until)
    }

    fn pair(&self, domain: u64, address: u128) -> Mark {
        Mark { of: domain, hash: self.hasher.hash_one(address ^ u128::from(domain)) }
    }
}

/// An address as a number; of IPv4 as IPv6 writes it (RFC 4291, 2.5.5.2), which means the same.
const fn number(address: IpAddr) -> u128 {
    match address {
        IpAddr::V4(v4) => v4.to_ipv6_mapped().to_bits(),
        IpAddr::V6(v6) => v6.to_bits(),
    }
}
