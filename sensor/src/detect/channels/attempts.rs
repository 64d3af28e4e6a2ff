//! Connections that nobody takes: scans of one host, sweeps over many, and knocks before a success.
//!
//! Bounds an asset: [`TRACKS`] hosts that it tries ports of and [`TRACKS`] ports that it tries hosts on,
//! with [`MOST`] each: 3.5 KB once it tried anything; and the last [`KNOCKS`] attempts on it. A host or
//! port that nothing new was tried on for [`QUIET`] is forgotten, so that a slow scan is found, too.

use std::net::IpAddr;
use std::time::Duration;

use arrayvec::ArrayVec;

use super::few;
use super::finding::{Finding, Look, crosses, hashed};
use super::table::{Detector, Learns, Reads};
use crate::alert::Severity;
use crate::decode::protocol;
use crate::time::Timestamp;

/// Ports of one host, refused or unanswered.
pub(super) const PORT_SCAN: Detector = Detector {
    name: "port_scan",
    title: "Ports of one host scanned",
    detects: "an asset tries many ports of one host, which are refused or do not answer",
    techniques: &["T1046"],
    most: Severity::Medium,
    prior: (-1.0, "inventory tools and services that moved try closed ports, too"),
    reads: &[Reads::Flows],
    bound: "16 ports, none of them more than an hour after the one before",
    learns: Learns::Usual,
};

/// Hosts on one port.
pub(super) const HOST_SWEEP: Detector = Detector {
    name: "host_sweep",
    title: "Many hosts tried on one port",
    detects: "an asset tries many hosts on one port, which refuse or do not answer",
    techniques: &["T1046", "T1018"],
    most: Severity::Medium,
    prior: (-1.0, "monitoring and deployment try hosts that are off, too"),
    reads: &[Reads::Flows],
    bound: "24 hosts, none of them more than an hour after the one before; outside only over TCP",
    learns: Learns::Usual,
};

/// Ports of an asset, from outside.
pub(super) const SCANNED: Detector = Detector {
    name: "scanned",
    title: "Ports scanned from outside",
    detects: "somebody outside tries many ports of an asset",
    techniques: &["T1595.001"],
    most: Severity::Informational,
    prior: (-3.0, "what can be reached from the Internet is scanned all the time"),
    reads: &[Reads::Flows],
    bound: "64 ports of an asset from one address, none more than an hour after the one before",
    learns: Learns::Nothing,
};

/// A success after refusals in a row.
pub(super) const PORT_KNOCK: Detector = Detector {
    name: "port_knock",
    title: "A port that opened after knocks on others",
    detects: "one address tries a few closed ports of an asset and then gets through on a port on which \
              the asset was never reached",
    techniques: &["T1205.001"],
    most: Severity::Medium,
    prior: (-0.5, "a client that looks for a service may try its ports in a row"),
    reads: &[Reads::Flows],
    bound: "3 to 8 closed ports of an asset within 60 s before",
    learns: Learns::Usual,
};

const PORTS: u32 = 16;
const HOSTS: u32 = 24;
const PORTS_FROM_OUTSIDE: u32 = 64;
const QUIET: Duration = Duration::from_secs(3600);
const TRACKS: usize = 4;
const MOST: usize = 128;
const SHOWN: usize = 8;

/// Something that ports or hosts are counted for.
#[derive(Debug)]
struct Track<K, V> {
    key: K,
    since: Timestamp,
    last: Timestamp,
    /// At most [`MOST`].
    seen: Vec<V>,
    /// At most [`SHOWN`].
    shown: Vec<IpAddr>,
}

/// What one asset tried, or what was tried on it from outside.
#[derive(Debug, Default)]
pub(super) struct Attempts {
    /// At most [`TRACKS`] each.
    hosts: Vec<Track<IpAddr, u16>>,
    ports: Vec<Track<(u8, u16), u32>>,
}

/// Counts another of a key; how many there are now, if it is new. What is oldest gives way.
fn count<K: PartialEq, V: PartialEq>(
    tracks: &mut Vec<Track<K, V>>,
    now: Timestamp,
    (key, value): (K, V),
) -> Option<&mut Track<K, V>> {
    let place = tracks.iter().position(|track| track.key == key).unwrap_or_else(|| {
        if tracks.len() >= TRACKS {
            let oldest = tracks.iter().enumerate().min_by_key(|(_, track)| track.last);
            let oldest = oldest.map_or(0, |(place, _)| place);
            tracks.swap_remove(oldest);
        }
        tracks.push(Track { key, since: now, last: now, seen: Vec::new(), shown: Vec::new() });
        tracks.len() - 1
    });
    let track = tracks.get_mut(place)?;
    if now.since(track.last) > QUIET {
        track.seen.clear();
        track.shown.clear();
        track.since = now;
    }
    if !few::add(&mut track.seen, value, MOST) {
        return None;
    }
    track.last = track.last.max(now);
    Some(track)
}

