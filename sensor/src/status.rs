//! How the sensor is doing: what the API and readiness tell, set by the wiring about once a second.

use std::sync::{Arc, RwLock};
use std::time::Duration;

use serde::Serialize;

use crate::intake::flows::Known;
use crate::intake::listen::Sender;
use crate::mirror::Report;
use crate::time::Timestamp;

/// One status for all who ask; whoever sets it holds the lock for as long as a copy takes.
pub type Shared = Arc<RwLock<Status>>;

/// A status is set every second; one this old is set no more.
const STALE: Duration = Duration::from_secs(10);

/// How the sensor is doing.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Status {
    /// Name of the sensor.
    pub sensor: String,
    /// Version of the program.
    pub version: &'static str,
    /// When it started.
    pub started: Timestamp,
    /// When this was true.
    pub now: Timestamp,
    /// Whether it captures nothing, and delivers what others raise.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub is_relay: bool,
    /// Whether all workers have looked for frames within the last seconds.
    pub workers_alive: bool,
    /// What is listened to.
    pub interfaces: Vec<Interface>,
    /// What the mirror is like.
    pub mirror: Mirror,
    /// Bytes on the wire of all frames received.
    pub bytes: u64,
    /// Conversations under way.
    pub flows: u64,
    /// Why the database cannot be written, while it cannot.
    pub store_error: Option<String>,
    /// Why packets of alerts cannot be kept, while they cannot.
    pub evidence_error: Option<String>,
    /// What it means that the system's clock was set back, while it is behind.
    pub clock_error: Option<String>,
    /// What the last attempt to reload the config came to, where it failed.
    pub reload_error: Option<String>,
    /// How the connection to other sensors is; none: there are no others.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fleet: Option<Fleet>,
    /// What is being learned.
    pub learning: Learning,
    /// Who sends logs, audit records and flow records; `/api/sources` tells of it.
    #[serde(skip)]
    pub feeds: Arc<Feeds>,
    /// Everything that is watched, in the inventory's order; the status tells only how many.
    #[serde(serialize_with = "how_many")]
    pub assets: Arc<Vec<Asset>>,
}

/// The connection to other sensors.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Fleet {
    /// Where this sensor is.
    pub site: String,
    /// Whether there is a connection to a NATS server.
    pub connected: bool,
    /// Since when there is one, or none any more; none: there never was one.
    pub since: Option<Timestamp>,
    /// Which server it is.
    pub server: Option<String>,
    /// What went wrong last.
    pub error: Option<String>,
}

/// One interface.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Interface {
    /// Its name in the config.
    pub name: String,
    /// How frames are taken from it, and why so.
    pub backend: String,
    /// `up`, `no carrier`, `down`, `gone`, its new name, or `closed` and why.
    pub state: String,
    /// Frames received.
    pub packets: u64,
    /// Frames lost by the card, its driver, or for want of room.
    pub dropped: u64,
    /// Time of the last frame.
    pub last_packet: Option<Timestamp>,
}

/// What the mirror does to the traffic, over the last minutes.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Mirror {
    /// Share of frames that are second copies, 0 to 1.
    pub duplicates: f64,
    /// Share of TCP conversations of which one side only was seen, 0 to 1.
    pub one_sided: f64,
    /// Share of frames of which only a part was captured, 0 to 1.
    pub truncated: f64,
    /// Share of frames that were lost on the way to the sensor, 0 to 1.
    pub dropped: f64,
    /// The same and more of each source of packets: an interface, or an exporter of tunnels there.
    pub sources: Vec<MirrorSource>,
}

/// One source of packets, as it was lately.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct MirrorSource {
    /// In numbers.
    #[serde(flatten)]
    pub report: Report,
    /// Whether there is nothing that people should know.
    pub is_well: bool,
    /// What it does, in words: `is well`, `lost 2.1 % of packets: volumes may be short`.
    pub health: String,
}

/// What is being learned.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Learning {
    /// Assets that are not learned yet.
    pub assets: usize,
    /// When the last of them will be.
    pub until: Option<Timestamp>,
}

/// What comes besides packets. Lists have bounds where they are made: 200 senders and 200 exporters.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Feeds {
    /// Whether log messages are listened for.
    pub takes_syslog: bool,
    /// Who sends log messages, the last first.
    pub syslog: Vec<Sender>,
    /// Whether flow records are listened for.
    pub takes_flows: bool,
    /// Who exports flow records, the last first.
    pub exporters: Vec<Known>,
    /// Whether audit records are taken in, from files or by HTTP.
    pub takes_audit: bool,
    /// Files with audit records that are followed.
    pub audit_files: usize,
    /// When an audit record was last read.
    pub last_audit: Option<Timestamp>,
}

/// One asset.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Asset {
    /// Name.
    pub name: String,
    /// `esxi`, `vcenter`, `guest` or `other`.
    pub role: &'static str,
    /// The ESXi host a guest runs on, where that is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub host: Option<String>,
    /// Whether the config names it.
    pub configured: bool,
    /// When it was first seen.
    pub first_seen: Option<Timestamp>,
    /// Whether it is still being learned.
    pub learning: bool,
    /// Bytes sent and received since the start.
    pub bytes_out: u64,
    /// Bytes received since the start.
    pub bytes_in: u64,
    /// The same by where.
    #[serde(skip)]
    pub moved: Moved,
}

/// Bytes that an asset moved, by direction and where to or from.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Moved {
    /// Sent to inside.
    pub out_internal: u64,
    /// Sent to outside.
    pub out_external: u64,
    /// Received from inside.
    pub in_internal: u64,
    /// Received from outside.
    pub in_external: u64,
}

