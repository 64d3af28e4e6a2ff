//! The habits of all assets, while the sensor runs.
//!
//! Bounds: [`PER_ASSET`] places an asset and [`TOTAL`] in all; an asset that has too many forgets
//! the half it knows least, and that is counted. 152 bytes each, 88 while it is the first day.

use std::cmp::Reverse;

use super::by_place::ByPlace;
use super::places::{Places, SIZES, size};
use super::spots::{Spot, Spots};
use super::{AssetBaseline, Elsewhere, Habit, HoursOfDay, PlaceId, part_of};
use crate::inventory::AssetId;
use crate::prefetch;
use crate::time::Timestamp;

/// Places known for one asset.
const PER_ASSET: usize = 4096;
/// Places known for all assets together.
const TOTAL: usize = 1 << 20;

/// What is usual for all assets.
#[derive(Debug, Default)]
pub(crate) struct Habits {
    places: Places,
    assets: Vec<AssetHabits>,
    spots: Spots,
    forgotten: u64,
}

/// What is usual for one.
#[derive(Debug, Default)]
struct AssetHabits {
    at: ByPlace,
    /// Hours of the day in which it reached outside.
    hours: HoursOfDay,
    /// Whether another sensor knows it: then it is counted there, too.
    is_elsewhere: bool,
}

/// What a session is, seen against what is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Visit {
    /// Where.
    pub(crate) place: PlaceId,
    /// Where the habit there lies.
    pub(crate) spot: Spot,
    /// Whether earlier days saw the asset reach outside, or a trusted place, at other hours only.
    pub(crate) odd_hour: bool,
}

/// What became of bytes that an asset sends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Sent {
    /// How many of them are more than its habit there explains.
    pub(crate) unexplained: u64,
    /// Bytes out to the place, yesterday and today.
    pub(crate) lately: u64,
}

/// What other assets do at a place.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Others {
    /// How many there are.
    pub(crate) assets: u32,
    /// Of them, those that sent about as much in a day, or more.
    pub(crate) alike: u32,
}

impl Habits {
    /// A session of `asset` with the place called `name` begins. What is seen while `learning`
    /// counts as known.
    pub(crate) fn visit(
        &mut self,
        asset: AssetId,
        name: &str,
        time: Timestamp,
        learning: bool,
    ) -> Visit {
        let place = self.places.enter(name);
        self.make_room(asset, place);
        let odd_for_asset = self.of(asset).hours.mark(time);
        let spot = match self.of(asset).at.find(place) {
            Some(spot) => spot,
            None => self.begin((asset, place), Habit::new(time, learning)),
        };
        let odd_for_place = self
            .spots
            .get_mut(spot, (asset, place))
            .is_some_and(|habit| habit.visit(time, learning) && habit.is_trusted());
        Visit { place, spot, odd_hour: odd_for_asset || odd_for_place }
    }

    /// Asks for the memory of what `asset` leads to.
    pub(crate) fn expect(&self, asset: AssetId) {
        self.assets.get(asset.index()).into_iter().for_each(prefetch::line);
    }

    /// Asks for the memory of what that leads to.
    pub(crate) fn prefetch(&self, asset: AssetId) {
        if let Some(habits) = self.assets.get(asset.index()) {
            habits.at.prefetch();
        }
    }

    /// Keeps a habit that an asset did not have.
    fn begin(&mut self, (asset, place): (AssetId, PlaceId), habit: Habit) -> Spot {
        if let Some(place) = self.places.get_mut(place) {
            place.assets += 1;
            place.note_day(None, Some(habit.size));
        }
        let spot = self.spots.put((asset, place), habit);
        self.of(asset).at.insert(place, spot);
        spot
    }

    /// Goes on from a habit that was kept or told, whose largest day has that size.
    fn know(&mut self, key: (AssetId, PlaceId), habit: &Habit, size: u8) {
        let mut habit = habit.clone();
        habit.size = size;
        let Some(spot) = self.find(key) else {
            self.begin(key, habit);
            return;
        };
        let Some(known) = self.spots.get_mut(spot, key) else { return };
        if let Some(place) = self.places.get_mut(key.1) {
            place.note_day(Some(known.size), Some(size));
        }
        *known = habit;
    }

