//! The system's list of interfaces, getifaddrs(3).

use std::ffi::CStr;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::ptr;

/// An interface, or one of its addresses.
pub(super) struct Entry {
    pub(super) name: String,
    /// `IFF_` bits.
    pub(super) flags: u32,
    /// In an entry for an IP address.
    pub(super) address: Option<IpAddr>,
    /// In an entry for the interface itself.
    pub(super) hardware: Option<Hardware>,
}

/// What an interface's frames are like.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Hardware {
    /// `ARPHRD_` number.
    pub(super) kind: u16,
    /// Its own address, as far as that has so many bytes.
    pub(super) address: [u8; 6],
}

/// One entry for each interface, and one for each of its addresses.
#[expect(unsafe_code, reason = "rustix has no such list")]
pub(super) fn entries() -> Vec<Entry> {
    let mut list: *mut libc::ifaddrs = ptr::null_mut();
    // SAFETY: the call writes to `list` the start of a list, which is freed below.
    if unsafe { libc::getifaddrs(&raw mut list) } != 0 {
        return Vec::new();
    }
    let mut entries = Vec::new();
    let mut at = list;
    // SAFETY: the list's pointers lead to its items and end with null; nobody else has the list.
    while let Some(item) = unsafe { at.as_ref() } {
        // SAFETY: every item has a name, which ends with a zero byte.
        let name = unsafe { CStr::from_ptr(item.ifa_name) };
        let name = name.to_string_lossy().into_owned();
        let (address, hardware) = (address(item.ifa_addr), hardware(item.ifa_addr));
        entries.push(Entry { name, flags: item.ifa_flags, address, hardware });
        at = item.ifa_next;
    }
    // SAFETY: `list` is what getifaddrs gave, and nothing borrows from it any more.
    unsafe { libc::freeifaddrs(list) };
    entries
}

#[expect(unsafe_code, reason = "the family says how long an address is")]
fn address(address: *const libc::sockaddr) -> Option<IpAddr> {
    // SAFETY: an address of getifaddrs is null or begins with its family.
    match i32::from(unsafe { address.as_ref() }?.sa_family) {
        libc::AF_INET => {
            // SAFETY: an address of this family is as long and as aligned as this type.
            let address = unsafe { address.cast::<libc::sockaddr_in>().as_ref() }?;
            Some(Ipv4Addr::from_bits(u32::from_be(address.sin_addr.s_addr)).into())
        }
        libc::AF_INET6 => {
            // SAFETY: an address of this family is as long and as aligned as this type.
            let address = unsafe { address.cast::<libc::sockaddr_in6>().as_ref() }?;
            Some(Ipv6Addr::from(address.sin6_addr.s6_addr).into())
        }
        _ => None,
    }
}

#[expect(unsafe_code, reason = "the family says how long an address is")]
fn hardware(address: *const libc::sockaddr) -> Option<Hardware> {
    // SAFETY: an address of getifaddrs is null or begins with its family.
    let family = i32::from(unsafe { address.as_ref() }?.sa_family);
    if family != libc::AF_PACKET {
        return None;
    }
    // SAFETY: an address of this family is as long and as aligned as this type.
    let link = unsafe { address.cast::<libc::sockaddr_ll>().as_ref() }?;
    let [a, b, c, d, e, f, ..] = link.sll_addr;
    Some(Hardware { kind: link.sll_hatype, address: [a, b, c, d, e, f] })
}
