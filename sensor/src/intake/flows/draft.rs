//! One record while its fields are read, and what comes of it.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::time::Duration;

use super::cursor::number;
use super::element::Element;
use super::samplers::Rate;
use super::told::{Moment, Told};
use crate::decode::protocol;
use crate::event::{FlowRecord, Traffic};
use crate::time::Timestamp;

/// From 1900, where NTP begins to count (RFC 5905), to 1970.
const NTP: u64 = 2_208_988_800;
/// Of a forwarding status (RFC 7270, 4.12): dropped, whatever for.
const DROPPED: u64 = 0b10;
/// Of a firewall's event: the flow was denied.
const DENIED: u64 = 3;
/// Of a biflow's direction (RFC 5103, 6.3): the source opened it, or the destination did.
const BY_SOURCE: u64 = 1;
const BY_DESTINATION: u64 = 2;
/// Set where packets were counted in a tunnel.
const TUNNEL: u8 = 0x80;

/// What the fields of one record say.
#[derive(Debug, Clone, Default)]
pub(super) struct Draft {
    source: Option<IpAddr>,
    destination: Option<IpAddr>,
    ports: [u16; 2],
    protocol: u8,
    tcp_flags: Option<u8>,
    /// What is in a tunnel, where the exporter looks into it.
    inside: Inside,
    direction: Option<u8>,
    biflow: Option<u64>,
    is_blocked: bool,
    delta: Counted,
    total: Counted,
    initiator: Counted,
    post: Counted,
    first: Option<Moment>,
    last: Option<Moment>,
    observed: Option<Moment>,
    duration: Option<Duration>,
    pub(super) started: Option<Timestamp>,
    pub(super) sampler: Option<u64>,
    pub(super) rate: Rate,
}

/// What is in a tunnel.
#[derive(Debug, Clone, Copy, Default)]
struct Inside {
    source: Option<IpAddr>,
    destination: Option<IpAddr>,
    ports: [u16; 2],
    protocol: u8,
}

/// Octets and packets of both directions, as far as they are told.
#[derive(Debug, Clone, Copy, Default)]
struct Counted {
    sent: [Option<u64>; 2],
    received: [Option<u64>; 2],
}

impl Counted {
    const fn is_told(&self) -> bool {
        self.sent[0].is_some() || self.sent[1].is_some()
    }

    fn sent(&self) -> Traffic {
        let [octets, packets] = self.sent.map(Option::unwrap_or_default);
        Traffic { packets, bytes: octets }
    }

    fn received(&self) -> Option<Traffic> {
        let [octets, packets] = self.received;
        if octets.is_none() && packets.is_none() {
            return None;
        }
        let (packets, bytes) = (packets.unwrap_or_default(), octets.unwrap_or_default());
        Some(Traffic { packets, bytes })
    }
}

