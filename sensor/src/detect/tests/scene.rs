//! Streams of events as an estate makes them, for the tests of the engine and its detectors.

use std::collections::BTreeMap;
use std::net::IpAddr;

use super::super::*;
use crate::alert::{Analytic, Severity};
use crate::config::{Approve, Asset, NamePattern, Role};
use crate::decode::{Mac, Vlans, protocol};
use crate::event::{
    Account, AccountReason, Carrier, DnsAnswer, DnsData, DnsMessage, DnsQuestion, DnsTransport,
    Endpoint, Flow, FlowState, Ja4, TlsSession, Traffic, Volume,
};

pub(in super::super) const MINUTE: u64 = 60;
pub(in super::super) const HOUR: u64 = 3600;
pub(in super::super) const DAY: u64 = 86_400;
/// The client of every session.
pub(in super::super) const JA4: &str = "t13d1516h2_8daaf6152771_e5627efa2ab1";
const START: u64 = 20_000 * DAY;
const GATEWAY: Mac = Mac([0x00, 0x1b, 0x21, 0, 0, 1]);

/// An engine with an estate before it, fed in any order of time that is asked for.
#[derive(Clone)]
pub(in super::super) struct Scene {
    pub(super) config: Config,
    pub(super) learn: Option<Duration>,
    pub(super) events: Vec<Event>,
    flows: u64,
}

/// The last state of an alert.
#[derive(Debug, Clone)]
pub(in super::super) struct Told {
    pub(in super::super) analytic: Analytic,
    pub(in super::super) asset: String,
    pub(in super::super) severity: Severity,
    /// The worst it ever was.
    pub(in super::super) worst: Severity,
    /// When it was told first, in seconds from the start.
    pub(in super::super) at: u64,
    pub(in super::super) alert: Alert,
}

impl Scene {
    /// Guests `10.1.0.N`, an ESXi host at 10.0.0.11, and one day of `--learn`.
    pub(in super::super) fn new() -> Self {
        let mut config = Config::default();
        // They have a world of their own to be tested in.
        config.channels.enabled = false;
        config.assets.push(Asset {
            name: "esxi-01".into(),
            role: Role::Esxi,
            addresses: vec!["10.0.0.11/32".parse().unwrap()],
            macs: Vec::new(),
            host: None,
        });
        config.approve.push(Approve {
            roles: vec![Role::Esxi],
            sni: vec![NamePattern::new("*.vmware.com")],
            ..Approve::default()
        });
        // They have a world of their own to be tried in.
        config.channels.enabled = false;
        let learn = Some(Duration::from_secs(DAY));
        Self { config, learn, events: Vec::new(), flows: 0 }
    }

    /// The same without `--learn`: every asset is learned by itself.
    pub(in super::super) fn unlearned() -> Self {
        Self { learn: None, ..Self::new() }
    }

    /// An end inside with a MAC address of VMware, or one beyond the gateway.
    pub(in super::super) fn end(address: &str, port: u16) -> Endpoint {
        let address: IpAddr = address.parse().unwrap();
        let mac = match address {
            IpAddr::V4(v4) if v4.octets()[0] == 10 => {
                let [_, b, c, d] = v4.octets();
                Mac([0x00, 0x50, 0x56, 0x80 | b, c, d])
            }
            IpAddr::V6(v6) if v6.segments()[0] == 0xfd00 => {
                Mac([0x00, 0x50, 0x56, 0x81, 0, v6.octets()[15]])
            }
            _ => GATEWAY,
        };
        Endpoint { address, port, mac: Some(mac) }
    }

    fn flow(&mut self, at: u64, protocol: u8, client: &str, server: &str, port: u16) -> Flow {
        self.flows += 1;
        Flow {
            id: self.flows,
            slot: self.flows as u32,
            client: Self::end(client, 40_000 + (self.flows % 20_000) as u16),
            server: Self::end(server, port),
            protocol,
            vlans: Vlans::new(),
            interface: None,
            tunnel: None,
            opened: time(at),
        }
    }

    fn push(&mut self, at: u64, flow: &Flow, body: Body) {
        self.events.push(Event { time: time(at), flow: flow.clone(), body });
    }

    /// A conversation that moves `out` and `back` bytes evenly over `seconds`.
    fn moves(&mut self, at: u64, flow: &Flow, seconds: u64, out: u64, back: u64) {
        let steps = (seconds / 10).max(1);
        let traffic =
            |bytes: u64| Traffic { packets: bytes / steps / 60_000 + 1, bytes: bytes / steps };
        for step in 0..steps {
            let since = at + step * 10;
            let volume = Volume {
                since: time(since),
                to_server: traffic(out),
                to_client: traffic(back),
                tcp_flags: None,
                one_in: None,
            };
            self.push(since + 9, flow, Body::Volume(volume));
        }
        let none = Traffic::default();
        let end = at + steps * 10;
        let account = Account {
            to_server: none,
            to_client: none,
            last: time(end),
            state: FlowState::Closed,
            reason: AccountReason::Timeout,
            app: None,
            tcp_flags: None,
            one_in: None,
        };
        self.push(end, flow, Body::Account(account));
    }

