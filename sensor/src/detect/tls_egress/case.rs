//! One asset's traffic with one place, from the first look until a day without any, and its alert.

use std::time::Duration;

use super::rarity::Rarity;
use super::weigh::{Amount, Findings, Notes, Rare, Staged, Weights};
use super::{Known, Session};
use crate::alert::{Alert, Severity};
use crate::baseline::PlaceId;
use crate::detect::estate::Estate;
use crate::detect::operations::Orchestration;
use crate::detect::volume::{Spike, WINDOWS};
use crate::event::{Event, Flow};
use crate::inventory::AssetId;
use crate::time::Timestamp;

mod story;

/// An alert that nobody closes stops being a reason to learn nothing: what goes on for so long is
/// how the asset is now.
const FROZEN: Duration = Duration::from_secs(7 * 86_400);
/// What was pulled together over a day says less about what leaves than what was over an hour.
const OVER_A_DAY: f64 = 0.4;

/// A case.
#[derive(Debug)]
pub(super) struct Case {
    /// The conversation that carried most of it until an alert was raised, by a vote as in
    /// [`crate::detect::volume`], and its lead.
    flow: Flow,
    lead: u64,
    first_seen: Timestamp,
    last_seen: Timestamp,
    session: Session,
    staging: Option<Staging>,
    /// Guest operations before it.
    pub(super) orchestration: Option<Orchestration>,
    latest: Judgement,
    raised: Option<Raised>,
}

/// Data pulled together inside before it left.
#[derive(Debug, Clone, Copy)]
struct Staging {
    spike: Spike,
    /// Bytes out to the place since.
    out: u64,
}

/// What was made of it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Judgement {
    weights: Weights,
    amount: Amount,
    rare: Rare,
    severity: Option<Severity>,
}

impl Judgement {
    pub(super) fn of(found: &Findings<'_>) -> Self {
        let (weights, amount, rare) = (found.weigh(), found.amount(), found.rare);
        Self { weights, amount, rare, severity: weights.severity(found) }
    }
}

/// What was told of it.
#[derive(Debug)]
struct Raised {
    /// When it was told first.
    first: Timestamp,
    /// Stays when names change.
    id: uuid::Uuid,
    severity: Severity,
    /// Bytes told last.
    bytes: u64,
    count: u64,
    /// Whether the place is suspected because of it.
    suspect: bool,
}

impl Case {
    pub(super) fn new(event: &Event, session: &Session) -> Self {
        Self {
            flow: event.flow.clone(),
            lead: 0,
            first_seen: event.flow.opened,
            last_seen: event.time,
            session: session.clone(),
            staging: None,
            orchestration: None,
            latest: Judgement {
                weights: Weights::default(),
                amount: Amount::NONE,
                rare: Rare::default(),
                severity: None,
            },
            raised: None,
        }
    }

    pub(super) fn last_seen(&self) -> Timestamp {
        self.last_seen
    }

    pub(super) fn notes(&self) -> Notes {
        self.session.notes
    }

    pub(super) fn port(&self) -> u16 {
        self.flow.server.port
    }

    pub(super) const fn session_mut(&mut self) -> &mut Session {
        &mut self.session
    }

    pub(super) fn is_doubtful(&self) -> bool {
        self.session.doubtful
    }

    /// Whether an alert speaks against the place.
    pub(super) fn is_suspect(&self) -> bool {
        self.raised.as_ref().is_some_and(|raised| raised.suspect)
    }

    /// What was pulled together before, and bytes out since.
    pub(super) fn staged(&self) -> Option<Staged> {
        let Staging { spike, out } = self.staging?;
        let pulled = spike.bytes.saturating_sub(spike.expected);
        let over_a_day = spike.window == WINDOWS[3];
        let novelty = spike.novelty * if over_a_day { OVER_A_DAY } else { 1.0 };
        Some(Staged { pulled, out, novelty })
    }

    /// What else is new for the asset.
    pub(super) fn rare(&self, rarity: &Rarity) -> Rare {
        rarity.rare(self.session.new, self.session.said.ja4, self.flow.server.port)
    }

    /// Whether an alert about it is open that is not old.
    pub(super) fn is_raised(&self, now: Timestamp) -> bool {
        let is_young = |raised: &Raised| now.since(raised.first) <= FROZEN;
        self.raised
            .as_ref()
            .is_some_and(|raised| is_young(raised) && raised.severity > Severity::Low)
    }

    /// A session goes on, with the spike that went before, if any.
    pub(super) fn carry(
        &mut self,
        event: &Event,
        session: &Session,
        bytes: u64,
        spike: Option<&Spike>,
    ) {
        self.last_seen = self.last_seen.max(event.time);
        self.vote(event, session, bytes);
        self.session.notes.add(session.notes);
        let [client, port] = &mut self.session.new;
        *client |= session.new[0] && session.said.ja4 == self.session.said.ja4;
        *port |= session.new[1];
        match (&mut self.staging, spike) {
            (Some(staging), Some(spike)) if staging.spike.onset == spike.onset => {
                staging.spike = *spike;
            }
            // A later spike explains what leaves after it, unless this one already does.
            (Some(staging), Some(spike)) if staging.out < spike.bytes / 10 => {
                *staging = Staging { spike: *spike, out: 0 };
            }
            (None, Some(spike)) => self.staging = Some(Staging { spike: *spike, out: 0 }),
            _ => {}
        }
        if let Some(staging) = &mut self.staging {
            staging.out = staging.out.saturating_add(bytes);
        }
    }

