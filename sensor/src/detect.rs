//! The detectors and the state they share, driven by events in the order of their time.
//!
//! Time is that of the events: nothing here reads a clock, and the same events give the same
//! alerts. Each detector is one module; none knows another.

use std::net::IpAddr;
use std::time::Duration;

use crate::alert::Alert;
use crate::baseline::Baseline;
use crate::config::Config;
use crate::event::{Body, Event, GuestOperation, Mirrored, Neighbour, Report, Said, Service};
use crate::mirror::{MirrorFacts, SourceFacts};
use crate::time::Timestamp;
use channels::Channels;
use dns_port::DnsPort;
use estate::{Estate, estimated};
use exported::Exported;
use fleet::Fleet;
use guest_operations::GuestOperations;
use mirror_policy::MirrorPolicy;
use tls_egress::TlsEgress;

pub use asked::Watched;
pub use budget::Spending;
pub use channels::{CHANNELS, Detector, Reads, Row, rows};
pub use exported::Counts as FlowRecords;
pub use fleet::Unknown;
pub use volume::{Chart, Hour as HourMoved, Past};

mod answers;
mod asked;
mod awaited;
mod budget;
mod by_slot;
mod changes;
mod channels;
mod dns_port;
mod domain;
mod estate;
mod exported;
mod fleet;
mod guest_operations;
mod lasting;
mod mirror_policy;
mod names;
mod operations;
mod recent;
mod reconfigure;
mod seen;
mod statistics;
mod tls_egress;
mod volume;

/// What only the passing of time changes is looked at so often.
const TICK: u64 = 1800;

/// When the next tick after `time` begins.
const fn tick_after(time: Timestamp) -> Timestamp {
    Timestamp::from_parts((time.as_secs() / TICK + 1) * TICK, 0)
}

/// All detectors.
#[derive(Debug)]
pub struct Engine {
    estate: Estate,
    tls_egress: Option<TlsEgress>,
    dns_port: Option<DnsPort>,
    guest_operations: Option<GuestOperations>,
    mirror_policy: Option<MirrorPolicy>,
    exported: Exported,
    channels: Option<Channels>,
    /// Addresses at which this sensor is sent mirrors.
    own: Vec<IpAddr>,
    alerts: Vec<Alert>,
    /// How many of them were held against the budget.
    settled: usize,
    /// Time of the latest event.
    now: Timestamp,
    /// When the next tick begins.
    next_tick: Timestamp,
    /// What an earlier run learned, to be taken over by assets as they are discovered.
    baseline: Baseline,
    /// How many assets have taken theirs over.
    restored: usize,
    /// What goes to and fro between sensors.
    fleet: Fleet,
}

/// Bytes that an asset moved.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Moved {
    /// Sent.
    pub sent: u64,
    /// Received.
    pub received: u64,
}

impl Engine {
    /// With `learn`, so much capture time from the first event only teaches, else every asset is
    /// learned for `baseline.learning` from when it is first seen. `baseline`: what was kept.
    pub fn new(config: &Config, learn: Option<Duration>, baseline: Option<Baseline>) -> Self {
        let mut baseline = baseline.unwrap_or_default();
        baseline.adopt(config);
        let mut estate = Estate::new(config, learn);
        estate.inventory.remember(&baseline);
        estate.budget.restore(&baseline.told);
        let mut engine = Self {
            estate,
            tls_egress: config.tls_egress.enabled.then(|| TlsEgress::new(&config.tls_egress)),
            dns_port: config.dns_port.enabled.then(|| DnsPort::new(&config.dns_port)),
            guest_operations: (config.guest_operations.enabled)
                .then(|| GuestOperations::new(&config.guest_operations)),
            mirror_policy: (config.mirror_policy.enabled)
                .then(|| MirrorPolicy::new(&config.mirror_policy)),
            exported: Exported::new(),
            channels: config.channels.enabled.then(|| Channels::new(&config.channels)),
            own: Vec::new(),
            alerts: Vec::new(),
            settled: 0,
            now: Timestamp::ZERO,
            next_tick: Timestamp::ZERO,
            baseline,
            restored: 0,
            fleet: Fleet::default(),
        };
        if let Some(operations) = &mut engine.guest_operations {
            operations.restore(&engine.baseline.operators);
        }
        if let Some(policy) = &mut engine.mirror_policy {
            policy.restore(&engine.baseline.mirrors);
        }
        engine
    }

