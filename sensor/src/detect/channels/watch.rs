//! What is watched of each asset, and which detector is given which conversation.

use std::net::IpAddr;

use super::finding::Look;
use super::{
    Channels, Found, attempts, beacons, floods, idle, mining, names, relay, segments, services,
    transfers, unresolved, whereabouts,
};
use crate::decode::{protocol, tcp_flags};
use crate::detect::estate::Estate;
use crate::event::{Flow, Volume};
use crate::inventory::AssetId;
use crate::prefetch;

/// What is kept of one asset.
#[derive(Debug, Default)]
pub(super) struct Kept {
    /// Ports on which it answered, as bits of their hash, while it was learned and since.
    pub(super) served: [u64; 4],
    /// Outsiders reached its web ports.
    serves_web: bool,
    /// A UDP conversation of it was answered: both directions are seen.
    hears: bool,
    pub(super) floods: floods::Floods,
    tried: Option<Box<attempts::Attempts>>,
    scanned: Option<Box<attempts::Attempts>>,
    knocks: Option<Box<attempts::Knocks>>,
    beacons: Option<Box<beacons::Beacons>>,
    transfers: Option<Box<transfers::Transfers>>,
    /// When the spike inside began that was told last, in seconds.
    told_inside: u32,
    fanout: Option<Box<services::Fanout>>,
    fallback: Option<Box<services::Fallback>>,
    pub(super) asked: Option<Box<names::Asked>>,
    relay: Option<Box<relay::Relay>>,
    sessions: Option<Box<idle::Sessions>>,
}

impl Kept {
    /// Asks for the memory that most conversations take.
    pub(super) fn prefetch(&self) {
        prefetch::line(&self.hears);
        prefetch::line(&self.beacons);
    }
}

/// How a conversation began, as its first volume shows it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Beginning {
    /// Both sides take part, or nothing says that they do not.
    Taken,
    /// It was refused, not answered, or its handshake not completed.
    Vain,
    /// It is an answer to what was not asked.
    Unasked,
}

impl Beginning {
    pub(super) fn of(flow: &Flow, volume: &Volume) -> Self {
        const ANSWER: u8 = tcp_flags::SYN | tcp_flags::ACK;
        match (flow.protocol, volume.tcp_flags) {
            (protocol::TCP, Some([0, ANSWER])) => Self::Unasked,
            (protocol::TCP, Some([client, _])) if client & ANSWER == tcp_flags::SYN => Self::Vain,
            // Flow records tell of each direction by itself.
            (protocol::UDP, _) if volume.to_client.packets == 0 && flow.slot != Flow::NO_SLOT => {
                Self::Vain
            }
            _ => Self::Taken,
        }
    }
}

impl Channels {
    /// A conversation that nobody took.
    #[cold]
    pub(super) fn vain(&mut self, look: &Look<'_>, volume: &Volume, found: &mut Found) {
        let (flow, ends) = (look.flow, look.ends);
        let is_tcp = flow.protocol == protocol::TCP;
        if let Some(client) = ends.client {
            let kept = self.kept(client);
            // Where only one direction is mirrored, no datagram is ever answered.
            if is_tcp || kept.hears {
                let tried = kept.tried.get_or_insert_default();
                found.extend(tried.tries(look).into_iter().flatten());
            }
            if volume.to_server.packets <= 1 && volume.to_client.packets == 0 {
                found.extend(kept.floods.single(look));
            }
            if !is_tcp && ends.outbound && floods::is_reflector(flow.server.port) {
                found.extend(kept.floods.reflector(look));
            }
            if is_tcp && ends.outbound && matches!(flow.server.port, 139 | 445) {
                kept.fallback.get_or_insert_default().refused(look);
            }
        }
        if let Some(server) = ends.server.filter(|_| is_tcp) {
            let from_outside = is_outside(look.estate, ends.client, flow.client.address);
            let kept = self.kept(server);
            kept.knocks.get_or_insert_default().refused(look);
            found.extend(kept.floods.half_open(look));
            if from_outside {
                found.extend(kept.scanned.get_or_insert_default().is_tried(look));
            }
        }
    }

    /// A conversation that somebody took.
    pub(super) fn taken(&mut self, look: &Look<'_>, volume: &Volume, found: &mut Found) {
        let (flow, ends) = (look.flow, look.ends);
        let port = flow.server.port;
        let service = (flow.protocol == protocol::TCP).then(|| services::of_port(port)).flatten();
        if let Some(service) = service.filter(|_| is_answered(volume)) {
            let news = |asset, subject: &dyn Fn() -> String| {
                self.news(look, asset, service, || Some(subject()))
            };
            found.extend(services::used(service, look, news).into_iter().flatten());
            if let Some(client) = ends.client.filter(|_| matches!(port, 139 | 445)) {
                let fanout = self.kept(client).fanout.get_or_insert_default();
                found.extend(fanout.reaches(look));
            }
        }
        if !self.settings.segments.is_empty() && is_answered(volume) {
            found.extend(segments::crosses(&self.settings.segments, look));
        }
        if let Some(server) = ends.server {
            self.served(look, server, found);
        }
        if let Some(client) = ends.client {
            self.reached(look, volume, client, found);
        }
        if ends.outbound && !self.settings.databases.is_empty() && is_answered(volume) {
            let databases = self.settings.databases.clone();
            let news =
                |asset, of, subject: whereabouts::Subject<'_>| self.news(look, asset, of, subject);
            found.extend(whereabouts::reaches(look, &databases, news).into_iter().flatten());
        }
    }

