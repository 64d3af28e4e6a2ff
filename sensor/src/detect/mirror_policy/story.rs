//! Changes and packets that lead to one destination, from the first until a day without either, and
//! their alert.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use super::judge::{Finding, Noted};
use super::policy::Policy;
use super::track::{Standing, Track};
use super::weigh::{COPIES, PRIOR, TOGETHER, TRAFFIC, severity, weight};
use super::words::Words;
use crate::alert::{Alert, Severity};
use crate::config::Role;
use crate::detect::estate::Estate;
use crate::event::{Mirrored, Service, TunnelKind};
use crate::time::Timestamp;

/// After so long without anything new a story is over.
const EPISODE: Duration = Duration::from_secs(86_400);
/// Changes and pairs that are told apart in one story.
const MAX_CHANGES: usize = 8;
const MAX_TRACKS: usize = 32;
/// Ids and addresses that stand for one destination.
const MAX_PLACES: usize = 64;

/// A story.
#[derive(Debug)]
pub(super) struct Story {
    /// What makes it this one, and the day on which it began.
    place: String,
    day: u64,
    pub(super) ids: BTreeSet<String>,
    pub(super) addresses: BTreeSet<IpAddr>,
    /// The first changes, in the order of their time.
    pub(super) changes: Vec<Arc<Noted>>,
    /// The earliest change with each finding.
    pub(super) found: BTreeMap<Finding, Arc<Noted>>,
    /// Packets, by the names of their pairs.
    pub(super) tracks: BTreeMap<String, Track>,
    last: Timestamp,
    raised: Option<Raised>,
}

/// What was told of it.
#[derive(Debug)]
struct Raised {
    /// Stays when names change.
    id: uuid::Uuid,
    severity: Severity,
    pieces: usize,
    bytes: u64,
    count: u64,
}

