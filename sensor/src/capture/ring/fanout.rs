//! Which ring takes a frame: a program of classic BPF for the kernel (`PACKET_FANOUT_CBPF`), which
//! runs wherever AF_PACKET does and asks for no right of its own.
//!
//! It goes to the innermost packet that a few steps lead to, and gives a hash of both its ends that is
//! the same for both directions and for all interfaces; the kernel takes the ring from that. The
//! kernel's own hash takes a tunnel over UDP for its ends and ports, and one of the ports depends on
//! what is inside: the two directions of a conversation there would part.
//!
//! All that matters is that these come to the same, so where anything is unusual the addresses
//! that were found last decide alone: for fragments, of which only the first has ports, for tunnels
//! that are not gone into, and for whatever else comes from a tunnel's port. What has no IP address is
//! the first ring's, and so is what ends before its headers do: the kernel stops the program there.
//!
//! The program is written from its end: what is put last runs first.

use egret_ebpf::KERNEL_VLAN_TAGS;
use libc::sock_filter;

use crate::capture::LinkType;
use crate::capture::classic::step::{
    accumulator_to_index, add, add_index, and, byte, constant, give, half, index, keep, keep_index,
    known, left, multiply, recall, recall_index, right, word, xor_index,
};
use crate::capture::classic::{Label, Program, Step};

mod tunnel;

/// IP packets that are gone through, one in another: a mirror's tunnel may bring an overlay's.
const LAYERS: usize = 3;

/// Extension headers that are gone through in each over IPv6.
const EXTENSIONS: usize = 4;

/// EtherTypes (IANA "IEEE 802 Numbers").
mod ether_type {
    pub(super) const IPV4: u32 = 0x0800;
    pub(super) const IPV6: u32 = 0x86dd;
    pub(super) const VLANS: [u32; 3] = [0x8100, 0x88a8, 0x9100];
}

/// What the cells of the program's memory hold.
mod cell {
    /// What the two addresses come to.
    pub(super) const SOURCE: u32 = 0;
    pub(super) const DESTINATION: u32 = 1;
    /// Numbers that wait while A is needed.
    pub(super) const KIND: u32 = 2;
    pub(super) const FLAGS: u32 = 3;
    /// X, while that is needed.
    pub(super) const AT: u32 = 4;
}

/// For each word of an address an odd number without a pattern: digits of pi.
const FACTORS: [u32; 4] = [0x243f_6a89, 0x8a2e_0371, 0xa409_3823, 0x299f_31d1];

/// Places to go on at, whatever was found.
#[derive(Clone, Copy)]
struct Ways {
    /// The addresses decide.
    addresses: Label,
    /// They do, with the ports that X points to.
    ports: Label,
    /// The IP packet at X does.
    ip: Label,
    /// The Ethernet frame at X does.
    ethernet: Label,
}

/// The program for an interface with frames of this type, Ethernet or bare IP.
///
/// Where the packet begins for it depends on the direction: what arrives comes without its Ethernet
/// header and at most one VLAN tag, with what they say beside it, and what is sent comes whole.
pub(super) fn program(link: LinkType) -> Vec<sock_filter> {
    ending(link, &[give()])
}

/// The same with these steps at its end, when the hash is in A.
fn ending(link: LinkType, end: &[Step]) -> Vec<sock_filter> {
    let mut program = Program::default();
    let end = program.put(end);
    let nothing = program.put(&[constant(0)]);
    let (addresses, ports) = ends(&mut program, end);
    let mut ways = Ways { addresses, ports, ip: addresses, ethernet: addresses };
    let mut kind = nothing;
    for layer in (0..LAYERS).rev() {
        let otherwise = if layer == 0 { nothing } else { addresses };
        let ip = ip(&mut program, ways, otherwise);
        kind = by_ether_type(&mut program, ip, otherwise);
        let ethernet =
            program.put(&[half(12), keep(cell::KIND), Step::Advance(14), recall(cell::KIND)]);
        ways = Ways { ip, ethernet, ..ways };
    }
    if link == LinkType::ETHERNET {
        program.put(&[known(libc::SKF_AD_PROTOCOL), Step::Go(kind)]);
        let sent = u32::from(libc::PACKET_OUTGOING);
        program.put(&[known(libc::SKF_AD_PKTTYPE), Step::IfEqual(sent, ways.ethernet)]);
    } else {
        program.put(&[Step::Go(ways.ip)]);
    }
    program.put(&[index(0)]);
    program.finish()
}

