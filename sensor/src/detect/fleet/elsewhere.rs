//! Where assets of other sensors go.

use super::super::Engine;
use crate::exchange::Places;

impl Engine {
    /// How many assets here go where, of one part of all places; each has up to
    /// [`MOST`](crate::exchange::places::MOST), those with most assets, and no more than others have room
    /// for: the more sensors there are, the fewer. Goes through all places: a millisecond for 50,000.
    pub fn places(&self, part: u8) -> Places {
        let places = self.tls_egress.as_ref().map(|egress| egress.told(part)).unwrap_or_default();
        let share = self.estate.elsewhere.share();
        Places::new(&self.fleet.own, part, places.into_iter().take(share))
    }

    /// Takes where assets of another sensor go, in place of what it told of that part before.
    pub fn elsewhere(&mut self, places: &Places) {
        if places.sensor != self.fleet.own {
            let told = places.places.iter().map(|(name, by_size)| (name.as_str(), &**by_size));
            self.estate.elsewhere.hear(&places.sensor, places.part, told);
        }
    }

    /// A sensor is gone: its assets are none of the estate's.
    pub fn gone(&mut self, sensor: &str) {
        self.estate.elsewhere.forget(sensor);
    }
}
