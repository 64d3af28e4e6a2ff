//! Whose the ends of conversations are, found out once in a minute for each of them.

use super::by_slot::BySlot;
use crate::decode::Mac;
use crate::event::{Endpoint, Flow};
use crate::inventory::{AssetId, Inventory};
use crate::time::Timestamp;

/// What was found out of the conversations that live: most events are about one of which much was told
/// in the same minute. Bounds: 56 bytes for each slot of the flow table.
#[derive(Debug, Default)]
pub(super) struct Parties(BySlot<Party>);

/// The ends of one conversation.
#[derive(Debug, Default)]
struct Party {
    seen: Seen,
    client: End,
    server: End,
}

/// As what it was seen: its ends are found anew when that changes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Seen {
    /// Counted from the epoch: the inventory keeps for every minute who spoke in it.
    minute: u32,
    /// See [`Inventory::changes`].
    changes: u32,
    macs: [Option<Mac>; 2],
    /// Which of the two ends is taken for the client: the one whose address and port come first?
    is_ascending: bool,
}

/// Whose an end is, where that is found out and stays true.
#[derive(Debug, Clone, Copy, Default)]
struct End(Option<Option<AssetId>>);

impl Parties {
    /// Whose the client's end is.
    pub(super) fn client(
        &mut self,
        inventory: &mut Inventory,
        flow: &Flow,
        now: Timestamp,
    ) -> Option<AssetId> {
        match self.party(inventory, flow, now) {
            Some(party) => party.client.find(inventory, &flow.client, now),
            None => inventory.resolve(&flow.client, now),
        }
    }

    /// Whose the client's and the server's ends are.
    pub(super) fn both(
        &mut self,
        inventory: &mut Inventory,
        flow: &Flow,
        now: Timestamp,
    ) -> [Option<AssetId>; 2] {
        let Some(party) = self.party(inventory, flow, now) else {
            return [&flow.client, &flow.server].map(|end| inventory.resolve(end, now));
        };
        let client = party.client.find(inventory, &flow.client, now);
        [client, party.server.find(inventory, &flow.server, now)]
    }

    fn party(&mut self, inventory: &Inventory, flow: &Flow, now: Timestamp) -> Option<&mut Party> {
        let seen = Seen {
            minute: u32::try_from(now.as_secs() / 60).unwrap_or(u32::MAX),
            changes: inventory.changes(),
            macs: [flow.client.mac, flow.server.mac],
            is_ascending: (flow.client.address, flow.client.port)
                < (flow.server.address, flow.server.port),
        };
        let party = self.0.entry(flow)?;
        if party.seen != seen {
            *party = Party { seen, ..Party::default() };
        }
        Some(party)
    }
}

impl End {
    fn find(
        &mut self,
        inventory: &mut Inventory,
        end: &Endpoint,
        now: Timestamp,
    ) -> Option<AssetId> {
        if let Some(found) = self.0 {
            return found;
        }
        let found = inventory.resolve(end, now);
        // Somebody may be discovered where nobody is known to be.
        if found.is_some() || !inventory.may_have(end.address) {
            self.0 = Some(found);
        }
        found
    }
}
