//! The habits of all assets, where they lie.

use super::{Habit, PlaceId};
use crate::inventory::AssetId;

/// Whose a habit is, and where.
type Key = (AssetId, PlaceId);

/// Where a habit lies, for as long as it is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Spot(u32);

/// Habits one behind the other in the order in which they began: 80 bytes each.
///
/// None is moved for another, and who remembers where one lies finds it with one wait for memory.
#[derive(Debug, Default)]
pub(super) struct Spots {
    all: Vec<Kept>,
    free: Vec<Spot>,
}

#[derive(Debug)]
struct Kept {
    /// With a place that is none while nothing is kept here.
    key: Key,
    habit: Habit,
}

impl Spots {
    /// How many are kept.
    pub(super) fn len(&self) -> usize {
        self.all.len() - self.free.len()
    }

    /// Keeps a habit.
    pub(super) fn put(&mut self, key: Key, habit: Habit) -> Spot {
        let kept = Kept { key, habit };
        if let Some(spot) = self.free.pop()
            && let Some(free) = self.all.get_mut(spot.0 as usize)
        {
            *free = kept;
            return spot;
        }
        if self.all.len() == self.all.capacity() {
            self.all.reserve_exact((self.all.len() / 8).max(64));
        }
        self.all.push(kept);
        Spot(u32::try_from(self.all.len() - 1).unwrap_or(u32::MAX))
    }

    /// The habit that lies there, if it is still this one.
    pub(super) fn get(&self, spot: Spot, key: Key) -> Option<&Habit> {
        let kept = self.all.get(spot.0 as usize)?;
        (kept.key == key).then_some(&kept.habit)
    }

    /// The same, to change it.
    pub(super) fn get_mut(&mut self, spot: Spot, key: Key) -> Option<&mut Habit> {
        let kept = self.all.get_mut(spot.0 as usize)?;
        (kept.key == key).then_some(&mut kept.habit)
    }

    /// All of them.
    pub(super) fn iter(&self) -> impl Iterator<Item = (Key, &Habit)> {
        let kept = self.all.iter().filter(|kept| kept.key.1 != PlaceId::LAST);
        kept.map(|kept| (kept.key, &kept.habit))
    }

    /// Forgets one, and says it.
    pub(super) fn take(&mut self, spot: Spot) -> Option<Habit> {
        let kept = self.all.get_mut(spot.0 as usize)?;
        if kept.key.1 == PlaceId::LAST {
            return None;
        }
        kept.key.1 = PlaceId::LAST;
        self.free.push(spot);
        Some(std::mem::take(&mut kept.habit))
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::super::places::Places;
    use super::*;
    use crate::config::{Asset, Config, Role};
    use crate::inventory::Inventory;
    use crate::time::Timestamp;

    pub(in crate::baseline) fn any_asset() -> AssetId {
        let asset = Asset {
            name: "asset".into(),
            role: Role::Guest,
            addresses: Vec::new(),
            macs: Vec::new(),
            host: None,
        };
        let inventory = Inventory::new(&Config { assets: vec![asset], ..Config::default() });
        inventory.named("asset").unwrap()
    }

    /// Fails when a session that has gone on for long counts for a habit that took the place of its own.
    #[test]
    fn what_is_gone_is_not_found_where_another_lies_now() {
        let (mut spots, mut places) = (Spots::default(), Places::default());
        let [one, other] = ["one.example", "other.example"].map(|name| places.enter(name));
        let asset = any_asset();
        let habit = Habit::new(Timestamp::from_parts(7, 0), false);
        let spot = spots.put((asset, one), habit.clone());
        assert_eq!(spots.take(spot), Some(habit));
        assert_eq!((spots.take(spot), spots.len()), (None, 0));
        assert_eq!(spots.put((asset, other), Habit::default()), spot);
        assert_eq!(spots.get(spot, (asset, one)), None);
        assert!(spots.get(spot, (asset, other)).is_some() && spots.len() == 1);
        assert!(size_of::<Kept>() <= 80, "{}", size_of::<Kept>());
    }
}
