//! IPv4 and IPv6 with extension headers and fragments, down to TCP, UDP and ICMP.
//!
//! What nearly every packet takes is inlined wherever packets are read: it is asked for at some places,
//! one of which reads all packets, and to pass a packet on from function to function is to copy it.

use std::net::IpAddr;

use etherparse::{
    IpAuthHeaderSlice, IpNumber, Ipv4HeaderSlice, Ipv6FragmentHeaderSlice, Ipv6HeaderSlice,
    Ipv6RawExtHeaderSlice, TcpHeaderSlice, UdpHeaderSlice, err,
};

use super::link::Link;
use super::{Fragment, Packet, Refusal, Tcp, protocol, tunnel};
use crate::capture::Frame;

/// More extension headers than a sane sender chains (RFC 8200 names six, one of them twice).
const MAX_EXTENSIONS: usize = 8;

/// Reads the packet that `link` carries, or in a tunnel the one that is in it: `wrapped` is shown that.
#[inline(always)]
pub(super) fn read<'a>(
    frame: &Frame<'a>,
    link: Link<'a>,
    wrapped: impl FnOnce(&Packet<'a>),
) -> Result<Packet<'a>, Refusal> {
    let (ip, transport) = headers(frame, &link)?;
    // Asked before the packet is made: to hand on what is made is to copy it.
    if tunnel::is_entrance(ip.protocol, transport.ports, ip.fragment) {
        let bytes = link.payload;
        let packet = tunnel::innermost(frame, bytes, packet(frame, link, &ip, &transport));
        if packet.tunnel.is_some() {
            wrapped(&packet);
        }
        return Ok(packet);
    }
    Ok(packet(frame, link, &ip, &transport))
}

/// Reads the packet that `link` carries, whatever is in it.
pub(super) fn outermost<'a>(frame: &Frame<'a>, link: Link<'a>) -> Result<Packet<'a>, Refusal> {
    let (ip, transport) = headers(frame, &link)?;
    Ok(packet(frame, link, &ip, &transport))
}

/// Reads the headers of the packet that `link` carries.
#[inline(always)]
fn headers<'a>(frame: &Frame<'_>, link: &Link<'a>) -> Result<(Ip<'a>, Transport<'a>), Refusal> {
    /// Of a VLAN's tag, which is in the length also where it is not in the bytes.
    const TAG: usize = 4;
    let taken_out = if frame.vlan.is_some() { TAG } else { 0 };
    let header_len = frame.bytes.len() - link.payload.len() + taken_out;
    let wire_len = frame.wire_len.saturating_sub(header_len as u32);
    let ip = match link.payload.first().map(|byte| byte >> 4) {
        Some(4) => ipv4(link.payload, wire_len)?,
        Some(6) => ipv6(link.payload, wire_len)?,
        Some(_) => return Err(Refusal::IpVersion),
        None => return Err(Refusal::LinkTruncated),
    };
    let transport = transport(&ip)?;
    Ok((ip, transport))
}

/// The packet with these headers.
#[inline(always)]
fn packet<'a>(
    frame: &Frame<'a>,
    link: Link<'a>,
    ip: &Ip<'a>,
    transport: &Transport<'a>,
) -> Packet<'a> {
    Packet {
        time: frame.time,
        wire_len: frame.wire_len,
        macs: link.macs,
        vlans: link.vlans,
        source: ip.source,
        destination: ip.destination,
        protocol: ip.protocol,
        ports: transport.ports,
        tcp: transport.tcp,
        fragment: ip.fragment,
        payload: transport.payload,
        payload_wire_len: transport.payload_wire_len,
        ip: link.payload,
        cut: ip.cut,
        copy: false,
        place: 0,
        mark: frame.mark,
        tunnel: None,
    }
}

/// An IP packet: what its headers say and what they carry.
struct Ip<'a> {
    source: IpAddr,
    destination: IpAddr,
    protocol: u8,
    fragment: Option<Fragment>,
    /// What was captured of the payload, without link padding.
    payload: &'a [u8],
    /// Its length on the wire.
    payload_wire_len: u32,
    /// See [`Packet::cut`].
    cut: u32,
}

/// Captured bytes and wire length after a header of `used` bytes.
struct Rest<'a> {
    bytes: &'a [u8],
    wire_len: u32,
}

impl<'a> Rest<'a> {
    /// Cuts padding off: `bytes` and `wire_len` of the datagram whose header gives its length.
    /// Zero stands for a frame that segmentation offload filled in later: the link's length counts,
    /// and what a header claims beyond it was never on the wire.
    fn datagram(bytes: &'a [u8], link_wire_len: u32, stated: u32) -> Self {
        let wire_len = if stated == 0 { link_wire_len } else { stated.min(link_wire_len) };
        Self::cut(bytes, wire_len)
    }

