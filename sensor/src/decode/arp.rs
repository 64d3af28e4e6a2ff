//! ARP over Ethernet (RFC 826): which MAC address a host says its IPv4 address is at.

use std::net::Ipv4Addr;

use super::{Mac, Vlans};
use crate::capture::{Frame, LinkType};

/// EtherTypes (IANA "IEEE 802 Numbers").
const ARP: u16 = 0x0806;
const TAGS: [u16; 3] = [0x8100, 0x88a8, 0x9100];
/// Ethernet and IPv4, with addresses of six and four bytes.
const ETHERNET_IPV4: [u8; 6] = [0, 1, 8, 0, 6, 4];

/// What one ARP packet says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Arp {
    /// VLAN ids, outermost first.
    pub vlans: Vlans,
    /// Who sent the frame.
    pub from: Mac,
    /// Whom it speaks of: an address, and where that is. Nobody's in a probe (RFC 5227).
    pub sender: (Ipv4Addr, Mac),
    /// Whose address it asks for or, in a reply, to whom it is said.
    pub target: Ipv4Addr,
    /// An answer, else a question.
    pub is_reply: bool,
}

impl Arp {
    /// Whether nobody asked: the sender speaks of itself to all (RFC 5227 section 2.3).
    pub fn is_announcement(&self) -> bool {
        self.sender.0 == self.target
    }
}

/// Reads a frame that is no IP; `None` when it is no whole ARP packet either.
pub fn read(frame: &Frame<'_>) -> Option<Arp> {
    if frame.link != LinkType::ETHERNET {
        return None;
    }
    let mut vlans = Vlans::from(frame.vlan);
    let (header, mut rest) = frame.bytes.split_first_chunk::<14>()?;
    let [.., s0, s1, s2, s3, s4, s5, k0, k1] = *header;
    let mut kind = u16::from_be_bytes([k0, k1]);
    while TAGS.contains(&kind) {
        let ([t0, t1, k0, k1], inner) = rest.split_first_chunk::<4>()?;
        vlans.push(u16::from_be_bytes([*t0, *t1]) & 0x0fff).ok()?;
        (kind, rest) = (u16::from_be_bytes([*k0, *k1]), inner);
    }
    let body = rest.first_chunk::<28>().filter(|_| kind == ARP)?;
    let (types, [o0, o1, body @ ..]) = body.split_first_chunk::<6>()? else { return None };
    let is_reply = match (*types == ETHERNET_IPV4, u16::from_be_bytes([*o0, *o1])) {
        (true, 1) => false,
        (true, 2) => true,
        _ => return None,
    };
    let &[m0, m1, m2, m3, m4, m5, a0, a1, a2, a3, _, _, _, _, _, _, b0, b1, b2, b3] = body else {
        return None;
    };
    Some(Arp {
        vlans,
        from: Mac([s0, s1, s2, s3, s4, s5]),
        sender: (Ipv4Addr::new(a0, a1, a2, a3), Mac([m0, m1, m2, m3, m4, m5])),
        target: Ipv4Addr::new(b0, b1, b2, b3),
        is_reply,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::time::Timestamp;

    /// A reply of 10.0.0.1 at 02:00:00:00:00:01, in VLAN 7.
    const REPLY: [u8; 46] = [
        0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 2, 0, 0, 0, 0, 9, 0x81, 0, 0x20, 7, 8, 6, //
        0, 1, 8, 0, 6, 4, 0, 2, 2, 0, 0, 0, 0, 1, 10, 0, 0, 1, 0, 0, 0, 0, 0, 0, 10, 0, 0, 1,
    ];

    fn frame(bytes: &[u8]) -> Frame<'_> {
        let (time, wire_len) = (Timestamp::ZERO, bytes.len() as u32);
        Frame { time, wire_len, link: LinkType::ETHERNET, vlan: None, mark: None, bytes }
    }

    #[test]
    fn a_reply_in_a_vlan_says_who_is_where() {
        let arp = read(&frame(&REPLY)).unwrap();
        assert_eq!(*arp.vlans, [7]);
        assert_eq!(arp.from, Mac([2, 0, 0, 0, 0, 9]), "who sent it is not who it speaks of");
        assert_eq!(arp.sender, (Ipv4Addr::new(10, 0, 0, 1), Mac([2, 0, 0, 0, 0, 1])));
        assert!(arp.is_reply && arp.is_announcement());
    }

    #[test]
    fn a_question_is_no_reply_and_names_its_target() {
        let mut bytes = REPLY;
        (bytes[25], bytes[45]) = (1, 2);
        let arp = read(&frame(&bytes)).unwrap();
        assert_eq!(arp.target, Ipv4Addr::new(10, 0, 0, 2));
        assert!(!arp.is_reply && !arp.is_announcement());
    }

    #[test]
    fn what_is_cut_or_something_else_is_nothing() {
        for length in 0..REPLY.len() {
            assert_eq!(read(&frame(&REPLY[..length])), None, "{length} bytes");
        }
        for (place, value) in [(17, 7), (19, 6), (21, 1), (22, 8), (23, 6), (25, 3)] {
            let mut bytes = REPLY;
            bytes[place] = value;
            assert_eq!(read(&frame(&bytes)), None, "byte {place}");
        }
        let other = Frame { link: LinkType::LINUX_SLL, ..frame(&REPLY) };
        assert_eq!(read(&other), None);
    }
}
