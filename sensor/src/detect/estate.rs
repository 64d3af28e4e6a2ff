//! What all detectors share: who is who, what DNS answered, how much everybody moves, what is
//! approved, and how far learning has come.

use std::net::IpAddr;
use std::time::Duration;

use super::answers::{Answers, Support, Value};
use super::awaited::Awaited;
use super::budget::Budget;
use super::by_slot::BySlot;
use super::changes::AssetChanges;
use super::domain::{is_host_name, lower};
use super::operations::Orchestrations;
use super::volume::{Scope, Volumes};
use crate::alert::{self, Evidence, Fact};
use crate::baseline::Elsewhere;
use crate::config::{Approve, Config, Role};
use crate::event::{Carrier, Flow, TlsSession, Traffic, Volume};
use crate::inventory::{AssetId, Changes, Inventory};
use crate::mirror::{MirrorFacts, Source};
use crate::time::Timestamp;

/// When no packet shows anything for so long, the mirror is silent rather than the estate.
const SILENCE: Duration = Duration::from_secs(900);
/// Of an hour in which so much of the traffic was lost the volumes say nothing.
const LOSS: f64 = 0.1;

/// What the detectors know of an asset.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Phase {
    /// All that is seen is taken for usual: `--learn`.
    Teaching,
    /// Little is known yet, and alerts need more.
    Learning,
    /// Learned.
    Watching,
}

/// Whether the config approves a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Approval {
    /// Yes.
    Given,
    /// By its server name, but DNS gave that other addresses, or on another port.
    Doubtful,
    /// No.
    None,
}

/// The two ends of a conversation.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Ends {
    pub(crate) client: Option<AssetId>,
    pub(crate) server: Option<AssetId>,
    /// Whether the server, or where a proxy inside leads, is outside the estate.
    pub(crate) outbound: bool,
}

/// Where a proxy inside leads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Beyond<'a> {
    /// The host it was asked for, by name or address.
    pub(crate) host: &'a str,
    pub(crate) port: u16,
}

/// The shared state.
#[derive(Debug)]
pub(crate) struct Estate {
    pub(crate) sensor: String,
    pub(crate) inventory: Inventory,
    pub(crate) answers: Answers,
    pub(crate) volumes: Volumes,
    /// Guest operations of late.
    pub(crate) operations: Orchestrations,
    /// What was installed, built or restored of late.
    pub(crate) changes: AssetChanges,
    /// What was told of late.
    pub(crate) budget: Budget,
    /// Of whom other sensors may know more.
    pub(crate) awaited: Awaited,
    /// How many assets of other sensors go where.
    pub(crate) elsewhere: Elsewhere,
    /// What the mirror was last said to do, and when.
    pub(crate) mirror: Option<(MirrorFacts, Timestamp)>,
    /// The same of each source of packets, and when that was said.
    pub(crate) sources: Vec<(Source, MirrorFacts)>,
    pub(crate) sources_told: Timestamp,
    approve: Vec<Approve>,
    /// Conversations that a proxy inside leads outside.
    proxied: BySlot<()>,
    learning: Duration,
    /// `--learn`, and from the first event until when.
    teaching: Option<(Duration, Timestamp)>,
    hasher: foldhash::fast::FixedState,
    /// When packets last showed anything.
    seen: Timestamp,
}

impl Estate {
    pub(crate) fn new(config: &Config, learn: Option<Duration>) -> Self {
        Self {
            sensor: config.sensor.name.clone(),
            inventory: Inventory::new(config),
            answers: Answers::new(),
            volumes: Volumes::new(config.tls_egress.spike_min_bytes),
            operations: Orchestrations::new(config.tls_egress.window),
            changes: AssetChanges::new(),
            budget: Budget::new(config.site_budget),
            awaited: Awaited::default(),
            elsewhere: Elsewhere::default(),
            mirror: None,
            sources: Vec::new(),
            sources_told: Timestamp::ZERO,
            approve: config.approve.clone(),
            proxied: BySlot::default(),
            learning: config.baseline.learning,
            teaching: learn.map(|span| (span, Timestamp::ZERO)),
            hasher: foldhash::fast::FixedState::default(),
            seen: Timestamp::ZERO,
        }
    }

    /// Takes another config: names, approvals and times count from now on.
    pub(crate) fn reconfigure(&mut self, config: &Config) -> Changes {
        self.sensor.clone_from(&config.sensor.name);
        self.volumes.reconfigure(config.tls_egress.spike_min_bytes);
        self.operations.reconfigure(config.tls_egress.window);
        self.budget.reconfigure(config.site_budget);
        self.approve.clone_from(&config.approve);
        self.learning = config.baseline.learning;
        self.inventory.reconfigure(config)
    }

    /// The first event has come: `--learn` counts from here.
    pub(crate) fn begin(&mut self, time: Timestamp) {
        if let Some((span, until)) = &mut self.teaching {
            *until = time.plus(*span);
        }
    }

