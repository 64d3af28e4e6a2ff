//! Watches over the running sensor, and ends it.

use std::sync::Arc;
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use super::evidence::Evidence;
use super::intake::Intake;
use super::io::{self, Io};
use super::links::{Links, News};
use super::pulse::Pulse;
use super::settings::{Settings, Stored};
use super::{clock, detection, start, worker};
use crate::capture::receive::Held;
use crate::cli::Exit;
use crate::config::Config;
use crate::deliver::Deliver;
use crate::fleet::Fleet;
use crate::http::Access;
use crate::metrics::Metrics;
use crate::status;
use crate::store::keeper::Keeper;
use crate::store::{Lock, Store};
use crate::system;
use crate::text::grouped;
use crate::time::Timestamp;

/// How often interfaces and threads are looked at.
const LOOK: Duration = Duration::from_secs(1);
/// A thread that gives no sign of life for so long hangs: the watchdog is fed no more.
const ALIVE: Duration = Duration::from_secs(10);
/// How long workers and the intake of logs may take to read what has arrived when the sensor is told to stop, and how long
/// each of detection, delivery and keeping may take then.
pub(super) const PATIENCE: Duration = Duration::from_secs(3);

/// What signals and other commands ask for.
#[derive(Debug)]
pub(super) enum Message {
    /// SIGTERM or SIGINT.
    Stop,
    /// SIGHUP.
    Reload,
    /// Another command has stored this.
    Stored(Stored),
}

/// A thread, what it can be told, and its signs of life.
#[derive(Debug)]
pub(super) struct Thread<O, T> {
    pub(super) orders: mpsc::Sender<O>,
    pub(super) pulse: Arc<Pulse>,
    pub(super) handle: JoinHandle<T>,
}

/// The running sensor.
pub(super) struct Running {
    pub(super) settings: Settings,
    pub(super) config: Config,
    pub(super) stored: Stored,
    pub(super) http: Access,
    pub(super) links: Links,
    pub(super) workers: Vec<Thread<worker::Order, bool>>,
    pub(super) intake: Intake,
    pub(super) detection: Thread<detection::Order, ()>,
    pub(super) keeper: Keeper,
    pub(super) evidence: Option<Evidence>,
    pub(super) teller: JoinHandle<()>,
    pub(super) io: Io,
    pub(super) deliver: Deliver,
    pub(super) fleet: Option<Fleet>,
    pub(super) status: status::Shared,
    pub(super) metrics: Metrics,
    pub(super) messages: Receiver<Message>,
    pub(super) steps: clock::Steps,
    /// What the service manager was told last.
    pub(super) said: String,
    /// The data directory is this sensor's until the process ends.
    pub(super) _lock: Lock,
    pub(super) _held: Vec<Held>,
}

impl Running {
    /// Watches until a signal says stop, and ends the sensor in order.
    pub(super) fn watch(mut self) -> Exit {
        self.look();
        // Where no service manager listens there is nobody to tell.
        let _ = sd_notify::notify(&[sd_notify::NotifyState::Ready]);
        let exit = loop {
            match self.messages.recv_timeout(LOOK) {
                Ok(Message::Stop) => break Exit::Done,
                Err(RecvTimeoutError::Disconnected) => {
                    tracing::error!("nobody hears signals any more; the sensor ends");
                    break Exit::Failed;
                }
                Ok(Message::Reload) => self.reload(),
                Ok(Message::Stored(stored)) => self.take_stored(stored),
                Err(RecvTimeoutError::Timeout) => {}
            }
            self.look();
        };
        let all_kept = self.stop();
        if all_kept { exit } else { Exit::Failed }
    }

    fn look(&mut self) {
        for (interface, news) in self.links.look() {
            self.pass_on(interface, news);
        }
        let now = system::now();
        let steady = Instant::now();
        let clock_error = self.steps.look(now, steady);
        let alive = self.pulses().all(|pulse| pulse.is_alive(steady, ALIVE));
        if alive {
            let _ = sd_notify::notify(&[sd_notify::NotifyState::Watchdog]);
        }
        let interfaces = self.interfaces();
        self.tell_manager(&interfaces);
        self.tell(now, alive, clock_error, interfaces);
    }

    /// Tells workers what has become of an interface. One that has ended is noticed by its pulse.
    fn pass_on(&self, interface: u16, news: News) {
        match news {
            News::Back(sources) => {
                for (worker, source) in start::share(interface, self.workers.len(), sources) {
                    if let Some(worker) = self.workers.get(worker) {
                        let _ = worker.orders.send(worker::Order::Attach(interface, source));
                    }
                }
            }
            News::InPath => {
                for worker in &self.workers {
                    let _ = worker.orders.send(worker::Order::Pass(interface));
                }
            }
        }
    }

