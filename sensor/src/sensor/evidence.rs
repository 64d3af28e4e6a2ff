//! Which alerts' packets are looked for, and `egret read`'s way of doing that: as soon as one is raised,
//! and once more a little later, for what comes behind the packet that raised it.

use std::collections::VecDeque;
use std::path::Path as FilePath;
use std::time::Duration;

use uuid::Uuid;

use crate::alert::Alert;
use crate::config;
use crate::event::Flow;
use crate::evidence::{Conversation, FOLDER, Recent, Shelf, ShelfError, Subject};
use crate::text::{counted, file_name};
use crate::time::Timestamp;

/// How much later a conversation's packets are looked for again: a handshake is over by then.
pub(super) const LATER: Duration = Duration::from_secs(3);
/// Alerts that may wait for that; of more, only what there is at once is kept.
pub(super) const MOST: usize = 256;

/// An alert whose packets are looked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Request {
    pub(super) subject: Subject,
    /// The conversation.
    pub(super) flow: u64,
}

impl Request {
    /// That of an alert about a conversation of which packets were seen.
    pub(super) fn of(alert: &Alert) -> Option<Self> {
        let flow = alert.flow.as_ref().filter(|flow| flow.slot != Flow::NO_SLOT && flow.id != 0)?;
        Some(Self { subject: Subject::of(alert), flow: flow.id })
    }

    /// The same, with what was found.
    pub(super) fn found(&self, recent: &Recent) -> Conversation {
        Conversation { flow: self.flow, packets: recent.find(self.flow) }
    }

    pub(super) fn is_same(&self, other: &Self) -> bool {
        (self.subject.id, self.flow) == (other.subject.id, other.flow)
    }
}

/// What `egret read --state` keeps.
pub(super) struct Files {
    shelf: Shelf,
    folder: String,
    /// What is looked for again, and when.
    later: VecDeque<(Timestamp, Request)>,
    /// Of which packets were kept.
    kept: std::collections::BTreeSet<Uuid>,
    gave_way: usize,
    failed: bool,
}

impl Files {
    /// Keeps packets in `directory`, where the config wants that. A folder that cannot be used is said
    /// once, and nothing is kept.
    pub(super) fn open(directory: &FilePath, config: &config::Evidence) -> Option<Self> {
        if !config.enabled {
            return None;
        }
        let shelf = match Shelf::open(directory, config.disk, Vec::new()) {
            Ok(shelf) => shelf,
            Err(error) => {
                tracing::warn!("{error}");
                return None;
            }
        };
        Some(Self {
            shelf,
            folder: file_name(&directory.join(FOLDER)),
            later: VecDeque::new(),
            kept: std::collections::BTreeSet::new(),
            gave_way: 0,
            failed: false,
        })
    }

    /// Looks for what was asked for by `now`.
    pub(super) fn look(&mut self, recent: &Recent, asked: Vec<Request>, now: Timestamp) {
        while let Some((_, request)) = self.later.pop_front_if(|(due, _)| *due <= now) {
            self.keep(&request, recent);
        }
        for request in asked {
            self.keep(&request, recent);
            let waits = self.later.iter().any(|(_, other)| other.is_same(&request));
            if !waits && self.later.len() < MOST {
                self.later.push_back((now.plus(LATER), request));
            }
        }
    }

    /// The capture is over: what waits is looked for now.
    pub(super) fn finish(&mut self, recent: &Recent, asked: Vec<Request>) {
        self.look(recent, asked, Timestamp::MAX);
        self.look(recent, Vec::new(), Timestamp::MAX);
    }

    fn keep(&mut self, request: &Request, recent: &Recent) {
        let found = request.found(recent);
        match self.shelf.add(&request.subject, vec![found]) {
            Ok(kept) => {
                self.gave_way += kept.gave_way;
                if kept.written {
                    self.kept.insert(request.subject.id);
                }
            }
            Err(error) => self.fails(&error),
        }
    }

    fn fails(&mut self, error: &ShelfError) {
        if !std::mem::replace(&mut self.failed, true) {
            tracing::warn!("{error}");
        }
    }

    /// What people should know.
    pub(super) fn note(&self) -> Option<String> {
        let kept = self.kept.len() as u64;
        let gave_way = match self.gave_way as u64 {
            0 => String::new(),
            gave_way => format!("; those of {} gave way", counted(gave_way, "earlier alert")),
        };
        (kept > 0).then(|| {
            let alerts = counted(kept, "alert");
            format!("the first packets of {alerts} are in {}{gave_way}", self.folder)
        })
    }
}