    /// `asset` sends `bytes` to a place, where its habit lay when the session began; `suspected`: they do
    /// not count as what is usual there.
    pub(crate) fn send(
        &mut self,
        (asset, place, spot): (AssetId, PlaceId, Spot),
        time: Timestamp,
        bytes: u64,
        suspected: bool,
    ) -> Sent {
        let key = (asset, place);
        let is_there = self.spots.get(spot, key).is_some();
        let now = if is_there { Some(spot) } else { self.find(key) };
        let Self { places, spots, .. } = self;
        let Some(habit) = now.and_then(|spot| spots.get_mut(spot, key)) else {
            return Sent { unexplained: bytes, lately: 0 };
        };
        let unexplained = habit.send(time, bytes);
        let largest = size(habit.today());
        if !suspected
            && largest > habit.size
            && let Some(place) = places.get_mut(place)
        {
            place.note_day(Some(habit.size), Some(largest));
            habit.size = largest;
        }
        Sent { unexplained, lately: habit.total(2) }
    }

    /// Where what `asset` does at `place` lies.
    fn find(&self, (asset, place): (AssetId, PlaceId)) -> Option<Spot> {
        self.assets.get(asset.index())?.at.find(place)
    }

    /// Drops what nobody did for a quarter of a year.
    pub(crate) fn expire(&mut self, now: Timestamp) {
        let over = self.spots.iter().filter(|(_, habit)| habit.is_over(now));
        let over: Vec<_> = over.map(|(key, _)| key).collect();
        for (asset, place) in over {
            self.forget(asset, Some(place));
        }
    }

    /// An alert about `asset` and `place` is open, and today teaches nothing.
    pub(crate) fn taint(&mut self, asset: AssetId, place: PlaceId) {
        let key = (asset, place);
        self.of(asset).hours.taint();
        if let Some(habit) = self.find(key).and_then(|spot| self.spots.get_mut(spot, key)) {
            habit.taint();
        }
    }

    /// `asset` is no (`false`: again a) reason to trust `place`.
    pub(crate) fn suspect(&mut self, place: PlaceId, suspected: bool) {
        if let Some(place) = self.places.get_mut(place) {
            let suspects = place.suspects;
            place.suspects = if suspected { suspects + 1 } else { suspects.saturating_sub(1) };
        }
    }

    /// What `asset` does at `place`.
    pub(crate) fn habit(&self, asset: AssetId, place: PlaceId) -> Option<&Habit> {
        self.spots.get(self.find((asset, place))?, (asset, place))
    }

    /// How a place is called.
    pub(crate) fn name(&self, place: PlaceId) -> &str {
        self.places.get(place).map_or("", |place| &place.name)
    }

    /// What others do at `place`, without those that an alert speaks against, where `asset` sends `bytes`.
    pub(crate) fn others(&self, asset: AssetId, place: PlaceId, bytes: u64) -> Others {
        let own = self.habit(asset, place).map_or(0, |habit| habit.size);
        let Some(place) = self.places.get(place) else { return Others::default() };
        let assets = place.assets.saturating_sub(place.suspects).saturating_sub(1);
        let is_alike = own >= size(bytes).saturating_sub(1);
        let alike = place.with_day_of(bytes).saturating_sub(u32::from(is_alike));
        Others { assets, alike: alike.min(assets) }
    }

    /// The same with what assets of other sensors do; one that came from there is one of those.
    pub(crate) fn others_anywhere(
        &self,
        elsewhere: &Elsewhere,
        asset: AssetId,
        place: PlaceId,
        bytes: u64,
    ) -> Others {
        let Others { assets, alike } = self.others(asset, place, bytes);
        let there = elsewhere.others(self.name(place), bytes);
        let own = self.assets.get(asset.index()).is_some_and(|habits| habits.is_elsewhere);
        let count = |there: u32| there.saturating_sub(u32::from(own));
        Others { assets: assets + count(there.assets), alike: alike + count(there.alike) }
    }

    /// Places of one of the parts in which others are told of them, with how many assets have a largest day
    /// of each size; those with most assets first.
    pub(crate) fn told(&self, part: u8) -> Vec<(&str, [u32; SIZES])> {
        let its = self.places.iter().filter(|place| part_of(&place.name) == part);
        let mut all: Vec<_> = its.map(|place| (&*place.name, place.by_size())).collect();
        all.retain(|(_, by_size)| by_size.iter().any(|count| *count > 0));
        all.sort_by_cached_key(|(name, by_size)| (Reverse(by_size.iter().sum::<u32>()), *name));
        all
    }

