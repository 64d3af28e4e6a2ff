//! Where messages of all listeners are read, and reports wait for detection.

use std::cell::{Cell, RefCell};
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use crate::event::Report;
use crate::intake::listen::datagrams::Taker;
use crate::intake::listen::senders::{Sender, Senders};
use crate::intake::syslog::{Frame, Frames};
use crate::intake::waiting::Waiting;
use crate::intake::{Counts, Origin, Reader};
use crate::time::Timestamp;

/// How messages come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Transport {
    /// In datagrams.
    Udp,
    /// By a connection.
    Tcp,
    /// By a connection that is encrypted.
    Tls,
}

impl Transport {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Udp, Self::Tcp, Self::Tls];

    /// Its name in labels.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Udp => "udp",
            Self::Tcp => "tcp",
            Self::Tls => "tls",
        }
    }
}

/// What became of connections so far.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Connections {
    /// They were taken.
    pub accepted: u64,
    /// The sender's address is not allowed.
    pub refused: u64,
    /// There was no place for them.
    pub limited: u64,
    /// Their TLS handshake failed.
    pub failed: u64,
    /// They are open.
    pub open: u64,
}

/// Reads messages; one thread's own.
#[derive(Debug)]
pub struct Inbox {
    clock: fn() -> Timestamp,
    reader: RefCell<Reader>,
    waiting: Waiting,
    received: [Cell<u64>; Transport::ALL.len()],
    refused: Cell<u64>,
    dropped: Cell<u64>,
    pub(super) connections: Cell<Connections>,
    senders: RefCell<Senders>,
}

impl Inbox {
    /// With room for so many reports, and what one read brings on top.
    pub fn new(clock: fn() -> Timestamp, room: usize) -> Self {
        Self {
            clock,
            reader: RefCell::default(),
            waiting: Waiting::new(room),
            received: Default::default(),
            refused: Cell::default(),
            dropped: Cell::default(),
            connections: Cell::default(),
            senders: RefCell::default(),
        }
    }

    /// The reports that wait, oldest first.
    pub fn take(&self) -> Vec<Report> {
        self.waiting.take()
    }

    /// What became of the messages that were read.
    pub fn counts(&self) -> Counts {
        self.reader.borrow().counts()
    }

    /// Messages that came by each transport.
    pub fn received(&self) -> [u64; Transport::ALL.len()] {
        self.received.each_ref().map(Cell::get)
    }

    /// Datagrams of senders that are not allowed.
    pub const fn refused(&self) -> u64 {
        self.refused.get()
    }

    /// Datagrams that came when there was no room for reports.
    pub const fn dropped(&self) -> u64 {
        self.dropped.get()
    }

    /// What became of connections.
    pub const fn connections(&self) -> Connections {
        self.connections.get()
    }

    /// Who sends messages, those heard of last.
    pub fn senders(&self) -> Vec<Sender> {
        self.senders.borrow().all()
    }

    /// By how much the sender's clock is off that is off the most.
    pub fn largest_skew(&self) -> Duration {
        self.reader.borrow().largest_skew()
    }

    pub(super) fn count(&self, change: impl FnOnce(&mut Connections)) {
        let mut connections = self.connections.get();
        change(&mut connections);
        self.connections.set(connections);
    }

    /// Waits until there is room.
    pub(super) async fn room(&self) {
        self.waiting.room().await;
    }

    /// Reads the messages of a stream that are complete.
    pub(super) fn frames(&self, transport: Transport, peer: IpAddr, frames: &mut Frames) {
        let arrival = self.now();
        while let Some(frame) = frames.pop() {
            self.read(transport, arrival, peer, frame);
        }
    }

    /// Reads what is left of a stream that has ended.
    pub(super) fn last(&self, transport: Transport, peer: IpAddr, frames: &mut Frames) {
        if let Some(frame) = frames.last() {
            self.read(transport, self.now(), peer, frame);
        }
    }

    fn read(&self, transport: Transport, arrival: Timestamp, peer: IpAddr, frame: Frame<'_>) {
        add(&self.received, transport);
        let mut reader = self.reader.borrow_mut();
        if frame.is_cut {
            reader.note_cut();
        }
        let origin = Origin { arrival: Some(arrival), peer: Some(peer) };
        let report = reader.read(&origin, frame.message);
        let (from, ahead) = ((peer, transport), reader.clock_ahead());
        self.senders.borrow_mut().note(from, arrival, report.is_some(), ahead);
        if let Some(report) = report {
            self.waiting.push(report);
        }
    }
}

impl Taker for Inbox {
    fn now(&self) -> Timestamp {
        (self.clock)()
    }

    /// One message (RFC 5426, 3.1).
    fn datagram(&self, arrival: Timestamp, peer: SocketAddr, message: &[u8]) {
        if self.waiting.has_room() {
            self.read(Transport::Udp, arrival, peer.ip(), Frame { message, is_cut: false });
        } else {
            add(&self.received, Transport::Udp);
            self.dropped.set(self.dropped.get() + 1);
        }
    }

    fn refuse(&self) {
        add(&self.received, Transport::Udp);
        self.refused.set(self.refused.get() + 1);
    }
}

fn add(received: &[Cell<u64>; Transport::ALL.len()], transport: Transport) {
    if let Some(count) = received.get(transport as usize) {
        count.set(count.get() + 1);
    }
}