    /// Says in `systemctl status` how the interfaces are.
    fn tell_manager(&mut self, interfaces: &[status::Interface]) {
        let each = interfaces.iter().map(|one| format!("{} is {}", one.name, one.state));
        let text = each.collect::<Vec<_>>().join(", ");
        if text != self.said {
            let _ = sd_notify::notify(&[sd_notify::NotifyState::Status(&text)]);
            self.said = text;
        }
    }

    fn pulses(&self) -> impl Iterator<Item = &Pulse> {
        let workers = self.workers.iter().map(|worker| &*worker.pulse);
        workers.chain(self.intake.pulse()).chain([&*self.detection.pulse])
    }

    /// How the interfaces are, with what workers have counted.
    fn interfaces(&self) -> Vec<status::Interface> {
        let mut interfaces = self.links.status();
        for (number, interface) in (0..).zip(&mut interfaces) {
            for worker in &self.workers {
                let (packets, dropped, last) = worker.pulse.of(number);
                interface.packets += packets;
                interface.dropped += dropped;
                interface.last_packet = interface.last_packet.max(last);
            }
        }
        interfaces
    }

    /// Brings the status up to date.
    fn tell(
        &self,
        now: Timestamp,
        alive: bool,
        clock_error: Option<String>,
        interfaces: Vec<status::Interface>,
    ) {
        let store_error = self.keeper.error();
        self.metrics.store_failing.set(i64::from(store_error.is_some()));
        if let Ok(mut status) = self.status.write() {
            status.now = now;
            status.workers_alive = alive;
            if status.clock_error.is_none()
                && let Some(error) = &clock_error
            {
                tracing::error!("{error}");
            }
            status.clock_error = clock_error;
            status.store_error = store_error;
            status.fleet = self.fleet.as_ref().map(Fleet::status);
            status.interfaces = interfaces;
            status.bytes = self.metrics.capture_bytes.get();
            status.flows = u64::try_from(self.metrics.flows_active.get()).unwrap_or(0);
        }
    }

    /// Ends the sensor: sources first, then each stage when it has dealt with what is left. Whether
    /// every alert is on disk.
    fn stop(self) -> bool {
        let _ = sd_notify::notify(&[sd_notify::NotifyState::Stopping]);
        for worker in &self.workers {
            let _ = worker.orders.send(worker::Order::Stop(PATIENCE));
        }
        let intake = self.intake.stop();
        let deadline = Instant::now() + 2 * PATIENCE;
        for (number, worker) in self.workers.into_iter().enumerate() {
            match end(worker.handle, deadline) {
                Some(true) => {}
                Some(false) => tracing::warn!("worker {number} had frames left to read"),
                None => tracing::error!("worker {number} did not end in time"),
            }
        }
        if intake.is_some_and(|handle| end(handle, deadline).is_none()) {
            tracing::error!("the intake of logs did not end in time");
        }
        if end_within(self.detection.handle, PATIENCE).is_none() {
            tracing::error!("detection did not end in time; its last events are lost");
        }
        if let Some(evidence) = self.evidence
            && !evidence.stop(PATIENCE)
        {
            tracing::warn!("packets of the last alerts were still to be written");
        }
        // What was raised last has its chance; what is not taken now is owed on disk.
        let keeper = self.keeper.clone();
        let deadline = Instant::now() + PATIENCE;
        end(std::thread::spawn(move || await_delivery(&keeper, deadline)), deadline);
        self.deliver.stop(PATIENCE);
        let _ = self.io.orders.send(io::Order::Stop);
        if end_within(self.io.handle, 2 * PATIENCE).is_none() {
            tracing::warn!("a delivery was still under way; it is made again at the next start");
        }
        let left = self.keeper.stop(PATIENCE);
        if left > 0 {
            tracing::error!("{} alerts could not be written to disk", grouped(left as u64));
        }
        // A terminal that stands still need not be told.
        end_within(self.teller, PATIENCE);
        left == 0
    }
}

/// Waits until everything owed is delivered, at most until `deadline`.
fn await_delivery(keeper: &Keeper, deadline: Instant) {
    let is_owed = |store: &mut Store| Ok(!store.pending()?.is_empty());
    while Instant::now() < deadline && keeper.ask_blocking(is_owed).unwrap_or(false) {
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// Waits for a thread, for at most `patience`; `None` when it has not ended.
pub(super) fn end_within<T>(thread: JoinHandle<T>, patience: Duration) -> Option<T> {
    end(thread, Instant::now() + patience)
}

/// Waits for a thread, but not for ever; `None` when it has not ended.
fn end<T>(thread: JoinHandle<T>, deadline: Instant) -> Option<T> {
    while !thread.is_finished() {
        if Instant::now() >= deadline {
            return None;
        }
        std::thread::sleep(Duration::from_millis(5));
    }
    thread.join().ok()
}
