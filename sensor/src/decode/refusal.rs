//! Why a frame did not become a packet: by layer and reason, counted, never logged.

/// Why a frame was not decoded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum Refusal {
    /// The capture's link type is none that Egret reads.
    LinkType,
    /// Fewer bytes than the link header has.
    LinkTruncated,
    /// More VLAN tags or MPLS labels than a frame may have.
    LinkNesting,
    /// A frame that carries no IP: ARP, spanning tree, LLDP and the like.
    NotIp,
    /// A radio frame whose content is encrypted.
    LinkEncrypted,
    /// IP by its link header, but neither version 4 nor 6.
    IpVersion,
    /// Fewer bytes than the IPv4 header has.
    Ipv4Truncated,
    /// An IPv4 header length or total length that contradicts itself.
    Ipv4Length,
    /// Fewer bytes than the IPv6 header has.
    Ipv6Truncated,
    /// An IPv6 extension header that is cut off, or more of them than can be meant.
    Ipv6Extension,
    /// Fewer bytes than TCP's ports take.
    TcpTruncated,
    /// A TCP header length below 20 bytes.
    TcpLength,
    /// Fewer bytes than UDP's ports take.
    UdpTruncated,
    /// A UDP length below its own header's.
    UdpLength,
}

impl Refusal {
    /// All of them, in the order of the layers.
    pub const ALL: [Self; 14] = [
        Self::LinkType,
        Self::LinkTruncated,
        Self::LinkNesting,
        Self::NotIp,
        Self::LinkEncrypted,
        Self::IpVersion,
        Self::Ipv4Truncated,
        Self::Ipv4Length,
        Self::Ipv6Truncated,
        Self::Ipv6Extension,
        Self::TcpTruncated,
        Self::TcpLength,
        Self::UdpTruncated,
        Self::UdpLength,
    ];

    /// The layer that refused, as counters name it.
    pub const fn layer(self) -> &'static str {
        match self {
            Self::LinkType
            | Self::LinkTruncated
            | Self::LinkNesting
            | Self::NotIp
            | Self::LinkEncrypted => "link",
            Self::IpVersion => "ip",
            Self::Ipv4Truncated | Self::Ipv4Length => "ipv4",
            Self::Ipv6Truncated | Self::Ipv6Extension => "ipv6",
            Self::TcpTruncated | Self::TcpLength => "tcp",
            Self::UdpTruncated | Self::UdpLength => "udp",
        }
    }

    /// The reason, as counters name it.
    pub const fn reason(self) -> &'static str {
        match self {
            Self::LinkType => "unsupported_type",
            Self::LinkTruncated | Self::Ipv4Truncated | Self::Ipv6Truncated => "truncated",
            Self::TcpTruncated | Self::UdpTruncated => "truncated",
            Self::LinkNesting => "nested_too_deep",
            Self::NotIp => "not_ip",
            Self::LinkEncrypted => "encrypted",
            Self::IpVersion => "unknown_version",
            Self::Ipv4Length | Self::TcpLength | Self::UdpLength => "bad_length",
            Self::Ipv6Extension => "bad_extension",
        }
    }

    /// Whether the frame is broken, rather than merely none of Egret's business.
    pub const fn is_malformed(self) -> bool {
        !matches!(self, Self::LinkType | Self::NotIp | Self::LinkEncrypted)
    }
}

/// How many frames were refused, by reason.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Refusals([u64; Refusal::ALL.len()]);

impl Refusals {
    /// Counts one.
    pub fn add(&mut self, refusal: Refusal) {
        if let Some(count) = self.0.get_mut(refusal as usize) {
            *count += 1;
        }
    }

    /// The reasons that occurred and how often, in the order of the layers.
    pub fn iter(&self) -> impl Iterator<Item = (Refusal, u64)> {
        Refusal::ALL.into_iter().zip(self.0).filter(|(_, count)| *count > 0)
    }

    /// All refused frames.
    pub fn total(&self) -> u64 {
        self.0.iter().sum()
    }

    /// Those that were malformed.
    pub fn malformed(&self) -> u64 {
        self.iter().filter(|(refusal, _)| refusal.is_malformed()).map(|(_, count)| count).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_reason_has_a_counter_of_its_own() {
        let mut refusals = Refusals::default();
        for (times, refusal) in Refusal::ALL.into_iter().enumerate() {
            assert_eq!(refusal as usize, times, "ALL is in the order of declaration");
            (0..=times).for_each(|_| refusals.add(refusal));
        }
        let counted: Vec<u64> = refusals.iter().map(|(_, count)| count).collect();
        assert_eq!(counted, (1..=14).collect::<Vec<u64>>());
        let mut names: Vec<_> = Refusal::ALL.iter().map(|r| (r.layer(), r.reason())).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), Refusal::ALL.len(), "no two refusals share a name");
        assert_eq!(refusals.total() - refusals.malformed(), 1 + 4 + 5);
    }
}