impl Draft {
    /// The next field.
    pub(super) fn read(&mut self, element: Element, bytes: &[u8]) {
        let value = || number(bytes);
        let some = || Some(number(bytes));
        let short = || u16::try_from(number(bytes)).unwrap_or_default();
        let byte = || u8::try_from(number(bytes)).unwrap_or_default();
        match element {
            Element::Octets => self.delta.sent[0] = some(),
            Element::Packets => self.delta.sent[1] = some(),
            Element::ReverseOctets => self.delta.received[0] = some(),
            Element::ReversePackets => self.delta.received[1] = some(),
            Element::TotalOctets => self.total.sent[0] = some(),
            Element::TotalPackets => self.total.sent[1] = some(),
            Element::ReverseTotalOctets => self.total.received[0] = some(),
            Element::ReverseTotalPackets => self.total.received[1] = some(),
            Element::InitiatorOctets => self.initiator.sent[0] = some(),
            Element::InitiatorPackets => self.initiator.sent[1] = some(),
            Element::ResponderOctets => self.initiator.received[0] = some(),
            Element::ResponderPackets => self.initiator.received[1] = some(),
            Element::PostOctets => self.post.sent[0] = some(),
            Element::PostPackets => self.post.sent[1] = some(),
            Element::Protocol => self.protocol = byte(),
            Element::TcpFlags => self.tcp_flags = bytes.last().copied(),
            Element::SourcePort => self.ports[0] = short(),
            Element::DestinationPort => self.ports[1] = short(),
            Element::Source => put(&mut self.source, bytes),
            Element::Destination => put(&mut self.destination, bytes),
            Element::TenantProtocol => self.inside.protocol = byte(),
            Element::TenantSourcePort => self.inside.ports[0] = short(),
            Element::TenantDestinationPort => self.inside.ports[1] = short(),
            Element::TenantSource => put(&mut self.inside.source, bytes),
            Element::TenantDestination => put(&mut self.inside.destination, bytes),
            Element::Direction => self.direction = Some(byte()),
            Element::BiflowDirection => self.biflow = some(),
            Element::ForwardingStatus => {
                // Of 32 bits since RFC 7270, of which the last eight count, as they did before.
                self.is_blocked |= (value() & 0xff) >> 6 == DROPPED;
            }
            Element::FirewallEvent => self.is_blocked |= value() == DENIED,
            Element::SystemInitMillis => self.started = Some(millis(value())),
            Element::SamplerId => self.sampler = some(),
            Element::SamplingInterval => self.rate.interval = some(),
            Element::SamplingPacketInterval => self.rate.taken = some(),
            Element::SamplingPacketSpace => self.rate.left_out = some(),
            Element::SamplingSize => self.rate.size = some(),
            Element::SamplingPopulation => self.rate.population = some(),
            Element::SamplingProbability => self.rate.probability = float(bytes),
            _ => self.read_time(element, bytes),
        }
    }

    fn read_time(&mut self, element: Element, bytes: &[u8]) {
        let value = number(bytes);
        let uptime = || Moment::Uptime(value as u32);
        let clock = |time| Moment::Clock(time);
        match element {
            Element::FirstUptime => self.first = Some(uptime()),
            Element::LastUptime => self.last = Some(uptime()),
            Element::FirstSeconds => self.first = Some(clock(Timestamp::from_parts(value, 0))),
            Element::LastSeconds => self.last = Some(clock(Timestamp::from_parts(value, 0))),
            Element::FirstMillis => self.first = Some(clock(millis(value))),
            Element::LastMillis => self.last = Some(clock(millis(value))),
            Element::FirstMicros | Element::FirstNanos => self.first = ntp(bytes).map(clock),
            Element::LastMicros | Element::LastNanos => self.last = ntp(bytes).map(clock),
            Element::FirstMicrosAgo => {
                self.first = Some(Moment::Ago(Duration::from_micros(value)));
            }
            Element::LastMicrosAgo => self.last = Some(Moment::Ago(Duration::from_micros(value))),
            Element::DurationMillis => self.duration = Some(Duration::from_millis(value)),
            Element::DurationMicros => self.duration = Some(Duration::from_micros(value)),
            Element::ObservedMillis => self.observed = Some(clock(millis(value))),
            _ => {}
        }
    }

    /// Where packets were counted: 0 and 1 where they come in and leave, others for tunnels that they
    /// were in.
    pub(super) fn point(&self) -> u8 {
        let direction = self.direction.unwrap_or_default();
        if self.is_inside() { direction | TUNNEL } else { direction & !TUNNEL }
    }

    /// When the last packet was counted, where only the exporter's uptime is told.
    pub(super) const fn uptime(&self) -> Option<u32> {
        match (self.last, self.first) {
            (Some(Moment::Uptime(uptime)), _) | (None, Some(Moment::Uptime(uptime))) => {
                Some(uptime)
            }
            _ => None,
        }
    }

    fn is_inside(&self) -> bool {
        is_address(self.inside.source) && is_address(self.inside.destination)
    }

