//! What several sensors learned of one asset, as one.
//!
//! [`AssetBaseline::join`] is the join of a semilattice: in whatever order what sensors know is taken
//! over, and however often, the same comes out; what is known of nothing changes nothing. It is made of
//! joins of its parts, each with its reason where it is written; `docs/fleet/merging.md` has them in one
//! table. Three rules hold for all of them:
//!
//! - **Nothing becomes more usual than one sensor had it.** Hours, days, levels and volumes are the larger
//!   of two, never their sum: who is seen by many sensors is not learned faster.
//! - **What an alert spoke against stays unlearned**, whichever sensor raised it.
//! - **Forgetting wins** over all that was learned by whoever did not know of it.
//!
//! It has no bound of its own: who takes a baseline over holds it against the bounds that it has anyway.

use std::cmp::Ordering;
use std::collections::BTreeMap;
use std::time::Duration;

use super::{AssetBaseline, DrainKept};
use crate::time::Timestamp;

/// The first of two times, where 0 is none.
pub(crate) fn earliest(one: u64, other: u64) -> u64 {
    if one == 0 || other == 0 { one.max(other) } else { one.min(other) }
}

impl AssetBaseline {
    /// Takes over what another sensor knows. Of two that have forgotten all, what was learned since the
    /// later time counts alone.
    pub fn join(&mut self, other: &Self) {
        match other.forgotten.cmp(&self.forgotten) {
            Ordering::Less => return,
            Ordering::Greater => self.clone_from(other),
            Ordering::Equal => {}
        }
        self.first_seen = earliest(self.first_seen, other.first_seen);
        unite(&mut self.macs, &other.macs);
        self.hours.join(other.hours);
        self.join_destinations(other);
        for (series, volumes) in &other.volumes {
            self.volumes.entry(series.clone()).or_default().join(volumes);
        }
        join_uses(&mut self.clients, &other.clients);
        join_uses(&mut self.ports, &other.ports);
        if other.drain.order(&self.drain) == Ordering::Greater {
            self.drain = other.drain;
        }
        unite(&mut self.channels, &other.channels);
        for (served, theirs) in self.served.iter_mut().zip(other.served) {
            *served |= theirs;
        }
    }

    /// Another sensor saw it at `first_seen` already, in seconds since the epoch: what was taken for its
    /// learning time here, after `learning` from then, was none, and what was learned in it counts as what
    /// is seen on any other day. Else who can bring an asset before a sensor that does not know it had a
    /// learning time for the whole estate.
    pub fn known_since(&mut self, first_seen: u64, learning: Duration) {
        let learned_by = first_seen.saturating_add(learning.as_secs());
        if first_seen == 0 || self.first_seen <= first_seen {
            return;
        }
        let mistaken = self.destinations.values_mut();
        let mistaken = mistaken.filter(|habit| habit.learned && habit.first_seen > learned_by);
        mistaken.for_each(super::Habit::unlearn);
        if self.first_seen > learned_by {
            let hour = u32::try_from(self.first_seen / 3600).unwrap_or(u32::MAX);
            let learned = self.clients.values_mut().chain(self.ports.values_mut());
            learned.for_each(|[first, _]| *first = if *first == 0 { hour } else { *first });
            // What was told of stays told.
            self.channels.retain(|subject| subject.starts_with('+'));
        }
    }

    /// Whether any of it is after `latest`: then it is not what a sensor learned.
    pub(crate) fn is_after(&self, latest: Timestamp) -> bool {
        let (second, hour) = (latest.as_secs(), latest.as_secs() / 3600);
        let uses = self.clients.values().chain(self.ports.values()).flatten();
        let hours = uses.copied().chain([self.drain.at, self.drain.since]);
        let hours =
            hours.chain(self.volumes.values().map(|volumes| volumes.next().saturating_sub(1)));
        let forgotten = self.forgotten_destinations.values().copied();
        [self.first_seen, self.forgotten].into_iter().chain(forgotten).any(|at| at > second)
            || hours.into_iter().any(|at| u64::from(at) > hour)
            || self.hours.is_after(latest)
            || self.destinations.values().any(|habit| habit.is_after(latest))
    }

    /// It is known to have this MAC address, too.
    pub(crate) fn note_mac(&mut self, mac: &str) {
        unite(&mut self.macs, &[mac.to_owned()]);
    }

    /// Leaves out what nobody did for so long that it is new again.
    pub(crate) fn drop_old(&mut self, now: Timestamp) {
        self.destinations.retain(|_, habit| !habit.is_over(now));
    }

    /// Destinations, and domains with many ports: of what one side has forgotten, what the other learned
    /// without knowing of it does not count.
    fn join_destinations(&mut self, other: &Self) {
        let theirs = &other.forgotten_destinations;
        for (name, at) in theirs {
            if *at > self.forgotten_at(name) {
                self.destinations.remove(name);
                self.many_ports.retain(|domain| domain != name);
            }
        }
        for (name, habit) in &other.destinations {
            if other.forgotten_at(name) < self.forgotten_at(name) {
                continue;
            }
            match self.destinations.get_mut(name) {
                Some(known) => known.join(habit),
                None => drop(self.destinations.insert(name.clone(), habit.clone())),
            }
        }
        let many = other.many_ports.iter();
        let many: Vec<String> = many
            .filter(|name| other.forgotten_at(name) >= self.forgotten_at(name))
            .cloned()
            .collect();
        unite(&mut self.many_ports, &many);
        for (name, at) in theirs {
            let forgotten = self.forgotten_destinations.entry(name.clone()).or_default();
            *forgotten = (*forgotten).max(*at);
        }
    }

    fn forgotten_at(&self, destination: &str) -> u64 {
        self.forgotten_destinations.get(destination).copied().unwrap_or(0)
    }
}

impl DrainKept {
    /// An hour in which nothing left takes back so much: an upload in working hours is one all the same.
    pub(crate) const IDLE: f64 = 0.25;

    /// Which of two counts: the one with the higher sum once both are at the same hour, where idle hours
    /// have passed for the earlier one. So who is brought before another sensor does not begin anew, and a
    /// drain that ended does not come back.
    fn order(&self, other: &Self) -> Ordering {
        let level = |of: &Self| of.score + Self::IDLE * f64::from(of.at);
        let rest = |of: &Self| (of.at, of.bytes, of.expected, of.since);
        let scores = || self.score.total_cmp(&other.score);
        level(self)
            .total_cmp(&level(other))
            .then_with(|| rest(self).cmp(&rest(other)).then_with(scores))
    }
}

/// Everything that either has, in order.
fn unite(known: &mut Vec<String>, others: &[String]) {
    known.extend_from_slice(others);
    known.sort_unstable();
    known.dedup();
}

/// First and last use, by whoever saw it: what one learned is new for none.
fn join_uses<K: Ord + Clone>(known: &mut BTreeMap<K, [u32; 2]>, others: &BTreeMap<K, [u32; 2]>) {
    for (what, [first, last]) in others {
        let [own_first, own_last] = known.entry(what.clone()).or_insert([*first, *last]);
        (*own_first, *own_last) = ((*own_first).min(*first), (*own_last).max(*last));
    }
}

#[cfg(test)]
mod tests;
