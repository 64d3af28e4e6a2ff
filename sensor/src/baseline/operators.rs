//! What is usual for whoever uses the Guest Operations API: an account or, where logs name none, an
//! ESXi host.
//!
//! While one is learned all it does counts. After that a day teaches once it is over, and a day on
//! which an alert about it was open teaches nothing.

use std::collections::{BTreeMap, VecDeque};
use std::net::IpAddr;

use serde::{Deserialize, Serialize};

use crate::account::Account;
use crate::time::Timestamp;

/// What came on so many days without an alert is usual.
pub const USUAL_DAYS: u8 = 3;
/// Hours of history that are kept: 28 days.
const HOURS: u32 = 28 * 24;
/// Virtual machines and clients known for one account.
const MAX_VMS: usize = 1024;
const MAX_CLIENTS: usize = 64;

/// What was learned of one account or host: 8 bytes for each hour in which it did something, and
/// about 100 for each virtual machine.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Operator {
    /// When it was first seen, in seconds since the epoch.
    pub first_seen: u64,
    /// When it was last seen.
    pub last_seen: u64,
    /// How well it is known itself.
    pub known: Acquaintance,
    /// The virtual machines it works on, by name in lower case.
    pub vms: BTreeMap<String, Acquaintance>,
    /// Where it calls the API from.
    pub clients: BTreeMap<IpAddr, Acquaintance>,
    /// Hours in which it did something: which, counted from the epoch, and the most scripts within
    /// any 60 minutes that ended in it. Oldest first.
    hours: VecDeque<(u32, u16)>,
    /// Operations that only ask.
    pub queries: u32,
    /// Operations that do something in the guest.
    pub acts: u32,
    /// File transfers out of guests.
    pub pulls: u32,
    /// Changes of guest aliases.
    pub aliases: u32,
    /// The most operations within the window of the hard limit.
    pub most: u32,
}

/// How well something is known.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Acquaintance {
    /// Days without an alert, those that are over.
    pub days: u8,
    /// Whether it was there while its owner was learned.
    pub learned: bool,
    /// The latest day, counted from the epoch.
    day: u32,
    /// Whether an alert was open on that day.
    tainted: bool,
}

/// How something is met.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Meeting {
    /// While its owner is learned.
    Learning,
    /// After that.
    Watching,
    /// While an alert is open.
    Suspected,
}

impl Acquaintance {
    /// It is met; the day before counts now that it is over.
    fn meet(&mut self, time: Timestamp, how: Meeting) {
        let day = day(time);
        if day > self.day {
            let is_clean = self.day > 0 && !self.tainted;
            self.days = self.days.saturating_add(u8::from(is_clean));
            (self.day, self.tainted) = (day, false);
        }
        self.learned |= how == Meeting::Learning;
        self.tainted |= how == Meeting::Suspected;
    }

    /// Whether an alert was open on the latest day: then it teaches nothing.
    pub fn is_tainted(&self) -> bool {
        self.tainted
    }

    /// How usual it is, 0 to 1.
    pub fn familiarity(&self) -> f64 {
        if self.learned { 1.0 } else { (f64::from(self.days) / f64::from(USUAL_DAYS)).min(1.0) }
    }
}

impl Operator {
    /// Seen for the first time.
    pub(crate) fn new(time: Timestamp) -> Self {
        Self { first_seen: time.as_secs(), ..Self::default() }
    }

    /// It does something; how many were forgotten to make room.
    pub(crate) fn meet(
        &mut self,
        time: Timestamp,
        vm: Option<&str>,
        client: Option<IpAddr>,
        how: Meeting,
    ) -> u64 {
        self.last_seen = self.last_seen.max(time.as_secs());
        self.known.meet(time, how);
        let mut forgotten = 0;
        if let Some(vm) = vm {
            forgotten += room(&mut self.vms, vm, MAX_VMS);
            match self.vms.get_mut(vm) {
                Some(known) => known.meet(time, how),
                None => self.vms.entry(vm.to_owned()).or_default().meet(time, how),
            }
        }
        if let Some(client) = client {
            forgotten += room(&mut self.clients, &client, MAX_CLIENTS);
            self.clients.entry(client).or_default().meet(time, how);
        }
        forgotten
    }

    /// An alert is raised: today teaches nothing.
    pub(crate) fn taint(&mut self, time: Timestamp) {
        let today = day(time);
        let all = self.vms.values_mut().chain(self.clients.values_mut());
        for known in all.chain([&mut self.known]).filter(|known| known.day == today) {
            known.tainted = true;
        }
        let hour = hour(time);
        while self.hours.back().is_some_and(|(last, _)| *last >= hour) {
            self.hours.pop_back();
        }
    }

