//! Which packets user space wants to see.

use egret_ebpf::{Count, HAND_UP_BUDGET};

use crate::ip::{TCP, UDP};
use crate::packet::Packet;

const FIN: u8 = 0x01;
const SYN: u8 = 0x02;
const RST: u8 = 0x04;
const ACK: u8 = 0x10;

const DNS: u16 = 53;
const MDNS: u16 = 5353;
const LLMNR: u16 = 5355;
const SYSLOG: u16 = 514;

/// A long header with the fixed bit (RFC 9000 section 17.2).
const QUIC_LONG: u8 = 0xc0;

/// Version 1 (RFC 9000) and 2 (RFC 9369), and what all drafts' begin with.
const QUIC_1: u32 = 1;
const QUIC_2: u32 = 0x6b33_43cf;
const QUIC_DRAFTS: u32 = 0xff00_0000;

/// What is known of the packet's direction of its flow.
pub(crate) struct Known<'a> {
    /// This is its first packet, as far as the table goes back.
    pub(crate) is_first: bool,
    /// User space has read enough of it.
    pub(crate) is_read: bool,
    pub(crate) count: &'a Count,
}

/// Whether a connection begins with this packet.
#[inline(always)]
pub(crate) const fn opens(packet: &Packet) -> bool {
    packet.protocol == TCP && packet.tcp_flags & (SYN | ACK) == SYN
}

/// Whether a packet is worth reading.
#[inline(always)]
pub(crate) fn is_wanted(packet: &Packet, known: &Known<'_>) -> bool {
    // How long a packet was that was cut, user space judges by all of its kind.
    if known.is_first || packet.is_cut {
        return true;
    }
    let may_be_read = !known.is_read && known.count.handed < HAND_UP_BUDGET && packet.payload > 0;
    match packet.protocol {
        TCP => {
            packet.tcp_flags & (SYN | FIN | RST) != 0
                || may_be_read
                || packet.payload > 0 && packet.ports.iter().any(|port| is_dns(*port))
        }
        UDP => {
            packet.ports.iter().any(|port| is_dns(*port) || *port == SYSLOG)
                || may_be_read && may_be_initial(packet)
        }
        _ => false,
    }
}

/// Whether an Initial packet of QUIC may be in a datagram. (Of other versions the first datagram goes
/// up, as of any flow.)
#[inline(always)]
const fn may_be_initial(packet: &Packet) -> bool {
    packet.first & QUIC_LONG == QUIC_LONG
        && (matches!(packet.version, QUIC_1 | QUIC_2) || packet.version & !0xff == QUIC_DRAFTS)
}

#[inline(always)]
const fn is_dns(port: u16) -> bool {
    matches!(port, DNS | MDNS | LLMNR)
}