    /// `from` receives or sends `bytes` inside.
    pub(in super::super) fn inside(
        &mut self,
        at: u64,
        from: &str,
        to: &str,
        seconds: u64,
        bytes: u64,
    ) {
        let flow = self.flow(at, protocol::TCP, from, to, 445);
        self.moves(at, &flow, seconds, bytes, bytes / 50);
    }

    /// `client` is answered `answers` for `name`.
    pub(in super::super) fn dns(&mut self, at: u64, client: &str, name: &str, answers: &[DnsData]) {
        self.respond(at, client, name, answers, true);
    }

    /// The same without a question, as anybody can send it.
    pub(in super::super) fn spoof(&mut self, at: u64, client: &str, name: &str, address: &str) {
        let answer = DnsData::Address(address.parse().unwrap());
        self.respond(at, client, name, &[answer], false);
    }

    fn respond(&mut self, at: u64, client: &str, name: &str, answers: &[DnsData], asked: bool) {
        let flow = self.flow(at, protocol::UDP, client, "10.0.0.53", 53);
        let answer = |data: &DnsData| {
            let rtype = if matches!(data, DnsData::Name(_)) { 5 } else { 1 };
            DnsAnswer { name: name.into(), rtype, ttl: 60, data: data.clone() }
        };
        let message = DnsMessage {
            id: 1,
            response: true,
            flags: 0x8180,
            transport: DnsTransport::Udp,
            asked,
            questions: vec![DnsQuestion { name: name.into(), rtype: 1 }],
            answers: answers.iter().map(answer).collect(),
            authorities: Vec::new(),
            additionals: Vec::new(),
            incomplete: false,
        };
        self.push(at, &flow, Body::Dns(Box::new(message)));
    }

    pub(in super::super) fn resolve(&mut self, at: u64, client: &str, name: &str, address: &str) {
        self.dns(at, client, name, &[DnsData::Address(address.parse().unwrap())]);
    }

    /// A TLS session without a look-up before it.
    pub(in super::super) fn hello(
        &mut self,
        at: u64,
        client: &str,
        server: &str,
        sni: Option<&str>,
        seconds: u64,
        out: u64,
    ) {
        let flow = self.flow(at, protocol::TCP, client, server, 443);
        self.push(at, &flow, Body::Opened);
        let ja4 = Ja4::from(JA4).ok();
        let session =
            TlsSession { sni: sni.map(Into::into), ja4, hello: time(at), ..Default::default() };
        self.push(at, &flow, Body::Hello(Box::new(session)));
        self.moves(at, &flow, seconds, out, 20_000);
    }

    /// A TLS session through a proxy inside, which was asked for `authority`.
    pub(in super::super) fn proxied(
        &mut self,
        at: u64,
        client: &str,
        [authority, sni]: [&str; 2],
        seconds: u64,
        [out, back]: [u64; 2],
    ) {
        let flow = self.flow(at, protocol::TCP, client, "10.0.0.8", 3128);
        self.push(at, &flow, Body::Opened);
        let session = TlsSession {
            sni: Some(sni.into()),
            carrier: Carrier::Proxy(authority.into()),
            hello: time(at),
            ..Default::default()
        };
        self.push(at, &flow, Body::Hello(Box::new(session)));
        self.moves(at, &flow, seconds, out, back);
    }

    /// A TLS session after a look-up.
    pub(in super::super) fn visit(
        &mut self,
        at: u64,
        client: &str,
        name: &str,
        server: &str,
        seconds: u64,
        out: u64,
    ) {
        self.resolve(at, client, name, server);
        self.hello(at + 1, client, server, Some(name), seconds, out);
    }

    /// A connection without TLS.
    pub(in super::super) fn connect(&mut self, at: u64, client: &str, server: &str, port: u16) {
        let flow = self.flow(at, protocol::TCP, client, server, port);
        self.push(at, &flow, Body::Opened);
        self.moves(at, &flow, 10, 400, 400);
    }

    /// Ordinary days of guests 1 to `guests`: visits to usual places in working hours, and some
    /// traffic inside.
    pub(in super::super) fn routine(&mut self, guests: u8, days: u64) {
        for day in 0..days {
            for guest in 1..=guests {
                let client = format!("10.1.0.{guest}");
                for hour in 8..18 {
                    let at = day * DAY + hour * HOUR + u64::from(guest) * 31;
                    for place in 0..4u8 {
                        let name = format!("www.usual-{place}.example");
                        let server = format!("198.51.{place}.7");
                        self.visit(at + u64::from(place) * 60, &client, &name, &server, 20, 40_000);
                    }
                    self.inside(at + 300, "10.0.0.20", &client, 60, 3_000_000);
                }
            }
        }
    }

