//! Reads what a flow's first bytes say (TLS, QUIC, DNS) and makes [`Event`]s of it and of what the flow does.

use crate::capture::Frame;
use crate::decode::duplicates::Duplicates;
use crate::decode::tls::{self, Likeness};
use crate::decode::{Packet, dhcp, dns, protocol, quic as quic_packets};
use crate::event::{Account, Body, Event, Mirrored, Neighbour, Report, Traffic, Volume};
use crate::evidence::Recent;
use crate::flow::{Direction, Observer, Verdict, View};
use crate::intake::{self, syslog};
use crate::mirror::SourceFacts;
use crate::time::Timestamp;

mod hellos;
mod logs;
mod messages;
pub mod mirrored;
mod neighbours;
mod quic;
mod spoken;
mod upgrade;
mod waiting;

pub use quic::Unread;

use hellos::Side;
use mirrored::Mirrors;
use neighbours::dhcp_message;
pub use neighbours::not_ip;
use quic::Quic;
use upgrade::Upgrades;
use waiting::Waiting;

/// Who is given the events, in the order of their time.
pub trait Sink {
    /// Takes one.
    fn event(&mut self, event: Event);
    /// Takes what a log message said that was seen on its way.
    fn report(&mut self, _report: Report) {}
    /// Takes what packets show of mirrored traffic.
    fn mirrored(&mut self, _mirrored: Mirrored) {}
    /// Takes whose an address is, as somebody on a link says.
    fn neighbour(&mut self, _neighbour: Neighbour) {}
    /// Takes what each source of packets does to them, at the end of each 10 s of capture time.
    fn mirror(&mut self, _at: Timestamp, _sources: &[SourceFacts]) {}
}

/// What was read of flows so far.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counts {
    /// ClientHellos, over TCP and QUIC.
    pub client_hellos: u64,
    /// ClientHellos that named a server.
    pub with_sni: u64,
    /// ClientHellos, counted among the others, that were read as far as they go: cut by the snap
    /// length, or their end never came.
    pub cut_hellos: u64,
    /// What looked like a hello and could not be read.
    pub refused_hellos: u64,
    /// Certificates of servers that could not be read.
    pub certificates_refused: u64,
    /// Halves of TLS sessions that gave way to others: told of, or dropped, before their other half
    /// came.
    pub tls_evicted: u64,
    /// What was not read of QUIC.
    pub quic: Unread,
    /// DNS requests.
    pub dns_requests: u64,
    /// DNS responses, by the response code in their header (RFC 1035).
    pub dns_rcodes: [u64; 16],
    /// Records in the answer sections of the responses.
    pub dns_answers: u64,
    /// DNS responses with answers, counted among the others, whose question was not seen.
    pub dns_unasked: u64,
    /// What came to or from a DNS port and could not be read as DNS.
    pub dns_refused: u64,
    /// DNS messages of which only a part was read: cut off, or more than is kept.
    pub dns_incomplete: u64,
}

impl Counts {
    /// DNS responses.
    pub fn dns_responses(&self) -> u64 {
        self.dns_rcodes.iter().sum()
    }

    fn response(&mut self, rcode: u16) {
        if let Some(count) = self.dns_rcodes.get_mut(usize::from(rcode)) {
            *count += 1;
        }
    }
}

/// Which events are made: detectors live without those that only an event file shows.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Wanted {
    /// All.
    All,
    /// Openings, volumes, ClientHellos and DNS responses with answers.
    #[default]
    ForDetectors,
}

/// Makes events. One thread's own, as the flow table is.
#[derive(Default)]
pub struct Reader {
    /// TLS sessions of which one half was seen.
    waiting: Waiting,
    /// Connections whose Initials are read.
    quic: Quic,
    /// Flows that may turn to TLS.
    upgrades: Upgrades,
    /// Where a hello's records are joined.
    scratch: Vec<u8>,
    /// The clients met last, by what their hellos offer.
    fingerprints: tls::Fingerprints,
    /// Log messages on their way to somebody else.
    logs: intake::Reader,
    /// Mirrored traffic on the wire.
    mirrors: Mirrors,
    wanted: Wanted,
    counts: Counts,
}

