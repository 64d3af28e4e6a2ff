//! UDP datagrams that came in IP fragments, put together: DNS answers longer than a packet.
//!
//! Bounded whatever comes: in datagrams, in pieces and bytes of each and of all, and in time. The
//! oldest gives way. Of fragments that overlap the first to come counts and the others are dropped,
//! so that the datagram stays incomplete: receivers drop it whole (RFC 5722; Linux for IPv4, too).

use std::collections::VecDeque;

use super::fragments::{Datagram, LIFETIME, datagram};
use super::key::{Direction, Key};
use crate::decode::{Fragment, Packet, dns};
use crate::time::Timestamp;

/// Whose datagrams are put together: DNS, mDNS and LLMNR.
const PORTS: [u16; 3] = [dns::PORT, dns::MDNS_PORT, dns::LLMNR_PORT];

/// How many datagrams may be incomplete at once.
const CAPACITY: usize = 1024;

/// What they may hold in all; a piece counts [`PIECE_OVERHEAD`] on top of its bytes.
const MAX_BYTES: usize = 4 * 1024 * 1024;
const PIECE_OVERHEAD: usize = 64;

/// The most pieces of a datagram: more than the longest has at IPv6's smallest MTU.
const MAX_PIECES: usize = 64;

/// The longest datagram that is put together, its UDP header included. Those who ask offer room for
/// 4096 bytes at the most (RFC 6891, 6.2.5, and RFC 9715).
const MAX_DATAGRAM: usize = 16 * 1024;

/// Length of the UDP header, which the first fragment's payload is behind.
const HEADER: usize = 8;

/// What became of a fragment.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Kept {
    /// Its datagram is none that is put together.
    No,
    /// Others must come.
    Waits,
    /// It was the last one that was missing: the datagram's payload.
    Whole(Vec<u8>),
}

/// Datagrams of which something is missing.
#[derive(Default)]
pub(super) struct Reassembly {
    datagrams: hashbrown::HashMap<Datagram, Partial, foldhash::quality::RandomState>,
    /// In order of arrival. Those that became whole stay until it is their turn.
    order: VecDeque<(Datagram, u64)>,
    /// How many datagrams have begun; tells two of the same name apart.
    begun: u64,
    /// What all of them hold.
    bytes: usize,
}

/// What has come of a datagram.
struct Partial {
    number: u64,
    since: Timestamp,
    /// Known once the first fragment has come.
    flow: Option<(Key, Direction)>,
    /// By offset, without overlaps.
    pieces: Vec<Piece>,
    /// Known once the last fragment has come.
    length: Option<usize>,
}

struct Piece {
    offset: usize,
    bytes: Box<[u8]>,
}

impl Reassembly {
    /// Takes a fragment of a UDP datagram that goes in `direction` of flow `key`; until the first
    /// fragment has come, that flow has no ports.
    pub(super) fn keep(
        &mut self,
        packet: &Packet<'_>,
        fragment: Fragment,
        key: Key,
        direction: Direction,
    ) -> Kept {
        let name = datagram(packet, fragment);
        let ports = [direction, direction.reverse()].map(|side| key.sender(side).1);
        let may_be_read = ports.iter().any(|port| PORTS.contains(port))
            || !fragment.is_first() && ports == [0, 0];
        if !may_be_read {
            self.remove(&name);
            return Kept::No;
        }
        let partial = self.datagrams.entry(name).or_insert_with(|| {
            self.begun += 1;
            self.order.push_back((name, self.begun));
            Partial {
                number: self.begun,
                since: packet.time,
                flow: None,
                pieces: Vec::new(),
                length: None,
            }
        });
        if fragment.is_first() {
            partial.flow = Some((key, direction));
        }
        let offset = if fragment.is_first() { HEADER } else { fragment.offset as usize };
        self.bytes += partial.add(offset, packet.payload, fragment.last);
        if partial.is_whole() {
            return self.remove(&name).map_or(Kept::Waits, |whole| Kept::Whole(whole.payload()));
        }
        while self.order.len() > CAPACITY || self.bytes > MAX_BYTES {
            self.remove_oldest();
        }
        Kept::Waits
    }

    /// The next datagram that has waited too long at `now`, as far as it came without a gap, and
    /// whose it is.
    pub(super) fn overdue(&mut self, now: Timestamp) -> Option<(Key, Direction, Vec<u8>)> {
        while let Some((name, number)) = self.order.front() {
            if let Some(partial) = self.datagrams.get(name)
                && partial.number == *number
                && now.since(partial.since) < LIFETIME
            {
                return None;
            }
            if let Some(partial) = self.remove_oldest()
                && let Some((key, direction)) = partial.flow
            {
                return Some((key, direction, partial.payload()));
            }
        }
        None
    }

    fn remove_oldest(&mut self) -> Option<Partial> {
        let (name, number) = self.order.pop_front()?;
        let is_it = self.datagrams.get(&name).is_some_and(|partial| partial.number == number);
        if is_it { self.remove(&name) } else { None }
    }

    fn remove(&mut self, name: &Datagram) -> Option<Partial> {
        let partial = self.datagrams.remove(name)?;
        let held: usize = partial.pieces.iter().map(Piece::cost).sum();
        self.bytes -= held;
        Some(partial)
    }
}

impl Partial {
    /// Puts a piece in its place, if it is free; says what it costs to hold.
    fn add(&mut self, offset: usize, bytes: &[u8], last: bool) -> usize {
        let end = offset.saturating_add(bytes.len());
        let place = self.pieces.partition_point(|piece| piece.offset < offset);
        let (before, after) = self.pieces.split_at(place);
        let is_free = before.last().is_none_or(|piece| piece.end() <= offset)
            && after.first().is_none_or(|piece| end <= piece.offset)
            && self.length.is_none_or(|length| end <= length && !last);
        let is_end = !last || after.is_empty();
        if !is_free || !is_end || end > MAX_DATAGRAM || self.pieces.len() >= MAX_PIECES {
            return 0;
        }
        if last {
            self.length = Some(end);
        }
        let piece = Piece { offset, bytes: bytes.into() };
        let cost = piece.cost();
        self.pieces.insert(place, piece);
        cost
    }

    fn is_whole(&self) -> bool {
        let there: usize = self.pieces.iter().map(|piece| piece.bytes.len()).sum();
        self.flow.is_some() && self.length == Some(HEADER + there)
    }

    /// What is behind the UDP header, up to the first gap.
    fn payload(&self) -> Vec<u8> {
        let there: usize = self.pieces.iter().map(|piece| piece.bytes.len()).sum();
        let mut payload = Vec::with_capacity(there);
        for piece in &self.pieces {
            if piece.offset != HEADER + payload.len() {
                break;
            }
            payload.extend_from_slice(&piece.bytes);
        }
        payload
    }
}

impl Piece {
    fn end(&self) -> usize {
        self.offset + self.bytes.len()
    }

    fn cost(&self) -> usize {
        self.bytes.len() + PIECE_OVERHEAD
    }
}

#[cfg(test)]
mod tests;
