//! The thread's own work: searches under way, and what comes of them.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::time::{Duration, Instant};

use tokio::sync::watch;
use uuid::Uuid;

use super::{Found, Message, Teller};
use crate::evidence::{Conversation, Packet, Recent, Shelf, ShelfError};
use crate::metrics::{self, EvidenceResult};
use crate::sensor::evidence::{LATER, MOST, Request};
use crate::sensor::run::pulse::Pulse;
use crate::sensor::run::worker::Order;
use crate::status;
use crate::system;

/// How long it waits for workers to answer: those that are busy look at some pages between bursts.
const PATIENCE: Duration = Duration::from_secs(1);
/// How often it says how far memory reaches back.
const TELL: Duration = Duration::from_secs(1);

/// Where the packets of a worker's conversations are.
pub(in crate::sensor::run) enum Memory {
    /// It works, and is asked.
    Works(mpsc::Sender<Order>, Arc<Pulse>),
    /// It has ended, and left this.
    Left(Box<Recent>),
}

/// Where packets are kept, and how much of them.
pub(in crate::sensor::run) struct Place {
    pub(in crate::sensor::run) data_dir: PathBuf,
    pub(in crate::sensor::run) limit: u64,
    /// The interfaces' names.
    pub(in crate::sensor::run) names: Vec<String>,
}

/// The thread's own.
pub(in crate::sensor::run) struct Archive {
    place: Place,
    /// None while the folder cannot be used.
    shelf: Option<Shelf>,
    workers: Vec<Memory>,
    messages: Receiver<Message>,
    searches: BTreeMap<u64, Search>,
    next_ticket: u64,
    /// What is looked for again.
    later: VecDeque<(Instant, Request)>,
    awaited: watch::Sender<BTreeSet<Uuid>>,
    metrics: metrics::Evidence,
    status: status::Shared,
    failing: bool,
}

/// A search under way.
struct Search {
    request: Request,
    is_first: bool,
    /// Workers that have not answered.
    waiting: BTreeSet<usize>,
    until: Instant,
    packets: Vec<Packet>,
}

impl Archive {
    pub(in crate::sensor::run) fn new(
        place: Place,
        workers: Vec<Memory>,
        (teller, messages): (Teller, Receiver<Message>),
        status: status::Shared,
    ) -> Self {
        Self {
            place,
            shelf: None,
            workers,
            messages,
            searches: BTreeMap::new(),
            next_ticket: 0,
            later: VecDeque::new(),
            awaited: teller.awaited,
            metrics: teller.metrics,
            status,
            failing: false,
        }
    }

    /// Works until told to stop, or until nobody is left to tell it anything.
    pub(in crate::sensor::run) fn work(mut self) {
        if let Err(error) = self.shelf() {
            self.fails(&error);
        }
        loop {
            let message = match self.messages.recv_timeout(self.nap()) {
                Ok(Message::Stop) | Err(RecvTimeoutError::Disconnected) => break,
                Ok(message) => Some(message),
                Err(RecvTimeoutError::Timeout) => None,
            };
            if let Some(message) = message {
                self.take(message);
            }
            self.look(Instant::now());
        }
        // Those who have ended have left their memory; nobody else answers any more.
        self.later.make_contiguous().iter_mut().for_each(|(due, _)| *due = Instant::now());
        self.look(Instant::now());
        for ticket in self.searches.keys().copied().collect::<Vec<_>>() {
            self.end(ticket);
        }
    }

    fn nap(&self) -> Duration {
        let searches = self.searches.values().map(|search| search.until);
        let next = searches.chain(self.later.front().map(|(due, _)| *due)).min();
        let until = next.map(|next| next.saturating_duration_since(Instant::now()));
        until.unwrap_or(TELL).min(TELL)
    }

    fn take(&mut self, message: Message) {
        match message {
            Message::Raised(requests) => {
                let now = Instant::now();
                requests.into_iter().for_each(|request| self.begin(request, true, now));
            }
            Message::Found(Found { worker, ticket, packets }) => {
                self.answered(worker, ticket, packets);
            }
            Message::Left(worker, recent) => self.left(worker, recent),
            Message::Removed(ids) => {
                if let Ok(shelf) = self.shelf() {
                    shelf.remove(&ids);
                }
            }
            Message::Stop => {}
        }
    }