    /// Packets show something: if they showed nothing for long before, nobody knows what moved.
    pub(crate) fn see(&mut self, time: Timestamp) {
        if time <= self.seen {
            return;
        }
        if time >= self.seen.plus(SILENCE) && self.seen != Timestamp::ZERO {
            self.volumes.note_gap(self.seen, time);
        }
        self.seen = time;
    }

    /// The mirror, or its loss, is told of.
    pub(crate) fn note_mirror(&mut self, facts: MirrorFacts, time: Timestamp) {
        if facts.dropped_share() >= LOSS {
            self.volumes.note_gap(time, time);
        }
        self.mirror = Some((facts, time));
    }

    /// How long an asset is learned.
    pub(crate) const fn learning(&self) -> Duration {
        self.learning
    }

    /// How far learning has come for an asset. With `--learn`, what is seen first after it is
    /// learned for as long.
    pub(crate) fn phase(&self, asset: AssetId, now: Timestamp) -> Phase {
        let seen = self.inventory.asset(asset).and_then(|asset| asset.first_seen).unwrap_or(now);
        self.phase_since(seen, now)
    }

    /// The same for anything that was first seen at `seen`.
    pub(crate) fn phase_since(&self, seen: Timestamp, now: Timestamp) -> Phase {
        let learning = match self.teaching {
            Some((_, until)) if now < until => return Phase::Teaching,
            Some((_, until)) if seen < until => Duration::ZERO,
            Some((span, _)) => span.min(self.learning),
            None => self.learning,
        };
        if now.since(seen) < learning { Phase::Learning } else { Phase::Watching }
    }

    /// Who speaks with whom.
    pub(crate) fn ends(&mut self, flow: &Flow, now: Timestamp) -> Ends {
        let client = self.inventory.resolve(&flow.client, now);
        let server = self.inventory.resolve(&flow.server, now);
        let outbound = (server.is_none() && !self.inventory.is_internal(flow.server.address))
            || self.proxied.get(flow).is_some();
        Ends { client, server, outbound }
    }

    /// Whether a conversation may be egress, whoever its ends are.
    pub(crate) fn may_leave(&self, flow: &Flow) -> bool {
        !self.inventory.is_internal(flow.server.address) || self.proxied.get(flow).is_some()
    }

    /// Learns from a hello where its conversation leads: through a proxy inside to the outside, it is
    /// egress of who asked the proxy.
    pub(crate) fn note_session(&mut self, flow: &Flow, session: &TlsSession, now: Timestamp) {
        let Some(Beyond { host, .. }) = Beyond::of(session) else { return };
        let Ends { client, outbound: false, .. } = self.ends(flow, now) else { return };
        let is_inside = match host.parse() {
            Ok(address) => self.inventory.is_internal(address),
            // What has one label only is a name of the estate's own.
            Err(_) => !is_host_name(host) || self.answered_inside(client, &lower(host)),
        };
        if !is_inside {
            self.proxied.insert(flow, ());
        }
    }

    /// Whether DNS gave the client an address inside for this name.
    fn answered_inside(&self, client: Option<AssetId>, name: &str) -> bool {
        client.into_iter().flat_map(|client| self.answers.held(client)).any(|answer| {
            let inside = |address| self.inventory.is_internal(address);
            *answer.name == *name && matches!(answer.value, Value::Address(to) if inside(to))
        })
    }

