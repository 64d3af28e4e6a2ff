//! AN1131: mirrors that send traffic where it should not go (T1020.001).
//!
//! Exact rules: what the config approves is only remembered. Of the rest, changes that audit logs tell of
//! and wrapped packets on the wire that lead to one destination are one story, which is one alert; see
//! [`weigh`] for what counts how much. When something happened decides what belongs together, not when
//! it was told: a cloud's record may come a quarter of an hour after the packets.
//!
//! Bounds: [`MAX_STORIES`] stories of up to some 20 KB, 4096 learned pairs, sessions, targets and
//! filters each; what was touched longest ago gives way, and that is counted.

use std::collections::{BTreeMap, VecDeque};
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use super::estate::{Estate, Phase};
use crate::alert::Alert;
use crate::baseline::{Mirrors, pair};
use crate::config;
use crate::event::{MirrorChange, Mirrored, Report, Service};
use crate::time::Timestamp;
use judge::{Feeds, Look, Noted};
use known::Known;
use policy::Policy;
use story::{Story, follows, is_overlay};
use track::{Standing, Track};

mod judge;
mod known;
mod policy;
mod story;
mod track;
mod weigh;
mod words;

/// Stories that go on at once.
const MAX_STORIES: usize = 512;
/// Changes that are remembered because they do not say where they lead.
const MAX_OPEN: usize = 64;
/// What is told so long after it happened says what is configured, but not what goes on.
const OLD: Duration = Duration::from_secs(86_400);

/// The detector.
#[derive(Debug)]
pub(super) struct MirrorPolicy {
    config: config::MirrorPolicy,
    policy: Policy,
    /// This sensor's addresses, where it is sent mirrors.
    own: Vec<IpAddr>,
    known: Known,
    feeds: Feeds,
    /// What is usual; its sessions are those of `known`.
    learned: Mirrors,
    stories: BTreeMap<u64, Story>,
    /// The number of the next story.
    next: u64,
    /// Approved changes that may lead anywhere.
    open: VecDeque<Arc<Noted>>,
    forgotten: u64,
}

impl MirrorPolicy {
    pub(super) fn new(config: &config::MirrorPolicy) -> Self {
        Self {
            config: config.clone(),
            policy: Policy::new(config, &[]),
            own: Vec::new(),
            known: Known::default(),
            feeds: Feeds::new(),
            learned: Mirrors::default(),
            stories: BTreeMap::new(),
            next: 0,
            open: VecDeque::new(),
            forgotten: 0,
        }
    }

    /// Takes other settings: what they approve now is no story any more.
    pub(super) fn reconfigure(
        &mut self,
        estate: &Estate,
        config: &config::MirrorPolicy,
        alerts: &mut Vec<Alert>,
    ) {
        if self.config == *config {
            return;
        }
        self.config = config.clone();
        self.policy = Policy::new(config, &self.own);
        let policy = &self.policy;
        let approved = self.stories.extract_if(.., |_, story| story.is_approved(policy));
        approved.for_each(|(_, mut story)| story.close(estate, policy, alerts));
    }

    /// Says at which addresses this sensor is sent mirrors.
    pub(super) fn receive(&mut self, own: &[IpAddr]) {
        self.own = own.to_vec();
        self.policy = Policy::new(&self.config, own);
    }

    /// Mirrors are learned from `time` on, unless they were before.
    pub(super) const fn begin(&mut self, time: Timestamp) {
        if self.learned.since == 0 {
            self.learned.since = time.as_secs();
        }
    }

