//! What is usual for an asset: where it goes over TLS, how much, in which hours, and how much it
//! moves. [`Baseline`] is what lasts of it between runs.
//!
//! **Learning cannot be trained by an intruder.** While an asset is learned every hour counts;
//! after that a day teaches at most one hour, and only once it is over; days with an open alert teach
//! nothing, a place is trusted only after [`TRUSTED_HOURS`] such days, and what is usual there at most
//! doubles in a week.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

pub use habit::{Habit, TRUSTED_HOURS};
pub(crate) use habits::{Habits, Others};
pub use hours::HoursOfDay;
pub(crate) use mirrors::{MAX_PAIRS, pair};
pub use mirrors::{MirrorSession, Mirrors, Pair};
pub use operators::{Acquaintance, Operator, USUAL_DAYS};
pub(crate) use operators::{Meeting, account_key, host_key};
pub(crate) use places::PlaceId;
pub use told::{Standing, Told};

mod habit;
mod habits;
mod hours;
mod identity;
mod mirrors;
mod operators;
mod places;
mod told;

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
    pub told: BTreeMap<uuid::Uuid, Told>,
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
    /// The largest volumes of its half hours, by series (`in-internal`, `out-external`, …).
    pub volumes: BTreeMap<String, Vec<HalfHour>>,
    /// Domains whose services it reaches on many ports.
    pub many_ports: Vec<String>,
}

/// The largest volumes one half hour saw. Sizes are bytes, rounded to 1/256 of their logarithm.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct HalfHour {
    /// Which half hour since the epoch.
    pub index: u32,
    /// The largest sums over 1, 10 and 30 minutes in it, in 1/256 of the natural logarithm.
    pub largest: [u16; 3],
    /// A hash of the peer that moved most of it.
    pub peer: u32,
}

impl HalfHour {
    /// The largest sum over 30 minutes, in bytes.
    pub fn bytes(&self) -> u64 {
        let [.., thirty_minutes] = self.largest;
        (f64::from(thirty_minutes) / 256.0).exp() as u64
    }
}
