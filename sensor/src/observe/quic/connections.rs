//! The connections of flows, and their hellos as far as they came.
//!
//! Bounds: [`MAX_FLOWS`] flows of about 200 bytes, [`MAX_GATHERED`] hellos of up to 20 KiB that are
//! not whole yet, [`MAX_FAILURES`] packets of a flow that no keys open.

use arrayvec::ArrayVec;

use super::bounded::Bounded;
use super::pieces::{Pieces, TooMuch};
use super::{Seen, Unread};
use crate::decode::quic::{self, Keys, Kind, MAX_ID, Packet, Side, Version};
use crate::flow::Direction;

/// Flows that are followed at a time.
const MAX_FLOWS: usize = 16_384;
/// Hellos that are gathered at a time.
pub(super) const MAX_GATHERED: usize = 1024;
/// Each costs as much as a server's first look at it; then the flow is left alone.
pub(super) const MAX_FAILURES: u8 = 8;

/// Bytes of a handshake message in front of its random, and of the random.
const BEFORE_RANDOM: usize = 4 + 2;
const RANDOM: usize = 32;

/// The flows that showed an Initial.
pub(in crate::observe) struct Quic {
    pub(super) connections: Bounded<Connection>,
    pub(super) gathered: Bounded<Box<Half>>,
    /// Where packets are decrypted.
    buffer: Vec<u8>,
}

type Id = ArrayVec<u8, MAX_ID>;

/// The latest connection of a flow.
pub(super) struct Connection {
    /// The side that opened it; unknown when no Initial could be opened.
    client: Option<Direction>,
    version: Version,
    /// The id that keys follow from.
    first: Id,
    /// The one that the client uses instead, once it knows it.
    later: Option<Id>,
    phase: Phase,
    /// The random of the ClientHello that was told last: after a Retry the same one comes again.
    told: Option<[u8; RANDOM]>,
    failures: u8,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Phase {
    /// The ClientHello is gathered.
    Hello,
    /// It was told; the ServerHello is gathered where somebody asks for it.
    Answer,
    /// Nothing is left to read.
    Over,
}

/// One side's hello as far as it came.
pub(super) struct Half {
    pub(super) side: Side,
    pub(super) version: Version,
    keys: Keys,
    pub(super) pieces: Pieces,
}

impl Default for Quic {
    fn default() -> Self {
        Self {
            connections: Bounded::new(MAX_FLOWS),
            gathered: Bounded::new(MAX_GATHERED),
            buffer: Vec::new(),
        }
    }
}

impl Quic {
    /// Whether a packet comes from the side that answers.
    pub(super) fn is_servers(&mut self, seen: &Seen<'_>) -> bool {
        let connection = self.connections.get_mut(seen.view.slot());
        connection.is_some_and(|connection| connection.client == Some(seen.from.reverse()))
    }

    /// Learns from the server's packet what the client calls it from now on (RFC 9000, 7.2).
    pub(super) fn learn(&mut self, seen: &Seen<'_>, packet: &Packet<'_>) {
        // A Retry's id begins anew, with its own keys.
        if packet.kind != Kind::Retry
            && let Some(connection) = self.connections.get_mut(seen.view.slot())
            && connection.client == Some(seen.from.reverse())
        {
            connection.later = id(packet.source);
        }
    }

    /// Opens the client's packet, with the keys that are known or with its own, and gathers its frames.
    pub(super) fn open_clients(
        &mut self,
        seen: &Seen<'_>,
        packet: &Packet<'_>,
        is_full: bool,
        unread: &mut Unread,
    ) -> Option<()> {
        let slot = seen.view.slot();
        let mut told = None;
        let mut failures = 0;
        if let Some(connection) = self.connections.get_mut(slot) {
            let is_known = connection.knows(packet);
            if connection.failures >= MAX_FAILURES || is_known && connection.phase != Phase::Hello {
                return None;
            }
            if connection.phase == Phase::Hello
                && let Some(half) = self.gathered.get_mut(slot)
            {
                if let Some(frames) = half.keys.open(packet, &mut self.buffer) {
                    if !is_known {
                        connection.later = id(packet.destination);
                    }
                    let gathered = half.pieces.gather(packet.version, frames, unread);
                    return self.kept(slot, gathered, unread);
                }
                if is_known {
                    connection.failures += 1;
                    unread.keys += 1;
                    return None;
                }
            }
            (told, failures) = (connection.told, connection.failures);
        }
        if !is_full || packet.destination.len() < quic::MIN_FIRST_ID {
            return None;
        }
        let first = id(packet.destination)?;
        let keys = Keys::initial(packet.version, &first, Side::Client)?;
        let Some(frames) = keys.open(packet, &mut self.buffer) else {
            self.failed(slot, packet, unread);
            return None;
        };
        let mut pieces = Pieces::default();
        let gathered = pieces.gather(packet.version, frames, unread);
        let connection = Connection {
            client: Some(seen.from),
            phase: Phase::Hello,
            told,
            failures,
            ..Connection::unknown(packet.version, first)
        };
        self.follow(slot, connection, unread);
        let half = Half { side: Side::Client, version: packet.version, keys, pieces };
        self.gather(slot, half, unread);
        self.kept(slot, gathered, unread)
    }

