//! Flow records: what exporters, firewalls and clouds counted becomes the same volumes, egress and
//! openings as packets do, for what no packets show.
//!
//! An asset's traffic outside, and that inside, is taken from records unless packets showed the asset's
//! traffic of that kind within [`SHOWN`] before the record: what was seen is counted already. Traffic
//! to DNS servers shows nothing: where only those are mirrored, records tell the rest. Nor does what is
//! sent to the sensor itself: where there is no mirror, it captures from an interface where exporters
//! and logs come.
//!
//! A record is of IP packets, a volume of frames: [`LINK`] bytes a packet are added. It may span minutes:
//! what it moved is spread over them ([`spread`]). Two who tell of the same two addresses are not
//! added up ([`exporters`]), and who opened a conversation is worked out from what the records of both
//! directions say ([`sessions`]).
//!
//! Bounds: 8 bytes an asset; what [`exporters`] and [`sessions`] keep. A record costs [`spread::MOST`]
//! additions at most for each end and direction.

use std::net::IpAddr;
use std::time::Duration;

use super::Engine;
use super::dns_port::DnsPort;
use super::estate::{Ends, Estate};
use super::volume::Scope;
use crate::decode::tcp_flags;
use crate::event::{
    Body, Conversation, Endpoint, Event, Flow, FlowRecord, Report, Service, Traffic, Volume,
};
use crate::inventory::AssetId;
use crate::time::Timestamp;
use exporters::Exporters;
use sessions::{Part, Sessions};
use spread::spread;

mod exporters;
mod opener;
mod sessions;
mod spread;

/// What packets showed of an asset is not taken from records of so long afterwards.
const SHOWN: u64 = 900;
/// Bytes of a frame's header, which records of IP packets do not count.
const LINK: u64 = 14;
/// What a log tells of that was longer ago is history.
const HISTORY: Duration = Duration::from_secs(86_400);
/// No link moves so many bytes in what one record tells of.
const ABSURD: u64 = 1 << 50;
/// No exporter samples more thinly (sFlow's rates have 24 bits in practice).
const THINNEST: f64 = 16_777_216.0;
/// Where DNS is asked.
const DNS: u16 = 53;

/// What became of flow records: each is in one of these.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counts {
    /// They were counted, for one of their ends at least.
    pub counted: u64,
    /// Packets show the same.
    pub shown: u64,
    /// Another exporter, or the same before, tells the same.
    pub repeated: u64,
    /// A firewall let nothing through: nothing moved.
    pub blocked: u64,
    /// Neither end is an asset.
    pub foreign: u64,
    /// They tell of more than a day ago, or of more than can be.
    pub refused: u64,
}

impl Counts {
    /// All of them, by what became of them.
    pub const fn by_result(&self) -> [(&'static str, u64); 6] {
        [
            ("counted", self.counted),
            ("shown_by_packets", self.shown),
            ("repeated", self.repeated),
            ("blocked", self.blocked),
            ("foreign", self.foreign),
            ("refused", self.refused),
        ]
    }
}

/// What becomes of one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Became {
    Counted,
    Shown,
    Repeated,
    Blocked,
    Foreign,
    Refused,
}

/// Who tells of a conversation that no packet shows, and how much of it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Teller {
    pub(crate) service: Service,
    /// One packet in so many was counted, where not all were.
    pub(crate) one_in: Option<f64>,
}

/// What is kept of flow records.
#[derive(Debug)]
pub(super) struct Exported {
    counts: Counts,
    /// When packets last showed an asset's traffic inside and outside, in seconds.
    shown: Vec<[u32; 2]>,
    /// Whether packets ever showed anything.
    has_packets: bool,
    /// Whether there ever was a record.
    has_records: bool,
    exporters: Exporters,
    sessions: Sessions,
    /// The sensor's addresses.
    own: Vec<IpAddr>,
}

/// What one record moved, and when.
#[derive(Debug, Clone, Copy)]
struct Moved {
    first: Timestamp,
    last: Timestamp,
    sent: Traffic,
    received: Traffic,
    /// What `sent` shows of TCP flags.
    tcp_flags: Option<u8>,
    one_in: Option<f64>,
}

impl Exported {
    pub(super) fn new() -> Self {
        Self {
            counts: Counts::default(),
            shown: Vec::new(),
            has_packets: false,
            has_records: false,
            exporters: Exporters::new(),
            sessions: Sessions::new(),
            own: Vec::new(),
        }
    }

    pub(super) fn reside(&mut self, own: &[IpAddr]) {
        self.own = own.to_vec();
    }

