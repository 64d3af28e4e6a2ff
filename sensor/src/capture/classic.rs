//! Classic BPF on sockets: how much of each packet passes.

use std::io;
use std::os::fd::{AsRawFd, BorrowedFd};

/// Lets the first `length` bytes of whatever comes to a socket pass, or with 0 nothing at all.
pub(super) fn pass(socket: BorrowedFd<'_>, length: u32) -> io::Result<()> {
    let mut instruction =
        libc::sock_filter { code: (libc::BPF_RET | libc::BPF_K) as u16, jt: 0, jf: 0, k: length };
    let program = libc::sock_fprog { len: 1, filter: &raw mut instruction };
    let (pointer, size) = ((&raw const program).cast(), size_of::<libc::sock_fprog>() as u32);
    let (socket, option) = (socket.as_raw_fd(), libc::SO_ATTACH_FILTER);
    #[expect(unsafe_code, reason = "no crate here has classic BPF")]
    // SAFETY: the kernel reads the one instruction that `program` points to, and copies it.
    let result = unsafe { libc::setsockopt(socket, libc::SOL_SOCKET, option, pointer, size) };
    if result == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
}