    fn cut(bytes: &'a [u8], wire_len: u32) -> Self {
        Self { bytes: bytes.get(..wire_len as usize).unwrap_or(bytes), wire_len }
    }

    fn skip(&self, used: usize) -> Self {
        Self {
            bytes: self.bytes.get(used..).unwrap_or_default(),
            wire_len: self.wire_len.saturating_sub(used as u32),
        }
    }
}

#[inline(always)]
fn ipv4(bytes: &[u8], link_wire_len: u32) -> Result<Ip<'_>, Refusal> {
    let header = Ipv4HeaderSlice::from_slice(bytes).map_err(|error| match error {
        err::ipv4::HeaderSliceError::Len(_) => Refusal::Ipv4Truncated,
        err::ipv4::HeaderSliceError::Content(_) => Refusal::Ipv4Length,
    })?;
    let header_len = header.slice().len();
    let stated = u32::from(header.total_len());
    if stated != 0 && (stated as usize) < header_len {
        return Err(Refusal::Ipv4Length);
    }
    let mut rest = Rest::datagram(bytes, link_wire_len, stated).skip(header_len);
    let mut number = header.protocol();
    let offset = header.fragments_offset().value();
    let more = header.more_fragments();
    let fragment = (more || offset != 0).then(|| Fragment {
        id: u32::from(header.identification()),
        offset: u32::from(header.fragments_offset().byte_offset()),
        last: !more,
    });
    if number == IpNumber::AUTHENTICATION_HEADER
        && fragment.is_none_or(|fragment| fragment.is_first())
        && let Ok(auth) = IpAuthHeaderSlice::from_slice(rest.bytes)
    {
        rest = rest.skip(auth.slice().len());
        number = auth.next_header();
    }
    Ok(Ip {
        source: IpAddr::V4(header.source_addr()),
        destination: IpAddr::V4(header.destination_addr()),
        protocol: number.0,
        fragment,
        payload: rest.bytes,
        payload_wire_len: rest.wire_len,
        cut: stated.saturating_sub(link_wire_len),
    })
}

#[inline(always)]
fn ipv6(bytes: &[u8], link_wire_len: u32) -> Result<Ip<'_>, Refusal> {
    let header = Ipv6HeaderSlice::from_slice(bytes).map_err(|_| Refusal::Ipv6Truncated)?;
    // A payload length of zero is a jumbogram or an offload frame.
    let stated = match header.payload_length() {
        0 => 0,
        length => u32::from(length) + header.slice().len() as u32,
    };
    let rest = Rest::datagram(bytes, link_wire_len, stated).skip(header.slice().len());
    let (number, fragment, rest) = extensions(header.next_header(), rest)?;
    Ok(Ip {
        source: IpAddr::V6(header.source_addr()),
        destination: IpAddr::V6(header.destination_addr()),
        protocol: number.0,
        fragment,
        payload: rest.bytes,
        payload_wire_len: rest.wire_len,
        cut: stated.saturating_sub(link_wire_len),
    })
}

/// Walks IPv6 extension headers (RFC 8200 section 4), in whatever order they come.
fn extensions(
    mut number: IpNumber,
    mut rest: Rest<'_>,
) -> Result<(IpNumber, Option<Fragment>, Rest<'_>), Refusal> {
    let mut fragment = None;
    for _ in 0..MAX_EXTENSIONS {
        let used = match number {
            IpNumber::IPV6_HEADER_HOP_BY_HOP
            | IpNumber::IPV6_ROUTE_HEADER
            | IpNumber::IPV6_DESTINATION_OPTIONS
            | IpNumber::MOBILITY_HEADER
            | IpNumber::HIP
            | IpNumber::SHIM6 => {
                let header = Ipv6RawExtHeaderSlice::from_slice(rest.bytes)
                    .map_err(|_| Refusal::Ipv6Extension)?;
                number = header.next_header();
                header.slice().len()
            }
            IpNumber::AUTHENTICATION_HEADER => {
                let header = IpAuthHeaderSlice::from_slice(rest.bytes)
                    .map_err(|_| Refusal::Ipv6Extension)?;
                number = header.next_header();
                header.slice().len()
            }
            IpNumber::IPV6_FRAGMENTATION_HEADER => {
                let header = Ipv6FragmentHeaderSlice::from_slice(rest.bytes)
                    .map_err(|_| Refusal::Ipv6Extension)?;
                number = header.next_header();
                let offset = u32::from(header.fragment_offset().byte_offset());
                // An atomic fragment (RFC 6946) is a whole datagram.
                if header.is_fragmenting_payload() {
                    let last = !header.more_fragments();
                    fragment = Some(Fragment { id: header.identification(), offset, last });
                }
                let used = header.slice().len();
                if offset != 0 {
                    return Ok((number, fragment, rest.skip(used)));
                }
                used
            }
            _ => return Ok((number, fragment, rest)),
        };
        rest = rest.skip(used);
    }
    Err(Refusal::Ipv6Extension)
}

