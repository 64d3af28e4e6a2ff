//! The detection thread: events of all workers in the order of their time, through the detectors,
//! to the keeper. It never waits for the disk or the network.

use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::{Duration, Instant};

use uuid::Uuid;

use super::accounts::Accounts;
use super::assets::Assets;
use super::event_file::EventFile;
use super::evidence;
use super::merge::Merge;
use super::mirrors::Mirrors;
use super::pulse::Pulse;
use super::worker::Batch;
use crate::alert::{Status, Verdict};
use crate::config::Config;
use crate::detect::Engine;
use crate::event::{Record, Report};
use crate::inquiry::Questions;
use crate::intake::join::Join;
use crate::metrics::Metrics;
use crate::peers::Peers;
use crate::status;
use crate::store::keeper::Keeper;
use crate::system::now;
use crate::text::{counted, printable_within};
use crate::time::Timestamp;

/// How long it waits for events at most, so that signs of life are given.
const NAP: Duration = Duration::from_millis(50);
/// How often what is only looked at now and then is brought up to date.
const LOOK: Duration = Duration::from_secs(1);
/// How often assets and the mirror's state are told of.
const TELL: Duration = Duration::from_secs(10);
/// How often the event file is told what was done, and that a last time at the end.
const STATS: Duration = Duration::from_secs(60);
/// How often what was learned is kept.
const KEEP: Duration = Duration::from_secs(300);

/// Batches taken at once at most, besides the first.
const MORE: usize = 64;

/// What the detection thread is told.
#[derive(Debug)]
pub(super) enum Order {
    /// Go on with this config, and what is known.
    Reconfigure(Box<Config>),
    /// Take over what people found alerts to be.
    Judge(Vec<(Uuid, Verdict)>),
    /// Open the event file anew.
    Rotate,
}

/// The detection thread's own.
pub(super) struct Detection {
    pub(super) engine: Engine,
    pub(super) merge: Merge,
    pub(super) join: Join,
    pub(super) batches: Receiver<Batch>,
    pub(super) orders: Receiver<Order>,
    pub(super) questions: Questions,
    pub(super) keeper: Keeper,
    pub(super) events: Option<EventFile>,
    /// Who keeps the packets of alerts, where they are kept.
    pub(super) evidence: Option<evidence::Teller>,
    /// What is exchanged with other sensors, where there are any.
    pub(super) peers: Option<Peers>,
    pub(super) accounts: Accounts,
    pub(super) pulse: Arc<Pulse>,
    pub(super) status: status::Shared,
    pub(super) assets: Assets,
    pub(super) metrics: Metrics,
    pub(super) mirrors: Mirrors,
}

impl Detection {
    /// Works until the last worker has ended; what is left is then detected, raised and kept.
    pub(super) fn work(mut self) {
        // Not by the system's clock, which may be set back by hours.
        let start = Instant::now();
        let (mut looked, mut told, mut kept, mut counted) = (start, start, start, start);
        loop {
            let more = self.take();
            self.pulse.beat(Instant::now());
            if !more {
                break;
            }
            while let Some(record) = self.merge.pop() {
                self.record(record);
            }
            // The last operations of an attack wait for nothing else to happen.
            self.joined(self.merge.reached());
            self.exchange();
            self.raise();
            self.questions.answer(&self.engine, now);
            if looked.elapsed() >= LOOK {
                looked = Instant::now();
                self.look();
            }
            if told.elapsed() >= TELL {
                told = Instant::now();
                self.tell(now());
            }
            if counted.elapsed() >= STATS {
                counted = Instant::now();
                self.stats(start);
            }
            if self.forget() || kept.elapsed() >= KEEP {
                kept = Instant::now();
                self.keeper.keep_baseline(self.engine.baseline());
            }
        }
        while let Some(record) = self.merge.pop_last() {
            self.record(record);
        }
        while let Some(report) = self.join.pop_last() {
            self.report(&report);
        }
        self.engine.finish();
        self.raise();
        self.keeper.keep_baseline(self.engine.baseline());
        self.stats(start);
        if let Some(events) = self.events {
            events.close();
        }
    }

    /// Tells other sensors what is new, and hears what they told.
    fn exchange(&mut self) {
        let now = self.merge.reached();
        // When all workers have ended it is the end of time: whoever hears of that believes nothing of it.
        if let Some(peers) = self.peers.as_mut().filter(|_| now < Timestamp::MAX) {
            peers.turn(&mut self.engine, now);
        }
    }

