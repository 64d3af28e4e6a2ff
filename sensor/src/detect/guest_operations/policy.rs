//! What the config expects: accounts, virtual machines, hours, and how much.

use jiff::tz::TimeZone;

use crate::account::Account;
use crate::config::{self, BusinessHours, WallTime};
use crate::time::Timestamp;

/// `[detect.guest_operations]`, ready to be asked.
#[derive(Debug)]
pub(super) struct Policy {
    accounts: Vec<Account>,
    vms: Vec<String>,
    pub(super) threshold: config::Threshold,
    hours: Option<BusinessHours>,
    /// The same with their zone, for people.
    pub(super) hours_text: String,
    zone: TimeZone,
    maintenance: Vec<(config::Maintenance, Vec<Account>)>,
}

impl Policy {
    pub(super) fn new(config: &config::GuestOperations) -> Self {
        let hours = config.business_hours.clone();
        let named = hours.as_ref().map_or("any".to_owned(), ToString::to_string);
        let zone = config.timezone.clone();
        let accounts = |names: &[String]| names.iter().map(|name| Account::new(name)).collect();
        Self {
            accounts: accounts(&config.accounts),
            vms: config.vms.iter().map(|vm| vm.to_lowercase()).collect(),
            threshold: config.threshold,
            hours,
            hours_text: format!("{named} {}", zone.iana_name().unwrap_or("UTC")),
            zone,
            maintenance: config
                .maintenance
                .iter()
                .map(|window| (window.clone(), accounts(&window.accounts)))
                .collect(),
        }
    }

    /// Whether the config lists accounts at all.
    pub(super) fn lists_accounts(&self) -> bool {
        !self.accounts.is_empty()
    }

    /// Whether it lists this one.
    pub(super) fn expects(&self, account: &Account) -> bool {
        self.accounts.iter().any(|expected| expected.is(account))
    }

    /// Whether it says where guest operations are expected.
    pub(super) fn lists_vms(&self) -> bool {
        !self.vms.is_empty()
    }

    /// Whether they are expected on this one; its name in lower case.
    pub(super) fn authorises(&self, vm: &str) -> bool {
        self.vms.is_empty() || self.vms.iter().any(|pattern| matches(pattern, vm))
    }

    /// Whether people work then; none where the config does not say when they do.
    pub(super) fn in_business_hours(&self, time: Timestamp) -> Option<bool> {
        Some(self.hours.as_ref()?.contains(self.local(time)))
    }

    /// Whether more is expected of this account now. What is for some accounts is not for one that
    /// no log names.
    pub(super) fn in_maintenance(&self, account: Option<&Account>, time: Timestamp) -> bool {
        self.maintenance.iter().any(|(window, accounts)| {
            (window.from..window.to).contains(&time)
                && (accounts.is_empty()
                    || account.is_some_and(|own| accounts.iter().any(|one| one.is(own))))
        })
    }

    /// Whether a maintenance window that is open names this account.
    pub(super) fn maintains(&self, account: &Account, time: Timestamp) -> bool {
        self.maintenance.iter().any(|(window, accounts)| {
            (window.from..window.to).contains(&time) && accounts.iter().any(|one| one.is(account))
        })
    }

    /// A time on the clocks of the config's zone.
    pub(super) fn local(&self, time: Timestamp) -> WallTime {
        let seconds = i64::try_from(time.as_secs()).unwrap_or(i64::MAX);
        let instant = jiff::Timestamp::from_second(seconds).unwrap_or(jiff::Timestamp::MAX);
        let local = self.zone.to_datetime(instant);
        let part = |number: i8| u16::try_from(number).unwrap_or_default();
        let day = usize::try_from(local.date().weekday().to_monday_zero_offset());
        WallTime {
            day: day.unwrap_or_default(),
            minute: part(local.hour()) * 60 + part(local.minute()),
        }
    }
}

/// Whether `*` for any characters and `?` for one make `pattern` into `name`.
fn matches(pattern: &str, name: &str) -> bool {
    let (pattern, name): (Vec<char>, Vec<char>) =
        (pattern.chars().collect(), name.chars().collect());
    let (mut at, mut here) = (0, 0);
    // Where the last star was, and what it stands for up to now.
    let mut star: Option<(usize, usize)> = None;
    while let Some(letter) = name.get(here) {
        match (pattern.get(at), star) {
            (Some('*'), _) => {
                star = Some((at, here));
                at += 1;
            }
            (Some(one), _) if *one == '?' || one == letter => (at, here) = (at + 1, here + 1),
            (_, Some((place, taken))) => {
                star = Some((place, taken + 1));
                (at, here) = (place + 1, taken + 1);
            }
            _ => return false,
        }
    }
    pattern.iter().skip(at).all(|rest| *rest == '*')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_match_whole_names() {
        for (pattern, name, expected) in [
            ("app-*", "app-01", true),
            ("app-*", "app-", true),
            ("app-*", "myapp-01", false),
            ("*-db-*", "x-db-y-db-", true),
            ("web-0?", "web-01", true),
            ("web-0?", "web-0", false),
            ("*", "", true),
            ("a*b*c", "aXbXbXc", true),
            ("a*b*c", "aXbXbX", false),
            ("web", "web-01", false),
        ] {
            assert_eq!(matches(pattern, name), expected, "{pattern} {name}");
        }
    }

    #[test]
    fn hours_are_those_of_the_zone_in_summer_and_winter() {
        let policy = Policy::new(&config::GuestOperations {
            business_hours: BusinessHours::parse("Mon-Fri 07:00-19:00"),
            timezone: TimeZone::get("Europe/Berlin").unwrap(),
            ..config::GuestOperations::default()
        });
        for (time, expected) in [
            ("2026-07-01T05:00:00Z", true),
            ("2026-07-01T17:00:00Z", false),
            ("2026-12-01T05:30:00Z", false),
            ("2026-12-01T06:00:00Z", true),
            ("2026-12-05T12:00:00Z", false),
        ] {
            let inside = policy.in_business_hours(time.parse().unwrap());
            assert_eq!(inside, Some(expected), "{time}");
        }
    }
}
