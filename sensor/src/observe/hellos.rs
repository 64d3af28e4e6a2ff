//! The hellos of TLS over TCP: the client's at once, then both halves together.

use super::waiting::Half;
use super::{Reader, Seen, Sink, Wanted};
use crate::decode::progress::Progress;
use crate::decode::tls::{self, Extent};
use crate::event::{App, Body, Event, TlsSession};
use crate::flow::Verdict;

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
                self.client_half(seen, &value, sink);
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
    fn client_half(&mut self, seen: &Seen<'_>, hello: &tls::ClientHello<'_>, sink: &mut impl Sink) {
        let time = seen.at;
        seen.view.speaks(App::Tls);
        let flow = seen.view.flow_with_client(seen.from);
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
        if let Some(Half::Server(answer)) = self.waiting.take(flow.slot) {
            session.version = answer.version;
            session.cipher = answer.cipher;
            session.server_alpn = answer.server_alpn;
            sink.event(Event { time, flow, body: Body::Tls(Box::new(session)) });
            return;
        }
        self.waiting.client(flow, Box::new(session), time);
    }

    fn server_half(&mut self, seen: &Seen<'_>, hello: &tls::ServerHello<'_>, sink: &mut impl Sink) {
        seen.view.speaks(App::Tls);
        let slot = seen.view.slot();
        match self.waiting.take(slot) {
            Some(Half::Client(_, mut session)) => {
                hello.answer(&mut session);
                // Named anew: by now the server's own address on the link is known, too.
                let flow = seen.view.flow_with_client(seen.from.reverse());
                sink.event(Event { time: seen.at, flow, body: Body::Tls(session) });
            }
            Some(Half::Server(_)) | None => {
                let mut session = TlsSession::default();
                hello.answer(&mut session);
                self.waiting.server(slot, Box::new(session));
            }
        }
    }

    const fn patience(&mut self, bytes: &[u8], total: usize) -> Verdict {
        if bytes.len() < MAX_HELLO { Verdict::Want(total) } else { self.refuse_hello() }
    }

    const fn refuse_hello(&mut self) -> Verdict {
        self.counts.tls_refused += 1;
        Verdict::Skip
    }
}

impl Seen<'_> {
    const fn extent(&self) -> Extent {
        if self.more { Extent::Growing } else { Extent::Final }
    }
}