impl Moved {
    /// What was moved since; counts that are lower began anew.
    #[must_use]
    pub fn since(&self, before: &Self) -> Self {
        self.with(before, |now, before| if now < before { now } else { now - before })
    }

    /// Both together.
    #[must_use]
    pub fn plus(&self, other: &Self) -> Self {
        self.with(other, u64::saturating_add)
    }

    /// All of it.
    pub fn total(&self) -> u64 {
        let out = self.out_internal.saturating_add(self.out_external);
        out.saturating_add(self.in_internal).saturating_add(self.in_external)
    }

    fn with(&self, other: &Self, of: impl Fn(u64, u64) -> u64) -> Self {
        Self {
            out_internal: of(self.out_internal, other.out_internal),
            out_external: of(self.out_external, other.out_external),
            in_internal: of(self.in_internal, other.in_internal),
            in_external: of(self.in_external, other.in_external),
        }
    }
}

impl Status {
    /// What has stopped, and a restart can help.
    pub fn stopped(&self, now: Timestamp) -> Vec<String> {
        let age = now.since(self.now);
        if age > STALE {
            return vec![format!("the sensor has not told its state since {}", self.now)];
        }
        if !self.workers_alive {
            return vec!["a worker has not looked for packets within the last seconds".to_owned()];
        }
        Vec::new()
    }

    /// What is not as it should be.
    pub fn missing(&self, now: Timestamp) -> Vec<String> {
        let mut reasons = self.stopped(now);
        if self.is_relay {
            // Without a connection it can do nothing.
            reasons.extend(self.away());
        } else if self.interfaces.is_empty() {
            reasons.push(
                "no interface to capture from: name one in capture.interface and restart"
                    .to_owned(),
            );
        }
        // One that is down is open: it is a matter of the mirror, like one that is silent.
        for interface in &self.interfaces {
            if interface.state == "gone" || interface.state.starts_with("closed") {
                reasons.push(format!("interface {} is {}", interface.name, interface.state));
            }
        }
        if let Some(error) = &self.reload_error {
            reasons.push(format!("the config was not reloaded: {error}"));
        }
        reasons.extend(self.clock_error.clone());
        if let Some(error) = &self.store_error {
            reasons.push(format!("alerts cannot be stored: {error}"));
        }
        reasons
    }

    /// What is worth knowing, and keeps the sensor from nothing that is its own work.
    pub fn notes(&self) -> Vec<String> {
        if self.is_relay { Vec::new() } else { self.away().into_iter().collect() }
    }

    fn away(&self) -> Option<String> {
        let away = self.fleet.as_ref().filter(|fleet| !fleet.connected)?;
        let why = away.error.as_deref().map(|error| format!(": {error}")).unwrap_or_default();
        let alone = if self.is_relay { "" } else { ", this sensor works alone" };
        Some(format!("no connection to the fleet{alone}{why}"))
    }
}

fn how_many<S: serde::Serializer>(assets: &Arc<Vec<Asset>>, to: S) -> Result<S::Ok, S::Error> {
    assets.len().serialize(to)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn status() -> Status {
        let interface = |state: &str| Interface {
            name: "eth1".to_owned(),
            state: state.to_owned(),
            ..Interface::default()
        };
        Status {
            now: Timestamp::from_parts(1000, 0),
            workers_alive: true,
            interfaces: vec![interface("up"), interface("down")],
            ..Status::default()
        }
    }

    #[test]
    fn a_silent_or_unplugged_mirror_is_ready() {
        assert!(status().missing(Timestamp::from_parts(1009, 0)).is_empty());
    }

    #[test]
    fn what_a_restart_cannot_help_is_alive_and_not_ready() {
        let now = Timestamp::from_parts(1001, 0);
        let mut broken = status();
        broken.interfaces[0].state = "gone".to_owned();
        broken.interfaces[1].state = "closed: no memory".to_owned();
        broken.clock_error = Some("the clock was set back".to_owned());
        broken.reload_error = Some("egret.toml:3: a".to_owned());
        broken.store_error = Some("disk full".to_owned());
        assert!(broken.stopped(now).is_empty());
        assert_eq!(broken.missing(now).len(), 5);
        assert_eq!(Status { interfaces: Vec::new(), ..status() }.missing(now).len(), 1);
    }

    #[test]
    fn a_loop_that_has_stopped_is_not_alive() {
        let now = Timestamp::from_parts(1001, 0);
        assert_eq!(Status { workers_alive: false, ..status() }.stopped(now).len(), 1);
        assert_eq!(status().stopped(Timestamp::from_parts(1011, 0)).len(), 1);
        assert!(status().stopped(Timestamp::from_parts(900, 0)).is_empty(), "the clock was set");
    }

    #[test]
    fn a_fleet_that_is_away_is_a_note_and_no_reason() {
        let now = Timestamp::from_parts(1001, 0);
        let error = Some("no route to host".to_owned());
        let away = Status { fleet: Some(Fleet { error, ..Fleet::default() }), ..status() };
        assert_eq!(away.missing(now), Vec::<String>::new());
        assert_eq!(
            away.notes(),
            ["no connection to the fleet, this sensor works alone: no route to host"]
        );
        let there = Fleet { connected: true, ..Fleet::default() };
        assert!(Status { fleet: Some(there), ..status() }.notes().is_empty());
        let relay = Status { is_relay: true, interfaces: Vec::new(), ..away };
        assert_eq!(relay.missing(now), ["no connection to the fleet: no route to host"]);
        assert!(relay.notes().is_empty());
        assert!(status().notes().is_empty());
    }
}
