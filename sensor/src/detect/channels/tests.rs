//! What all channels share: learning, switching off, episodes; and a small world to test each in.

use std::net::IpAddr;
use std::time::Duration;

use super::*;
use crate::alert::{Analytic, Fact, Severity};
use crate::config::{Asset, Config, Role};
use crate::decode::{Mac, Vlans, protocol};
use crate::detect::Engine;
use crate::event::{
    Body, DnsAnswer, DnsData, DnsQuestion, DnsTransport, Endpoint, Report, Reporter, Said, Service,
    Traffic,
};

mod told;

/// Packets of a client's whole handshake and after, and of its server's.
pub(super) const WHOLE: [u8; 2] = [0x1a, 0x1a];
/// A SYN and its refusal.
pub(super) const REFUSED: [u8; 2] = [0x02, 0x14];
/// A SYN that nobody answered.
pub(super) const UNANSWERED: [u8; 2] = [0x02, 0];
/// An answer to a SYN that was not sent.
pub(super) const UNASKED: [u8; 2] = [0, 0x12];

const START: u64 = 20_000 * 86_400;
const GATEWAY: Mac = Mac([0x00, 0x1b, 0x21, 0, 0, 1]);

/// Guests `10.1.N.N`, discovered by their MAC addresses; an ESXi host at 10.0.0.11; outside the rest.
pub(super) struct World {
    pub(super) engine: Engine,
    config: Config,
    flows: u64,
    pub(super) told: Vec<Alert>,
}

/// An alert in short: the detector, how bad, whom it is about.
pub(super) type Short = (String, Severity, String);

impl World {
    /// Nothing is learned, and everything is told.
    pub(super) fn new() -> Self {
        Self::with(|_| {})
    }

    pub(super) fn with(change: impl FnOnce(&mut Config)) -> Self {
        let mut config = Config::default();
        config.baseline.learning = Duration::ZERO;
        config.tls_egress.enabled = false;
        config.dns_port.enabled = false;
        config.assets.push(named("esxi-01", Role::Esxi, "10.0.0.11/32"));
        change(&mut config);
        let engine = Engine::new(&config, None, None);
        Self { engine, config, flows: 0, told: Vec::new() }
    }

    /// Where the config has the guest 10.1.0.1, as app-01.
    pub(super) fn with_app() -> Self {
        Self::with(|config| config.assets.push(named("app-01", Role::Guest, "10.1.0.1/32")))
    }

    fn end(address: &str, port: u16) -> Endpoint {
        let address: IpAddr = address.parse().unwrap();
        let mac = match address {
            IpAddr::V4(v4) if v4.octets()[0] == 10 => {
                let [_, b, c, d] = v4.octets();
                Mac([0x00, 0x50, 0x56, 0x80 | b, c, d])
            }
            _ => GATEWAY,
        };
        Endpoint { address, port, mac: Some(mac) }
    }

    pub(super) fn flow(&mut self, at: u64, protocol: u8, ends: [&str; 2], port: u16) -> Flow {
        self.flows += 1;
        Flow {
            id: self.flows,
            slot: (self.flows % 1000) as u32,
            client: Self::end(ends[0], 40_000 + (self.flows % 20_000) as u16),
            server: Self::end(ends[1], port),
            protocol,
            vlans: Vlans::new(),
            interface: None,
            tunnel: None,
            opened: time(at),
        }
    }

    pub(super) fn event(&mut self, at: u64, flow: &Flow, body: Body) {
        self.engine.event(&Event { time: time(at), flow: flow.clone(), body });
        let of_channels = |alert: &Alert| alert.analytic == Analytic::DC0078;
        self.told.extend(self.engine.drain_alerts().filter(of_channels));
    }

    /// So many bytes to the server and back, in the 10 s from `at` on.
    pub(super) fn moves(&mut self, at: u64, flow: &Flow, [out, back]: [u64; 2], flags: [u8; 2]) {
        let traffic = |bytes: u64| Traffic { packets: bytes.div_ceil(1000), bytes };
        let volume = Volume {
            since: time(at),
            to_server: traffic(out),
            to_client: traffic(back),
            tcp_flags: (flow.protocol == protocol::TCP).then_some(flags),
            one_in: None,
        };
        self.event(at, flow, Body::Volume(volume));
    }

    /// A TCP conversation of 10 s.
    pub(super) fn tcp(&mut self, at: u64, ends: [&str; 2], port: u16, bytes: [u64; 2]) {
        let flow = self.flow(at, protocol::TCP, ends, port);
        self.event(at, &flow, Body::Opened);
        self.moves(at, &flow, bytes, WHOLE);
    }

    /// A TCP connection that comes to nothing.
    pub(super) fn vain(&mut self, at: u64, ends: [&str; 2], port: u16, flags: [u8; 2]) {
        let flow = self.flow(at, protocol::TCP, ends, port);
        self.event(at, &flow, Body::Opened);
        let back = if flags[1] == 0 { 0 } else { 54 };
        let out = if flags[0] == 0 { 0 } else { 60 };
        self.moves(at, &flow, [out, back], flags);
    }

