//! One frame: its link type in the first two bytes, then what was captured of it; read as what is no IP,
//! too, and as a message of DHCP.

#![no_main]

use egret::capture::{Frame, LinkType};
use egret::decode::{arp, dhcp, packet};
use egret::time::Timestamp;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: (u16, &[u8])| {
    let (link, bytes) = (LinkType(input.0), input.1);
    let wire_len = bytes.len() as u32;
    let frame = Frame { time: Timestamp::ZERO, wire_len, link, vlan: None, mark: None, bytes };
    let _ = packet(&frame);
    let _ = arp::read(&frame);
    let _ = dhcp::read(bytes);
});
