//! Frames counted for what they say of the mirror. Bounded: what is beyond is counted with what
//! is known of it, and conversations beyond the limit not at all.

use hashbrown::HashMap;

use super::{Conversations, Seen};
use crate::capture::{Frame, LinkType, Stats};
use crate::config::Config;
use crate::decode::duplicates::Duplicates;
use crate::decode::tunnel::{GENEVE_PORT, GTP_U_PORT, VXLAN_GPE_PORT, VXLAN_PORT};
use crate::decode::{self, Mac, Packet, protocol, tcp_flags};
use crate::event::{Endpoint, TunnelKind};
use crate::flow::{Direction, Key, Observer, Table};
use crate::inventory::Inventory;

/// The most conversations that are told apart.
const MAX_CONVERSATIONS: usize = 65_536;

/// Fewer packets of a conversation do not show that its other direction is missing: it may be
/// unanswered, or just beginning.
const ENOUGH: u32 = 3;

/// Bytes of an Ethernet header, and of each VLAN tag in it.
const ETHERNET: u32 = 14;
const VLAN_TAG: u32 = 4;

/// Counts frames.
pub(in super::super::super) struct Tally {
    seen: Seen,
    own: Option<Mac>,
    mtu: Option<u32>,
    duplicates: Duplicates,
    inventory: Inventory,
    conversations: HashMap<Key, Conversation, foldhash::fast::RandomState>,
    /// Follows sequence numbers, and knows which cuts to believe; none, where there is no memory for it.
    flows: Option<Table>,
}

/// What was seen of a TCP conversation.
#[derive(Default)]
struct Conversation {
    packets: u32,
    up: bool,
    down: bool,
    client: Option<Direction>,
}

impl Tally {
    /// Counts for assets of `config`, on an interface with this MAC address and MTU.
    pub(in super::super::super) fn new(
        config: &Config,
        own: Option<Mac>,
        mtu: Option<u32>,
    ) -> Self {
        Self {
            seen: Seen::default(),
            own,
            mtu,
            duplicates: Duplicates::default(),
            inventory: Inventory::new(config),
            conversations: HashMap::default(),
            flows: Table::new(MAX_CONVERSATIONS).ok(),
        }
    }