/// What its evidence comes to.
pub(super) struct Weighed<'a> {
    pub(super) findings: Vec<(Finding, &'a Noted, f64)>,
    /// Packets that count, most bytes first, and what they weigh.
    pub(super) tracks: Vec<(&'a Track, f64)>,
    /// The change that they came with.
    pub(super) together: Option<&'a Noted>,
    pub(super) sum: f64,
}

impl Story {
    pub(super) fn new(place: String, time: Timestamp) -> Self {
        Self {
            place,
            day: time.as_secs() / 86_400,
            ids: BTreeSet::new(),
            addresses: BTreeSet::new(),
            changes: Vec::new(),
            found: BTreeMap::new(),
            tracks: BTreeMap::new(),
            last: time,
            raised: None,
        }
    }

    pub(super) fn is_over(&self, now: Timestamp) -> bool {
        now.since(self.last) > EPISODE
    }

    /// What makes it this one.
    pub(super) fn place(&self) -> &str {
        &self.place
    }

    /// When something came to it last.
    pub(super) const fn last(&self) -> Timestamp {
        self.last
    }

    /// Whether it goes where the config now allows it.
    pub(super) fn is_approved(&self, policy: &Policy) -> bool {
        let all_allowed = |addresses: &BTreeSet<IpAddr>| {
            !addresses.is_empty() && addresses.iter().all(|to| policy.allows_address(*to))
        };
        !self.found.contains_key(&Finding::UnapprovedPrincipal)
            && (self.ids.iter().any(|id| policy.allows_id(id)) || all_allowed(&self.addresses))
    }

    /// A change belongs to it.
    pub(super) fn add_change(&mut self, noted: &Arc<Noted>) {
        let again = |known: &Arc<Noted>| known.repeats(noted);
        if self.changes.iter().chain(self.found.values()).any(again) {
            return;
        }
        self.last = self.last.max(noted.time);
        for finding in &noted.findings {
            let earliest = self.found.entry(*finding).or_insert_with(|| Arc::clone(noted));
            if order(noted) < order(earliest) {
                *earliest = Arc::clone(noted);
            }
        }
        self.changes.push(Arc::clone(noted));
        self.changes.sort_by(|one, other| order(one).cmp(&order(other)));
        self.changes.truncate(MAX_CHANGES);
        if !noted.is_end_of_own() {
            let room = MAX_PLACES.saturating_sub(self.ids.len() + self.addresses.len());
            self.ids.extend(noted.place.ids.iter().take(room).cloned());
            self.addresses.extend(noted.place.addresses.iter().take(room));
        }
    }

    /// Packets belong to it.
    pub(super) fn add_traffic(
        &mut self,
        pair: &str,
        mirrored: &Mirrored,
        by: Option<Service>,
        standing: Standing,
    ) {
        self.last = self.last.max(mirrored.time);
        if self.addresses.len() < MAX_PLACES {
            self.addresses.insert(mirrored.destination);
        }
        if let Some(track) = self.tracks.get_mut(pair) {
            track.add(mirrored, by);
        } else if self.tracks.len() < MAX_TRACKS {
            let mut track = Track::new(mirrored, by, standing);
            track.add(mirrored, by);
            self.tracks.insert(pair.to_owned(), track);
        }
    }

    /// Takes all of another story into this one, which is the same.
    pub(super) fn absorb(&mut self, other: Self) {
        other.changes.iter().chain(other.found.values()).for_each(|noted| self.add_change(noted));
        self.ids.extend(other.ids);
        self.addresses.extend(other.addresses);
        for (pair, track) in other.tracks {
            if self.tracks.len() < MAX_TRACKS {
                self.tracks.entry(pair).or_insert(track);
            }
        }
        self.last = self.last.max(other.last);
    }

    /// Whether a change leads where this story does.
    pub(super) fn is_at(&self, noted: &Noted) -> bool {
        noted.place.ids.iter().any(|id| self.ids.contains(id))
            || noted.place.addresses.iter().any(|to| self.addresses.contains(to))
    }

    /// Whether packets of this story are what a change is about that does not say where they go.
    pub(super) fn may_follow(&self, noted: &Noted, estate: &Estate, window: Duration) -> bool {
        self.tracks.values().any(|track| follows(track, noted, estate, window))
    }

    /// Names of pairs that were learned while a change came that explains them.
    pub(super) fn mislearned(&self, window: Duration) -> impl Iterator<Item = &str> {
        let learning = self.tracks.iter().filter(|(_, track)| track.standing == Standing::Learning);
        learning
            .filter(move |(_, track)| self.companion(track, window).is_some())
            .map(|(pair, _)| pair.as_str())
    }

    /// The earliest change that is within the window of these packets.
    fn companion(&self, track: &Track, window: Duration) -> Option<&Noted> {
        let changes = self.changes.iter().chain(self.found.values()).map(|noted| &**noted);
        let near = changes.filter(|noted| noted.can_send() && track.distance(noted.time) <= window);
        near.min_by_key(|noted| order(noted))
    }

    /// Adds all evidence up.
    pub(super) fn weigh(&self, window: Duration) -> Weighed<'_> {
        let found = self.found.iter().enumerate();
        let findings: Vec<_> = found
            .map(|(at, (finding, noted))| (*finding, &**noted, weight(*finding, at == 0)))
            .collect();
        let counts = |track: &&Track| match track.standing {
            Standing::Usual => false,
            Standing::Learning => self.companion(track, window).is_some(),
            Standing::New => true,
        };
        let mut counted: Vec<&Track> = self.tracks.values().filter(counts).collect();
        counted.sort_by_key(|track| std::cmp::Reverse(track.traffic.bytes));
        let near = counted.iter().filter_map(|track| self.companion(track, window));
        let together = near.min_by_key(|noted| order(noted));
        let proof = if counted.iter().any(|track| track.copies > 0) { COPIES } else { 0.0 };
        let weights = std::iter::once(TRAFFIC + proof).chain(std::iter::repeat(0.0));
        let tracks: Vec<_> = counted.into_iter().zip(weights).collect();
        let sum = PRIOR
            + findings.iter().map(|(.., weight)| weight).sum::<f64>()
            + tracks.iter().map(|(_, weight)| weight).sum::<f64>()
            + together.map_or(0.0, |_| TOGETHER);
        Weighed { findings, tracks, together, sum }
    }

    /// Tells what is new, if that is worth it: it got worse, more stands out, or the bytes doubled.
    pub(super) fn judge(
        &mut self,
        estate: &Estate,
        policy: &Policy,
        now: Timestamp,
        alerts: &mut Vec<Alert>,
    ) {
        let weighed = self.weigh(policy.window);
        let (pieces, bytes) = (self.pieces(&weighed), bytes(&weighed));
        let Some(severity) = severity(weighed.sum, weighed.together.is_some()) else { return };
        match &mut self.raised {
            Some(raised) => {
                let doubled = bytes / 2 >= raised.bytes.max(1);
                if raised.severity >= severity && raised.pieces >= pieces && !doubled {
                    return;
                }
                raised.severity = raised.severity.max(severity);
            }
            none => {
                let id = estate.alert_id(&["AN1131", &self.place, &self.day.to_string()]);
                *none = Some(Raised { id, severity, pieces, bytes, count: 0 });
            }
        }
        self.tell(estate, policy, now, alerts);
    }

    /// The story is over: its last word, if that says more than what was told.
    pub(super) fn close(&mut self, estate: &Estate, policy: &Policy, alerts: &mut Vec<Alert>) {
        let bytes = bytes(&self.weigh(policy.window));
        if self.raised.as_ref().is_some_and(|raised| bytes > raised.bytes) {
            self.tell(estate, policy, self.last, alerts);
        }
    }

    fn tell(&mut self, estate: &Estate, policy: &Policy, now: Timestamp, alerts: &mut Vec<Alert>) {
        let Some(mut raised) = self.raised.take() else { return };
        let weighed = self.weigh(policy.window);
        raised.count += 1;
        (raised.pieces, raised.bytes) = (self.pieces(&weighed), bytes(&weighed));
        let words = Words { story: self, weighed: &weighed, estate, policy };
        alerts.push(Alert {
            id: raised.id,
            time: now,
            severity: raised.severity,
            count: raised.count,
            ..words.alert()
        });
        self.raised = Some(raised);
    }

    fn pieces(&self, weighed: &Weighed<'_>) -> usize {
        self.changes.len() + weighed.findings.len() + weighed.tracks.len()
    }
}

