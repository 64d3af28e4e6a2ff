//! Business hours: which days, from when to when.

use std::fmt;

/// From Monday on.
const DAYS: [&str; 7] = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"];

/// `Mon-Fri 07:00-19:00`; hours that end before they begin end on the day after.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BusinessHours {
    /// From Monday on.
    days: [bool; 7],
    /// Minutes of the day, not the same; `from` below 24:00.
    from: u16,
    to: u16,
    /// As the config has them, for people.
    text: Box<str>,
}

/// A time as the clock on the wall has it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WallTime {
    /// Day of the week, Monday is 0.
    pub day: usize,
    /// Minute of the day.
    pub minute: u16,
}

impl WallTime {
    /// Hour of the day.
    pub const fn hour(self) -> usize {
        self.minute as usize / 60
    }
}

impl BusinessHours {
    /// Reads days or ranges of days with commas between, then hours of the day; `None` when `text`
    /// is something else.
    pub fn parse(text: &str) -> Option<Self> {
        let (days, hours) = text.split_once(' ')?;
        let (from, to) = hours.trim().split_once('-')?;
        let (from, to) = (minute(from)?, if to == "24:00" { 24 * 60 } else { minute(to)? });
        if from == to {
            return None;
        }
        let mut hours = Self { days: [false; 7], from, to, text: text.into() };
        for range in days.split(',') {
            let (first, last) = range.split_once('-').unwrap_or((range, range));
            let (first, last) = (weekday(first)?, weekday(last)?);
            let length = (last + 7 - first) % 7;
            for day in (first..=first + length).map(|day| day % 7) {
                *hours.days.get_mut(day)? = true;
            }
        }
        Some(hours)
    }

    /// Whether people work then.
    pub fn contains(&self, time: WallTime) -> bool {
        let works = |day: usize| self.days.get(day % 7) == Some(&true);
        let minute = time.minute;
        if self.from < self.to {
            return works(time.day) && (self.from..self.to).contains(&minute);
        }
        (works(time.day) && minute >= self.from) || (works(time.day + 6) && minute < self.to)
    }
}

impl fmt::Display for BusinessHours {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

fn weekday(name: &str) -> Option<usize> {
    DAYS.iter().position(|day| *day == name)
}

/// `07:30`: the minute of the day.
fn minute(time: &str) -> Option<u16> {
    let (hour, minute) = time.split_once(':')?;
    let below = |part: &str, end: u16| {
        let is_number = part.len() == 2 && part.bytes().all(|digit| digit.is_ascii_digit());
        part.parse::<u16>().ok().filter(|number| is_number && *number < end)
    };
    Some(below(hour, 24)? * 60 + below(minute, 60)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(day: usize, hour: u16, minute: u16) -> WallTime {
        WallTime { day, minute: hour * 60 + minute }
    }

    #[test]
    fn an_end_is_outside_and_a_start_inside() {
        let hours = BusinessHours::parse("Mon-Fri 07:00-19:00").unwrap();
        assert!(hours.contains(at(0, 7, 0)) && hours.contains(at(4, 18, 59)));
        assert!(!hours.contains(at(0, 6, 59)) && !hours.contains(at(0, 19, 0)));
        assert!(!hours.contains(at(5, 12, 0)) && !hours.contains(at(6, 12, 0)));
    }

    #[test]
    fn lists_ranges_over_the_weekend_and_nights() {
        let hours = BusinessHours::parse("Wed,Sat-Mon 22:00-06:00").unwrap();
        assert!(hours.contains(at(2, 23, 0)) && hours.contains(at(3, 5, 59)));
        assert!(!hours.contains(at(3, 23, 0)) && !hours.contains(at(2, 5, 0)));
        assert!(hours.contains(at(0, 5, 0)), "Sunday's night ends on Monday");
        assert!(hours.contains(at(1, 5, 0)) && !hours.contains(at(1, 22, 0)));
        let day = BusinessHours::parse("Sun 00:00-24:00").unwrap();
        assert!(day.contains(at(6, 23, 59)) && !day.contains(at(0, 0, 0)));
    }

    #[test]
    fn what_is_not_written_in_full_is_refused() {
        for text in [
            "",
            "Mon-Fri",
            "07:00-19:00",
            "Mon-Fri 07:00",
            "Mon-Fri 7:00-19:00",
            "Mon-Fri +7:00-19:00",
            "Mon-Fri 07:0-19:00",
            "Mon-Fri 07:60-19:00",
            "Mon-Fri 07:00-24:01",
            "Mon-Fri 24:00-07:00",
            "Mon-Fri 07:00-07:00",
            "Mon-Fri 07:00-12:00-19:00",
            "Mon-Fri-Sun 07:00-19:00",
            "mon-fri 07:00-19:00",
            "Mon, Tue 07:00-19:00",
            "Mon,,Tue 07:00-19:00",
        ] {
            assert_eq!(BusinessHours::parse(text), None, "{text:?}");
        }
    }
}