    /// The conversation that carries most is the one that an alert names.
    fn vote(&mut self, event: &Event, session: &Session, bytes: u64) {
        if event.flow.id == self.flow.id {
            self.lead = self.lead.saturating_add(bytes);
        } else if bytes <= self.lead || self.raised.is_some() {
            self.lead = self.lead.saturating_sub(bytes);
        } else {
            self.lead = bytes - self.lead;
            self.flow = event.flow.clone();
            self.session.said = session.said.clone();
        }
    }

    /// Takes a judgement, and tells when it is worse than what was told.
    pub(super) fn judge(
        &mut self,
        estate: &Estate,
        known: &mut Known,
        key: (AssetId, PlaceId),
        now: Timestamp,
        judgement: Judgement,
        alerts: &mut Vec<Alert>,
    ) {
        self.latest = judgement;
        let admits = |told: &Raised| estate.budget.admits(told.id, judgement.weights.sum());
        let told = self.raised.as_ref();
        if let Some(severity) = judgement.severity
            && told.is_none_or(|told| severity > told.severity || admits(told))
        {
            let staged = judgement.weights.is_led() || estate.role(key.0).is_management();
            if staged && !self.is_suspect() {
                known.habits.suspect(key.1, true);
            }
            let suspect = staged || self.is_suspect();
            let told = self.raised.as_ref().map(|raised| (raised.first, raised.id, raised.count));
            let (first, id, count) = told.unwrap_or_else(|| (now, self.id(estate, known, key), 0));
            self.raised = Some(Raised { first, id, severity, bytes: 0, count, suspect });
            self.tell(estate, known, key, now, alerts);
        }
        if self.raised.is_some() {
            known.habits.taint(key.0, key.1);
        }
    }

    /// Others followed: what was new for one may be usual for many, and is told so.
    pub(super) fn rejudge(
        &mut self,
        estate: &Estate,
        known: &Known,
        key: (AssetId, PlaceId),
        found: &Findings<'_>,
        now: Timestamp,
        alerts: &mut Vec<Alert>,
    ) {
        let Some(raised) = &mut self.raised else { return };
        if raised.suspect {
            return;
        }
        let Weights { novelty, rare, .. } = found.weigh();
        let weights = Weights { novelty, rare, ..self.latest.weights };
        let severity = weights.severity(found).unwrap_or(Severity::Low);
        if severity < raised.severity {
            raised.severity = severity;
            self.latest.weights = weights;
            self.tell(estate, known, key, now, alerts);
        }
    }

    /// What is known of the asset has changed: judges as if it had been known before. What was told and is
    /// nothing now is taken back.
    pub(super) fn reconsider(
        &mut self,
        estate: &Estate,
        known: &mut Known,
        key: (AssetId, PlaceId),
        now: Timestamp,
        judgement: Judgement,
        alerts: &mut Vec<Alert>,
    ) {
        let Some(raised) =
            self.raised.as_mut().filter(|told| judgement.severity < Some(told.severity))
        else {
            return self.judge(estate, known, key, now, judgement, alerts);
        };
        self.latest = judgement;
        raised.severity = judgement.severity.unwrap_or(Severity::Low);
        let is_nothing = judgement.severity.is_none();
        if is_nothing && std::mem::take(&mut raised.suspect) {
            known.habits.suspect(key.1, false);
        }
        self.tell(estate, known, key, now, alerts);
        if is_nothing {
            self.raised = None;
        }
    }

    /// The spike that went before is not what it was taken for, or is none.
    pub(super) fn restage(&mut self, spike: Option<&Spike>) {
        let Some(staging) = &mut self.staging else { return };
        match spike.filter(|spike| spike.onset == staging.spike.onset) {
            Some(spike) => staging.spike = *spike,
            None => self.staging = None,
        }
    }

    /// The case is over: tells its final state, if that says more than what was told.
    pub(super) fn close(
        &mut self,
        estate: &Estate,
        known: &mut Known,
        key: (AssetId, PlaceId),
        alerts: &mut Vec<Alert>,
    ) {
        let Some(raised) = &self.raised else { return };
        if self.latest.amount.bytes > raised.bytes.saturating_add(raised.bytes / 10) {
            self.tell(estate, known, key, self.last_seen, alerts);
        }
        if self.is_suspect() {
            known.habits.suspect(key.1, false);
        }
    }

    fn id(&self, estate: &Estate, known: &Known, (asset, place): (AssetId, PlaceId)) -> uuid::Uuid {
        let who = estate.inventory.asset(asset).map_or("", |asset| &asset.name);
        estate.alert_id(&["AN1416", who, known.habits.name(place), &self.first_seen.to_string()])
    }
}
