//! What went between the ends of each wrapping: counted, and told of.

use std::cmp::Reverse;
use std::net::IpAddr;
use std::time::Duration;

use crate::event::{Mirrored, Traffic, TunnelKind};
use crate::flow::TICK;
use crate::time::Timestamp;

/// Pairs at a time. When another one comes, those that were quiet longest give way, and are told of
/// before: so many at once, so that a flood of pairs costs no search for each.
const PAIRS: usize = 1024;
const GIVE_WAY: usize = 64;

/// Observations in 10 s. What came on top goes untold until there is room: that is a flood of pairs.
const TOLD: usize = 4096;

/// So long after the last packet of any pair nothing is expected to come of them.
const ACTIVE: Duration = TICK;

/// The ends of a wrapping, and where it was seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pair {
    /// See [`Mirrored::kind`].
    pub kind: Option<TunnelKind>,
    /// See [`Mirrored::id`].
    pub id: Option<u32>,
    /// Who wraps.
    pub source: IpAddr,
    /// Who gets it.
    pub destination: IpAddr,
    /// The UDP port it is sent to.
    pub port: Option<u16>,
    /// See [`Mirrored::interface`].
    pub interface: Option<u16>,
}

impl std::hash::Hash for Pair {
    fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
        (self.kind.map(|kind| kind as u8), self.id, self.port, self.interface).hash(state);
        (self.source, self.destination).hash(state);
    }
}

/// Where a pair is, for as long as none gives way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Place {
    at: u32,
    number: u64,
}

/// What is added to a pair.
#[derive(Clone, Copy, Default)]
pub(super) struct Added {
    pub(super) traffic: Traffic,
    pub(super) copies: u64,
    pub(super) inside: Option<[(IpAddr, u16); 2]>,
    pub(super) since: Timestamp,
    pub(super) last: Timestamp,
    /// Bytes that the wrapping of each packet takes.
    pub(super) overhead: u32,
}

impl Added {
    pub(super) fn packet(time: Timestamp, bytes: u32) -> Self {
        let traffic = Traffic { packets: 1, bytes: u64::from(bytes) };
        Self { traffic, since: time, last: time, ..Self::default() }
    }

    /// Adds what came later.
    pub(super) fn and(&mut self, more: &Self) {
        self.since =
            if self.traffic.packets == 0 { more.since } else { self.since.min(more.since) };
        self.last = self.last.max(more.last);
        self.traffic.packets = self.traffic.packets.saturating_add(more.traffic.packets);
        self.traffic.bytes = self.traffic.bytes.saturating_add(more.traffic.bytes);
        self.copies = self.copies.saturating_add(more.copies);
        self.inside = self.inside.or(more.inside);
        if more.overhead > 0 {
            self.overhead = more.overhead;
        }
    }
}

/// What is known of a pair.
struct Sums {
    pair: Pair,
    /// No other pair ever has it.
    number: u64,
    /// Since it was last told of.
    recent: Added,
    /// Before that.
    before: (Traffic, u64),
    /// Whether it was told of.
    is_told: bool,
}

/// All pairs.
#[derive(Default)]
pub(super) struct Pairs {
    /// Each pair's place among the sums.
    of: hashbrown::HashMap<Pair, u32, foldhash::quality::RandomState>,
    sums: Vec<Sums>,
    numbers: u64,
    tick: u64,
    /// Told in this tick.
    told: usize,
    active_until: Timestamp,
    latest: Timestamp,
    news: Vec<Mirrored>,
}

impl Pairs {
    #[inline]
    pub(super) fn is_active(&self) -> bool {
        self.latest < self.active_until
    }

    /// Something may come soon.
    pub(super) fn expect(&mut self, time: Timestamp) {
        self.latest = self.latest.max(time);
        self.active_until = self.active_until.max(time.plus(ACTIVE));
    }

    /// Adds to a pair, which is told of at once when it is new.
    pub(super) fn add(&mut self, pair: Pair, added: &Added) -> Place {
        self.advance(added.last);
        self.expect(added.last);
        let at = match self.of.get(&pair) {
            Some(&at) => at,
            None => self.begin(pair),
        };
        let Some(sums) = self.sums.get_mut(at as usize) else { return Place { at, number: 0 } };
        sums.recent.and(added);
        let place = Place { at, number: sums.number };
        if !sums.is_told && sums.is_mirrored() {
            sums.tell(&mut self.news, &mut self.told);
        }
        place
    }

    fn begin(&mut self, pair: Pair) -> u32 {
        if self.sums.len() >= PAIRS {
            self.make_room();
        }
        let at = self.sums.len() as u32;
        self.numbers += 1;
        let (number, before) = (self.numbers, (Traffic::default(), 0));
        let recent = Added::default();
        self.sums.push(Sums { pair, number, recent, before, is_told: false });
        self.of.insert(pair, at);
        at
    }

