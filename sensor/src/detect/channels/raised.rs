//! What was told of findings: one alert for an asset, a detector and an episode.
//!
//! What is found again within [`EPISODE`] belongs to the same alert, which is told again when it is
//! worse than what was told, and once more when the episode is over and there was more of it.
//!
//! Bounds: [`MAX_RAISED`] alerts of at most [`PIECES`] pieces of evidence; what was touched longest ago
//! gives way, with its last word, and that is counted.

use std::collections::BTreeMap;
use std::time::Duration;

use super::finding::{Finding, Place};
use super::table::Detector;
use crate::alert::{
    Alert, Analytic, Channel, Destination, Evidence, Fact, SCHEMA, Severity, Status,
};
use crate::decode::protocol;
use crate::detect::changes::Changed;
use crate::detect::estate::Estate;
use crate::detect::operations::Orchestration;
use crate::detect::statistics::{confidence, severity, shown};
use crate::eve::community_id::CommunityId;
use crate::event::Flow;
use crate::inventory::AssetId;
use crate::time::{Elapsed, Timestamp};

/// An alert without news for so long is over; what comes later is another.
pub(super) const EPISODE: Duration = Duration::from_secs(86_400);
const MAX_RAISED: usize = 4096;
/// Findings that an alert shows: the heaviest.
const PIECES: usize = 8;
/// What a guest operation just before adds, or that the asset was built or something installed on it.
pub(super) const LED: f64 = 1.5;
/// Below so much an alert is only informational; from zero on it is medium.
const LOW: f64 = -2.0;

/// The alerts that go on.
#[derive(Debug, Default)]
pub(super) struct Raised {
    alerts: BTreeMap<(AssetId, &'static str), Box<Episode>>,
    forgotten: u64,
}

/// One alert.
#[derive(Debug)]
struct Episode {
    id: uuid::Uuid,
    of: &'static Detector,
    flow: Flow,
    is_server: bool,
    findings: Vec<(Timestamp, Finding)>,
    led: Option<Orchestration>,
    /// What was installed, built or restored before it.
    after: Option<Changed>,
    first: Timestamp,
    last: Timestamp,
    count: u64,
    /// What was told: the severity, and how many findings.
    told: Option<(Severity, u64)>,
}

impl Raised {
    /// Takes a finding of a conversation, and tells what is worth telling.
    pub(super) fn take(
        &mut self,
        estate: &Estate,
        mut finding: Finding,
        flow: &Flow,
        now: Timestamp,
        alerts: &mut Vec<Alert>,
    ) {
        let is_there = finding.place.is_some();
        finding.community_id = is_there.then(|| CommunityId::new(flow).to_string());
        let key = (finding.asset, finding.of.name);
        if let Some(old) = self.alerts.get(&key)
            && now.since(old.last) > EPISODE
        {
            self.close(estate, key, alerts);
        }
        if !self.alerts.contains_key(&key) {
            self.make_room(estate, alerts);
        }
        let episode = self.alerts.entry(key).or_insert_with(|| {
            let who = estate.inventory.asset(finding.asset).map_or("", |asset| &asset.name);
            let since = finding.since.to_string();
            Box::new(Episode {
                id: estate.alert_id(&["DC0078", finding.of.name, who, &since]),
                of: finding.of,
                flow: flow.clone(),
                is_server: finding.is_server,
                findings: Vec::new(),
                led: None,
                after: None,
                first: finding.since,
                last: now,
                count: 0,
                told: None,
            })
        });
        if !finding.is_server && episode.led.is_none() {
            episode.led = estate.operations.before(finding.asset, now).cloned();
        }
        if is_there && !finding.is_server && episode.after.is_none() {
            episode.after = estate.changes.before(finding.asset, now).cloned();
        }
        episode.add(finding, now);
        let severity = episode.severity();
        let admits = || estate.budget.admits(episode.id, episode.sum());
        if episode.told.is_none_or(|(told, _)| severity > told) || admits() {
            episode.tell(estate, key.0, now, alerts);
        }
    }

