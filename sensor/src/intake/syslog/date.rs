//! Times as headers write them: RFC 3339, and the BSD form without year and zone (RFC 3164).

use jiff::civil::DateTime;
use jiff::tz::Offset;

use crate::time::Timestamp;

/// Bytes of a BSD time: `Nov 21 22:45:46`.
pub(super) const BSD_LENGTH: usize = 15;

const MONTHS: [&str; 12] =
    ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

/// Reads RFC 3339: `2026-11-20T14:03:11.123456+01:00`.
pub(super) fn rfc3339(word: &str) -> Option<Timestamp> {
    // An error costs more than all the rest of a header.
    let likely = matches!(word.as_bytes(), [_, _, _, _, b'-', _, _, b'-', _, _, b'T' | b't', ..]);
    if likely { word.parse().ok() } else { None }
}

/// A time without its year.
#[derive(Debug, Clone, Copy)]
pub(super) struct Bsd {
    month: i8,
    day: i8,
    hour: i8,
    minute: i8,
    second: i8,
}

impl Bsd {
    /// Reads `Nov 21 22:45:46`, or `Nov  1 …` early in a month.
    pub(super) fn read(text: &str) -> Option<Self> {
        let (month, rest) = text.split_once(' ')?;
        let (_, month) = MONTHS.iter().zip(1..).find(|(name, _)| **name == month)?;
        let (day, time) = rest.trim_start_matches(' ').split_once(' ')?;
        let mut parts = time.split(':').map(|part| part.parse().ok());
        let bsd = Self {
            month,
            day: day.parse().ok()?,
            hour: parts.next()??,
            minute: parts.next()??,
            second: parts.next()??,
        };
        // A year that has every day.
        bsd.in_year(2000)?;
        parts.next().is_none().then_some(bsd)
    }

    /// The time, in the year that brings it next to `near`. It has no zone: what it is off by shows
    /// as the sender's clock being off.
    pub(super) fn near(self, near: Timestamp) -> Option<Timestamp> {
        let near = i64::try_from(near.as_secs()).ok()?;
        let year = Offset::UTC.to_datetime(jiff::Timestamp::from_second(near).ok()?).year();
        let years = [year, year.saturating_sub(1), year.saturating_add(1)];
        let times = years.into_iter().filter_map(|year| self.in_year(year));
        let seconds = times.min_by_key(|time| time.abs_diff(near))?;
        Some(Timestamp::from_parts(u64::try_from(seconds).ok()?, 0))
    }

    fn in_year(self, year: i16) -> Option<i64> {
        let Self { month, day, hour, minute, second } = self;
        let time = DateTime::new(year, month, day, hour, minute, second.min(59), 0).ok()?;
        Some(Offset::UTC.to_timestamp(time).ok()?.as_second())
    }
}
