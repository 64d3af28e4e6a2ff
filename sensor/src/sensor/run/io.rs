//! The thread that speaks with the network and hears signals: the only asynchronous one.

use std::io;
use std::sync::mpsc::{self, Sender};
use std::thread::JoinHandle;
use std::time::Duration;

use tokio::runtime::Builder;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::sync::oneshot;
use tokio::time::timeout;

use super::RunError;
use super::control::Message;
use super::settings::Stored;
use super::start::spawn;
use crate::deliver::{Delivery, Packets};
use crate::fleet::Fleet;
use crate::http;
use crate::store::keeper::Keeper;

/// How long it may take to give back what others are to deliver.
const LEAVING: Duration = Duration::from_secs(1);

/// What the thread is told.
#[derive(Debug)]
pub(super) enum Order {
    /// Finish what is under way, and end.
    Stop,
}

/// What runs on the thread.
pub(super) struct Tasks {
    pub(super) bound: http::Bound,
    pub(super) parts: http::Parts,
    pub(super) delivery: Delivery<Keeper>,
    pub(super) fleet: Option<(Fleet, Packets)>,
}

/// A handle to the thread.
#[derive(Debug)]
pub(super) struct Io {
    pub(super) orders: UnboundedSender<Order>,
    pub(super) handle: JoinHandle<()>,
}

/// Starts it; when this returns, signals are heard.
pub(super) fn start(messages: Sender<Message>, tasks: Tasks) -> Result<Io, RunError> {
    let (orders, receiver) = unbounded_channel();
    let (started, has_started) = mpsc::channel();
    let handle = spawn("egret-io", move || {
        let runtime = match Builder::new_current_thread().enable_all().build() {
            Ok(runtime) => runtime,
            Err(error) => return drop(started.send(Err(error))),
        };
        runtime.block_on(async {
            match Signals::new() {
                Ok(signals) => {
                    let _ = started.send(Ok(()));
                    work(signals, messages, receiver, tasks).await;
                }
                Err(error) => drop(started.send(Err(error))),
            }
        });
        // A name that is being looked up cannot be interrupted, and is not waited for.
        runtime.shutdown_background();
    })?;
    let gone = || Err(io::Error::other("it ended at once"));
    has_started.recv().unwrap_or_else(|_| gone()).map_err(RunError::Thread)?;
    Ok(Io { orders, handle })
}

async fn work(
    mut signals: Signals,
    messages: Sender<Message>,
    mut orders: UnboundedReceiver<Order>,
    Tasks { bound, parts, delivery, fleet }: Tasks,
) {
    let keeper = parts.keeper.clone();
    // It ends with the runtime.
    let fleet = fleet.map(|(fleet, packets)| {
        let run = fleet.clone().run(parts.status.clone(), keeper.clone(), packets);
        (fleet, tokio::spawn(run))
    });
    let delivery = tokio::spawn(delivery.run());
    let (stop, stopped) = oneshot::channel::<()>();
    let server = tokio::spawn(http::serve(bound, parts, async { drop(stopped.await) }));
    // A task of its own: whatever the disk does, signals are heard.
    tokio::spawn(follow_stored(keeper, messages.clone()));
    loop {
        tokio::select! {
            message = signals.next() => {
                // Whoever watches ends this thread last, so somebody hears.
                let _ = messages.send(message);
            }
            order = orders.recv() => match order {
                Some(Order::Stop) | None => break,
            }
        }
    }
    // Told to stop before this thread was.
    if let Err(error) = delivery.await {
        tracing::error!("delivery: {error}");
    }
    if let Some((fleet, task)) = fleet {
        fleet.leave();
        // What is not given back now is given to another in a while.
        let _ = timeout(LEAVING, task).await;
    }
    drop(stop);
    if let Ok(Err(error)) = server.await {
        tracing::error!("http: {error}");
    }
}

/// Passes on what other commands have stored.
async fn follow_stored(keeper: Keeper, messages: Sender<Message>) {
    let mut stored = keeper.changed_elsewhere();
    while stored.changed().await.is_ok() {
        match keeper.ask(|store| Stored::read(store)).await {
            Ok(stored) => drop(messages.send(Message::Stored(stored))),
            Err(error) => tracing::error!("what was stored cannot be read: {error}"),
        }
    }
}

/// The signals that mean something.
pub(super) struct Signals {
    terminate: Signal,
    interrupt: Signal,
    hangup: Signal,
}

impl Signals {
    pub(super) fn new() -> io::Result<Self> {
        Ok(Self {
            terminate: signal(SignalKind::terminate())?,
            interrupt: signal(SignalKind::interrupt())?,
            hangup: signal(SignalKind::hangup())?,
        })
    }

    pub(super) async fn next(&mut self) -> Message {
        tokio::select! {
            _ = self.terminate.recv() => Message::Stop,
            _ = self.interrupt.recv() => Message::Stop,
            _ = self.hangup.recv() => Message::Reload,
        }
    }
}
