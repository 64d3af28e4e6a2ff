//! Mirrors that are approved, and what looks like one: a session of AWS to the SOC's target, an ERSPAN
//! session of a host to its collector, overlays between nodes and between hosts, and changes by the role
//! that may make them. On the last day mirrors leak.

use super::calendar::{DAY, HOUR, MINUTE, SECOND, daily, is_weekend};
use super::scene::Scene;
use crate::audit::{Call, Caller, Session};
use crate::wire::tunnel::{self, Above};
use crate::wire::{Endpoint, Frame, Path, Payload, Segment, flag};

mod leak;

/// Where mirrors may go: the SOC's sensor, a target of AWS, and its collector.
const SENSOR: [u8; 4] = [10, 30, 0, 9];
const COLLECTOR: [u8; 4] = [10, 30, 0, 8];
const TARGET: &str = "tmt-0a50c";
/// The account, and those who may change mirrors in it.
const ACCOUNT: &str = "111122223333";
const NETOPS: Caller<'_> = Caller { account: ACCOUNT, role: "netops", from: "10.10.9.30" };

/// The session that was always there, and its machine.
const USUAL: Session<'_> =
    Session { id: "tms-0a01", source: "eni-0a01", target: TARGET, network: 1001 };
const MACHINE: [u8; 4] = [10, 50, 1, 10];
/// Nodes with an overlay of their own between them: no mirror, and in no config.
const NODES: [[u8; 4]; 2] = [[10, 50, 2, 1], [10, 50, 2, 2]];
/// Hosts of the estate.
const HOSTS: [[u8; 4]; 2] = [[10, 10, 0, 11], [10, 10, 0, 12]];

/// From whom, to whom, and how it is wrapped.
#[derive(Debug, Clone, Copy)]
struct Way {
    from: [u8; 4],
    to: [u8; 4],
    wrapping: Wrapping,
}

#[derive(Debug, Clone, Copy)]
enum Wrapping {
    /// In this network.
    Vxlan(u32),
    /// Of this session.
    Erspan(u32),
    Geneve,
    /// A header of eight bytes to this port, a moment after the packet itself.
    Own(u16),
}

/// Packets under way.
struct Packets<'a, 'p> {
    scene: &'a mut Scene<'p>,
    frame: Frame,
    number: u32,
}

/// `[detect.mirror_policy]` of the estate.
pub(super) fn policy() -> String {
    format!(
        "\n[detect.mirror_policy]\ndestinations = [\"{TARGET}\", \"10.30.0.8\", \"10.30.0.9\"]\n\
         principals = [\"{}\", \"CORP\\\\svc-netops\"]\naddresses = {{ \"{TARGET}\" = \"10.30.0.9\" }}\n",
        NETOPS.arn()
    )
}

/// Lets all of it happen.
pub(super) fn play(scene: &mut Scene<'_>) {
    let leaking = scene.end() - DAY;
    changes(scene, leaking);
    let mut packets = Packets { scene, frame: Frame::new(1), number: 0 };
    usual(&mut packets, leaking);
    leak::play(&mut packets, leaking);
}

/// What is always there, a packet every other minute. The usual session goes elsewhere once it is retargeted.
fn usual(packets: &mut Packets<'_, '_>, leaking: u64) {
    let [node, other] = NODES;
    let [host, other_host] = HOSTS;
    let (start, end) = (packets.scene.start(), packets.scene.end());
    let always = [
        Way { from: host, to: COLLECTOR, wrapping: Wrapping::Erspan(10) },
        Way { from: node, to: other, wrapping: Wrapping::Vxlan(4096) },
        Way { from: other, to: node, wrapping: Wrapping::Vxlan(4096) },
    ];
    for way in always {
        packets.send(way, start, end, 2 * MINUTE);
    }
    let sensor = Way { from: MACHINE, to: SENSOR, wrapping: Wrapping::Vxlan(USUAL.network) };
    packets.send(sensor, start, leak::retargeted(leaking), 2 * MINUTE);
    // Hosts begin to talk to each other when a segment of NSX is made.
    let overlay = Way { from: host, to: other_host, wrapping: Wrapping::Geneve };
    let made = packets.scene.learned() + 9 * HOUR;
    packets.send(overlay, made, end, 5 * MINUTE);
}

