//! What the kernel tells of an interface's XDP, asked by netlink (netlink(7)): which program is
//! there (rtnetlink(7), `IFLA_XDP`), and what the driver can do (the kernel's
//! `Documentation/netlink/specs/netdev.yaml`).

use std::os::fd::OwnedFd;

use rustix::io::Errno;
use rustix::net::{
    AddressFamily, Protocol, RecvFlags, SendFlags, SocketFlags, SocketType, netlink, recv, send,
    socket_with,
};

use crate::capture::interface;

/// The kernel's parts to talk to: links, whose number is 0, and families of commands.
const ROUTE: Option<Protocol> = None;
const GENERIC: Option<Protocol> = Some(netlink::GENERIC);

/// Bytes of `struct nlmsghdr`, `struct genlmsghdr` and `struct ifinfomsg`.
const HEADER: usize = 16;
const GENERIC_HEADER: usize = 4;
const LINK: usize = 16;

/// An answer is one message, and none is as large as this.
const ROOM: usize = 1 << 16;

/// `NLM_F_REQUEST`.
const REQUEST: u16 = 1;

/// Message types: `NLMSG_ERROR`, `RTM_GETLINK`, and the family that tells of families.
const ERROR: u16 = 2;
const GET_LINK: u16 = 18;
const FAMILIES: u16 = 16;

/// `CTRL_CMD_GETFAMILY` and its attributes.
const GET_FAMILY: u8 = 3;
const FAMILY_ID: u16 = 1;
const FAMILY_NAME: u16 = 2;

/// `NETDEV_CMD_DEV_GET` and its attributes.
const GET_DEVICE: u8 = 1;
const DEVICE_INDEX: u16 = 1;
const DEVICE_FEATURES: u16 = 3;

/// `IFLA_XDP` and, in it, the ids of the program in any mode: whichever, in the driver, generic,
/// in the card.
const XDP: u16 = 43;
const PROGRAM_IDS: [u16; 4] = [4, 5, 6, 7];

/// `NETDEV_XDP_ACT_BASIC` and `NETDEV_XDP_ACT_RX_SG`.
const BASIC: u64 = 1;
const SCATTERED: u64 = 32;

/// What a driver can do for XDP.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Features {
    /// It runs programs.
    pub(super) native: bool,
    /// It does so for frames that lie in several pieces, as with a large MTU.
    pub(super) scattered: bool,
}

/// The id of the XDP program that an interface has now.
pub(super) fn program(interface: &str) -> Option<u32> {
    // `struct ifinfomsg`: family and type first, the interface's number in the second word.
    let mut request = [0; LINK];
    put(&mut request, 4, &interface::index(interface)?.to_ne_bytes());
    let answer = ask(ROUTE, GET_LINK, &request).ok()?;
    let xdp = attribute(answer.get(LINK..)?, XDP)?;
    PROGRAM_IDS.into_iter().find_map(|id| number(attribute(xdp, id)?).filter(|id| *id != 0))
}

/// What the interface's driver can do; `None` where the kernel does not tell (before 6.3).
pub(super) fn features(interface: &str) -> Option<Features> {
    let family = generic(FAMILIES, GET_FAMILY, FAMILY_NAME, b"netdev\0")?;
    let family = attribute(&family, FAMILY_ID)?.first_chunk().copied().map(u16::from_ne_bytes)?;
    let index = interface::index(interface)?.to_ne_bytes();
    let device = generic(family, GET_DEVICE, DEVICE_INDEX, &index)?;
    let features = attribute(&device, DEVICE_FEATURES)?;
    let features = u64::from_ne_bytes(*features.first_chunk()?);
    Some(Features { native: features & BASIC != 0, scattered: features & SCATTERED != 0 })
}

