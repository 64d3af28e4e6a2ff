//! The hellos of QUIC: gathered from the Initials of a flow, told as those of TLS over TCP are.
//!
//! Only flows that showed an Initial are followed. Keys follow from the first destination connection
//! id of the client; later Initials have the id that the server chose instead, and the same keys. After
//! a Retry, or when the ports are used again, keys follow from a new id: an Initial that the known
//! keys do not open is tried with its own.
//!
//! Bounds: [`MAX_FLOWS`] flows of about 200 bytes, [`MAX_GATHERED`] hellos of up to 20 KiB that are
//! not whole yet, [`MAX_FAILURES`] packets of a flow that no keys open, [`MAX_PACKETS`] of a datagram.

use arrayvec::ArrayVec;

use super::{Reader, Seen, Sink, Wanted};
use crate::decode::progress::Progress;
use crate::decode::quic::{self, Keys, Kind, MAX_ID, Packet, Refusal, Side, Version};
use crate::decode::tls::{self, Extent};
use crate::event::Carrier;
use crate::flow::Direction;
use bounded::Bounded;
use pieces::Pieces;

mod bounded;
mod pieces;

/// Flows that are followed at a time.
const MAX_FLOWS: usize = 16_384;
/// Hellos that are gathered at a time.
const MAX_GATHERED: usize = 1024;
/// Each costs as much as a server's first look at it; then the flow is left alone.
const MAX_FAILURES: u8 = 8;
/// Datagrams hold two or three.
const MAX_PACKETS: usize = 8;

/// Bytes of a handshake message in front of its random, and of the random.
const BEFORE_RANDOM: usize = 4 + 2;
const RANDOM: usize = 32;

/// What was not read of QUIC.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Unread {
    /// Datagrams of a version whose Initials nobody here can open; GREASE not counted.
    pub version: u64,
    /// Initials that no keys open: damaged, forged, or of a connection whose start was not seen.
    pub keys: u64,
    /// Initials that a capture cut: without their end they cannot be checked, and so are not opened.
    pub cut: u64,
    /// Packets with lengths or frames that they cannot have.
    pub malformed: u64,
    /// ClientHellos of which not all came.
    pub incomplete: u64,
    /// ClientHellos that were given up: too many at a time, or more of one than any has.
    pub given_up: u64,
}

impl Unread {
    /// All of it, by a short name for the reason.
    pub const fn by_reason(&self) -> [(&'static str, u64); 6] {
        [
            ("unknown_version", self.version),
            ("keys", self.keys),
            ("cut", self.cut),
            ("malformed", self.malformed),
            ("incomplete", self.incomplete),
            ("given_up", self.given_up),
        ]
    }
}

/// The flows that showed an Initial.
pub(super) struct Quic {
    connections: Bounded<Connection>,
    gathered: Bounded<Box<Half>>,
    /// Where packets are decrypted.
    buffer: Vec<u8>,
}

type Id = ArrayVec<u8, MAX_ID>;

/// The latest connection of a flow.
struct Connection {
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
struct Half {
    side: Side,
    version: Version,
    keys: Keys,
    pieces: Pieces,
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

impl Reader {
    /// Reads a datagram that looks like QUIC; gives the client's direction when it is seen by that.
    #[inline(never)]
    pub(super) fn quic_datagram(
        &mut self,
        seen: &Seen<'_>,
        cut: bool,
        sink: &mut impl Sink,
    ) -> Option<Direction> {
        let is_full = cut || seen.bytes.len() >= quic::MIN_DATAGRAM;
        let mut client = None;
        for packet in quic::packets(seen.bytes).take(MAX_PACKETS) {
            match packet {
                Ok(packet) if !packet.is_whole && packet.kind == Kind::Initial => {
                    let unread = &mut self.counts.quic;
                    *(if cut { &mut unread.cut } else { &mut unread.malformed }) += 1;
                }
                Ok(packet) if packet.kind == Kind::Initial => {
                    client = self.initial(seen, &packet, is_full, sink).or(client);
                }
                Ok(packet) => self.quic.learn(seen, &packet),
                Err(Refusal::Version(number)) => {
                    self.counts.quic.version += u64::from(!quic::is_grease(number));
                }
                Err(Refusal::Malformed) => self.counts.quic.malformed += u64::from(!cut),
            }
        }
        client
    }

