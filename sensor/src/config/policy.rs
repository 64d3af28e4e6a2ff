//! What the estate allows: the sections of the detectors that judge operations, not packets.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::time::Duration;

use ipnet::IpNet;
use jiff::tz::TimeZone;

use super::BusinessHours;
use crate::time::Timestamp;
use crate::whereabouts::Databases;

/// `[detect.site_budget]`: how many alerts a week people can look at; what is weak beyond that is held
/// back.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SiteBudget {
    /// `alerts`: of medium severity and above for each 100 assets; a smaller site counts as 100.
    pub alerts: f64,
    /// `high`: of high severity, on the whole site.
    pub high: f64,
}

/// `[detect.channels]`: the channels of Network Traffic Flow (DC0078).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Channels {
    /// `enabled`
    pub enabled: bool,
    /// `off`: names of detectors that tell nothing.
    pub off: Vec<String>,
    /// `segments`: networks that not everybody may open conversations into.
    pub segments: Vec<Segment>,
    /// `databases`: of countries and autonomous systems.
    pub databases: Databases,
}

/// One of `segments = [{ name, network, from, port }]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Segment {
    /// `name`
    pub name: String,
    /// `network`: addresses and prefixes of the segment.
    pub networks: Vec<IpNet>,
    /// `from`: who may come in besides the segment itself; empty: anybody, where a port is given.
    pub from: Vec<IpNet>,
    /// `port`: on which; empty: on any, where `from` is given.
    pub ports: Vec<u16>,
}

/// `[detect.guest_operations]`: AN0646.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GuestOperations {
    /// `enabled`
    pub enabled: bool,
    /// `accounts`: expected to use guest operations.
    pub accounts: Vec<String>,
    /// `vms`: patterns of names where they are expected; empty: anywhere.
    pub vms: Vec<String>,
    /// `threshold`: a hard limit for one account, beside its learned frequency.
    pub threshold: Threshold,
    /// `business_hours`, such as `Mon-Fri 07:00-19:00`; none: every hour.
    pub business_hours: Option<BusinessHours>,
    /// `timezone`: the zone that `business_hours` are meant in.
    pub timezone: TimeZone,
    /// `maintenance`: when more is expected than usual.
    pub maintenance: Vec<Maintenance>,
}

/// `threshold = { count, window }`
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Threshold {
    /// `count`: operations.
    pub count: u32,
    /// `window`: in which they are counted.
    pub window: Duration,
}

/// One of `maintenance = [{ from, to, account }]`; `from` is before `to`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Maintenance {
    /// `from`
    pub from: Timestamp,
    /// `to`
    pub to: Timestamp,
    /// `account`: whom it is for; empty: everyone.
    pub accounts: Vec<String>,
}

/// `[detect.mirror_policy]`: AN1131.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MirrorPolicy {
    /// `enabled`
    pub enabled: bool,
    /// `destinations`: approved mirror destinations.
    pub destinations: Vec<MirrorDestination>,
    /// `principals`: who may change mirror policies; empty: anyone.
    pub principals: Vec<String>,
    /// `addresses`: what provider ids are on the wire.
    pub addresses: BTreeMap<String, IpAddr>,
    /// `window`: a change and mirrored traffic this close together are one story.
    pub window: Duration,
}

/// Where mirrored traffic may go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum MirrorDestination {
    /// An address or prefix.
    Net(IpNet),
    /// The cloud provider's id of it, such as `tmt-0abc` or `eni-0def`.
    Provider(String),
}

impl Default for SiteBudget {
    fn default() -> Self {
        Self { alerts: 1.0, high: 1.0 }
    }
}

impl Default for Channels {
    fn default() -> Self {
        Self {
            enabled: true,
            off: Vec::new(),
            segments: Vec::new(),
            databases: Databases::default(),
        }
    }
}

impl Default for GuestOperations {
    fn default() -> Self {
        Self {
            enabled: true,
            accounts: Vec::new(),
            vms: Vec::new(),
            threshold: Threshold { count: 20, window: Duration::from_secs(10 * 60) },
            business_hours: None,
            timezone: TimeZone::UTC,
            maintenance: Vec::new(),
        }
    }
}

impl Default for MirrorPolicy {
    fn default() -> Self {
        Self {
            enabled: true,
            destinations: Vec::new(),
            principals: Vec::new(),
            addresses: BTreeMap::new(),
            window: Duration::from_secs(60),
        }
    }
}
