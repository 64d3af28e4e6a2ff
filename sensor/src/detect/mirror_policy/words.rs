//! A story as an alert tells it.

use std::net::IpAddr;

use super::judge::{Finding, Noted};
use super::known::MAX_NAMES;
use super::policy::Policy;
use super::story::{Story, Weighed};
use super::track::Track;
use super::weigh::{PRIOR, TOGETHER};
use crate::alert::{
    self, Alert, Analytic, AuditEvent, Destination, Evidence, Fact, SCHEMA, Severity, Status,
};
use crate::config::Role;
use crate::decode::tunnel::{GENEVE_PORT, VXLAN_PORT};
use crate::detect::estate::Estate;
use crate::detect::statistics::{confidence, shown};
use crate::event::{ChangeAction, MirrorObject, TunnelKind};
use crate::text::{counted, listed};
use crate::time::{ByteSize, Elapsed};

/// A record that comes so much after what it tells of is late.
const LATE: u64 = 60;

/// Who tells what.
pub(super) struct Words<'a> {
    pub(super) story: &'a Story,
    pub(super) weighed: &'a Weighed<'a>,
    pub(super) estate: &'a Estate,
    pub(super) policy: &'a Policy,
}

impl<'a> Words<'a> {
    /// The alert but for its id, severity, count and time.
    pub(super) fn alert(&self) -> Alert {
        let evidence = self.evidence();
        let times = || {
            let changes = self.changes().map(|noted| (noted.time, noted.time));
            changes.chain(self.tracks().map(|track| (track.first, track.last)))
        };
        let last_seen = times().map(|(_, last)| last).max().unwrap_or_default();
        Alert {
            schema: SCHEMA.into(),
            id: uuid::Uuid::nil(),
            time: last_seen,
            sensor: self.estate.sensor.clone(),
            analytic: Analytic::AN1131,
            techniques: vec!["T1020.001".into()],
            title: self.title().to_owned(),
            summary: self.summary(),
            severity: Severity::Medium,
            confidence: confidence(self.weighed.sum),
            asset: self.asset(),
            destination: self.destination(),
            evidence,
            first_seen: times().map(|(first, _)| first).min().unwrap_or_default(),
            last_seen,
            count: 1,
            status: Status::Open,
            flow: None,
        }
    }

