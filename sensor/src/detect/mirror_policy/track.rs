//! Wrapped packets of one pair of ends, as they add up.

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use crate::alert::{MirroredTraffic, Text};
use crate::event::{Mirrored, Service, Traffic, TunnelKind};
use crate::time::Timestamp;

/// How well a pair is known when its packets are first seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Standing {
    /// It was learned before.
    Usual,
    /// All is learned now, and so is this, unless a change explains it.
    Learning,
    /// Never seen before.
    New,
}

/// The packets of a pair.
#[derive(Debug, Clone)]
pub(super) struct Track {
    pub(super) source: IpAddr,
    pub(super) destination: IpAddr,
    pub(super) port: Option<u16>,
    pub(super) kind: Option<TunnelKind>,
    pub(super) id: Option<u32>,
    pub(super) first: Timestamp,
    pub(super) last: Timestamp,
    pub(super) traffic: Traffic,
    pub(super) copies: u64,
    inside: Option<[(IpAddr, u16); 2]>,
    /// The log that tells of it; none: packets.
    pub(super) by: Option<Service>,
    pub(super) standing: Standing,
}

impl Track {
    pub(super) fn new(mirrored: &Mirrored, by: Option<Service>, standing: Standing) -> Self {
        Self {
            source: mirrored.source,
            destination: mirrored.destination,
            port: mirrored.port,
            kind: mirrored.kind,
            id: mirrored.id,
            first: mirrored.since,
            last: mirrored.time,
            traffic: Traffic::default(),
            copies: 0,
            inside: mirrored.inside,
            by,
            standing,
        }
    }

    /// More of it. Of packets and a log that both tell, packets count: they see all of it.
    pub(super) fn add(&mut self, mirrored: &Mirrored, by: Option<Service>) {
        self.first = self.first.min(mirrored.since);
        self.last = self.last.max(mirrored.time);
        self.port = self.port.or(mirrored.port);
        self.inside = self.inside.or(mirrored.inside);
        self.copies = self.copies.saturating_add(mirrored.copies);
        if self.by.is_some() && by.is_none() {
            (self.by, self.traffic) = (None, Traffic::default());
        }
        if self.by == by {
            let Traffic { packets, bytes } = mirrored.traffic;
            self.traffic.packets = self.traffic.packets.saturating_add(packets);
            self.traffic.bytes = self.traffic.bytes.saturating_add(bytes);
        }
    }

    /// How far from `time` it is seen.
    pub(super) fn distance(&self, time: Timestamp) -> Duration {
        if time < self.first { self.first.since(time) } else { time.since(self.last) }
    }

    /// How far from `time` it began.
    pub(super) fn beginning(&self, time: Timestamp) -> Duration {
        self.first.since(time).max(time.since(self.first))
    }

    /// The same as evidence.
    pub(super) fn fact(&self) -> MirroredTraffic {
        let nanos = self.last.since(self.first).as_nanos().max(1_000_000_000);
        let rate = u128::from(self.traffic.bytes) * 1_000_000_000 / nanos;
        let end = |(address, port)| SocketAddr::new(address, port);
        MirroredTraffic {
            source: self.source,
            destination: self.destination,
            port: self.port,
            wrapping: Text::Borrowed(self.kind.map_or("unknown", TunnelKind::name)),
            wire_id: self.id,
            packets: self.traffic.packets,
            bytes: self.traffic.bytes,
            bytes_per_second: u64::try_from(rate).unwrap_or(u64::MAX),
            copies: self.copies,
            inside: self
                .inside
                .map(|[client, server]| format!("{} -> {}", end(client), end(server))),
            witness: self.by.map_or("packets", Service::name).into(),
        }
    }
}
