//! Whose counts they are.

use std::net::{IpAddr, Ipv6Addr};

use egret_ebpf::{Count, Key6};

use super::mapping::Plain;

/// Counts of one direction of a flow that nobody was told of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Told<K> {
    /// Whose.
    pub(super) key: K,
    /// `packets` and `bytes` on top of what was told before; the rest as the kernel has it.
    pub(super) count: Count,
}

/// One direction of a flow.
pub(super) trait Key: Plain {
    /// Source and destination.
    fn addresses(&self) -> [IpAddr; 2];
    /// Source and destination port.
    fn ports(&self) -> [u16; 2];
    /// IP protocol number.
    fn protocol(&self) -> u8;
}

impl<A: Copy + Into<IpAddr>> Key for egret_ebpf::Key<A>
where
    Self: Plain,
{
    fn addresses(&self) -> [IpAddr; 2] {
        [self.source.into(), self.destination.into()]
    }

    fn ports(&self) -> [u16; 2] {
        [self.source_port, self.destination_port].map(u16::from_be_bytes)
    }

    fn protocol(&self) -> u8 {
        self.protocol
    }
}

/// A key of the overflow map, where IPv4 addresses are written as IPv6 ones.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Either(pub(super) Key6);

#[expect(unsafe_code, reason = "integers all the way down")]
// SAFETY: as the key that it is.
unsafe impl Plain for Either {}

impl Key for Either {
    fn addresses(&self) -> [IpAddr; 2] {
        let ends = [self.0.source, self.0.destination];
        match ends.map(|end| Ipv6Addr::from(end).to_ipv4_mapped()) {
            [Some(source), Some(destination)] => [source.into(), destination.into()],
            _ => ends.map(IpAddr::from),
        }
    }

    fn ports(&self) -> [u16; 2] {
        self.0.ports()
    }

    fn protocol(&self) -> u8 {
        self.0.protocol
    }
}

#[cfg(test)]
mod tests {
    use egret_ebpf::Key4;

    use super::*;

    #[test]
    fn ports_are_in_network_order() {
        let key = Key4 { source_port: [1, 187], destination_port: [0, 53], ..Key4::default() };
        assert_eq!(key.ports(), [443, 53]);
    }

    #[test]
    fn overflow_keys_are_of_either_version() {
        let mapped = "::ffff:10.0.0.1".parse::<Ipv6Addr>().unwrap().octets();
        let plain = "2001:db8::1".parse::<Ipv6Addr>().unwrap().octets();
        let of = |source, destination| Either(Key6 { source, destination, ..Key6::default() });
        let four: IpAddr = "10.0.0.1".parse().unwrap();
        assert_eq!(of(mapped, mapped).addresses(), [four, four]);
        assert_eq!(of(mapped, plain).addresses(), [mapped, plain].map(IpAddr::from));
    }
}