    /// Packets show what assets move.
    #[inline]
    pub(super) fn see(&mut self, estate: &Estate, ends: Ends, flow: &Flow, time: Timestamp) {
        self.has_packets = true;
        let is_own = |end: &Endpoint| self.own.contains(&end.address);
        if flow.server.port == DNS || is_own(&flow.server) || is_own(&flow.client) {
            return;
        }
        if let Some(client) = ends.client {
            self.show(client, estate.client_scope(ends), time);
        }
        if let Some(server) = ends.server {
            self.show(server, estate.server_scope(ends, flow), time);
        }
    }

    fn show(&mut self, asset: AssetId, scope: Scope, time: Timestamp) {
        if self.shown.len() <= asset.index() {
            self.shown.resize(asset.index() + 1, [0; 2]);
        }
        let shown = self.shown.get_mut(asset.index()).and_then(|of| of.get_mut(scope as usize));
        if let Some(shown) = shown {
            *shown = u32::try_from(time.as_secs()).unwrap_or(u32::MAX);
        }
    }

    /// Whether packets show what `asset` moved from `first` on.
    fn is_shown(&self, asset: AssetId, scope: Scope, first: Timestamp) -> bool {
        let shown = self.shown.get(asset.index()).and_then(|of| of.get(scope as usize));
        shown.is_some_and(|shown| *shown > 0 && u64::from(*shown) + SHOWN >= first.as_secs())
    }
}

impl Moved {
    /// What a record says that is there `now`, as far as it can be.
    fn of(record: &FlowRecord, now: Timestamp) -> Option<Self> {
        let last = record.last.min(now);
        if now.since(last) > HISTORY {
            return None;
        }
        let one_in = record.one_in.filter(|one_in| *one_in > 1.0 && *one_in <= THINNEST);
        let all = |seen: Traffic| {
            let times = |count: u64| (count as f64 * one_in.unwrap_or(1.0)) as u64;
            let packets = if one_in.is_some() { times(seen.packets) } else { seen.packets };
            let bytes = if one_in.is_some() { times(seen.bytes) } else { seen.bytes };
            let bytes = bytes.checked_add(packets.checked_mul(LINK)?)?;
            (bytes <= ABSURD).then_some(Traffic { packets, bytes })
        };
        Some(Self {
            first: record.first.min(last).max(last.minus(HISTORY)),
            last,
            sent: all(record.sent)?,
            received: all(record.received.unwrap_or_default())?,
            tcp_flags: record.tcp_flags,
            one_in,
        })
    }

    /// Leaves out what another tells of.
    fn only(&mut self, is_sent: bool, is_received: bool) {
        if !is_sent {
            self.sent = Traffic::default();
        }
        if !is_received {
            self.received = Traffic::default();
        }
    }

    /// What went to the server and to the client, where `from` is the client or not.
    fn volume(&self, is_from_client: bool) -> Volume {
        let (to_server, to_client) =
            if is_from_client { (self.sent, self.received) } else { (self.received, self.sent) };
        // What the server answered stands in another record.
        let tcp_flags = self.tcp_flags.filter(|_| is_from_client).map(|client| [client, 0]);
        Volume { since: self.first, to_server, to_client, tcp_flags, one_in: None }
    }
}

impl Engine {
    /// What became of flow records so far.
    pub const fn flow_records(&self) -> Counts {
        self.exported.counts
    }

    /// Takes a flow record.
    pub(super) fn exported(&mut self, report: &Report, record: &FlowRecord) {
        // Records alone say that somebody still watches.
        if !self.exported.has_packets {
            self.estate.see(self.now);
        }
        let now = self.now;
        while let Some((flow, service)) = self.exported.sessions.due(now) {
            self.begun(flow, service);
        }
        self.exported.has_records = true;
        let became = self.recorded(report, record);
        let counts = &mut self.exported.counts;
        let count = match became {
            Became::Counted => &mut counts.counted,
            Became::Shown => &mut counts.shown,
            Became::Repeated => &mut counts.repeated,
            Became::Blocked => &mut counts.blocked,
            Became::Foreign => &mut counts.foreign,
            Became::Refused => &mut counts.refused,
        };
        *count += 1;
    }

    /// Packets show that a conversation begins: what it moves is told up to 10 s later, and a record of a
    /// short one may be there before.
    #[inline]
    pub(super) fn seen_opening(&mut self, event: &Event) {
        if self.exported.has_records {
            let ends = self.estate.ends(&event.flow, event.time);
            self.restore();
            self.exported.see(&self.estate, ends, &event.flow, event.time);
        }
    }

