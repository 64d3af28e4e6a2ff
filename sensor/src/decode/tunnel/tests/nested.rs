//! Tunnels in tunnels, as far as they are followed.

use super::*;

/// A mirror of VTEPs shows VXLAN in ERSPAN.
#[test]
fn the_outermost_is_told_and_how_deep_it_goes() {
    let frame = guest(true);
    let in_vxlan = wrap::outer(true, &vxlan(&frame));
    let in_both = wrap::outer(false, &erspan_2(&in_vxlan));
    let read = packet(&ethernet(&in_both)).unwrap();
    assert_eq!((read.ports, read.wire_len as usize), ([40_000, 443], frame.len()));
    assert_eq!(read.macs, Some(GUESTS));
    let [source, destination] = ends(false);
    let (kind, id) = (TunnelKind::Erspan, Some(SESSION));
    let outermost = Tunnel { kind, id, depth: 2, source, destination };
    assert_eq!(read.tunnel.and_then(Outer::read), Some(outermost));
}

/// Where something inside cannot be read, the packet around that counts, and the depth goes to it.
#[test]
fn what_cannot_be_read_deep_inside_leaves_what_is_around_it() {
    let in_vxlan = wrap::outer(true, &vxlan(&[0; 60]));
    let in_both = wrap::outer(false, &gre(0, 0x6558, &in_vxlan));
    let read = packet(&ethernet(&in_both)).unwrap();
    assert_eq!((read.ports, read.wire_len as usize), ([0xc000, VXLAN_PORT], in_vxlan.len()));
    assert_eq!([read.source, read.destination], ends(true));
    assert_eq!(read.tunnel.and_then(Outer::read).map(|tunnel| tunnel.depth), Some(1));
}

/// The ninth tunnel is a conversation like any other.
#[test]
fn eight_are_gone_through() {
    let innermost = guest(false);
    let mut frame = innermost.clone();
    for depth in 1..=20_u8 {
        let around = frame.clone();
        frame = wrap::outer(depth % 2 == 0, &vxlan(&frame));
        let read = packet(&ethernet(&frame)).unwrap();
        let told = read.tunnel.and_then(Outer::read).map(|tunnel| tunnel.depth);
        assert_eq!(told, Some(depth.min(MAX_NESTED)));
        if depth <= MAX_NESTED {
            assert_eq!((read.ports[1], read.wire_len as usize), (443, innermost.len()));
        } else {
            assert_eq!(read.ports[1], VXLAN_PORT);
            assert!((read.wire_len as usize) < around.len(), "what is eight tunnels in");
        }
    }
}

/// A bomb of long headers ends where the work for one packet does, whatever comes then.
#[test]
fn headers_are_gone_through_so_far() {
    let mut frame = guest(false);
    for _ in 0..MAX_NESTED {
        frame = wrap::outer(true, &geneve(0x6558, 63, &frame));
    }
    let read = packet(&ethernet(&frame)).unwrap();
    let told = read.tunnel.and_then(Outer::read).unwrap();
    let each = 14 + 40 + 8 + 8 + 252;
    assert_eq!(usize::from(told.depth), MAX_HEADERS / each);
    assert_eq!(frame.len() - read.wire_len as usize, usize::from(told.depth) * each);
    assert_eq!(read.ports[1], GENEVE_PORT);
}