    /// Counts some frames, in the order of capture.
    pub(in super::super::super) fn burst(&mut self, frames: &[Frame<'_>]) {
        for frame in frames {
            self.seen.frames += 1;
            self.seen.wire_bytes += u64::from(frame.wire_len);
            self.seen.truncated += u64::from((frame.bytes.len() as u64) < frame.wire_len.into());
            self.link(frame);
            let duplicates = &mut self.duplicates;
            let packet = decode::packet_unless(frame, |ip| duplicates.is_copy(ip, frame.time));
            let in_frame = packet.as_ref().ok().and_then(Option::as_ref);
            let in_frame = in_frame.and_then(|packet| packet.vlans.first());
            if let Some(vlan) = frame.vlan.as_ref().or(in_frame) {
                *self.seen.vlans.entry(*vlan).or_default() += 1;
            }
            match packet {
                Ok(Some(packet)) => self.packet(frame, &packet),
                Ok(None) => self.seen.packets += 1,
                Err(_) => {}
            }
        }
    }

    /// Adds what the source says of losses.
    pub(in super::super::super) fn lost(&mut self, stats: &Stats) {
        self.seen.dropped += stats.dropped;
    }

    /// All that was counted.
    pub(in super::super::super) fn finish(self) -> Seen {
        let Self { mut seen, inventory, conversations, duplicates, flows, .. } = self;
        seen.copies = duplicates.count();
        if let Some(mut flows) = flows {
            flows.finish(&mut Nobody);
            seen.cut_before = flows.cut();
            for known in flows.sources() {
                seen.sequences.add(&known.total.sequences);
            }
        }
        for (key, conversation) in conversations {
            conversation.count(&key, &mut seen.tcp);
        }
        for (_, asset) in inventory.assets() {
            match (asset.configured, asset.first_seen) {
                (false, _) => seen.discovered += 1,
                (true, Some(_)) => seen.assets_seen.push(asset.name.to_string()),
                (true, None) => seen.assets_unseen.push(asset.name.to_string()),
            }
        }
        seen
    }

    fn link(&mut self, frame: &Frame<'_>) {
        if frame.link != LinkType::ETHERNET {
            self.seen.of_others += 1;
            return;
        }
        let ([to, from, ..], _) = frame.bytes.as_chunks::<6>() else { return };
        let (to, from) = (Mac(*to), Mac(*from));
        if to.0[0] & 1 == 1 {
            self.seen.to_groups += 1;
        } else if self.own.is_some_and(|own| own == to || own == from) {
            self.seen.own += 1;
        } else {
            self.seen.of_others += 1;
        }
    }

    fn packet(&mut self, frame: &Frame<'_>, packet: &Packet<'_>) {
        self.seen.packets += 1;
        self.size(frame, packet);
        if let Some(flows) = &mut self.flows {
            flows.burst(std::slice::from_ref(packet), &mut Nobody);
        }
        if let Some(tunnel) = tunnel(packet) {
            *self.seen.tunnels.entry(tunnel).or_default() += 1;
        }
        if let Some(tunnel) = closed_tunnel(packet) {
            *self.seen.closed_tunnels.entry(tunnel).or_default() += 1;
        }
        // Only a sender's MAC address is its own: towards a receiver it may be a router's.
        let [from, to] = packet.ports;
        let mac = packet.macs.map(|[from, _]| from);
        for (address, port, mac) in [(packet.source, from, mac), (packet.destination, to, None)] {
            self.inventory.resolve(&Endpoint { address, port, mac }, packet.time);
        }
        if packet.protocol == protocol::TCP && packet.fragment.is_none_or(|part| part.is_first()) {
            self.tcp(packet);
        }
    }

    fn size(&mut self, frame: &Frame<'_>, packet: &Packet<'_>) {
        if frame.link != LinkType::ETHERNET {
            return;
        }
        let link = match packet.tunnel {
            None => ETHERNET + VLAN_TAG * packet.vlans.len() as u32,
            // The packet's own tags are not the frame's.
            Some(outer) => {
                let taken_out = if frame.vlan.is_some() { VLAN_TAG } else { 0 };
                (frame.bytes.len() - outer.bytes().len()) as u32 + taken_out
            }
        };
        let size = frame.wire_len.saturating_sub(link);
        self.seen.largest = self.seen.largest.max(size);
        self.seen.oversize += u64::from(self.mtu.is_some_and(|mtu| size > mtu));
    }

    fn tcp(&mut self, packet: &Packet<'_>) {
        let (key, direction) = Key::of(packet);
        if self.conversations.len() >= MAX_CONVERSATIONS && !self.conversations.contains_key(&key) {
            return;
        }
        let conversation = self.conversations.entry(key).or_default();
        conversation.packets = conversation.packets.saturating_add(1);
        match direction {
            Direction::Up => conversation.up = true,
            Direction::Down => conversation.down = true,
        }
        let flags = packet.tcp.map_or(0, |tcp| tcp.flags);
        if flags & tcp_flags::SYN != 0 {
            let answers = flags & tcp_flags::ACK != 0;
            conversation.client = Some(if answers { direction.reverse() } else { direction });
        }
    }
}

impl Conversation {
    fn count(&self, key: &Key, counts: &mut Conversations) {
        let seen = match (self.up, self.down) {
            (true, true) => {
                counts.both += 1;
                return;
            }
            (true, false) => Direction::Up,
            _ => Direction::Down,
        };
        if self.packets < ENOUGH {
            return;
        }
        // Where nobody was seen to open it, the side with the lower port serves.
        let [up, down] = [Direction::Up, Direction::Down].map(|side| key.sender(side).1);
        let guess = if up > down { Direction::Up } else { Direction::Down };
        if self.client.unwrap_or(guess) == seen {
            counts.client_only += 1;
        } else {
            counts.server_only += 1;
        }
    }
}

/// Wants nothing of conversations: what the table itself counts is enough.
struct Nobody;

impl Observer for Nobody {}

/// The tunnel that a packet came through, by its name.
fn tunnel(packet: &Packet<'_>) -> Option<&'static str> {
    packet.tunnel?.read().map(|tunnel| named(tunnel.kind))
}

/// A kind of tunnel, as people write it.
const fn named(kind: TunnelKind) -> &'static str {
    match kind {
        TunnelKind::Vxlan => "VXLAN",
        TunnelKind::VxlanGpe => "VXLAN-GPE",
        TunnelKind::Geneve => "GENEVE",
        TunnelKind::Gre => "GRE",
        TunnelKind::Nvgre => "NVGRE",
        TunnelKind::Erspan => "ERSPAN",
        TunnelKind::IpInIp => "IP in IP",
        TunnelKind::GtpU => "GTP-U",
    }
}

/// What carries other packets that are not read.
const fn closed_tunnel(packet: &Packet<'_>) -> Option<&'static str> {
    let kind = match (packet.protocol, packet.ports) {
        (protocol::GRE, _) => TunnelKind::Gre,
        (protocol::IPV4 | protocol::IPV6, _) => TunnelKind::IpInIp,
        (protocol::UDP, [_, VXLAN_PORT]) => TunnelKind::Vxlan,
        (protocol::UDP, [_, VXLAN_GPE_PORT]) => TunnelKind::VxlanGpe,
        (protocol::UDP, [_, GENEVE_PORT]) => TunnelKind::Geneve,
        (protocol::UDP, [_, GTP_U_PORT]) => TunnelKind::GtpU,
        _ => return None,
    };
    Some(named(kind))
}

#[cfg(test)]
mod tests;
