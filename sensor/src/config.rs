//! The configuration, typed and checked: what every other module is given.
//!
//! `file` reads TOML into it; every key has a default, and Egret starts with no file at all.

use std::net::IpAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use ipnet::IpNet;

use crate::decode::Mac;

mod expected;
pub mod file;
mod fleet;
mod hours;
mod policy;
mod port_formula;
mod services;
mod written;

pub use expected::{Expected, ExpectedError};
pub use fleet::Fleet;
pub use hours::{BusinessHours, WallTime};
pub use policy::{
    Channels, GuestOperations, Maintenance, MirrorDestination, MirrorPolicy, Segment, SiteBudget,
    Threshold,
};
pub use port_formula::{FormulaError, PortFormula, Reads};
pub use services::{
    Audit, Backend, Capture, Deliver, Evidence, Flows, Http, HttpTls, Intake, Syslog, SyslogTarget,
    SyslogTls, Webhook, WebhookFormat, is_link_local,
};
pub(crate) use written::quoted;

/// The whole configuration.
#[derive(Debug, Clone, PartialEq)]
pub struct Config {
    /// `[sensor]`
    pub sensor: Sensor,
    /// `[network]`
    pub network: Network,
    /// `[[asset]]`
    pub assets: Vec<Asset>,
    /// `[[approve]]`
    pub approve: Vec<Approve>,
    /// `[baseline]`
    pub baseline: Baseline,
    /// `[capture]`
    pub capture: Capture,
    /// `[detect.site_budget]`
    pub site_budget: SiteBudget,
    /// `[detect.tls_egress]`
    pub tls_egress: TlsEgress,
    /// `[detect.dns_port]`
    pub dns_port: DnsPort,
    /// `[detect.guest_operations]`
    pub guest_operations: GuestOperations,
    /// `[detect.mirror_policy]`
    pub mirror_policy: MirrorPolicy,
    /// `[detect.channels]`
    pub channels: Channels,
    /// `[intake]`
    pub intake: Intake,
    /// `[evidence]`
    pub evidence: Evidence,
    /// `[deliver]`
    pub deliver: Deliver,
    /// `[fleet]`
    pub fleet: Fleet,
    /// `[http]`
    pub http: Http,
}

/// `[sensor]`: who is speaking.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sensor {
    /// `name`: in every alert; the host's name unless given.
    pub name: String,
    /// `data_dir`: where what lasts is kept.
    pub data_dir: PathBuf,
}

/// `[network]`: what is inside.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Network {
    /// `internal`: prefixes of the estate; everything else is external.
    pub internal: Vec<IpNet>,
}

/// `[[asset]]`: one thing that is watched.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Asset {
    /// `name`, unique.
    pub name: Arc<str>,
    /// `role`
    pub role: Role,
    /// `address`: addresses and prefixes.
    pub addresses: Vec<IpNet>,
    /// `mac`
    pub macs: Vec<Mac>,
    /// `host`: the ESXi host a guest runs on.
    pub host: Option<String>,
}

/// What an asset is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Role {
    /// An ESXi host: management.
    Esxi,
    /// A vCenter server: management.
    Vcenter,
    /// A virtual machine.
    Guest,
    /// Anything else.
    Other,
}

impl Role {
    /// All of them, management first.
    pub const ALL: [Self; 4] = [Self::Esxi, Self::Vcenter, Self::Guest, Self::Other];

    /// Its name in the config, in alerts and in labels.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Esxi => "esxi",
            Self::Vcenter => "vcenter",
            Self::Guest => "guest",
            Self::Other => "other",
        }
    }

    /// Whether it is a management component, which has almost no business outside.
    pub const fn is_management(self) -> bool {
        matches!(self, Self::Esxi | Self::Vcenter)
    }
}

/// `[[approve]]`: expected egress. Every field given must match; a list matches any of its items.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Approve {
    /// `role`; empty: any.
    pub roles: Vec<Role>,
    /// `asset`: names; empty: any.
    pub assets: Vec<String>,
    /// `sni`; empty: any.
    pub sni: Vec<NamePattern>,
    /// `destination`; empty: any.
    pub destinations: Vec<IpNet>,
    /// `port`; empty: any.
    pub ports: Vec<u16>,
    /// `note`, for people.
    pub note: Option<String>,
}

impl Approve {
    /// Whether this entry approves a connection of `asset` (with `role`) to `address`, `port`, `sni`.
    pub fn covers(
        &self,
        asset: &str,
        role: Role,
        address: IpAddr,
        port: u16,
        sni: Option<&str>,
    ) -> bool {
        (self.roles.is_empty() || self.roles.contains(&role))
            && (self.assets.is_empty() || self.assets.iter().any(|name| name == asset))
            && (self.sni.is_empty()
                || sni.is_some_and(|sni| self.sni.iter().any(|pattern| pattern.matches(sni))))
            && (self.destinations.is_empty()
                || self.destinations.iter().any(|net| net.contains(&address)))
            && (self.ports.is_empty() || self.ports.contains(&port))
    }
}

