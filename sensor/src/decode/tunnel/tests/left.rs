//! What stays the packet outside.

use super::*;
use crate::decode::Refusal;

fn assert_stays_outside(cases: &[(&str, Vec<u8>)]) {
    for (name, bytes) in cases {
        let read = packet(&ethernet(bytes)).unwrap();
        assert_eq!([read.source, read.destination], ends(false), "{name}");
        assert_eq!((read.wire_len as usize, read.tunnel), (bytes.len(), None), "{name}");
    }
}

#[test]
fn datagrams_that_cannot_be_read_inside() {
    let frame = guest(false);
    let ip = &frame[14..];
    let arp = [&frame[..12], &[8, 6], &[0; 28]].concat();
    let to =
        |port, header: &[u8], inner: &[u8]| wrap::outer(false, &wrap::udp(port, header, inner));
    let flags = |flags, protocol| [flags, 0, 0, protocol, 0, 0, 7, 0];
    let mut short = nsh(3, &frame);
    short[1] = 1;
    let mut later = geneve(0x6558, 0, &frame);
    later.bytes[8] = 0x40;
    assert_stays_outside(&[
        ("VXLAN without an id", to(4789, &flags(0, 0), &frame)),
        ("VXLAN-GPE with an unknown protocol", to(4790, &flags(0x0c, 9), &frame)),
        ("VXLAN with ARP", to(4789, &flags(8, 0), &arp)),
        ("VXLAN with nothing", to(4789, &flags(8, 0), &[])),
        ("another port", to(4791, &flags(8, 0), &frame)),
        ("NSH shorter than its header", wrap::outer(false, &vxlan_gpe(4, &short))),
        ("NSH in NSH", wrap::outer(false, &vxlan_gpe(4, &nsh(4, &nsh(3, &frame))))),
        ("GENEVE with an unknown protocol", wrap::outer(false, &geneve(0x0806, 0, &arp))),
        ("GENEVE of another version", wrap::outer(false, &later)),
        ("GENEVE with options beyond its end", wrap::outer(false, &geneve(0x6558, 63, &[]))),
        ("GTP-U's echo", to(2152, &[0x32, 1, 0, 4, 0, 0, 0, 0, 0, 0, 0, 0], &[])),
        ("GTP'", to(2152, &[0x20, 255, 0, 0, 0, 0, 0, 1], ip)),
        ("GTP-U of another version", to(2152, &[0x50, 255, 0, 0, 0, 0, 0, 1], ip)),
        ("GTP-U with too many extensions", wrap::outer(false, &gtp_u(4, 5, ip))),
        (
            "GTP-U with an extension of no length",
            to(2152, &[0x34, 255, 0, 8, 0, 0, 0, 1, 0, 0, 0, 5, 0, 0, 0, 0], ip),
        ),
        ("GTP-U with PPP", wrap::outer(false, &gtp_u(0, 0, &[0xff, 3, 0, 0x21]))),
    ]);
    let mut broken = wrap::outer(false, &vxlan(&frame));
    broken[14 + 20 + 5] = 7;
    assert_eq!(packet(&ethernet(&broken)).unwrap_err(), Refusal::UdpLength);
}

#[test]
fn packets_of_other_protocols_that_cannot_be_read_inside() {
    let frame = guest(false);
    let arp = [&frame[..12], &[8, 6], &[0; 28]].concat();
    let over = |above: &Above| wrap::outer(false, above);
    let with = |flags: [u8; 2]| {
        let mut above = gre(0, 0x6558, &frame);
        above.bytes[..2].copy_from_slice(&flags);
        over(&above)
    };
    let mut first_fragment = over(&vxlan(&frame));
    first_fragment[14 + 6] = 0x20;
    let mut later_fragment = over(&gre(0, 0x6558, &frame));
    later_fragment[14 + 7] = 1;
    let nothing = Above { protocol: 4, bytes: Vec::new() };
    assert_stays_outside(&[
        ("GRE with a route", with([0x40, 0])),
        ("GRE with an unknown flag", with([0x04, 0])),
        ("GRE of PPTP", with([0, 1])),
        ("GRE with ARP", over(&gre(0, 0x0806, &arp[14..]))),
        ("GRE with nothing", over(&gre(0, 0, &[]))),
        ("WCCP with nothing", over(&gre(0, 0x883e, &[0, 1]))),
        ("ERSPAN of an unknown version", over(&gre(0x10, 0x88be, &[0; 80]))),
        ("ERSPAN III as II", over(&gre(0x10, 0x22eb, &erspan_2(&frame).bytes[8..]))),
        ("ERSPAN III with an unknown frame", over(&erspan_3(7, false, &frame))),
        ("IP in IP with nothing", over(&nothing)),
        ("IP in IP with something else", over(&Above { protocol: 41, bytes: vec![0x50; 60] })),
        ("a first fragment", first_fragment),
        ("a later fragment", later_fragment),
    ]);
}
