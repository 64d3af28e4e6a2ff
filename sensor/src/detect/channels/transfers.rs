//! What leaves, and for how long: much out and little in, uploads, conversations that last.
//!
//! TLS is left out where bytes are counted: what leaves over TLS is AN1416's, which knows what is usual.
//!
//! Bounds an asset: [`PLACES`] networks outside, [`TOLD`] conversations that last.

use std::time::Duration;

use arrayvec::ArrayVec;
use ipnet::IpNet;

use super::finding::{Finding, Look, Place};
use super::table::{Detector, Learns, Reads};
use crate::alert::Severity;
use crate::detect::domain::network;
use crate::detect::volume::{Direction, Scope, Series};
use crate::event::Volume;
use crate::time::{ByteSize, Elapsed, Timestamp};

/// Much out and little in.
pub(super) const OUT_IN_RATIO: Detector = Detector {
    name: "out_in_ratio",
    title: "Much more out than in",
    detects: "an asset sends a network outside far more than it gets from there, by conversations that are \
              not TLS",
    techniques: &["T1048.003", "T1041"],
    most: Severity::Low,
    prior: (-1.5, "logs, backups and media go one way, too"),
    reads: &[Reads::Flows],
    bound: "20 times as much out as in and 5 MB out, within a day",
    learns: Learns::Usual,
};

/// An upload.
pub(super) const LARGE_UPLOAD: Detector = Detector {
    name: "large_upload",
    title: "Large upload without TLS",
    detects: "an asset sends a network outside much, by conversations that are not TLS (TLS is AN1416's)",
    techniques: &["T1048.003", "T1567"],
    most: Severity::Medium,
    prior: (-1.0, "backups and replication leave in bulk, too"),
    reads: &[Reads::Flows],
    bound: "100 MB within a day",
    learns: Learns::Usual,
};

/// A conversation that lasts.
pub(super) const LONG_CONVERSATION: Detector = Detector {
    name: "long_conversation",
    title: "Conversation with the outside that lasts",
    detects: "a conversation of an asset with the outside goes on for a day",
    techniques: &["T1071", "T1572"],
    most: Severity::Informational,
    prior: (-3.0, "tunnels between sites, message queues and agents stay connected"),
    reads: &[Reads::Flows],
    bound: "24 h, once a conversation",
    learns: Learns::Usual,
};

/// Much inside at once.
pub(super) const INTERNAL_VOLUME: Detector = Detector {
    name: "internal_volume",
    title: "Far more sent inside than usual",
    detects: "an asset sends far more inside within minutes than it ever does at this time",
    techniques: &["T1498.001", "T1570"],
    most: Severity::Informational,
    prior: (-3.0, "copies and backups that nobody planned do the same"),
    reads: &[Reads::Flows],
    bound: "a spike of the sums over 1 min, 10 min or an hour as docs/egress.md has it, 1 GB and 10 \
            times what is usual at least, that was not there at this time of day before",
    learns: Learns::Usual,
};

const RATIO: u64 = 20;
const OUT: u64 = 5_000_000;
const UPLOAD: u64 = 100_000_000;
const INSIDE: u64 = 1_000_000_000;
const DAY: Duration = Duration::from_secs(86_400);
const PLACES: usize = 8;
const TOLD: usize = 8;
/// From so much out at a time on, and with so much less in, a network is looked at.
const WORTH: u64 = 64 * 1024;
const UNEVEN: u64 = 4;

/// What one asset sends outside.
#[derive(Debug, Default)]
pub(super) struct Transfers {
    places: ArrayVec<Sent, PLACES>,
    told: ArrayVec<u64, TOLD>,
}

/// What went to a network and came from it, without TLS.
#[derive(Debug)]
struct Sent {
    to: IpNet,
    since: Timestamp,
    last: Timestamp,
    out: u64,
    back: u64,
    /// What was told of it last: by the ratio, and by the bytes.
    told: [u64; 2],
}

/// Whether a volume is worth a look for who has no network under watch.
pub(super) const fn is_uneven(volume: &Volume) -> bool {
    volume.to_server.bytes >= WORTH && volume.to_server.bytes / UNEVEN > volume.to_client.bytes
}

impl Transfers {
    /// Whether any network is under watch.
    pub(super) fn watches(&self) -> bool {
        !self.places.is_empty()
    }