    fn changes(&self) -> impl Iterator<Item = &'a Noted> {
        self.story.changes.iter().map(|noted| &**noted)
    }

    fn tracks(&self) -> impl Iterator<Item = &'a Track> {
        self.weighed.tracks.iter().map(|(track, _)| *track)
    }

    /// What stands out most, and in which change.
    fn first(&self) -> Option<(Finding, &'a Noted)> {
        self.weighed.findings.first().map(|(finding, noted, _)| (*finding, *noted))
    }

    /// The change that the alert is about.
    fn change(&self) -> Option<&'a Noted> {
        let first = self.first().map(|(_, noted)| noted);
        first.or(self.weighed.together).or_else(|| self.changes().next())
    }

    fn title(&self) -> &'static str {
        let finding = self.first().map(|(finding, _)| finding);
        let has_failed = self.change().is_some_and(|noted| noted.change.failure.is_some());
        match (finding, self.weighed.tracks.is_empty()) {
            (Some(Finding::OwnMirrorDeleted), true) => "Mirror of the SOC's own taken away",
            (_, false) if self.weighed.together.is_some() => {
                "Mirror changed, and traffic goes to an unapproved destination"
            }
            (_, false) => "Mirrored traffic to an unapproved destination",
            _ if has_failed => "Failed attempt to change what is mirrored",
            (Some(Finding::UnapprovedDestination), _) => "Mirror to an unapproved destination",
            (Some(Finding::UnapprovedPrincipal), _) => "Mirror changed by an unapproved principal",
            _ => "Mirror to a destination that is not known",
        }
    }

    /// The mirrored source where it is an asset, else what the provider calls it, else the mirror.
    fn asset(&self) -> alert::Asset {
        let known = self
            .tracks()
            .filter_map(|track| Some((track.source, self.estate.inventory.at(track.source)?)));
        let known = known.min_by_key(|(source, _)| *source);
        if let Some((source, id)) = known
            && let Some(asset) = self.estate.inventory.asset(id)
        {
            return alert::Asset {
                name: asset.name.to_string(),
                role: asset.role.name().into(),
                address: Some(source),
                mac: None,
            };
        }
        let sources = || self.change().into_iter().chain(self.changes()).flat_map(named_sources);
        let called = sources().find(|name| self.estate.inventory.called(name).is_some());
        let id = || self.change().and_then(|noted| noted.change.id.as_deref());
        let host = || self.change().and_then(|noted| noted.host.as_deref());
        if let Some(name) = called.or_else(|| sources().next()).or_else(id).or_else(host) {
            return self.estate.describe_name(name, Role::Other);
        }
        let source = self.tracks().map(|track| track.source).min();
        alert::Asset {
            name: source.map_or_else(|| "unknown".to_owned(), |source| source.to_string()),
            role: Role::Other.name().into(),
            address: source,
            mac: None,
        }
    }

    /// Where most packets go, else where the change leads.
    fn destination(&self) -> Option<Destination> {
        let seen = self.tracks().next().map(|track| (track.destination, track.port.unwrap_or(0)));
        let (address, port) = seen.or_else(|| {
            let noted = self.change()?;
            let leaks = |to: &&IpAddr| !self.policy.allows_address(**to);
            let addresses = &noted.place.addresses;
            let address = addresses.iter().find(leaks).or(addresses.first())?;
            Some((*address, usual_port(noted.change.wrapping)))
        })?;
        Some(Destination { address, port, sni: None, ja4: None })
    }

    fn summary(&self) -> String {
        let mut parts = Vec::new();
        if let Some(noted) = self.change() {
            parts.push(told(noted));
        }
        if let Some(track) = self.tracks().next() {
            parts.push(self.sent(track));
        }
        if self.first().is_some_and(|(finding, _)| finding == Finding::OwnMirrorDeleted) {
            parts.push("this sensor sees less from now on".to_owned());
        }
        parts.push(self.approved());
        parts.join("; ")
    }

    /// How much went where, and when that began.
    fn sent(&self, track: &Track) -> String {
        let (mut packets, mut bytes) = (0u64, 0u64);
        for track in self.tracks() {
            packets = packets.saturating_add(track.traffic.packets);
            bytes = bytes.saturating_add(track.traffic.bytes);
        }
        let outside = if self.estate.inventory.is_internal(track.destination) {
            ""
        } else {
            ", outside the estate,"
        };
        let id = track.id.map_or_else(String::new, |id| format!(" id {id}"));
        let mut text = format!(
            "{} in {} went from {} to {}{outside} as {}{id}",
            ByteSize(bytes),
            counted(packets, "packet"),
            track.source,
            track.destination,
            track.kind.map_or("copies in an unknown wrapping", TunnelKind::name),
        );
        if let Some(noted) = self.weighed.together {
            text += &if track.first >= noted.time {
                format!(", from {} after the change", Elapsed(track.first.since(noted.time)))
            } else {
                format!(", {} before the change already", Elapsed(noted.time.since(track.first)))
            };
        } else if self.change().is_none() {
            text += ", and no change of a mirror is known that explains it";
        }
        text
    }

    fn approved(&self) -> String {
        match &self.policy.approved[..] {
            [] => "the config approves no destination".to_owned(),
            places => format!("approved are {}", listed(places, places.len() as u64)),
        }
    }

    fn evidence(&self) -> Vec<Evidence> {
        let mut evidence = Vec::new();
        for noted in self.changes() {
            let is_with = self.weighed.together.is_some_and(|with| std::ptr::eq(with, noted));
            evidence.push(Evidence {
                time: noted.time,
                weight: if is_with { TOGETHER } else { 0.0 },
                fact: Fact::AuditEvent(Box::new(event(noted))),
            });
        }
        for (finding, noted, weight) in &self.weighed.findings {
            let fact = AuditEvent {
                finding: finding.name().into(),
                sources: Vec::new(),
                record: None,
                late_seconds: None,
                ..event(noted)
            };
            evidence.push(Evidence {
                time: noted.time,
                weight: shown(*weight),
                fact: Fact::AuditEvent(Box::new(fact)),
            });
        }
        evidence.extend(self.weighed.tracks.iter().take(MAX_NAMES).map(|(track, weight)| {
            Evidence {
                time: track.first,
                weight: shown(*weight),
                fact: Fact::MirroredTraffic(Box::new(track.fact())),
            }
        }));
        evidence.sort_by_key(|piece| piece.time);
        let time = evidence.first().map(|piece| piece.time).unwrap_or_default();
        let said = |weight, statement: String| Evidence {
            time,
            weight,
            fact: Fact::Baseline { statement },
        };
        let prior = said(shown(PRIOR), "most mirrors are somebody's tool".to_owned());
        evidence.splice(0..0, [prior, said(0.0, self.approved())]);
        evidence
    }
}

