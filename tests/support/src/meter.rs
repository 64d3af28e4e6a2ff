//! What an exporter of flow records makes of packets: counted one way by addresses, ports and protocol,
//! told after a minute of a long one, and after 15 s without any.

use std::collections::BTreeMap;
use std::net::IpAddr;

/// A flow that goes on is told of so often, in nanoseconds.
const ACTIVE: u64 = 60 * 1_000_000_000;
/// One of which nothing comes is told after so long.
const IDLE: u64 = 15 * 1_000_000_000;

/// A packet as an exporter sees it.
#[derive(Debug, Clone, Copy)]
pub struct Packet {
    /// Nanoseconds since the epoch.
    pub time: u64,
    /// Who sent it: address and port.
    pub from: (IpAddr, u16),
    /// To whom.
    pub to: (IpAddr, u16),
    /// IP protocol number.
    pub protocol: u8,
    /// Bytes of the IP packet.
    pub bytes: u64,
    /// TCP flags.
    pub flags: u8,
}

/// A flow record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Flow {
    /// Who sent what was counted.
    pub from: (IpAddr, u16),
    /// To whom.
    pub to: (IpAddr, u16),
    /// IP protocol number.
    pub protocol: u8,
    /// Times of the first packet and of the last.
    pub span: [u64; 2],
    /// Packets.
    pub packets: u64,
    /// Bytes of IP packets.
    pub bytes: u64,
    /// All flags of all packets.
    pub flags: u8,
}

type Key = ((IpAddr, u16), (IpAddr, u16), u8);

/// An exporter.
#[derive(Debug, Default)]
pub struct Meter {
    going: BTreeMap<Key, Flow>,
    told: Vec<Flow>,
}

impl Meter {
    /// The records of packets, in the order in which they are told.
    pub fn records(packets: impl IntoIterator<Item = Packet>) -> Vec<Flow> {
        let mut meter = Self::default();
        packets.into_iter().for_each(|packet| meter.take(&packet));
        meter.told.extend(meter.going.into_values());
        meter.told
    }

    fn take(&mut self, packet: &Packet) {
        let Self { going, told } = self;
        going.retain(|_, flow| {
            let [first, last] = flow.span;
            let stays = packet.time < first + ACTIVE && packet.time < last + IDLE;
            if !stays {
                told.push(*flow);
            }
            stays
        });
        let Packet { time, from, to, protocol, bytes, flags } = *packet;
        let flow = going.entry((from, to, protocol)).or_insert(Flow {
            from,
            to,
            protocol,
            span: [time; 2],
            packets: 0,
            bytes: 0,
            flags: 0,
        });
        flow.span[1] = time;
        flow.packets += 1;
        flow.bytes += bytes;
        flow.flags |= flags;
    }
}
