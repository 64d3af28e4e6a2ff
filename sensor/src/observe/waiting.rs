//! TLS sessions of which one half was seen and the other is awaited.

use std::collections::VecDeque;
use std::time::Duration;

use super::Sink;
use crate::event::{Body, Event, Flow, TlsSession};
use crate::time::Timestamp;

/// How long a ClientHello waits for the server's half.
const SERVER_PATIENCE: Duration = Duration::from_secs(5);

/// One half of a TLS session's opening.
pub(super) enum Half {
    /// The ClientHello, with the conversation it opened.
    Client(Flow, Box<TlsSession>),
    /// What the server answered, when its half was seen first.
    Server(Box<TlsSession>),
}

/// Halves, by their flow's slot.
#[derive(Default)]
pub(super) struct Waiting {
    halves: hashbrown::HashMap<u32, Half, foldhash::fast::RandomState>,
    /// When to stop waiting, in order, with the flow that waits in that slot.
    deadlines: VecDeque<(Timestamp, u32, u64)>,
}

impl Waiting {
    /// A client's hello begins to wait.
    pub(super) fn client(&mut self, flow: Flow, session: Box<TlsSession>, since: Timestamp) {
        self.deadlines.push_back((since.plus(SERVER_PATIENCE), flow.slot, flow.id));
        self.halves.insert(flow.slot, Half::Client(flow, session));
    }

    /// A server's hello was seen first.
    pub(super) fn server(&mut self, slot: u32, answer: Box<TlsSession>) {
        self.halves.insert(slot, Half::Server(answer));
    }

    /// The half that waits in a slot.
    pub(super) fn take(&mut self, slot: u32) -> Option<Half> {
        self.halves.remove(&slot)
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
