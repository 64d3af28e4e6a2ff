//! Floods into a small table: memory stays where it is, what gives way is counted, and who was there
//! before is not forgotten.

use std::net::{IpAddr, Ipv4Addr};
use std::time::Duration;

use egret::decode::{Packet, Tcp, Vlans, protocol, tcp_flags};
use egret::event::{AccountReason, Body, Event};
use egret::flow::Table;
use egret::observe::{Reader, Sink, Wanted};
use egret::time::Timestamp;
use egret_tests::rng::Rng;
use stats_alloc::Region;

use super::{ALLOCATOR, alone};

/// Flows that the table has room for.
const ROOM: usize = 4096;

/// Flows of a flood; ten million where there is time.
fn flood() -> u32 {
    std::env::var("EGRET_FLOOD").map_or(400_000, |count| count.parse().unwrap())
}

/// What is told of the conversation that was there before.
#[derive(Default)]
struct Honest {
    accounted: u64,
    volumes: u64,
    names: Vec<String>,
    ends: Vec<AccountReason>,
}

impl Sink for Honest {
    fn event(&mut self, event: Event) {
        if (event.flow.client.port, event.flow.server.port) != (40_000, 443) {
            return;
        }
        match event.body {
            Body::Account(account) => {
                self.accounted += account.to_server.bytes + account.to_client.bytes;
                self.ends.push(account.reason);
            }
            Body::Volume(volume) => self.volumes += volume.to_server.bytes + volume.to_client.bytes,
            Body::Tls(session) => self.names.extend(session.sni.map(|name| name.to_string())),
            _ => {}
        }
    }
}

fn packet<'a>(
    at: Timestamp,
    [source, destination]: [u32; 2],
    ports: [u16; 2],
    tcp: Option<Tcp>,
    payload: &'a [u8],
) -> Packet<'a> {
    let address = |number| IpAddr::V4(Ipv4Addr::from_bits(number));
    Packet {
        time: at,
        wire_len: 54 + payload.len() as u32,
        macs: None,
        vlans: Vlans::new(),
        source: address(source),
        destination: address(destination),
        protocol: if tcp.is_some() { protocol::TCP } else { protocol::UDP },
        ports,
        tcp,
        fragment: None,
        payload,
        payload_wire_len: payload.len() as u32,
        ip: &[],
        cut: 0,
        copy: false,
        place: 0,
        mark: None,
        tunnel: None,
    }
}

/// A ClientHello of TLS 1.2 for `a.example`, in a record.
fn hello() -> Vec<u8> {
    let sni = b"\0\0\0\x0e\0\x0c\0\0\x09a.example";
    let body = [&[3, 3][..], &[7; 32], b"\0\0\x02\x13\x01\x01\0\0\x12", sni].concat();
    let length = body.len() as u8;
    [&[22, 3, 1, 0, length + 4, 1, 0, 0, length][..], &body].concat()
}

/// Fails when a flood of spoofed SYNs and datagrams makes the table grow, loses count of what gives
/// way, or pushes out a conversation that goes on meanwhile: its bytes must add up, in accounts and in
/// volumes, and its ClientHello, which comes in two parts with a flood between them, must be read.
#[test]
fn a_flood_of_flows() {
    let _alone = alone();
    let (mut table, mut honest) = (Table::new(ROOM).unwrap(), Honest::default());
    let mut reader = Reader::new(Wanted::All);
    let mut rng = Rng::new(9);
    let mut now = Timestamp::from_nanos(1 << 60);
    let (us, hello) = ([0x0a14_0005, 0xcb00_7107], hello());
    let (first, rest) = hello.split_at(30);
    let (mut sent, mut sequence, mut settled) = (0, 2, None);
    for number in 0..flood() {
        // A million a second: what lasts meets many ticks only where the flood is long.
        now = now.plus(Duration::from_micros(1));
        let noise = [rng.next() as u32, 0x0a14_0006];
        let ports = [rng.next() as u16, [80, 9000][number as usize % 2]];
        let tcp = Tcp { sequence: rng.next() as u32, flags: tcp_flags::SYN };
        let tcp = (number % 2 == 0).then_some(tcp);
        table.burst(&[packet(now, noise, ports, tcp, b"")], &mut reader.observing(&mut honest));
        let turn = number % 500;
        let (flags, payload): (u8, &[u8]) = match (number, turn) {
            (0, _) => (tcp_flags::SYN, b""),
            (500, _) => (tcp_flags::ACK, first),
            (50_000, _) => (tcp_flags::ACK, rest),
            (_, 0) => (tcp_flags::ACK, b""),
            _ => continue,
        };
        let up = Some(Tcp { sequence: sequence - u32::from(number == 0), flags });
        let down = Some(Tcp { sequence: 7, flags: tcp_flags::ACK });
        sequence += payload.len() as u32;
        let packets = [
            packet(now, us, [40_000, 443], up, payload),
            packet(now, [us[1], us[0]], [443, 40_000], down, b""),
        ];
        sent += packets.iter().map(|packet| u64::from(packet.wire_len)).sum::<u64>();
        table.burst(&packets, &mut reader.observing(&mut honest));
        if number == 100_000 {
            settled = Some(Region::new(ALLOCATOR));
        }
    }
    let change = settled.unwrap().change();
    let grown = change.bytes_allocated as i64 - change.bytes_deallocated as i64;
    assert!(grown < 1 << 20, "{grown} bytes more after the table was full");
    let stats = table.stats();
    assert_eq!((stats.opened - stats.evicted, table.active()), (ROOM as u64, ROOM));
    table.finish(&mut reader.observing(&mut honest));
    assert_eq!((honest.accounted, honest.volumes), (sent, sent));
    assert_eq!(honest.ends, [AccountReason::Shutdown]);
    assert_eq!(honest.names, ["a.example"]);
}

/// Fails when what flows keep of unfinished openings, in order or behind a gap, grows beyond its bound:
/// each of these flows sends as little as makes the sensor keep something.
#[test]
fn a_flood_of_openings_that_never_end() {
    let _alone = alone();
    let flows = (flood() / 2).min(1 << 20);
    let (mut table, mut honest) = (Table::new(flows as usize).unwrap(), Honest::default());
    let mut reader = Reader::new(Wanted::All);
    let now = Timestamp::from_nanos(1 << 60);
    let region = Region::new(ALLOCATOR);
    for flow in 0..flows {
        let ends = [flow, 0x0a14_0006];
        let segment = |sequence, bytes| {
            packet(now, ends, [1, 80], Some(Tcp { sequence, flags: tcp_flags::ACK }), bytes)
        };
        let mut packets = vec![segment(1, &[22_u8][..])];
        packets.extend((0..12).map(|n| segment(100 + 2 * n, b"x")));
        table.burst(&packets, &mut reader.observing(&mut honest));
    }
    let change = region.change();
    let held = change.bytes_allocated - change.bytes_deallocated;
    let per_flow = 512 * flows as usize;
    assert!(held < per_flow + (128 << 20), "{held} bytes for {flows} flows");
    assert!(flows < 1 << 16 || table.stats().streams_evicted > 0);
}
