//! What is usual for an asset: where it goes over TLS, how much, in which hours, and how much it
//! moves. [`Baseline`] is what lasts of it between runs.
//!
//! **Learning cannot be trained by an intruder.** While an asset is learned every hour counts;
//! after that a day teaches at most one hour, and only once it is over; days with an open alert teach
//! nothing, and a place is trusted only after [`TRUSTED_HOURS`] such days.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

pub(crate) use elsewhere::{Elsewhere, PARTS, part_of};
pub use habit::{Habit, TRUSTED_HOURS};
pub(crate) use habits::{Habits, Others};
pub use hours::HoursOfDay;
pub(crate) use join::earliest;
pub(crate) use mirrors::{MAX_PAIRS, pair};
pub use mirrors::{MirrorSession, Mirrors, Pair};
pub use operators::{Acquaintance, Operator, USUAL_DAYS};
pub(crate) use operators::{Meeting, account_key, host_key};
pub(crate) use places::{PlaceId, SIZES};
pub(crate) use rounded::Rounded;
pub(crate) use spots::Spot;
pub use told::{Standing, ToldAlert};
pub use volumes::Volumes;
pub(crate) use volumes::{Told, WORTH};

mod by_place;
mod elsewhere;
mod habit;
mod habits;
mod hours;
mod identity;
mod join;
mod mirrors;
mod operators;
mod places;
mod rounded;
mod spots;
mod told;
mod volumes;

/// What was learned, by asset name; what [`crate::store`] keeps.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Baseline {
    /// By asset name.
    pub assets: BTreeMap<String, AssetBaseline>,
    /// Who uses the Guest Operations API: `account:DOMAIN\user` in lower case, or `host:NAME` where
    /// logs name no account.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub operators: BTreeMap<String, Operator>,
    /// Mirrors that are usual or configured.
    #[serde(default, skip_serializing_if = "Mirrors::is_empty")]
    pub mirrors: Mirrors,
    /// Alerts of late, by id.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub told: BTreeMap<uuid::Uuid, ToldAlert>,
}

/// What was learned of one asset.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct AssetBaseline {
    /// When it was first seen, in seconds since the epoch.
    pub first_seen: u64,
    /// Its MAC addresses, by which it is known again under another address or name.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub macs: Vec<String>,
    /// Hours of the day in which it reached outside over TLS.
    pub hours: HoursOfDay,
    /// Places outside it reached over TLS, by registered domain, else address prefix.
    pub destinations: BTreeMap<String, Habit>,
    /// How much it moved hour by hour, by series (`in-internal`, `out-external`, …).
    pub volumes: BTreeMap<String, Volumes>,
    /// Domains whose services it reaches on many ports.
    pub many_ports: Vec<String>,
    /// JA4 fingerprints of its TLS clients: the first hour (0: learned) and the last, since the epoch.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub clients: BTreeMap<String, [u32; 2]>,
    /// Ports other than 443 on which it reached outside over TLS, likewise.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub ports: BTreeMap<u16, [u32; 2]>,
    /// How far a slow drain has come.
    #[serde(default)]
    pub drain: DrainKept,
    /// What channels would tell of it that is usual: the detector and what it is about.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub channels: Vec<String>,
    /// Ports on which it answered, as bits of their hash.
    #[serde(default, skip_serializing_if = "is_none_served")]
    pub served: [u64; 4],
    /// When all that was known of it was forgotten last, in seconds since the epoch; 0: never. Nothing
    /// here is older.
    #[serde(default, skip_serializing_if = "is_never")]
    pub forgotten: u64,
    /// When single destinations were.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub forgotten_destinations: BTreeMap<String, u64>,
}

fn is_none_served(served: &[u64; 4]) -> bool {
    *served == [0; 4]
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks so")]
const fn is_never(seconds: &u64) -> bool {
    *seconds == 0
}

/// A cumulative sum of hours in which more left than habits explain.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub struct DrainKept {
    /// The sum, in robust deviations of the logarithm.
    pub score: f64,
    /// The hour it began with, since the epoch.
    pub since: u32,
    /// Bytes that left since.
    pub bytes: u64,
    /// Bytes that would have been usual.
    pub expected: u64,
    /// The last hour that counts in it, since the epoch; 0 where an earlier version kept it.
    #[serde(default)]
    pub at: u32,
}
