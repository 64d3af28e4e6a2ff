//! The habits of one asset, by place.

use super::{Habit, PlaceId};

/// Habits in the order of their places' numbers, and no room beside them: 76 bytes each, and up to an
/// eighth more for those to come.
///
/// Not a map, which is half empty. The numbers stand apart from the habits, so that those of 40
/// places are found within three cache lines. A place that is new to the estate has the highest
/// number and comes last; the others are moved for one that is new to the asset alone.
#[derive(Debug, Default)]
pub(super) struct ByPlace {
    places: Vec<PlaceId>,
    habits: Vec<Habit>,
}

impl ByPlace {
    pub(super) fn len(&self) -> usize {
        self.places.len()
    }

    pub(super) fn contains(&self, place: PlaceId) -> bool {
        self.places.binary_search(&place).is_ok()
    }

    pub(super) fn get(&self, place: PlaceId) -> Option<&Habit> {
        self.habits.get(self.places.binary_search(&place).ok()?)
    }

    pub(super) fn get_mut(&mut self, place: PlaceId) -> Option<&mut Habit> {
        self.habits.get_mut(self.places.binary_search(&place).ok()?)
    }

    /// The habit at a place; `new` where there is none.
    #[expect(clippy::indexing_slicing, reason = "it was found or put there")]
    pub(super) fn get_or_insert(
        &mut self,
        place: PlaceId,
        new: impl FnOnce() -> Habit,
    ) -> &mut Habit {
        let at = self.places.binary_search(&place).unwrap_or_else(|at| {
            if self.habits.len() == self.habits.capacity() {
                let more = (self.habits.len() / 8).max(8);
                self.places.reserve_exact(more);
                self.habits.reserve_exact(more);
            }
            self.places.insert(at, place);
            self.habits.insert(at, new());
            at
        });
        &mut self.habits[at]
    }

    /// Forgets one, and says it.
    pub(super) fn remove(&mut self, place: PlaceId) -> Option<Habit> {
        let at = self.places.binary_search(&place).ok()?;
        self.places.remove(at);
        Some(self.habits.remove(at))
    }

    /// Forgets all others, and their room.
    pub(super) fn retain(&mut self, mut keep: impl FnMut(PlaceId, &Habit) -> bool) {
        let stays: Vec<bool> = self.iter().map(|(place, habit)| keep(place, habit)).collect();
        if stays.iter().all(|stays| *stays) {
            return;
        }
        let mut of = stays.iter();
        self.places.retain(|_| of.next() == Some(&true));
        let mut of = stays.iter();
        self.habits.retain(|_| of.next() == Some(&true));
        self.places.shrink_to_fit();
        self.habits.shrink_to_fit();
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (PlaceId, &Habit)> {
        self.places.iter().copied().zip(&self.habits)
    }
}

#[cfg(test)]
mod tests {
    use super::super::places::Places;
    use super::*;

    fn places() -> Vec<PlaceId> {
        let mut places = Places::default();
        (0..100).map(|number| places.enter(&format!("{number}.example"))).collect()
    }

    #[test]
    fn a_habit_is_found_by_its_place_whatever_came_before_it() {
        let mut known = ByPlace::default();
        let places = places();
        // In steps of 37: none of them in order.
        for step in 0..100 {
            let sessions = step * 37 % 100;
            let place = places[sessions];
            known.get_or_insert(place, Habit::default).sessions = sessions as u32;
            assert_eq!(known.get_or_insert(place, Habit::default).sessions, sessions as u32);
        }
        let found = |known: &ByPlace| {
            let all = places.iter().map(|place| known.get(*place).map(|habit| habit.sessions));
            all.collect::<Vec<_>>()
        };
        assert_eq!(found(&known), (0..100).map(Some).collect::<Vec<_>>());
        assert_eq!(known.remove(places[7]).map(|habit| habit.sessions), Some(7));
        assert!(known.remove(places[7]).is_none() && !known.contains(places[7]));
        known.retain(|_, habit| habit.sessions % 2 == 0);
        let even = |sessions| (sessions % 2 == 0).then_some(sessions);
        assert_eq!(found(&known), (0..100).map(even).collect::<Vec<_>>());
        assert_eq!(known.len(), 50);
    }

    /// Fails when growth doubles, as that of a `Vec` does.
    #[test]
    fn little_room_is_kept_for_habits_to_come() {
        let mut known = ByPlace::default();
        for place in places() {
            known.get_or_insert(place, Habit::default);
        }
        assert!(known.habits.capacity() <= 113, "{}", known.habits.capacity());
        assert!(size_of::<Habit>() <= 72, "{}", size_of::<Habit>());
    }
}
