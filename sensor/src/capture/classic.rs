//! Classic BPF on sockets: how much of each packet passes, and who takes it.

use std::io;
use std::os::fd::{AsRawFd, BorrowedFd};

use libc::sock_filter;

mod program;

pub(super) use program::{Label, Program, Step, step};

/// Lets the first `length` bytes of whatever comes to a socket pass, or with 0 nothing at all.
pub(super) fn pass(socket: BorrowedFd<'_>, length: u32) -> io::Result<()> {
    let code = (libc::BPF_RET | libc::BPF_K) as u16;
    let instruction = sock_filter { code, jt: 0, jf: 0, k: length };
    give(socket, libc::SOL_SOCKET, libc::SO_ATTACH_FILTER, &[instruction])
}

/// Gives a socket a program, by the option that says what it is for.
pub(super) fn give(
    socket: BorrowedFd<'_>,
    level: i32,
    option: i32,
    instructions: &[sock_filter],
) -> io::Result<()> {
    let filter = instructions.as_ptr().cast_mut();
    let program = libc::sock_fprog { len: instructions.len() as u16, filter };
    let (pointer, size) = ((&raw const program).cast(), size_of::<libc::sock_fprog>() as u32);
    #[expect(unsafe_code, reason = "no crate here has classic BPF")]
    // SAFETY: the kernel reads the instructions that `program` points to and counts, and copies them.
    let result = unsafe { libc::setsockopt(socket.as_raw_fd(), level, option, pointer, size) };
    if result == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
}
