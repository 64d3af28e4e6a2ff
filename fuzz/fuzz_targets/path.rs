//! What several flows send, in whatever order and pieces, from the flow table to lines of EVE JSON.
//!
//! Each packet is four bytes and a payload: what it is (see [`Kind`]), how far its sequence number is
//! from the one that follows what was sent, and the payload's length.

#![no_main]

use std::net::{IpAddr, Ipv4Addr};
use std::time::Duration;

use egret::decode::{Packet, Tcp, Vlans, protocol, tcp_flags};
use egret::eve;
use egret::event::Event;
use egret::flow::Table;
use egret::observe::{Reader, Sink, Wanted};
use egret::time::Timestamp;
use libfuzzer_sys::fuzz_target;

/// Ports whose protocols are read.
const PORTS: [u16; 8] = [443, 53, 5353, 25, 389, 5432, 3128, 143];

/// Bits of a packet's first byte; those between are the server's port.
mod kind {
    pub const FROM_SERVER: u8 = 1;
    pub const UDP: u8 = 2;
    pub const SYN: u8 = 0x20;
    pub const CUT: u8 = 0x40;
    pub const LATER: u8 = 0x80;
}

struct Lines(Vec<u8>, eve::Writer);

impl Sink for Lines {
    fn event(&mut self, event: Event) {
        self.1.event(&event, &mut self.0);
    }
}

fuzz_target!(|bytes: &[u8]| {
    let mut rest = bytes;
    let (mut table, mut lines) =
        (Table::new(16).unwrap(), Lines(Vec::new(), eve::Writer::default()));
    let mut reader = Reader::new(Wanted::All);
    let mut time = Timestamp::from_nanos(1 << 60);
    let mut next = [[0_u32; 2]; PORTS.len()];
    while let Some((&[what, ahead, l0, l1], after)) = rest.split_first_chunk() {
        let length = usize::from(u16::from_be_bytes([l0, l1])).min(after.len());
        let (payload, after) = after.split_at(length);
        rest = after;
        time = time.plus(Duration::from_secs(if what & kind::LATER != 0 { 10 } else { 0 }));
        let server = usize::from(what >> 2 & 7);
        let from_server = what & kind::FROM_SERVER != 0;
        let next = &mut next[server][usize::from(from_server)];
        let sequence = next.wrapping_add_signed(i32::from(ahead as i8));
        let is_syn = what & kind::SYN != 0;
        *next = sequence.wrapping_add(length as u32).wrapping_add(u32::from(is_syn)).max(*next);
        let flags = if is_syn { tcp_flags::SYN } else { tcp_flags::ACK };
        let udp = what & kind::UDP != 0;
        let mut ends = [([10, 20, 0, 5], 40_000), ([203, 0, 113, 7], PORTS[server])];
        if from_server {
            ends.reverse();
        }
        let [source, destination] = ends.map(|(address, _)| IpAddr::V4(Ipv4Addr::from(address)));
        let wire_len = length as u32 + u32::from(what & kind::CUT != 0);
        let packet = Packet {
            time,
            wire_len: 54 + wire_len,
            macs: None,
            vlans: Vlans::new(),
            source,
            destination,
            protocol: if udp { protocol::UDP } else { protocol::TCP },
            ports: ends.map(|(_, port)| port),
            tcp: (!udp).then_some(Tcp { sequence, flags }),
            fragment: None,
            payload,
            payload_wire_len: wire_len,
            ip: &[],
            cut: 0,
            copy: false,
            place: 0,
            mark: None,
            tunnel: None,
        };
        table.burst(&[packet], &mut reader.observing(&mut lines));
        reader.expire(time, &mut lines);
    }
    table.finish(&mut reader.observing(&mut lines));
    check(&lines.0);
});

/// Every event is a line of JSON, and nothing in it acts on a terminal.
fn check(lines: &[u8]) {
    let lines = std::str::from_utf8(lines).unwrap();
    for line in lines.lines() {
        let event: serde_json::Value = serde_json::from_str(line).unwrap();
        assert!(event["event_type"].is_string());
        let acts = |c: char| {
            c.is_control()
                || matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
        };
        assert!(!line.contains(acts), "{line}");
        fn all_text(value: &serde_json::Value, acts: &impl Fn(char) -> bool) -> bool {
            match value {
                serde_json::Value::String(text) => !text.contains(acts),
                serde_json::Value::Array(all) => all.iter().all(|value| all_text(value, acts)),
                serde_json::Value::Object(all) => all.values().all(|value| all_text(value, acts)),
                _ => true,
            }
        }
        assert!(all_text(&event, &acts), "{line}");
    }
}