    /// How many habits were dropped for want of room.
    pub(crate) const fn forgotten(&self) -> u64 {
        self.forgotten
    }

    /// Forgets what `asset` does at one place, or at all of them; whether it was known to do anything.
    /// A place that nobody is known at any more has no name.
    pub(crate) fn forget(&mut self, asset: AssetId, place: Option<PlaceId>) -> bool {
        let Some(habits) = self.assets.get_mut(asset.index()) else { return false };
        let gone: Vec<(PlaceId, Spot)> = match place {
            Some(place) => habits.at.remove(place).map(|spot| (place, spot)).into_iter().collect(),
            None => std::mem::take(habits).at.iter().collect(),
        };
        for (place, spot) in &gone {
            if let Some(habit) = self.spots.take(*spot) {
                self.places.leave(*place, habit.size);
            }
        }
        !gone.is_empty()
    }

    /// The place of that name.
    pub(crate) fn place(&self, name: &str) -> Option<PlaceId> {
        self.places.find(name)
    }

    /// Fills in what lasts of one asset's habits.
    pub(crate) fn save(&self, asset: AssetId, baseline: &mut AssetBaseline) {
        baseline.hours = HoursOfDay::default();
        baseline.destinations.clear();
        let Some(habits) = self.assets.get(asset.index()) else { return };
        baseline.hours = habits.hours;
        for (place, spot) in habits.at.iter() {
            let Some(mut habit) = self.spots.get(spot, (asset, place)).cloned() else { continue };
            // It says what is counted here and now.
            habit.size = 0;
            baseline.destinations.insert(self.name(place).to_owned(), habit);
        }
    }

    /// Takes over what lasted of one asset's habits.
    pub(crate) fn restore(&mut self, asset: AssetId, baseline: &AssetBaseline) {
        self.of(asset).hours = baseline.hours;
        for (name, habit) in &baseline.destinations {
            let place = self.places.enter(name);
            let size = size(habit.largest_day().max(habit.today()));
            self.know((asset, place), habit, size);
        }
    }

    /// Places of `asset` that are not in what is known of it by now.
    pub(crate) fn beside(&self, asset: AssetId, baseline: &AssetBaseline) -> Vec<String> {
        let habits = self.assets.get(asset.index());
        let places = habits.into_iter().flat_map(|habits| habits.at.iter());
        let names = places.map(|(place, _)| self.name(place));
        let gone = names.filter(|name| !baseline.destinations.contains_key(*name));
        gone.map(ToOwned::to_owned).collect()
    }

    /// Goes on from what is known of one asset by now, here and elsewhere.
    pub(crate) fn adopt(&mut self, asset: AssetId, baseline: &AssetBaseline) {
        let habits = self.of(asset);
        (habits.hours, habits.is_elsewhere) = (baseline.hours, true);
        for (name, habit) in &baseline.destinations {
            let place = self.places.enter(name);
            self.make_room(asset, place);
            let before = self.habit(asset, place).map_or(0, |habit| habit.size);
            let size = size(habit.largest_day().max(habit.today())).max(before);
            self.know((asset, place), habit, size);
        }
    }

    #[expect(clippy::indexing_slicing, reason = "the table was grown to hold this index")]
    fn of(&mut self, asset: AssetId) -> &mut AssetHabits {
        if self.assets.len() <= asset.index() {
            self.assets.resize_with(asset.index() + 1, AssetHabits::default);
        }
        &mut self.assets[asset.index()]
    }

    /// Makes `asset` forget the half of its places it knows least, when it has too many.
    fn make_room(&mut self, asset: AssetId, coming: PlaceId) {
        let fair = || TOTAL / self.assets.len().max(1);
        let full = if self.spots.len() < TOTAL { PER_ASSET } else { fair().min(PER_ASSET) };
        let habits = self.of(asset);
        if habits.at.len() < full || habits.at.find(coming).is_some() {
            return;
        }
        let Self { assets, spots, forgotten, .. } = self;
        let Some(habits) = assets.get(asset.index()) else { return };
        let known = habits.at.iter().filter_map(|(place, spot)| {
            let habit = spots.get(spot, (asset, place))?;
            Some((habit.hours, habit.last_seen, place))
        });
        let mut known: Vec<_> = known.collect();
        known.sort_unstable();
        known.truncate(known.len().div_ceil(2));
        *forgotten += known.len() as u64;
        for (.., place) in known {
            self.forget(asset, Some(place));
        }
    }
}
