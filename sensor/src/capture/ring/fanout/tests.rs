use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::os::fd::AsFd;
use std::os::unix::net::UnixDatagram;

use egret_tests::wire::tunnel::{
    Above, erspan_1, erspan_2, erspan_3, geneve, gre, gtp_u, ip_in_ip, nvgre, outer, udp, vxlan,
    vxlan_gpe,
};
use egret_tests::wire::{Endpoint, Frame, Path, Payload, Segment};
use proptest::prelude::*;

use super::*;
use crate::capture::classic;

/// Ethernet's header, which bare IP has none of.
const HEADER: usize = 14;

/// The program for bare IP, run by the kernel: as the filter of a socket it says how many bytes of a
/// datagram pass.
struct Workers {
    sockets: [UnixDatagram; 2],
    buffer: Vec<u8>,
}

impl Workers {
    fn new(count: u32) -> Self {
        let [from, to] = UnixDatagram::pair().unwrap().into();
        to.set_nonblocking(true).unwrap();
        // Of no bytes at all nobody hears.
        let modulo = Step::Do(libc::BPF_ALU | libc::BPF_MOD, count);
        let program = ending(LinkType::RAW, &[modulo, add(1), give()]);
        classic::give(to.as_fd(), libc::SOL_SOCKET, libc::SO_ATTACH_FILTER, &program).unwrap();
        Self { sockets: [from, to], buffer: vec![0; 4096] }
    }

    /// Who takes a packet; `None`, when it ends too early.
    fn takes(&mut self, packet: &[u8]) -> Option<usize> {
        // Longer than there are workers, whatever is there of it.
        let end = packet.len();
        let [from, to] = &self.sockets;
        from.send(packet).unwrap();
        let passed = to.recv(&mut self.buffer).ok()?;
        assert!(passed < end, "{passed} bytes of {end}");
        Some(passed - 1)
    }
}

/// So many that nobody takes two packets by chance.
const MANY: u32 = 509;

/// Bytes that make a packet longer than there are workers.
const PAYLOAD: [u8; 600] = [0; 600];

fn between(from: (IpAddr, u16), to: (IpAddr, u16)) -> Path {
    let end = |(ip, port)| Endpoint { mac: [2; 6], ip, port };
    Path { from: end(from), to: end(to), vlans: [None; 2] }
}

fn datagram(path: &Path) -> Vec<u8> {
    Frame::new(1).udp(path, Payload::whole(&PAYLOAD)).bytes().to_vec()
}

fn segment(path: &Path) -> Vec<u8> {
    let segment = Segment { flags: 0, sequence: 1, acknowledgment: 1 };
    Frame::new(1).tcp(path, segment, Payload::whole(&PAYLOAD)).bytes().to_vec()
}

/// As what the other end's tunnel sends, which chooses its source port by what is inside.
fn turned(mut frame: Vec<u8>) -> Vec<u8> {
    let (source, length, above) = if frame[12] == 8 { (26, 4, 34) } else { (22, 16, 54) };
    let addresses = &mut frame[source..source + 2 * length];
    addresses.rotate_left(length);
    // A tunnel's over UDP.
    if frame[above..above + 2] == [0xc0, 0] {
        frame[above] = 0xd1;
    }
    frame
}

type Wrap = fn(&[u8]) -> Above;

/// Every tunnel that is gone into, from Ethernet on.
const TUNNELS: [(&str, Wrap); 15] = [
    ("VXLAN", vxlan),
    ("GENEVE", |frame| geneve(0x6558, 0, frame)),
    ("GENEVE, options", |frame| geneve(0x6558, 63, frame)),
    ("GENEVE, IP", |frame| geneve(kind(frame), 2, &frame[HEADER..])),
    ("GRE", |frame| gre(0, kind(frame), &frame[HEADER..])),
    ("GRE, checksum", |frame| gre(0x80, kind(frame), &frame[HEADER..])),
    ("GRE, all", |frame| gre(0xb0, 0x6558, frame)),
    ("NVGRE", nvgre),
    ("ERSPAN I", erspan_1),
    ("ERSPAN II", erspan_2),
    ("ERSPAN III", |frame| erspan_3(0, false, frame)),
    ("ERSPAN III, platform", |frame| erspan_3(0, true, frame)),
    ("ERSPAN III, IP", |frame| erspan_3(2, false, &frame[HEADER..])),
    ("IP in IP", |frame| ip_in_ip(&frame[HEADER..])),
    ("tags in VXLAN", |frame| {
        let tags = [0x88, 0xa8, 0, 5, 0x81, 0, 0, 6];
        vxlan(&[&frame[..12], &tags, &frame[12..]].concat())
    }),
];