    fn recorded(&mut self, report: &Report, record: &FlowRecord) -> Became {
        let service = report.reporter.service;
        let Some(mut moved) = Moved::of(record, self.now) else { return Became::Refused };
        let inventory = &self.estate.inventory;
        if [record.from.0, record.to.0].iter().all(|end| inventory.at(*end).is_none()) {
            return Became::Foreign;
        }
        let Exported { exporters, sessions, .. } = &mut self.exported;
        if !record.is_blocked {
            let [is_sent, is_received] = exporters.take(&report.reporter, record, self.now);
            if !is_sent && !is_received {
                return Became::Repeated;
            }
            moved.only(is_sent, is_received);
        }
        let span = [moved.first, moved.last];
        let Some(part) = sessions.take(service, record, span, self.now) else {
            return Became::Repeated;
        };
        moved.first = part.first;
        if part.opens {
            self.begun(part.flow.clone(), service);
        }
        if record.is_blocked {
            self.refused(part.flow);
            return Became::Blocked;
        }
        self.told(&part, &moved, service)
    }

    /// A conversation's opening as a log tells it. When one that has ended began is not said.
    pub(super) fn logged(&mut self, report: &Report, conversation: &Conversation) {
        if conversation.bytes.is_some() {
            return;
        }
        let service = report.reporter.service;
        let ends = [conversation.client, conversation.server];
        let flow = sessions::flow(0, ends, conversation.protocol, report.time);
        // The firewall says at its end what it moved.
        if service == Service::Nsx && !conversation.is_blocked {
            self.exported.sessions.begin(service, conversation, report.time);
        }
        if conversation.is_blocked {
            self.refused(flow.clone());
        }
        self.begun(flow, service);
    }

    /// A firewall let nothing of a conversation through: the channels count it as an attempt.
    fn refused(&mut self, flow: Flow) {
        let Some(channels) = &mut self.channels else { return };
        let ends = self.estate.ends(&flow, flow.opened);
        let (since, none) = (flow.opened, Traffic::default());
        let tcp_flags = Some([tcp_flags::SYN, tcp_flags::RST]);
        let volume = Volume { since, to_server: none, to_client: none, tcp_flags, one_in: None };
        let event = Event { time: self.now.max(since), flow, body: Body::Volume(volume) };
        channels.volume(&self.estate, ends, &event, &volume, &mut self.alerts);
    }

    /// A conversation's opening, as records tell of it.
    fn begun(&mut self, flow: Flow, service: Service) {
        if DnsPort::wants(&flow) {
            let event = Event { time: flow.opened, flow, body: Body::Opened };
            self.opened(&event, Some(service));
        }
    }

    /// Those conversations that nobody told more of.
    pub(super) fn finish_openings(&mut self) {
        while let Some((flow, service)) = self.exported.sessions.due(Timestamp::MAX) {
            self.begun(flow, service);
        }
    }

    /// Takes what a record says that a conversation moved.
    fn told(&mut self, part: &Part, moved: &Moved, service: Service) -> Became {
        let flow = &part.flow;
        let ends = self.estate.ends(flow, moved.first);
        self.restore();
        let volume = moved.volume(part.is_from_client);
        let (there, back) = (volume.to_server.bytes, volume.to_client.bytes);
        let (client, server) = (flow.client.address, flow.server.address);
        let event = Event { time: moved.last, flow: flow.clone(), body: Body::Volume(volume) };
        let mut became = Became::Shown;
        if let Some(asset) = ends.client {
            let scope = self.estate.client_scope(ends);
            if !self.exported.is_shown(asset, scope, moved.first) {
                became = Became::Counted;
                self.spread(asset, scope, server, moved, [back, there]);
                let by = Teller { service, one_in: moved.one_in };
                if let Some(egress) = &mut self.tls_egress {
                    egress.recorded(&self.estate, ends, &event, &volume, by, &mut self.alerts);
                }
            }
        }
        if let Some(asset) = ends.server {
            let scope = self.estate.server_scope(ends, flow);
            if !self.exported.is_shown(asset, scope, moved.first) {
                became = Became::Counted;
                self.spread(asset, scope, client, moved, [there, back]);
            }
        }
        if became == Became::Counted
            && let Some(channels) = &mut self.channels
        {
            channels.volume(&self.estate, ends, &event, &volume, &mut self.alerts);
        }
        became
    }

    /// Adds to what an asset moved, over the time that it took.
    fn spread(
        &mut self,
        asset: AssetId,
        scope: Scope,
        peer: IpAddr,
        moved: &Moved,
        amounts: [u64; 2],
    ) {
        let packets = moved.sent.packets.saturating_add(moved.received.packets);
        for (time, amounts) in spread(moved.first, moved.last, packets, amounts) {
            self.estate.note_end(asset, scope, peer, time, amounts);
        }
    }
}

#[cfg(test)]
mod tests;
