//! Who opened a conversation: seen in its first packet, else what the ports say.

use super::key::Direction;
use crate::capture::Counted;
use crate::decode::{Packet, protocol, tcp_flags};

/// The client's direction, and whether it was seen rather than guessed.
pub(super) fn client(packet: &Packet<'_>, direction: Direction) -> (Direction, bool) {
    match packet.tcp {
        Some(tcp) => by_flags(tcp.flags, packet.ports, direction),
        None if packet.protocol == protocol::UDP => by_ports(packet.ports, direction),
        None => (direction, false),
    }
}

/// The same where the first packets were not seen, only counted.
pub(super) fn client_of_counted(counted: &Counted, direction: Direction) -> (Direction, bool) {
    match counted.protocol {
        // A client's SYN and its first ACK look together like a server's answer.
        protocol::TCP if counted.packets > 1 && counted.tcp_flags & tcp_flags::ACK != 0 => {
            by_ports(counted.ports, direction)
        }
        protocol::TCP => by_flags(counted.tcp_flags, counted.ports, direction),
        protocol::UDP => by_ports(counted.ports, direction),
        _ => (direction, false),
    }
}

fn by_flags(flags: u8, ports: [u16; 2], direction: Direction) -> (Direction, bool) {
    if flags & tcp_flags::SYN == 0 {
        return by_ports(ports, direction);
    }
    let answer = flags & tcp_flags::ACK != 0;
    (if answer { direction.reverse() } else { direction }, true)
}

const fn by_ports([from, to]: [u16; 2], direction: Direction) -> (Direction, bool) {
    (if is_server(from, to) { direction.reverse() } else { direction }, false)
}

/// The first of the IANA dynamic ports that Linux hands out to clients; Windows begins higher.
const DYNAMIC_PORTS: u16 = 32_768;

/// Whether the side with port `port` rather serves than asks, when the other has `other`.
const fn is_server(port: u16, other: u16) -> bool {
    const SYSTEM_PORTS: u16 = 1024;
    if port == other {
        return false;
    }
    if (port < SYSTEM_PORTS) != (other < SYSTEM_PORTS) {
        return port < SYSTEM_PORTS;
    }
    port < DYNAMIC_PORTS && other >= DYNAMIC_PORTS
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ports_tell_the_server_when_the_opening_was_missed() {
        assert!(is_server(443, 51_234));
        assert!(!is_server(51_234, 443));
        assert!(is_server(8443, 40_000));
        assert!(!is_server(40_000, 8443));
        assert!(!is_server(53, 53));
        assert!(
            !is_server(40_000, 50_000) && !is_server(50_000, 40_000),
            "two dynamic ports tell nothing"
        );
    }
}
