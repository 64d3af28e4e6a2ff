//! An XDP program that is somebody else's.

use std::ffi::c_long;
use std::io;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};

use rustix::net::{AddressFamily, SocketType, netdevice, socket};

use super::Namespace;

/// Lets every frame pass on an interface, for as long as this lives.
#[derive(Debug)]
pub struct Program {
    _program: OwnedFd,
    _link: OwnedFd,
}

/// `BPF_PROG_LOAD` with a program of XDP, as far as it is used (`linux/bpf.h`).
#[repr(C)]
struct Load {
    kind: u32,
    count: u32,
    instructions: u64,
    license: u64,
    rest: [u64; 8],
}

/// `BPF_LINK_CREATE` likewise.
#[repr(C)]
struct Create {
    program: u32,
    interface: u32,
    kind: u32,
    flags: u32,
    rest: [u64; 4],
}

impl Program {
    /// Puts it on `interface` of `namespace`, in the driver.
    ///
    /// # Panics
    /// When the kernel refuses.
    pub fn new(namespace: &Namespace, interface: &str) -> Self {
        const LINK_CREATE: i32 = 28;
        const XDP: u32 = 37;
        const IN_THE_DRIVER: u32 = 1 << 2;
        // r0 = XDP_PASS; exit
        let instructions = [0x0000_0002_0000_00b7, 0x95];
        namespace.enter(|| {
            let program = load(&instructions).expect("a program of two instructions");
            let any = socket(AddressFamily::INET, SocketType::DGRAM, None).expect("a socket");
            let create = Create {
                program: program.as_raw_fd() as u32,
                interface: netdevice::name_to_index(&any, interface).expect("it is there"),
                kind: XDP,
                flags: IN_THE_DRIVER,
                rest: [0; 4],
            };
            let link = bpf(LINK_CREATE, &create).expect("no other program is there");
            Self { _program: program, _link: link }
        })
    }
}

/// Has the kernel take a program of XDP.
pub(super) fn load(instructions: &[u64]) -> io::Result<OwnedFd> {
    const PROG_LOAD: i32 = 5;
    const PROG_TYPE_XDP: u32 = 6;
    let load = Load {
        kind: PROG_TYPE_XDP,
        count: instructions.len() as u32,
        instructions: instructions.as_ptr() as u64,
        license: c"GPL".as_ptr() as u64,
        rest: [0; 8],
    };
    bpf(PROG_LOAD, &load)
}

/// Asks the kernel for something.
pub(super) fn ask<T>(command: i32, attributes: &T) -> io::Result<i32> {
    #[expect(unsafe_code, reason = "bpf(2) has no safe form")]
    // SAFETY: the kernel reads so many bytes, and what they point to lives through the call.
    let result: c_long = unsafe {
        libc::syscall(libc::SYS_bpf, command, std::ptr::from_ref(attributes), size_of::<T>())
    };
    let result = i32::try_from(result).ok().filter(|result| *result >= 0);
    result.ok_or_else(io::Error::last_os_error)
}

/// Asks the kernel for something that it gives a descriptor for.
fn bpf<T>(command: i32, attributes: &T) -> io::Result<OwnedFd> {
    let descriptor = ask(command, attributes)?;
    #[expect(unsafe_code, reason = "the descriptor comes as a number")]
    // SAFETY: it is new, and nobody else's.
    Ok(unsafe { OwnedFd::from_raw_fd(descriptor) })
}
