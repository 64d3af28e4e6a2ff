//! Relays: what comes into a management component or a host with SSH goes out of it, as much at a time.
//!
//! Bounds an asset: the last [`LEGS`] volumes of each kind.

use std::net::IpAddr;
use std::time::Duration;

use arrayvec::ArrayVec;

use super::finding::{Finding, Look};
use super::table::{Detector, Learns, Reads};
use crate::alert::Severity;
use crate::event::Volume;
use crate::time::{ByteSize, Timestamp};

/// A relay.
pub(super) const RELAY: Detector = Detector {
    name: "relay",
    title: "An asset passes on what it is sent",
    detects: "what one host sends an asset goes on to another host in the same seconds, as many bytes each \
              time; looked for at management components, and where either side is SSH or SOCKS",
    techniques: &["T1090.001", "T1572", "T1563.001"],
    most: Severity::Medium,
    prior: (-1.0, "jump hosts are there for that"),
    reads: &[Reads::Flows],
    bound: "4 times 10 s with 32 KiB or more each way in that differ by 5 % at most; storage (2049, 3260), \
            the datastore service (902) and migration (8000) are left out",
    learns: Learns::Usual,
};

const LEGS: usize = 8;
const LEAST: u64 = 32 * 1024;
const TIMES: u32 = 4;
const TOGETHER: Duration = Duration::from_secs(11);

#[derive(Debug, Clone, Copy)]
struct Leg {
    time: Timestamp,
    peer: IpAddr,
    port: u16,
    bytes: u64,
}

/// What came in and went out of one asset.
#[derive(Debug, Default)]
pub(super) struct Relay {
    /// Sent to the asset by its clients.
    inward: ArrayVec<Leg, LEGS>,
    /// Sent by the asset to its servers.
    outward: ArrayVec<Leg, LEGS>,
    /// Who sent to whom, and how often it was as much.
    pair: Option<(IpAddr, IpAddr, u32, Timestamp)>,
}

/// Whether a volume may be a leg of a relay by what it moved towards the server.
pub(super) fn is_leg(look: &Look<'_>, volume: &Volume) -> bool {
    let port = look.flow.server.port;
    volume.to_server.bytes >= LEAST && !matches!(port, 2049 | 3260 | 902 | 8000)
}

/// Whether a port is one that relays are reached or reach on.
pub(super) const fn is_relays(port: u16) -> bool {
    matches!(port, 22 | 1080 | 9050)
}

impl Relay {
    /// A client sent to the asset.
    pub(super) fn comes_in(
        &mut self,
        look: &Look<'_>,
        volume: &Volume,
        is_management: bool,
    ) -> Option<Finding> {
        let asset = look.ends.server?;
        let leg = leg(look, look.flow.client.address, volume);
        push(&mut self.inward, leg);
        let pair = matching(&self.outward, &leg, is_management)?;
        self.count(look, asset, [leg, pair]).map(Finding::of_server)
    }

    /// The asset sent to a server.
    pub(super) fn goes_out(
        &mut self,
        look: &Look<'_>,
        volume: &Volume,
        is_management: bool,
    ) -> Option<Finding> {
        let asset = look.ends.client?;
        let leg = leg(look, look.flow.server.address, volume);
        push(&mut self.outward, leg);
        let pair = matching(&self.inward, &leg, is_management)?;
        self.count(look, asset, [pair, leg]).map(|found| found.at(look, None))
    }

    fn count(
        &mut self,
        look: &Look<'_>,
        asset: crate::inventory::AssetId,
        [from, to]: [Leg; 2],
    ) -> Option<Finding> {
        let (count, since) = match self.pair {
            Some((a, b, count, since)) if (a, b) == (from.peer, to.peer) => (count + 1, since),
            _ => (1, from.time.min(to.time)),
        };
        self.pair = Some((from.peer, to.peer, count, since));
        if !super::finding::crosses(count, TIMES) {
            return None;
        }
        let size = ByteSize(from.bytes);
        let what = format!(
            "passed on to {} port {} what {} sent it, {size} last",
            to.peer, to.port, from.peer
        );
        let counted = ("times as much came in as went out", f64::from(count), f64::from(TIMES));
        let found = Finding::new(&RELAY, asset, since, counted);
        let subject = format!("{} to {}", from.peer, to.peer);
        let _ = look;
        Some(found.about(subject, what).with(vec![from.peer.to_string(), to.peer.to_string()]))
    }
}

fn leg(look: &Look<'_>, peer: IpAddr, volume: &Volume) -> Leg {
    Leg { time: volume.since, peer, port: look.flow.server.port, bytes: volume.to_server.bytes }
}

fn push(legs: &mut ArrayVec<Leg, LEGS>, leg: Leg) {
    if legs.is_full() {
        legs.remove(0);
    }
    legs.push(leg);
}

/// The other leg of what `leg` moved.
fn matching(legs: &ArrayVec<Leg, LEGS>, leg: &Leg, is_management: bool) -> Option<Leg> {
    legs.iter().rev().copied().find(|other| {
        let apart = other.time.since(leg.time).max(leg.time.since(other.time));
        other.peer != leg.peer
            && apart <= TOGETHER
            && other.bytes.abs_diff(leg.bytes) <= leg.bytes / 20
            && (is_management || is_relays(other.port) || is_relays(leg.port))
    })
}

#[cfg(test)]
mod tests;