    /// Takes a change that a log tells of at `now`; it may have happened long before.
    pub(super) fn changed(
        &mut self,
        estate: &Estate,
        report: &Report,
        change: &MirrorChange,
        now: Timestamp,
        alerts: &mut Vec<Alert>,
    ) {
        let (policy, known, feeds) = (&self.policy, &self.known, &self.feeds);
        let noted = Look { policy, known, feeds, report, change }.noted(now);
        if change.failure.is_none() {
            self.known.take(change, report.reporter.host.as_deref(), report.time);
        }
        let is_open = noted.findings.is_empty() && noted.leads_anywhere();
        if (noted.findings.is_empty() && !is_open)
            || noted.late > OLD
            || self.phase(estate, report.time) == Phase::Teaching
        {
            return;
        }
        let noted = Arc::new(noted);
        let number = match self.story_of(estate, &noted) {
            Some(number) => number,
            None if is_open => {
                self.open.push_back(noted);
                if self.open.len() > MAX_OPEN {
                    self.open.pop_front();
                }
                return;
            }
            None => self.open_story(estate, title(&noted), noted.time, alerts),
        };
        let Some(story) = self.stories.get_mut(&number) else { return };
        story.add_change(&noted);
        for pair in story.mislearned(self.policy.window) {
            self.learned.pairs.remove(pair);
        }
        story.judge(estate, &self.policy, now, alerts);
    }

    /// A record says what a provider's id is on the wire.
    pub(super) fn addressed(&mut self, id: &str, address: IpAddr) {
        self.known.note_address(id, address);
    }

    /// Takes mirrored traffic, as packets or a log show it.
    pub(super) fn mirrored(
        &mut self,
        estate: &Estate,
        mirrored: &Mirrored,
        by: Option<Service>,
        now: Timestamp,
        alerts: &mut Vec<Alert>,
    ) {
        if self.policy.allows_address(mirrored.destination) {
            self.feeds.note(mirrored.time, mirrored.destination, mirrored.id);
            return;
        }
        if now.since(mirrored.time) > OLD || is_overlay(mirrored, estate) {
            return;
        }
        let pair = pair(mirrored);
        let standing = match self.phase(estate, mirrored.time) {
            _ if self.learned.pairs.contains_key(&pair) => Standing::Usual,
            Phase::Watching => Standing::New,
            Phase::Teaching | Phase::Learning => Standing::Learning,
        };
        let seen = self.stories.iter().find(|(_, story)| story.tracks.contains_key(&pair));
        let seen = seen.map(|(number, _)| *number);
        if standing != Standing::New && seen.is_none_or(|number| !self.leaks(number)) {
            self.forgotten += self.learned.learn(&pair, mirrored.destination, mirrored.time);
        }
        if standing == Standing::Usual && seen.is_none() {
            self.feeds.note(mirrored.time, mirrored.destination, mirrored.id);
            return;
        }
        if self.phase(estate, mirrored.time) == Phase::Teaching {
            return;
        }
        let number = match seen.or_else(|| self.story_at(estate, mirrored, by, standing)) {
            Some(number) => number,
            None => {
                let place = mirrored.destination.to_string();
                self.open_story(estate, place, mirrored.since, alerts)
            }
        };
        let track = Track::new(mirrored, by, standing);
        let Some(story) = self.stories.get_mut(&number) else { return };
        story.add_traffic(&pair, mirrored, by, standing);
        for noted in &self.open {
            if follows(&track, noted, estate, self.policy.window) {
                story.add_change(noted);
            }
        }
        for pair in story.mislearned(self.policy.window) {
            self.learned.pairs.remove(pair);
        }
        story.judge(estate, &self.policy, now, alerts);
    }

    /// Ends stories that are over.
    pub(super) fn tick(&mut self, estate: &Estate, now: Timestamp, alerts: &mut Vec<Alert>) {
        let over = self.stories.extract_if(.., |_, story| story.is_over(now));
        over.for_each(|(_, mut story)| story.close(estate, &self.policy, alerts));
        let window = self.policy.window.max(OLD);
        self.open.retain(|noted| now.since(noted.time) <= window);
    }

    /// The capture ended: the last word on every story.
    pub(super) fn finish(&mut self, estate: &Estate, alerts: &mut Vec<Alert>) {
        for story in self.stories.values_mut() {
            story.close(estate, &self.policy, alerts);
        }
    }

    /// What lasts.
    pub(super) fn save(&self) -> Mirrors {
        let sessions = self.known.sessions().iter();
        let sessions = sessions.map(|(key, (_, session))| (key.clone(), session.clone()));
        Mirrors { sessions: sessions.collect(), ..self.learned.clone() }
    }

    /// Takes over what lasted.
    pub(super) fn restore(&mut self, mirrors: &Mirrors) {
        self.known.restore(&mirrors.sessions);
        self.learned = Mirrors { sessions: BTreeMap::new(), ..mirrors.clone() };
    }

