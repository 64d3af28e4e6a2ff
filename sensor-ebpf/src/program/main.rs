//! The kernel programs: every packet is counted in its flow's slot, or handed up whole where it is
//! worth reading. (`cargo xtask ebpf` builds them; `egret::capture::xdp` loads them.)
#![no_std]
#![no_main]
#![cfg_attr(target_arch = "bpf", feature(asm_experimental_arch))]
#![allow(unsafe_code, reason = "a kernel program reads packets and maps through pointers")]
#![allow(
    missing_docs,
    unreachable_pub,
    clippy::needless_pass_by_value,
    reason = "nothing here is called but by the kernel"
)]

use aya_ebpf::bindings::xdp_action::{XDP_DROP, XDP_PASS};
use aya_ebpf::macros::{classifier, xdp};
use aya_ebpf::programs::{TcContext, XdpContext};
use egret_ebpf::action;

mod context;
mod crowding;
mod cursor;
mod duplicates;
mod family;
mod flow;
mod hand_up;
mod interest;
mod ip;
mod link;
mod maps;
mod overflow;
mod packet;
mod table;
mod tunnel;

use context::{Skb, Xdp};

/// Gives the packet to the next program, and to the stack after the last (`TCX_NEXT`, `TC_ACT_UNSPEC`).
const NEXT: i32 = -1;

/// At a network card. On a mirror port packets end here, but those for this host itself.
#[xdp(frags)]
fn egret_xdp(context: XdpContext) -> u32 {
    let frame = Xdp::new(context.ctx);
    let control = maps::control();
    packet::count(&frame, &control);
    if control.action == action::PASS || frame.is_to_this_host() { XDP_PASS } else { XDP_DROP }
}

/// In the path of packets, which go on untouched.
#[classifier]
fn egret_tc(context: TcContext) -> i32 {
    packet::count(&Skb::new(context.skb.skb), &maps::control());
    NEXT
}

/// What the kernel is told: its helpers that only GPL programs may call are not used.
#[unsafe(link_section = "license")]
#[unsafe(no_mangle)]
static LICENSE: [u8; 11] = *b"Apache-2.0\0";

#[panic_handler]
fn panic(_: &core::panic::PanicInfo<'_>) -> ! {
    loop {}
}
