//! What DNS has answered: to each asset, and to the estate.
//!
//! Bounds: [`PER_ASSET`] answers an asset (48 bytes each and their names), the newest ones; for the
//! estate 524,288 domains and (domain, address) pairs in each of two generations of 24 hours, 4 MiB
//! in each.

use std::hash::{BuildHasher, Hash, Hasher};
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use std::collections::VecDeque;

use super::domain::{lower, registered};
use super::recent::Recent;
use super::seen::{Mark, Seen};
use crate::event::{DnsAnswer, DnsData, DnsMessage, DnsTransport};
use crate::inventory::AssetId;
use crate::time::Timestamp;
use numbers::{in_labels, in_text};

mod numbers;

#[cfg(test)]
pub(crate) use numbers::Number;
pub(crate) use numbers::{Reading, Value};

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
        let name = lowered(&question.name);
        let domain = self.hash(registered(&name));
        self.estate.insert(time, Mark::alone(domain));
        let mut last = (&question.name, None);
        for answer in &message.answers {
            // An alias leads elsewhere, and the address belongs to both ends of the chain. The addresses
            // at its end have one owner, of which a message has the text once.
            if !Arc::ptr_eq(last.0, &answer.name) {
                let owner = (answer.name != question.name)
                    .then(|| self.hash(registered(&lower(&answer.name))))
                    .filter(|owner| *owner != domain);
                last = (&answer.name, owner);
            }
            let owner = last.1;
            self.note_answer(asset, time, &name, (domain, owner), answer);
        }
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

    fn note_answer(
        &mut self,
        asset: Option<AssetId>,
        time: Timestamp,
        name: &Arc<str>,
        (domain, owner): (u64, Option<u64>),
        answer: &DnsAnswer,
    ) {
        let address = |answers: &mut Self, address: IpAddr| {
            for domain in [domain].into_iter().chain(owner) {
                answers.estate.insert(time, answers.pair(domain, address));
            }
            answers.hold(asset, name, Value::Address(address), time, answer.ttl);
        };
        match &answer.data {
            DnsData::Address(ip) => address(self, *ip),
            DnsData::ServiceBinding { hints, port, .. } => {
                hints.iter().for_each(|hint| address(self, *hint));
                self.announce(asset, *port, time, answer.ttl);
            }
            DnsData::Service { port, .. } => self.announce(asset, Some(*port), time, answer.ttl),
            DnsData::Text(text) => {
                for number in in_text(text) {
                    self.hold(asset, name, Value::Number(number), time, answer.ttl);
                }
            }
            DnsData::Name(target) if answer.rtype == CNAME => {
                for number in in_labels(&lower(target)) {
                    self.hold(asset, name, Value::Number(number), time, answer.ttl);
                }
            }
            DnsData::Name(_) | DnsData::Authority(_) | DnsData::HostKey { .. } | DnsData::Other => {
            }
        }
    }

    fn hold(
        &mut self,
        asset: Option<AssetId>,
        name: &Arc<str>,
        value: Value,
        time: Timestamp,
        ttl: u32,
    ) {
        let Some(asset) = asset else { return };
        self.of(asset).push(Answer { name: Arc::clone(name), value, time, ttl });
    }

    #[expect(clippy::indexing_slicing, reason = "the table was grown to hold this index")]
    fn of(&mut self, asset: AssetId) -> &mut Held {
        if self.assets.len() <= asset.index() {
            self.assets.resize_with(asset.index() + 1, Held::default);
        }
        &mut self.assets[asset.index()]
    }

    fn announce(&mut self, asset: Option<AssetId>, port: Option<u16>, time: Timestamp, ttl: u32) {
        if let (Some(asset), Some(port)) = (asset, port) {
            let until = time.plus(DIRECT.max(Duration::from_secs(u64::from(ttl))));
            self.announced.insert(time, (asset, port), until);
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

    /// What DNS says about a name of `domain` at `address`, to which `asset` connects.
    pub(crate) fn support(&self, asset: AssetId, domain: &str, address: IpAddr) -> Support {
        let domain = self.hash(domain);
        if self.estate.contains(self.pair(domain, address)) {
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

    fn hash(&self, domain: &str) -> u64 {
        self.hasher.hash_one(domain)
    }

    fn pair(&self, domain: u64, address: IpAddr) -> Mark {
        let mut hasher = self.hasher.build_hasher();
        domain.hash(&mut hasher);
        address.hash(&mut hasher);
        Mark { of: domain, hash: hasher.finish() }
    }
}

/// The same name in lower case; shared where it is written so already.
fn lowered(name: &Arc<str>) -> Arc<str> {
    match lower(name) {
        std::borrow::Cow::Borrowed(same) if same.len() == name.len() => Arc::clone(name),
        other => other.into(),
    }
}
