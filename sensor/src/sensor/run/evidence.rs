//! The thread that keeps the packets of alerts: it asks each worker for what its memory has of a
//! conversation, and may wait for the disk.
//!
//! Nobody waits for it. Detection tells it of alerts, and workers of what they found, where the channel
//! has room; of more it is counted that they were lost.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::mpsc::{self, Receiver, SyncSender, TrySendError};
use std::thread::JoinHandle;
use std::time::Duration;

use tokio::sync::watch;
use uuid::Uuid;

use super::RunError;
use super::control::{Thread, end_within};
use super::start::spawn;
use super::worker;
use crate::alert::Alert;
use crate::evidence::{Packet, Recent};
use crate::metrics::{self, EvidenceResult};
use crate::sensor::evidence::Request;
use crate::status;
use crate::store::keeper;
use archive::{Archive, Memory};

pub(super) use archive::Place;

mod archive;

/// What may wait for the thread.
const ROOM: usize = 1024;

/// What the thread is told.
#[derive(Debug)]
pub(super) enum Message {
    /// Alerts were raised or changed.
    Raised(Vec<Request>),
    /// A worker has looked for a conversation.
    Found(Found),
    /// A worker has ended, and this is what it remembers.
    Left(usize, Box<Recent>),
    /// Alerts are kept no more.
    Removed(Vec<Uuid>),
    /// Look for what waits, and end.
    Stop,
}

/// What a worker found.
#[derive(Debug)]
pub(super) struct Found {
    pub(super) worker: usize,
    /// The number of the search.
    pub(super) ticket: u64,
    pub(super) packets: Vec<Packet>,
}

/// A handle for those who tell the thread something, and wait for nothing.
#[derive(Debug, Clone)]
pub(super) struct Teller {
    messages: SyncSender<Message>,
    /// Alerts whose packets are being looked for.
    awaited: watch::Sender<BTreeSet<Uuid>>,
    metrics: metrics::Evidence,
}

impl Teller {
    /// A handle, and what the thread hears of it.
    pub(super) fn new(metrics: metrics::Evidence) -> (Self, Receiver<Message>) {
        let (messages, receiver) = mpsc::sync_channel(ROOM);
        (Self { messages, awaited: watch::Sender::default(), metrics }, receiver)
    }

    /// Alerts whose packets are being looked for: whoever sends links to them waits for that.
    pub(super) fn awaited(&self) -> watch::Receiver<BTreeSet<Uuid>> {
        self.awaited.subscribe()
    }

    /// Has the packets of these alerts looked for.
    pub(super) fn raised(&self, alerts: &[Alert]) {
        let requests: Vec<_> = alerts.iter().filter_map(Request::of).collect();
        if requests.is_empty() {
            return;
        }
        let ids: Vec<Uuid> = requests.iter().map(|request| request.subject.id).collect();
        self.awaited.send_modify(|awaited| awaited.extend(&ids));
        if !self.tell(Message::Raised(requests)) {
            ids.iter().for_each(|_| self.metrics.looked(EvidenceResult::Lost));
            self.awaited.send_modify(|awaited| awaited.retain(|id| !ids.contains(id)));
        }
    }

    /// Tells the thread something; whether there was room for it.
    pub(super) fn tell(&self, message: Message) -> bool {
        match self.messages.try_send(message) {
            Ok(()) => true,
            Err(TrySendError::Full(_) | TrySendError::Disconnected(_)) => false,
        }
    }
}

/// The running thread.
pub(super) struct Evidence {
    pub(super) teller: Teller,
    pub(super) handle: JoinHandle<()>,
}

impl Evidence {
    /// Has what waits looked for and written, for at most `patience`; whether that was all.
    pub(super) fn stop(self, patience: Duration) -> bool {
        let is_told = self.teller.tell(Message::Stop);
        drop(self.teller);
        is_told && end_within(self.handle, patience).is_some()
    }
}

/// Starts the thread that keeps packets of alerts.
pub(super) fn start(
    place: Place,
    workers: &[Thread<worker::Order, bool>],
    channel: (Teller, Receiver<Message>),
    status: &status::Shared,
) -> Result<Evidence, RunError> {
    let works = |worker: &Thread<worker::Order, bool>| {
        Memory::Works(worker.orders.clone(), Arc::clone(&worker.pulse))
    };
    let teller = channel.0.clone();
    let memories = workers.iter().map(works).collect();
    let archive = Archive::new(place, memories, channel, Arc::clone(status));
    let handle = spawn("egret-evidence", move || archive.work())?;
    Ok(Evidence { teller, handle })
}

/// Has the packets of alerts that are kept no more removed.
pub(super) fn on_removed(evidence: Option<Teller>) -> keeper::OnRemoved {
    Box::new(move |ids| {
        if let Some(evidence) = &evidence {
            // What is left gives way with time.
            evidence.tell(Message::Removed(ids));
        }
    })
}
