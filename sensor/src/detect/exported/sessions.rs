//! Which records belong together, who opened what they tell of, and what was told before.
//!
//! A long conversation comes in parts, and each direction by itself: first whichever the exporter was done
//! with first. What a record says of who opened it ([`is_opener`]) decides; where none does, the direction
//! whose packets were counted earlier. For that the other one is waited for: until it comes, more comes of
//! the first, or [`PATIENCE`] is over.
//!
//! Bounds: [`KEPT`] conversations in each of two generations, 130 bytes each, and [`MAX_OPEN`] that wait.

use std::collections::VecDeque;
use std::hash::BuildHasher;
use std::net::IpAddr;
use std::time::Duration;

use super::opener::is_opener;
use crate::decode::Vlans;
use crate::detect::recent::Recent;
use crate::event::{Conversation, Endpoint, Flow, FlowRecord, Service};
use crate::time::Timestamp;

/// Conversations that are remembered.
const KEPT: usize = 1 << 16;
/// For how long at least; NetFlow tells of what goes on each half hour.
const SPAN: Duration = Duration::from_secs(3600);
/// What comes so long after the last packet is another conversation of the same ends.
const IDLE: Duration = Duration::from_secs(900);
/// How long the other direction is waited for.
const PATIENCE: Duration = Duration::from_secs(120);
/// Conversations of which it is not known yet who opened them.
const MAX_OPEN: usize = 4096;
/// EVE's `flow_id` has so many bits.
const ID_BITS: u32 = 51;

type End = (IpAddr, u16);

/// The ends of a conversation, the smaller first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
struct Key {
    ends: [End; 2],
    protocol: u8,
}

/// What is known of one.
#[derive(Debug, Clone, Copy)]
struct Known {
    id: u64,
    opened: Timestamp,
    last: Timestamp,
    /// Who tells of it.
    service: Service,
    /// Which of the ends opened it, as far as is known.
    client: u8,
    is_sure: bool,
    /// Whether it was told that it was opened.
    is_told: bool,
    /// The last record of each direction, as a hash.
    latest: [u64; 2],
}

/// A record among those that belong together.
#[derive(Debug)]
pub(super) struct Part {
    pub(super) flow: Flow,
    /// Whether the client sent what is counted in `sent`.
    pub(super) is_from_client: bool,
    /// Since when the record counts.
    pub(super) first: Timestamp,
    /// Whether it is to be told now that the conversation was opened.
    pub(super) opens: bool,
}

/// See the module.
#[derive(Debug)]
pub(super) struct Sessions {
    kept: Recent<Key, Known>,
    /// Those of which it is not known who opened them, and until when that is waited for.
    open: VecDeque<(Timestamp, Key)>,
    hasher: foldhash::fast::FixedState,
}

impl Key {
    /// The ends in order, and the place of `from` among them.
    fn of(from: End, to: End, protocol: u8) -> (Self, u8) {
        match from <= to {
            true => (Self { ends: [from, to], protocol }, 0),
            false => (Self { ends: [to, from], protocol }, 1),
        }
    }

    fn flow(&self, known: &Known) -> Flow {
        let [one, other] = self.ends;
        let ends = if known.client == 0 { [one, other] } else { [other, one] };
        flow(known.id, ends, self.protocol, known.opened)
    }
}

/// A conversation of which no packet is seen; its client first.
pub(super) fn flow(id: u64, ends: [End; 2], protocol: u8, opened: Timestamp) -> Flow {
    let [client, server] = ends.map(|(address, port)| Endpoint { address, port, mac: None });
    Flow {
        id,
        slot: Flow::NO_SLOT,
        client,
        server,
        protocol,
        vlans: Vlans::new(),
        interface: None,
        tunnel: None,
        opened,
    }
}

impl Sessions {
    pub(super) fn new() -> Self {
        Self {
            kept: Recent::new(SPAN, KEPT),
            open: VecDeque::new(),
            hasher: foldhash::fast::FixedState::default(),
        }
    }

