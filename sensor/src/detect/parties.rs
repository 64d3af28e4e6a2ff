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
    seen: Sight,
    client: End,
    server: End,
}

/// As what it was seen: its ends are found anew when that changes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Sight {
    /// Counted from the epoch: the inventory keeps for every minute who spoke in it.
    minute: u32,
    /// See [`Inventory::changes`].
    changes: u32,
    macs: [Option<Mac>; 2],
    /// Whether the client is the end whose address and port come first: whom it is taken for can change.
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
        let seen = Sight {
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Config;
    use crate::event::sample;

    /// Guests behind routers and beside them, addresses that change hands, conversations that learn
    /// their server's MAC address late and whose ends were taken for each other's: what is kept is what
    /// would be found out anew. Fails when a change of the inventory is not told.
    #[test]
    fn what_is_kept_is_what_would_be_found_out_anew() {
        let [mut kept, mut anew] = [(); 2].map(|()| Inventory::new(&Config::default()));
        let mut parties = Parties::default();
        let mut state = 1u64;
        let mut below = |count: u64| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            (state >> 33) % count
        };
        let mut found = 0;
        for step in 0..60_000 {
            let number = below(60);
            let end = |mac: u64, address: u64| Endpoint {
                address: match address % 9 {
                    0 => [203, 0, 113, address as u8].into(),
                    1 => [0xfd00, 0, 0, 0, 0, 0, 0, address as u16].into(),
                    2 => [0x2001, 0xdb8, address as u16, 0, 0, 0, 0, 7].into(),
                    _ => [10, 20, 0, address as u8].into(),
                },
                port: 443,
                mac: (mac > 0)
                    .then(|| Mac([0, 0x50, 0x56, 0x80 + (mac % 5 / 4) as u8, 0, mac as u8])),
            };
            // The same ends for a while, and then others.
            let era = step / 5000;
            let mut flow = sample::flow(number + era * 60, number as u32);
            flow.client = end(number % 7 + 1, number + number * era % 5);
            flow.server = end(below(2) * (number % 11), number / 3 + era);
            if below(8) == 0 {
                std::mem::swap(&mut flow.client, &mut flow.server);
            }
            let now = Timestamp::from_parts(1_800_000_000 + step * 3, 0);
            if below(5000) == 0
                && let Some(asset) = anew.resolve(&flow.client, now)
            {
                kept.resolve(&flow.client, now);
                kept.forget(asset);
                anew.forget(asset);
            }
            let client = anew.resolve(&flow.client, now);
            if below(3) == 0 {
                assert_eq!(parties.client(&mut kept, &flow, now), client, "{step}: {flow:?}");
                continue;
            }
            let both = [client, anew.resolve(&flow.server, now)];
            assert_eq!(parties.both(&mut kept, &flow, now), both, "{step}: {flow:?}");
            found += both.iter().flatten().count();
            assert!(kept.assets().eq(anew.assets()), "{step}");
        }
        assert!(found > 10_000 && anew.changes() > 10, "{found} {}", anew.changes());
    }
}