/// Whether packets are what a change is about that does not say where they go: they have the id that it
/// gives them, or, where it says nothing, they begin at that time at who told of it.
pub(super) fn follows(track: &Track, noted: &Noted, estate: &Estate, window: Duration) -> bool {
    if !noted.can_send() || !noted.place.addresses.is_empty() {
        return false;
    }
    let is_wrapped_so = noted.change.wrapping.is_none_or(|kind| Some(kind) == track.kind);
    if let Some(id) = noted.change.wire_id {
        return track.id == Some(id) && is_wrapped_so && track.distance(noted.time) <= window;
    }
    noted.leads_anywhere()
        && is_wrapped_so
        && track.beginning(noted.time) <= window
        && is_from(track.source, noted, estate)
}

/// Whether packets of `source` can be what a log told of: its own, or those of a host of the vCenter or
/// manager that wrote it.
fn is_from(source: IpAddr, noted: &Noted, estate: &Estate) -> bool {
    let asset = estate.inventory.at(source);
    let named = noted.host.as_deref().and_then(|host| estate.inventory.called(host));
    let is_itself = noted.peer == Some(source)
        || noted.host.as_deref().is_some_and(|host| host.parse() == Ok(source))
        || (asset.is_some() && asset == named);
    let is_managed = matches!(noted.service, Service::Vpxd | Service::Vcenter | Service::Nsx)
        && asset.is_some_and(|asset| estate.role(asset) == Role::Esxi);
    is_itself || is_managed
}

/// Whether packets are of an overlay of the estate: between ESXi hosts, and nothing says that they are
/// copies.
pub(super) fn is_overlay(mirrored: &Mirrored, estate: &Estate) -> bool {
    let is_host = |address| {
        let asset = estate.inventory.at(address);
        asset.is_some_and(|asset| estate.role(asset) == Role::Esxi)
    };
    mirrored.copies == 0
        && mirrored.kind != Some(TunnelKind::Erspan)
        && is_host(mirrored.source)
        && is_host(mirrored.destination)
}

fn bytes(weighed: &Weighed<'_>) -> u64 {
    weighed.tracks.iter().fold(0, |sum, (track, _)| sum.saturating_add(track.traffic.bytes))
}

/// The order of changes: by time, and the same however they came.
fn order(noted: &Noted) -> (Timestamp, &str, &str) {
    let change = &noted.change;
    (noted.time, &change.call, change.record.as_deref().unwrap_or_default())
}
