//! What surrounds the path from packet to alert: capture, intake, delivery, HTTP.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::PathBuf;

use ipnet::IpNet;
use reqwest::Url;

use crate::alert::Severity;
use crate::capture::receive::Wrapping;

/// `[capture]`
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Capture {
    /// `interface`: names of the network interfaces to listen on.
    pub interfaces: Vec<String>,
    /// `backend`
    pub backend: Backend,
    /// `snaplen`: bytes captured of each frame.
    pub snaplen: u32,
    /// `workers`: capture threads; 0: one a core.
    pub workers: u16,
    /// `receive`: mirrors that are sent to an address of this host.
    pub receive: Vec<Wrapping>,
}

/// How frames are taken from a network interface.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
#[value(rename_all = "lower")]
pub enum Backend {
    /// The fastest that works and counts exactly.
    Auto,
    /// XDP in the driver, for a mirror port.
    Xdp,
    /// XDP above the driver: for drivers without XDP, and never chosen by itself.
    #[value(name = "xdp-generic")]
    XdpGeneric,
    /// tc, both directions, for a host in the path.
    Tc,
    /// `AF_PACKET` with a ring.
    AfPacket,
    /// libpcap.
    Pcap,
}

impl Backend {
    /// All of them.
    pub const ALL: [Self; 6] =
        [Self::Auto, Self::Xdp, Self::XdpGeneric, Self::Tc, Self::AfPacket, Self::Pcap];

    /// Its name in the config.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Auto => "auto",
            Self::Xdp => "xdp",
            Self::XdpGeneric => "xdp-generic",
            Self::Tc => "tc",
            Self::AfPacket => "afpacket",
            Self::Pcap => "pcap",
        }
    }
}

/// `[intake]`: what is read besides packets.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Intake {
    /// `[intake.syslog]`
    pub syslog: Syslog,
    /// `[intake.flows]`
    pub flows: Flows,
    /// `[intake.audit]`
    pub audit: Audit,
}

/// `[intake.syslog]`: each listener is optional.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Syslog {
    /// `udp`
    pub udp: Option<SocketAddr>,
    /// `tcp`
    pub tcp: Option<SocketAddr>,
    /// `tls`
    pub tls: Option<SyslogTls>,
    /// `allow`: senders.
    pub allow: Vec<IpNet>,
}

/// `[intake.flows]`: flow records of the network.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Flows {
    /// `udp`
    pub udp: Option<SocketAddr>,
    /// `allow`: exporters.
    pub allow: Vec<IpNet>,
}

/// `tls = { listen, cert, key, client_ca }`
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SyslogTls {
    /// `listen`
    pub listen: SocketAddr,
    /// `cert`: file of the server's certificate chain.
    pub cert: PathBuf,
    /// `key`: file of its private key.
    pub key: PathBuf,
    /// `client_ca`: file of the authority that signs clients; none: clients need no certificate.
    pub client_ca: Option<PathBuf>,
}

/// `[intake.audit]`: cloud and vCenter audit events.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Audit {
    /// `files`: patterns of files to follow.
    pub files: Vec<String>,
    /// `http`: whether `POST /intake/audit` is open.
    pub http: bool,
    /// `token_file`: holds its bearer token.
    pub token_file: Option<PathBuf>,
}

/// `[deliver]`: where alerts are sent.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Deliver {
    /// `[[deliver.webhook]]`
    pub webhooks: Vec<Webhook>,
    /// `[[deliver.syslog]]`
    pub syslog: Vec<SyslogTarget>,
}

/// `[[deliver.webhook]]`
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Webhook {
    /// `url`: `http://` or `https://`.
    pub url: Url,
    /// `format`
    pub format: WebhookFormat,
    /// `secret_file`: holds the keys that requests are signed with.
    pub secret_file: Option<PathBuf>,
    /// `token_file`: holds what the `Authorization` header says.
    pub token_file: Option<PathBuf>,
    /// `ca_file`: authorities that are trusted besides the system's.
    pub ca_file: Option<PathBuf>,
    /// `min_severity`
    pub min_severity: Severity,
}

/// The form of a webhook's body.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WebhookFormat {
    /// The alert as Egret has it.
    Egret,
    /// Elastic Common Schema.
    Ecs,
    /// Open Cybersecurity Schema Framework.
    Ocsf,
    /// Prometheus Alertmanager.
    Alertmanager,
    /// Splunk HTTP event collector.
    SplunkHec,
}

impl WebhookFormat {
    /// All of them.
    pub const ALL: [Self; 5] =
        [Self::Egret, Self::Ecs, Self::Ocsf, Self::Alertmanager, Self::SplunkHec];

    /// Its name in the config.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Egret => "egret",
            Self::Ecs => "ecs",
            Self::Ocsf => "ocsf",
            Self::Alertmanager => "alertmanager",
            Self::SplunkHec => "splunk-hec",
        }
    }
}

/// `[[deliver.syslog]]`: CEF in RFC 5424.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SyslogTarget {
    /// `address`: `tcp://host:port`, or `udp` or `tls`.
    pub address: Url,
    /// `ca_file`: authorities that are trusted besides the system's.
    pub ca_file: Option<PathBuf>,
    /// `min_severity`
    pub min_severity: Severity,
}

/// Whether nothing is ever sent to `address`: where clouds hand out credentials, no SOC listens.
pub fn is_link_local(address: IpAddr) -> bool {
    match address.to_canonical() {
        IpAddr::V4(address) => address.is_link_local(),
        IpAddr::V6(address) => address.is_unicast_link_local(),
    }
}

/// `[evidence]`: the packets of alerts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Evidence {
    /// `enabled`
    pub enabled: bool,
    /// `memory`: for the beginnings of recent conversations, of all workers together.
    pub memory: u64,
    /// `disk`: for the packets of alerts, in `data_dir`.
    pub disk: u64,
}

/// `[http]`: metrics, health, API and console.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Http {
    /// `listen`
    pub listen: SocketAddr,
    /// `tls`; always there when others can reach `listen`.
    pub tls: Option<HttpTls>,
    /// `token_file`: holds the bearer token; always there when others can reach `listen`.
    pub token_file: Option<PathBuf>,
    /// `url`: where people reach the console, for links in what is delivered.
    pub url: Option<Url>,
}

impl Http {
    /// Whether only this machine can reach it.
    pub fn is_local(&self) -> bool {
        self.listen.ip().to_canonical().is_loopback()
    }
}

/// `tls = { cert, key }`
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HttpTls {
    /// `cert`: file of the server's certificate chain.
    pub cert: PathBuf,
    /// `key`: file of its private key.
    pub key: PathBuf,
}

impl Default for Capture {
    fn default() -> Self {
        Self {
            interfaces: Vec::new(),
            backend: Backend::Auto,
            snaplen: 65_535,
            workers: 0,
            receive: Vec::new(),
        }
    }
}

impl Default for Evidence {
    fn default() -> Self {
        Self { enabled: true, memory: 32 << 20, disk: 256_000_000 }
    }
}

impl Default for Http {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 9477)),
            tls: None,
            token_file: None,
            url: None,
        }
    }
}
