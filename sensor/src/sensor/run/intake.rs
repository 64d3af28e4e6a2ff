//! The thread that listens for log messages: to detection, one more worker.

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
use crate::event::Record;
use crate::intake::Counts;
use crate::intake::listen::{self, Access, Bound, Connections, Inbox, Lost, Prepared, Transport};
use crate::metrics::Metrics;
use crate::system::now;
use crate::time::Timestamp;

/// How often it hands on what it has, and says how far it is: events of workers wait for that.
const TELL: Duration = Duration::from_millis(20);
/// How often what was counted is published.
const PUBLISH: Duration = Duration::from_millis(200);
/// Reports that may wait: more than come in [`TELL`].
const ROOM: usize = 1 << 13;

/// A handle to the thread, where there is one.
#[derive(Debug)]
pub(super) struct Intake(Option<Listening>);

#[derive(Debug)]
struct Listening {
    access: Access,
    stop: watch::Sender<bool>,
    pulse: Arc<Pulse>,
    handle: JoinHandle<()>,
}

impl Intake {
    /// Its signs of life.
    pub(super) fn pulse(&self) -> Option<&Pulse> {
        self.0.as_ref().map(|listening| &*listening.pulse)
    }

    /// Goes by who may send from now on.
    pub(super) fn apply(&self, prepared: Prepared) {
        if let Some(listening) = &self.0 {
            listening.access.apply(prepared);
        }
    }

    /// Tells it to read what has arrived, and to end.
    pub(super) fn stop(self) -> Option<JoinHandle<()>> {
        let listening = self.0?;
        let _ = listening.stop.send(true);
        Some(listening.handle)
    }
}

/// Starts it, as the worker of that number, if there is anything to listen to. Told to stop, it reads
/// for no longer than `patience`.
pub(super) fn start(
    worker: usize,
    bound: Bound,
    (batches, metrics): (&SyncSender<Batch>, &Metrics),
    patience: Duration,
) -> Result<Intake, RunError> {
    if bound.is_empty() {
        return Ok(Intake(None));
    }
    let runtime = Builder::new_current_thread().enable_all().build().map_err(RunError::Thread)?;
    let (stop, stopped) = watch::channel(false);
    let (access, pulse) = (bound.access(), Arc::new(Pulse::new(0)));
    let (batches, beating) = (batches.clone(), Arc::clone(&pulse));
    let tally = Tally::new(metrics.clone(), bound.lost());
    let handle = spawn("egret-intake", move || {
        let inbox = Rc::new(Inbox::new(now, ROOM));
        let mut desk = Desk { worker, inbox: Rc::clone(&inbox), held: Vec::new(), batches, tally };
        let serve = listen::serve(bound, inbox, stopped, patience);
        runtime.block_on(LocalSet::new().run_until(desk.work(serve, &beating)));
        desk.finish();
    })?;
    Ok(Intake(Some(Listening { access, stop, pulse, handle })))
}

/// Hands on what listeners have read.
struct Desk {
    worker: usize,
    inbox: Rc<Inbox>,
    /// What found no room in the channel; meanwhile the inbox fills.
    held: Vec<Record>,
    batches: SyncSender<Batch>,
    tally: Tally,
}

impl Desk {
    async fn work(&mut self, serve: impl Future<Output = std::io::Result<()>>, pulse: &Pulse) {
        let mut serve = std::pin::pin!(serve);
        let mut tick = interval(TELL);
        tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut published = Instant::now();
        loop {
            tokio::select! {
                ended = &mut serve => {
                    if let Err(error) = ended {
                        tracing::error!("syslog: {error}");
                    }
                    return;
                }
                _ = tick.tick() => {}
            }
            pulse.beat(Instant::now());
            self.hand_on();
            if published.elapsed() >= PUBLISH {
                published = Instant::now();
                self.tally.publish(&self.inbox);
            }
        }
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
            let reports = self.inbox.take().into_iter();
            self.held.extend(reports.map(|report| Record::Logged(Box::new(report))));
        }
    }

    /// Hands on what is left, now waiting for room.
    fn finish(mut self) {
        self.tally.publish(&self.inbox);
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

/// What was published so far.
struct Tally {
    metrics: Metrics,
    lost: Option<Lost>,
    read: Counts,
    received: [u64; Transport::ALL.len()],
    refused: u64,
    dropped: u64,
    connections: Connections,
}

impl Tally {
    fn new(metrics: Metrics, lost: Option<Lost>) -> Self {
        Self {
            metrics,
            lost,
            read: Counts::default(),
            received: [0; _],
            refused: 0,
            dropped: 0,
            connections: Connections::default(),
        }
    }

    fn publish(&mut self, inbox: &Inbox) {
        let syslog = &self.metrics.syslog;
        syslog.read(&mut self.read, inbox.counts());
        let lost = self.lost.map_or(0, Lost::count);
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