    /// Takes an event; they come in the order of their time, give or take a little.
    pub fn event(&mut self, event: &Event) {
        self.advance(event.time);
        self.estate.see(event.time);
        match &event.body {
            Body::Opened => {
                if let Some(channels) = &mut self.channels {
                    channels.opened(&event.flow);
                }
                self.seen_opening(event);
                self.opened(event, None);
            }
            Body::Volume(volume) => {
                let ends = self.estate.ends(&event.flow, event.time);
                self.restore();
                let volume = estimated(volume);
                self.channels.iter().for_each(|channels| channels.prefetch(ends));
                self.estate.note_volume(ends, &event.flow, &volume);
                self.exported.see(&self.estate, ends, &event.flow, event.time);
                if let Some(egress) = &mut self.tls_egress {
                    egress.volume(&self.estate, ends, event, &volume, &mut self.alerts);
                }
                if let Some(channels) = &mut self.channels {
                    channels.volume(&self.estate, ends, event, &volume, &mut self.alerts);
                }
            }
            Body::Hello(hello) => {
                self.estate.note_session(&event.flow, hello, event.time);
                let ends = self.estate.ends(&event.flow, event.time);
                self.restore();
                self.tls_egress.iter().for_each(|egress| egress.expect(ends, &event.flow));
                let named = hello.sni.as_deref().map(|name| self.estate.answers.named(name));
                if let Some(egress) = &mut self.tls_egress {
                    egress.hello(&self.estate, ends, event, (hello, named), &mut self.alerts);
                }
                if let Some(channels) = &mut self.channels {
                    channels.hello(&self.estate, ends, event, (hello, named), &mut self.alerts);
                }
            }
            Body::Dns(message) if message.response => {
                let client = &event.flow.client;
                let asset = self.estate.inventory.resolve(client, event.time);
                if asset.is_some() || self.estate.inventory.is_internal(client.address) {
                    self.estate.answers.note(asset, event.time, message);
                }
                if let (Some(channels), Some(asset)) = (&mut self.channels, asset) {
                    channels.answered(&self.estate, asset, event, message, &mut self.alerts);
                }
            }
            Body::Spoken(app) if Channels::wants(*app, &event.flow) => {
                let ends = self.estate.ends(&event.flow, event.time);
                self.restore();
                if let Some(channels) = &mut self.channels {
                    channels.spoken(&self.estate, ends, event, *app, &mut self.alerts);
                }
            }
            Body::Dns(_) => {}
            // What moved and who said hello was told already, and the next flow in its slot ends what
            // is known of one.
            Body::Account(_) | Body::Tls(_) | Body::Spoken(_) => {}
        }
        self.settle();
    }

    /// Takes what a log said; its time may be some seconds before the latest event's.
    pub fn report(&mut self, report: &Report) {
        self.advance(report.time);
        match &report.said {
            Said::GuestOperation(operation) => self.operation(report, operation),
            Said::Conversation(conversation) => self.logged(report, conversation),
            Said::HostChanged(changed) => self.host_changed(report, changed),
            Said::Placement { vm, host, is_new } => self.placed(report.time, (vm, host), *is_new),
            Said::MirrorChanged(change) => {
                if let Some(policy) = &mut self.mirror_policy {
                    policy.changed(&self.estate, report, change, self.now, &mut self.alerts);
                }
            }
            Said::Mirrored(mirrored) => self.mirrored(mirrored, Some(report.reporter.service)),
            Said::Address { id, address } => {
                if let Some(policy) = &mut self.mirror_policy {
                    policy.addressed(id, *address);
                }
            }
            Said::Exported(record) => self.exported(report, record),
            Said::Session(_) | Said::SwitchReconfigured { .. } => {}
        }
        self.settle();
    }

    /// Goes on to a time at which nothing happened. What a log tells of that was more than a day before
    /// is history: it is known, and raises nothing.
    pub fn reach(&mut self, time: Timestamp) {
        self.advance(time);
        self.settle();
    }

    /// Says which addresses this sensor has: what it is sent there, such as flow records and logs, shows
    /// nothing of what else the senders move.
    pub fn reside(&mut self, own: &[IpAddr]) {
        self.exported.reside(own);
    }

    /// Says at which addresses this sensor is sent mirrors: those are its own.
    pub fn receive(&mut self, own: &[IpAddr]) {
        self.own = own.to_vec();
        self.mirror_policy.iter_mut().for_each(|policy| policy.receive(own));
    }

    /// Takes what packets show of mirrored traffic, or the log of that service.
    pub fn mirrored(&mut self, mirrored: &Mirrored, by: Option<Service>) {
        self.advance(mirrored.time);
        if let Some(policy) = &mut self.mirror_policy {
            policy.mirrored(&self.estate, mirrored, by, self.now, &mut self.alerts);
        }
        self.settle();
    }

    /// Takes whose an address is, as somebody on a link says.
    pub fn neighbour(&mut self, neighbour: &Neighbour) {
        self.advance(neighbour.time);
        if let Some(channels) = &mut self.channels {
            channels.neighbour(&self.estate, neighbour, &mut self.alerts);
        }
        self.settle();
    }