    /// A log tells that a conversation was opened, and its end will be told with what it moved.
    pub(super) fn begin(&mut self, service: Service, said: &Conversation, time: Timestamp) {
        let (key, client) = Key::of(said.client, said.server, said.protocol);
        let known = self.begun(&key, service, client, time);
        self.kept.insert(time, key, Known { is_sure: true, is_told: true, ..known });
    }

    /// Takes a record that was of `first` to `last`; none where the same was told before.
    pub(super) fn take(
        &mut self,
        service: Service,
        record: &FlowRecord,
        [first, last]: [Timestamp; 2],
        now: Timestamp,
    ) -> Option<Part> {
        let (key, from) = Key::of(record.from, record.to, record.protocol);
        let opener = is_opener(record).map(|is_from| if is_from { from } else { 1 - from });
        // Of one packet there may be many alike.
        let stamp = (first < last).then(|| self.stamp(record));
        let known = self.kept.get_mut(key).copied().filter(|known| known.goes_on(first));
        let is_new = known.is_none();
        let mut known = known.unwrap_or_else(|| self.begun(&key, service, from, first));
        let is_whole = !is_new && known.latest == [0; 2] && first == last;
        let first = if is_whole { known.opened.min(first) } else { first };
        if let Some(latest) = known.latest.get_mut(usize::from(from)) {
            if stamp.is_some_and(|stamp| stamp == *latest) {
                return None;
            }
            *latest = stamp.unwrap_or(1);
        }
        if !known.is_sure {
            known.decide(opener, from, first, is_new);
        }
        known.opened = known.opened.min(first);
        known.last = known.last.max(last);
        let opens = (known.is_sure || record.received.is_some()) && !known.is_told;
        known.is_told |= opens;
        if is_new && !opens && self.open.len() < MAX_OPEN {
            self.open.push_back((now.plus(PATIENCE), key));
        }
        let part =
            Part { flow: key.flow(&known), is_from_client: known.client == from, first, opens };
        match self.kept.get_mut(key) {
            Some(kept) => *kept = known,
            None => self.kept.insert(now, key, known),
        }
        Some(part)
    }

    /// The next conversation of which it was waited long enough `now` for somebody to say who opened it.
    pub(super) fn due(&mut self, now: Timestamp) -> Option<(Flow, Service)> {
        while let Some((_, key)) = self.open.pop_front_if(|(until, _)| *until <= now) {
            let Some(known) = self.kept.get_mut(key).filter(|known| !known.is_told) else {
                continue;
            };
            (known.is_told, known.is_sure) = (true, true);
            return Some((key.flow(known), known.service));
        }
        None
    }

    fn begun(&self, key: &Key, service: Service, client: u8, opened: Timestamp) -> Known {
        let id = self.hasher.hash_one((key, opened.as_nanos())) >> (u64::BITS - ID_BITS);
        Known {
            id,
            opened,
            last: opened,
            service,
            client,
            is_sure: false,
            is_told: false,
            latest: [0; 2],
        }
    }

    fn stamp(&self, record: &FlowRecord) -> u64 {
        let FlowRecord { first, last, sent, .. } = record;
        let counted = (first.as_nanos(), last.as_nanos(), sent.packets, sent.bytes);
        self.hasher.hash_one(counted).max(2)
    }
}

impl Known {
    /// Whether what was counted from `first` on is of the same conversation.
    fn goes_on(&self, first: Timestamp) -> bool {
        self.latest == [0; 2] || first.since(self.last) <= IDLE
    }

    /// A record whose `from` this is says, or its place in the order of time does, who opened it.
    fn decide(&mut self, opener: Option<u8>, from: u8, first: Timestamp, is_new: bool) {
        if let Some(opener) = opener {
            (self.client, self.is_sure) = (opener, true);
        } else if !is_new {
            if from != self.client && first < self.opened {
                self.client = from;
            }
            self.is_sure = true;
        }
    }
}

#[cfg(test)]
mod tests;
