//! TLS sessions of which one half was seen and the other is awaited.

use std::collections::VecDeque;
use std::time::Duration;

use super::Sink;
use crate::event::{Body, Certificate, Event, Flow, TlsSession};
use crate::time::Timestamp;

/// How long a ClientHello waits for the server's half.
const SERVER_PATIENCE: Duration = Duration::from_secs(5);

/// What is there of a TLS session's opening.
enum Half {
    /// The ClientHello, with the conversation it opened, and what the server has answered so far.
    Client(Flow, Box<TlsSession>),
    /// What the server answered, when its half was seen first.
    Server {
        answer: Box<TlsSession>,
        /// Whether more of it may come: its certificate.
        growing: bool,
    },
}

/// Halves, by their flow's slot.
#[derive(Default)]
pub(super) struct Waiting {
    halves: hashbrown::HashMap<u32, Half, foldhash::fast::RandomState>,
    /// When to stop waiting, in order, with the flow that waits in that slot.
    deadlines: VecDeque<(Timestamp, u32, u64)>,
}

impl Waiting {
    /// A client's hello was seen: it begins to wait, unless all of the server's half is there.
    pub(super) fn client(
        &mut self,
        flow: Flow,
        mut session: Box<TlsSession>,
        time: Timestamp,
    ) -> Option<Event> {
        let slot = flow.slot;
        if let Some(Half::Server { answer, growing }) = self.halves.remove(&slot) {
            take_over(&mut session, *answer);
            if !growing {
                return Some(Event { time, flow, body: Body::Tls(session) });
            }
        }
        self.deadlines.push_back((time.plus(SERVER_PATIENCE), slot, flow.id));
        self.halves.insert(slot, Half::Client(flow, session));
        None
    }

    /// A server's hello was seen, and what follows it may be awaited. Seen again, it answers the same.
    pub(super) fn answered(&mut self, slot: u32, answer: impl FnOnce(&mut TlsSession)) {
        let half = self
            .halves
            .entry(slot)
            .or_insert_with(|| Half::Server { answer: Box::default(), growing: true });
        match half {
            Half::Client(_, session) => answer(session),
            Half::Server { answer: session, growing } => {
                *growing = true;
                answer(session);
            }
        }
    }

    /// The server's half is complete; gives the session if the client's is there.
    pub(super) fn server(
        &mut self,
        slot: u32,
        certificate: Option<Box<Certificate>>,
    ) -> Option<Box<TlsSession>> {
        match self.halves.remove(&slot)? {
            Half::Client(_, mut session) => {
                session.certificate = certificate;
                Some(session)
            }
            Half::Server { mut answer, .. } => {
                answer.certificate = certificate;
                self.halves.insert(slot, Half::Server { answer, growing: false });
                None
            }
        }
    }

    /// Stops waiting for servers that have not answered by `now`.
    #[inline]
    pub(super) fn expire(&mut self, now: Timestamp, sink: &mut impl Sink) {
        while let Some(&(deadline, slot, flow)) = self.deadlines.front()
            && deadline <= now
        {
            self.deadlines.pop_front();
            if matches!(self.halves.get(&slot), Some(Half::Client(waits, _)) if waits.id == flow) {
                self.end(slot, deadline, sink);
            }
        }
    }

    /// The flow in a slot ends.
    #[inline]
    pub(super) fn closing(&mut self, slot: u32, at: Timestamp, sink: &mut impl Sink) {
        if !self.halves.is_empty() {
            self.end(slot, at, sink);
        }
    }

    fn end(&mut self, slot: u32, at: Timestamp, sink: &mut impl Sink) {
        if let Some(Half::Client(flow, session)) = self.halves.remove(&slot) {
            sink.event(Event { time: at, flow, body: Body::Tls(session) });
        }
    }
}

/// Adds what a server answered to what the client's hello says.
fn take_over(session: &mut TlsSession, answer: TlsSession) {
    session.version = answer.version;
    session.cipher = answer.cipher;
    session.server_alpn = answer.server_alpn;
    session.resumed = answer.resumed;
    session.ja3s = answer.ja3s;
    session.ja4s = answer.ja4s;
    session.certificate = answer.certificate;
}