/// A DNS name, or `*.suffix` for every name below it (not the suffix itself). Case does not matter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NamePattern {
    /// This name.
    Exact(String),
    /// Every name that ends in this, which starts with a dot.
    Below(String),
}

impl NamePattern {
    /// Reads `name` or `*.suffix`.
    pub fn new(text: &str) -> Self {
        let text = text.trim_end_matches('.').to_ascii_lowercase();
        match text.strip_prefix('*') {
            Some(suffix) if suffix.starts_with('.') => Self::Below(suffix.to_owned()),
            _ => Self::Exact(text),
        }
    }

    /// Whether `name` is meant.
    pub fn matches(&self, name: &str) -> bool {
        let name = name.trim_end_matches('.');
        match self {
            Self::Exact(exact) => name.eq_ignore_ascii_case(exact),
            Self::Below(suffix) => {
                name.len() > suffix.len()
                    && name
                        .get(name.len() - suffix.len()..)
                        .is_some_and(|end| end.eq_ignore_ascii_case(suffix))
            }
        }
    }
}

/// `[baseline]`
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Baseline {
    /// `learning`: how long an asset is learned from the first time it is seen.
    pub learning: Duration,
}

/// `[detect.tls_egress]`: AN1416.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TlsEgress {
    /// `enabled`
    pub enabled: bool,
    /// `window`: how long after a spike or guest operation an egress counts as after it.
    pub window: Duration,
    /// `spike_min_bytes`: a spike is never smaller.
    pub spike_min_bytes: u64,
}

/// `[detect.dns_port]`: AN0731.
#[derive(Debug, Clone, PartialEq)]
pub struct DnsPort {
    /// `enabled`
    pub enabled: bool,
    /// `window`: how long a DNS answer can explain a port.
    pub window: Duration,
    /// `false_alarms_per_year`: the budget of the whole sensor; the evidence needed follows from it.
    pub false_alarms_per_year: f64,
    /// `formulas`: what is tried beside the known ones.
    pub formulas: Vec<Arc<PortFormula>>,
}

impl Default for Config {
    fn default() -> Self {
        const INTERNAL: [&str; 6] = [
            "10.0.0.0/8",
            "172.16.0.0/12",
            "192.168.0.0/16",
            "100.64.0.0/10",
            "fc00::/7",
            "fe80::/10",
        ];
        Self {
            sensor: Sensor { name: "egret".to_owned(), data_dir: PathBuf::from("/var/lib/egret") },
            network: Network {
                internal: INTERNAL.iter().filter_map(|net| net.parse().ok()).collect(),
            },
            assets: Vec::new(),
            approve: Vec::new(),
            baseline: Baseline { learning: Duration::from_secs(7 * 86_400) },
            capture: Capture::default(),
            site_budget: SiteBudget::default(),
            tls_egress: TlsEgress {
                enabled: true,
                window: Duration::from_secs(30 * 60),
                spike_min_bytes: 50_000_000,
            },
            dns_port: DnsPort {
                enabled: true,
                window: Duration::from_secs(120),
                false_alarms_per_year: 1.0,
                formulas: Vec::new(),
            },
            guest_operations: GuestOperations::default(),
            mirror_policy: MirrorPolicy::default(),
            channels: Channels::default(),
            intake: Intake::default(),
            evidence: Evidence::default(),
            deliver: Deliver::default(),
            fleet: Fleet::default(),
            http: Http::default(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_suffix_pattern_means_what_is_below_it_only() {
        let pattern = NamePattern::new("*.vmware.com");
        assert!(pattern.matches("depot.VMware.com."));
        assert!(!pattern.matches("vmware.com"));
        assert!(!pattern.matches("evilvmware.com"));
        assert!(NamePattern::new("a.example.").matches("A.EXAMPLE"));
    }

    #[test]
    fn every_field_given_must_match() {
        let approve = Approve {
            roles: vec![Role::Esxi],
            sni: vec![NamePattern::new("*.vmware.com")],
            ports: vec![443],
            ..Approve::default()
        };
        let address = "203.0.113.9".parse().unwrap();
        assert!(approve.covers("esxi-01", Role::Esxi, address, 443, Some("depot.vmware.com")));
        assert!(!approve.covers("esxi-01", Role::Esxi, address, 443, None));
        assert!(!approve.covers("esxi-01", Role::Esxi, address, 8443, Some("depot.vmware.com")));
        assert!(!approve.covers("web-01", Role::Guest, address, 443, Some("depot.vmware.com")));
    }
}
