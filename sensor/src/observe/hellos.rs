//! The hellos of TLS over TCP: the client's at once, then both halves together.

use super::waiting::Half;
use super::{Reader, Seen, Sink, Wanted};
use crate::decode::progress::Progress;
use crate::decode::tls::{self, Extent};
use crate::event::{Body, Carrier, Event, TlsSession};
use crate::flow::Verdict;
use crate::time::Timestamp;

/// The longest ClientHello or ServerHello that is waited for, record headers included.
const MAX_HELLO: usize = 17 * 1024;

/// Whose hello bytes look like.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Side {
    Client,
    Server,
}

impl Reader {
    /// Reads the hello of the side that sends, which the bytes look like.
    pub(super) fn hello(&mut self, seen: &Seen<'_>, side: Side, sink: &mut impl Sink) -> Verdict {
        let mut scratch = std::mem::take(&mut self.scratch);
        scratch.clear();
        let verdict = match side {
            Side::Client => self.client(seen, &mut scratch, sink),
            Side::Server => self.server(seen, &mut scratch, sink),
        };
        self.scratch = scratch;
        verdict
    }

    fn client(&mut self, seen: &Seen<'_>, scratch: &mut Vec<u8>, sink: &mut impl Sink) -> Verdict {
        match tls::client_hello(seen.bytes, seen.extent(), scratch) {
            Progress::Complete { value, .. } => {
                self.client_half(seen, Carrier::Tcp, &value, sink);
                Verdict::Enough(Some(seen.from))
            }
            Progress::NeedMore(total) => self.patience(seen.bytes, total),
            Progress::Refused(_) => self.refuse_hello(),
        }
    }

    fn server(&mut self, seen: &Seen<'_>, scratch: &mut Vec<u8>, sink: &mut impl Sink) -> Verdict {
        let client = seen.from.reverse();
        if self.wanted == Wanted::ForDetectors {
            return Verdict::Enough(Some(client));
        }
        match tls::server_hello(seen.bytes, seen.extent(), scratch) {
            Progress::Complete { value, .. } => {
                self.server_half(seen, &value, sink);
                Verdict::Enough(Some(client))
            }
            Progress::NeedMore(total) => self.patience(seen.bytes, total),
            Progress::Refused(_) => self.refuse_hello(),
        }
    }

    /// The client's half is there: the event is ready if the server's is, too.
    pub(super) fn client_half(
        &mut self,
        seen: &Seen<'_>,
        carrier: Carrier,
        hello: &tls::ClientHello<'_>,
        sink: &mut impl Sink,
    ) {
        let time = seen.at;
        let flow = seen.view.flow_with_client(seen.from);
        let mut session = self.opened(hello, carrier, time);
        if self.wanted == Wanted::ForDetectors {
            sink.event(Event { time, flow, body: Body::Hello(Box::new(session)) });
            return;
        }
        let body = Body::Hello(Box::new(session.clone()));
        sink.event(Event { time, flow: flow.clone(), body });
        session.alpn = hello.protocols();
        session.ja3 = tls::ja3(hello).map(Box::new);
        if let Some(Half::Server(answer)) = self.waiting.take(flow.slot) {
            let session = Box::new(joined(session, *answer));
            sink.event(Event { time, flow, body: Body::Tls(session) });
            return;
        }
        self.waiting.client(flow, Box::new(session), time, sink);
    }

    /// The session that a ClientHello opens, counted; with what detectors go by.
    pub(super) fn opened(
        &mut self,
        hello: &tls::ClientHello<'_>,
        carrier: Carrier,
        time: Timestamp,
    ) -> TlsSession {
        let session = hello.session(carrier, time, &mut self.fingerprints);
        self.counts.client_hellos += 1;
        self.counts.with_sni += u64::from(session.sni.is_some());
        self.counts.cut_hellos += u64::from(hello.truncated);
        session
    }

    pub(super) fn server_half(
        &mut self,
        seen: &Seen<'_>,
        hello: &tls::ServerHello<'_>,
        sink: &mut impl Sink,
    ) {
        let slot = seen.view.slot();
        match self.waiting.take(slot) {
            Some(Half::Client(_, mut session)) => {
                answer(hello, &mut session);
                // Named anew: by now the server's own address on the link is known, too.
                let flow = seen.view.flow_with_client(seen.from.reverse());
                sink.event(Event { time: seen.at, flow, body: Body::Tls(session) });
            }
            Some(Half::Server(_)) | None => {
                let mut session = TlsSession::default();
                answer(hello, &mut session);
                session.session_id = hello.session_id.try_into().unwrap_or_default();
                self.waiting.server(slot, Box::new(session), seen.at, sink);
            }
        }
    }

    const fn patience(&mut self, bytes: &[u8], total: usize) -> Verdict {
        match bytes.len() {
            0..MAX_HELLO if total < MAX_HELLO => Verdict::Want(total),
            0..MAX_HELLO => Verdict::Want(MAX_HELLO),
            _ => self.refuse_hello(),
        }
    }

    const fn refuse_hello(&mut self) -> Verdict {
        self.counts.refused_hellos += 1;
        Verdict::Skip
    }
}

impl Seen<'_> {
    const fn extent(&self) -> Extent {
        if self.more { Extent::Growing } else { Extent::Final }
    }
}

/// Adds the server's half to a session, with its fingerprints.
fn answer(hello: &tls::ServerHello<'_>, session: &mut TlsSession) {
    hello.answer(session);
    session.ja3s = tls::ja3s(hello).map(Box::new);
    session.ja4s = tls::ja4s(hello, &session.carrier);
}

/// A client's half with that of its server, which was seen first.
fn joined(client: TlsSession, server: TlsSession) -> TlsSession {
    let sent_back = tls::sent_back(server.version, &client.session_id, &server.session_id);
    TlsSession {
        version: server.version,
        cipher: server.cipher,
        server_alpn: server.server_alpn,
        resumed: server.resumed || sent_back,
        ja3s: server.ja3s,
        ja4s: server.ja4s,
        certificate: server.certificate,
        ..client
    }
}
