//! A case as an alert tells it.

use super::super::Known;
use super::super::drain::BOUND;
use super::super::weigh::{Amount, Rare};
use super::{Case, Staging};
use crate::alert::{Alert, Analytic, Destination, Evidence, Fact, SCHEMA, Status};
use crate::baseline::PlaceId;
use crate::decode::protocol;
use crate::detect::estate::{Estate, Phase};
use crate::detect::statistics::{confidence, shown};
use crate::eve::community_id::CommunityId;
use crate::inventory::AssetId;
use crate::mirror::corrected;
use crate::time::{ByteSize, Timestamp};

/// In learning an alert is never surer than this.
const UNSURE: f64 = 0.5;

impl Case {
    pub(super) fn tell(
        &mut self,
        estate: &Estate,
        known: &Known,
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
        let name = known.habits.name(place);
        let hours = known.habits.habit(asset, place).map_or(0, |habit| habit.hours);
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
            evidence: self.evidence(estate, known, (asset, place), learning),
            first_seen: self.begun(),
            last_seen: self.last_seen,
            count,
            status: Status::Open,
            flow: Some(Box::new(self.flow.clone())),
        });
    }

    /// When what is told began.
    pub(in super::super) fn begun(&self) -> Timestamp {
        let staged = self.staging.map(|staging| staging.spike.onset);
        let led = self.orchestration.as_ref().filter(|_| self.latest.weights.led > 0.0);
        let begun = staged.into_iter().chain(led.map(|led| led.first));
        begun.fold(self.first_seen, Timestamp::min)
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
        let Amount { bytes, usual, days } = self.latest.amount;
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
        let carrier = match (self.flow.protocol == protocol::UDP, self.session.said.teller) {
            (true, None) => "QUIC",
            (false, None) => "TLS",
            (true, Some(_)) => "QUIC, going by its port,",
            (false, Some(_)) => "TLS, going by its port,",
        };
        let mut text = match bytes {
            0 => format!("{who} opened {carrier} to {place}"),
            bytes => format!("{who} sent {} over {carrier} to {place}", self.amount(estate, bytes)),
        };
        if days > 2 {
            text += &format!(" over {days} days");
        }
        match usual {
            0 if hours == 0 => text += ", a place new to it",
            0 => text += ", a place it hardly knows",
            usual if days > 2 => text += &format!(", usually {} at most", ByteSize(usual)),
            usual => text += &format!(", usually {} a day at most", ByteSize(usual)),
        }
        if let Some(Staging { spike, .. }) =
            self.staging.filter(|_| self.latest.weights.is_staged())
        {
            let window = match spike.window {
                3600.. => format!("{} h", spike.window / 3600),
                _ => format!("{} min", spike.window / 60),
            };
            let minutes = self.first_seen.since(spike.onset).as_secs() / 60;
            text += &format!(
                ", after it pulled {} inside (usually {} in {window}) from {minutes} min before",
                ByteSize(spike.bytes),
                ByteSize(spike.expected),
            );
        }
        if let Some(led) = &self.orchestration
            && self.latest.weights.is_orchestrated()
        {
            text += ", ";
            text += &led.words(self.first_seen);
        }
        if let Some(teller) = self.session.said.teller {
            text += &format!("; only records of {} show it", teller.service.name());
        }
        text
    }

    /// An amount, and how much of it was seen.
    fn amount(&self, estate: &Estate, bytes: u64) -> String {
        let own = self.session.said.teller.map(|teller| teller.one_in);
        match own.unwrap_or_else(|| estate.one_in(&self.flow)) {
            None => ByteSize(bytes).to_string(),
            Some(one_in) => format!("about {} ({})", ByteSize(bytes), corrected(bytes, one_in)),
        }
    }

    fn evidence(
        &self,
        estate: &Estate,
        known: &Known,
        (asset, place): (AssetId, PlaceId),
        learning: bool,
    ) -> Vec<Evidence> {
        let weights = &self.latest.weights;
        let at = |time, weight, fact| Evidence { time, weight: shown(weight), fact };
        let statement = self.statement(estate.role(asset).is_management(), learning);
        let others = known.habits.others(asset, place, 0);
        let habit = known.habits.habit(asset, place);
        let days = self.latest.amount.days;
        let teller = self.session.said.teller;
        let mut evidence = vec![
            at(self.first_seen, weights.base, Fact::Baseline { statement: statement.into() }),
            at(
                self.first_seen,
                weights.novelty,
                Fact::FirstSeenDestination {
                    destination: known.habits.name(place).to_owned(),
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
                    days: (days > 2).then_some(days as u64),
                    sessions: habit.map_or(1, |habit| u64::from(habit.sessions)),
                    notes: self.session.notes.names().into_iter().map(Into::into).collect(),
                    source: teller.map(|teller| teller.service.name().into()),
                    one_in: teller.and_then(|teller| teller.one_in),
                },
            ),
        ];
        evidence.extend(self.rarities());
        if let Some(Staging { spike, .. }) = self.staging.filter(|_| weights.staging > 0.0) {
            let fact = Fact::VolumeSpike {
                direction: "in".into(),
                scope: "internal".into(),
                window_seconds: spike.window,
                observed_bytes: spike.bytes,
                expected_bytes: spike.expected,
                score: shown(spike.score),
                until: Some(spike.last),
                known_hours: Some(spike.known_hours),
            };
            evidence.push(at(spike.onset, weights.staging, fact));
        }
        if let Some(drain) = known.drains.running(asset).filter(|_| weights.drain > 0.0) {
            let fact = Fact::SlowEgress {
                observed_bytes: drain.bytes,
                expected_bytes: drain.expected,
                score: shown(drain.score),
                bound: BOUND,
            };
            evidence.push(at(drain.since, weights.drain, fact));
        }
        if let Some(led) = &self.orchestration {
            evidence.push(at(led.first, weights.led, led.fact()));
        }
        if teller.is_none() {
            evidence.extend(estate.mirror_evidence(&self.flow));
        }
        evidence.sort_by_key(|piece| piece.time);
        evidence
    }

    /// What the asset never used before, besides the place.
    fn rarities(&self) -> impl Iterator<Item = Evidence> {
        let Rare { client, port } = self.latest.rare;
        let ja4 = self.session.said.ja4.map_or_else(String::new, |ja4| ja4.to_string());
        let seen = [("ja4", ja4, client), ("port", self.flow.server.port.to_string(), port)];
        let weighed = seen.into_iter().zip(self.latest.weights.rare);
        weighed.filter_map(|((what, value, others), weight)| {
            let other_assets = u64::from(others?);
            let fact = Fact::FirstSeen { what: what.into(), value, other_assets };
            Some(Evidence { time: self.first_seen, weight: shown(weight), fact })
        })
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