/// Bytes of a flow, and where they were seen.
#[derive(Clone, Copy)]
struct Seen<'a> {
    view: &'a View<'a>,
    at: Timestamp,
    from: Direction,
    bytes: &'a [u8],
    /// Whether any may follow them.
    more: bool,
}

impl Reader {
    /// Makes the events that are wanted.
    pub fn new(wanted: Wanted) -> Self {
        Self { wanted, scratch: Vec::with_capacity(tls::MAX_JOINED), ..Self::default() }
    }

    /// What was read so far.
    pub const fn counts(&self) -> Counts {
        Counts { tls_evicted: self.waiting.evicted, ..self.counts }
    }

    /// What became of the log messages that were seen on their way.
    pub const fn log_counts(&self) -> intake::Counts {
        self.logs.counts()
    }

    /// Stops waiting for servers that have not answered by `now`.
    #[inline]
    pub fn expire(&mut self, now: Timestamp, sink: &mut impl Sink) {
        self.waiting.expire(now, sink);
        self.mirrors.advance(now);
        self.tell_mirrored(sink);
    }

    /// Mirrored traffic on the wire.
    pub const fn mirrors(&self) -> &Mirrors {
        &self.mirrors
    }

    /// The same, to tell it of packets as they are decoded.
    pub const fn mirrors_mut(&mut self) -> &mut Mirrors {
        &mut self.mirrors
    }

    /// Tells what there is to tell of mirrored traffic.
    #[inline]
    pub fn tell_mirrored(&mut self, sink: &mut impl Sink) {
        if let Some(news) = self.mirrors.news() {
            news.for_each(|mirrored| sink.mirrored(mirrored));
        }
    }

    /// The capture is over, and so are all flows: tells the rest.
    pub fn finish(&mut self, sink: &mut impl Sink) {
        self.mirrors.finish();
        self.tell_mirrored(sink);
    }

    /// An observer of the flow table that gives its events to `sink`.
    pub const fn observing<'a, S: Sink>(&'a mut self, sink: &'a mut S) -> Observing<'a, S> {
        Observing { reader: self, sink, duplicates: None, beginnings: None }
    }
}

/// A [`Reader`] at work for a [`Sink`].
pub struct Observing<'a, S> {
    reader: &'a mut Reader,
    sink: &'a mut S,
    duplicates: Option<&'a Duplicates>,
    beginnings: Option<Beginnings<'a>>,
}

/// Where the first packets of conversations are kept, and the frames that they came in.
struct Beginnings<'a> {
    recent: &'a mut Recent,
    frames: &'a [Frame<'a>],
}

impl<'a, S> Observing<'a, S> {
    /// With the packets that were compared, which tell what was seen bare.
    #[must_use]
    pub const fn comparing(self, duplicates: &'a Duplicates) -> Self {
        Self { duplicates: Some(duplicates), ..self }
    }

    /// Keeps the first packets of conversations, of these frames, where anybody wants them.
    #[must_use]
    pub fn keeping(self, recent: Option<&'a mut Recent>, frames: &'a [Frame<'a>]) -> Self {
        Self { beginnings: recent.map(|recent| Beginnings { recent, frames }), ..self }
    }
}

impl<S: Sink> Observer for Observing<'_, S> {
    fn opened(&mut self, view: &View<'_>, at: Timestamp) {
        if view.port(view.client().reverse()) == dns::PORT {
            return;
        }
        self.sink.event(Event { time: at, flow: view.flow(), body: Body::Opened });
    }

