//! What was planted in a scenario: the attacks, and the harmless things that look like them.

use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// All that was planted.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Truth {
    /// The plan's seed.
    pub seed: u64,
    /// Start of the capture.
    pub start: Time,
    /// Time up to which nothing was planted.
    pub learned: Time,
    /// End of the capture.
    pub end: Time,
    /// The attacks, in order of time.
    pub attacks: Vec<Attack>,
    /// Harmless things that look like attacks, in order of time.
    pub hard_negatives: Vec<HardNegative>,
    /// Guest operations that logs tell of, each once however often it is told.
    pub operations: u64,
    /// Harmless changes of mirrors that audit records tell of.
    #[serde(default)]
    pub changes: u64,
    /// Hosts, vCenters and guests: what false alerts are counted against.
    #[serde(default)]
    pub assets: u64,
    /// The harsh variants that the days have, by name.
    #[serde(default)]
    pub harsh: Vec<String>,
}

/// An attack.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Attack {
    /// What kind, as `group.variant`.
    pub kind: String,
    /// The analytic that has to find it.
    pub analytic: String,
    /// Whether Egret promises to find it; the others are planted to know how far it reaches.
    pub required: bool,
    /// Who does it.
    pub asset: Asset,
    /// Its first packet: for an exfiltration that of the first upload, after staging.
    pub first: Time,
    /// Its last packet.
    pub last: Time,
    /// First packet of each connection; of guest operations, each of them.
    pub connections: Vec<Time>,
    /// Where the connections go.
    pub destinations: Vec<Destination>,
    /// Server name asked for, where one is.
    pub sni: Option<String>,
    /// Frame bytes sent on these connections.
    pub bytes_out: u64,
    /// The guest operations that are part of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub operations: Option<Operations>,
    /// The mirror that leaks.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mirror: Option<Mirror>,
    /// What it does in order not to be found, where it does something.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub evasion: Option<String>,
    /// When it begins to make its destination look usual; what is said of it from then on is about it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub prepared: Option<Time>,
    /// How much leaves and how fast, of an exfiltration.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub exfiltration: Option<Exfiltration>,
    /// How ports follow from answers, of a beacon.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub beacon: Option<Beacon>,
}

/// How much an exfiltration takes out, and how fast.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Exfiltration {
    /// Bytes of content that leave.
    pub size: u64,
    /// Seconds from the first of them to the last.
    pub duration: u64,
    /// When the first of them leaves.
    pub first_byte: Time,
    /// Bytes that were pulled together inside before.
    pub staged: u64,
}

/// How a beacon's ports follow from what DNS answers it. Each of the attack's connections is a pair of
/// an answer and a port, of which no two are the same.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Beacon {
    /// Name of the formula.
    pub formula: String,
    /// What a sensor has to find out: `known`, `constant`, `modulus`, `affine`, `product`.
    pub family: String,
    /// Whether it connects to an address that is in no answer.
    pub elsewhere: bool,
    /// Connections to other ports of the same place in between.
    pub decoys: Vec<Time>,
}

/// What one alert has to say of a mirror that leaks.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Mirror {
    /// How bad it is.
    pub severity: String,
    /// The audit records that are part of it, by their ids; none: no log tells of it.
    pub records: Vec<String>,
    /// What has to be found in them.
    pub findings: Vec<String>,
    /// Mirrored packets on the wire.
    pub packets: u64,
}

/// Guest operations of an attack.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Operations {
    /// The account that does them, where the logs name it.
    pub account: Option<String>,
    /// Names of the virtual machines.
    pub vms: Vec<String>,
    /// What an alert about it has to say of them: one of these findings.
    pub findings: Vec<String>,
}

/// Something harmless.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct HardNegative {
    /// What kind.
    pub kind: String,
    /// Who does it.
    pub asset: Asset,
    /// Its first packet.
    pub first: Time,
    /// Where it goes, when to one place.
    pub destination: Option<Destination>,
    /// Server name asked for, where one is.
    pub sni: Option<String>,
    /// Frame bytes sent there.
    pub bytes_out: u64,
}

/// A host of the estate.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Asset {
    /// Its name in the config, if that names it.
    pub name: String,
    /// Its addresses.
    pub addresses: Vec<IpAddr>,
}

/// A server.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Destination {
    /// Address.
    pub address: IpAddr,
    /// Port.
    pub port: u16,
}

impl Truth {
    /// Puts everything in order of time and leaves out what the capture does not reach.
    pub(super) fn finish(&mut self) {
        self.hard_negatives.retain(|negative| negative.first < self.end);
        self.attacks.sort_by_key(|attack| attack.first);
        self.hard_negatives.sort_by_key(|negative| negative.first);
    }
}

/// A point in time, in nanoseconds since the epoch; written as RFC 3339 with microseconds.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct Time(pub u64);

impl fmt::Display for Time {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let time = jiff::Timestamp::from_microsecond((self.0 / 1000) as i64).expect("in range");
        write!(f, "{time:.6}")
    }
}

impl fmt::Debug for Time {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for Time {
    type Err = jiff::Error;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Ok(Self(text.parse::<jiff::Timestamp>()?.as_nanosecond() as u64))
    }
}

impl From<Time> for String {
    fn from(time: Time) -> Self {
        time.to_string()
    }
}

impl TryFrom<String> for Time {
    type Error = jiff::Error;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}
