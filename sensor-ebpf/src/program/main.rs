//! The kernel programs: every packet counted in its flow's slot, and what is worth reading handed up.
#![no_std]
#![no_main]
#![allow(unsafe_code, reason = "a kernel program reads packets and maps through pointers")]
#![allow(missing_docs, unreachable_pub, reason = "nothing here is called but by the kernel")]

use aya_ebpf::bindings::xdp_action::XDP_PASS;
use aya_ebpf::macros::xdp;
use aya_ebpf::programs::XdpContext;

/// XDP.
#[xdp(frags)]
pub fn egret_xdp(_context: XdpContext) -> u32 {
    XDP_PASS
}

/// What the kernel is told: its helpers that only GPL programs may call are not used.
#[unsafe(link_section = "license")]
#[unsafe(no_mangle)]
static LICENSE: [u8; 11] = *b"Apache-2.0\0";

#[panic_handler]
fn panic(_: &core::panic::PanicInfo<'_>) -> ! {
    loop {}
}
