//! Frames to be damaged: of each protocol, of each kind of tunnel, of an estate's day.

use std::path::Path;

use egret::capture::{Burst, LinkType, Progress, Source, file};
use egret_tests::dns::{self, Data, Record, rcode, rtype};
use egret_tests::rng::Rng;
use egret_tests::tls::{Client, Openings};
use egret_tests::traffic::{START, Traffic, end, path};

/// Frames that are read one after another.
pub(crate) struct Fixture {
    pub(crate) name: String,
    pub(crate) link: LinkType,
    pub(crate) frames: Vec<Vec<u8>>,
    /// So many of the first bytes are its own; what follows is in other fixtures, too.
    pub(crate) own: usize,
}

impl Fixture {
    fn new(name: impl Into<String>, link: LinkType, frames: Vec<Vec<u8>>) -> Self {
        Self { name: name.into(), link, frames, own: 0 }
    }
}

/// The frames of a pcap file in the byte order that the generators write.
fn frames(capture: &[u8]) -> Vec<Vec<u8>> {
    let mut rest = &capture[24..];
    let mut frames = Vec::new();
    while let Some((header, after)) = rest.split_first_chunk::<16>() {
        let length = header[8..].first_chunk().map_or(0, |bytes| u32::from_le_bytes(*bytes));
        let (bytes, after) = after.split_at(length as usize);
        frames.push(bytes.to_vec());
        rest = after;
    }
    frames
}

/// One frame each.
pub(crate) fn single() -> Vec<Fixture> {
    let query = dns::query(7, "a.example", rtype::A);
    let mut made = vec![
        ("client hello", hello(Client::Agent), 200),
        ("dns query", message(&query, 53), 80),
        ("dns response", message(&answers(), 53), 200),
        ("mdns", message(&answers(), 5353), 60),
        ("vlan and ipv6", tagged_ipv6(&query), 150),
    ];
    made.extend(tunnels(&message(&query, 53)).into_iter().map(|(name, frame)| (name, frame, 64)));
    let ethernet = LinkType::ETHERNET;
    let mut all: Vec<Fixture> = made
        .into_iter()
        .map(|(name, frame, own)| Fixture { own, ..Fixture::new(name, ethernet, vec![frame]) })
        .collect();
    for (name, link, header) in links() {
        let own = header.len() + 4;
        let ip = &message(&query, 53)[14..];
        let frame = [&header, ip].concat();
        all.push(Fixture { own, ..Fixture::new(name, link, vec![frame]) });
    }
    all
}

/// Conversations: what is kept of one frame meets the next.
pub(crate) fn sequences() -> Vec<Fixture> {
    let ethernet = LinkType::ETHERNET;
    [Client::Agent, Client::Browser, Client::Legacy]
        .map(|client| Fixture::new(format!("{client:?}"), ethernet, handshake(client)))
        .into_iter()
        .chain([
            Fixture::new("dns over tcp", ethernet, dns_over_tcp()),
            Fixture::new("fragments", ethernet, fragments(&answers())),
            Fixture::new("segments in reverse", ethernet, reversed()),
        ])
        .collect()
}

/// Frames of an estate's day, drawn at random, each for itself.
pub(crate) fn drawn(count: usize) -> Vec<Fixture> {
    let demo = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/captures/demo.pcap.gz");
    draw(&demo, count, &mut Rng::new(5))
}

/// Frames drawn from the captures of a corpus, where `EGRET_CORPUS` names one.
pub(crate) fn of_corpus(files: u64) -> Vec<Fixture> {
    let Some(corpus) = std::env::var_os("EGRET_CORPUS") else { return Vec::new() };
    let mut rng = Rng::new(11);
    let mut paths = Vec::new();
    for group in std::fs::read_dir(Path::new(&corpus).join("pcaps")).unwrap() {
        let files = std::fs::read_dir(group.unwrap().path()).unwrap();
        paths.extend(files.map(|file| file.unwrap().path()));
    }
    paths.sort();
    let drawn = (0..files).map(|_| rng.pick(&paths).clone()).collect::<Vec<_>>();
    drawn.iter().flat_map(|path| draw(path, 3, &mut rng)).collect()
}

fn draw(capture: &Path, count: usize, rng: &mut Rng) -> Vec<Fixture> {
    let Ok(mut files) = file::open(&[capture.to_owned()]) else { return Vec::new() };
    let mut all = Vec::new();
    loop {
        let mut burst = Burst::new();
        let progress = files.burst(&mut burst);
        for frame in burst.iter().filter(|frame| frame.bytes.len() > 60) {
            all.push((frame.link, frame.bytes.to_vec()));
        }
        if !matches!(progress, Ok(Progress::More)) || all.len() > 5000 {
            break;
        }
    }
    let name = capture.display();
    (0..count.min(all.len()))
        .map(|_| rng.below(all.len() as u64) as usize)
        .map(|at| Fixture::new(format!("{name} {at}"), all[at].0, vec![all[at].1.clone()]))
        .collect()
}