    pub(super) fn udp(&mut self, at: u64, ends: [&str; 2], port: u16, bytes: [u64; 2]) {
        let flow = self.flow(at, protocol::UDP, ends, port);
        self.moves(at, &flow, bytes, [0; 2]);
    }

    /// A TLS session.
    pub(super) fn hello(&mut self, at: u64, ends: [&str; 2], port: u16, session: TlsSession) {
        let flow = self.flow(at, protocol::TCP, ends, port);
        self.event(at, &flow, Body::Opened);
        self.event(at, &flow, Body::Hello(Box::new(session)));
        self.moves(at, &flow, [2000, 4000], WHOLE);
    }

    /// A TCP conversation that begins as this does.
    pub(super) fn spoken(&mut self, at: u64, ends: [&str; 2], port: u16, app: App) {
        let flow = self.flow(at, protocol::TCP, ends, port);
        self.event(at, &flow, Body::Opened);
        self.event(at, &flow, Body::Spoken(app));
    }

    /// Somebody on a link says whose an address is.
    pub(super) fn neighbour(&mut self, said: &Neighbour) {
        self.engine.neighbour(said);
        self.told.extend(self.engine.drain_alerts());
    }

    /// A log of an ESXi host says so.
    pub(super) fn logged(&mut self, at: u64, service: Service, host: &str, said: Said) {
        let reporter = Reporter { service, host: Some(host.into()), peer: None };
        self.engine.report(&Report { time: time(at), stated: None, reporter, said });
        self.told.extend(self.engine.drain_alerts());
    }

    /// Where an address is.
    pub(super) fn mac(address: &str) -> Mac {
        Self::end(address, 0).mac.unwrap()
    }

    /// A response; a code above 0 has no answers.
    pub(super) fn dns(&mut self, at: u64, client: &str, name: &str, code: u16, to: &[&str]) {
        let flow = self.flow(at, protocol::UDP, [client, "10.0.0.53"], 53);
        self.respond(at, &flow, DnsTransport::Udp, name, code, to);
    }

    /// An answer that gives the responder itself.
    pub(super) fn llmnr(&mut self, at: u64, ends: [&str; 2], name: &str) {
        let flow = self.flow(at, protocol::UDP, ends, 5355);
        self.respond(at, &flow, DnsTransport::Llmnr, name, 0, &[ends[1]]);
    }

    fn respond(
        &mut self,
        at: u64,
        flow: &Flow,
        transport: DnsTransport,
        name: &str,
        code: u16,
        to: &[&str],
    ) {
        let answer = |address: &&str| DnsAnswer {
            name: name.into(),
            rtype: 1,
            ttl: 60,
            data: DnsData::Address(address.parse().unwrap()),
        };
        let message = DnsMessage {
            id: 1,
            response: true,
            flags: 0x8180 | code,
            transport,
            asked: true,
            questions: vec![DnsQuestion { name: name.into(), rtype: 1 }],
            answers: to.iter().map(answer).collect(),
            authorities: Vec::new(),
            additionals: Vec::new(),
            incomplete: false,
        };
        self.event(at, flow, Body::Dns(Box::new(message)));
    }

    /// The last state of each alert, in the order they were first told.
    pub(super) fn alerts(&self) -> Vec<&Alert> {
        let mut all: Vec<&Alert> = Vec::new();
        for alert in &self.told {
            match all.iter_mut().find(|known| known.id == alert.id) {
                Some(known) => *known = alert,
                None => all.push(alert),
            }
        }
        all
    }

    pub(super) fn short(&self) -> Vec<Short> {
        let short = |alert: &&Alert| (channel(alert), alert.severity, alert.asset.name.clone());
        self.alerts().iter().map(short).collect()
    }

    /// The names of the detectors that told anything.
    pub(super) fn names(&self) -> Vec<String> {
        self.short().into_iter().map(|(name, ..)| name).collect()
    }

    /// Says that nothing was told.
    pub(super) fn is_quiet(&self) {
        let told: Vec<&str> = self.told.iter().map(|alert| &*alert.summary).collect();
        assert!(told.is_empty(), "{told:#?}");
    }
}

fn named(name: &str, role: Role, addresses: &str) -> Asset {
    let addresses = vec![addresses.parse().unwrap()];
    Asset { name: name.into(), role, addresses, macs: Vec::new(), host: None }
}

fn channel(alert: &Alert) -> String {
    let channel = alert.evidence.iter().find_map(|piece| match &piece.fact {
        Fact::Channel(channel) => Some(channel.channel.to_string()),
        _ => None,
    });
    channel.unwrap()
}

pub(super) fn time(seconds: u64) -> Timestamp {
    Timestamp::from_parts(START + seconds, 0)
}

pub(super) fn sni(name: &str) -> TlsSession {
    TlsSession { sni: Some(name.into()), ..TlsSession::default() }
}

