//! Where frames come from: bursts of borrowed [`Frame`]s from a [`Source`].
//!
//! Every source (capture file, kernel ring, XDP, libpcap) gives the same thing: link-layer bytes
//! with their time and their length on the wire, in bursts, without copying them.

use std::net::IpAddr;

use crate::time::Timestamp;

pub use mark::Mark;

mod classic;
pub mod file;
pub mod filter;
pub mod interface;
pub mod live;
mod mark;
mod pcap;
pub mod receive;
mod ring;
pub mod xdp;

/// The most frames in a burst: enough to hide the flow table's cache misses behind each other.
pub const BURST: usize = 32;

/// One burst of frames, borrowed from the source until the next one is asked for.
pub type Burst<'a> = arrayvec::ArrayVec<Frame<'a>, BURST>;

/// Some of what was counted without its packets; as many as a burst has frames.
pub type Counts = arrayvec::ArrayVec<Counted, BURST>;

/// One frame as it was captured.
#[derive(Debug, Clone, Copy)]
pub struct Frame<'a> {
    /// When it was captured.
    pub time: Timestamp,
    /// Its length on the wire in bytes, link header included; never less than `bytes.len()`.
    pub wire_len: u32,
    /// How its first byte is to be read.
    pub link: LinkType,
    /// The id of its outermost VLAN, where the kernel took that tag out of `bytes`; `wire_len` counts
    /// the tag all the same.
    pub vlan: Option<u16>,
    /// Where to say that its direction of its flow has been read enough, if anybody wants to know.
    pub mark: Option<Mark<'a>>,
    /// What was captured of it.
    pub bytes: &'a [u8],
}

/// What was counted of one direction of a flow by a source that does not give all packets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Counted {
    /// Who sent them.
    pub source: IpAddr,
    /// Whom to.
    pub destination: IpAddr,
    /// Source and destination port, for protocols with ports; else 0.
    pub ports: [u16; 2],
    /// IP protocol number.
    pub protocol: u8,
    /// All TCP flags of these packets.
    pub tcp_flags: u8,
    /// How many packets came on top of what was told before, none of them given as a frame.
    pub packets: u64,
    /// Their bytes on the wire.
    pub bytes: u64,
    /// When the first of them came, or no later than that.
    pub since: Timestamp,
    /// When the last of them came.
    pub last: Timestamp,
}

/// What is to be told of what was counted without packets, the less first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Scan {
    /// Of flows whose bytes have passed a multiple of 256 KiB since they were told of.
    Much,
    /// All.
    All,
}

/// A link-layer header type: the `LINKTYPE_` value of capture files
/// (<https://www.tcpdump.org/linktypes.html>), in the low 16 bits of a pcap header's field.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct LinkType(pub u16);

impl LinkType {
    /// BSD loopback: a protocol family in host byte order.
    pub const NULL: Self = Self(0);
    /// Ethernet.
    pub const ETHERNET: Self = Self(1);
    /// Token Ring.
    pub const TOKEN_RING: Self = Self(6);
    /// ARCNET.
    pub const ARCNET: Self = Self(7);
    /// PPP, with or without its HDLC address and control bytes.
    pub const PPP: Self = Self(9);
    /// FDDI.
    pub const FDDI: Self = Self(10);
    /// Raw IP as some systems write it (`DLT_RAW` of BSD and Linux).
    pub const RAW_BSD: Self = Self(12);
    /// Raw IP as OpenBSD writes it.
    pub const RAW_OPENBSD: Self = Self(14);
    /// PPP in HDLC-like framing, or Cisco HDLC.
    pub const PPP_HDLC: Self = Self(50);
    /// ATM with LLC in front of each packet (RFC 2684, once RFC 1483).
    pub const ATM_RFC1483: Self = Self(100);
    /// Raw IP, version 4 or 6 by the first nibble.
    pub const RAW: Self = Self(101);
    /// Cisco HDLC.
    pub const C_HDLC: Self = Self(104);
    /// IEEE 802.11.
    pub const IEEE802_11: Self = Self(105);
    /// Frame Relay.
    pub const FRELAY: Self = Self(107);
    /// OpenBSD loopback: a protocol family in network byte order.
    pub const LOOP: Self = Self(108);
    /// OpenBSD's IPsec interface `enc`.
    pub const ENC: Self = Self(109);
    /// Linux cooked capture.
    pub const LINUX_SLL: Self = Self(113);
    /// What OpenBSD's packet filter logged.
    pub const PFLOG: Self = Self(117);
    /// IEEE 802.11 behind a Prism header.
    pub const PRISM: Self = Self(119);
    /// IP over Fibre Channel (RFC 2625).
    pub const IP_OVER_FC: Self = Self(122);
    /// IEEE 802.11 behind a radiotap header.
    pub const RADIOTAP: Self = Self(127);
    /// ARCNET as Linux gives it.
    pub const ARCNET_LINUX: Self = Self(129);
    /// IEEE 802.11 behind an AVS header.
    pub const AVS: Self = Self(163);
    /// Ethernet on a Juniper router.
    pub const JUNIPER_ETHER: Self = Self(178);
    /// PPP on a Juniper router.
    pub const JUNIPER_PPP: Self = Self(179);
    /// Frame Relay on a Juniper router.
    pub const JUNIPER_FRELAY: Self = Self(180);
    /// Cisco HDLC on a Juniper router.
    pub const JUNIPER_CHDLC: Self = Self(181);
    /// Another type behind a "Per-Packet Information" header.
    pub const PPI: Self = Self(192);
    /// What Solaris' IP layer observes.
    pub const IPNET: Self = Self(226);
    /// Raw IPv4.
    pub const IPV4: Self = Self(228);
    /// Raw IPv6.
    pub const IPV6: Self = Self(229);
    /// What Linux' netfilter logged.
    pub const NFLOG: Self = Self(239);
    /// IP over InfiniBand (RFC 4391), as Linux gives it.
    pub const IPOIB: Self = Self(242);
    /// Another type behind macOS' description of the packet.
    pub const PKTAP: Self = Self(258);
    /// Linux cooked capture, version 2.
    pub const LINUX_SLL2: Self = Self(276);
    /// Ethernet with a Broadcom switch's tag.
    pub const DSA_TAG_BRCM: Self = Self(281);
    /// Ethernet with a Marvell switch's tag.
    pub const DSA_TAG_DSA: Self = Self(284);
    /// Ethernet with a Marvell switch's tag behind an EtherType of its own.
    pub const DSA_TAG_EDSA: Self = Self(285);

