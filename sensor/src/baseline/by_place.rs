//! The habits of one asset, by place.

use super::PlaceId;
use super::spots::Spot;
use crate::prefetch;

/// Where the habits of an asset lie, in the order of their places' numbers: 8 bytes each, and up to a
/// quarter more for those to come.
///
/// Not a map, which is half empty. A place that is new to the estate mostly has the highest number and
/// comes last; the others are moved for one that is new to the asset alone.
#[derive(Debug, Default)]
pub(super) struct ByPlace(Vec<(PlaceId, Spot)>);

impl ByPlace {
    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    /// Asks for the memory that is looked at first.
    pub(super) fn prefetch(&self) {
        if let Some(middle) = self.0.get(self.0.len() / 2) {
            prefetch::line(middle);
        }
    }

    fn search(&self, place: PlaceId) -> Result<usize, usize> {
        self.0.binary_search_by_key(&place, |(known, _)| *known)
    }

    /// Where the habit at a place lies.
    pub(super) fn find(&self, place: PlaceId) -> Option<Spot> {
        self.0.get(self.search(place).ok()?).map(|(_, spot)| *spot)
    }

    /// Notes where the habit at a new place lies.
    pub(super) fn insert(&mut self, place: PlaceId, spot: Spot) {
        if let Err(at) = self.search(place) {
            if self.0.len() == self.0.capacity() {
                self.0.reserve_exact((self.0.len() / 4).max(8));
            }
            self.0.insert(at, (place, spot));
        }
    }

    /// Forgets one, and says where it was.
    pub(super) fn remove(&mut self, place: PlaceId) -> Option<Spot> {
        let at = self.search(place).ok()?;
        Some(self.0.remove(at).1)
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (PlaceId, Spot)> {
        self.0.iter().copied()
    }
}

#[cfg(test)]
mod tests {
    use super::super::Habit;
    use super::super::places::Places;
    use super::super::spots::Spots;
    use super::super::spots::tests::any_asset;
    use super::*;

    #[test]
    fn a_habit_is_found_by_its_place_whatever_came_before_it() {
        let (mut known, mut spots, mut places) =
            (ByPlace::default(), Spots::default(), Places::default());
        let places: Vec<_> =
            (0..100).map(|number| places.enter(&format!("{number}.example"))).collect();
        let asset = any_asset();
        // In steps of 37: none of them in order.
        for step in 0..100 {
            let sessions = step * 37 % 100;
            let place = places[sessions];
            let mut habit = Habit::default();
            habit.sessions = sessions as u32;
            let spot = spots.put((asset, place), habit);
            known.insert(place, spot);
            assert_eq!(known.find(place), Some(spot));
        }
        let found = |known: &ByPlace| {
            let of = |place: &PlaceId| spots.get(known.find(*place)?, (asset, *place));
            places.iter().map(|place| of(place).map(|habit| habit.sessions)).collect::<Vec<_>>()
        };
        assert_eq!(found(&known), (0..100).map(Some).collect::<Vec<_>>());
        assert!(known.remove(places[7]).is_some());
        assert!(known.remove(places[7]).is_none() && known.find(places[7]).is_none());
        assert_eq!(known.len(), 99);
    }
}