    /// Within the 60 minutes up to `time` it ran so many scripts.
    pub(crate) fn note_scripts(&mut self, time: Timestamp, scripts: usize) {
        let (hour, scripts) = (hour(time), u16::try_from(scripts).unwrap_or(u16::MAX));
        match self.hours.back_mut() {
            Some((last, most)) if *last >= hour => *most = scripts.max(*most),
            _ => self.hours.push_back((hour, scripts)),
        }
        while self.hours.front().is_some_and(|(first, _)| hour.saturating_sub(*first) > HOURS) {
            self.hours.pop_front();
        }
    }

    /// The most scripts within any 60 minutes of the last 28 days.
    pub fn most_scripts(&self) -> u16 {
        self.hours.iter().map(|(_, most)| *most).max().unwrap_or_default()
    }

    /// The hours with scripts that are at least `ago` hours before `time`: which, and how many.
    pub(crate) fn hours(&self, time: Timestamp, ago: u32) -> impl Iterator<Item = (u32, u16)> {
        let until = hour(time).saturating_sub(ago);
        self.hours.iter().copied().take_while(move |(hour, _)| *hour <= until)
    }

    /// Whether it was only ever seen to ask, often enough to say so.
    pub(crate) fn is_reader(&self) -> bool {
        const ENOUGH: u32 = 10;
        self.queries >= ENOUGH && self.acts == 0 && self.pulls == 0 && self.aliases == 0
    }
}

/// Makes room for `coming` by forgetting the half that is known least; how many that were.
fn room<K, Q>(known: &mut BTreeMap<K, Acquaintance>, coming: &Q, most: usize) -> u64
where
    K: Ord + Clone + std::borrow::Borrow<Q>,
    Q: Ord + ?Sized,
{
    if known.len() < most || known.contains_key(coming) {
        return 0;
    }
    let mut least: Vec<_> =
        known.iter().map(|(key, one)| (one.learned, one.days, one.day, key.clone())).collect();
    least.sort();
    least.truncate(most.div_ceil(2));
    let forgotten = least.len() as u64;
    for (.., key) in least {
        known.remove::<K>(&key);
    }
    forgotten
}

/// Under which an account is known.
pub(crate) fn account_key(account: &Account) -> String {
    format!("account:{}", account.key())
}

/// Under which those are known who use a host, where no log names them.
pub(crate) fn host_key(name: &str) -> String {
    format!("host:{}", name.to_lowercase())
}

fn day(time: Timestamp) -> u32 {
    u32::try_from(time.as_secs() / 86_400).unwrap_or(u32::MAX)
}

fn hour(time: Timestamp) -> u32 {
    u32::try_from(time.as_secs() / 3600).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(day: u64, hour: u64) -> Timestamp {
        Timestamp::from_parts((20_000 + day) * 86_400 + hour * 3600, 0)
    }

    /// Fails when an intruder can make a VM usual within a day, or on days with an alert.
    #[test]
    fn only_days_that_end_without_an_alert_teach() {
        let mut operator = Operator::new(at(0, 0));
        for day in 0..3 {
            for hour in 0..24 {
                operator.meet(at(day, hour), Some("web-01"), None, Meeting::Watching);
            }
        }
        assert!(operator.vms["web-01"].familiarity() < 1.0);
        operator.taint(at(2, 23));
        operator.meet(at(3, 0), Some("web-01"), None, Meeting::Suspected);
        operator.meet(at(4, 0), Some("web-01"), None, Meeting::Watching);
        assert_eq!(operator.vms["web-01"].days, 2, "days 2 and 3 were tainted");
        operator.meet(at(5, 0), Some("web-01"), None, Meeting::Watching);
        assert_eq!(operator.vms["web-01"].familiarity(), 1.0);
    }

    #[test]
    fn names_are_bounded_and_the_least_known_go() {
        let mut operator = Operator::new(at(0, 0));
        operator.meet(at(0, 0), Some("old"), None, Meeting::Learning);
        let mut forgotten = 0;
        for vm in 0..3000 {
            let name = format!("vm-{vm}");
            forgotten += operator.meet(at(1, 0), Some(&name), None, Meeting::Watching);
        }
        assert!(operator.vms.len() <= MAX_VMS && operator.vms.contains_key("old"));
        assert_eq!(forgotten + operator.vms.len() as u64, 3001);
    }

    #[test]
    fn history_is_28_days_and_leaves_out_the_latest() {
        let mut operator = Operator::new(at(0, 0));
        for day in 0..40 {
            operator.note_scripts(at(day, 9), 4);
            operator.note_scripts(at(day, 9), 7);
        }
        let hours: Vec<_> = operator.hours(at(39, 9), 20).collect();
        assert_eq!(hours.len(), 28);
        assert!(hours.iter().all(|(_, most)| *most == 7));
    }
}
