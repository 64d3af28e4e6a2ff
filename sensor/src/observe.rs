//! Reads what a flow's first bytes say (TLS, DNS) and makes [`Event`]s of it and of what the flow does.

use std::collections::VecDeque;
use std::time::Duration;

use crate::decode::dns;
use crate::decode::progress::Progress;
use crate::decode::tls::{self, Extent, Likeness};
use crate::event::{Account, Body, DnsMessage, DnsTransport, Event, Flow, TlsSession, Volume};
use crate::flow::{Direction, Observer, Verdict, View};
use crate::time::Timestamp;

/// How long a ClientHello waits for the server's half.
const SERVER_PATIENCE: Duration = Duration::from_secs(5);

/// The longest ClientHello or ServerHello that is waited for, record headers included.
const MAX_HELLO: usize = 17 * 1024;

/// Who is given the events, in the order of their time.
pub trait Sink {
    /// Takes one.
    fn event(&mut self, event: Event);
}

/// What was read of flows so far.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counts {
    /// ClientHellos.
    pub client_hellos: u64,
    /// ClientHellos that named a server.
    pub with_sni: u64,
    /// What looked like a hello and could not be read.
    pub tls_refused: u64,
    /// DNS requests.
    pub dns_requests: u64,
    /// DNS responses, by the response code in their header (RFC 1035).
    pub dns_rcodes: [u64; 16],
    /// Records in the answer sections of the responses.
    pub dns_answers: u64,
    /// What came to or from a DNS port and could not be read as DNS.
    pub dns_refused: u64,
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
    /// TLS sessions of which one half was seen, by their flow's slot.
    halves: hashbrown::HashMap<u32, Half, foldhash::fast::RandomState>,
    /// When to stop waiting, in order, with the flow that waits in that slot.
    deadlines: VecDeque<(Timestamp, u32, u64)>,
    /// Where a hello's records are joined.
    scratch: Vec<u8>,
    wanted: Wanted,
    counts: Counts,
}

/// Whose hello bytes look like.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Side {
    Client,
    Server,
}

/// One half of a TLS session's opening.
enum Half {
    /// The ClientHello, with the conversation it opened.
    Client(Flow, Box<TlsSession>),
    /// What the server answered, when its half was seen first.
    Server(Box<TlsSession>),
}

impl Reader {
    /// Makes the events that are wanted.
    pub fn new(wanted: Wanted) -> Self {
        Self { wanted, ..Self::default() }
    }

    /// What was read so far.
    pub const fn counts(&self) -> Counts {
        self.counts
    }

    /// Stops waiting for servers that have not answered by `now`.
    #[inline]
    pub fn expire(&mut self, now: Timestamp, sink: &mut impl Sink) {
        while let Some(&(deadline, slot, flow)) = self.deadlines.front()
            && deadline <= now
        {
            self.deadlines.pop_front();
            if matches!(self.halves.get(&slot), Some(Half::Client(waits, _)) if waits.id == flow) {
                self.end_of_wait(slot, deadline, sink);
            }
        }
    }

    /// An observer of the flow table that gives its events to `sink`.
    pub const fn observing<'a, S: Sink>(&'a mut self, sink: &'a mut S) -> Observing<'a, S> {
        Observing { reader: self, sink }
    }

    fn end_of_wait(&mut self, slot: u32, at: Timestamp, sink: &mut impl Sink) {
        if let Some(Half::Client(flow, session)) = self.halves.remove(&slot) {
            sink.event(Event { time: at, flow, body: Body::Tls(session) });
        }
    }

    /// The client's half is there: the event is ready if the server's is, too.
    fn client_half(
        &mut self,
        view: &View<'_>,
        flow: Flow,
        hello: &tls::ClientHello<'_>,
        time: Timestamp,
        sink: &mut impl Sink,
    ) {
        let mut session = hello.session(time);
        self.counts.client_hellos += 1;
        self.counts.with_sni += u64::from(session.sni.is_some());
        if self.wanted == Wanted::ForDetectors {
            sink.event(Event { time, flow, body: Body::Hello(Box::new(session)) });
            return;
        }
        session.alpn = hello.protocols();
        let body = Body::Hello(Box::new(session.clone()));
        sink.event(Event { time, flow: flow.clone(), body });
        if let Some(Half::Server(answer)) = self.halves.remove(&view.slot()) {
            session.version = answer.version;
            session.cipher = answer.cipher;
            session.server_alpn = answer.server_alpn;
            sink.event(Event { time, flow, body: Body::Tls(Box::new(session)) });
            return;
        }
        self.deadlines.push_back((time.plus(SERVER_PATIENCE), view.slot(), flow.id));
        self.halves.insert(view.slot(), Half::Client(flow, Box::new(session)));
    }