    /// What it says of a conversation; none when that is nothing. `one_in` holds where the record does
    /// not say itself how many packets were counted.
    pub(super) fn finish(
        &self,
        told: &Told,
        started: Option<Timestamp>,
        one_in: Option<f64>,
    ) -> Option<FlowRecord> {
        let outside = Inside {
            source: self.source,
            destination: self.destination,
            ports: self.ports,
            protocol: self.protocol,
        };
        let ends = if self.is_inside() { self.inside } else { outside };
        let (source, destination) = (ends.source?, ends.destination?);
        let counted = [self.delta, self.total, self.initiator, self.post];
        let counted = counted.into_iter().find(Counted::is_told);
        if counted.is_none() && !self.is_blocked {
            return None;
        }
        let counted = counted.unwrap_or_default();
        let has_ports = !matches!(ends.protocol, protocol::ICMP | protocol::ICMPV6);
        let [from, to] = if has_ports { ends.ports } else { [0; 2] };
        let is_tcp = ends.protocol == protocol::TCP;
        let [first, last] = self.span(told, started);
        let is_forward = match self.biflow {
            Some(BY_SOURCE) => Some(true),
            Some(BY_DESTINATION) => Some(false),
            _ => self.initiator.is_told().then_some(true),
        };
        Some(FlowRecord {
            from: (source, from),
            to: (destination, to),
            protocol: ends.protocol,
            first,
            last,
            sent: counted.sent(),
            received: counted.received(),
            tcp_flags: self.tcp_flags.filter(|_| is_tcp),
            one_in: self.rate.one_in().or(one_in).filter(|one_in| *one_in > 1.0),
            is_forward,
            is_blocked: self.is_blocked,
        })
    }

    /// Whether it counts from the start of the conversation, and not from the record before.
    pub(super) const fn is_running_total(&self) -> bool {
        self.total.is_told() && !self.delta.is_told()
    }

    /// When it began and ended: as far as it says so, else when it was told of.
    fn span(&self, told: &Told, started: Option<Timestamp>) -> [Timestamp; 2] {
        let time = |moment: Option<Moment>| told.time_of(moment?, started);
        let (first, last) = (time(self.first), time(self.last));
        let last = last.or_else(|| time(self.observed));
        let last = last.or_else(|| Some(first?.plus(self.duration?)));
        let last = last.unwrap_or(told.time).min(told.time);
        let first = first.or_else(|| Some(last.minus(self.duration?))).unwrap_or(last);
        [first.min(last), last]
    }
}

/// An address of either version. One of only zeros stands for none where templates have both versions.
fn put(place: &mut Option<IpAddr>, bytes: &[u8]) {
    let address = if let Ok(bytes) = <[u8; 4]>::try_from(bytes) {
        IpAddr::from(Ipv4Addr::from(bytes))
    } else if let Ok(bytes) = <[u8; 16]>::try_from(bytes) {
        IpAddr::from(Ipv6Addr::from(bytes)).to_canonical()
    } else {
        return;
    };
    if place.is_none() || !address.is_unspecified() {
        *place = Some(address);
    }
}

fn is_address(address: Option<IpAddr>) -> bool {
    address.is_some_and(|address| !address.is_unspecified())
}

const fn millis(millis: u64) -> Timestamp {
    Timestamp::from_nanos(millis.saturating_mul(1_000_000))
}

/// A time as NTP has it (RFC 7011, 6.1.9 and 6.1.10): seconds since 1900, and their fraction. Those that
/// begin again in 2036 are later than 1970.
fn ntp(bytes: &[u8]) -> Option<Timestamp> {
    /// From 1970 to 2036.
    const TURN: u64 = (1 << 32) - NTP;
    let time = u64::from_be_bytes(bytes.try_into().ok()?);
    let (seconds, fraction) = (time >> 32, time & u64::from(u32::MAX));
    let seconds = seconds.checked_sub(NTP).unwrap_or(seconds.saturating_add(TURN));
    let nanos = fraction.saturating_mul(1_000_000_000) >> 32;
    Some(Timestamp::from_parts(seconds, nanos))
}

/// A number with a fraction (RFC 7011, 6.1.7); it may be sent in four bytes.
fn float(bytes: &[u8]) -> Option<f64> {
    if let Ok(bytes) = <[u8; 4]>::try_from(bytes) {
        return Some(f32::from_be_bytes(bytes).into());
    }
    Some(f64::from_be_bytes(bytes.try_into().ok()?))
}

#[cfg(test)]
mod tests;
