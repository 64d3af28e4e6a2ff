//! Time as packets and log lines carry it; durations and sizes as people write them.
//!
//! Nothing here reads a clock: below the wiring, time is always an argument.

use std::fmt;
use std::time::Duration;

mod units;

pub use units::{ByteSize, UnitError, parse_duration, parse_size};

/// A point in time: nanoseconds since the Unix epoch, as a capture records it.
///
/// Reaches to the year 2554; what lies outside is clamped to the nearest end.
#[derive(Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(u64);

impl Timestamp {
    /// The earliest time that can be written.
    pub const ZERO: Self = Self(0);
    /// The latest time that can be written.
    pub const MAX: Self = Self(u64::MAX);

    /// From nanoseconds since the epoch.
    pub const fn from_nanos(nanos: u64) -> Self {
        Self(nanos)
    }

    /// From whole seconds and nanoseconds since the epoch; clamped at the end of the range.
    pub const fn from_parts(seconds: u64, nanos: u64) -> Self {
        Self(seconds.saturating_mul(1_000_000_000).saturating_add(nanos))
    }

    /// Nanoseconds since the epoch.
    pub const fn as_nanos(self) -> u64 {
        self.0
    }

    /// Whole seconds since the epoch.
    pub const fn as_secs(self) -> u64 {
        self.0 / 1_000_000_000
    }

    /// How long after `earlier` this is; zero when it is not after it.
    pub const fn since(self, earlier: Self) -> Duration {
        Duration::from_nanos(self.0.saturating_sub(earlier.0))
    }

    /// This much later, clamped at the end of the range.
    #[must_use]
    pub const fn plus(self, duration: Duration) -> Self {
        Self(self.0.saturating_add(nanos(duration)))
    }

    /// This much earlier, clamped at the epoch.
    #[must_use]
    pub const fn minus(self, duration: Duration) -> Self {
        Self(self.0.saturating_sub(nanos(duration)))
    }

    /// The form EVE JSON has: `2026-11-20T14:03:11.123456+0000`.
    pub fn eve(self) -> impl fmt::Display {
        fmt::from_fn(move |f| self.write(f, "+0000"))
    }

    /// Three times in every flow event: so no format string is interpreted here.
    fn write(self, f: &mut fmt::Formatter<'_>, zone: &str) -> fmt::Result {
        let seconds = i64::try_from(self.as_secs()).unwrap_or(i64::MAX);
        let time = jiff::Timestamp::from_second(seconds).unwrap_or(jiff::Timestamp::MAX);
        let time = jiff::tz::Offset::UTC.to_datetime(time);
        let mut text = *b"0000-00-00T00:00:00.000000";
        let mut fields = text.split_mut(|byte| !byte.is_ascii_digit());
        let micros = (self.0 % 1_000_000_000 / 1000) as u32;
        let year = u32::from(time.year().unsigned_abs());
        let small = [time.month(), time.day(), time.hour(), time.minute(), time.second()];
        let small = small.map(|value| u32::from(value.unsigned_abs()));
        for mut value in [year].into_iter().chain(small).chain([micros]) {
            for digit in fields.next().into_iter().flatten().rev() {
                *digit = b'0' + (value % 10) as u8;
                value /= 10;
            }
        }
        f.write_str(str::from_utf8(&text).unwrap_or_default())?;
        f.write_str(zone)
    }
}

/// A duration in nanoseconds, clamped to what 64 bits hold (584 years).
const fn nanos(duration: Duration) -> u64 {
    let nanos = duration.as_nanos();
    if nanos > u64::MAX as u128 { u64::MAX } else { nanos as u64 }
}

/// RFC 3339 in UTC with microseconds: `2026-11-20T14:03:11.123456Z`.
impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.write(f, "Z")
    }
}

impl fmt::Debug for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl serde::Serialize for Timestamp {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prints_as_rfc_3339_and_as_eve() {
        let time = Timestamp::from_parts(1_795_183_391, 123_456_789);
        assert_eq!(time.to_string(), "2026-11-20T14:03:11.123456Z");
        assert_eq!(time.eve().to_string(), "2026-11-20T14:03:11.123456+0000");
    }

    #[test]
    fn the_ends_of_the_range_are_clamped_not_wrapped() {
        assert_eq!(Timestamp::from_parts(u64::MAX, 1), Timestamp::MAX);
        assert_eq!(Timestamp::ZERO.minus(Duration::from_secs(1)), Timestamp::ZERO);
        assert_eq!(Timestamp::MAX.plus(Duration::from_secs(1)), Timestamp::MAX);
        assert_eq!(Timestamp::ZERO.since(Timestamp::MAX), Duration::ZERO);
        assert!(Timestamp::MAX.to_string().starts_with("2554-"));
    }
}
