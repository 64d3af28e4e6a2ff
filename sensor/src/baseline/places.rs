//! Places outside, as the estate knows them.

use std::hash::BuildHasher;

use hashbrown::HashMap;

use crate::inventory::AssetId;

/// A place's number, while any asset has a habit there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct PlaceId(u32);

impl PlaceId {
    /// None is before it, and none after.
    pub(crate) const FIRST: Self = Self(0);
    /// See [`Self::FIRST`].
    pub(crate) const LAST: Self = Self(u32::MAX);
}

/// What the estate knows of a place.
#[derive(Debug, Clone)]
pub(super) struct Place {
    /// Registered domain, else address prefix.
    pub(super) name: Box<str>,
    /// Assets with a habit here.
    pub(super) assets: u32,
    /// Of them, those whose alert here stands on more than bytes: they are no reason to trust it.
    pub(super) suspects: u32,
    /// The two assets that sent most in one day, and how much.
    largest: [Option<(AssetId, u64)>; 2],
}

impl Place {
    /// `asset` sent `bytes` in a day, which is no reason for alarm.
    pub(super) fn note_day(&mut self, asset: AssetId, bytes: u64) {
        let [first, second] = self.largest;
        self.largest = match (first, second) {
            (Some((top, most)), _) if top == asset => [Some((top, most.max(bytes))), second],
            (None, _) => [Some((asset, bytes)), None],
            (Some((_, most)), _) if bytes > most => [Some((asset, bytes)), first],
            (_, Some((_, most))) if bytes <= most => [first, second],
            _ => [first, Some((asset, bytes))],
        };
    }

    /// What `asset` sent here is no measure any more.
    pub(super) fn forget(&mut self, asset: AssetId) {
        for largest in &mut self.largest {
            largest.take_if(|(top, _)| *top == asset);
        }
        if self.largest[0].is_none() {
            self.largest.swap(0, 1);
        }
    }

    /// The largest day of an asset other than this one, in bytes.
    pub(super) fn largest_day_beside(&self, asset: AssetId) -> u64 {
        let mut others = self.largest.iter().flatten().filter(|(other, _)| *other != asset);
        others.next().map_or(0, |(_, bytes)| *bytes)
    }
}

/// All places; one that no asset has a habit at is dropped.
///
/// A name is known by a seeded hash of 64 bits, because comparing it with the name itself is a
/// second wait for memory. That two of a million names are taken for one has a chance of 3e-8.
#[derive(Debug, Default)]
pub(super) struct Places {
    ids: HashMap<u64, PlaceId, foldhash::fast::RandomState>,
    hasher: foldhash::fast::RandomState,
    places: Vec<Place>,
    free: Vec<PlaceId>,
}

impl Places {
    /// The place of that name, made where it is new.
    pub(super) fn enter(&mut self, name: &str) -> PlaceId {
        let hash = self.hasher.hash_one(name);
        if let Some(id) = self.ids.get(&hash) {
            return *id;
        }
        let place = Place { name: name.into(), assets: 0, suspects: 0, largest: [None; 2] };
        let id = match self.free.pop() {
            Some(id) => {
                if let Some(free) = self.get_mut(id) {
                    *free = place;
                }
                id
            }
            None => {
                self.places.push(place);
                PlaceId(u32::try_from(self.places.len() - 1).unwrap_or(u32::MAX))
            }
        };
        self.ids.insert(hash, id);
        id
    }

    /// The place of that name, where there is one.
    pub(super) fn find(&self, name: &str) -> Option<PlaceId> {
        self.ids.get(&self.hasher.hash_one(name)).copied()
    }

    pub(super) fn get(&self, id: PlaceId) -> Option<&Place> {
        self.places.get(id.0 as usize)
    }

    pub(super) fn get_mut(&mut self, id: PlaceId) -> Option<&mut Place> {
        self.places.get_mut(id.0 as usize)
    }

    /// One asset forgets the place.
    pub(super) fn leave(&mut self, id: PlaceId) {
        let Some(place) = self.get_mut(id) else { return };
        place.assets = place.assets.saturating_sub(1);
        if place.assets == 0 {
            let name = std::mem::take(&mut place.name);
            self.ids.remove(&self.hasher.hash_one(&*name));
            self.free.push(id);
        }
    }
}
