//! The hellos of QUIC: gathered from the Initials of a flow, told as those of TLS over TCP are.
//!
//! Only flows that showed an Initial are followed. Keys follow from the first destination connection
//! id of the client; later Initials have the id that the server chose instead, and the same keys. After
//! a Retry, or when the ports are used again, keys follow from a new id: an Initial that the known
//! keys do not open is tried with its own.

use super::{Reader, Seen, Sink, Wanted};
use crate::decode::progress::Progress;
use crate::decode::quic::{self, Kind, Packet, Refusal, Side};
use crate::decode::tls::{self, Extent};
use crate::event::Carrier;
use crate::flow::Direction;
use connections::Half;

mod bounded;
mod connections;
mod pieces;

pub(super) use connections::Quic;

/// So many packets of a datagram are looked at; most hold two or three.
const MAX_PACKETS: usize = 8;

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
        let bytes = half.pieces.start();
        let read = match half.side {
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
        self.counts.refused_hellos += u64::from(!read);
    }

    /// The flow ends: what is there of its ClientHello is told, if that is anything.
    #[inline]
    pub(super) fn quic_closing(&mut self, seen: &Seen<'_>, sink: &mut impl Sink) {
        if let Some((from, half)) = self.quic.closing(seen.view.slot(), &mut self.counts.quic) {
            self.half(&Seen { from, ..*seen }, &half, sink);
        }
    }
}

#[cfg(test)]
mod tests;
