//! How long a frame was on the wire. Segmentation offload gives up to 64 KiB and more at once,
//! which were or will be many frames, each with its own headers.
//!
//! What the kernel says of it stands before the frame (`struct virtio_net_hdr`, Virtio 1.2,
//! 5.1.6), in the host's byte order.

/// Bytes of that header.
pub(super) const VIRTIO: usize = 10;

/// Bytes of a VLAN tag.
const TAG: u32 = 4;

/// `VIRTIO_NET_HDR_F_NEEDS_CSUM`: the place of the transport header is given.
const HAS_CHECKSUM_START: u8 = 1;

/// Bits that only qualify a kind of segmentation: ECN, and the tunnel it is in.
const QUALIFIERS: u8 = 0x80 | 0x40 | 0x20;

/// `VIRTIO_NET_HDR_GSO_TCPV4`, `_TCPV6` and `_UDP_L4`.
const TCP_V4: u8 = 1;
const TCP_V6: u8 = 4;
const UDP: u8 = 5;

const UDP_HEADER: usize = 8;
const TCP_HEADER: usize = 20;

/// Bytes on the wire of what the kernel gave as one frame of `length` bytes, in each segment of
/// which is a VLAN tag more if the kernel took that out.
#[inline]
pub(super) fn on_wire(length: u32, virtio: &[u8; VIRTIO], bytes: &[u8], is_tagged: bool) -> u32 {
    let tag = if is_tagged { TAG } else { 0 };
    let [_, kind, ..] = *virtio;
    if kind == 0 {
        return length.saturating_add(tag);
    }
    let (segments, header) = segments(length, virtio, bytes);
    (segments - 1)
        .saturating_mul(header)
        .saturating_add(segments.saturating_mul(tag))
        .saturating_add(length)
}

/// Into how many segments it goes, at least one, and the length of the headers that each has.
#[cold]
fn segments(length: u32, virtio: &[u8; VIRTIO], bytes: &[u8]) -> (u32, u32) {
    let [flags, kind, h0, h1, s0, s1, c0, c1, ..] = *virtio;
    let size = u32::from(u16::from_ne_bytes([s0, s1]));
    let kind = kind & !QUALIFIERS;
    if size == 0 || !matches!(kind, TCP_V4 | TCP_V6 | UDP) {
        return (1, 0);
    }
    let transport = if flags & HAS_CHECKSUM_START != 0 {
        Some(usize::from(u16::from_ne_bytes([c0, c1])))
    } else {
        transport(bytes)
    };
    let header = match transport {
        Some(at) if kind == UDP => at + UDP_HEADER,
        Some(at) => at + tcp_header(bytes, at),
        // What drivers call the header's length is a hint, and often more than that.
        None => usize::from(u16::from_ne_bytes([h0, h1])),
    };
    let header = u32::try_from(header).unwrap_or(u32::MAX).min(length);
    ((length - header).div_ceil(size).max(1), header)
}

/// Bytes of the TCP header at `at`; without options where it was cut off.
fn tcp_header(bytes: &[u8], at: usize) -> usize {
    match bytes.get(at + 12) {
        Some(offset) => usize::from(offset >> 4) * 4,
        None => TCP_HEADER,
    }
}

/// Where the header after IP begins, in Ethernet without tunnels.
fn transport(bytes: &[u8]) -> Option<usize> {
    let mut at = 12;
    loop {
        let [k0, k1, first, ..] = *bytes.get(at..)?.first_chunk::<3>()?;
        match u16::from_be_bytes([k0, k1]) {
            0x8100 | 0x88a8 | 0x9100 => at += 4,
            0x0800 => return Some(at + 2 + usize::from(first & 0x0f) * 4),
            0x86dd => return Some(at + 2 + 40),
            _ => return None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Ethernet, IPv4 and the start of TCP with 12 bytes of options: 66 bytes of headers.
    fn tcp() -> Vec<u8> {
        let mut bytes = vec![0; 66];
        bytes[12] = 0x08;
        bytes[14] = 0x45;
        bytes[14 + 20 + 12] = 0x80;
        bytes
    }

    /// A virtio header in the host's byte order.
    fn virtio(flags: u8, kind: u8, header: u16, size: u16, checksum: u16) -> [u8; VIRTIO] {
        let mut virtio = [0; VIRTIO];
        virtio[0] = flags;
        virtio[1] = kind;
        virtio[2..4].copy_from_slice(&header.to_ne_bytes());
        virtio[4..6].copy_from_slice(&size.to_ne_bytes());
        virtio[6..8].copy_from_slice(&checksum.to_ne_bytes());
        virtio
    }

    #[test]
    fn each_segment_has_headers_and_the_tag_that_was_taken_out() {
        let three = virtio(1, TCP_V4, 0, 1448, 34);
        let length = 66 + 2 * 1448 + 1;
        assert_eq!(on_wire(length, &three, &tcp(), false), length + 2 * 66);
        assert_eq!(on_wire(length, &three, &tcp(), true), length + 2 * 66 + 3 * 4);
        let whole = 66 + 2 * 1448;
        assert_eq!(on_wire(whole, &three, &tcp(), false), whole + 66);
        assert_eq!(on_wire(1514, &[0; VIRTIO], &tcp(), true), 1518);
    }

    #[test]
    fn the_headers_tell_their_length_better_than_the_drivers_hint() {
        let length = 66 + 3000;
        for header in [0, 20, 54, 256, u16::MAX] {
            let silent = virtio(0, TCP_V4 | 0x80, header, 1000, 0);
            assert_eq!(on_wire(length, &silent, &tcp(), false), length + 2 * 66, "{header}");
        }
        let mut tagged = tcp();
        tagged.splice(12..12, [0x81, 0, 0, 5]);
        let silent = virtio(0, TCP_V4, 0, 1000, 0);
        assert_eq!(on_wire(length + 4, &silent, &tagged, false), length + 4 + 2 * 70);
        let mut six = vec![0; 74];
        (six[12], six[13], six[14 + 40 + 12]) = (0x86, 0xdd, 0x50);
        let silent = virtio(0, TCP_V6, 0, 1000, 0);
        assert_eq!(on_wire(74 + 2000, &silent, &six, false), 74 + 2000 + 74);
        let udp = virtio(1, UDP, 0, 1000, 34);
        assert_eq!(on_wire(42 + 2000, &udp, &tcp(), false), 42 + 2000 + 42);
    }

    #[test]
    fn no_numbers_however_absurd_make_it_panic_or_shorter() {
        let absurd = [0, 1, 66, 1448, u16::MAX];
        for (flags, kind) in [(0, 1), (1, 1), (1, 4), (1, 5), (0xff, 0xff), (0, 3)] {
            for (header, size, checksum) in absurd
                .into_iter()
                .flat_map(|h| absurd.into_iter().flat_map(move |s| absurd.map(|c| (h, s, c))))
            {
                let virtio = virtio(flags, kind, header, size, checksum);
                for length in [0, 1, 60, 65_535, u32::MAX] {
                    for bytes in [&[][..], &tcp()[..20], &tcp()] {
                        assert!(on_wire(length, &virtio, bytes, true) >= length);
                    }
                }
            }
        }
    }
}
