//! The link layer: finds the IP packet in a frame, by the capture's link type. Ethernet comes
//! first, as on nearly every wire; the others are what captures from hosts, radios and routers have.

use super::{Mac, Refusal, Vlans};
use crate::capture::{Frame, LinkType};

mod ethernet;
mod host;
mod lan;
mod serial;
mod wireless;

/// What the link layer says of a frame.
#[derive(Clone, Copy)]
pub(crate) struct Link<'a> {
    pub macs: Option<[Mac; 2]>,
    pub vlans: Vlans,
    /// What follows the link header: an IP packet.
    pub payload: &'a [u8],
}

#[inline(always)]
pub(super) fn read<'a>(frame: &Frame<'a>) -> Result<Link<'a>, Refusal> {
    if frame.link == LinkType::ETHERNET {
        return ethernet::read(frame.bytes, frame.vlan);
    }
    by_type(frame.link, frame.bytes)
}

/// Frames of any type; what is read here is what [`LinkType::is_supported`] says.
#[inline(never)]
fn by_type(link: LinkType, bytes: &[u8]) -> Result<Link<'_>, Refusal> {
    match link {
        LinkType::ETHERNET => ethernet::read(bytes, None),
        LinkType::RAW
        | LinkType::RAW_BSD
        | LinkType::RAW_OPENBSD
        | LinkType::IPV4
        | LinkType::IPV6 => bare(bytes),
        LinkType::DSA_TAG_BRCM | LinkType::DSA_TAG_DSA => ethernet::switch_tagged::<4>(bytes),
        LinkType::DSA_TAG_EDSA => ethernet::switch_tagged::<8>(bytes),
        LinkType::LINUX_SLL => host::linux_sll(bytes),
        LinkType::LINUX_SLL2 => host::linux_sll2(bytes),
        LinkType::NULL | LinkType::LOOP => host::loopback(bytes),
        LinkType::ENC => host::enc(bytes),
        LinkType::PFLOG => host::pflog(bytes),
        LinkType::NFLOG => host::nflog(bytes),
        LinkType::IPNET => host::ipnet(bytes),
        LinkType::PKTAP => host::pktap(bytes),
        LinkType::FDDI => lan::fddi(bytes),
        LinkType::TOKEN_RING => lan::token_ring(bytes),
        LinkType::ARCNET => lan::arcnet(bytes),
        LinkType::ARCNET_LINUX => lan::arcnet_linux(bytes),
        LinkType::ATM_RFC1483 => lan::behind_llc(bytes, None),
        LinkType::IP_OVER_FC => lan::fibre_channel(bytes),
        LinkType::IPOIB => lan::infiniband(bytes),
        LinkType::PPP | LinkType::PPP_HDLC | LinkType::C_HDLC => serial::hdlc(bytes),
        LinkType::FRELAY => serial::frame_relay(bytes),
        LinkType::JUNIPER_ETHER => ethernet::read(serial::behind_juniper(bytes)?, None),
        LinkType::JUNIPER_PPP | LinkType::JUNIPER_CHDLC => {
            serial::hdlc(serial::behind_juniper(bytes)?)
        }
        LinkType::JUNIPER_FRELAY => serial::frame_relay(serial::behind_juniper(bytes)?),
        LinkType::IEEE802_11 => wireless::frame(bytes),
        LinkType::RADIOTAP => wireless::radiotap(bytes),
        LinkType::PRISM => wireless::prism(bytes),
        LinkType::AVS => wireless::avs(bytes),
        LinkType::PPI => wireless::ppi(bytes),
        _ => Err(Refusal::LinkType),
    }
}

/// A frame within the description that a capturing program put in front of it.
fn described(link: u32, bytes: &[u8]) -> Result<Link<'_>, Refusal> {
    match u16::try_from(link).map(LinkType) {
        Ok(LinkType::PPI | LinkType::PKTAP) => Err(Refusal::LinkNesting),
        Ok(link) => by_type(link, bytes),
        Err(_) => Err(Refusal::LinkType),
    }
}

/// An IP packet with nothing more to say of its link.
const fn bare(payload: &[u8]) -> Result<Link<'_>, Refusal> {
    Ok(Link { macs: None, vlans: Vlans::new(), payload })
}

/// What is behind a header of `length` bytes.
fn behind(bytes: &[u8], length: usize) -> Result<&[u8], Refusal> {
    bytes.get(length..).ok_or(Refusal::LinkTruncated)
}

#[cfg(test)]
mod tests;