    /// The flow in a slot ends; what is there of a ClientHello that was not told, and who sent it.
    pub(super) fn closing(
        &mut self,
        slot: u32,
        unread: &mut Unread,
    ) -> Option<(Direction, Box<Half>)> {
        let mut connection = self.connections.remove(slot)?;
        let half = self.gathered.remove(slot).filter(|half| half.side == Side::Client)?;
        unread.incomplete += 1;
        connection.is_news(half.pieces.start()).then_some((connection.client?, half))
    }

    /// Opens the server's packet, and gathers its frames.
    pub(super) fn open_servers(
        &mut self,
        slot: u32,
        packet: &Packet<'_>,
        unread: &mut Unread,
    ) -> Option<()> {
        let connection = self.connections.get_mut(slot)?;
        if connection.phase != Phase::Answer || connection.failures >= MAX_FAILURES {
            return None;
        }
        if self.gathered.get_mut(slot).is_none() {
            // The server may have turned to another version (RFC 9368, 2.3).
            let version = packet.version;
            let keys = Keys::initial(version, &connection.first, Side::Server)?;
            let half = Half { side: Side::Server, version, keys, pieces: Pieces::default() };
            self.gather(slot, half, unread);
        }
        let half = self.gathered.get_mut(slot)?;
        let Some(frames) = half.keys.open(packet, &mut self.buffer) else {
            unread.keys += 1;
            self.connections.get_mut(slot)?.failures += 1;
            return None;
        };
        let gathered = half.pieces.gather(packet.version, frames, unread);
        self.kept(slot, gathered, unread)
    }

    /// Follows a flow's connection from now on.
    fn follow(&mut self, slot: u32, connection: Connection, unread: &mut Unread) {
        if let Some((oldest, _)) = self.connections.insert(slot, connection)
            && self.gathered.remove(oldest).is_some_and(|half| half.side == Side::Client)
        {
            unread.given_up += 1;
        }
    }

    /// Gathers a hello from now on.
    fn gather(&mut self, slot: u32, half: Half, unread: &mut Unread) {
        if self.gathered.remove(slot).is_some_and(|half| half.side == Side::Client) {
            unread.incomplete += 1;
        }
        if let Some((_, oldest)) = self.gathered.insert(slot, Box::new(half))
            && oldest.side == Side::Client
        {
            unread.given_up += 1;
        }
    }

    /// Gives a hello up when it became too much.
    fn kept(
        &mut self,
        slot: u32,
        gathered: Result<(), TooMuch>,
        unread: &mut Unread,
    ) -> Option<()> {
        if gathered.is_err() {
            self.gathered.remove(slot);
            self.connections.get_mut(slot)?.phase = Phase::Over;
            unread.given_up += 1;
        }
        gathered.ok()
    }

    /// Notes that nothing opens a packet. Of a connection that was read it is a later one, whose
    /// server was not seen.
    fn failed(&mut self, slot: u32, packet: &Packet<'_>, unread: &mut Unread) {
        let later = id(packet.destination);
        if let Some(connection) = self.connections.get_mut(slot) {
            unread.keys += u64::from(connection.told.is_none());
            connection.failures += 1;
            connection.later = later;
        } else if let Some(first) = later {
            unread.keys += 1;
            let connection =
                Connection { failures: 1, ..Connection::unknown(packet.version, first) };
            self.follow(slot, connection, unread);
        }
    }

    /// The hello that is whole now, if one is that was not told before.
    pub(super) fn finished(&mut self, slot: u32) -> Option<Box<Half>> {
        self.gathered.get_mut(slot)?.pieces.message()?;
        let half = self.gathered.remove(slot)?;
        let connection = self.connections.get_mut(slot)?;
        let is_news = match half.side {
            Side::Client => {
                connection.phase = Phase::Answer;
                connection.is_news(half.pieces.start())
            }
            Side::Server => {
                connection.phase = Phase::Over;
                true
            }
        };
        is_news.then_some(half)
    }
}

impl Connection {
    /// One of which nothing could be opened.
    fn unknown(version: Version, first: Id) -> Self {
        Self {
            client: None,
            version,
            first,
            later: None,
            phase: Phase::Over,
            told: None,
            failures: 0,
        }
    }

    /// Whether what is there of a ClientHello is of another one than was told last; it is told now.
    fn is_news(&mut self, hello: &[u8]) -> bool {
        let random = hello.get(BEFORE_RANDOM..).and_then(<[u8]>::first_chunk);
        let is_news = random.is_some() && self.told.as_ref() != random;
        self.told = random.copied().or(self.told);
        is_news
    }

    /// Whether a client's packet belongs to it, and needs no other keys.
    fn knows(&self, packet: &Packet<'_>) -> bool {
        let of = packet.destination;
        packet.version == self.version && *self.first == *of
            || self.later.as_ref().is_some_and(|later| **later == *of)
    }
}

impl Pieces {
    /// Puts in what the frames of a packet carry.
    fn gather(
        &mut self,
        version: Version,
        frames: &[u8],
        unread: &mut Unread,
    ) -> Result<(), TooMuch> {
        for frame in quic::crypto_frames(version, frames) {
            match frame {
                Ok(crypto) => self.add(crypto.offset, crypto.data)?,
                Err(_) => unread.malformed += 1,
            }
        }
        Ok(())
    }
}

/// A connection id; none is longer (RFC 9000, 17.2).
fn id(bytes: &[u8]) -> Option<Id> {
    Id::try_from(bytes).ok()
}