    /// Whether frames of this type are decoded; those of any other are refused, and counted.
    pub const fn is_supported(self) -> bool {
        matches!(
            self,
            Self::NULL
                | Self::ETHERNET
                | Self::TOKEN_RING
                | Self::ARCNET
                | Self::PPP
                | Self::FDDI
                | Self::RAW_BSD
                | Self::RAW_OPENBSD
                | Self::PPP_HDLC
                | Self::ATM_RFC1483
                | Self::RAW
                | Self::C_HDLC
                | Self::IEEE802_11
                | Self::FRELAY
                | Self::LOOP
                | Self::ENC
                | Self::LINUX_SLL
                | Self::PFLOG
                | Self::PRISM
                | Self::IP_OVER_FC
                | Self::RADIOTAP
                | Self::ARCNET_LINUX
                | Self::AVS
                | Self::JUNIPER_ETHER
                | Self::JUNIPER_PPP
                | Self::JUNIPER_FRELAY
                | Self::JUNIPER_CHDLC
                | Self::PPI
                | Self::IPNET
                | Self::IPV4
                | Self::IPV6
                | Self::NFLOG
                | Self::IPOIB
                | Self::PKTAP
                | Self::LINUX_SLL2
                | Self::DSA_TAG_BRCM
                | Self::DSA_TAG_DSA
                | Self::DSA_TAG_EDSA
        )
    }
}

/// What asking for a burst came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Progress {
    /// There may be more. The burst holds frames, unless a filter dropped all of them.
    More,
    /// A live source has nothing now; the burst is empty.
    Idle,
    /// There is nothing more, and the burst is empty.
    End,
}

/// Anything that gives frames.
pub trait Source {
    /// Why it cannot go on.
    type Error: std::error::Error;

    /// Fills `burst`, given empty, with the next frames, in the order of capture. The burst holds
    /// on to the source until it is dropped: make a new one for each call, which costs nothing.
    ///
    /// # Errors
    /// When the source cannot go on. What was given before stays valid, and
    /// a source that ends early for a reason that is no failure (a file cut in the middle) ends
    /// with [`Progress::End`] and one of [`Stats::notes`].
    fn burst<'a>(&'a mut self, burst: &mut Burst<'a>) -> Result<Progress, Self::Error>;

    /// What was read so far.
    fn stats(&self) -> Stats;
}

/// What the kernel's half of a source has done so far.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Kernel {
    /// Packets seen, and what became of them.
    pub totals: egret_ebpf::Totals,
    /// Slots there are for flows.
    pub slots: u64,
    /// When the last packet came that was counted there.
    pub last: Option<Timestamp>,
}

/// What a source has read and lost so far.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Stats {
    /// Frames read, those that a filter dropped included.
    pub frames: u64,
    /// Records that say they are a packet and cannot be read as one; not among `frames`.
    pub invalid: u64,
    /// Frames read that a filter dropped.
    pub filtered: u64,
    /// Bytes read from the file or the kernel, file headers included; for progress.
    pub bytes_read: u64,
    /// Bytes there are to read, where that is known.
    pub bytes_total: Option<u64>,
    /// Frames that the capturing side says it lost; of a live source those that found no room in its ring.
    pub dropped: u64,
    /// Frames of which only a part was captured.
    pub truncated: u64,
    /// Of a source that counts in the kernel, what it has done there: told by one source of an
    /// interface, for all of them.
    pub kernel: Option<Kernel>,
    /// What people should know about what was read, a line each: why a file ended before its end
    /// (at most one a file), link types that are not decoded (a few a file).
    pub notes: Vec<String>,
}
