//! Places outside, as the estate knows them.

use std::hash::BuildHasher;

use hashbrown::HashTable;

use crate::prefetch;

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
    /// How many assets sent so much in a day, by the size of their largest.
    days: [u16; SIZES],
}

/// Sizes of days that are told apart: the first is below 64 KiB, each next four times the one before.
pub(crate) const SIZES: usize = 12;

/// The size of a day that saw `bytes` go out.
pub(super) fn size(bytes: u64) -> u8 {
    let fours = (bytes >> 16).checked_ilog2().map_or(0, |twos| twos / 2 + 1);
    fours.min(SIZES as u32 - 1) as u8
}

impl Place {
    /// An asset's largest day was of one size, and is now of another; none: it has no habit here.
    pub(super) fn note_day(&mut self, before: Option<u8>, now: Option<u8>) {
        let mut add = |size: Option<u8>, count: fn(u16) -> u16| {
            if let Some(days) = size.and_then(|size| self.days.get_mut(usize::from(size))) {
                *days = count(*days);
            }
        };
        add(before, |days| days.saturating_sub(1));
        add(now, |days| days.saturating_add(1));
    }

    /// How many assets have a largest day of each size, without those that an alert speaks against: the
    /// largest are taken for those.
    pub(super) fn by_size(&self) -> [u32; SIZES] {
        let mut all = self.days.map(u32::from);
        let mut suspects = self.suspects;
        for count in all.iter_mut().rev() {
            let taken = suspects.min(*count);
            *count -= taken;
            suspects -= taken;
        }
        all
    }

    /// How many assets have seen a day of the size of `bytes`, or of the next smaller one.
    pub(super) fn with_day_of(&self, bytes: u64) -> u32 {
        let from = usize::from(size(bytes).saturating_sub(1));
        self.days.iter().skip(from).map(|days| u32::from(*days)).sum()
    }
}

/// All places; one that no asset has a habit at is dropped.
///
/// A name is known by a seeded hash of 64 bits, because comparing it with the name itself is a
/// second wait for memory. That two of a million names are taken for one has a chance of 3e-8.
#[derive(Debug, Default)]
pub(super) struct Places {
    /// By the hash of the name, which is kept with it.
    ids: HashTable<(u64, PlaceId)>,
    hasher: foldhash::fast::RandomState,
    places: Vec<Place>,
    free: Vec<PlaceId>,
}

impl Places {
    /// The place of that name, made where it is new.
    pub(super) fn enter(&mut self, name: &str) -> PlaceId {
        let hash = self.hasher.hash_one(name);
        if let Some((_, id)) = self.ids.find(hash, |known| known.0 == hash) {
            if let Some(place) = self.get(*id) {
                prefetch::line(place);
            }
            return *id;
        }
        let place = Place { name: name.into(), assets: 0, suspects: 0, days: [0; SIZES] };
        let id = match self.free.pop() {
            Some(id) => {
                if let Some(free) = self.get_mut(id) {
                    *free = place;
                }
                id
            }
            None => {
                if self.places.len() == self.places.capacity() {
                    self.places.reserve_exact((self.places.len() / 8).max(16));
                }
                self.places.push(place);
                PlaceId(u32::try_from(self.places.len() - 1).unwrap_or(u32::MAX))
            }
        };
        self.ids.insert_unique(hash, (hash, id), |known| known.0);
        id
    }

    /// The place of that name, where there is one.
    pub(super) fn find(&self, name: &str) -> Option<PlaceId> {
        let hash = self.hasher.hash_one(name);
        self.ids.find(hash, |known| known.0 == hash).map(|(_, id)| *id)
    }

    /// All that any asset has a habit at.
    pub(super) fn iter(&self) -> impl Iterator<Item = &Place> {
        self.places.iter().filter(|place| place.assets > 0)
    }

    pub(super) fn get(&self, id: PlaceId) -> Option<&Place> {
        self.places.get(id.0 as usize)
    }

    pub(super) fn get_mut(&mut self, id: PlaceId) -> Option<&mut Place> {
        self.places.get_mut(id.0 as usize)
    }

    /// One asset forgets the place; its largest day there was of this size.
    pub(super) fn leave(&mut self, id: PlaceId, size: u8) {
        let Some(place) = self.get_mut(id) else { return };
        place.note_day(Some(size), None);
        place.assets = place.assets.saturating_sub(1);
        if place.assets == 0 {
            let name = std::mem::take(&mut place.name);
            let hash = self.hasher.hash_one(&*name);
            if let Ok(known) = self.ids.find_entry(hash, |known| known.0 == hash) {
                known.remove();
            }
            self.free.push(id);
        }
    }
}