    fn server_half(
        &mut self,
        view: &View<'_>,
        at: Timestamp,
        from: Direction,
        hello: &tls::ServerHello<'_>,
        sink: &mut impl Sink,
    ) {
        match self.halves.remove(&view.slot()) {
            Some(Half::Client(_, mut session)) => {
                hello.answer(&mut session);
                // Named anew: by now the server's own address on the link is known, too.
                let flow = view.flow_with_client(from.reverse());
                sink.event(Event { time: at, flow, body: Body::Tls(session) });
            }
            Some(Half::Server(_)) | None => {
                let mut session = TlsSession::default();
                hello.answer(&mut session);
                self.halves.insert(view.slot(), Half::Server(Box::new(session)));
            }
        }
    }

    /// Reads the hello of the side that `from` is, which the bytes look like.
    fn hello(
        &mut self,
        view: &View<'_>,
        at: Timestamp,
        from: Direction,
        (side, bytes): (Side, &[u8]),
        more: bool,
        sink: &mut impl Sink,
    ) -> Verdict {
        let extent = if more { Extent::Growing } else { Extent::Final };
        let mut scratch = std::mem::take(&mut self.scratch);
        scratch.clear();
        let verdict = if side == Side::Client {
            match tls::client_hello(bytes, extent, &mut scratch) {
                Progress::Complete { value, .. } => {
                    self.client_half(view, view.flow_with_client(from), &value, at, sink);
                    Verdict::Enough(Some(from))
                }
                Progress::NeedMore(total) => self.patience(bytes, total),
                Progress::Refused(_) => self.refuse_hello(),
            }
        } else if self.wanted == Wanted::ForDetectors {
            Verdict::Enough(Some(from.reverse()))
        } else {
            match tls::server_hello(bytes, extent, &mut scratch) {
                Progress::Complete { value, .. } => {
                    self.server_half(view, at, from, &value, sink);
                    Verdict::Enough(Some(from.reverse()))
                }
                Progress::NeedMore(total) => self.patience(bytes, total),
                Progress::Refused(_) => self.refuse_hello(),
            }
        };
        self.scratch = scratch;
        verdict
    }

    const fn patience(&mut self, bytes: &[u8], total: usize) -> Verdict {
        if bytes.len() < MAX_HELLO { Verdict::Want(total) } else { self.refuse_hello() }
    }

    const fn refuse_hello(&mut self) -> Verdict {
        self.counts.tls_refused += 1;
        Verdict::Skip
    }

    /// DNS over TCP (RFC 7766): one message behind the other, each with its length.
    fn dns_stream(
        &mut self,
        view: &View<'_>,
        at: Timestamp,
        from: Direction,
        bytes: &[u8],
        more: bool,
        sink: &mut impl Sink,
    ) -> Verdict {
        match dns::tcp_message(bytes) {
            Progress::Complete { value, used } => {
                match dns::message(value, DnsTransport::Tcp) {
                    Ok(message) => self.dns_message(view, at, from, message, sink),
                    // Whatever this is, the lengths that follow will not be DNS's.
                    Err(_) => {
                        self.counts.dns_refused += 1;
                        return Verdict::Enough(None);
                    }
                }
                Verdict::Used(used)
            }
            Progress::NeedMore(_) if !more => {
                if let Some(message) =
                    bytes.get(2..).and_then(|rest| dns::message(rest, DnsTransport::Tcp).ok())
                {
                    self.dns_message(view, at, from, message, sink);
                }
                Verdict::Skip
            }
            Progress::NeedMore(total) => Verdict::Want(total),
            Progress::Refused(_) => {
                self.counts.dns_refused += 1;
                Verdict::Enough(None)
            }
        }
    }