    /// Something that is no TLS moved between the asset and the outside.
    pub(super) fn moved(&mut self, look: &Look<'_>, volume: &Volume) -> [Option<Finding>; 2] {
        let to = network(look.flow.server.address);
        let place = self.places.iter().position(|sent| sent.to == to);
        let place = match place {
            Some(place) => place,
            None if is_uneven(volume) => self.watch(to, look.now),
            None => return [None, None],
        };
        let Some(sent) = self.places.get_mut(place) else { return [None, None] };
        if look.now.since(sent.since) > DAY {
            *sent = Sent { to, since: look.now, last: look.now, out: 0, back: 0, told: [0; 2] };
        }
        sent.last = look.now;
        sent.out = sent.out.saturating_add(volume.to_server.bytes);
        sent.back = sent.back.saturating_add(volume.to_client.bytes);
        [sent.ratio(look), sent.upload(look)]
    }

    fn watch(&mut self, to: IpNet, now: Timestamp) -> usize {
        if self.places.is_full() {
            let oldest = self.places.iter().enumerate().min_by_key(|(_, sent)| sent.last);
            let oldest = oldest.map_or(0, |(place, _)| place);
            self.places.swap_remove(oldest);
        }
        self.places.push(Sent { to, since: now, last: now, out: 0, back: 0, told: [0; 2] });
        self.places.len() - 1
    }

    /// A conversation with the outside goes on, as old as this.
    pub(super) fn lasts(&mut self, look: &Look<'_>, age: Duration) -> Option<Finding> {
        let (asset, flow) = (look.ends.client?, look.flow);
        if age < DAY || self.told.contains(&flow.id) {
            return None;
        }
        if self.told.is_full() {
            self.told.remove(0);
        }
        self.told.push(flow.id);
        let to = &flow.server;
        let what =
            format!("has spoken with {} on port {} for {}", to.address, to.port, Elapsed(age));
        let counted = ("seconds", age.as_secs() as f64, DAY.as_secs() as f64);
        let found = Finding::new(&LONG_CONVERSATION, asset, flow.opened, counted);
        Some(found.about(format!("{} {}", network(to.address), to.port), what).at(look, None))
    }
}

/// An asset sent much inside just now. `told`: when the spike began that was told last, in seconds.
pub(super) fn inside(look: &Look<'_>, told: &mut u32) -> Option<Finding> {
    const SPAN: Duration = Duration::from_secs(60);
    let asset = look.ends.client?;
    let series = Series(Scope::Internal, Direction::Out);
    let spike = look.estate.volumes.recent_spike(asset, series, look.now, SPAN)?;
    let is_large = spike.bytes >= INSIDE && spike.bytes / 10 >= spike.expected;
    let onset = u32::try_from(spike.onset.as_secs()).unwrap_or(u32::MAX);
    if onset == *told || spike.window > 3600 || !is_large || spike.novelty < 1.0 {
        return None;
    }
    *told = onset;
    let bytes = spike.bytes;
    let what = format!("sent {} inside, last to {}", ByteSize(bytes), look.flow.server.address);
    let counted = ("bytes", bytes as f64, INSIDE as f64);
    let mut found = Finding::new(&INTERNAL_VOLUME, asset, spike.onset, counted);
    (found.weight, found.usual) = (0.0, Some(spike.expected as f64));
    Some(found.about(format!("hour {}", spike.onset.as_secs() / 3600 % 24), what))
}

impl Sent {
    fn ratio(&mut self, look: &Look<'_>) -> Option<Finding> {
        let bound = OUT.max(self.told.first()?.saturating_mul(4));
        if self.out < bound || self.out / RATIO < self.back {
            return None;
        }
        *self.told.first_mut()? = self.out;
        let what =
            format!("sent {} to {} and got {}", ByteSize(self.out), self.to, ByteSize(self.back));
        let ratio = self.out as f64 / self.back.max(1) as f64;
        self.found(&OUT_IN_RATIO, look, ("times as much out as in", ratio, RATIO as f64), what)
    }

    fn upload(&mut self, look: &Look<'_>) -> Option<Finding> {
        let bound = UPLOAD.max(self.told.last()?.saturating_mul(4));
        if self.out < bound {
            return None;
        }
        *self.told.last_mut()? = self.out;
        let what = format!("sent {} to {} without TLS", ByteSize(self.out), self.to);
        self.found(&LARGE_UPLOAD, look, ("bytes", self.out as f64, UPLOAD as f64), what)
    }

    fn found(
        &self,
        of: &'static Detector,
        look: &Look<'_>,
        counted: (&'static str, f64, f64),
        what: String,
    ) -> Option<Finding> {
        let mut found = Finding::new(of, look.ends.client?, self.since, counted);
        let server = &look.flow.server;
        found.weight = super::finding::excess(
            self.out as f64,
            if of.name == OUT_IN_RATIO.name { OUT } else { UPLOAD } as f64,
        );
        found.place = Some(Place { address: server.address, port: server.port, name: None });
        Some(found.about(self.to.to_string(), what))
    }
}

#[cfg(test)]
mod tests;
