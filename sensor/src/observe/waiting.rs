//! TLS sessions of which one half was seen and the other is awaited: for a while, and not too many.

use std::collections::VecDeque;
use std::time::Duration;

use super::Sink;
use crate::decode::tls;
use crate::event::{Body, Certificate, Event, Flow, TlsSession};
use crate::time::Timestamp;

/// How long one half waits for the other.
const PATIENCE: Duration = Duration::from_secs(5);

/// How many halves have a deadline before them, those that were met meanwhile included; beyond it
/// patience is shorter. 13,000 hellos a second.
const CAPACITY: usize = 1 << 16;

/// What halves that wait may take in bytes, by [`cost`].
const MAX_BYTES: usize = 64 * 1024 * 1024;

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

impl Half {
    const fn session(&self) -> &TlsSession {
        match self {
            Self::Client(_, session) | Self::Server { answer: session, .. } => session,
        }
    }
}

/// Halves, by their flow's slot.
#[derive(Default)]
pub(super) struct Waiting {
    /// With the number that each was given.
    halves: hashbrown::HashMap<u32, (u64, Half), foldhash::fast::RandomState>,
    /// When to stop waiting, in order, with the slot and number of what waits there.
    deadlines: VecDeque<(Timestamp, u32, u64)>,
    /// The last number given.
    number: u64,
    /// What all of them take.
    bytes: usize,
    /// How many were given up to make room.
    pub(super) evicted: u64,
}

impl Waiting {
    /// A client's hello was seen: its session is told, if all of the server's half is there, or begins
    /// to wait at `now`.
    pub(super) fn client(
        &mut self,
        flow: Flow,
        session: Box<TlsSession>,
        now: Timestamp,
        sink: &mut impl Sink,
    ) {
        let (session, growing) = match self.take(flow.slot) {
            Some(Half::Server { answer, growing }) => {
                (Box::new(joined(*session, *answer)), growing)
            }
            Some(Half::Client(..)) | None => (session, true),
        };
        if growing {
            self.wait(flow.slot, Half::Client(flow, session), now, sink);
        } else {
            sink.event(Event { time: now, flow, body: Body::Tls(session) });
        }
    }

    /// A server's hello was seen, at `now`, and what follows it may be awaited. `answer` adds it to the
    /// client's half or, alone, to what is there of the server's.
    pub(super) fn answered(
        &mut self,
        slot: u32,
        now: Timestamp,
        sink: &mut impl Sink,
        answer: impl FnOnce(&mut TlsSession, bool),
    ) {
        let Some((_, half)) = self.halves.get_mut(&slot) else {
            let mut session = Box::<TlsSession>::default();
            answer(&mut session, true);
            let half = Half::Server { answer: session, growing: true };
            return self.wait(slot, half, now, sink);
        };
        let before = cost(half.session());
        match half {
            Half::Client(_, session) => answer(session, false),
            Half::Server { answer: session, growing } => {
                *growing = true;
                answer(session, true);
            }
        }
        self.bytes = (self.bytes + cost(half.session())).saturating_sub(before);
    }

    /// The server's half is complete; gives the session if the client's is there.
    pub(super) fn complete(
        &mut self,
        slot: u32,
        certificate: Option<Box<Certificate>>,
    ) -> Option<Box<TlsSession>> {
        let (_, half) = self.halves.get_mut(&slot)?;
        let before = cost(half.session());
        match half {
            Half::Client(_, session) => session.certificate = certificate,
            Half::Server { answer, growing } => {
                answer.certificate = certificate;
                *growing = false;
            }
        }
        self.bytes = (self.bytes + cost(half.session())).saturating_sub(before);
        if matches!(half, Half::Server { .. }) {
            return None;
        }
        match self.take(slot)? {
            Half::Client(_, session) | Half::Server { answer: session, .. } => Some(session),
        }
    }

    /// What waits in a slot.
    fn take(&mut self, slot: u32) -> Option<Half> {
        let (_, half) = self.halves.remove(&slot)?;
        self.bytes = self.bytes.saturating_sub(cost(half.session()));
        Some(half)
    }

    /// Stops waiting for what has not come by `now`.
    #[inline]
    pub(super) fn expire(&mut self, now: Timestamp, sink: &mut impl Sink) {
        while let Some(&(deadline, slot, number)) = self.deadlines.front()
            && deadline <= now
        {
            self.deadlines.pop_front();
            self.give_up(slot, number, deadline, sink);
        }
    }

    /// The flow in a slot ends.
    #[inline]
    pub(super) fn closing(&mut self, slot: u32, at: Timestamp, sink: &mut impl Sink) {
        if !self.halves.is_empty() {
            self.end(slot, at, sink);
        }
    }