    /// The same of packets that were counted without their wrapping, which has the length that others
    /// of the pair had.
    pub(super) fn add_inside(&mut self, pair: Pair, added: &Added) {
        let Some(sums) = self.of.get(&pair).and_then(|&at| self.sums.get(at as usize)) else {
            return;
        };
        let overhead = u64::from(sums.recent.overhead).saturating_mul(added.traffic.packets);
        let bytes = added.traffic.bytes.saturating_add(overhead);
        self.add(pair, &Added { traffic: Traffic { bytes, ..added.traffic }, ..*added });
    }

    /// One more packet of a pair was seen bare, too.
    pub(super) fn proved(&mut self, place: Place) {
        let sums = self.sums.get_mut(place.at as usize);
        let Some(sums) = sums.filter(|sums| sums.number == place.number) else { return };
        sums.recent.copies += 1;
        if !sums.is_told && sums.is_mirrored() {
            sums.tell(&mut self.news, &mut self.told);
        }
    }

    /// It is `now`: each 10 s that are over are told of.
    pub(super) fn advance(&mut self, now: Timestamp) {
        self.latest = self.latest.max(now);
        let tick = now.as_nanos() / TICK.as_nanos() as u64;
        if tick > self.tick {
            self.tick = tick;
            self.told = 0;
            self.tell_all();
        }
    }

    /// Tells of all that went on.
    pub(super) fn tell_all(&mut self) {
        let mut moved: Vec<_> = self.sums.iter_mut().filter(|sums| sums.has_news()).collect();
        moved.sort_unstable_by_key(|sums| (sums.recent.last, sums.number));
        for sums in moved {
            sums.tell(&mut self.news, &mut self.told);
        }
    }

    /// What is to be told.
    #[inline]
    pub(super) fn news(&mut self) -> Option<std::vec::IntoIter<Mirrored>> {
        (!self.news.is_empty()).then(|| std::mem::take(&mut self.news).into_iter())
    }

    /// What mirrored traffic was seen in all, of the pairs that are still known.
    pub(super) fn in_all(&self) -> Vec<(Pair, Traffic, u64)> {
        let mut all: Vec<_> = self.sums.iter().filter(|sums| sums.is_mirrored()).collect();
        all.sort_unstable_by_key(|sums| (Reverse(sums.in_all().0.bytes), sums.number));
        all.into_iter().map(|sums| (sums.pair, sums.in_all().0, sums.in_all().1)).collect()
    }

    /// The pairs that were quiet longest give way; the others keep their order.
    fn make_room(&mut self) {
        self.sums.sort_unstable_by_key(|sums| (sums.recent.last, sums.number));
        for mut sums in self.sums.drain(..GIVE_WAY) {
            if sums.has_news() {
                sums.tell(&mut self.news, &mut self.told);
            }
        }
        self.of.clear();
        self.of.extend((0..).zip(&self.sums).map(|(at, sums)| (sums.pair, at)));
    }
}

impl Sums {
    /// Whether it is mirrored traffic: by its wrapping, or because a copy proved itself.
    const fn is_mirrored(&self) -> bool {
        let is_by_kind = !matches!(self.pair.kind, Some(TunnelKind::IpInIp | TunnelKind::GtpU));
        is_by_kind || self.before.1 > 0 || self.recent.copies > 0
    }

    const fn has_news(&self) -> bool {
        let Added { traffic, copies, .. } = self.recent;
        (traffic.packets > 0 || copies > 0) && self.is_mirrored()
    }

    /// Packets, bytes and copies.
    const fn in_all(&self) -> (Traffic, u64) {
        let (before, copies) = self.before;
        let Traffic { packets, bytes } = self.recent.traffic;
        let traffic = Traffic {
            packets: before.packets.saturating_add(packets),
            bytes: before.bytes.saturating_add(bytes),
        };
        (traffic, copies.saturating_add(self.recent.copies))
    }

    /// Tells what went on since the last time, if there is room for it.
    fn tell(&mut self, news: &mut Vec<Mirrored>, told: &mut usize) {
        if *told >= TOLD {
            return;
        }
        *told += 1;
        let Added { traffic, copies, inside, since, last, overhead } = self.recent;
        self.before = self.in_all();
        self.is_told = true;
        self.recent = Added { since: last, last, overhead, ..Added::default() };
        let Pair { kind, id, source, destination, port, interface } = self.pair;
        news.push(Mirrored {
            since,
            time: last,
            kind,
            id,
            source,
            destination,
            port,
            traffic,
            copies,
            inside,
            interface,
        });
    }
}
