//! What audit logs told of: targets, sessions and filters, as the last change left them.
//!
//! Bounds: [`MAX_PAIRS`] of each; the half that was changed longest ago gives way, and that is counted.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;
use std::sync::Arc;

use super::policy::{Place, Policy, spelled};
use crate::baseline::{MAX_PAIRS, MirrorSession};
use crate::event::{ChangeAction, MirrorChange, MirrorObject};
use crate::time::Timestamp;

/// Names and addresses kept of one thing.
pub(super) const MAX_NAMES: usize = 8;
/// Rules kept of one filter.
const MAX_RULES: usize = 256;

/// What is configured.
#[derive(Debug, Default)]
pub(super) struct Known {
    targets: Bounded<Target>,
    sessions: Bounded<MirrorSession>,
    filters: Bounded<Filter>,
    /// The filter that each rule is of.
    rules: Bounded<String>,
    /// What ids are on the wire, as records say.
    addresses: Bounded<Vec<IpAddr>>,
}

#[derive(Debug, Default)]
struct Target {
    ids: Vec<String>,
    addresses: Vec<IpAddr>,
    /// Whose it is.
    scope: Option<String>,
}

#[derive(Debug, Default)]
struct Filter {
    rules: BTreeSet<String>,
    /// Its making was seen, so that all its rules are known.
    is_whole: bool,
}

impl Known {
    /// The key of a session: numbers of sessions are those of their switch.
    pub(super) fn session_key(change: &MirrorChange, host: Option<&str>) -> Option<String> {
        let id = change.id.as_deref()?;
        let scope = change.scope.as_deref().or(host).unwrap_or_default();
        Some(format!("{} {}", scope.to_lowercase(), spelled(id)))
    }

    pub(super) fn session(&self, key: &str) -> Option<&MirrorSession> {
        self.sessions.get(key)
    }

    pub(super) const fn sessions(&self) -> &BTreeMap<String, (u64, MirrorSession)> {
        &self.sessions.entries
    }

    /// Takes over what an earlier run knew.
    pub(super) fn restore(&mut self, sessions: &BTreeMap<String, MirrorSession>) {
        for (key, session) in sessions {
            self.sessions.insert(key.clone(), session.clone());
        }
    }

    /// Sessions that send what a filter lets through.
    pub(super) fn filtered_by(&self, filter: &str) -> impl Iterator<Item = &MirrorSession> {
        let sessions = self.sessions.entries.values().map(|(_, session)| session);
        sessions.filter(move |session| session.filter.as_deref() == Some(filter))
    }

    /// The filter that a change is about.
    pub(super) fn filter_of(&self, change: &MirrorChange) -> Option<String> {
        let own = change.id.as_deref().map(spelled);
        match change.object {
            MirrorObject::Filter => own,
            MirrorObject::FilterRule => {
                let named = change.filter.as_deref().map(spelled);
                named.or_else(|| self.rules.get(&own?).cloned())
            }
            MirrorObject::Session | MirrorObject::Target => None,
        }
    }

    /// Whether a change leaves nothing of a filter to let anything through.
    pub(super) fn narrows_to_nothing(&self, change: &MirrorChange) -> bool {
        if change.action != ChangeAction::Delete {
            return false;
        }
        if change.object == MirrorObject::Filter {
            return true;
        }
        let Some(filter) = self.filter_of(change).and_then(|filter| self.filters.get(&filter))
        else {
            return false;
        };
        let gone = change.id.as_deref().map(spelled);
        filter.is_whole && filter.rules.iter().all(|rule| Some(rule) == gone.as_ref())
    }

