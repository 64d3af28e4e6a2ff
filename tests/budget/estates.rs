//! What the detectors keep of an asset: ten thousand of them fit into 200 MB.

use std::net::{IpAddr, Ipv4Addr};

use egret::config::Config;
use egret::decode::{Mac, Vlans, protocol};
use egret::detect::Engine;
use egret::event::{
    Body, DnsAnswer, DnsData, DnsMessage, DnsQuestion, DnsTransport, Endpoint, Event, Flow, Ja4,
    TlsSession, Traffic, Volume,
};
use egret::time::Timestamp;
use stats_alloc::Region;

use super::{ALLOCATOR, alone};

/// What assets may take, in bytes, and how many they are.
const ALL: usize = 200_000_000;
const MANY: usize = 10_000;
/// What there is once for all: two generations of DNS answers and one of networks, as hashes; what 4,096
/// names stand for, 32 bytes each, and the networks that 1,024 names lead to, 24 bytes each.
const SHARED: usize = (3 << 22) + 4096 * 32 + 1024 * 24;
/// Uploads that are looked at closely, for all assets together: 16,384 of 530 bytes and their place in
/// a tree. Few assets have more of them each than ten thousand could, so that the test lets them end.
const CASES: usize = 16_384 * 560;
/// Slots of the flow table: what a slot takes is not an asset's.
const SLOTS: u64 = 16;
/// Assets of an estate that is measured.
const ASSETS: u32 = 64;
const HOUR: u64 = 3600;
/// A whole number of weeks since the epoch.
const START: u64 = 2_900 * 7 * 86_400;

struct Estate {
    engine: Engine,
    flows: u64,
}

impl Estate {
    fn event(&mut self, seconds: u64, [client, server]: [IpAddr; 2], ports: [u16; 2], body: Body) {
        let end = |address: IpAddr, port| {
            let IpAddr::V4(v4) = address else { unreachable!("all are IPv4") };
            let [_, b, c, d] = v4.octets();
            let mac = (v4.octets()[0] == 10).then_some(Mac([0, 0x50, 0x56, 0x80 | b, c, d]));
            Endpoint { address, port, mac }
        };
        let time = Timestamp::from_parts(START + seconds, 0);
        let flow = Flow {
            id: self.flows,
            slot: (self.flows % SLOTS) as u32,
            client: end(client, ports[0]),
            server: end(server, ports[1]),
            protocol: protocol::TCP,
            vlans: Vlans::new(),
            interface: None,
            tunnel: None,
            opened: time,
        };
        self.engine.event(&Event { time, flow, body });
        self.engine.drain_alerts().for_each(drop);
    }

    fn moved(&mut self, seconds: u64, ends: [IpAddr; 2], ports: [u16; 2], bytes: [u64; 2]) {
        let [to_server, to_client] = bytes.map(|bytes| Traffic { packets: 1, bytes });
        let since = Timestamp::from_parts(START + seconds, 0);
        let volume = Volume { since, to_server, to_client, tcp_flags: None, one_in: None };
        self.event(seconds, ends, ports, Body::Volume(volume));
    }

    /// A look-up and a session to one of the usual places, or of the asset's own.
    fn visit(&mut self, seconds: u64, client: IpAddr, place: u32, name: &str) {
        let server = Ipv4Addr::from_bits(0xc633_0000 + place * 256 + 7).into();
        let name: std::sync::Arc<str> = name.into();
        let answer =
            DnsAnswer { name: name.clone(), rtype: 1, ttl: 60, data: DnsData::Address(server) };
        let message = DnsMessage {
            id: 1,
            response: true,
            flags: 0x8180,
            transport: DnsTransport::Udp,
            asked: true,
            questions: vec![DnsQuestion { name: name.clone(), rtype: 1 }],
            answers: vec![answer],
            authorities: Vec::new(),
            additionals: Vec::new(),
            incomplete: false,
        };
        let resolver = Ipv4Addr::new(10, 0, 0, 53).into();
        self.flows += 1;
        self.event(seconds, [client, resolver], [5353, 53], Body::Dns(Box::new(message)));
        self.flows += 1;
        let ja4 = Ja4::from("t13d1516h2_8daaf6152771_e5627efa2ab1").ok();
        let session = TlsSession { sni: Some(name), ja4, ..TlsSession::default() };
        self.event(seconds, [client, server], [40_000, 443], Body::Hello(Box::new(session)));
        self.moved(seconds, [client, server], [40_000, 443], [30_000, 400_000]);
    }

    /// Two weeks of assets of their own numbers: each moves data every hour in both directions inside
    /// and outside, has a nightly backup, and reaches 40 places again and again. Then a day and a half on
    /// which nobody goes outside.
    fn two_weeks(&mut self, first: u32) {
        let assets = first..first + ASSETS;
        let address = |number: u32| IpAddr::V4(Ipv4Addr::from_bits(0x0a01_0000 + number));
        let server = IpAddr::V4(Ipv4Addr::new(10, 0, 0, 20));
        let outside = IpAddr::V4(Ipv4Addr::from_bits(0xc633_0007));
        let end = 14 * 24;
        for (half, asset) in
            (0..2 * (end + 36)).flat_map(|half| assets.clone().map(move |of| (half, of)))
        {
            // One after the other: when nothing is seen for long, nothing is learned.
            let at = half * HOUR / 2 + u64::from(asset - first) * HOUR / 2 / u64::from(ASSETS);
            let (hour, client) = (half / 2, address(asset));
            self.flows += 1;
            let much = if hour % 24 == 2 { 2_000_000_000 } else { 9_000_000 };
            self.moved(at, [client, server], [40_001, 445], [much, 5_000_000]);
            if hour >= end {
                continue;
            }
            self.flows += 1;
            if half % 6 == 0 {
                let place = (half / 6) as u32 % 40;
                // Half of the places are everybody's.
                let own = if place.is_multiple_of(2) { 0 } else { asset };
                let name = format!("www.place-{place}-{own}.example");
                self.visit(at + 10, client, place * 4 + own, &name);
            }
            self.moved(at + 20, [client, outside], [40_002, 443], [2_000_000, 9_000_000]);
        }
    }
}

/// Fails when what is kept of an asset grows beyond its part of 200 MB.
#[test]
fn ten_thousand_assets_fit_in_200_megabytes() {
    let _alone = alone();
    let mut estate = Estate { engine: Engine::new(&Config::default(), None, None), flows: 0 };
    let region = Region::new(ALLOCATOR);
    estate.two_weeks(256);
    let change = region.change();
    let grown = change.bytes_allocated - change.bytes_deallocated;
    let each = grown.saturating_sub(SHARED) / ASSETS as usize;
    let all = each * MANY + SHARED + CASES;
    println!("{each} bytes an asset, {all} for {MANY}");
    assert!(each >= 4_000 && all <= ALL, "{each} bytes an asset, {all} for {MANY}");
}
