//! Frames in tunnels, as exporters send them: headers byte by byte, so that no reader writes them.

/// An IP protocol, and what is above IP.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Above {
    /// IP protocol number.
    pub protocol: u8,
    /// Everything behind the IP header.
    pub bytes: Vec<u8>,
}

/// The ends of a tunnel over IPv4 and over IPv6, exporter first.
pub const ENDS: [[&str; 2]; 2] = [["172.16.0.1", "172.16.0.2"], ["fc00::1", "fc00::2"]];

/// Destination and source of every frame.
const MACS: [u8; 12] = [2, 0, 0, 0, 0, 2, 2, 0, 0, 0, 0, 1];

/// What the headers below say of their tunnel: VXLAN's and GENEVE's network, NVGRE's virtual subnet.
pub const NETWORK: u32 = 0x0012_3456;
/// ERSPAN's session.
pub const SESSION: u32 = 0x155;
/// GRE's key, where there is one.
pub const KEY: u32 = 0x0102;
/// GTP-U's tunnel endpoint.
pub const ENDPOINT: u32 = 0x0010_0657;

/// The frame between the ends of the tunnel, over IPv6 or IPv4.
pub fn outer(v6: bool, above: &Above) -> Vec<u8> {
    if !v6 {
        return between([172, 16, 0, 1], [172, 16, 0, 2], above);
    }
    let mut frame = MACS.to_vec();
    frame.extend([0x86, 0xdd, 0x60, 0, 0, 0]);
    frame.extend((above.bytes.len() as u16).to_be_bytes());
    frame.extend([above.protocol, 64]);
    for last in [1, 2] {
        frame.extend([&[0xfc][..], &[0; 14], &[last]].concat());
    }
    frame.extend(&above.bytes);
    frame
}

/// The frame between two ends of one's own, over IPv4.
pub fn between(from: [u8; 4], to: [u8; 4], above: &Above) -> Vec<u8> {
    let mut frame = MACS.to_vec();
    frame.extend([8, 0, 0x45, 0]);
    frame.extend((20 + above.bytes.len() as u16).to_be_bytes());
    frame.extend([0, 1, 0x40, 0, 64, above.protocol, 0, 0]);
    frame.extend([from, to].concat());
    let sum = super::checksum(0, &frame[14..]).to_be_bytes();
    frame[24..26].copy_from_slice(&sum);
    frame.extend(&above.bytes);
    frame
}

/// A datagram to `port`, without a checksum.
pub fn udp(port: u16, header: &[u8], inner: &[u8]) -> Above {
    let mut bytes = vec![0xc0, 0];
    bytes.extend(port.to_be_bytes());
    bytes.extend(((8 + header.len() + inner.len()) as u16).to_be_bytes());
    bytes.extend([0, 0]);
    bytes.extend(header);
    bytes.extend(inner);
    Above { protocol: 17, bytes }
}

/// VXLAN (RFC 7348).
pub fn vxlan(inner: &[u8]) -> Above {
    vxlan_of(NETWORK, inner)
}

/// VXLAN of a network of one's own.
pub fn vxlan_of(network: u32, inner: &[u8]) -> Above {
    let [n0, n1, n2, _] = (network << 8).to_be_bytes();
    udp(4789, &[8, 0, 0, 0, n0, n1, n2, 0], inner)
}

/// VXLAN-GPE, by the number of what follows: 1 IPv4, 2 IPv6, 3 Ethernet, 4 NSH.
pub fn vxlan_gpe(carries: u8, inner: &[u8]) -> Above {
    udp(4790, &[0x0c, 0, 0, carries, 0x12, 0x34, 0x56, 0], inner)
}

/// A network service header (RFC 8300) with metadata of fixed length, by the same numbers.
pub fn nsh(carries: u8, inner: &[u8]) -> Vec<u8> {
    [&[0x0f, 0xc6, 1, carries, 0, 0, 7, 255][..], &[0x77; 16], inner].concat()
}

