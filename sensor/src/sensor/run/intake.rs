//! The thread that takes in logs: messages and flow records that it listens for, and audit records of
//! files and posted. To
//! detection it is one more worker.

use std::rc::Rc;
use std::sync::Arc;
use std::sync::mpsc::{SyncSender, TrySendError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use tokio::runtime::Builder;
use tokio::sync::watch;
use tokio::task::LocalSet;
use tokio::time::{MissedTickBehavior, interval};

use super::RunError;
use super::pulse::Pulse;
use super::start::spawn;
use super::tally::raise;
use super::worker::Batch;
use crate::config;
use crate::event::Record;
use crate::intake::Counts;
use crate::intake::audit::follow::Patterns;
use crate::intake::audit::post::Posted;
use crate::intake::audit::{self, inbox};
use crate::intake::flows;
use crate::intake::listen::{self, Access, Bound, Connections, Inbox, Lost, Prepared, Transport};
use crate::metrics::Metrics;
use crate::status;
use crate::system::now;
use crate::time::Timestamp;

/// How often it hands on what it has, and says how far it is: events of workers wait for that.
const TELL: Duration = Duration::from_millis(20);
/// How often what was counted is published.
const PUBLISH: Duration = Duration::from_millis(200);
/// How often people are told who sends.
const SENDERS: Duration = Duration::from_secs(5);
/// Reports of messages that may wait, and likewise of records: more than come in [`TELL`].
const ROOM: usize = 1 << 13;
/// The same of flow records, which come by the thousand.
const FLOWS: usize = 1 << 15;

/// Whether there is anything to take in. A sensor that is started without waits for no such thread.
pub(super) fn is_fed(intake: &config::Intake) -> bool {
    let takes = takes(intake);
    takes.takes_syslog || takes.takes_flows || takes.takes_audit
}

/// What the config asks for.
pub(super) fn takes(intake: &config::Intake) -> status::Feeds {
    let config::Intake { syslog, flows, audit } = intake;
    status::Feeds {
        takes_syslog: syslog.udp.is_some() || syslog.tcp.is_some() || syslog.tls.is_some(),
        takes_flows: flows.udp.is_some(),
        takes_audit: audit.http || !audit.files.is_empty(),
        ..status::Feeds::default()
    }
}

/// A handle to the thread, where there is one.
#[derive(Debug, Default)]
pub(super) struct Intake(Option<Listening>);

#[derive(Debug)]
struct Listening {
    access: Access,
    exporters: Option<Access>,
    patterns: watch::Sender<Patterns>,
    stop: watch::Sender<bool>,
    pulse: Arc<Pulse>,
    handle: JoinHandle<()>,
}

impl Intake {
    /// Its signs of life.
    pub(super) fn pulse(&self) -> Option<&Pulse> {
        self.0.as_ref().map(|listening| &*listening.pulse)
    }

    /// Goes by who may send logs and flow records, and by which files to follow, from now on.
    pub(super) fn apply(&self, senders: Prepared, exporters: Prepared, patterns: Patterns) {
        if let Some(listening) = &self.0 {
            listening.access.apply(senders);
            if let Some(access) = &listening.exporters {
                access.apply(exporters);
            }
            listening.patterns.send_replace(patterns);
        }
    }

    /// Tells it to read what has arrived, and to end.
    pub(super) fn stop(self) -> Option<JoinHandle<()>> {
        let listening = self.0?;
        let _ = listening.stop.send(true);
        Some(listening.handle)
    }
}

/// Where logs come from.
pub(super) struct Feeds {
    /// Which of them the config asks for.
    pub(super) takes: status::Feeds,
    pub(super) syslog: Bound,
    pub(super) flows: Option<flows::Bound>,
    pub(super) files: Patterns,
    pub(super) posted: Posted,
}

/// Starts it, as the worker of that number. Told to stop, it reads for no longer than `patience`.
pub(super) fn start(
    worker: usize,
    Feeds { takes, syslog: bound, flows, files, posted }: Feeds,
    (batches, metrics, status): (&SyncSender<Batch>, &Metrics, &status::Shared),
    patience: Duration,
) -> Result<Intake, RunError> {
    let runtime = Builder::new_current_thread().enable_all().build().map_err(RunError::Thread)?;
    let (stop, stopped) = watch::channel(false);
    let (access, pulse) = (bound.access(), Arc::new(Pulse::new(0)));
    let (batches, beating) = (batches.clone(), Arc::clone(&pulse));
    let exporters = flows.as_ref().map(flows::Bound::access);
    let lost = [bound.lost(), flows.as_ref().and_then(flows::Bound::lost)];
    let tally = Tally::new(metrics.clone(), lost);
    let status = Arc::clone(status);
    let (apply, patterns) = watch::channel(files);
    let handle = spawn("egret-intake", move || {
        let (inbox, audit) = (Rc::new(Inbox::new(now, ROOM)), inbox::Inbox::new(now, ROOM));
        let listen = listen::serve(bound, Rc::clone(&inbox), stopped.clone(), patience);
        let records = Rc::new(flows::Inbox::new(now, FLOWS));
        let flows = flows::serve(flows, Rc::clone(&records), stopped.clone(), patience);
        let audit = Rc::new(audit);
        let of_audit = Rc::clone(&audit);
        let teller = Teller { status, takes };
        let held = Vec::new();
        let mut desk =
            Desk { worker, inbox, records, audit: of_audit, held, batches, tally, teller };
        let sources = inbox::Sources { patterns, posted };
        let serve = async {
            let audit = audit.serve(sources, stopped, patience);
            let (logs, flows, ()) = tokio::join!(listen, flows, audit);
            logs.and(flows)
        };
        runtime.block_on(LocalSet::new().run_until(desk.work(serve, &beating)));
        desk.finish();
    })?;
    Ok(Intake(Some(Listening { access, exporters, patterns: apply, stop, pulse, handle })))
}

/// Hands on what has been read.
struct Desk {
    worker: usize,
    inbox: Rc<Inbox>,
    records: Rc<flows::Inbox>,
    audit: Rc<inbox::Inbox>,
    /// What found no room in the channel; meanwhile the inboxes fill.
    held: Vec<Record>,
    batches: SyncSender<Batch>,
    tally: Tally,
    teller: Teller,
}

impl Desk {
    async fn work(&mut self, serve: impl Future<Output = std::io::Result<()>>, pulse: &Pulse) {
        let mut serve = std::pin::pin!(serve);
        let mut tick = interval(TELL);
        tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut published = Instant::now();
        let mut told = published;
        self.tell();
        loop {
            tokio::select! {
                ended = &mut serve => {
                    if let Err(error) = ended {
                        tracing::error!("syslog or flow records: {error}");
                    }
                    return;
                }
                _ = tick.tick() => {}
            }
            pulse.beat(Instant::now());
            self.hand_on();
            if published.elapsed() >= PUBLISH {
                published = Instant::now();
                self.publish();
            }
            if told.elapsed() >= SENDERS {
                told = Instant::now();
                self.tell();
            }
        }
    }

    fn publish(&mut self) {
        self.tally.publish(&self.inbox);
        self.tally.publish_flows(&self.records);
        self.tally.publish_audit(self.audit.counts());
    }

    fn tell(&self) {
        self.teller.tell(&self.inbox, &self.records, &self.audit);
    }

    fn hand_on(&mut self) {
        self.fetch();
        let records = std::mem::take(&mut self.held);
        let batch = Batch { worker: self.worker, reached: now(), records, sources: None };
        // Nobody takes them: then detection has ended.
        if let Err(TrySendError::Full(batch)) = self.batches.try_send(batch) {
            self.held = batch.records;
        }
    }

    fn fetch(&mut self) {
        if self.held.is_empty() {
            let reports = self.inbox.take().into_iter().chain(self.audit.take());
            let reports = reports.chain(self.records.take());
            self.held.extend(reports.map(|report| Record::Logged(Box::new(report))));
        }
    }

    /// Hands on what is left, now waiting for room.
    fn finish(mut self) {
        self.publish();
        while {
            self.fetch();
            !self.held.is_empty()
        } {
            let records = std::mem::take(&mut self.held);
            let reached = Timestamp::ZERO;
            let _ =
                self.batches.send(Batch { worker: self.worker, reached, records, sources: None });
        }
        let (reached, records) = (Timestamp::MAX, Vec::new());
        let _ = self.batches.send(Batch { worker: self.worker, reached, records, sources: None });
    }
}

/// Tells people who sends.
struct Teller {
    status: status::Shared,
    takes: status::Feeds,
}

impl Teller {
    fn tell(&self, syslog: &Inbox, records: &flows::Inbox, audit: &inbox::Inbox) {
        let (audit_files, last_audit) = audit.followed();
        let feeds = status::Feeds {
            syslog: syslog.senders(),
            exporters: records.exporters(),
            audit_files,
            last_audit,
            ..self.takes.clone()
        };
        if let Ok(mut status) = self.status.write() {
            status.feeds = Arc::new(feeds);
        }
    }
}

/// What was published so far.
struct Tally {
    metrics: Metrics,
    /// Of syslog, and of flow records.
    lost: [Option<Lost>; 2],
    read: Counts,
    flows: flows::Counts,
    datagrams: flows::Datagrams,
    audit: audit::Counts,
    received: [u64; Transport::ALL.len()],
    refused: u64,
    dropped: u64,
    connections: Connections,
}

impl Tally {
    fn new(metrics: Metrics, lost: [Option<Lost>; 2]) -> Self {
        Self {
            metrics,
            lost,
            read: Counts::default(),
            flows: flows::Counts::default(),
            datagrams: flows::Datagrams::default(),
            audit: audit::Counts::default(),
            received: [0; _],
            refused: 0,
            dropped: 0,
            connections: Connections::default(),
        }
    }

    fn publish_audit(&mut self, counts: audit::Counts) {
        self.metrics.audit.read(&mut self.audit, counts);
    }

    fn publish_flows(&mut self, inbox: &flows::Inbox) {
        let flows = &self.metrics.flows;
        flows.read(&mut self.flows, inbox.counts());
        let (known, now) = (&mut self.datagrams, inbox.datagrams());
        let datagrams = |result| flows.datagrams.with_label_values(&[result]);
        raise(&datagrams("read"), &mut known.read, now.read);
        raise(&datagrams("refused"), &mut known.refused, now.refused);
        let lost = self.lost[1].map_or(0, Lost::count);
        raise(&datagrams("dropped"), &mut known.dropped, now.dropped + lost);
        let [exporters, templates] = inbox.known();
        flows.exporters.set(exporters as i64);
        flows.templates.set(templates as i64);
        flows.clock_skew.set(inbox.largest_skew().as_secs() as i64);
    }

    fn publish(&mut self, inbox: &Inbox) {
        let syslog = &self.metrics.syslog;
        syslog.read(&mut self.read, inbox.counts());
        let lost = self.lost[0].map_or(0, Lost::count);
        let mut received = inbox.received();
        // What the kernel dropped came, too.
        if let Some(received) = received.get_mut(Transport::Udp as usize) {
            *received += lost;
        }
        for (transport, (known, now)) in
            Transport::ALL.into_iter().zip(self.received.iter_mut().zip(received))
        {
            raise(&syslog.received.with_label_values(&[transport.name()]), known, now);
        }
        let messages = |result| syslog.messages.with_label_values(&[result]);
        raise(&messages("refused"), &mut self.refused, inbox.refused());
        raise(&messages("dropped"), &mut self.dropped, inbox.dropped() + lost);

        let (known, now) = (&mut self.connections, inbox.connections());
        let connections = |result| syslog.connections.with_label_values(&[result]);
        raise(&connections("accepted"), &mut known.accepted, now.accepted);
        raise(&connections("refused"), &mut known.refused, now.refused);
        raise(&connections("limited"), &mut known.limited, now.limited);
        raise(&connections("failed"), &mut known.failed, now.failed);
        syslog.open_connections.set(now.open as i64);
        syslog.clock_skew.set(inbox.largest_skew().as_secs() as i64);
    }
}
