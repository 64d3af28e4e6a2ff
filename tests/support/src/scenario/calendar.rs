//! When people and machines do things: working hours, nights, weekends.

use crate::rng::Rng;

/// Nanoseconds in a second.
pub const SECOND: u64 = 1_000_000_000;
/// Nanoseconds in a minute.
pub const MINUTE: u64 = 60 * SECOND;
/// Nanoseconds in an hour.
pub const HOUR: u64 = 60 * MINUTE;
/// Nanoseconds in a day.
pub const DAY: u64 = 24 * HOUR;

/// Who sets the rhythm.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Rhythm {
    /// People: office hours of working days.
    Office,
    /// Machines that serve people: a third of it at night and at weekends.
    Service,
    /// Machines that serve nobody: the same at all hours.
    Constant,
}

/// Times between `from` and `to` of events that happen `per_day` times on a working day.
pub(super) fn times(from: u64, to: u64, per_day: f64, rhythm: Rhythm, rng: &mut Rng) -> Vec<u64> {
    let mut times = Vec::new();
    let mut hour = from - from % HOUR;
    while hour < to {
        for _ in 0..rng.count(per_day * share(hour, rhythm)) {
            times.push(hour + rng.below(HOUR));
        }
        hour += HOUR;
    }
    times.retain(|time| (from..to).contains(time));
    times.sort_unstable();
    times
}

/// Times between `from` and `to` of what happens every day at this time of day, give or take `jitter`.
pub(super) fn daily(from: u64, to: u64, time_of_day: u64, jitter: u64, rng: &mut Rng) -> Vec<u64> {
    let first = from - from % DAY + time_of_day;
    (0..=(to - from) / DAY)
        .map(|day| first + day * DAY + rng.below(jitter.max(1)))
        .filter(|time| (from..to).contains(time))
        .collect()
}

/// A time in office hours between `from` and `to` where there is one, else any time there.
pub(super) fn office_time(from: u64, to: u64, rng: &mut Rng) -> u64 {
    let candidates: Vec<u64> = (0..64).map(|_| from + rng.below((to - from).max(1))).collect();
    let office = candidates.iter().find(|time| share(**time, Rhythm::Office) > 0.05);
    *office.unwrap_or(&candidates[0])
}

/// Whether nobody works on the day of `time`.
pub(super) const fn is_weekend(time: u64) -> bool {
    // 1970-01-01 was a Thursday.
    (time / DAY + 3) % 7 >= 5
}

/// Share of a working day's events that fall into the hour of `time`.
fn share(time: u64, rhythm: Rhythm) -> f64 {
    const OFFICE: [f64; 24] = [
        0.004, 0.003, 0.003, 0.003, 0.003, 0.006, 0.015, 0.040, 0.090, 0.115, 0.110, 0.090, 0.060,
        0.090, 0.105, 0.095, 0.075, 0.040, 0.018, 0.012, 0.008, 0.006, 0.005, 0.004,
    ];
    let office = OFFICE[(time / HOUR % 24) as usize] * if is_weekend(time) { 0.15 } else { 1.0 };
    match rhythm {
        Rhythm::Office => office,
        Rhythm::Service => (office * 2.0 + 1.0 / 24.0) / 3.0,
        Rhythm::Constant => 1.0 / 24.0,
    }
}