    /// Takes the batches that are there; `false` when none will come any more.
    fn take(&mut self) -> bool {
        match self.batches.recv_timeout(NAP) {
            Ok(batch) => self.push(batch),
            Err(RecvTimeoutError::Timeout) => return true,
            Err(RecvTimeoutError::Disconnected) => return false,
        }
        for _ in 0..MORE {
            let Ok(batch) = self.batches.try_recv() else { break };
            self.push(batch);
        }
        true
    }

    fn push(&mut self, batch: Batch) {
        if let Some(sources) = batch.sources {
            self.mirrors.take(batch.worker, sources);
        }
        self.merge.push(batch.worker, batch.reached, batch.records);
    }

    fn record(&mut self, record: Record) {
        self.joined(record.time());
        match record {
            Record::Seen(event) => {
                self.engine.event(&event);
                if let Some(events) = &mut self.events {
                    events.event(&event);
                }
            }
            Record::Mirrored(mirrored) => self.engine.mirrored(&mirrored, None),
            Record::Neighbour(neighbour) => self.engine.neighbour(&neighbour),
            Record::Logged(report) => {
                if let Some(report) = self.join.take(*report) {
                    self.report(&report);
                }
            }
        }
    }

    /// Hands on the reports that have waited long enough by `now` for others to tell more.
    fn joined(&mut self, now: Timestamp) {
        self.join.advance(now);
        while let Some(report) = self.join.pop() {
            self.report(&report);
        }
    }

    fn report(&mut self, report: &Report) {
        self.engine.report(report);
        if let Some(events) = &mut self.events {
            events.report(report);
        }
    }

    fn raise(&mut self) {
        let alerts: Vec<_> = self.engine.drain_alerts().collect();
        if alerts.is_empty() {
            return;
        }
        let (held, told): (Vec<_>, Vec<_>) =
            alerts.iter().partition(|alert| alert.status == Status::Suppressed);
        if let Some(first) = held.first() {
            tracing::info!(
                "held back {}, beyond the site's budget: {}; egret alerts list --status suppressed",
                counted(held.len() as u64, "alert"),
                printable_within(&first.summary, 200),
            );
        }
        if let Some(events) = &mut self.events {
            told.iter().for_each(|alert| events.alert(alert));
        }
        // Before anybody is told: who sends links to them waits until it is known whether there are any.
        if let Some(evidence) = &self.evidence {
            evidence.raised(&alerts);
        }
        self.keeper.raise(alerts);
    }

    /// Has written what was done so far, and what was refused since the last time.
    fn stats(&mut self, start: Instant) {
        if let Some(events) = &mut self.events {
            self.accounts.write(&self.metrics, start.elapsed().as_secs(), events);
        }
    }

    /// Does what it was told, and has events written that wait.
    fn look(&mut self) {
        while let Ok(order) = self.orders.try_recv() {
            match order {
                Order::Reconfigure(config) => {
                    self.engine.reconfigure(&config);
                    self.assets.renamed();
                }
                Order::Judge(verdicts) => self.engine.judge(&verdicts),
                Order::Rotate => {
                    if let Some(events) = &mut self.events {
                        events.reopen();
                    }
                }
            }
        }
        if let Some(events) = &mut self.events {
            events.flush();
        }
        let late = self.merge.take_late();
        self.metrics.events_late.inc_by(late);
        self.metrics.syslog.join(self.join.counts());
    }

    /// Forgets what people want forgotten; whether that was anything.
    fn forget(&mut self) -> bool {
        let forgotten = self.keeper.take_forgotten();
        for (asset, destination) in &forgotten {
            self.engine.forget(asset, destination.as_deref());
        }
        !forgotten.is_empty()
    }

    fn tell(&mut self, now: Timestamp) {
        let mirror = self.mirrors.tell(&mut self.engine, now);
        self.metrics.budget.tell(&self.engine.spending());
        self.metrics.records.tell(self.engine.flow_records());
        let (assets, learning) = self.assets.tell(&self.engine, now);
        if let Ok(mut status) = self.status.write() {
            (status.assets, status.learning) = (assets, learning);
            status.mirror = mirror;
        }
    }
}