fn handshake(client: Client) -> Vec<Vec<u8>> {
    let mut traffic = Traffic::default();
    let to = path(end("10.20.0.11", 40_000), end("203.0.113.5", 443));
    let mut tcp = traffic.tcp(START, to);
    for flight in Openings::default().open(client, Some("www.example.com"), &mut Rng::new(3)) {
        tcp.send(flight.from_client, &flight.bytes);
    }
    frames(&traffic.pcap())
}

fn hello(client: Client) -> Vec<u8> {
    handshake(client).into_iter().find(|frame| frame.len() > 100).unwrap()
}

/// One record of every kind that the generator writes.
fn answers() -> Vec<u8> {
    let asked = "www.example.com";
    let target = "host.example.com".to_owned();
    let data = [
        Data::Cname("cdn.example.net".into()),
        Data::A([203, 0, 113, 5].into()),
        Data::Aaaa("2001:db8::1".parse().unwrap()),
        Data::Ptr("host.example.com".into()),
        Data::Txt("v=spf1 -all".into()),
        Data::Srv { priority: 1, weight: 2, port: 5060, target: target.clone() },
        Data::Https { priority: 1, target, port: Some(8443), hints: vec![[1, 2, 3, 4].into()] },
    ];
    let answers = data.map(|data| Record { name: asked.into(), ttl: 60, data });
    dns::response(7, asked, rtype::A, rcode::NO_ERROR, &answers)
}

/// A datagram to or from a port of DNS.
fn message(payload: &[u8], port: u16) -> Vec<u8> {
    let mut traffic = Traffic::default();
    let way = path(end("10.0.0.53", port), end("10.20.0.11", port.max(5353)));
    traffic.datagram(START, &way, payload);
    frames(&traffic.pcap()).swap_remove(0)
}

fn dns_over_tcp() -> Vec<Vec<u8>> {
    let mut traffic = Traffic::default();
    let mut tcp = traffic.tcp(START, path(end("10.20.0.11", 40_000), end("10.0.0.53", 53)));
    let query = dns::query(7, "www.example.com", rtype::A);
    tcp.send(true, &[&(query.len() as u16).to_be_bytes()[..], &query].concat());
    let answer = [&(answers().len() as u16).to_be_bytes()[..], &answers()].concat();
    let (first, rest) = answer.split_at(100);
    tcp.send(false, first);
    tcp.send(false, rest);
    frames(&traffic.pcap())
}

/// A ClientHello in small segments, the last one first.
fn reversed() -> Vec<Vec<u8>> {
    let hello = hello(Client::Agent);
    let (header, payload) = hello.split_at(54);
    let mut frames: Vec<Vec<u8>> = payload
        .chunks(40)
        .enumerate()
        .map(|(number, part)| {
            let mut frame = [header, part].concat();
            frame[16..18].copy_from_slice(&(40 + part.len() as u16).to_be_bytes());
            let sequence = u32::from_be_bytes(*header[38..].first_chunk().unwrap());
            let sequence = sequence.wrapping_add(40 * number as u32);
            frame[38..42].copy_from_slice(&sequence.to_be_bytes());
            frame
        })
        .collect();
    frames[1..].reverse();
    frames
}

/// A datagram from a port of DNS in three IP fragments.
fn fragments(payload: &[u8]) -> Vec<Vec<u8>> {
    let whole = message(payload, 53);
    let (header, datagram) = whole.split_at(34);
    let datagram = &datagram[..8 + payload.len()];
    let count = datagram.chunks(80).count();
    let fragment = |(number, part): (usize, &[u8])| {
        let mut frame = [header, part].concat();
        let more = if number + 1 < count { 0x2000 } else { 0 };
        frame[16..18].copy_from_slice(&(20 + part.len() as u16).to_be_bytes());
        frame[20..22].copy_from_slice(&((10 * number as u16) | more).to_be_bytes());
        frame
    };
    datagram.chunks(80).enumerate().map(fragment).collect()
}