    fn wait(&mut self, slot: u32, half: Half, now: Timestamp, sink: &mut impl Sink) {
        self.take(slot);
        self.number += 1;
        self.bytes += cost(half.session());
        self.halves.insert(slot, (self.number, half));
        self.deadlines.push_back((now.plus(PATIENCE), slot, self.number));
        while (self.deadlines.len() > CAPACITY || self.bytes > MAX_BYTES)
            && let Some((_, slot, number)) = self.deadlines.pop_front()
        {
            self.evicted += u64::from(self.give_up(slot, number, now, sink));
        }
    }

    /// Ends the wait of that number, if it still goes on; whether it did.
    fn give_up(&mut self, slot: u32, number: u64, at: Timestamp, sink: &mut impl Sink) -> bool {
        let waits = self.halves.get(&slot).is_some_and(|(waits, _)| *waits == number);
        if waits {
            self.end(slot, at, sink);
        }
        waits
    }

    fn end(&mut self, slot: u32, at: Timestamp, sink: &mut impl Sink) {
        if let Some(Half::Client(flow, session)) = self.take(slot) {
            sink.event(Event { time: at, flow, body: Body::Tls(session) });
        }
    }
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

/// What a half takes in bytes: what it is made of, and the texts that its sender chose.
fn cost(session: &TlsSession) -> usize {
    const FIXED: usize = size_of::<Half>() + size_of::<TlsSession>();
    let text = |text: &Option<Box<str>>| text.as_ref().map_or(0, |text| text.len());
    let prints = [&session.ja3, &session.ja3s].into_iter().flatten();
    let certificate = session.certificate.as_ref().map_or(0, |certificate| {
        certificate.subject.len() + certificate.issuer.len() + certificate.serial.len()
    });
    FIXED
        + session.sni.as_ref().map_or(0, |name| name.len())
        + session.alpn.iter().map(|name| size_of::<Box<str>>() + name.len()).sum::<usize>()
        + text(&session.server_alpn)
        + prints.map(|print| print.text.len()).sum::<usize>()
        + certificate
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use super::*;
    use crate::event::Endpoint;

    #[derive(Default)]
    struct Told(Vec<(Timestamp, u32)>);

    impl Sink for Told {
        fn event(&mut self, event: Event) {
            self.0.push((event.time, event.flow.slot));
        }
    }

    fn flow(slot: u32) -> Flow {
        let end = Endpoint { address: Ipv4Addr::LOCALHOST.into(), port: 1, mac: None };
        Flow {
            id: slot.into(),
            slot,
            client: end,
            server: end,
            protocol: 6,
            vlans: Default::default(),
            interface: None,
            tunnel: None,
            opened: Timestamp::ZERO,
        }
    }

    fn hello(text: usize) -> Box<TlsSession> {
        Box::new(TlsSession { sni: Some("a".repeat(text).into()), ..TlsSession::default() })
    }

    #[test]
    fn a_half_waits_five_seconds_or_until_its_flow_ends() {
        let (mut waiting, mut told) = (Waiting::default(), Told::default());
        let at = |seconds| Timestamp::ZERO.plus(Duration::from_secs(seconds));
        waiting.client(flow(1), hello(9), at(0), &mut told);
        waiting.client(flow(2), hello(9), at(1), &mut told);
        waiting.answered(3, at(1), &mut told, |_, _| {});
        waiting.closing(2, at(2), &mut told);
        waiting.client(flow(2), hello(9), at(3), &mut told);
        waiting.expire(at(7), &mut told);
        assert_eq!(told.0, [(at(2), 2), (at(5), 1)]);
        assert!(waiting.take(3).is_none() && waiting.take(2).is_some());
        assert_eq!((waiting.bytes, waiting.evicted), (0, 0));
    }

    #[test]
    fn halves_that_wait_are_bounded_in_number_and_bytes() {
        let (mut waiting, mut told) = (Waiting::default(), Told::default());
        for slot in 0..CAPACITY as u32 + 10 {
            waiting.client(flow(slot), hello(0), Timestamp::ZERO, &mut told);
        }
        assert_eq!((waiting.deadlines.len(), waiting.evicted, told.0.len()), (CAPACITY, 10, 10));
        for slot in 0..CAPACITY as u32 {
            waiting.closing(slot, Timestamp::ZERO, &mut told);
            waiting
                .answered(slot, Timestamp::ZERO, &mut told, |session, _| *session = *hello(4000));
            assert!(waiting.bytes <= MAX_BYTES && waiting.deadlines.len() <= CAPACITY);
        }
        assert!(
            waiting.halves.len() < CAPACITY / 3 && told.0.last() == Some(&(Timestamp::ZERO, 65545))
        );
        // Opened and closed over and over, the flow in one slot leaves nothing but deadlines.
        for _ in 0..2 * CAPACITY {
            waiting.client(flow(7), hello(0), Timestamp::ZERO, &mut told);
            waiting.closing(7, Timestamp::ZERO, &mut told);
        }
        assert_eq!((waiting.halves.len(), waiting.bytes), (0, 0));
        assert_eq!(waiting.deadlines.len(), CAPACITY);
    }
}