    /// Ends what is over.
    pub(super) fn tick(&mut self, estate: &Estate, now: Timestamp, alerts: &mut Vec<Alert>) {
        let over = |episode: &Episode| now.since(episode.last) > EPISODE;
        let over = self.alerts.iter().filter(|(_, episode)| over(episode)).map(|(key, _)| *key);
        let over: Vec<_> = over.collect();
        over.into_iter().for_each(|key| self.close(estate, key, alerts));
    }

    /// The last word on all, or on those of one asset.
    pub(super) fn finish(&mut self, estate: &Estate, of: Option<AssetId>, alerts: &mut Vec<Alert>) {
        let keys = self.alerts.keys().filter(|(asset, _)| of.is_none_or(|of| of == *asset));
        let keys: Vec<_> = keys.copied().collect();
        keys.into_iter().for_each(|key| self.close(estate, key, alerts));
    }

    /// How many gave way to others.
    pub(super) const fn forgotten(&self) -> u64 {
        self.forgotten
    }

    fn close(&mut self, estate: &Estate, key: (AssetId, &'static str), alerts: &mut Vec<Alert>) {
        let Some(mut episode) = self.alerts.remove(&key) else { return };
        if episode.told.is_some_and(|(_, count)| episode.count > count) {
            let last = episode.last;
            episode.tell(estate, key.0, last, alerts);
        }
    }

    fn make_room(&mut self, estate: &Estate, alerts: &mut Vec<Alert>) {
        if self.alerts.len() < MAX_RAISED {
            return;
        }
        let oldest = self.alerts.iter().min_by_key(|(key, episode)| (episode.last, **key));
        if let Some(oldest) = oldest.map(|(key, _)| *key) {
            self.close(estate, oldest, alerts);
            self.forgotten += 1;
        }
    }
}

impl Episode {
    fn add(&mut self, finding: Finding, now: Timestamp) {
        self.count += 1;
        self.last = self.last.max(now);
        self.first = self.first.min(finding.since);
        let same = |(_, known): &&mut (Timestamp, Finding)| known.subject == finding.subject;
        if let Some((_, known)) = self.findings.iter_mut().find(same) {
            if finding.observed >= known.observed {
                *known = Finding { since: known.since.min(finding.since), ..finding };
            }
            return;
        }
        if self.findings.len() < PIECES {
            return self.findings.push((now, finding));
        }
        let weakest = self.findings.iter_mut().min_by(|a, b| a.1.weight.total_cmp(&b.1.weight));
        if let Some(weakest) = weakest.filter(|weakest| weakest.1.weight < finding.weight) {
            *weakest = (now, finding);
        }
    }

    /// The heaviest finding decides; others of the same kind are no independent evidence.
    fn sum(&self) -> f64 {
        let heaviest = self.findings.iter().map(|(_, found)| found.weight).fold(0.0, f64::max);
        let led = if self.led.is_some() || self.after.is_some() { LED } else { 0.0 };
        self.of.prior.0 + heaviest + led
    }

    fn severity(&self) -> Severity {
        let sum = self.sum();
        let below = if sum < LOW { Severity::Informational } else { Severity::Low };
        severity(sum, false).unwrap_or(below).min(self.of.most)
    }

    fn tell(&mut self, estate: &Estate, asset: AssetId, now: Timestamp, alerts: &mut Vec<Alert>) {
        let severity = self.severity();
        self.told = Some((severity, self.count));
        let mut who = estate.describe(asset, &self.flow);
        if self.is_server {
            who.address = Some(self.flow.server.address);
            who.mac = self.flow.server.mac.map(|mac| mac.to_string());
        }
        alerts.push(Alert {
            schema: SCHEMA.into(),
            id: self.id,
            time: now,
            sensor: estate.sensor.clone(),
            analytic: Analytic::DC0078,
            techniques: self.of.techniques.iter().map(|name| (*name).into()).collect(),
            title: self.of.title.to_owned(),
            summary: self.summary(&who.name),
            severity,
            confidence: confidence(self.sum()),
            asset: who,
            destination: self.destination(),
            evidence: self.evidence(estate),
            first_seen: self.first,
            last_seen: self.last,
            count: self.count,
            status: Status::Open,
            // What is said of a host alone is in no conversation.
            flow: (self.flow.id != 0).then(|| Box::new(self.flow.clone())),
        });
    }