/// Asks a family of generic netlink with one attribute, for the attributes that it answers with.
fn generic(family: u16, command: u8, attribute: u16, value: &[u8]) -> Option<Vec<u8>> {
    let mut request = vec![command, 1, 0, 0];
    request.extend((4 + value.len() as u16).to_ne_bytes());
    request.extend(attribute.to_ne_bytes());
    request.extend(value);
    request.resize(request.len().next_multiple_of(4), 0);
    let answer = ask(GENERIC, family, &request).ok()?;
    answer.get(GENERIC_HEADER..).map(<[u8]>::to_vec)
}

/// Sends one request and gives the body of its answer.
fn ask(protocol: Option<Protocol>, kind: u16, body: &[u8]) -> Result<Vec<u8>, Errno> {
    let (family, flags) = (AddressFamily::NETLINK, SocketFlags::CLOEXEC);
    let socket: OwnedFd = socket_with(family, SocketType::RAW, flags, protocol)?;
    let mut request = Vec::new();
    request.extend(((HEADER + body.len()) as u32).to_ne_bytes());
    request.extend(kind.to_ne_bytes());
    request.extend(REQUEST.to_ne_bytes());
    // A number for the answer to repeat, and a sender, which the kernel knows by the socket.
    request.extend([0; 8]);
    request.extend(body);
    send(&socket, &request, SendFlags::empty())?;
    let mut answer = vec![0; ROOM];
    let (length, _) = recv(&socket, &mut answer, RecvFlags::empty())?;
    answer.truncate(length);
    let kind = answer.get(4..).and_then(|kind| kind.first_chunk().copied());
    match kind.map(u16::from_ne_bytes) {
        Some(ERROR) | None => Err(Errno::INVAL),
        Some(_) => Ok(answer.split_off(HEADER.min(length))),
    }
}

/// The value of the first attribute of that type among these.
fn attribute(mut among: &[u8], wanted: u16) -> Option<&[u8]> {
    /// Bits of the type that say how the value is written.
    const HOW: u16 = 0xc000;
    while let Some((&[l0, l1, t0, t1], _)) = among.split_first_chunk() {
        let length = usize::from(u16::from_ne_bytes([l0, l1]));
        let value = among.get(4..length)?;
        if u16::from_ne_bytes([t0, t1]) & !HOW == wanted {
            return Some(value);
        }
        among = among.get(length.next_multiple_of(4)..)?;
    }
    None
}

fn number(value: &[u8]) -> Option<u32> {
    value.first_chunk().copied().map(u32::from_ne_bytes)
}

fn put(bytes: &mut [u8], at: usize, value: &[u8]) {
    if let Some(place) = bytes.get_mut(at..at + value.len()) {
        place.copy_from_slice(value);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What lies between is skipped with its padding, and no length leads out or nowhere.
    #[test]
    fn attributes_are_found_among_others() {
        let mut bytes = Vec::new();
        for (kind, value) in [(1_u16, &b"abc"[..]), (0x8002, b""), (3, b"defg")] {
            bytes.extend((4 + value.len() as u16).to_ne_bytes());
            bytes.extend(kind.to_ne_bytes());
            bytes.extend(value);
            bytes.resize(bytes.len().next_multiple_of(4), 0);
        }
        assert_eq!(attribute(&bytes, 1), Some(&b"abc"[..]));
        assert_eq!(attribute(&bytes, 2), Some(&b""[..]));
        assert_eq!(attribute(&bytes, 3), Some(&b"defg"[..]));
        assert_eq!(attribute(&bytes, 4), None);
        for length in 0..=u8::MAX {
            let lies = [length, 0, 9, 0, 1, 0, 0, 0];
            let value = attribute(&lies, 9);
            assert_eq!(value.is_some(), (4..=8).contains(&length), "{length}: {value:?}");
        }
    }

    /// Every kernel that Egret runs on has loopback, which no driver drives.
    #[test]
    fn loopback_has_no_program_and_no_native_xdp() {
        assert_eq!(program("lo"), None);
        assert!(features("lo").is_none_or(|features| !features.native));
        assert_eq!(program("egret-none"), None);
        assert_eq!(features("egret-none"), None);
    }
}