    /// Does what is due by now.
    fn look(&mut self, now: Instant) {
        while let Some((_, request)) = self.later.pop_front_if(|(due, _)| *due <= now) {
            self.begin(request, false, now);
        }
        let overdue = self.searches.iter().filter(|(_, search)| search.until <= now);
        for ticket in overdue.map(|(ticket, _)| *ticket).collect::<Vec<_>>() {
            self.end(ticket);
        }
        let since = self.workers.iter().filter_map(|worker| match worker {
            Memory::Works(_, pulse) => pulse.remembers_since(),
            Memory::Left(_) => None,
        });
        let reach = since.max().map(|since| system::now().since(since));
        self.metrics.tell(reach, self.shelf.as_ref().map(Shelf::totals));
    }

    fn begin(&mut self, request: Request, is_first: bool, now: Instant) {
        if self.searches.len() >= MOST {
            self.metrics.looked(EvidenceResult::Lost);
            self.found_out(request.subject.id);
            return;
        }
        let ticket = self.next_ticket;
        self.next_ticket += 1;
        let mut search = Search {
            is_first,
            waiting: BTreeSet::new(),
            until: now + PATIENCE,
            packets: Vec::new(),
            request,
        };
        for (number, worker) in self.workers.iter().enumerate() {
            match worker {
                Memory::Works(orders, _) => {
                    if orders.send(Order::Find(ticket, search.request.flow)).is_ok() {
                        search.waiting.insert(number);
                    }
                }
                Memory::Left(recent) => search.packets.extend(recent.find(search.request.flow)),
            }
        }
        let is_over = search.waiting.is_empty();
        self.searches.insert(ticket, search);
        if is_over {
            self.end(ticket);
        }
    }

    fn answered(&mut self, worker: usize, ticket: u64, packets: Vec<Packet>) {
        let Some(search) = self.searches.get_mut(&ticket) else { return };
        if search.waiting.remove(&worker) {
            search.packets.extend(packets);
        }
        if search.waiting.is_empty() {
            self.end(ticket);
        }
    }

    fn left(&mut self, worker: usize, recent: Box<Recent>) {
        let unanswered =
            self.searches.iter().filter(|(_, search)| search.waiting.contains(&worker));
        let found: Vec<_> = unanswered
            .map(|(ticket, search)| (*ticket, recent.find(search.request.flow)))
            .collect();
        for (ticket, packets) in found {
            self.answered(worker, ticket, packets);
        }
        if let Some(memory) = self.workers.get_mut(worker) {
            *memory = Memory::Left(recent);
        }
    }

    /// Keeps what a search has found so far.
    fn end(&mut self, ticket: u64) {
        let Some(Search { request, is_first, mut packets, .. }) = self.searches.remove(&ticket)
        else {
            return;
        };
        packets.sort_by_key(|packet| packet.time);
        let nothing = packets.is_empty();
        let found = Conversation { flow: request.flow, packets };
        let kept = self.shelf().and_then(|shelf| shelf.add(&request.subject, vec![found]));
        let result = match &kept {
            Ok(_) if nothing => EvidenceResult::None,
            Ok(kept) if kept.written => EvidenceResult::Kept,
            Ok(_) => EvidenceResult::Known,
            Err(_) => EvidenceResult::Failed,
        };
        if is_first {
            self.metrics.looked(result);
        }
        match kept {
            Ok(kept) => {
                self.metrics.gave_way(kept.gave_way);
                self.works();
            }
            Err(error) => self.fails(&error),
        }
        self.found_out(request.subject.id);
        let is_later = |(_, other): &(Instant, Request)| other.is_same(&request);
        if is_first && self.later.len() < MOST && !self.later.iter().any(is_later) {
            self.later.push_back((Instant::now() + LATER, request));
        }
    }

    /// The folder, opened anew where it could not be used before.
    fn shelf(&mut self) -> Result<&mut Shelf, ShelfError> {
        let shelf = match self.shelf.take() {
            Some(shelf) => shelf,
            None => {
                let Place { data_dir, limit, names } = &self.place;
                Shelf::open(data_dir, *limit, names.clone())?
            }
        };
        Ok(self.shelf.insert(shelf))
    }

    /// Nobody needs to wait for this alert's packets any more.
    fn found_out(&self, id: Uuid) {
        self.awaited.send_if_modified(|awaited| awaited.remove(&id));
    }

    fn fails(&mut self, error: &ShelfError) {
        if !std::mem::replace(&mut self.failing, true) {
            tracing::error!("{error}; alerts are told without them until that works again");
        }
        self.tell_status(Some(error.to_string()));
    }

    fn works(&mut self) {
        if std::mem::replace(&mut self.failing, false) {
            tracing::info!("packets of alerts are kept again");
            self.tell_status(None);
        }
    }

    fn tell_status(&self, error: Option<String>) {
        self.metrics.failing(error.is_some());
        if let Ok(mut status) = self.status.write() {
            status.evidence_error = error;
        }
    }
}

#[cfg(test)]
mod tests;