/// What the layer above IP says.
struct Transport<'a> {
    ports: [u16; 2],
    tcp: Option<Tcp>,
    payload: &'a [u8],
    payload_wire_len: u32,
}

#[inline(always)]
fn transport<'a>(ip: &Ip<'a>) -> Result<Transport<'a>, Refusal> {
    let rest = Rest { bytes: ip.payload, wire_len: ip.payload_wire_len };
    if ip.fragment.is_some_and(|fragment| !fragment.is_first()) {
        let (payload, payload_wire_len) = (rest.bytes, rest.wire_len);
        return Ok(Transport { ports: [0; 2], tcp: None, payload, payload_wire_len });
    }
    match ip.protocol {
        protocol::TCP => tcp(&rest),
        protocol::UDP => udp(&rest),
        protocol::ICMP | protocol::ICMPV6 => {
            let ports = match rest.bytes {
                [kind, code, ..] => [u16::from(*kind), u16::from(*code)],
                _ => [0; 2],
            };
            Ok(Transport { ports, tcp: None, payload: &[], payload_wire_len: 0 })
        }
        protocol::SCTP => {
            let ports = ports(rest.bytes).unwrap_or_default();
            Ok(Transport { ports, tcp: None, payload: &[], payload_wire_len: 0 })
        }
        protocol::GRE | protocol::IPV4 | protocol::IPV6 => {
            let (payload, payload_wire_len) = (rest.bytes, rest.wire_len);
            Ok(Transport { ports: [0; 2], tcp: None, payload, payload_wire_len })
        }
        _ => Ok(Transport { ports: [0; 2], tcp: None, payload: &[], payload_wire_len: 0 }),
    }
}

/// TCP, UDP and SCTP alike begin with the two ports.
fn ports(bytes: &[u8]) -> Option<[u16; 2]> {
    let (&[a, b, c, d], _) = bytes.split_first_chunk::<4>()?;
    Some([u16::from_be_bytes([a, b]), u16::from_be_bytes([c, d])])
}

#[inline(always)]
fn tcp<'a>(rest: &Rest<'a>) -> Result<Transport<'a>, Refusal> {
    let header = match TcpHeaderSlice::from_slice(rest.bytes) {
        Ok(header) => header,
        // Cut by the snap length: the ports still tell the flow.
        Err(err::tcp::HeaderSliceError::Len(_)) => {
            let ports = ports(rest.bytes).ok_or(Refusal::TcpTruncated)?;
            return Ok(Transport { ports, tcp: None, payload: &[], payload_wire_len: 0 });
        }
        Err(err::tcp::HeaderSliceError::Content(_)) => return Err(Refusal::TcpLength),
    };
    let flags = header.slice().get(13).copied().unwrap_or_default();
    let payload = rest.skip(header.slice().len());
    Ok(Transport {
        ports: [header.source_port(), header.destination_port()],
        tcp: Some(Tcp { sequence: header.sequence_number(), flags }),
        payload: payload.bytes,
        payload_wire_len: payload.wire_len.max(payload.bytes.len() as u32),
    })
}

#[inline(always)]
fn udp<'a>(rest: &Rest<'a>) -> Result<Transport<'a>, Refusal> {
    let Ok(header) = UdpHeaderSlice::from_slice(rest.bytes) else {
        let ports = ports(rest.bytes).ok_or(Refusal::UdpTruncated)?;
        return Ok(Transport { ports, tcp: None, payload: &[], payload_wire_len: 0 });
    };
    let stated = u32::from(header.length());
    let header_len = header.slice().len() as u32;
    // Zero is a jumbogram (RFC 2675) or an offload frame; else the header itself is counted.
    if stated != 0 && stated < header_len {
        return Err(Refusal::UdpLength);
    }
    let mut payload = rest.skip(header_len as usize);
    if stated != 0 && stated - header_len < payload.wire_len {
        payload = Rest::cut(payload.bytes, stated - header_len);
    }
    Ok(Transport {
        ports: [header.source_port(), header.destination_port()],
        tcp: None,
        payload: payload.bytes,
        payload_wire_len: payload.wire_len.max(payload.bytes.len() as u32),
    })
}
