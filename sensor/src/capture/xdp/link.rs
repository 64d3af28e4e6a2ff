//! BPF links: a program runs on an interface for as long as somebody holds its link, and no longer,
//! however the holder ends. (`BPF_LINK_CREATE` of bpf(2), `linux/bpf.h`.)

use std::io;
use std::os::fd::{AsFd, AsRawFd, FromRawFd, OwnedFd};

use bytemuck::{NoUninit, Zeroable};

/// `BPF_LINK_CREATE`.
const CREATE: libc::c_long = 28;

/// Where a program runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Hook {
    /// In the driver, before anything else.
    Native,
    /// Behind the driver, where frames of segmentation offload are joined already.
    Generic,
    /// Where frames enter the network stack, before all other tc programs of today.
    Ingress,
    /// Where they leave it, likewise.
    Egress,
}

impl Hook {
    /// `BPF_XDP`, `BPF_TCX_INGRESS` or `BPF_TCX_EGRESS`.
    const fn kind(self) -> u32 {
        match self {
            Self::Native | Self::Generic => 37,
            Self::Ingress => 46,
            Self::Egress => 47,
        }
    }

    /// `XDP_FLAGS_DRV_MODE`, `XDP_FLAGS_SKB_MODE` or `BPF_F_BEFORE`.
    const fn flags(self) -> u32 {
        match self {
            Self::Native => 1 << 2,
            Self::Generic => 1 << 1,
            Self::Ingress | Self::Egress => 1 << 3,
        }
    }
}

/// `link_create` of `union bpf_attr`, up to what a place before all others needs.
#[derive(Clone, Copy, NoUninit, Zeroable)]
#[repr(C)]
struct Request {
    program: i32,
    interface: u32,
    kind: u32,
    flags: u32,
    /// Before which program: none in particular.
    relative: u32,
    unused: u32,
    revision: u64,
}

/// Has a program run on the interface of that number until the link is closed.
///
/// # Errors
/// What the kernel answered. It does not replace another XDP program.
pub(super) fn create(program: &impl AsFd, interface: u32, hook: Hook) -> io::Result<OwnedFd> {
    let request = Request {
        program: program.as_fd().as_raw_fd(),
        interface,
        kind: hook.kind(),
        flags: hook.flags(),
        ..Request::zeroed()
    };
    let size = size_of::<Request>();
    #[expect(unsafe_code, reason = "no crate here makes links and nothing but links")]
    // SAFETY: the kernel reads `size` initialised bytes.
    let link = unsafe { libc::syscall(libc::SYS_bpf, CREATE, &raw const request, size) };
    if link < 0 {
        return Err(io::Error::last_os_error());
    }
    #[expect(unsafe_code, reason = "the descriptor is new")]
    // SAFETY: nobody else owns it.
    Ok(unsafe { OwnedFd::from_raw_fd(link as i32) })
}