    fn dns_message(
        &mut self,
        view: &View<'_>,
        at: Timestamp,
        from: Direction,
        message: DnsMessage,
        sink: &mut impl Sink,
    ) {
        // Who asks is the client, whatever the ports say; a multicast responder asks nobody.
        let client = match (message.response, message.transport) {
            (true, DnsTransport::Mdns) => view.client(),
            (true, _) => from.reverse(),
            (false, _) => from,
        };
        if message.response {
            self.counts.response(message.rcode());
            self.counts.dns_answers += message.answers.len() as u64;
        } else {
            self.counts.dns_requests += 1;
            if self.wanted != Wanted::All {
                return;
            }
        }
        sink.event(Event {
            time: at,
            flow: view.flow_with_client(client),
            body: Body::Dns(Box::new(message)),
        });
    }
}

/// The DNS transport that a flow's ports speak of; TCP has the same ports (RFC 7766, 6762, 4795).
#[inline]
const fn dns_transport(a: u16, b: u16) -> Option<DnsTransport> {
    match (a, b) {
        (dns::PORT, _) | (_, dns::PORT) => Some(DnsTransport::Udp),
        (dns::MDNS_PORT, _) | (_, dns::MDNS_PORT) => Some(DnsTransport::Mdns),
        (dns::LLMNR_PORT, _) | (_, dns::LLMNR_PORT) => Some(DnsTransport::Llmnr),
        _ => None,
    }
}

/// A [`Reader`] at work for a [`Sink`].
pub struct Observing<'a, S> {
    reader: &'a mut Reader,
    sink: &'a mut S,
}

impl<S: Sink> Observer for Observing<'_, S> {
    fn opened(&mut self, view: &View<'_>, at: Timestamp) {
        if view.port(view.client().reverse()) == dns::PORT {
            return;
        }
        self.sink.event(Event { time: at, flow: view.flow(), body: Body::Opened });
    }

    fn volume(&mut self, view: &View<'_>, at: Timestamp, volume: Volume) {
        self.sink.event(Event { time: at, flow: view.flow(), body: Body::Volume(volume) });
    }

    fn account(&mut self, view: &View<'_>, at: Timestamp, account: Account) {
        if self.reader.wanted == Wanted::All {
            self.sink.event(Event { time: at, flow: view.flow(), body: Body::Account(account) });
        }
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
        // TLS is TLS on any port, also on one of DNS.
        let side = match tls::looks_like_hello(bytes) {
            Likeness::Client => Side::Client,
            Likeness::Server => Side::Server,
            _ if dns_transport(view.port(from), view.port(from.reverse())).is_some() => {
                return self.reader.dns_stream(view, at, from, bytes, more, self.sink);
            }
            Likeness::No => return Verdict::Skip,
            Likeness::Undecided => return Verdict::Want(bytes.len() + 1),
        };
        self.reader.hello(view, at, from, (side, bytes), more, self.sink)
    }

    #[inline]
    fn datagram(
        &mut self,
        view: &View<'_>,
        at: Timestamp,
        from: Direction,
        bytes: &[u8],
        _cut: bool,
    ) {
        let Some(transport) = dns_transport(view.port(from), view.port(from.reverse())) else {
            return;
        };
        let reader = &mut *self.reader;
        if !dns::looks_like_dns(bytes) {
            reader.counts.dns_refused += 1;
            return;
        }
        if reader.wanted == Wanted::ForDetectors && !dns::has_answers(bytes) {
            // Most messages are questions, or say that there is nothing: nobody asks for more.
            let response = dns::is_response(bytes);
            if response {
                reader.counts.response(dns::rcode(bytes));
            } else {
                reader.counts.dns_requests += 1;
            }
            return;
        }
        match dns::message(bytes, transport) {
            Ok(message) => reader.dns_message(view, at, from, message, self.sink),
            Err(_) => reader.counts.dns_refused += 1,
        }
    }

    fn closing(&mut self, view: &View<'_>, at: Timestamp) {
        if !self.reader.halves.is_empty() {
            self.reader.end_of_wait(view.slot(), at, self.sink);
        }
    }
}

#[cfg(test)]
mod tests;
