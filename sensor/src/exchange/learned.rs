//! `egret.learned/1`: what one sensor learned of one asset.

use std::borrow::Cow;
use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{LONGEST_NAME, Message, Refused, are_within};
use crate::baseline::AssetBaseline;
use crate::inventory::Identity;
use crate::time::Timestamp;

/// The most bytes of a message: what is within the bounds below has about half.
pub const LARGEST: usize = 512 << 10;
/// Destinations that are told of an asset: those it knows best.
pub const DESTINATIONS: usize = 512;
/// Series of volumes.
const SERIES: usize = 8;
/// MAC addresses of one asset.
const MACS: usize = 32;
/// Clients, ports, subjects, domains and forgotten destinations, each.
const OTHERS: usize = 512;

/// What one sensor learned of one asset.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Learned {
    schema: String,
    /// Who learned it.
    pub sensor: String,
    /// Of which asset.
    pub identity: Identity,
    /// What that sensor calls it.
    pub name: String,
    /// When it was told, in seconds since the epoch.
    pub told: u64,
    /// What it learned.
    pub learned: AssetBaseline,
}

impl Learned {
    /// What `sensor` learned of an asset until now, with the destinations it knows best.
    pub fn new(
        sensor: &str,
        (identity, name): (Identity, &str),
        now: Timestamp,
        mut learned: AssetBaseline,
    ) -> Self {
        keep_best_known(&mut learned);
        Self {
            schema: Self::SCHEMA.to_owned(),
            sensor: sensor.to_owned(),
            identity,
            name: name.to_owned(),
            told: now.as_secs(),
            learned,
        }
    }

    /// As it is sent.
    pub fn to_json(&self) -> Vec<u8> {
        super::write(self)
    }

    /// Reads what `sensor` sent.
    ///
    /// # Errors
    /// Why it is refused.
    pub fn read(bytes: &[u8], sensor: &str, now: Timestamp) -> Result<Self, Refused> {
        super::read(bytes, sensor, now)
    }
}

impl Message for Learned {
    const SCHEMA: &'static str = "egret.learned/1";
    const LARGEST: usize = LARGEST;

    fn schema(&self) -> &str {
        &self.schema
    }

    fn sender(&self) -> Cow<'_, str> {
        Cow::Borrowed(&self.sensor)
    }

    fn check(&self, latest: Timestamp) -> Result<(), Refused> {
        let Self { learned, name, identity, .. } = self;
        if name.len() > LONGEST_NAME || !identity.is_within(LONGEST_NAME) {
            return Err(Refused::Bounds("names"));
        }
        are_within(learned.destinations.keys(), DESTINATIONS, LONGEST_NAME, "destinations")?;
        are_within(learned.volumes.keys(), SERIES, 32, "series")?;
        are_within(learned.macs.iter(), MACS, 17, "MAC addresses")?;
        are_within(learned.clients.keys(), OTHERS, 64, "clients")?;
        are_within(learned.channels.iter(), OTHERS, LONGEST_NAME, "subjects")?;
        are_within(learned.many_ports.iter(), OTHERS, LONGEST_NAME, "domains")?;
        let forgotten = learned.forgotten_destinations.keys();
        are_within(forgotten, OTHERS, LONGEST_NAME, "forgotten destinations")?;
        if learned.ports.len() > OTHERS {
            return Err(Refused::Bounds("ports"));
        }
        if self.told > latest.as_secs() || learned.is_after(latest) {
            return Err(Refused::Future);
        }
        Ok(())
    }
}

/// Leaves the destinations that are known best, where there are more than are told.
fn keep_best_known(learned: &mut AssetBaseline) {
    if learned.destinations.len() <= DESTINATIONS {
        return;
    }
    let mut all: Vec<_> = std::mem::take(&mut learned.destinations).into_iter().collect();
    all.sort_by_key(|(_, habit)| std::cmp::Reverse((habit.hours, habit.last_seen)));
    all.truncate(DESTINATIONS);
    learned.destinations = all.into_iter().collect::<BTreeMap<_, _>>();
}

#[cfg(test)]
mod tests;
