//! Whatever a mirror wraps its frames in, and however short it cuts them: the same conversations with
//! the same volumes.

use std::collections::BTreeMap;
use std::fs;

use egret_tests::egret::json_lines;
use egret_tests::scenario::SECOND;
use egret_tests::traffic::{START, path};
use egret_tests::wire::tunnel::{self as wrap, Above};
use egret_tests::wire::{Capture, Endpoint, Frame, Path, Payload, Resolution, Segment, flag};
use serde_json::Value;

use super::{directory, egret};

/// Where the short captures end.
const SHORT: usize = 128;

/// What is around a frame.
#[derive(Clone, Copy)]
enum Around {
    Nothing,
    /// Tags between the MAC addresses and the EtherType.
    Tags(&'static [u8]),
    /// A tunnel that carries frames.
    Frames(&'static str, fn(&[u8]) -> Above),
    /// A tunnel that carries IP packets, of which it says the EtherType.
    Packets(&'static str, fn(u16, &[u8]) -> Above),
}

const MATRIX: [Around; 14] = [
    Around::Nothing,
    Around::Tags(&[0x81, 0, 0, 7]),
    Around::Tags(&[0x88, 0xa8, 0, 100, 0x81, 0, 0, 7]),
    Around::Packets("gre", |kind, packet| wrap::gre(0, kind, packet)),
    Around::Frames("gre", |frame| wrap::gre(0x20, 0x6558, frame)),
    Around::Frames("nvgre", wrap::nvgre),
    Around::Frames("erspan", wrap::erspan_1),
    Around::Frames("erspan", wrap::erspan_2),
    Around::Frames("erspan", |frame| wrap::erspan_3(0, false, frame)),
    Around::Frames("erspan", |frame| wrap::erspan_3(0, true, frame)),
    Around::Frames("vxlan", wrap::vxlan),
    Around::Frames("geneve", |frame| wrap::geneve(0x6558, 0, frame)),
    // IPv4 or IPv6, as the conversation is.
    Around::Packets("geneve", |kind, packet| wrap::geneve(kind, 2, packet)),
    Around::Packets("ipip", |_, packet| wrap::ip_in_ip(packet)),
];

impl Around {
    fn wrap(self, frame: &[u8], v6: bool) -> Vec<u8> {
        let kind = u16::from_be_bytes([frame[12], frame[13]]);
        match self {
            Self::Nothing => frame.to_vec(),
            Self::Tags(tags) => [&frame[..12], tags, &frame[12..]].concat(),
            Self::Frames(_, wrapped) => wrap::outer(v6, &wrapped(frame)),
            Self::Packets(_, wrapped) => wrap::outer(v6, &wrapped(kind, packet(frame))),
        }
    }

    /// What a frame counts: as long as it is on the wire, its tags included; inside a tunnel as long as
    /// it was before it was wrapped, in one that carries packets without their link header and padding.
    fn length(self, frame: &[u8]) -> u64 {
        let length = match self {
            Self::Nothing | Self::Frames(..) => frame.len(),
            Self::Tags(tags) => frame.len() + tags.len(),
            Self::Packets(..) => packet(frame).len(),
        };
        length as u64
    }

    const fn kind(self) -> Option<&'static str> {
        match self {
            Self::Nothing | Self::Tags(_) => None,
            Self::Frames(kind, _) | Self::Packets(kind, _) => Some(kind),
        }
    }
}

/// The IP packet in a frame, as long as its header says.
fn packet(frame: &[u8]) -> &[u8] {
    let at = |at: usize| usize::from(u16::from_be_bytes([frame[at], frame[at + 1]]));
    let length = if frame[14] >> 4 == 6 { 40 + at(18) } else { at(16) };
    &frame[14..14 + length]
}

/// Packets and bytes up and down, by protocol and ends.
type Volumes = BTreeMap<(String, String, String), [u64; 4]>;

/// Two conversations: TCP with small and large segments both ways, and UDP one way. Each frame, and
/// whether it goes back.
fn conversations(v6: bool) -> Vec<(Vec<u8>, Path, bool)> {
    let [client, server] =
        if v6 { ["2001:db8::11", "2001:db8:1::5"] } else { ["10.20.0.11", "203.0.113.5"] };
    let end = |ip: &str, port| {
        let mac = [0, 0x50, 0x56, 0x80, 0, (port % 100) as u8];
        Endpoint { mac, ip: ip.parse().unwrap(), port }
    };
    let tcp = path(end(client, 50_000), end(server, 443));
    let udp = path(end(client, 40_000), end(server, 9000));
    let mut frame = Frame::new(1);
    let mut frames = Vec::new();
    let turns = [
        (false, flag::SYN, 0),
        (true, flag::SYN | flag::ACK, 0),
        (false, flag::ACK, 0),
        (false, flag::ACK, 300),
        (true, flag::ACK, 1400),
        (true, flag::ACK, 1),
    ];
    for (number, (back, flags, length)) in (1..).zip(turns) {
        let way = if back { tcp.back() } else { tcp };
        let segment = Segment { flags, sequence: number, acknowledgment: 1 };
        frame.tcp(&way, segment, Payload::whole(&vec![7; length]));
        frames.push((frame.bytes().to_vec(), tcp, back));
    }
    for length in [5, 900] {
        frame.udp(&udp, Payload::whole(&vec![7; length]));
        frames.push((frame.bytes().to_vec(), udp, false));
    }
    frames
}

/// The capture of them in what is around, with at most so many bytes of each frame; and what its
/// conversations moved.
fn wrapped(around: Around, v6: bool, outer_v6: bool, snaplen: usize) -> (Vec<u8>, Volumes) {
    let mut capture = Capture::new(Vec::new(), Resolution::Micros).unwrap();
    let mut volumes = Volumes::new();
    for (number, (frame, path, back)) in (0..).zip(conversations(v6)) {
        let whole = around.wrap(&frame, outer_v6);
        let bytes = &whole[..whole.len().min(snaplen)];
        capture.record(START + number * SECOND, bytes, whole.len() as u32).unwrap();
        let protocol = if path.to.port == 443 { "TCP" } else { "UDP" };
        let [from, to] = [path.from, path.to].map(|end| format!("{} {}", end.ip, end.port));
        let volume = volumes.entry((protocol.to_owned(), from, to)).or_default();
        let [packets, bytes] = if back { [1, 3] } else { [0, 2] };
        volume[packets] += 1;
        volume[bytes] += around.length(&frame);
    }
    (capture.finish().unwrap(), volumes)
}

/// What `egret read` says of a capture.
fn flows(capture: &[u8]) -> Vec<Value> {
    let directory = directory("a.pcap", capture);
    let _ = egret().within(&directory).read("a.pcap").args("--events eve.json").run().done();
    let events = fs::read_to_string(directory.path().join("eve.json")).unwrap();
    json_lines(&events).into_iter().filter(|event| event["event_type"] == "flow").collect()
}

fn volumes(flows: &[Value]) -> Volumes {
    let mut volumes = Volumes::new();
    for flow in flows {
        let text = |name: &str| flow[name].as_str().unwrap().to_owned();
        let end = |ip: &str, port: &str| format!("{} {}", text(ip), flow[port]);
        let ends = (text("proto"), end("src_ip", "src_port"), end("dest_ip", "dest_port"));
        let volume = volumes.entry(ends).or_default();
        let counts = ["pkts_toserver", "pkts_toclient", "bytes_toserver", "bytes_toclient"];
        for (sum, name) in volume.iter_mut().zip(counts) {
            *sum += flow["flow"][name].as_u64().unwrap();
        }
    }
    volumes
}

/// Fails when a wrapping is not read, is read only of whole frames, gets into the keys of
/// conversations, or counts; and when it is not told.
#[test]
fn conversations_are_the_same_in_every_wrapping_whole_or_cut() {
    for around in MATRIX {
        for (v6, outer_v6) in [(false, false), (false, true), (true, false), (true, true)] {
            for snaplen in [SHORT, usize::MAX] {
                let (capture, expected) = wrapped(around, v6, outer_v6, snaplen);
                let name = format!("{:?}, IPv6 {v6} in {outer_v6}, {snaplen}", around.kind());
                let flows = flows(&capture);
                if snaplen == SHORT && !reaches_ports(around, v6, outer_v6) {
                    assert_is_the_tunnel_s_own(&flows, &name);
                    continue;
                }
                assert_eq!(volumes(&flows), expected, "{name}");
                for flow in &flows {
                    assert_eq!(flow["egret"]["tunnel"]["kind"].as_str(), around.kind(), "{name}");
                }
            }
        }
    }
}

/// Whether a frame that is cut reaches the inner ports. IPv6 in Ethernet in the longest headers over
/// IPv6 does not: nobody can tell those conversations apart.
fn reaches_ports(around: Around, v6: bool, outer_v6: bool) -> bool {
    let (frame, ..) = conversations(v6).swap_remove(0);
    // It is long enough to have no padding.
    let above_ip = frame.len() - 14 - if v6 { 40 } else { 20 };
    around.wrap(&frame, outer_v6).len() - above_ip + 4 <= SHORT
}

/// The packets stay with the conversation between the tunnel's ends.
fn assert_is_the_tunnel_s_own(flows: &[Value], name: &str) {
    let [exporter, receiver] = wrap::ENDS[1];
    assert_eq!(flows.len(), 1, "{name}");
    assert_eq!((&flows[0]["src_ip"], &flows[0]["dest_ip"]), (&exporter.into(), &receiver.into()));
    assert!(flows[0]["egret"].get("tunnel").is_none(), "{name}");
}