    /// A guest operation: judged by itself, and kept for what follows on that guest.
    fn operation(&mut self, report: &Report, operation: &GuestOperation) {
        /// How far from usual an operation is taken to be that nobody judges.
        const UNJUDGED: f64 = 0.4;
        let strangeness = self.guest_operations.as_mut().map_or(UNJUDGED, |operations| {
            operations.operation(&self.estate, report, operation, &mut self.alerts)
        });
        if operation.is_refused {
            return;
        }
        let named = operation.vm.as_ref().and_then(|vm| self.estate.inventory.called(vm));
        let Some(asset) = named else { return };
        self.estate.operations.note(asset, report, operation, strangeness);
        if let Some(egress) = &mut self.tls_egress {
            egress.orchestrated(&self.estate, asset, &mut self.alerts);
        }
    }

    /// Says what the mirror does to the traffic, over the last minutes up to `time`: while that is
    /// worth knowing, alerts say it.
    pub fn mirror(&mut self, facts: MirrorFacts, time: Timestamp) {
        self.estate.note_mirror(facts, time);
    }

    /// Says what each source of packets does to them, likewise: of a conversation's own source an alert
    /// says it first.
    pub fn sources(&mut self, facts: &[SourceFacts], time: Timestamp) {
        self.estate.sources.clear();
        self.estate.sources.extend(facts.iter().map(|known| (known.source, known.recent)));
        self.estate.sources_told = time;
    }

    /// The capture ended: a last look, and the final state of every alert.
    pub fn finish(&mut self) {
        self.finish_openings();
        if let Some(egress) = &mut self.tls_egress {
            egress.finish(&self.estate, self.now, &mut self.alerts);
        }
        if let Some(ports) = &mut self.dns_port {
            ports.finish(&self.estate, &mut self.alerts);
        }
        if let Some(operations) = &mut self.guest_operations {
            operations.finish(&self.estate, &mut self.alerts);
        }
        if let Some(policy) = &mut self.mirror_policy {
            policy.finish(&self.estate, &mut self.alerts);
        }
        if let Some(channels) = &mut self.channels {
            channels.finish(&self.estate, &mut self.alerts);
        }
    }

    /// Whether any alert was raised or changed since [`Engine::drain_alerts`].
    pub const fn has_alerts(&self) -> bool {
        !self.alerts.is_empty()
    }

    /// Alerts that are new or changed since the last call, in the order they were raised; a change
    /// has the same id and a higher count.
    pub fn drain_alerts(&mut self) -> impl Iterator<Item = Alert> {
        // What another config, forgetting and the end have to say, too.
        self.settle();
        self.settled = 0;
        self.alerts.drain(..)
    }

    /// A conversation's first packet: most are to usual ports, and left at once.
    fn opened(&mut self, event: &Event, source: Option<Service>) {
        let Some(ports) = self.dns_port.as_mut().filter(|_| DnsPort::wants(&event.flow)) else {
            return;
        };
        // Whose both ends are costs more to know, and most conversations stay inside.
        if !self.estate.may_leave(&event.flow) {
            return;
        }
        let ends = self.estate.ends(&event.flow, event.time);
        ports.opened(&self.estate, ends, event, source, &mut self.alerts);
        self.restore();
    }

    /// Holds what was raised since the last time against the site's budget.
    fn settle(&mut self) {
        if self.settled < self.alerts.len() {
            self.hold_against_budget();
        }
    }

    #[cold]
    fn hold_against_budget(&mut self) {
        let assets = self.estate.inventory.seen();
        for alert in self.alerts.iter_mut().skip(self.settled) {
            self.estate.budget.pass(alert, assets);
            self.fleet.note_alert(alert);
        }
        self.settled = self.alerts.len();
    }

    /// Goes on to the time of an event. A gap of any length is one step.
    fn advance(&mut self, time: Timestamp) {
        if self.now == Timestamp::ZERO {
            self.estate.begin(time);
            self.now = time;
            self.next_tick = tick_after(time);
            self.mirror_policy.iter_mut().for_each(|policy| policy.begin(time));
        }
        if time <= self.now {
            return;
        }
        self.now = time;
        if self.estate.awaited.is_due(time) {
            self.wait_no_longer(time);
        }
        if time >= self.next_tick {
            self.tick(time);
        }
    }

    #[cold]
    fn tick(&mut self, time: Timestamp) {
        self.next_tick = tick_after(time);
        self.estate.budget.tick(time, self.estate.inventory.seen());
        self.drop_forgotten(time);
        if let Some(egress) = &mut self.tls_egress {
            egress.tick(&self.estate, time, &mut self.alerts);
            let volumes = &mut self.estate.volumes;
            egress.open(time, |asset, since| volumes.unlearn(asset, since));
        }
        if let Some(ports) = &mut self.dns_port {
            ports.tick(&self.estate, time, &mut self.alerts);
        }
        if let Some(operations) = &mut self.guest_operations {
            operations.tick(&self.estate, time, &mut self.alerts);
        }
        if let Some(policy) = &mut self.mirror_policy {
            policy.tick(&self.estate, time, &mut self.alerts);
        }
        if let Some(channels) = &mut self.channels {
            channels.tick(&self.estate, time, &mut self.alerts);
        }
    }
}

#[cfg(test)]
mod tests;
