//! Time as packets and log lines carry it; durations and sizes as people write them.
//!
//! Nothing here reads a clock: below the wiring, time is always an argument.

use std::fmt;
use std::time::Duration;

mod units;

pub use units::{ByteSize, Elapsed, UnitError, parse_duration, parse_size};

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

    /// The form people read: `2026-11-20 14:03:11`, in UTC, which is said beside it.
    pub fn people(self) -> impl fmt::Display {
        fmt::from_fn(move |f| write!(f, "{}", self.calendar().strftime("%Y-%m-%d %H:%M:%S")))
    }

    fn write(self, f: &mut fmt::Formatter<'_>, zone: &str) -> fmt::Result {
        let micros = self.0 % 1_000_000_000 / 1000;
        write!(f, "{}.{micros:06}{zone}", self.calendar().strftime("%Y-%m-%dT%H:%M:%S"))
    }

    fn calendar(self) -> jiff::Timestamp {
        let seconds = i64::try_from(self.as_secs()).unwrap_or(i64::MAX);
        jiff::Timestamp::from_second(seconds).unwrap_or(jiff::Timestamp::MAX)
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

/// To the microsecond, as it is written: what was read says the same when it is written again.
impl<'de> serde::Deserialize<'de> for Timestamp {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<str>::deserialize(deserializer)?;
        let Self(nanos) = text.parse().map_err(serde::de::Error::custom)?;
        Ok(Self(nanos - nanos % 1000))
    }
}

/// Reads RFC 3339. Before the epoch there is nothing.
impl std::str::FromStr for Timestamp {
    type Err = jiff::Error;

    fn from_str(text: &str) -> Result<Self, jiff::Error> {
        let instant: jiff::Timestamp = text.parse()?;
        Ok(Self(u64::try_from(instant.as_nanosecond()).unwrap_or_default()))
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
        assert_eq!(time.people().to_string(), "2026-11-20 14:03:11");
    }

    #[test]
    fn what_was_written_is_read_back_with_its_microseconds() {
        for nanos in [0, 999, 1_795_183_391_123_456_789, i64::MAX as u64, u64::MAX] {
            let text = serde_json::to_string(&Timestamp(nanos)).unwrap();
            let read: Timestamp = serde_json::from_str(&text).unwrap();
            assert_eq!(read, Timestamp(nanos / 1000 * 1000), "{text}");
        }
    }

    /// Others may write times finer than we do. Fails when what was read of them is another time once it
    /// was written: two sensors would keep the same message as two.
    #[test]
    fn what_is_written_finer_is_read_as_it_is_written_again() {
        let read = |text: &str| serde_json::from_str::<Timestamp>(&format!("\"{text}\"")).unwrap();
        let time = read("2026-11-23T03:41:19.3221716Z");
        assert_eq!(time, Timestamp::from_parts(1_795_405_279, 322_171_000));
        assert_eq!(read(&time.to_string()), time);
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
