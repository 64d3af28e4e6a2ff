//! The hellos of TLS: the client's at once, then both halves together, with the server's certificate
//! where that is in the clear.

use super::{Reader, Seen, Sink, Wanted};
use crate::decode::progress::Progress;
use crate::decode::tls::{self, Extent};
use crate::event::{App, Body, Carrier, Certificate, Event, TlsSession};
use crate::flow::Verdict;
use crate::time::Timestamp;

/// The longest ClientHello or ServerHello that is waited for, record headers included.
const MAX_HELLO: usize = 17 * 1024;

/// The most of a server's stream that is kept until its certificate is there: 16 KiB of that, behind
/// its hello.
const MAX_FLIGHT: usize = 20 * 1024;

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
                let slot = seen.view.slot();
                if !self.upgrades.is_refused(slot) {
                    let carrier = self.upgrades.carrier(slot);
                    self.client_half(seen, carrier, &value, sink);
                }
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
        let in_the_clear = match tls::server_hello(seen.bytes, seen.extent(), scratch) {
            Progress::Complete { value, .. } => {
                seen.view.speaks(App::Tls);
                self.answered(seen, &value, sink);
                value.is_in_the_clear()
            }
            Progress::NeedMore(total) => return self.patience(seen.bytes, total),
            Progress::Refused(_) => return self.refuse_hello(),
        };
        let mut certificate = None;
        if in_the_clear {
            // The stream is looked at from the hello on each time: where the rest of its records
            // begins, only they say.
            match tls::server_certificate(seen.bytes, seen.extent(), scratch) {
                Progress::Complete { value, .. } => certificate = self.certificate(value),
                Progress::NeedMore(total) if total <= MAX_FLIGHT => return Verdict::Want(total),
                Progress::NeedMore(_) | Progress::Refused(_) => {}
            }
        }
        self.complete(seen, certificate, sink);
        Verdict::Enough(Some(client))
    }

    fn certificate(&mut self, bytes: &[u8]) -> Option<Box<Certificate>> {
        match tls::certificate(bytes) {
            Ok(certificate) => Some(Box::new(certificate)),
            Err(_) => {
                self.counts.certificates_refused += 1;
                None
            }
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
        seen.view.speaks(app(&carrier));
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
        self.waiting.client(flow, Box::new(session), time, sink);
    }

    /// The session that a ClientHello opens, counted; with what detectors go by.
    fn opened(
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

    /// The server's hello in QUIC is there: what follows it is encrypted.
    pub(super) fn server_half(
        &mut self,
        seen: &Seen<'_>,
        hello: &tls::ServerHello<'_>,
        sink: &mut impl Sink,
    ) {
        seen.view.speaks(App::Quic);
        self.answered(seen, hello, sink);
        self.complete(seen, None, sink);
    }

    /// The server's hello is there. Seen again, it answers the same.
    fn answered(&mut self, seen: &Seen<'_>, hello: &tls::ServerHello<'_>, sink: &mut impl Sink) {
        self.waiting.answered(seen.view.slot(), seen.at, sink, |session, is_alone| {
            if is_alone {
                session.session_id.clear();
            }
            hello.answer(session);
            session.ja3s = tls::ja3s(hello).map(Box::new);
            session.ja4s = tls::ja4s(hello, &session.carrier);
            if is_alone {
                // To be compared with the client's, once that is seen.
                session.session_id = hello.session_id.try_into().unwrap_or_default();
            }
        });
    }

    /// All that is awaited of the server is there, or cannot come any more.
    fn complete(
        &mut self,
        seen: &Seen<'_>,
        certificate: Option<Box<Certificate>>,
        sink: &mut impl Sink,
    ) {
        if let Some(session) = self.waiting.complete(seen.view.slot(), certificate) {
            // Named anew: by now the server's own address on the link is known, too.
            let flow = seen.view.flow_with_client(seen.from.reverse());
            sink.event(Event { time: seen.at, flow, body: Body::Tls(session) });
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

const fn app(carrier: &Carrier) -> App {
    match carrier {
        Carrier::Quic(_) => App::Quic,
        Carrier::Tcp | Carrier::StartTls(_) | Carrier::Proxy(_) => App::Tls,
    }
}

impl Seen<'_> {
    const fn extent(&self) -> Extent {
        if self.more { Extent::Growing } else { Extent::Final }
    }
}