    /// Where targets are, by all that is known of them.
    pub(super) fn place<'a>(
        &self,
        policy: &Policy,
        ids: impl IntoIterator<Item = &'a str>,
        addresses: &[IpAddr],
    ) -> Place {
        let mut place = Place::default();
        addresses.iter().take(MAX_NAMES).for_each(|address| place.add_address(*address));
        for id in ids.into_iter().take(MAX_NAMES) {
            place.add_id(id);
            let Some(target) = self.targets.get(&spelled(id)) else { continue };
            target.ids.iter().for_each(|id| place.add_id(id));
            target.addresses.iter().for_each(|address| place.add_address(*address));
        }
        for id in place.ids.clone() {
            if let Some(address) = policy.address_of(&id) {
                place.add_address(address);
            }
            self.addresses.get(&id).into_iter().flatten().for_each(|to| place.add_address(*to));
        }
        place
    }

    /// Whose a target is.
    pub(super) fn owner(&self, id: &str) -> Option<&str> {
        self.targets.get(id)?.scope.as_deref()
    }

    /// A record says what an id is on the wire.
    pub(super) fn note_address(&mut self, id: &str, address: IpAddr) {
        let id = spelled(id);
        let mut known = self.addresses.get(&id).cloned().unwrap_or_default();
        if known.len() < MAX_NAMES && !known.contains(&address) {
            known.push(address);
            self.addresses.insert(id, known);
        }
    }

    /// How much had to give way.
    pub(super) const fn forgotten(&self) -> u64 {
        self.targets.forgotten
            + self.sessions.forgotten
            + self.filters.forgotten
            + self.rules.forgotten
            + self.addresses.forgotten
    }

    /// Takes a change that was made.
    pub(super) fn take(&mut self, change: &MirrorChange, host: Option<&str>, time: Timestamp) {
        let Some(id) = change.id.as_deref().map(spelled) else { return };
        match change.object {
            MirrorObject::Session => self.take_session(change, host, time),
            MirrorObject::Target => self.take_target(change, id),
            MirrorObject::Filter if change.action == ChangeAction::Delete => {
                self.filters.remove(&id);
            }
            MirrorObject::Filter => {
                let is_whole = change.action == ChangeAction::Create;
                let known = self.filters.get(&id).is_some();
                if !known {
                    self.filters.insert(id, Filter { is_whole, ..Filter::default() });
                }
            }
            MirrorObject::FilterRule => self.take_rule(change, id),
        }
    }

    fn take_session(&mut self, change: &MirrorChange, host: Option<&str>, time: Timestamp) {
        let Some(key) = Self::session_key(change, host) else { return };
        let known = self.sessions.get(&key).cloned().unwrap_or_default();
        if known.changed > time.as_nanos() {
            // A record that comes late says what is over.
            return;
        }
        if change.action == ChangeAction::Delete {
            self.sessions.remove(&key);
            return;
        }
        let moves = !change.targets.is_empty() || !change.addresses.is_empty();
        let session = MirrorSession {
            targets: if moves { owned(&change.targets) } else { known.targets },
            addresses: if moves {
                change.addresses.iter().copied().take(MAX_NAMES).collect()
            } else {
                known.addresses
            },
            sources: if change.sources.is_empty() { known.sources } else { owned(&change.sources) },
            wire_id: change.wire_id.or(known.wire_id),
            filter: change.filter.as_deref().map(spelled).or(known.filter),
            changed: time.as_nanos(),
        };
        self.sessions.insert(key, session);
    }

    fn take_target(&mut self, change: &MirrorChange, id: String) {
        if change.action == ChangeAction::Delete {
            self.targets.remove(&id);
            return;
        }
        let target = Target {
            ids: owned(&change.targets),
            addresses: change.addresses.iter().copied().take(MAX_NAMES).collect(),
            scope: change.scope.as_deref().map(str::to_lowercase),
        };
        self.targets.insert(id, target);
    }

    fn take_rule(&mut self, change: &MirrorChange, id: String) {
        let Some(filter) = self.filter_of(change) else { return };
        let mut known = self.filters.remove(&filter).unwrap_or_default();
        if change.action == ChangeAction::Delete {
            known.rules.remove(&id);
            self.rules.remove(&id);
        } else if known.rules.len() < MAX_RULES {
            known.rules.insert(id.clone());
            self.rules.insert(id, filter.clone());
        } else {
            known.is_whole = false;
        }
        self.filters.insert(filter, known);
    }
}

/// So many of some ids, in one spelling.
fn owned(ids: &[Arc<str>]) -> Vec<String> {
    ids.iter().take(MAX_NAMES).map(|id| spelled(id)).collect()
}

/// A map in which the half that was written longest ago gives way to what comes.
#[derive(Debug)]
struct Bounded<V> {
    entries: BTreeMap<String, (u64, V)>,
    writes: u64,
    forgotten: u64,
}

impl<V> Default for Bounded<V> {
    fn default() -> Self {
        Self { entries: BTreeMap::new(), writes: 0, forgotten: 0 }
    }
}

impl<V> Bounded<V> {
    fn get(&self, key: &str) -> Option<&V> {
        self.entries.get(key).map(|(_, value)| value)
    }

    fn remove(&mut self, key: &str) -> Option<V> {
        self.entries.remove(key).map(|(_, value)| value)
    }

    fn insert(&mut self, key: String, value: V) {
        if self.entries.len() >= MAX_PAIRS && !self.entries.contains_key(&key) {
            let mut written: Vec<u64> = self.entries.values().map(|(at, _)| *at).collect();
            let (_, median, _) = written.select_nth_unstable(MAX_PAIRS / 2);
            let until = *median;
            let before = self.entries.len();
            self.entries.retain(|_, (at, _)| *at >= until);
            self.forgotten += (before - self.entries.len()) as u64;
        }
        self.writes += 1;
        self.entries.insert(key, (self.writes, value));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_half_that_was_written_longest_ago_gives_way() {
        let mut bounded = Bounded::default();
        for number in 0..3 * MAX_PAIRS {
            bounded.insert(format!("{number}"), number);
        }
        assert!(bounded.entries.len() <= MAX_PAIRS);
        assert_eq!(bounded.forgotten as usize + bounded.entries.len(), 3 * MAX_PAIRS);
        assert!(bounded.get(&format!("{}", 3 * MAX_PAIRS - 1)).is_some());
        assert!(bounded.get("0").is_none());
    }
}
