//! Tunnels as a mirror's exporter or an overlay makes them. (The decoder's tunnels say where each is
//! written down.)

use super::{Ways, cell, ether_type};
use crate::capture::classic::step::{
    accumulator_to_index, add_index, and, byte, half, keep, left, recall, right,
};
use crate::capture::classic::{Label, Program, Step};

const VXLAN: u32 = 4789;
const GENEVE: u32 = 6081;
/// Tunnels that are not gone into: VXLAN-GPE and GTP-U.
const OTHERS: [u32; 2] = [4790, 2152];

/// The UDP datagram at X.
pub(super) fn udp(program: &mut Program, ways: Ways) -> Label {
    let geneve = geneve(program, ways);
    let vxlan = vxlan(program, ways);
    let others = OTHERS.map(|port| Step::IfEqual(port, ways.addresses));
    program.put(&[Step::Go(ways.ports)]);
    // An answer to what came from such a port looks like a tunnel's packet.
    program.put(&[VXLAN, GENEVE].map(|port| Step::IfEqual(port, ways.addresses)));
    program.put(&others);
    program.put(&[half(0)]);
    program.put(&others);
    program.put(&[half(2), Step::IfEqual(VXLAN, vxlan), Step::IfEqual(GENEVE, geneve)])
}

/// VXLAN (RFC 7348) in the UDP datagram at X: a header of flags and network, and Ethernet.
fn vxlan(program: &mut Program, ways: Ways) -> Label {
    /// That the network is said, and what follows (VXLAN-GPE).
    const NETWORK: u32 = 0x08;
    const PROTOCOL: u32 = 0x04;
    program.put(&[Step::Advance(16), Step::Go(ways.ethernet)]);
    let flags = [Step::IfAny(PROTOCOL, ways.addresses), Step::IfNone(NETWORK, ways.addresses)];
    program.put(&flags);
    program.put(&[byte(8)])
}

/// GENEVE (RFC 8926) in the UDP datagram at X: version and words of options, EtherType, network.
fn geneve(program: &mut Program, ways: Ways) -> Label {
    const VERSION: u32 = 0xc0;
    let inside = carried(program, ways);
    program.put(&[recall(cell::KIND), Step::Go(inside)]);
    program.put(&[
        byte(8),
        and(0x3f),
        left(2),
        add_index(),
        accumulator_to_index(),
        Step::Advance(16),
    ]);
    program.put(&[byte(8), Step::IfAny(VERSION, ways.addresses), half(10), keep(cell::KIND)])
}

/// What is at X, by the EtherType in A that a tunnel gives for it.
fn carried(program: &mut Program, ways: Ways) -> Label {
    const TRANSPARENT_ETHERNET: u32 = 0x6558;
    program.put(&[
        Step::IfEqual(TRANSPARENT_ETHERNET, ways.ethernet),
        Step::IfEqual(ether_type::IPV4, ways.ip),
        Step::IfEqual(ether_type::IPV6, ways.ip),
        Step::Go(ways.addresses),
    ])
}

/// The packet of GRE (RFC 2784, RFC 2890) at X, NVGRE and ERSPAN in it: flags, EtherType, then words
/// of which each is there when its flag is.
pub(super) fn gre(program: &mut Program, ways: Ways) -> Label {
    const CHECKSUM: u32 = 0x8000;
    const KEY: u32 = 0x2000;
    const SEQUENCE: u32 = 0x1000;
    /// Routes, what was never assigned, and other versions.
    const UNKNOWN: u32 = 0x4c07;
    const ERSPAN: u32 = 0x88be;
    const ERSPAN_3: u32 = 0x22eb;
    let third = erspan_3(program, ways);
    let second = erspan_2(program, ways);
    // Type I of ERSPAN has no header of its own, and no sequence number by which it is told.
    let erspan =
        program.put(&[recall(cell::FLAGS), Step::IfAny(SEQUENCE, second), Step::Go(ways.ethernet)]);
    let carried = carried(program, ways);
    program.put(&[
        Step::IfEqual(ERSPAN, erspan),
        Step::IfEqual(ERSPAN_3, third),
        Step::Go(carried),
    ]);
    let mut next = program.put(&[recall(cell::KIND)]);
    for flag in [SEQUENCE, KEY, CHECKSUM] {
        next = program.put(&[recall(cell::FLAGS), Step::IfNone(flag, next), Step::Advance(4)]);
    }
    program.put(&[half(2), keep(cell::KIND), Step::Advance(4)]);
    program.put(&[half(0), Step::IfAny(UNKNOWN, ways.addresses), keep(cell::FLAGS)])
}

/// ERSPAN type II at X (draft-foschiano-erspan-03).
fn erspan_2(program: &mut Program, ways: Ways) -> Label {
    let inside = program.put(&[Step::Advance(8), Step::Go(ways.ethernet)]);
    program.put(&[byte(0), right(4), Step::IfEqual(1, inside), Step::Go(ways.addresses)])
}

/// ERSPAN type III at X: it says what kind of frame follows, and whether eight bytes of the exporter's
/// platform come before that.
fn erspan_3(program: &mut Program, ways: Ways) -> Label {
    /// Bits of the last two bytes.
    const KIND: u32 = 0x7c00;
    const ETHERNET: u32 = 0;
    const IP: u32 = 2 << 10;
    const PLATFORM: u32 = 0x0001;
    program.put(&[Step::Go(ways.addresses)]);
    program.put(&[Step::IfEqual(ETHERNET, ways.ethernet), Step::IfEqual(IP, ways.ip)]);
    let inside = program.put(&[recall(cell::FLAGS), and(KIND)]);
    program.put(&[recall(cell::FLAGS), Step::IfNone(PLATFORM, inside), Step::Advance(8)]);
    let third = program.put(&[half(10), keep(cell::FLAGS), Step::Advance(12)]);
    program.put(&[byte(0), right(4), Step::IfEqual(2, third), Step::Go(ways.addresses)])
}
