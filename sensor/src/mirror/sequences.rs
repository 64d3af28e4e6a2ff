//! What sequence numbers tell of packets that a mirror does not show: of a TCP direction every byte
//! is numbered, so the numbers go on by what was sent, whether it was seen or not.
//!
//! A mirror that gives one packet in `n` shows one byte in `n`: the sum of what the numbers went on
//! by, over the sum of the bytes seen, is `n`. Which packets are taken has nothing to do with what is
//! in them, so the same factor holds for all packets of that mirror. Of `k` segments seen the relative
//! error is about `1 / sqrt(k)`, and less for small `n`: with the two thousand segments that are
//! watched of a busy mirror in 10 s it is 2 %, and a rate close by that people set is taken for it.
//!
//! What happens on any network leaves the sum alone: segments in another order count all the same, and
//! what is sent again is seen once more than it is numbered, which lowers the quotient. Loss on the
//! way to the sensor raises it a little, in some conversations; sampling doubles it, in all.

use serde::{Deserialize, Serialize};

/// Fewer segments say nothing of the share that is missing.
const LEAST_SEGMENTS: u64 = 200;
/// A share of bytes that is missing and not explained, from which people should know.
const LOST: f64 = 0.01;
/// Of sampling, each direction watched shows it: nearly all, as chance has its part.
const IN_ALL: f64 = 0.75;
/// A single direction with a quotient from this on has more gaps than loss makes.
const GAPPED: f64 = 1.4;
/// The same of all together: sampling of one in two gives 2, less what is sent again.
const SAMPLED: f64 = 1.75;
/// How far from a rate that people set a quotient may be and still mean it.
const NEAR: f64 = 0.06;

/// Sums over TCP directions watched for a while, each from the end of its first segment on.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sequences {
    /// Segments seen.
    pub segments: u64,
    /// Their payload in bytes.
    pub seen_bytes: u64,
    /// Bytes that sequence numbers went on by meanwhile.
    pub sent_bytes: u64,
    /// Directions watched for long enough to say something.
    pub directions: u64,
    /// Of them, those that lack more than loss explains.
    pub gapped: u64,
}

/// What a mirror does not show, beyond what the sensor itself is known to have lost.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Missing {
    /// It shows one packet in so many.
    Sampled(f64),
    /// A share of bytes, 0 to 1.
    Lost(f64),
}

impl Sequences {
    /// One direction was watched: over how many segments, their bytes, and those that were sent.
    pub fn of_direction(segments: u64, seen_bytes: u64, sent_bytes: u64) -> Self {
        /// Of less, any part can be missing by chance: eight full segments of Ethernet.
        const ENOUGH: u64 = 8 * 1400;
        let enough = sent_bytes >= ENOUGH;
        let gapped = enough && sent_bytes as f64 >= seen_bytes as f64 * GAPPED;
        Self { segments, seen_bytes, sent_bytes, directions: enough.into(), gapped: gapped.into() }
    }

    /// What is missing, when `dropped` is the share of packets that the sensor lost itself.
    pub fn missing(&self, dropped: f64) -> Option<Missing> {
        if self.segments < LEAST_SEGMENTS || self.seen_bytes == 0 {
            return None;
        }
        let times = self.sent_bytes as f64 / self.seen_bytes as f64 * (1.0 - dropped);
        let in_all = self.gapped as f64 >= self.directions as f64 * IN_ALL && self.gapped > 1;
        if times >= SAMPLED && in_all {
            let set = set_rate(times);
            let near = (times - set).abs() <= set * NEAR;
            return Some(Missing::Sampled(if near { set } else { times }));
        }
        let lost = 1.0 - 1.0 / times;
        (lost > LOST).then_some(Missing::Lost(lost))
    }

    /// Takes more.
    pub const fn add(&mut self, more: &Self) {
        self.segments = self.segments.saturating_add(more.segments);
        self.seen_bytes = self.seen_bytes.saturating_add(more.seen_bytes);
        self.sent_bytes = self.sent_bytes.saturating_add(more.sent_bytes);
        self.directions = self.directions.saturating_add(more.directions);
        self.gapped = self.gapped.saturating_add(more.gapped);
    }

    /// What has come on top of `before`.
    pub const fn since(&self, before: &Self) -> Self {
        Self {
            segments: self.segments.saturating_sub(before.segments),
            seen_bytes: self.seen_bytes.saturating_sub(before.seen_bytes),
            sent_bytes: self.sent_bytes.saturating_sub(before.sent_bytes),
            directions: self.directions.saturating_sub(before.directions),
            gapped: self.gapped.saturating_sub(before.gapped),
        }
    }

    /// Half of it: what is old counts less.
    pub const fn half(&self) -> Self {
        Self {
            segments: self.segments / 2,
            seen_bytes: self.seen_bytes / 2,
            sent_bytes: self.sent_bytes / 2,
            directions: self.directions / 2,
            gapped: self.gapped / 2,
        }
    }
}

/// The rate next to this that people are likely to set: 2, 3, 4, 5, 10, 15, 20, 30, …, 100, 150, ….
fn set_rate(times: f64) -> f64 {
    let step = match times {
        ..5.5 => 1.0,
        5.5..22.0 => 5.0,
        22.0..105.0 => 10.0,
        _ => 50.0,
    };
    (times / step).round() * step
}

#[cfg(test)]
mod tests {
    use super::*;

    /// So many directions, of which some lack `times` as much.
    fn directions(gapped: u64, whole: u64, times: f64) -> Sequences {
        let mut all = Sequences::default();
        for of in 0..gapped + whole {
            let times = if of < gapped { times } else { 1.0 };
            all.add(&Sequences::of_direction(100, 100_000, (100_000.0 * times) as u64));
        }
        all
    }

    #[test]
    fn a_rate_near_one_that_people_set_is_that_and_any_other_is_what_it_is() {
        for (times, rate) in [
            (2.0, 2.0),
            (1.95, 2.0),
            (10.3, 10.0),
            (3.4, 3.4),
            (10.56, 10.0),
            (7.2, 7.2),
            (97.2, 100.0),
        ] {
            assert_eq!(
                directions(10, 0, times).missing(0.0),
                Some(Missing::Sampled(rate)),
                "{times}"
            );
        }
    }

    #[test]
    fn a_gap_in_a_few_conversations_is_loss() {
        let Some(Missing::Lost(lost)) = directions(2, 18, 11.0).missing(0.0) else { panic!() };
        assert!((lost - 0.5).abs() < 0.001, "{lost}");
        let Some(Missing::Lost(lost)) = directions(20, 0, 1.02).missing(0.0) else { panic!() };
        assert!((lost - 0.0196).abs() < 0.001, "{lost}");
    }

    #[test]
    fn what_the_sensor_lost_itself_and_what_is_sent_again_is_nothing_of_the_mirrors() {
        assert_eq!(directions(20, 0, 1.111).missing(0.1), None);
        assert_eq!(directions(20, 0, 0.98).missing(0.0), None);
        assert_eq!(directions(20, 0, 1.009).missing(0.0), None);
        assert_eq!(directions(1, 0, 2.0).missing(0.0), None, "too few");
        assert_eq!(Sequences::default().missing(0.0), None);
    }
}