    /// Where a session leads that goes through a proxy inside.
    pub(crate) fn beyond_proxy<'a>(
        &self,
        flow: &Flow,
        session: &'a TlsSession,
    ) -> Option<Beyond<'a>> {
        self.proxied.get(flow)?;
        Beyond::of(session)
    }

    /// Counts what a conversation moved, for both ends that are assets.
    pub(crate) fn note_volume(&mut self, ends: Ends, flow: &Flow, volume: &Volume) {
        let (there, back) = (volume.to_server.bytes, volume.to_client.bytes);
        if let Some(client) = ends.client {
            let scope = self.client_scope(ends);
            self.note_end(client, scope, flow.server.address, volume.since, [back, there]);
        }
        if let Some(server) = ends.server {
            let scope = self.server_scope(ends, flow);
            self.note_end(server, scope, flow.client.address, volume.since, [there, back]);
        }
    }

    /// Where the other side of a conversation is, for its client.
    pub(crate) const fn client_scope(&self, ends: Ends) -> Scope {
        if ends.outbound { Scope::External } else { Scope::Internal }
    }

    /// The same for its server.
    pub(crate) fn server_scope(&self, ends: Ends, flow: &Flow) -> Scope {
        let inside = ends.client.is_some() || self.inventory.is_internal(flow.client.address);
        if inside { Scope::Internal } else { Scope::External }
    }

    /// Counts what one asset moved with another address.
    pub(super) fn note_end(
        &mut self,
        asset: AssetId,
        scope: Scope,
        peer: IpAddr,
        time: Timestamp,
        moved: [u64; 2],
    ) {
        use std::hash::BuildHasher;
        let peer = self.hasher.hash_one(peer) as u32;
        self.volumes.note(asset, scope, peer, time, moved);
    }

    /// Whether the config approves a conversation with an address and port. A server name is a claim of the client: where
    /// DNS contradicts it, it approves nothing on its own; where DNS agrees, another port than the
    /// approved ones is only doubtful.
    pub(crate) fn approval(
        &self,
        asset: AssetId,
        (address, port): (IpAddr, u16),
        sni: Option<&str>,
        support: Option<Support>,
    ) -> Approval {
        let Some(asset) = self.inventory.asset(asset) else { return Approval::None };
        let covers =
            |approve: &&Approve, port| approve.covers(&asset.name, asset.role, address, port, sni);
        let claimed = |approve: &Approve| {
            support == Some(Support::Contradicted)
                && !approve.sni.is_empty()
                && approve.destinations.is_empty()
        };
        let mut approval = Approval::None;
        for approve in &self.approve {
            if covers(&approve, port) {
                if !claimed(approve) {
                    return Approval::Given;
                }
                approval = Approval::Doubtful;
            }
            let at_its_port = approve.ports.iter().any(|port| covers(&approve, *port));
            if support == Some(Support::Agreed) && !approve.sni.is_empty() && at_its_port {
                approval = Approval::Doubtful;
            }
        }
        approval
    }

    /// What is approved for an asset of that name and role.
    pub(crate) fn approvals_of(&self, name: &str, role: Role) -> impl Iterator<Item = &Approve> {
        self.approve.iter().filter(move |approve| {
            (approve.assets.is_empty() || approve.assets.iter().any(|asset| asset == name))
                && (approve.roles.is_empty() || approve.roles.contains(&role))
        })
    }

    /// What an alert should say of the mirror that shows a conversation, where that is not well.
    pub(crate) fn mirror_evidence(&self, flow: &Flow) -> Option<Evidence> {
        let own = self.source(flow).map(|facts| (*facts, self.sources_told));
        let is_notable = |(facts, _): &(MirrorFacts, Timestamp)| facts.notable().is_some();
        let (facts, time) = own.filter(is_notable).or(self.mirror.filter(is_notable))?;
        Some(Evidence { time, weight: 0.0, fact: Fact::Mirror(facts) })
    }

    /// The mirror that shows a conversation shows one packet in so many.
    pub(crate) fn one_in(&self, flow: &Flow) -> Option<f64> {
        self.source(flow)?.one_in
    }

    fn source(&self, flow: &Flow) -> Option<&MirrorFacts> {
        let source = Source::of(flow);
        self.sources.iter().find(|(known, _)| known.is(&source)).map(|(_, facts)| facts)
    }

    pub(crate) fn role(&self, asset: AssetId) -> Role {
        self.inventory.asset(asset).map_or(Role::Other, |asset| asset.role)
    }

    /// An asset as an alert names it, at the end of a conversation.
    pub(crate) fn describe(&self, asset: AssetId, flow: &Flow) -> alert::Asset {
        let name =
            self.inventory.asset(asset).map_or_else(String::new, |known| known.name.to_string());
        alert::Asset {
            name,
            role: self.role(asset).name().into(),
            address: Some(flow.client.address),
            mac: flow.client.mac.map(|mac| mac.to_string()),
        }
    }

    /// An asset as an alert names it that only a log names; `role` is what it is where nothing else
    /// says so.
    pub(crate) fn describe_name(&self, name: &str, role: Role) -> alert::Asset {
        let id = self.inventory.called(name);
        let known = id.and_then(|id| self.inventory.asset(id));
        alert::Asset {
            name: known.map_or(name, |known| &known.name).to_owned(),
            role: known.map_or(role, |known| known.role).name().into(),
            address: id.and_then(|id| self.inventory.address_of(id)),
            mac: None,
        }
    }

    /// The id of an alert: the same for the same sensor and parts, on every reading.
    pub(crate) fn alert_id(&self, parts: &[&str]) -> uuid::Uuid {
        let name = [&[self.sensor.as_str()], parts].concat().join("\n");
        uuid::Uuid::new_v5(&uuid::Uuid::NAMESPACE_OID, name.as_bytes())
    }
}

/// What moved, as far as known: of a mirror that shows one packet in so many, so many times what was
/// seen.
pub(super) fn estimated(volume: &Volume) -> Volume {
    let Some(one_in) = volume.one_in else { return *volume };
    let times = |count: u64| (count as f64 * one_in) as u64;
    let all = |seen: Traffic| Traffic { packets: times(seen.packets), bytes: times(seen.bytes) };
    Volume { to_server: all(volume.to_server), to_client: all(volume.to_client), ..*volume }
}

impl<'a> Beyond<'a> {
    /// What a session's proxy was asked for; port 443 where none is named.
    fn of(session: &'a TlsSession) -> Option<Self> {
        let Carrier::Proxy(authority) = &session.carrier else { return None };
        let (host, port) = match authority.rsplit_once(':') {
            Some((host, port)) if !port.ends_with(']') => (host, port.parse().unwrap_or(0)),
            _ => (&**authority, 443),
        };
        let host = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host);
        Some(Self { host, port })
    }
}
