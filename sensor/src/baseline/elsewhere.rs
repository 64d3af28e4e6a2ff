//! How many assets of other sensors go where, and how large their days are: what is new for one may be usual
//! for the estate.
//!
//! A sensor's places come in [`PARTS`] parts, each of which replaces what that sensor told of it before. One
//! sensor's word counts for at most [`PER_SENSOR`] assets at a place, so that one that lies excuses little.
//!
//! An asset that moved is counted where it was, too, until that sensor forgets it: for others there is one
//! more who goes where it goes, and where everybody moves twice as many, which weighs a nat at most.
//! Itself it is not taken for another ([`super::Habits::others_anywhere`]), but for after a restart.
//!
//! Bounds: [`SENSORS`] sensors, and [`TOTAL`] places of all of them together, of which each has the same
//! share and those with most assets stay: 8 MiB, and as far as they are different places 33 MiB more.

use std::collections::BTreeMap;
use std::hash::BuildHasher;

use hashbrown::HashMap;

use super::Others;
use super::places::{SIZES, size};

/// Parts in which the places of a sensor are told.
pub(crate) const PARTS: u8 = 64;
/// Assets at a place for which one sensor's word counts.
const PER_SENSOR: u32 = 10;
/// Sensors that are heard.
const SENSORS: usize = 4096;
/// Places of all sensors together.
const TOTAL: usize = 1 << 19;
/// As if there were so many sensors at least.
const FEW: usize = 8;

/// The part in which a place is told, the same everywhere and for ever: FNV-1a of its name.
pub(crate) fn part_of(name: &str) -> u8 {
    let step = |hash: u64, byte: u8| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
    let hash = name.bytes().fold(0xcbf2_9ce4_8422_2325, step);
    ((hash ^ hash >> 32) % u64::from(PARTS)) as u8
}

/// What other sensors told.
#[derive(Debug, Default)]
pub(crate) struct Elsewhere {
    /// By sensor and part, those with most assets first.
    told: BTreeMap<Box<str>, BTreeMap<u8, Vec<Told>>>,
    /// By the hash of a place's name: assets with a day of each size or a larger one.
    sums: HashMap<u64, [u16; SIZES], foldhash::fast::RandomState>,
    hasher: foldhash::fast::RandomState,
}

/// One place, as one sensor told.
#[derive(Debug, Clone, Copy)]
struct Told {
    /// The hash of its name.
    place: u64,
    /// Assets with a day of each size or a larger one, four bits each.
    at_least: u64,
}

impl Elsewhere {
    /// Takes what a sensor tells of one part in place of what it told before.
    pub(crate) fn hear<'a>(
        &mut self,
        sensor: &str,
        part: u8,
        places: impl Iterator<Item = (&'a str, &'a [u32])>,
    ) {
        let is_new = !self.told.contains_key(sensor);
        if is_new && self.told.len() >= SENSORS {
            return;
        }
        let before = self.told.entry(sensor.into()).or_default().remove(&part);
        self.drop_all(before.unwrap_or_default());
        if is_new {
            self.make_room();
        }
        let mut told: Vec<Told> = places
            .map(|(name, by_size)| Told::new(self.hasher.hash_one(name), by_size))
            .filter(|told| told.at_least > 0)
            .collect();
        told.sort_by_key(|told| std::cmp::Reverse((told.assets(), told.place)));
        told.truncate(self.share());
        told.shrink_to_fit();
        for told in &told {
            let sum = self.sums.entry(told.place).or_default();
            sum.iter_mut()
                .zip(told.counts())
                .for_each(|(sum, more)| *sum = sum.saturating_add(more));
        }
        if let Some(parts) = self.told.get_mut(sensor) {
            parts.insert(part, told);
        }
    }

    /// Drops what a sensor told.
    pub(crate) fn forget(&mut self, sensor: &str) {
        for told in self.told.remove(sensor).into_iter().flat_map(BTreeMap::into_values) {
            self.drop_all(told);
        }
    }

    /// What assets of other sensors do at a place, where one here sends `bytes`.
    pub(super) fn others(&self, place: &str, bytes: u64) -> Others {
        // Nearly always there is no fleet.
        if self.sums.is_empty() {
            return Others::default();
        }
        let Some(sum) = self.sums.get(&self.hasher.hash_one(place)) else {
            return Others::default();
        };
        let from = usize::from(size(bytes).saturating_sub(1));
        let of = |size: usize| sum.get(size).copied().map_or(0, u32::from);
        Others { assets: of(0), alike: of(from) }
    }

    /// Places of one sensor in one part that there is room for; the others have room for as many of this
    /// one's.
    pub(crate) fn share(&self) -> usize {
        TOTAL / usize::from(PARTS) / self.told.len().max(FEW)
    }

    /// There is one sensor more: all others have a smaller share.
    fn make_room(&mut self) {
        let share = self.share();
        let mut gone = Vec::new();
        for told in self.told.values_mut().flat_map(BTreeMap::values_mut) {
            if told.len() > share {
                gone.extend(told.drain(share..));
                told.shrink_to_fit();
            }
        }
        self.drop_all(gone);
    }

    fn drop_all(&mut self, told: Vec<Told>) {
        for told in told {
            let Some(sum) = self.sums.get_mut(&told.place) else { continue };
            sum.iter_mut()
                .zip(told.counts())
                .for_each(|(sum, less)| *sum = sum.saturating_sub(less));
            if *sum == [0; SIZES] {
                self.sums.remove(&told.place);
            }
        }
    }
}