    /// An asset answered.
    fn served(&mut self, look: &Look<'_>, server: AssetId, found: &mut Found) {
        let port = look.flow.server.port;
        let from_outside = is_outside(look.estate, look.ends.client, look.flow.client.address);
        let kept = self.kept(server);
        let bit = u32::from(port).wrapping_mul(0x9e37_79b1) >> 24;
        let word = kept.served.get_mut(bit as usize / 64);
        let is_new = word.is_some_and(|word| {
            let was = *word;
            *word |= 1 << (bit % 64);
            was != *word
        });
        if is_new && let Some(knocks) = &mut kept.knocks {
            found.extend(knocks.opened(look));
        }
        if floods::is_web(port) {
            kept.serves_web |= from_outside;
            found.extend(kept.floods.web(look));
        }
    }

    /// An asset reached somebody.
    fn reached(&mut self, look: &Look<'_>, volume: &Volume, client: AssetId, found: &mut Found) {
        let (flow, port) = (look.flow, look.flow.server.port);
        let outbound = look.ends.outbound;
        let kept = self.kept(client);
        kept.hears |= flow.protocol == protocol::UDP;
        if !outbound {
            return;
        }
        if !beacons::is_left_out(port) {
            found.extend(kept.beacons.get_or_insert_default().begins(look, volume));
        }
        if flow.protocol == protocol::UDP && floods::is_reflector(port) {
            found.extend(kept.floods.reflector(look));
        }
        if floods::is_web(port)
            && let Some(fallback) = &mut kept.fallback
        {
            found.extend(fallback.follows(look));
        }
        let serves_web = kept.serves_web;
        // What is TLS was judged by its name; calls and games reach their peers by UDP all day.
        let is_told = flow.protocol != protocol::TCP || (!serves_web && self.is_tls(flow));
        if !is_told && is_answered(volume) && (serves_web || !unresolved::is_usual(port)) {
            found.extend(unresolved::reaches(look, serves_web));
        }
    }

    /// What a conversation moved, at any time of its life.
    pub(super) fn moved(&mut self, look: &Look<'_>, volume: &Volume, found: &mut Found) {
        /// Less inside within 10 s is no spike's.
        const MUCH: u64 = 1 << 20;
        const LONG: u64 = 600;
        let (flow, ends) = (look.flow, look.ends);
        if let Some(client) = ends.client {
            let age = look.now.since(flow.opened);
            if ends.outbound {
                let is_tls = self.is_tls(flow) && flow.server.port != 53;
                let transfers = &mut self.kept(client).transfers;
                let watches = transfers.as_ref().is_some_and(|known| known.watches());
                if !is_tls && (watches || transfers::is_uneven(volume)) {
                    let known = transfers.get_or_insert_default();
                    found.extend(known.moved(look, volume).into_iter().flatten());
                }
                if age.as_secs() >= 86_400 {
                    found.extend(transfers.get_or_insert_default().lasts(look, age));
                }
                if age.as_secs() >= LONG && mining::is_port(flow.server.port) {
                    let bytes = volume.to_server.bytes + volume.to_client.bytes;
                    found.extend(mining::goes_on(look, bytes));
                }
            // Overlays and mirrors carry others' traffic, in UDP and GRE: AN1131 watches those.
            } else if volume.to_server.bytes >= MUCH && flow.protocol == protocol::TCP {
                let told = &mut self.kept(client).told_inside;
                found.extend(transfers::inside(look, told));
            }
        }
        if flow.protocol == protocol::TCP {
            self.through(look, volume, found);
        }
    }

    /// What may go through an asset, or wait in it.
    fn through(&mut self, look: &Look<'_>, volume: &Volume, found: &mut Found) {
        let ends = look.ends;
        if look.flow.server.port == 22
            && let Some(asset) = ends.server.or(ends.client)
        {
            let sessions = self.kept(asset).sessions.get_or_insert_default();
            found.extend(sessions.moved(look, volume));
        }
        if !relay::is_leg(look, volume) {
            return;
        }
        let is_relays = relay::is_relays(look.flow.server.port);
        let watched =
            |kept: &Kept, is_management| is_management || is_relays || kept.relay.is_some();
        if let Some(server) = ends.server {
            let is_management = look.estate.role(server).is_management();
            let kept = self.kept(server);
            if watched(kept, is_management) {
                let relay = kept.relay.get_or_insert_default();
                found.extend(relay.comes_in(look, volume, is_management));
            }
        }
        if let Some(client) = ends.client {
            let is_management = look.estate.role(client).is_management();
            let kept = self.kept(client);
            if watched(kept, is_management) {
                let relay = kept.relay.get_or_insert_default();
                found.extend(relay.goes_out(look, volume, is_management));
            }
        }
    }
}

/// Whether the server takes part: its packets are seen, or the client's handshake is complete.
fn is_answered(volume: &Volume) -> bool {
    let completed = |flags: [u8; 2]| flags.first().is_some_and(|of| of & tcp_flags::ACK != 0);
    volume.to_client.packets > 0 || volume.tcp_flags.is_some_and(completed)
}

fn is_outside(estate: &Estate, client: Option<AssetId>, address: IpAddr) -> bool {
    client.is_none() && !estate.inventory.is_internal(address)
}
