//! Business hours: which days, from when to when.

/// `Mon-Fri 07:00-19:00`; hours that end before they begin end on the day after.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct BusinessHours {
    /// From Monday on.
    days: [bool; 7],
    /// Minutes of the day.
    from: u16,
    to: u16,
}

/// A time as the clock on the wall has it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Local {
    /// Day of the week, Monday is 0.
    pub(super) day: usize,
    /// Minute of the day.
    pub(super) minute: u16,
}

impl Local {
    pub(super) const fn hour(self) -> usize {
        self.minute as usize / 60
    }
}

impl BusinessHours {
    /// Reads what the config has checked.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let (days, hours) = text.split_once(' ')?;
        let (from, to) = hours.trim().split_once('-')?;
        let mut hours = Self { days: [false; 7], from: minute(from)?, to: minute(to)? };
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
    pub(super) fn contains(&self, local: Local) -> bool {
        let works = |day: usize| self.days.get(day % 7) == Some(&true);
        let minute = local.minute;
        if self.from < self.to {
            return works(local.day) && (self.from..self.to).contains(&minute);
        }
        (works(local.day) && minute >= self.from) || (works(local.day + 6) && minute < self.to)
    }
}

fn weekday(name: &str) -> Option<usize> {
    ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"].iter().position(|day| *day == name)
}

fn minute(time: &str) -> Option<u16> {
    let (hour, minute) = time.split_once(':')?;
    hour.parse::<u16>().ok()?.checked_mul(60)?.checked_add(minute.parse().ok()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(day: usize, hour: u16, minute: u16) -> Local {
        Local { day, minute: hour * 60 + minute }
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
}