/// Who did what to which mirror.
fn told(noted: &Noted) -> String {
    let change = &noted.change;
    let who = change.principal.as_ref().map_or("somebody", |who| &*who.name);
    let from = change.from.as_deref().map_or_else(String::new, |from| format!(" from {from}"));
    let verb = match (change.failure.is_some(), change.action) {
        (false, ChangeAction::Create) => "made",
        (false, ChangeAction::Modify) => "changed",
        (false, ChangeAction::Delete) => "removed",
        (true, ChangeAction::Create) => "tried to make",
        (true, ChangeAction::Modify) => "tried to change",
        (true, ChangeAction::Delete) => "tried to remove",
    };
    let object = match change.object {
        MirrorObject::Session => "mirror",
        MirrorObject::Target => "mirror target",
        MirrorObject::Filter => "mirror filter",
        MirrorObject::FilterRule => "rule of a mirror filter",
    };
    let id = change.id.as_deref().map_or_else(String::new, |id| format!(" {id}"));
    let mut text = format!("{who}{from} {verb} the {object}{id} ({})", change.call);
    if !change.sources.is_empty() {
        text += &format!(" of {}", listed(&change.sources, change.sources.len() as u64));
    }
    let places = places(noted);
    if !places.is_empty() {
        text += &format!(" to {}", listed(&places, places.len() as u64));
    } else if noted.leads_anywhere() {
        text += ", and the log does not say where it leads";
    }
    text
}

/// Where a change leads, by all names.
fn places(noted: &Noted) -> Vec<String> {
    let addresses = noted.place.addresses.iter().map(ToString::to_string);
    noted.place.ids.iter().cloned().chain(addresses).take(MAX_NAMES).collect()
}

fn named_sources(noted: &Noted) -> impl Iterator<Item = &str> {
    noted.change.sources.iter().map(|name| &**name)
}

/// A change as evidence.
fn event(noted: &Noted) -> AuditEvent {
    let change = &noted.change;
    let text = |part: &Option<std::sync::Arc<str>>| part.as_ref().map(ToString::to_string);
    AuditEvent {
        finding: "change".into(),
        call: change.call.to_string(),
        action: change.action.name().into(),
        object: change.object.name().into(),
        source: noted.service.name().into(),
        id: text(&change.id),
        scope: text(&change.scope),
        principal: change.principal.as_ref().map(|who| who.name.to_string()),
        from: text(&change.from),
        sources: change.sources.iter().map(ToString::to_string).collect(),
        targets: places(noted),
        wire_id: change.wire_id,
        failure: text(&change.failure),
        record: text(&change.record),
        late_seconds: Some(noted.late.as_secs()).filter(|seconds| *seconds >= LATE),
    }
}

/// Where wrapped packets are sent to by default.
const fn usual_port(wrapping: Option<TunnelKind>) -> u16 {
    match wrapping {
        Some(TunnelKind::Vxlan) => VXLAN_PORT,
        Some(TunnelKind::Geneve) => GENEVE_PORT,
        _ => 0,
    }
}
