//! An AF_PACKET socket: what of it is needed, in safe functions.

use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, FromRawFd, OwnedFd};

use bytemuck::{NoUninit, Pod, Zeroable};
use libc::sock_filter;

use super::{BLOCK, BLOCKS, RETIRE};
use crate::capture::classic;
use crate::capture::live::Direction;

/// `ETH_P_ALL`, as an address has it.
const ALL_PROTOCOLS: u16 = (libc::ETH_P_ALL as u16).to_be();

/// Frames are packed one behind the other; the kernel only wants a size that divides a block.
const FRAME: usize = 2048;

/// An AF_PACKET socket.
#[derive(Debug)]
pub(super) struct Socket(OwnedFd);

/// Sockets that share frames out among them, and by what.
#[derive(Debug, Clone, Copy)]
pub(super) struct Group {
    by: u32,
    number: u16,
}

/// `struct sockaddr_ll`.
#[derive(Clone, Copy, Pod, Zeroable)]
#[repr(C)]
struct Address {
    family: u16,
    protocol: u16,
    index: i32,
    hardware: u16,
    kind: u8,
    length: u8,
    address: [u8; 8],
}

/// `struct packet_mreq`.
#[derive(Clone, Copy, Pod, Zeroable)]
#[repr(C)]
struct Membership {
    index: i32,
    kind: u16,
    length: u16,
    address: [u8; 8],
}

impl Socket {
    /// A socket that receives nothing yet: it is of no protocol, and no frame passes it.
    pub(super) fn new() -> io::Result<Self> {
        let kind = libc::SOCK_RAW | libc::SOCK_CLOEXEC | libc::SOCK_NONBLOCK;
        #[expect(unsafe_code, reason = "rustix has no AF_PACKET addresses to go with its sockets")]
        // SAFETY: takes no pointers.
        let socket = unsafe { libc::socket(libc::AF_PACKET, kind, 0) };
        if socket < 0 {
            return Err(io::Error::last_os_error());
        }
        #[expect(unsafe_code, reason = "the descriptor is new")]
        // SAFETY: nobody else owns it.
        let socket = Self(unsafe { OwnedFd::from_raw_fd(socket) });
        socket.pass(0)?;
        Ok(socket)
    }

    /// TPACKET_V3, with the header that tells about segmentation offload before each frame.
    pub(super) fn set_format(&self) -> io::Result<()> {
        let version = libc::tpacket_versions::TPACKET_V3 as i32;
        self.set(libc::SOL_PACKET, libc::PACKET_VERSION, &version)?;
        self.set(libc::SOL_PACKET, libc::PACKET_VNET_HDR, &1)
    }

    /// Whether frames that this host sends are received.
    pub(super) fn set_direction(&self, direction: Direction) -> io::Result<()> {
        let ignore = i32::from(direction == Direction::In);
        self.set(libc::SOL_PACKET, libc::PACKET_IGNORE_OUTGOING, &ignore)
    }

    /// Has the kernel make the ring.
    pub(super) fn make_ring(&self) -> io::Result<()> {
        // `struct tpacket_req3`.
        let (frames, retire) = (BLOCK / FRAME * BLOCKS, RETIRE.as_millis() as usize);
        let request: [u32; 7] = [BLOCK, BLOCKS, FRAME, frames, retire, 0, 0].map(|n| n as u32);
        self.set(libc::SOL_PACKET, libc::PACKET_RX_RING, &request)
    }

    /// Receives all protocols of an interface.
    pub(super) fn bind(&self, index: u32) -> io::Result<()> {
        self.bind_to(index, ALL_PROTOCOLS)
    }

    /// Belongs to an interface, of which it receives nothing.
    pub(super) fn belong(&self, index: u32) -> io::Result<()> {
        self.bind_to(index, 0)
    }

    fn bind_to(&self, index: u32, protocol: u16) -> io::Result<()> {
        let family = libc::AF_PACKET as u16;
        let address = Address { family, protocol, index: index as i32, ..Address::zeroed() };
        let (pointer, length) = ((&raw const address).cast(), size_of::<Address>() as u32);
        #[expect(unsafe_code, reason = "rustix has no AF_PACKET addresses")]
        // SAFETY: the pointer is to that many bytes, laid out as the kernel wants them.
        check(unsafe { libc::bind(self.0.as_raw_fd(), pointer, length) })
    }

    /// Has the interface pass on frames for others, for as long as this socket lives.
    pub(super) fn be_promiscuous(&self, index: u32) -> io::Result<()> {
        let kind = libc::PACKET_MR_PROMISC as u16;
        let membership = Membership { index: index as i32, kind, ..Membership::zeroed() };
        self.set(libc::SOL_PACKET, libc::PACKET_ADD_MEMBERSHIP, &membership)
    }

