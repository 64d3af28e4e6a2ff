//! Which fields of a record are read: information elements of IPFIX (IANA, "IPFIX Information
//! Elements"), most of which are NetFlow 9's with the same numbers, those of VMware for what is in a
//! tunnel, and the reverse ones (RFC 5103).

/// Whose elements are numbered: of IANA when none.
pub(super) type Enterprise = Option<u32>;

/// Who numbers elements of the other direction (RFC 5103, 6.1).
const REVERSE: u32 = 29305;
/// Who makes ESXi.
const VMWARE: u32 = 6876;

/// A field that is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Element {
    Octets,
    Packets,
    TotalOctets,
    TotalPackets,
    /// Counted after a middlebox changed the packets: read where nothing else counts.
    PostOctets,
    PostPackets,
    ReverseOctets,
    ReversePackets,
    ReverseTotalOctets,
    ReverseTotalPackets,
    InitiatorOctets,
    InitiatorPackets,
    ResponderOctets,
    ResponderPackets,
    Protocol,
    TcpFlags,
    SourcePort,
    DestinationPort,
    Source,
    Destination,
    TenantProtocol,
    TenantSourcePort,
    TenantDestinationPort,
    TenantSource,
    TenantDestination,
    /// 0: counted where packets come in; 1: where they leave.
    Direction,
    BiflowDirection,
    ForwardingStatus,
    FirewallEvent,
    FirstUptime,
    LastUptime,
    FirstSeconds,
    LastSeconds,
    FirstMillis,
    LastMillis,
    FirstMicros,
    LastMicros,
    FirstNanos,
    LastNanos,
    FirstMicrosAgo,
    LastMicrosAgo,
    DurationMillis,
    DurationMicros,
    ObservedMillis,
    SystemInitMillis,
    SamplerId,
    SamplingInterval,
    SamplingPacketInterval,
    SamplingPacketSpace,
    SamplingSize,
    SamplingPopulation,
    SamplingProbability,
}

impl Element {
    /// The one that this number stands for, where it is read.
    pub(super) const fn of(id: u16, enterprise: Enterprise) -> Option<Self> {
        match enterprise {
            None => Self::standard(id),
            Some(REVERSE) => Self::reverse(id),
            Some(VMWARE) => Self::vmware(id),
            Some(_) => None,
        }
    }

    const fn standard(id: u16) -> Option<Self> {
        Some(match id {
            1 => Self::Octets,
            2 => Self::Packets,
            4 => Self::Protocol,
            6 => Self::TcpFlags,
            7 => Self::SourcePort,
            8 | 27 => Self::Source,
            11 => Self::DestinationPort,
            12 | 28 => Self::Destination,
            21 => Self::LastUptime,
            22 => Self::FirstUptime,
            23 => Self::PostOctets,
            24 => Self::PostPackets,
            34 | 50 => Self::SamplingInterval,
            48 | 302 => Self::SamplerId,
            61 => Self::Direction,
            85 => Self::TotalOctets,
            86 => Self::TotalPackets,
            89 => Self::ForwardingStatus,
            150 => Self::FirstSeconds,
            151 => Self::LastSeconds,
            152 => Self::FirstMillis,
            153 => Self::LastMillis,
            154 => Self::FirstMicros,
            155 => Self::LastMicros,
            156 => Self::FirstNanos,
            157 => Self::LastNanos,
            158 => Self::FirstMicrosAgo,
            159 => Self::LastMicrosAgo,
            160 => Self::SystemInitMillis,
            161 => Self::DurationMillis,
            162 => Self::DurationMicros,
            231 => Self::InitiatorOctets,
            232 => Self::ResponderOctets,
            233 => Self::FirewallEvent,
            239 => Self::BiflowDirection,
            298 => Self::InitiatorPackets,
            299 => Self::ResponderPackets,
            305 => Self::SamplingPacketInterval,
            306 => Self::SamplingPacketSpace,
            309 => Self::SamplingSize,
            310 => Self::SamplingPopulation,
            311 => Self::SamplingProbability,
            323 => Self::ObservedMillis,
            _ => return None,
        })
    }

    const fn reverse(id: u16) -> Option<Self> {
        Some(match id {
            1 => Self::ReverseOctets,
            2 => Self::ReversePackets,
            85 => Self::ReverseTotalOctets,
            86 => Self::ReverseTotalPackets,
            _ => return None,
        })
    }

    const fn vmware(id: u16) -> Option<Self> {
        Some(match id {
            880 => Self::TenantProtocol,
            881 | 883 => Self::TenantSource,
            882 | 884 => Self::TenantDestination,
            886 => Self::TenantSourcePort,
            887 => Self::TenantDestinationPort,
            _ => return None,
        })
    }
}