    /// Forgets the pairs whose mirrors go to an address; whether there were any.
    pub(super) fn forget(&mut self, name: &str) -> bool {
        name.parse().is_ok_and(|address| self.learned.forget(address))
    }

    /// How much there was no room for.
    pub(super) const fn forgotten(&self) -> u64 {
        self.forgotten + self.known.forgotten()
    }

    fn phase(&self, estate: &Estate, time: Timestamp) -> Phase {
        estate.phase_since(Timestamp::from_parts(self.learned.since, 0), time)
    }

    /// Whether packets of a story are taken for a leak.
    fn leaks(&self, number: u64) -> bool {
        self.stories
            .get(&number)
            .is_some_and(|story| !story.weigh(self.policy.window).tracks.is_empty())
    }

    /// The story that a change belongs to. One that packets belong to, and one that other changes do,
    /// may turn out to be the same.
    fn story_of(&mut self, estate: &Estate, noted: &Noted) -> Option<u64> {
        let window = self.policy.window;
        let is_there = |story: &Story| !noted.is_end_of_own() && story.is_at(noted);
        let at = self.stories.iter().filter(|(_, story)| is_there(story));
        let place = title(noted);
        let named = || self.stories.iter().find(|(_, story)| story.place() == place);
        // Of several the one with packets.
        let at = at.max_by_key(|(_, story)| !story.tracks.is_empty()).or_else(named);
        let at = at.map(|(number, _)| *number);
        let followed =
            self.stories.iter().find(|(_, story)| story.may_follow(noted, estate, window));
        let Some(followed) = followed.map(|(number, _)| *number) else { return at };
        if let Some(same) = at.filter(|at| *at != followed)
            && let Some(other) = self.stories.remove(&same)
            && let Some(story) = self.stories.get_mut(&followed)
        {
            story.absorb(other);
        }
        Some(followed)
    }

    /// The story that packets belong to which come for the first time.
    fn story_at(
        &self,
        estate: &Estate,
        mirrored: &Mirrored,
        by: Option<Service>,
        standing: Standing,
    ) -> Option<u64> {
        let track = Track::new(mirrored, by, standing);
        let is_there = |story: &Story| story.addresses.contains(&mirrored.destination);
        let window = self.policy.window;
        let may_cause = |story: &Story| {
            story.changes.iter().any(|noted| follows(&track, noted, estate, window))
        };
        let mut stories = self.stories.iter();
        let there = stories.find(|(_, story)| is_there(story));
        let there = there.or_else(|| self.stories.iter().find(|(_, story)| may_cause(story)));
        there.map(|(number, _)| *number)
    }

    /// Begins a story, if need be in place of those that were touched longest ago.
    fn open_story(
        &mut self,
        estate: &Estate,
        place: String,
        time: Timestamp,
        alerts: &mut Vec<Alert>,
    ) -> u64 {
        if self.stories.len() >= MAX_STORIES {
            let mut touched: Vec<_> =
                self.stories.iter().map(|(number, story)| (story.last(), *number)).collect();
            touched.sort_unstable();
            for (_, number) in touched.into_iter().take(MAX_STORIES / 2) {
                if let Some(mut story) = self.stories.remove(&number) {
                    story.close(estate, &self.policy, alerts);
                    self.forgotten += 1;
                }
            }
        }
        self.next += 1;
        self.stories.insert(self.next, Story::new(place, time));
        self.next
    }
}

/// What makes a story that begins with a change this one: the address that the mirror goes to, else its
/// target; of one that is taken away, the mirror.
fn title(noted: &Noted) -> String {
    let change = &noted.change;
    let id = || change.id.as_deref().map(policy::spelled);
    if noted.is_end_of_own() {
        return format!("gone {}", id().unwrap_or_default());
    }
    let address = noted.place.addresses.first().map(ToString::to_string);
    let target = || noted.place.ids.first().cloned();
    let host = || noted.host.as_deref().map(str::to_lowercase);
    address.or_else(target).or_else(id).or_else(host).unwrap_or_else(|| change.call.to_string())
}

#[cfg(test)]
mod tests;