    /// Founds a fanout group whose number nobody else has. Its members take frames by a program, or
    /// without one by the kernel's hash, which is the same for both directions of a flow, too.
    ///
    /// The kernel's defragmentation (`PACKET_FANOUT_FLAG_DEFRAG`) is left off: it would give one frame
    /// for several on the wire, and none for a datagram of which a fragment is missing. Without it
    /// all fragments between two addresses, the first ones too, meet at one member.
    pub(super) fn found_group(&self, program: Option<&[sock_filter]>) -> io::Result<Group> {
        let by =
            if program.is_some() { libc::PACKET_FANOUT_CBPF } else { libc::PACKET_FANOUT_HASH };
        self.join(by | libc::PACKET_FANOUT_FLAG_UNIQUEID, 0)?;
        if let Some(program) = program {
            classic::give(self.as_fd(), libc::SOL_PACKET, libc::PACKET_FANOUT_DATA, program)?;
        }
        let fanout: u32 = self.get(libc::SOL_PACKET, libc::PACKET_FANOUT)?;
        Ok(Group { by, number: fanout as u16 })
    }

    /// Joins a fanout group as its next member.
    pub(super) fn join_group(&self, group: Group) -> io::Result<()> {
        self.join(group.by, group.number)
    }

    fn join(&self, kind: u32, number: u16) -> io::Result<()> {
        let fanout = u32::from(number) | kind << 16;
        self.set(libc::SOL_PACKET, libc::PACKET_FANOUT, &fanout)
    }

    /// Lets the first `length` bytes of every frame pass, or with 0 no frame at all.
    pub(super) fn pass(&self, length: u32) -> io::Result<()> {
        classic::pass(self.as_fd(), length)
    }

    /// The `ARPHRD_` number of the interface it is bound to.
    pub(super) fn hardware(&self) -> io::Result<u16> {
        address(&self.0).map(|address| address.hardware)
    }

    /// Forgets an error that stands for something that passed, like an interface that was down;
    /// while it stands, polling finds it again and again.
    pub(super) fn clear_error(&self) {
        let _: io::Result<i32> = self.get(libc::SOL_SOCKET, libc::SO_ERROR);
    }

    /// Frames for which the ring had no room since this was last asked.
    pub(super) fn take_drops(&self) -> io::Result<u64> {
        // `struct tpacket_stats_v3`: received (drops included), dropped, times the ring was full.
        let [_, dropped, _]: [u32; 3] = self.get(libc::SOL_PACKET, libc::PACKET_STATISTICS)?;
        Ok(dropped.into())
    }

    fn set<T: NoUninit>(&self, level: i32, option: i32, value: &T) -> io::Result<()> {
        let (pointer, size) = ((&raw const *value).cast(), size_of::<T>() as u32);
        #[expect(unsafe_code, reason = "rustix does not have these options")]
        // SAFETY: the kernel reads `size` initialised bytes.
        check(unsafe { libc::setsockopt(self.0.as_raw_fd(), level, option, pointer, size) })
    }

    fn get<T: Pod>(&self, level: i32, option: i32) -> io::Result<T> {
        let (mut value, mut size) = (T::zeroed(), size_of::<T>() as u32);
        let (pointer, length) = ((&raw mut value).cast(), &raw mut size);
        #[expect(unsafe_code, reason = "rustix does not have these options")]
        // SAFETY: the kernel writes no more than `size` bytes, and any bytes make a `T`.
        check(unsafe { libc::getsockopt(self.0.as_raw_fd(), level, option, pointer, length) })?;
        Ok(value)
    }
}

impl AsFd for Socket {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}

/// Whether the interface that an AF_PACKET socket was bound to is there no more.
pub(in crate::capture) fn is_orphan(socket: &impl AsFd) -> bool {
    address(socket)
        .is_ok_and(|address| i32::from(address.family) == libc::AF_PACKET && address.index < 0)
}

/// The address a socket is bound to.
fn address(socket: &impl AsFd) -> io::Result<Address> {
    let mut address = Address::zeroed();
    let mut length = size_of::<Address>() as u32;
    let (pointer, size) = ((&raw mut address).cast(), &raw mut length);
    #[expect(unsafe_code, reason = "rustix has no AF_PACKET addresses")]
    // SAFETY: the kernel writes no more than `length` bytes, and any bytes make an `Address`.
    check(unsafe { libc::getsockname(socket.as_fd().as_raw_fd(), pointer, size) })?;
    Ok(address)
}

fn check(result: i32) -> io::Result<()> {
    if result == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
}