impl Told {
    /// `by_size`: how many assets have a largest day of each size.
    fn new(place: u64, by_size: &[u32]) -> Self {
        let (mut at_least, mut sum) = (0, 0u32);
        for slot in (0..SIZES).rev() {
            sum = sum.saturating_add(by_size.get(slot).copied().unwrap_or(0)).min(PER_SENSOR);
            at_least |= u64::from(sum) << (4 * slot);
        }
        Self { place, at_least }
    }

    fn counts(self) -> impl Iterator<Item = u16> {
        (0..SIZES).map(move |slot| (self.at_least >> (4 * slot) & 0xf) as u16)
    }

    const fn assets(self) -> u64 {
        self.at_least & 0xf
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MB: u64 = 1 << 20;

    fn hear(elsewhere: &mut Elsewhere, sensor: &str, place: &str, by_size: &[u32]) {
        elsewhere.hear(sensor, part_of(place), std::iter::once((place, by_size)));
    }

    /// Fails when what a sensor told before, or one that is gone, still counts; or when assets that send
    /// little excuse one that sends much.
    #[test]
    fn the_last_word_of_each_sensor_counts_by_how_much_its_assets_send() {
        let mut elsewhere = Elsewhere::default();
        let others = |elsewhere: &Elsewhere, bytes| {
            let Others { assets, alike } = elsewhere.others("a.example", bytes);
            (assets, alike)
        };
        hear(&mut elsewhere, "rack-1", "a.example", &[3, 0, 0, 2]);
        hear(&mut elsewhere, "rack-2", "a.example", &[1]);
        assert_eq!(others(&elsewhere, 1000), (6, 6));
        assert_eq!(others(&elsewhere, 4 * MB), (6, 2));
        assert_eq!(others(&elsewhere, 4000 * MB), (6, 0));
        hear(&mut elsewhere, "rack-1", "a.example", &[4]);
        assert_eq!(others(&elsewhere, 4 * MB), (5, 0));
        elsewhere.forget("rack-1");
        assert_eq!(others(&elsewhere, 1000), (1, 1));
        elsewhere.hear("rack-2", part_of("a.example"), std::iter::empty());
        assert!(elsewhere.sums.is_empty());
    }

    /// Fails when one sensor can excuse anything by telling of thousands of assets.
    #[test]
    fn one_sensors_word_counts_for_ten_assets() {
        let mut elsewhere = Elsewhere::default();
        hear(&mut elsewhere, "liar", "a.example", &[u32::MAX; SIZES]);
        assert_eq!(elsewhere.others("a.example", 1 << 40).alike, PER_SENSOR);
        hear(&mut elsewhere, "other", "a.example", &[0, u32::MAX]);
        assert_eq!(elsewhere.others("a.example", 1000).alike, 2 * PER_SENSOR);
    }

    /// Fails when a large fleet takes more memory than is said, or who comes late is not heard.
    #[test]
    fn many_sensors_share_the_room_and_the_most_common_places_stay() {
        let mut elsewhere = Elsewhere::default();
        let names: Vec<String> = (0..40_000).map(|number| format!("{number}.example")).collect();
        let its: Vec<&String> = names.iter().filter(|name| part_of(name) == 5).collect();
        assert!((500..750).contains(&its.len()), "{}: parts are even", its.len());
        for sensor in 0..100 {
            let places = its.iter().enumerate().map(|(at, name)| {
                let count: &[u32] = if at % 100 == 7 { &[9] } else { &[1] };
                (name.as_str(), count)
            });
            elsewhere.hear(&sensor.to_string(), 5, places);
        }
        let all = elsewhere.told.values().flat_map(BTreeMap::values).map(Vec::len).sum::<usize>();
        assert!(all <= TOTAL / usize::from(PARTS), "{all}");
        assert!(all > TOTAL / usize::from(PARTS) / 2);
        assert_eq!(elsewhere.others(its[107], 1000).alike, 900);
        assert_eq!(elsewhere.share(), 81, "so many of ours have room there");
        (0..100).for_each(|sensor| elsewhere.forget(&sensor.to_string()));
        assert!(elsewhere.sums.is_empty());
    }

    /// Fails when another version would look for places elsewhere.
    #[test]
    fn parts_are_the_same_for_ever() {
        assert_eq!(["", "a", "example.com", "203.0.113.0/24"].map(part_of), [1, 0, 37, 34]);
    }
}