    /// What happened, in the order of time; nothing is left of it.
    pub(in super::super) fn in_order(&mut self) -> Vec<Event> {
        self.events.sort_by_key(|event| event.time);
        std::mem::take(&mut self.events)
    }

    /// Leaves what conversations of some did.
    pub(in super::super) fn only(&mut self, keep: impl Fn(&Flow) -> bool) {
        self.events.retain(|event| keep(&event.flow));
    }

    /// Gives what has happened so far to an engine that goes on, and forgets it.
    pub(in super::super) fn feed(&mut self, engine: &mut Engine) -> Vec<Alert> {
        self.events.sort_by_key(|event| event.time);
        self.events.drain(..).for_each(|event| engine.event(&event));
        engine.drain_alerts().collect()
    }

    pub(in super::super) fn config(&self) -> &Config {
        &self.config
    }

    pub(in super::super) fn configure(&mut self, change: impl FnOnce(&mut Config)) {
        change(&mut self.config);
    }

    /// Runs it with what logs say meanwhile, in the order of time.
    pub(crate) fn run_logged(&self, reports: &[Report]) -> Vec<Told> {
        let mut engine = Engine::new(&self.config, self.learn, None);
        let mut reports = reports.iter().peekable();
        self.run_between(&mut engine, |engine, event| {
            while let Some(report) = reports.next_if(|report| report.time <= event.time) {
                engine.report(report);
            }
        })
    }

    /// Runs it; the last state of every alert, in the order they were told first.
    pub(in super::super) fn run(&self) -> Vec<Told> {
        let mut engine = Engine::new(&self.config, self.learn, None);
        self.run_with(&mut engine)
    }

    pub(in super::super) fn run_with(&self, engine: &mut Engine) -> Vec<Told> {
        self.run_between(engine, |_, _| {})
    }

    /// The same with something done after every event.
    pub(in super::super) fn run_between(
        &self,
        engine: &mut Engine,
        mut between: impl FnMut(&mut Engine, &Event),
    ) -> Vec<Told> {
        let mut events: Vec<&Event> = self.events.iter().collect();
        events.sort_by_key(|event| event.time);
        let mut told: Vec<Told> = Vec::new();
        let mut places = BTreeMap::new();
        let mut hear = |engine: &mut Engine| {
            for alert in engine.drain_alerts() {
                let place = *places.entry(alert.id).or_insert_with(|| {
                    told.push(Told {
                        analytic: alert.analytic,
                        asset: alert.asset.name.clone(),
                        severity: alert.severity,
                        worst: alert.severity,
                        at: alert.time.as_secs() - START,
                        alert: alert.clone(),
                    });
                    told.len() - 1
                });
                let told = &mut told[place];
                told.severity = alert.severity;
                told.worst = told.worst.max(alert.severity);
                told.alert = alert;
            }
        };
        for event in events {
            engine.event(event);
            between(engine, event);
            hear(engine);
        }
        engine.finish();
        hear(engine);
        told
    }
}

/// A day after day 0, which is a Friday.
pub(crate) const MONDAY: u64 = 3 * DAY;

pub(in super::super) fn time(seconds: u64) -> Timestamp {
    Timestamp::from_parts(START + seconds, 0)
}

/// What is told at `severity` or above.
pub(in super::super) fn at_least(severity: Severity, told: &[Told]) -> Vec<String> {
    let worse = told.iter().filter(|told| told.worst >= severity);
    worse.map(|told| format!("{:?} {}: {}", told.worst, told.asset, told.alert.summary)).collect()
}

/// The alerts about an asset.
pub(in super::super) fn about<'a>(told: &'a [Told], asset: &str) -> Vec<&'a Told> {
    told.iter().filter(|told| told.asset == asset).collect()
}

/// Some asset, for tests that need a number of one.
pub(in super::super) fn any_asset() -> crate::inventory::AssetId {
    let end = Scene::end("10.1.0.1", 0);
    crate::inventory::Inventory::new(&Config::default()).resolve(&end, time(0)).unwrap()
}

/// Three days with attacks of both kinds.
pub(in super::super) fn attacked() -> Scene {
    let mut scene = Scene::new();
    scene.routine(5, 3);
    let at = 2 * DAY + 9 * HOUR;
    scene.inside(at, "10.0.0.20", "10.1.0.2", 300, 300_000_000);
    scene.visit(at + 600, "10.1.0.2", "drop.evil.example", "203.0.113.9", 300, 200_000_000);
    scene.visit(at, "10.0.0.11", "c2.evil.example", "203.0.113.10", 10, 900);
    for beacon in 0..3u64 {
        let (b, c) = (17 + beacon * 40, 3 + beacon * 9);
        let server = format!("91.{b}.{c}.7");
        scene.resolve(at + beacon * HOUR, "10.1.0.4", "n.evil.example", &server);
        scene.connect(at + beacon * HOUR + 2, "10.1.0.4", &server, (91 * b + c) as u16);
    }
    scene
}