    fn initial(
        &mut self,
        seen: &Seen<'_>,
        packet: &Packet<'_>,
        is_full: bool,
        sink: &mut impl Sink,
    ) -> Option<Direction> {
        let from_server = self.quic.is_servers(seen);
        let opened = if from_server {
            self.quic.learn(seen, packet);
            if self.wanted == Wanted::ForDetectors {
                return None;
            }
            self.quic.open_servers(seen.view.slot(), packet, &mut self.counts.quic)
        } else {
            self.quic.open_clients(seen, packet, is_full, &mut self.counts.quic)
        };
        if opened.is_some()
            && let Some(half) = self.quic.finished(seen.view.slot())
        {
            self.half(seen, &half, sink);
        }
        opened.filter(|()| !from_server).map(|()| seen.from)
    }

    /// Reads one side's hello, as far as it is there, and tells it.
    fn half(&mut self, seen: &Seen<'_>, half: &Half, sink: &mut impl Sink) {
        let (bytes, slot) = (half.pieces.start(), seen.view.slot());
        let read = match half.side {
            Side::Client if !self.quic.is_news(slot, bytes) => return,
            Side::Client => match tls::bare_client_hello(bytes, Extent::Final) {
                Progress::Complete { value, .. } => {
                    self.client_half(seen, Carrier::Quic(half.version.number()), &value, sink);
                    true
                }
                Progress::NeedMore(_) | Progress::Refused(_) => false,
            },
            Side::Server => match tls::bare_server_hello(bytes, Extent::Final) {
                Progress::Complete { value, .. } => {
                    self.server_half(seen, &value, sink);
                    true
                }
                Progress::NeedMore(_) | Progress::Refused(_) => false,
            },
        };
        self.counts.tls_refused += u64::from(!read);
    }

    /// The flow ends: what is there of its ClientHello is told, if that is anything.
    pub(super) fn quic_closing(&mut self, seen: &Seen<'_>, sink: &mut impl Sink) {
        if self.quic.connections.is_empty() {
            return;
        }
        let slot = seen.view.slot();
        let client = self.quic.connections.get_mut(slot).and_then(|connection| connection.client);
        if let Some(half) = self.quic.gathered.remove(slot)
            && half.side == Side::Client
            && let Some(from) = client
        {
            self.counts.quic.incomplete += 1;
            if !half.pieces.start().is_empty() {
                self.half(&Seen { from, ..*seen }, &half, sink);
            }
        }
        self.quic.connections.remove(slot);
    }
}

impl Quic {
    /// Whether a packet comes from the side that answers.
    fn is_servers(&mut self, seen: &Seen<'_>) -> bool {
        let connection = self.connections.get_mut(seen.view.slot());
        connection.is_some_and(|connection| connection.client == Some(seen.from.reverse()))
    }

    /// Learns from the server's packet what the client calls it from now on (RFC 9000, 7.2).
    fn learn(&mut self, seen: &Seen<'_>, packet: &Packet<'_>) {
        // A Retry's id begins anew, with its own keys.
        if packet.kind != Kind::Retry
            && let Some(connection) = self.connections.get_mut(seen.view.slot())
            && connection.client == Some(seen.from.reverse())
        {
            connection.later = id(packet.source);
        }
    }

    /// Opens the client's packet, with the keys that are known or with its own, and gathers its frames.
    fn open_clients(
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
                    connection.later = connection.later.take().or_else(|| id(packet.destination));
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

    /// Opens the server's packet, and gathers its frames.
    fn open_servers(&mut self, slot: u32, packet: &Packet<'_>, unread: &mut Unread) -> Option<()> {
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
        gathered: Result<(), pieces::TooMuch>,
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

    /// The hello that is whole now, if it is.
    fn finished(&mut self, slot: u32) -> Option<Box<Half>> {
        self.gathered.get_mut(slot)?.pieces.message()?;
        let half = self.gathered.remove(slot)?;
        if let Some(connection) = self.connections.get_mut(slot) {
            connection.phase = match half.side {
                Side::Client => Phase::Answer,
                Side::Server => Phase::Over,
            };
        }
        Some(half)
    }

    /// Whether a ClientHello is another one than was told last.
    fn is_news(&mut self, slot: u32, hello: &[u8]) -> bool {
        let random = hello.get(BEFORE_RANDOM..).and_then(<[u8]>::first_chunk);
        let Some(connection) = self.connections.get_mut(slot) else { return true };
        let is_news = connection.told.as_ref() != random;
        connection.told = random.copied().or(connection.told);
        is_news
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
    ) -> Result<(), pieces::TooMuch> {
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

#[cfg(test)]
mod tests;