fn kind(frame: &[u8]) -> u16 {
    u16::from_be_bytes([frame[12], frame[13]])
}

fn addresses() -> impl Strategy<Value = [IpAddr; 2]> {
    prop_oneof![
        any::<[Ipv4Addr; 2]>().prop_map(|both| both.map(IpAddr::V4)),
        any::<[Ipv6Addr; 2]>().prop_map(|both| both.map(IpAddr::V6)),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(16))]

    /// Fails when the two directions of a conversation part, or when it matters what it came in.
    #[test]
    fn what_is_inside_decides_alone([a, b] in addresses(), ports: [u16; 2], is_tcp: bool, v6: bool) {
        let mut workers = Workers::new(MANY);
        let there = between((a, ports[0]), (b, ports[1]));
        let [there, back] = [there, there.back()].map(|path| if is_tcp { segment(&path) } else { datagram(&path) });
        let worker = workers.takes(&there[HEADER..]);
        prop_assert!(worker.is_some());
        prop_assert_eq!(workers.takes(&back[HEADER..]), worker);
        for (name, wrap) in TUNNELS {
            let [there, back] = [outer(v6, &wrap(&there)), turned(outer(v6, &wrap(&back)))];
            prop_assert_eq!(workers.takes(&there[HEADER..]), worker, "{}", name);
            prop_assert_eq!(workers.takes(&back[HEADER..]), worker, "{} back", name);
            for (mirror, wrap) in TUNNELS {
                let [there, back] = [&there, &back].map(|frame| outer(!v6, &wrap(frame)));
                prop_assert_eq!(workers.takes(&there[HEADER..]), worker, "{} in {}", name, mirror);
                prop_assert_eq!(workers.takes(&back[HEADER..]), worker, "{} in {} back", name, mirror);
            }
        }
    }
}

fn v4(number: u32) -> IpAddr {
    Ipv4Addr::from(0x0a00_0000 + number).into()
}

fn v6(number: u32) -> IpAddr {
    Ipv6Addr::from(0xfd00_0000_0000_0000_0000_0000_0000_0000 + u128::from(number)).into()
}

/// Fails when one worker has much more to do than the others, in an estate as they are: addresses and
/// ports follow each other.
#[test]
fn conversations_are_shared_out_evenly() {
    const CONVERSATIONS: u32 = 10_000;
    type Ends = fn(u32) -> [(IpAddr, u16); 2];
    let estates: [(&str, Ends); 6] = [
        ("a client's ports", |n| [(v4(1), 40_000 + n as u16), (v4(2), 443)]),
        ("clients", |n| [(v4(n), 50_000), (v4(0x10_0000), 443)]),
        ("clients' ports", |n| [(v4(n % 100), 50_000 + (n / 100) as u16), (v4(0x10_0000), 443)]),
        ("all with all", |n| [(v4(n % 100), 4000), (v4(200 + n / 100), 4000)]),
        ("clients over IPv6", |n| [(v6(n), 50_000), (v6(0x10_0000), 443)]),
        ("a client's ports over IPv6", |n| [(v6(1), 40_000 + n as u16), (v6(2), 443)]),
    ];
    for count in [3, 4] {
        let mut workers = Workers::new(count);
        for (name, ends) in estates {
            let mut shares = vec![0; count as usize];
            for number in 0..CONVERSATIONS {
                let [from, to] = ends(number);
                let worker = workers.takes(&datagram(&between(from, to))[HEADER..]);
                shares[worker.unwrap()] += 1;
            }
            let most = shares.iter().max().unwrap();
            assert!(most * 10 * count < 13 * CONVERSATIONS, "{name} of {count}: {shares:?}");
        }
    }
}