/// Fails when two detectors share a name, or a technique has no name in ATT&CK for who is told.
#[test]
fn every_detector_has_its_own_name_and_known_techniques() {
    let mut names: Vec<&str> = CHANNELS.iter().map(|detector| detector.name).collect();
    let count = names.len();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), count);
    for detector in CHANNELS {
        let is_word = |c: char| c.is_ascii_lowercase() || c == '_';
        assert!(detector.name.chars().all(is_word), "{}", detector.name);
        assert!(!detector.techniques.is_empty(), "{}", detector.name);
        for id in detector.techniques {
            assert!(crate::alert::attack::attack(id).is_some(), "{}: {id}", detector.name);
        }
        assert!(!detector.detects.is_empty() && !detector.bound.is_empty());
    }
}

/// Fails when what an asset does while it is learned is told of then, or told of later.
#[test]
fn what_an_asset_is_learned_to_do_is_not_told_of_and_what_is_new_is() {
    let mut world = World::with(|config| config.baseline.learning = Duration::from_secs(86_400));
    let ends = ["203.0.113.9", "10.1.0.1"];
    world.tcp(100, ends, 5900, [2000, 2000]);
    world.tcp(2 * 86_400, ends, 5900, [2000, 2000]);
    world.is_quiet();
    world.tcp(2 * 86_400 + 60, ends, 3389, [2000, 2000]);
    assert_eq!(world.names(), ["rdp"]);
}

/// Fails when what was learned is lost with the run.
#[test]
fn what_was_learned_lasts() {
    let mut world = World::with(|config| config.baseline.learning = Duration::from_secs(86_400));
    let ends = ["203.0.113.9", "10.1.0.1"];
    world.tcp(100, ends, 5900, [2000, 2000]);
    let kept = world.engine.baseline();
    world.engine = Engine::new(&world.config, None, Some(kept));
    world.tcp(2 * 86_400, ends, 5900, [2000, 2000]);
    world.is_quiet();
}

#[test]
fn a_detector_that_is_off_tells_nothing_and_the_others_do() {
    let mut world = World::with(|config| config.channels.off.push("vnc".into()));
    let ends = ["203.0.113.9", "10.1.0.1"];
    world.tcp(100, ends, 5900, [2000, 2000]);
    world.is_quiet();
    world.tcp(100, ends, 3389, [2000, 2000]);
    assert_eq!(world.names(), ["rdp"]);
    let mut off = World::with(|config| config.channels.enabled = false);
    off.tcp(100, ends, 3389, [2000, 2000]);
    off.is_quiet();
}

/// Fails when each repeat is an alert of its own, or the last word does not say how many there were.
#[test]
fn repeats_of_an_episode_are_one_alert_and_a_later_one_is_another() {
    let mut world = World::new();
    let visit = |world: &mut World, at: u64, name: &str| {
        world.hello(at, ["10.1.0.1", "203.0.113.9"], 443, sni(name));
    };
    for n in 0..2 {
        for (m, name) in ["anydesk.com", "a.rustdesk.com", "b.teamviewer.com"].iter().enumerate() {
            visit(&mut world, 100 + n * 600 + m as u64 * 60, name);
        }
    }
    assert_eq!(world.alerts().len(), 1);
    visit(&mut world, 3 * 86_400, "anydesk.com");
    let alerts = world.alerts();
    assert_eq!(alerts.len(), 2);
    assert_eq!(alerts[0].count, 6);
    assert!(alerts[0].summary.contains("and 2 more like it"), "{}", alerts[0].summary);
    assert_eq!(alerts[0].destination.as_ref().map(|to| to.port), Some(443));
}

/// Fails when an alert about a server has its client's address.
#[test]
fn who_was_reached_is_named_by_its_own_address() {
    let mut world = World::new();
    world.tcp(100, ["203.0.113.9", "10.1.0.1"], 5900, [2000, 2000]);
    let alerts = world.alerts();
    assert_eq!(alerts[0].asset.address, Some("10.1.0.1".parse().unwrap()));
    assert_eq!(alerts[0].asset.mac.as_deref(), Some("00:50:56:81:00:01"));
    assert!(alerts[0].destination.is_none());
}

/// Fails when a rollout to the whole estate is an alert for each of its assets.
#[test]
fn what_many_assets_do_is_told_of_the_first_ones_only() {
    let mut world = World::new();
    for guest in 1..=30 {
        let client = format!("10.1.0.{guest}");
        world.hello(100 + guest * 60, [&client, "203.0.113.9"], 443, sni("api.anydesk.com"));
    }
    assert_eq!(world.alerts().len(), usual::COMMON);
}

/// Fails when the config's approval counts for nothing.
#[test]
fn approved_egress_is_not_told_of() {
    let mut world = World::with(|config| {
        config.approve.push(crate::config::Approve {
            sni: vec![crate::config::NamePattern::new("*.anydesk.com")],
            ..crate::config::Approve::default()
        });
    });
    world.hello(100, ["10.1.0.1", "203.0.113.9"], 443, sni("api.anydesk.com"));
    world.is_quiet();
}