/// The target and its session, made while all is learned; on working days another session, or a change of
/// the one that is there; an attempt that failed; and whoever looks after them, every hour.
fn changes(scene: &mut Scene<'_>, leaking: u64) {
    let begun = scene.start() + HOUR;
    for (minute, call) in [
        (0, Call::Interface { id: "eni-0a50c", address: "10.30.0.9" }),
        (1, Call::Target { id: TARGET, interface: "eni-0a50c" }),
        (2, Call::Create(USUAL)),
    ] {
        scene.trail.call(begun + minute * MINUTE, 0, &NETOPS, call);
    }
    let mut rng = scene.rng("changes of mirrors");
    let mornings = daily(scene.learned(), leaking, 10 * HOUR, 30 * MINUTE, &mut rng);
    for (number, time) in (2u8..).zip(mornings) {
        if is_weekend(time) {
            continue;
        }
        let late = rng.range(2 * MINUTE, 15 * MINUTE);
        let (id, source) = (format!("tms-0a{number:02}"), format!("eni-0a{number:02}"));
        let network = 1000 + u32::from(number);
        let session = Session { id: &id, source: &source, target: TARGET, network };
        scene.trail.call(time, late, &NETOPS, Call::Create(session));
        scene.trail.call(time + HOUR, late, &NETOPS, Call::Shorten(USUAL));
        scene.trail.refused(time + 2 * HOUR, &NETOPS, Call::Shorten(session));
        scene.truth.changes += 3;
        let way =
            Way { from: [10, 50, 1, 10 + number], to: SENSOR, wrapping: Wrapping::Vxlan(network) };
        let mut packets = Packets { scene, frame: Frame::new(1), number: 0 };
        packets.send(way, time + 20 * SECOND, time + 4 * HOUR, 2 * MINUTE);
    }
    for time in (scene.start()..scene.end()).step_by(HOUR as usize) {
        scene.trail.call(time, 0, &NETOPS, Call::Look);
    }
}

impl Packets<'_, '_> {
    /// Sends a wrapped packet at every `step` between `from` and `to`; how many there were.
    fn send(&mut self, way: Way, from: u64, to: u64, step: u64) -> u64 {
        let mut sent = 0;
        for time in (from..to).step_by(step as usize) {
            self.one(way, time);
            sent += 1;
        }
        sent
    }

    fn one(&mut self, way: Way, time: u64) {
        self.number += 1;
        let end = |ip: [u8; 4], port| Endpoint { mac: [2, 0, 0, 0, 1, ip[3]], ip: ip.into(), port };
        // What the machine itself says to its database, in a conversation of its own for each wrapping: the
        // sequence numbers of one go on.
        let path = Path {
            from: end(way.from, way.wrapping.port()),
            to: end([10, 50, 9, 9], 5432),
            vlans: [None, None],
        };
        let segment = Segment { flags: flag::ACK, sequence: self.number * 300, acknowledgment: 1 };
        let inner = self.frame.tcp(&path, segment, Payload::whole(&[b'q'; 300]));
        if let Wrapping::Own(_) = way.wrapping {
            self.scene.recording.add(time - SECOND / 1000, inner);
        }
        let outer = tunnel::between(way.from, way.to, &way.wrapping.around(inner.bytes()));
        self.scene.recording.add_whole(time, &outer);
    }
}

impl Wrapping {
    /// The client's port of the conversation that is wrapped so.
    fn port(self) -> u16 {
        let id = match self {
            Self::Vxlan(id) | Self::Erspan(id) => id,
            Self::Geneve => 0,
            Self::Own(port) => port.into(),
        };
        45_000 + (id % 10_000) as u16
    }

    fn around(self, inner: &[u8]) -> Above {
        match self {
            Self::Vxlan(network) => tunnel::vxlan_of(network, inner),
            Self::Erspan(session) => tunnel::erspan_of(session, inner),
            Self::Geneve => tunnel::geneve(0x6558, 0, inner),
            Self::Own(port) => tunnel::udp(port, &[8, 0, 0, 0, 0, 0, 9, 0], inner),
        }
    }
}