/// Fails when a fragment comes to another worker than the first, which alone has ports.
#[test]
fn fragments_meet_by_their_addresses() {
    let mut workers = Workers::new(MANY);
    let path = between((v4(1), 4000), (v4(2), 5000));
    let over_v4 = [(0, true), (8, true), (64, false)].map(|(offset, more)| {
        let mut packet = datagram(&path)[HEADER..].to_vec();
        packet[6..8].copy_from_slice(&(u16::from(more) << 13 | offset).to_be_bytes());
        packet[20..24].copy_from_slice(&[offset as u8; 4]);
        workers.takes(&packet)
    });
    let path = between((v6(1), 4000), (v6(2), 5000));
    let over_v6 = [1_u8, 8, 64].map(|last| {
        let mut packet = datagram(&path)[HEADER..].to_vec();
        packet[6] = 44;
        packet.splice(40..40, [17, 0, 0, last, 0, 0, 0, 1]);
        workers.takes(&packet)
    });
    for taken in [over_v4, over_v6] {
        assert!(taken[0].is_some());
        assert!(taken.iter().all(|worker| *worker == taken[0]), "{taken:?}");
    }
}

/// Fails when options before the ports send a direction that has some to another worker.
#[test]
fn headers_of_options_change_nothing() {
    let mut workers = Workers::new(MANY);
    let plain = segment(&between((v4(1), 4000), (v4(2), 5000)))[HEADER..].to_vec();
    let mut options = plain.clone();
    options[0] = 0x4a;
    options.splice(20..20, [1; 20]);
    assert_eq!(workers.takes(&options), workers.takes(&plain));
    let plain = segment(&between((v6(1), 4000), (v6(2), 5000)))[HEADER..].to_vec();
    let mut options = plain.clone();
    options[6] = 0;
    let two = [&[60, 1][..], &[0; 14], &[6, 0], &[0; 6]].concat();
    options.splice(40..40, two);
    assert_eq!(workers.takes(&options), workers.takes(&plain));
}

/// Fails when the answer to what a port of tunnels asked, or tunnels that are not gone into, are sorted
/// by what looks like a header, or by ports that depend on the direction.
#[test]
fn what_is_at_a_tunnels_port_and_none_meets_by_its_addresses() {
    let mut workers = Workers::new(MANY);
    for port in [4789, 6081, 4790, 2152] {
        let question = between((v4(1), port), (v4(2), 53));
        let worker = workers.takes(&datagram(&question)[HEADER..]);
        assert!(worker.is_some());
        assert_eq!(workers.takes(&datagram(&question.back())[HEADER..]), worker, "{port}");
    }
    let inner = segment(&between((v4(1), 4000), (v4(2), 5000)));
    let arp = [&[2; 12][..], &[8, 6], &PAYLOAD].concat();
    let tunnels = [
        ("GTP-U", gtp_u(0, 0, &inner[HEADER..])),
        ("VXLAN-GPE", vxlan_gpe(1, &inner[HEADER..])),
        ("VXLAN-GPE at VXLAN's port", udp(4789, &[0x0c, 0, 0, 1, 0, 0, 0, 0], &inner[HEADER..])),
        ("no VXLAN", udp(4789, &[0; 8], &inner)),
        ("a later GENEVE", udp(6081, &[0x40, 0, 0x65, 0x58, 0, 0, 0, 0], &inner)),
        ("ARP in VXLAN", vxlan(&arp)),
        ("ARP in GENEVE", geneve(0x6558, 1, &arp)),
        ("MPLS in GRE", gre(0, 0x8847, &PAYLOAD)),
        ("PPTP", gre(0x01, 0x880b, &PAYLOAD)),
    ];
    let addresses = workers.takes(&outer(false, &tunnels[0].1)[HEADER..]);
    assert!(addresses.is_some());
    for (name, above) in tunnels {
        let there = outer(false, &above);
        assert_eq!(workers.takes(&there[HEADER..]), addresses, "{name}");
        assert_eq!(workers.takes(&turned(there)[HEADER..]), addresses, "{name} back");
    }
}

/// Fails when what is no packet, or ends in the middle of one, goes to others than the first worker.
#[test]
fn what_cannot_be_read_is_the_first_ones() {
    let mut workers = Workers::new(MANY);
    assert_eq!(workers.takes(&[0xff; 600]), Some(0));
    let frame = outer(false, &vxlan(&segment(&between((v4(1), 4000), (v4(2), 5000)))));
    // The inner ports end here.
    let headers = 20 + 8 + 8 + HEADER + 20 + 4;
    for end in 1..headers {
        assert_eq!(workers.takes(&frame[HEADER..HEADER + end]), None, "{end} bytes");
    }
}
