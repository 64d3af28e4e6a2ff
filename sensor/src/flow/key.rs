//! What makes two packets belong to one conversation.

use std::hash::{Hash, Hasher};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use crate::decode::{Packet, protocol};

/// Which of the two sides of a [`Key`] sends: the side that sorts lower, or the other.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Direction {
    /// From the lower side to the higher.
    Up = 0,
    /// From the higher side to the lower.
    Down = 1,
}

impl Direction {
    /// The other way.
    #[must_use]
    pub const fn reverse(self) -> Self {
        match self {
            Self::Up => Self::Down,
            Self::Down => Self::Up,
        }
    }
}

/// Both addresses, both ports and the protocol, the same for both directions: 40 bytes that
/// compare as five words. IPv4 addresses are held as IPv4-mapped IPv6 ones.
///
/// VLAN ids are no part of it: mirrors strip them, and the two directions of one conversation may
/// carry different ones.
#[derive(Debug, Clone, Copy, PartialEq, Eq, bytemuck::Pod, bytemuck::Zeroable)]
#[repr(transparent)]
pub struct Key([u64; 5]);

/// Word by word: a hash over bytes, which a derived one is, costs twice as much.
impl Hash for Key {
    #[inline]
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.0.iter().for_each(|&word| state.write_u64(word));
    }
}

impl Key {
    /// The key of a packet, and the direction it goes.
    #[inline]
    pub fn of(packet: &Packet<'_>) -> (Self, Direction) {
        // ICMP has a type and a code where others have ports: they tell no two sides apart.
        let ports = match packet.protocol {
            protocol::ICMP | protocol::ICMPV6 => [0, 0],
            _ => packet.ports,
        };
        Self::between(packet.source, packet.destination, ports, packet.protocol)
    }

    /// The key of what `source` sends to `destination`, and the direction that is.
    #[inline]
    pub fn between(
        source: IpAddr,
        destination: IpAddr,
        ports: [u16; 2],
        protocol: u8,
    ) -> (Self, Direction) {
        let [from_port, to_port] = ports;
        let from = (bits(source), from_port);
        let to = (bits(destination), to_port);
        let (low, high, direction) =
            if from <= to { (from, to, Direction::Up) } else { (to, from, Direction::Down) };
        let tail = u64::from(low.1) << 32 | u64::from(high.1) << 16 | u64::from(protocol);
        (
            Self([(low.0 >> 64) as u64, low.0 as u64, (high.0 >> 64) as u64, high.0 as u64, tail]),
            direction,
        )
    }

    /// Address and port of the side that sends in `direction`.
    pub fn sender(&self, direction: Direction) -> (IpAddr, u16) {
        let [a, b, c, d, tail] = self.0;
        let (high, low, port) = match direction {
            Direction::Up => (a, b, tail >> 32),
            Direction::Down => (c, d, tail >> 16),
        };
        (address(high, low), port as u16)
    }

    /// IP protocol number.
    pub const fn protocol(&self) -> u8 {
        let Self([.., tail]) = self;
        *tail as u8
    }

    /// A number for the conversation that was first seen at `nanos`, the same for every reading:
    /// 51 bits as EVE's `flow_id` has, so that JSON readers keep it exact. Nothing to do with the
    /// seeded hash of the table.
    pub fn flow_id(&self, nanos: u64) -> u64 {
        let mixed = self.0.iter().fold(nanos, |state, word| {
            // splitmix64's finalizer (Steele, Lea, Flood 2014).
            let mut x = (state ^ word).wrapping_add(0x9e37_79b9_7f4a_7c15);
            x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
            x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
            x ^ (x >> 31)
        });
        mixed >> 13
    }
}

/// The address of an IPv6 one's two halves, which may hold an IPv4 one.
#[inline]
const fn address(high: u64, low: u64) -> IpAddr {
    if high == 0 && low >> 32 == 0xffff {
        IpAddr::V4(Ipv4Addr::from_bits(low as u32))
    } else {
        IpAddr::V6(Ipv6Addr::from_bits((high as u128) << 64 | low as u128))
    }
}

#[inline]
fn bits(address: IpAddr) -> u128 {
    match address {
        IpAddr::V4(address) => 0xffff_0000_0000 | u128::from(address.to_bits()),
        IpAddr::V6(address) => address.to_bits(),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn both_directions_have_one_key(a: u128, b: u128, ports: [u16; 2], protocol: u8, v4: bool) {
            let address = |bits: u128| -> IpAddr {
                if v4 { IpAddr::V4((bits as u32).into()) } else { IpAddr::V6(bits.into()).to_canonical() }
            };
            let (a, b) = (address(a), address(b));
            let (there, up) = Key::between(a, b, ports, protocol);
            let (back, down) = Key::between(b, a, [ports[1], ports[0]], protocol);
            prop_assert_eq!(there, back);
            prop_assert_eq!(there.sender(up), (a, ports[0]));
            prop_assert_eq!(there.sender(up.reverse()), (b, ports[1]));
            prop_assert_eq!(there.protocol(), protocol);
            if (a, ports[0]) != (b, ports[1]) {
                prop_assert_eq!(up, down.reverse());
            }
            prop_assert!(there.flow_id(1) < 1 << 51);
            prop_assert_ne!(there.flow_id(1), there.flow_id(2));
        }
    }
}