/// GENEVE (RFC 8926) with so many words of options, by the EtherType of what follows.
pub fn geneve(carries: u16, words: u8, inner: &[u8]) -> Above {
    let [c0, c1] = carries.to_be_bytes();
    let options = vec![0x4f; usize::from(words) * 4];
    udp(6081, &[&[words, 0x40, c0, c1, 0x12, 0x34, 0x56, 0][..], &options].concat(), inner)
}

/// GRE (RFC 2784, RFC 2890) with the options that the upper bits of `flags` name.
pub fn gre(flags: u8, carries: u16, inner: &[u8]) -> Above {
    gre_with(flags, KEY, carries, inner)
}

/// NVGRE (RFC 7637), the flow's id 0x99.
pub fn nvgre(inner: &[u8]) -> Above {
    gre_with(0x20, NETWORK << 8 | 0x99, 0x6558, inner)
}

/// GRE with a key of one's own.
pub fn gre_with(flags: u8, key: u32, carries: u16, inner: &[u8]) -> Above {
    let mut bytes = vec![flags, 0];
    bytes.extend(carries.to_be_bytes());
    for (flag, option) in [(0x80, 0xbebe_bebe), (0x20, key), (0x10, 9)] {
        if flags & flag != 0 {
            bytes.extend(u32::to_be_bytes(option));
        }
    }
    bytes.extend(inner);
    Above { protocol: 47, bytes }
}

/// ERSPAN type I: nothing but GRE.
pub fn erspan_1(inner: &[u8]) -> Above {
    gre(0, 0x88be, inner)
}

/// ERSPAN type II: VLAN 7, port 3.
pub fn erspan_2(inner: &[u8]) -> Above {
    erspan_of(SESSION, inner)
}

/// The same of a session of one's own; ids have ten bits.
pub fn erspan_of(session: u32, inner: &[u8]) -> Above {
    let [.., high, low] = (0x3000 | session).to_be_bytes();
    gre(0x10, 0x88be, &[&[0x10, 7, high, low, 0, 0, 0, 3], inner].concat())
}

/// ERSPAN type III with a frame of this type (0 Ethernet, 2 IP), and a subheader of the exporter's
/// platform or none.
pub fn erspan_3(frame_type: u8, platform: bool, inner: &[u8]) -> Above {
    let flags = [0x80 | frame_type << 2, 0x10 | u8::from(platform)];
    let header = [&[0x20, 7, 0x31, 0x55, 1, 2, 3, 4, 0, 0], &flags[..]].concat();
    let subheader: &[u8] = if platform { &[0x1c, 1, 2, 3, 4, 5, 6, 7] } else { &[] };
    gre(0x10, 0x22eb, &[&header, subheader, inner].concat())
}

/// IP in IP: the version of what is inside says which protocol it is.
pub fn ip_in_ip(inner: &[u8]) -> Above {
    let protocol = if inner[0] >> 4 == 6 { 41 } else { 4 };
    Above { protocol, bytes: inner.to_vec() }
}

/// GTP-U version 1 (3GPP TS 29.281) with these flags beside the version, and so many extension headers
/// where they say that there are some.
pub fn gtp_u(flags: u8, extensions: u8, inner: &[u8]) -> Above {
    let mut options = Vec::new();
    if flags & 7 != 0 {
        options.extend([0, 5, 0, if extensions > 0 { 0x85 } else { 0 }]);
    }
    for left in (0..extensions).rev() {
        options.extend([1, 0x12, 0x34, if left > 0 { 0x85 } else { 0 }]);
    }
    let [l0, l1] = ((options.len() + inner.len()) as u16).to_be_bytes();
    let header = [0x30 | flags, 255, l0, l1, 0, 0x10, 0x06, 0x57];
    udp(2152, &[&header[..], &options].concat(), inner)
}
