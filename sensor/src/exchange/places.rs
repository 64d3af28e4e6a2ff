//! `egret.places/1`: how many assets of one sensor go where, one of 64 parts of its places.

use std::borrow::Cow;
use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{LONGEST_NAME, Message, Refused, are_within};
use crate::baseline::{self, SIZES};
use crate::time::Timestamp;

/// Parts in which the places of a sensor are told; which one a place is in follows from its name.
pub const PARTS: u8 = baseline::PARTS;
/// The part in which a place is told, the same everywhere and for ever: FNV-1a of its name, both halves of
/// the hash added without carry, modulo 64.
pub fn part_of(name: &str) -> u8 {
    baseline::part_of(name)
}

/// Places in one part, those with most assets: 65,536 of a sensor.
pub const MOST: usize = 1024;
/// The most bytes of a message.
pub const LARGEST: usize = 416 << 10;

/// One part of the places of a sensor.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Places {
    schema: String,
    /// Whose assets go there.
    pub sensor: String,
    /// Which part, from 0.
    pub part: u8,
    /// By registered domain, else address prefix: how many assets have a largest day of below 64 KiB, below
    /// 256 KiB, and so on, four times as much each; the last of twelve is all above. What is zero at the
    /// end is left out.
    pub places: BTreeMap<String, Vec<u32>>,
}

impl Places {
    /// What `sensor` tells of one part: of places, most important first, those that fit.
    pub(crate) fn new<'a>(
        sensor: &str,
        part: u8,
        places: impl Iterator<Item = (&'a str, [u32; SIZES])>,
    ) -> Self {
        let fit = places.filter(|(name, _)| name.len() <= LONGEST_NAME).take(MOST);
        let trimmed = |by_size: [u32; SIZES]| {
            let known = by_size.iter().rposition(|count| *count > 0).map_or(0, |last| last + 1);
            by_size.into_iter().take(known).collect()
        };
        let places = fit.map(|(name, by_size)| (name.to_owned(), trimmed(by_size))).collect();
        Self { schema: Self::SCHEMA.to_owned(), sensor: sensor.to_owned(), part, places }
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

impl Message for Places {
    const SCHEMA: &'static str = "egret.places/1";
    const LARGEST: usize = LARGEST;

    fn schema(&self) -> &str {
        &self.schema
    }

    fn sender(&self) -> Cow<'_, str> {
        Cow::Borrowed(&self.sensor)
    }

    fn check(&self, _latest: Timestamp) -> Result<(), Refused> {
        are_within(self.places.keys(), MOST, LONGEST_NAME, "places")?;
        if self.places.values().any(|by_size| by_size.len() > SIZES) {
            return Err(Refused::Bounds("sizes"));
        }
        // A place in several parts would count several times.
        if self.part >= PARTS || self.places.keys().any(|name| part_of(name) != self.part) {
            return Err(Refused::Bounds("places of other parts"));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::from_parts(1_795_000_000, 0);

    /// Fails when a part with all it may hold is refused, or is larger than is said.
    #[test]
    fn a_part_is_read_as_it_was_written_and_bounded() {
        let names: Vec<String> =
            (0..200_000).map(|number| format!("www-{number}.example")).collect();
        let its = names.iter().filter(|name| part_of(name) == 3).map(String::as_str);
        let mut by_size = [0; SIZES];
        (by_size[0], by_size[2]) = (12, 3);
        let told = Places::new("rack-1", 3, its.map(|name| (name, by_size)));
        assert_eq!((told.places.len(), told.places.values().next()), (MOST, Some(&vec![12, 0, 3])));
        let bytes = told.to_json();
        assert!((25_000..35_000).contains(&bytes.len()), "{}", bytes.len());
        assert_eq!(Places::read(&bytes, "rack-1", NOW).unwrap(), told);
        let long: Vec<String> = names
            .iter()
            .map(|name| format!("{}{name}", "x".repeat(LONGEST_NAME - name.len())))
            .collect();
        let its = long.iter().filter(|name| part_of(name) == 3).map(String::as_str);
        let largest = Places::new("rack-1", 3, its.map(|name| (name, [u32::MAX; SIZES])));
        assert_eq!(largest.places.len(), MOST);
        assert!(Places::read(&largest.to_json(), "rack-1", NOW).is_ok());
    }

    /// Fails when one sensor can have a place counted in each of 64 parts.
    #[test]
    fn a_place_is_told_in_its_own_part_only() {
        let name = "evil.example";
        let refused = |part: u8| {
            let told = Places::new("rack-1", part, std::iter::once((name, [1; SIZES])));
            Places::read(&told.to_json(), "rack-1", NOW).is_err()
        };
        let taken: Vec<u8> = (0..=u8::MAX).filter(|part| !refused(*part)).collect();
        assert_eq!(taken, [part_of(name)]);
    }
}