impl Attempts {
    /// The asset tried this conversation's server in vain.
    pub(super) fn tries(&mut self, look: &Look<'_>) -> [Option<Finding>; 2] {
        let (Some(asset), server) = (look.ends.client, look.flow.server) else {
            return [None, None];
        };
        let is_udp = look.flow.protocol == protocol::UDP;
        if is_udp && look.ends.outbound {
            return [None, None];
        }
        let opened = look.flow.opened;
        let scan =
            count(&mut self.hosts, opened, (server.address, server.port)).and_then(|track| {
                let ports = track.seen.len() as u32;
                crosses(ports, PORTS).then(|| {
                    let what = format!("tried {ports} ports of {} in vain", server.address);
                    let counted =
                        ("ports refused or unanswered", f64::from(ports), f64::from(PORTS));
                    let found = Finding::new(&PORT_SCAN, asset, track.since, counted);
                    found.about(server.address.to_string(), what).with(ports_of(&track.seen))
                })
            });
        let host = hashed(server.address) as u32;
        let key = ((look.flow.protocol, server.port), host);
        let sweep = count(&mut self.ports, opened, key).and_then(|track| {
            if track.shown.len() < SHOWN {
                track.shown.push(server.address);
            }
            let hosts = track.seen.len() as u32;
            crosses(hosts, HOSTS).then(|| {
                let protocol = if is_udp { "UDP" } else { "TCP" };
                let port = format!("{protocol} port {}", server.port);
                let counted = ("hosts refused or unanswered", f64::from(hosts), f64::from(HOSTS));
                let found = Finding::new(&HOST_SWEEP, asset, track.since, counted);
                let shown = track.shown.iter().map(ToString::to_string).collect();
                found.about(&port, format!("tried {hosts} hosts on {port} in vain")).with(shown)
            })
        });
        [scan, sweep]
    }

    /// Somebody outside tried the asset in vain.
    pub(super) fn is_tried(&mut self, look: &Look<'_>) -> Option<Finding> {
        let (asset, flow) = (look.ends.server?, look.flow);
        let client = flow.client.address;
        let track = count(&mut self.hosts, flow.opened, (client, flow.server.port))?;
        let ports = track.seen.len() as u32;
        if !crosses(ports, PORTS_FROM_OUTSIDE) {
            return None;
        }
        let counted = ("closed ports tried", f64::from(ports), f64::from(PORTS_FROM_OUTSIDE));
        let found = Finding::new(&SCANNED, asset, track.since, counted);
        let what = format!("was tried on {ports} closed ports by {client}");
        Some(found.about(client.to_string(), what).with(ports_of(&track.seen)).of_server())
    }
}

fn ports_of(seen: &[u16]) -> Vec<String> {
    seen.iter().take(SHOWN).map(u16::to_string).collect()
}

/// The last attempts on an asset.
#[derive(Debug, Default)]
pub(super) struct Knocks(ArrayVec<(Timestamp, IpAddr, u16), KNOCKS>);

const KNOCKS: usize = 16;
const FEWEST: usize = 3;
const LONGEST: usize = 8;
const WITHIN: Duration = Duration::from_secs(60);
/// A port that was closed itself until just now was opened by the knocks.
const WAS_CLOSED: f64 = 1.5;

impl Knocks {
    /// A connection to the asset was refused or not answered.
    pub(super) fn refused(&mut self, look: &Look<'_>) {
        if self.0.is_full() {
            self.0.remove(0);
        }
        let flow = look.flow;
        self.0.push((flow.opened, flow.client.address, flow.server.port));
    }

    /// A connection to the asset got through on a port on which it was not reached before.
    pub(super) fn opened(&mut self, look: &Look<'_>) -> Option<Finding> {
        let (asset, flow) = (look.ends.server?, look.flow);
        let (client, port) = (flow.client.address, flow.server.port);
        let mut ports: ArrayVec<u16, KNOCKS> = ArrayVec::new();
        let mut since = flow.opened;
        for (time, who, knocked) in &self.0 {
            let is_recent = *time <= flow.opened && flow.opened.since(*time) <= WITHIN;
            if *who == client && is_recent {
                since = since.min(*time);
                if !ports.contains(knocked) {
                    ports.push(*knocked);
                }
            }
        }
        let was_closed = ports.contains(&port);
        ports.retain(|knocked| *knocked != port);
        if !(FEWEST..=LONGEST).contains(&ports.len()) {
            return None;
        }
        self.0.retain(|(_, who, _)| *who != client);
        let count = ports.len();
        let counted = ("closed ports tried before", count as f64, FEWEST as f64);
        let mut found = Finding::new(&PORT_KNOCK, asset, since, counted);
        if was_closed {
            found.weight += WAS_CLOSED;
        }
        let what =
            format!("let {client} in on port {port} after it had tried {count} closed ports");
        Some(found.about(port.to_string(), what).with(ports_of(&ports)).of_server())
    }
}

#[cfg(test)]
mod tests;