/// The hash of two ends: one for their addresses, and one for these with the ports at X.
fn ends(program: &mut Program, end: Label) -> (Label, Label) {
    /// A: bits that depend on all bits of A.
    const MIX: [Step; 4] = [accumulator_to_index(), right(15), xor_index(), multiply(0x85eb_ca6b)];
    program.put(&[accumulator_to_index(), right(16), xor_index(), Step::Go(end)]);
    // A sum is the same for both directions.
    program.put(&[recall_index(cell::SOURCE), add_index()]);
    program.put(&MIX);
    program.put(&[recall(cell::KIND), recall_index(cell::DESTINATION), add_index()]);
    program.put(&[keep(cell::SOURCE)]);
    program.put(&MIX);
    let both = program.put(&[recall_index(cell::SOURCE), add_index()]);
    let ports = program.put(&[half(2), keep(cell::KIND), half(0)]);
    let addresses = program.put(&[constant(0), keep(cell::KIND), Step::Go(both)]);
    (addresses, ports)
}

/// What is at X, behind an EtherType that is in A: IP behind VLAN tags, or else.
fn by_ether_type(program: &mut Program, ip: Label, otherwise: Label) -> Label {
    let is_ip = [Step::IfEqual(ether_type::IPV4, ip), Step::IfEqual(ether_type::IPV6, ip)];
    program.put(&[Step::Go(otherwise)]);
    let mut kind = program.put(&is_ip);
    for _ in 0..KERNEL_VLAN_TAGS {
        let tag = [half(2), keep(cell::KIND), Step::Advance(4), recall(cell::KIND), Step::Go(kind)];
        let tag = program.put(&tag);
        program.put(&[Step::Go(otherwise)]);
        program.put(&ether_type::VLANS.map(|kind| Step::IfEqual(kind, tag)));
        kind = program.put(&is_ip);
    }
    kind
}

/// The IP packet at X, or else. Its own first bits say which version it is of, as for the decoder.
fn ip(program: &mut Program, ways: Ways, otherwise: Label) -> Label {
    let protocol = by_protocol(program, ways);
    let ipv4 = ipv4(program, ways, protocol);
    let ipv6 = ipv6(program, protocol);
    program.put(&[
        byte(0),
        right(4),
        Step::IfEqual(4, ipv4),
        Step::IfEqual(6, ipv6),
        Step::Go(otherwise),
    ])
}

fn ipv4(program: &mut Program, ways: Ways, protocol: Label) -> Label {
    /// That more follow, and the offset.
    const FRAGMENT: u32 = 0x3fff;
    let [factor, ..] = FACTORS;
    // Behind the header, whose length is in words.
    program.put(&[recall(cell::KIND), Step::Go(protocol)]);
    program.put(&[byte(0), and(0x0f), left(2), add_index(), accumulator_to_index()]);
    program.put(&[half(6), Step::IfAny(FRAGMENT, ways.addresses), byte(9), keep(cell::KIND)]);
    program.put(&[word(16), multiply(factor), keep(cell::DESTINATION)]);
    program.put(&[word(12), multiply(factor), keep(cell::SOURCE)])
}

fn ipv6(program: &mut Program, protocol: Label) -> Label {
    /// RFC 8200 section 4, and what the registry adds to it (IANA "IPv6 Extension Header Types"); without
    /// those for fragments and for what is authenticated or hidden.
    const OPTIONS: [u32; 6] = [0, 43, 60, 135, 139, 140];
    let mut next = protocol;
    for _ in 0..EXTENSIONS {
        program.put(&[add_index(), accumulator_to_index(), recall(cell::KIND), Step::Go(next)]);
        let option = program.put(&[byte(0), keep(cell::KIND), byte(1), add(1), left(3)]);
        program.put(&[Step::Go(protocol)]);
        next = program.put(&OPTIONS.map(|kind| Step::IfEqual(kind, option)));
    }
    program.put(&[byte(6), keep(cell::KIND), Step::Advance(40), recall(cell::KIND)]);
    program.put(&address(24, cell::DESTINATION));
    program.put(&address(8, cell::SOURCE));
    program.put(&[keep_index(cell::AT)])
}

/// What the four words of an IPv6 address come to.
fn address(at: u32, cell: u32) -> Vec<Step> {
    let mut steps = vec![constant(0), keep(cell)];
    for (at, factor) in (at..).step_by(4).zip(FACTORS) {
        let sum = [recall_index(cell), add_index(), keep(cell), recall_index(cell::AT)];
        steps.extend([word(at), multiply(factor)]);
        steps.extend(sum);
    }
    steps
}

/// What is at X above IP, of the protocol in A.
fn by_protocol(program: &mut Program, ways: Ways) -> Label {
    let gre = tunnel::gre(program, ways);
    let udp = tunnel::udp(program, ways);
    let protocols = [
        (libc::IPPROTO_TCP, ways.ports),
        (libc::IPPROTO_UDP, udp),
        (libc::IPPROTO_SCTP, ways.ports),
        (libc::IPPROTO_GRE, gre),
        (libc::IPPROTO_IPIP, ways.ip),
        (libc::IPPROTO_IPV6, ways.ip),
    ];
    program.put(&[Step::Go(ways.addresses)]);
    program.put(&protocols.map(|(protocol, way)| Step::IfEqual(protocol.cast_unsigned(), way)))
}

#[cfg(test)]
mod tests;