    #[inline]
    fn first(&mut self, flow: u64, packet: &Packet<'_>, room: usize) -> usize {
        let Some(Beginnings { recent, frames }) = &mut self.beginnings else { return 0 };
        let Some(frame) = frames.get(usize::from(packet.place)) else { return 0 };
        if packet.payload_wire_len == 0 && packet.tcp.is_some() && recent.is_hurried() {
            return 0;
        }
        recent.put(flow, frame, room)
    }

    fn volume(&mut self, view: &View<'_>, at: Timestamp, volume: Volume) {
        self.sink.event(Event { time: at, flow: view.flow(), body: Body::Volume(volume) });
    }

    fn account(&mut self, view: &View<'_>, at: Timestamp, account: Account) {
        if self.reader.wanted == Wanted::All {
            self.sink.event(Event { time: at, flow: view.flow(), body: Body::Account(account) });
        }
    }

    fn mirror(&mut self, at: Timestamp, sources: &[SourceFacts]) {
        self.sink.mirror(at, sources);
    }

    #[inline]
    fn stream(
        &mut self,
        view: &View<'_>,
        at: Timestamp,
        from: Direction,
        bytes: &[u8],
        more: bool,
    ) -> Verdict {
        let seen = Seen { view, at, from, bytes, more };
        // TLS is TLS on any port, also on one of DNS.
        match tls::looks_like_hello(bytes) {
            Likeness::Client => self.reader.hello(&seen, Side::Client, self.sink),
            Likeness::Server => self.reader.hello(&seen, Side::Server, self.sink),
            _ if messages::transport(&seen).is_some() => self.reader.dns_stream(&seen, self.sink),
            Likeness::No if view.is_untouched(from) => self.reader.upgrade(&seen, self.sink),
            Likeness::No => Verdict::Skip,
            Likeness::Undecided => Verdict::Want(bytes.len() + 1),
        }
    }

    #[inline]
    fn datagram(
        &mut self,
        view: &View<'_>,
        at: Timestamp,
        from: Direction,
        bytes: &[u8],
        cut: bool,
    ) -> Option<Direction> {
        let seen = Seen { view, at, from, bytes, more: false };
        // As TLS is: on any port.
        if quic_packets::looks_like_quic(bytes) {
            return self.reader.quic_datagram(&seen, cut, self.sink);
        }
        if let Some(transport) = messages::transport(&seen) {
            self.reader.dns_datagram(&seen, transport, self.sink);
        } else {
            match view.port(from.reverse()) {
                syslog::PORT => self.reader.log_message(&seen, self.sink),
                dhcp::CLIENT_PORT | dhcp::SERVER_PORT => dhcp_message(&seen, self.sink),
                _ => {}
            }
        }
        None
    }

    fn carried(
        &mut self,
        view: &View<'_>,
        outer: &Packet<'_>,
        inside: &Packet<'_>,
        is_known: bool,
    ) -> bool {
        let seen = (view.interface(), is_known);
        self.reader.mirrors.carried(outer, inside, seen, self.duplicates)
    }

    fn counted(
        &mut self,
        view: &View<'_>,
        from: Direction,
        traffic: Traffic,
        times: (Timestamp, Timestamp),
    ) {
        let mirrors = &mut self.reader.mirrors;
        if let Some((tunnel, of)) = view.tunnel() {
            let traffic = Traffic { packets: traffic.packets / of, bytes: traffic.bytes / of };
            mirrors.counted(tunnel, view.interface(), traffic, times);
        } else if view.protocol() == protocol::UDP {
            let ends = [from, from.reverse()].map(|side| view.address(side));
            let port = view.port(from.reverse());
            mirrors.counted_odd(ends, port, view.interface(), traffic, times);
        }
    }

    fn closing(&mut self, view: &View<'_>, at: Timestamp) {
        let seen = Seen { view, at, from: view.client(), bytes: &[], more: false };
        self.reader.quic_closing(&seen, self.sink);
        self.reader.waiting.closing(view.slot(), at, self.sink);
        self.reader.upgrades.closing(view.slot());
    }
}

#[cfg(test)]
mod tests;
