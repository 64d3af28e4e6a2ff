//! One asset's traffic with one place, from the first look until a day without any, and its alert.

use super::Session;
use super::weigh::{Amount, Findings, Notes, Staged, Weights};
use crate::alert::{Alert, Analytic, Destination, Evidence, Fact, SCHEMA, Severity, Status};
use crate::baseline::{Habits, PlaceId};
use crate::decode::protocol;
use crate::detect::estate::{Estate, Phase};
use crate::detect::operations::Orchestration;
use crate::detect::statistics::{confidence, shown};
use crate::detect::volume::Spike;
use crate::eve::community_id::CommunityId;
use crate::event::{Event, Flow};
use crate::inventory::AssetId;
use crate::mirror::corrected;
use crate::time::{ByteSize, Timestamp};

/// In learning an alert is never surer than this.
const UNSURE: f64 = 0.5;

/// A case.
#[derive(Debug)]
pub(super) struct Case {
    /// The conversation that opened it.
    flow: Flow,
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
    pub(super) weights: Weights,
    pub(super) amount: Amount,
    pub(super) severity: Option<Severity>,
}

/// What was told of it.
#[derive(Debug)]
struct Raised {
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
            first_seen: event.flow.opened,
            last_seen: event.time,
            session: session.clone(),
            staging: None,
            orchestration: None,
            latest: Judgement {
                weights: Weights::default(),
                amount: Amount { bytes: 0, usual: 0 },
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
        Some(Staged { pulled, out, novelty: spike.novelty })
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
        self.session.notes.add(session.notes);
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

    /// Takes a judgement, and tells when it is worse than what was told.
    pub(super) fn judge(
        &mut self,
        estate: &Estate,
        habits: &mut Habits,
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
                habits.suspect(key.1, true);
            }
            let suspect = staged || self.is_suspect();
            let told = self.raised.as_ref().map(|raised| (raised.id, raised.count));
            let (id, count) = told.unwrap_or_else(|| (self.id(estate, habits, key), 0));
            self.raised = Some(Raised { id, severity, bytes: 0, count, suspect });
            self.tell(estate, habits, key, now, alerts);
        }
        if self.raised.is_some() {
            habits.taint(key.0, key.1);
        }
    }

    /// Others followed: what was new for one may be usual for many, and is told so.
    pub(super) fn rejudge(
        &mut self,
        estate: &Estate,
        habits: &Habits,
        key: (AssetId, PlaceId),
        found: &Findings<'_>,
        now: Timestamp,
        alerts: &mut Vec<Alert>,
    ) {
        let Some(raised) = &mut self.raised else { return };
        if raised.suspect {
            return;
        }
        let weights = Weights { novelty: found.weigh().novelty, ..self.latest.weights };
        let severity = weights.severity(found).unwrap_or(Severity::Low);
        if severity < raised.severity {
            raised.severity = severity;
            self.latest.weights = weights;
            self.tell(estate, habits, key, now, alerts);
        }
    }

    /// The case is over: tells its final state, if that says more than what was told.
    pub(super) fn close(
        &mut self,
        estate: &Estate,
        habits: &mut Habits,
        key: (AssetId, PlaceId),
        alerts: &mut Vec<Alert>,
    ) {
        let Some(raised) = &self.raised else { return };
        if self.latest.amount.bytes > raised.bytes.saturating_add(raised.bytes / 10) {
            self.tell(estate, habits, key, self.last_seen, alerts);
        }
        if self.is_suspect() {
            habits.suspect(key.1, false);
        }
    }

    fn tell(
        &mut self,
        estate: &Estate,
        habits: &Habits,
        (asset, place): (AssetId, PlaceId),
        now: Timestamp,
        alerts: &mut Vec<Alert>,
    ) {
        let Some(raised) = &mut self.raised else { return };
        raised.count += 1;
        raised.bytes = self.latest.amount.bytes;
        let (severity, count) = (raised.severity, raised.count);
        let learning = estate.phase(asset, now) == Phase::Learning;
        let sure = confidence(self.latest.weights.sum());
        let id = raised.id;
        let name = habits.name(place);
        let hours = habits.habit(asset, place).map_or(0, |habit| habit.hours);
        alerts.push(Alert {
            schema: SCHEMA.into(),
            id,
            time: now,
            sensor: estate.sensor.clone(),
            analytic: Analytic::AN1416,
            techniques: vec!["T1048.002".into()],
            title: self.title(estate, asset),
            summary: self.summary(estate, hours, asset, name),
            severity,
            confidence: if learning { sure.min(UNSURE) } else { sure },
            asset: estate.describe(asset, &self.flow),
            destination: Some(Destination {
                address: self.flow.server.address,
                port: self.flow.server.port,
                sni: self.session.said.sni.as_deref().map(str::to_owned),
                ja4: self.session.said.ja4.map(|ja4| ja4.to_string()),
            }),
            evidence: self.evidence(estate, habits, (asset, place), learning),
            first_seen: self.begun(),
            last_seen: self.last_seen,
            count,
            status: Status::Open,
            flow: Some(Box::new(self.flow.clone())),
        });
    }

    /// When what is told began.
    fn begun(&self) -> Timestamp {
        let staged = self.staging.map(|staging| staging.spike.onset);
        let led = self.orchestration.as_ref().filter(|_| self.latest.weights.led > 0.0);
        let begun = staged.into_iter().chain(led.map(|led| led.first));
        begun.fold(self.first_seen, Timestamp::min)
    }

    fn id(
        &self,
        estate: &Estate,
        habits: &Habits,
        (asset, place): (AssetId, PlaceId),
    ) -> uuid::Uuid {
        let who = estate.inventory.asset(asset).map_or("", |asset| &asset.name);
        estate.alert_id(&["AN1416", who, habits.name(place), &self.first_seen.to_string()])
    }

    fn title(&self, estate: &Estate, asset: AssetId) -> String {
        let who = match estate.role(asset) {
            crate::config::Role::Esxi => "an ESXi host",
            crate::config::Role::Vcenter => "a vCenter server",
            crate::config::Role::Guest => "a guest",
            crate::config::Role::Other => "an asset",
        };
        if self.latest.weights.is_staged() {
            format!("Data pulled together inside, then TLS egress from {who}")
        } else if self.latest.weights.is_orchestrated() {
            format!("Guest operations, then TLS egress from {who}")
        } else {
            format!("Unexpected TLS egress from {who}")
        }
    }

    fn summary(&self, estate: &Estate, hours: u8, asset: AssetId, name: &str) -> String {
        let Amount { bytes, usual } = self.latest.amount;
        let who = estate.inventory.asset(asset).map_or("?", |asset| &asset.name);
        let place = match (&self.session.said.sni, name.contains('/')) {
            _ if self.session.said.proxied => {
                let name = self.session.said.sni.as_deref().unwrap_or(name);
                format!("{name} through the proxy {}", self.flow.server.address)
            }
            (Some(sni), _) => format!("{sni} ({})", self.flow.server.address),
            (None, false) => format!("{name} ({})", self.flow.server.address),
            (None, true) => self.flow.server.address.to_string(),
        };
        // By the conversation that opened the case; others may have come by the other way.
        let carrier = if self.flow.protocol == protocol::UDP { "QUIC" } else { "TLS" };
        let mut text = match bytes {
            0 => format!("{who} opened {carrier} to {place}"),
            bytes => format!("{who} sent {} over {carrier} to {place}", self.amount(estate, bytes)),
        };
        match usual {
            0 if hours == 0 => text += ", a place new to it",
            0 => text += ", a place it hardly knows",
            usual => text += &format!(", at most {} a day before", ByteSize(usual)),
        }
        if let Some(Staging { spike, .. }) =
            self.staging.filter(|_| self.latest.weights.is_staged())
        {
            let minutes = self.first_seen.since(spike.onset).as_secs() / 60;
            text += &format!(
                ", after it pulled {} inside (usually {} in {} min) from {minutes} min before",
                ByteSize(spike.bytes),
                ByteSize(spike.expected),
                spike.window / 60,
            );
        }
        if let Some(led) = &self.orchestration
            && self.latest.weights.is_orchestrated()
        {
            text += ", ";
            text += &led.words(self.first_seen);
        }
        text
    }

    /// An amount, and how much of it was seen.
    fn amount(&self, estate: &Estate, bytes: u64) -> String {
        match estate.one_in(&self.flow) {
            None => ByteSize(bytes).to_string(),
            Some(one_in) => format!("about {} ({})", ByteSize(bytes), corrected(bytes, one_in)),
        }
    }

    fn evidence(
        &self,
        estate: &Estate,
        habits: &Habits,
        (asset, place): (AssetId, PlaceId),
        learning: bool,
    ) -> Vec<Evidence> {
        let weights = &self.latest.weights;
        let at = |time, weight, fact| Evidence { time, weight: shown(weight), fact };
        let statement = self.statement(estate.role(asset).is_management(), learning);
        let others = habits.others(asset, place);
        let habit = habits.habit(asset, place);
        let mut evidence = vec![
            at(self.first_seen, weights.base, Fact::Baseline { statement: statement.into() }),
            at(
                self.first_seen,
                weights.novelty,
                Fact::FirstSeenDestination {
                    destination: habits.name(place).to_owned(),
                    other_assets: u64::from(others.assets),
                    hours_known: habit.map_or(0, |habit| u64::from(habit.hours)),
                },
            ),
            at(
                self.last_seen,
                weights.session,
                Fact::TlsSession {
                    community_id: CommunityId::new(&self.flow).to_string(),
                    bytes_out: self.latest.amount.bytes,
                    usual_bytes_out: self.latest.amount.usual,
                    sessions: habit.map_or(1, |habit| u64::from(habit.sessions)),
                    notes: self.session.notes.names().into_iter().map(Into::into).collect(),
                },
            ),
        ];
        if let Some(Staging { spike, .. }) = self.staging.filter(|_| weights.staging > 0.0) {
            let fact = Fact::VolumeSpike {
                direction: "in".into(),
                scope: "internal".into(),
                window_seconds: spike.window,
                observed_bytes: spike.bytes,
                expected_bytes: spike.expected,
                score: shown(spike.score),
            };
            evidence.push(at(spike.onset, weights.staging, fact));
        }
        if let Some(led) = &self.orchestration {
            evidence.push(at(led.first, weights.led, led.fact()));
        }
        evidence.extend(estate.mirror_evidence(&self.flow));
        evidence.sort_by_key(|piece| piece.time);
        evidence
    }

    /// What is expected of the asset.
    const fn statement(&self, management: bool, learning: bool) -> &'static str {
        match (management, self.session.doubtful, learning) {
            (true, true, _) => {
                "this name is approved for the management component, but not at this port, or DNS gave it other addresses"
            }
            (true, false, _) => {
                "a management component reaches outside only where that is approved"
            }
            (false, _, true) => "the asset is still being learned: what is new for it says little",
            (false, ..) => "most of what a guest sends outside is harmless",
        }
    }
}