/// A frame in every kind of tunnel, and in more of them than are gone through.
fn tunnels(frame: &[u8]) -> Vec<(&'static str, Vec<u8>)> {
    let ip = &frame[14..];
    let gpe = [0x0c, 0, 0, 3, 0, 0x13, 0x88, 0];
    let geneve = [1, 0, 0x65, 0x58, 0, 0x13, 0x88, 0, 1, 2, 3, 0];
    let erspan_iii = [0x10, 0, 0x22, 0xeb, 0, 0, 0, 1, 0x20, 1, 0, 9, 0, 0, 0, 0, 0, 0, 0, 0];
    let [g0, g1] = (ip.len() as u16).to_be_bytes();
    let mut bomb = ip.to_vec();
    for _ in 0..20 {
        bomb = outer(47, &[0x20, 0, 8, 0, 0, 0, 0, 9], &bomb)[14..].to_vec();
    }
    vec![
        ("vxlan", outer(17, &datagram(4789, &[8, 0, 0, 0, 0, 0x13, 0x88, 0], frame), &[])),
        ("vxlan-gpe", outer(17, &datagram(4790, &gpe, frame), &[])),
        ("geneve", outer(17, &datagram(6081, &geneve, frame), &[])),
        ("gtp-u", outer(17, &datagram(2152, &[0x30, 0xff, g0, g1, 0, 0, 0, 7], ip), &[])),
        ("gre", outer(47, &[0x20, 0, 8, 0, 0, 0, 0, 9], ip)),
        ("nvgre", outer(47, &[0x20, 0, 0x65, 0x58, 0, 0, 9, 0], frame)),
        ("erspan i", outer(47, &[0, 0, 0x88, 0xbe], frame)),
        (
            "erspan ii",
            outer(47, &[0x10, 0, 0x88, 0xbe, 0, 0, 0, 1, 0x10, 1, 0, 0x64, 0, 0, 0, 0], frame),
        ),
        ("erspan iii", outer(47, &erspan_iii, frame)),
        ("ip in ip", outer(4, &[], ip)),
        ("tunnel bomb", outer(4, &[], &bomb)),
    ]
}

/// A datagram to a port: `inner` behind `header`.
fn datagram(port: u16, header: &[u8], inner: &[u8]) -> Vec<u8> {
    let [p0, p1] = port.to_be_bytes();
    let [l0, l1] = ((8 + header.len() + inner.len()) as u16).to_be_bytes();
    [&[0xc0, 0, p0, p1, l0, l1, 0, 0], header, inner].concat()
}

/// `inner` behind `header` in IPv4.
fn outer(protocol: u8, header: &[u8], inner: &[u8]) -> Vec<u8> {
    let [l0, l1] = ((20 + header.len() + inner.len()) as u16).to_be_bytes();
    let ethernet = [2, 0, 0, 0, 0, 2, 2, 0, 0, 0, 0, 1, 8, 0];
    let ip = [69, 0, l0, l1, 0, 1, 0, 0, 64, protocol, 0, 0, 172, 16, 0, 1, 172, 16, 0, 2];
    [&ethernet, &ip[..], header, inner].concat()
}

/// QinQ, IPv6 with a header of options and one of a fragment that is all there is, UDP.
fn tagged_ipv6(payload: &[u8]) -> Vec<u8> {
    let udp_length = 8 + payload.len() as u16;
    let mut frame = vec![2, 0, 0, 0, 0, 2, 2, 0, 0, 0, 0, 1, 0x88, 0xa8, 0, 5, 0x81, 0, 0, 6];
    frame.extend([0x86, 0xdd, 0x60, 0, 0, 0]);
    frame.extend((16 + udp_length).to_be_bytes());
    frame.extend([0, 64]);
    for last in [1, 2] {
        frame.extend([0xfd, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, last]);
    }
    frame.extend([44, 0, 1, 4, 0, 0, 0, 0, 17, 0, 0, 0, 0, 0, 0, 9]);
    frame.extend([0x9c, 0x40, 0, 53]);
    frame.extend(udp_length.to_be_bytes());
    frame.extend([0, 0]);
    frame.extend(payload);
    frame
}

/// Link headers other than Ethernet's in front of an IPv4 packet.
fn links() -> Vec<(&'static str, LinkType, Vec<u8>)> {
    let snap = [0xaa, 0xaa, 3, 0, 0, 0, 8, 0];
    let radio = [&[8, 1, 0, 0][..], &[7; 18], &[0x10, 0], &snap].concat();
    vec![
        ("raw", LinkType::RAW, Vec::new()),
        ("cooked", LinkType::LINUX_SLL, [[0; 14].as_slice(), &[8, 0]].concat()),
        ("cooked 2", LinkType::LINUX_SLL2, [&[8, 0][..], &[0; 18]].concat()),
        ("loopback", LinkType::NULL, vec![2, 0, 0, 0]),
        ("ppp", LinkType::PPP, vec![0xff, 3, 0, 0x21]),
        ("frame relay", LinkType::FRELAY, vec![0x18, 0x41, 3, 0xcc]),
        ("radio", LinkType::RADIOTAP, [&[0, 0, 8, 0, 0, 0, 0, 0][..], &radio].concat()),
        ("mpls", LinkType::ETHERNET, [[7; 12].as_slice(), &[0x88, 0x47, 0, 0, 0x11, 64]].concat()),
    ]
}
