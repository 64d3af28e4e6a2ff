//! What logs and packets show of mirrors, in the order in which it comes, and what is told of it.

use std::collections::BTreeMap;
use std::net::IpAddr;

use crate::alert::{Alert, AuditEvent, Fact, MirroredTraffic};
use crate::config::{self, Config, MirrorDestination, Role};
use crate::detect::Engine;
use crate::detect::tests::{DAY, HOUR, MONDAY, time};
use crate::event::{
    ChangeAction, MirrorChange, MirrorObject, Mirrored, Principal, Report, Reporter, Said, Service,
    Traffic, TunnelKind,
};

/// The Monday after two weeks, when all is learned, at ten.
pub(super) const LATER: u64 = MONDAY + 14 * DAY + 10 * HOUR;
pub(super) const NETOPS: &str = "arn:aws:iam::111122223333:role/netops";
pub(super) const EVE: &str = "arn:aws:iam::111122223333:role/eve";
pub(super) const SENSOR: &str = "10.30.0.9";
pub(super) const EVIL: &str = "198.51.100.7";
pub(super) const ACCOUNT: &str = "111122223333";

/// What comes.
#[derive(Clone)]
pub(super) enum Step {
    Said(Report),
    Seen(Mirrored),
}

/// What comes, and the config of the sensor.
#[derive(Clone)]
pub(super) struct Scene {
    pub(super) config: Config,
    pub(super) steps: Vec<Step>,
}

/// The last state of every alert, in the order in which they were raised.
pub(super) type Told = Vec<Alert>;

/// A change of a session in AWS.
pub(super) fn session(action: ChangeAction, who: &str, target: &str) -> MirrorChange {
    let verb = match action {
        ChangeAction::Create => "Create",
        ChangeAction::Modify => "Modify",
        ChangeAction::Delete => "Delete",
    };
    MirrorChange {
        call: format!("{verb}TrafficMirrorSession").into(),
        action,
        object: MirrorObject::Session,
        id: Some("tms-01".into()),
        scope: Some(ACCOUNT.into()),
        principal: Some(principal(who)),
        from: Some("203.0.113.5".into()),
        sources: vec!["eni-0web".into()],
        targets: [target].into_iter().filter(|id| !id.is_empty()).map(Into::into).collect(),
        wrapping: Some(TunnelKind::Vxlan),
        wire_id: Some(7),
        ..MirrorChange::default()
    }
}

pub(super) fn principal(name: &str) -> Principal {
    Principal { name: name.into(), full: None, foreign_account: None, by_console: false }
}

/// A target in AWS, made for an interface.
pub(super) fn target(who: &str, id: &str, eni: &str) -> MirrorChange {
    MirrorChange {
        call: "CreateTrafficMirrorTarget".into(),
        action: ChangeAction::Create,
        object: MirrorObject::Target,
        id: Some(id.into()),
        scope: Some(ACCOUNT.into()),
        principal: Some(principal(who)),
        targets: vec![eni.into()],
        ..MirrorChange::default()
    }
}

/// VXLAN from a mirrored interface.
pub(super) fn vxlan(at: u64, to: &str) -> Mirrored {
    Mirrored {
        since: time(at),
        time: time(at + 10),
        kind: Some(TunnelKind::Vxlan),
        id: Some(7),
        source: "10.1.0.5".parse().unwrap(),
        destination: to.parse().unwrap(),
        port: Some(4789),
        traffic: Traffic { packets: 1000, bytes: 1_000_000 },
        copies: 0,
        inside: Some([("10.1.0.5".parse().unwrap(), 40_000), ("10.1.0.6".parse().unwrap(), 443)]),
        interface: None,
    }
}

impl Scene {
    /// One destination approved, by id and address, and one principal.
    pub(super) fn new() -> Self {
        let mut config = Config::default();
        let policy = &mut config.mirror_policy;
        policy.destinations = vec![
            MirrorDestination::Provider("tmt-good".to_owned()),
            MirrorDestination::Net("10.30.0.9/32".parse().unwrap()),
        ];
        policy.principals = vec![NETOPS.to_owned()];
        policy.addresses = BTreeMap::from([
            ("eni-good".to_owned(), SENSOR.parse().unwrap()),
            ("tmt-evil".to_owned(), EVIL.parse().unwrap()),
        ]);
        for (name, role, address) in [
            ("esxi-01", Role::Esxi, "10.10.0.11"),
            ("esxi-02", Role::Esxi, "10.10.0.12"),
            ("vcsa01", Role::Vcenter, "10.10.0.10"),
        ] {
            config.assets.push(config::Asset {
                name: name.into(),
                role,
                addresses: vec![format!("{address}/32").parse().unwrap()],
                macs: Vec::new(),
                host: None,
            });
        }
        Self { config, steps: Vec::new() }
    }

    /// Without a word about mirrors in the config.
    pub(super) fn bare() -> Self {
        let mut scene = Self::new();
        scene.config.mirror_policy = config::MirrorPolicy::default();
        scene
    }

    pub(super) fn cloudtrail(&mut self, at: u64, change: MirrorChange) {
        self.says(at, Service::CloudTrail, None, change);
    }

    pub(super) fn says(
        &mut self,
        at: u64,
        service: Service,
        host: Option<&str>,
        change: MirrorChange,
    ) {
        self.steps.push(Step::Said(Report {
            time: time(at),
            stated: None,
            reporter: Reporter { service, host: host.map(Into::into), peer: None },
            said: Said::MirrorChanged(Box::new(change)),
        }));
    }

    pub(super) fn seen(&mut self, mirrored: Mirrored) {
        self.steps.push(Step::Seen(mirrored));
    }

    pub(super) fn run(&self) -> Told {
        self.run_with(&mut self.engine())
    }

    /// One that has been looking since the first Monday.
    pub(super) fn engine(&self) -> Engine {
        let mut engine = Engine::new(&self.config, None, None);
        engine.reach(time(MONDAY));
        engine
    }

    pub(super) fn run_with(&self, engine: &mut Engine) -> Told {
        let mut told: Told = Vec::new();
        let mut hear = |engine: &mut Engine| {
            for alert in engine.drain_alerts() {
                match told.iter_mut().find(|known| known.id == alert.id) {
                    Some(known) => {
                        assert!(alert.severity >= known.severity && alert.count > known.count);
                        *known = alert;
                    }
                    None => told.push(alert),
                }
            }
        };
        for step in &self.steps {
            match step {
                Step::Said(report) => engine.report(report),
                Step::Seen(mirrored) => engine.mirrored(mirrored, None),
            }
            hear(engine);
        }
        engine.finish();
        hear(engine);
        told
    }
}

/// What was found in changes.
pub(super) fn findings(alert: &Alert) -> Vec<&str> {
    let found = changes(alert).into_iter().map(|event| &*event.finding);
    let mut found: Vec<_> = found.filter(|finding| *finding != "change").collect();
    found.sort_unstable();
    found
}

pub(super) fn changes(alert: &Alert) -> Vec<&AuditEvent> {
    let events = alert.evidence.iter().filter_map(|piece| match &piece.fact {
        Fact::AuditEvent(event) => Some(&**event),
        _ => None,
    });
    events.collect()
}

pub(super) fn traffic(alert: &Alert) -> Vec<&MirroredTraffic> {
    let traffic = alert.evidence.iter().filter_map(|piece| match &piece.fact {
        Fact::MirroredTraffic(traffic) => Some(&**traffic),
        _ => None,
    });
    traffic.collect()
}

pub(super) fn address(alert: &Alert) -> Option<IpAddr> {
    alert.destination.as_ref().map(|to| to.address)
}