    /// The place, where all findings have the same.
    fn destination(&self) -> Option<Destination> {
        let mut places = self.findings.iter().map(|(_, found)| found.place.as_ref());
        let first = places.next()??;
        let is_same = |place: Option<&Place>| {
            place.is_some_and(|place| place.address == first.address && place.port == first.port)
        };
        places.all(is_same).then(|| Destination {
            address: first.address,
            port: first.port,
            sni: first.name.as_deref().map(str::to_owned),
            ja4: None,
        })
    }

    fn summary(&self, who: &str) -> String {
        let heaviest = self.findings.iter().max_by(|a, b| a.1.weight.total_cmp(&b.1.weight));
        let what = heaviest.map_or("", |(_, found)| &found.what);
        let mut text = format!("{who} {what}");
        match self.findings.len() {
            0 | 1 => {}
            2 => text += ", and one more like it",
            more => text += &format!(", and {} more like it", more - 1),
        }
        let span = self.last.since(self.first);
        if span >= Duration::from_secs(60) {
            text += &format!(", within {}", Elapsed(span));
        }
        if let Some(led) = &self.led {
            text += &format!(", {}", led.words(self.first.max(led.first)));
        }
        text
    }

    /// The conversation that was found first, where packets showed one.
    fn connection(&self) -> Option<Evidence> {
        let flow = &self.flow;
        let is_seen =
            flow.slot != Flow::NO_SLOT && matches!(flow.protocol, protocol::TCP | protocol::UDP);
        is_seen.then(|| Evidence {
            time: flow.opened,
            weight: 0.0,
            fact: Fact::Connection {
                community_id: CommunityId::new(flow).to_string(),
                address: flow.server.address,
                port: flow.server.port,
                protocol: if flow.protocol == protocol::TCP { "tcp" } else { "udp" }.into(),
                source: None,
            },
        })
    }

    fn evidence(&self, estate: &Estate) -> Vec<Evidence> {
        let (prior, why) = self.of.prior;
        let statement = format!("before the evidence: {why}");
        let mut evidence = vec![Evidence {
            time: self.first,
            weight: shown(prior),
            fact: Fact::Baseline { statement },
        }];
        if let Some(led) = &self.led {
            evidence.push(Evidence { time: led.first, weight: shown(LED), fact: led.fact() });
        }
        if let Some(after) = &self.after {
            let weight = if self.led.is_some() { 0.0 } else { shown(LED) };
            let fact = Fact::Baseline { statement: after.statement() };
            evidence.push(Evidence { time: after.time, weight, fact });
        }
        let weights = self.findings.iter().map(|(_, found)| found.weight);
        let heaviest = weights.fold(f64::NEG_INFINITY, f64::max);
        let mut is_counted = false;
        for (time, found) in &self.findings {
            // Of several alike only the heaviest counts.
            let counts = !is_counted && found.weight >= heaviest;
            is_counted |= counts;
            evidence.push(Evidence {
                time: found.since,
                weight: if counts { shown(found.weight) } else { 0.0 },
                fact: Fact::Channel(Box::new(Channel {
                    channel: self.of.name.into(),
                    community_id: found.community_id.clone(),
                    counted: found.counted.into(),
                    observed: found.observed,
                    bound: found.bound,
                    usual: found.usual,
                    seconds: time.since(found.since).as_secs(),
                    examples: found.examples.iter().take(PIECES).cloned().collect(),
                })),
            });
        }
        evidence.extend(self.connection());
        evidence.extend(estate.mirror_evidence(&self.flow));
        evidence.sort_by_key(|piece| piece.time);
        evidence
    }
}
