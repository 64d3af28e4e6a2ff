//! What waits for the thread that writes. Locked for moments only, never while the disk works.

use std::collections::{BTreeMap, HashMap};
use std::time::Instant;

use uuid::Uuid;

use super::Subscription;
use crate::alert::Alert;
use crate::baseline::Baseline;
use crate::store::Forget;

/// Alerts that may wait; beyond it the least severe gives way, of equals the oldest.
pub(super) const ROOM: usize = 10_000;

/// What waits.
#[derive(Debug, Default)]
pub(super) struct Inbox {
    /// The newest state of each alert, in the order they came.
    alerts: BTreeMap<u64, Alert>,
    order: HashMap<Uuid, u64>,
    next: u64,
    lost: u64,
    /// How many of them the thread is writing.
    writing: usize,
    /// What was learned, without what notes up to this one ask to forget.
    pub(super) baseline: Option<(Baseline, i64)>,
    /// Who is owed alerts from now on.
    pub(super) subscriptions: Option<Vec<Subscription>>,
    /// What is to be forgotten, for whoever learns.
    pub(super) notes: Vec<Forget>,
    /// Up to which note was taken.
    pub(super) taken: i64,
    /// Whether there is something to be done.
    pub(super) woken: bool,
    /// Until when what is left may be written.
    pub(super) stop: Option<Instant>,
    /// Nothing is written any more.
    pub(super) ended: bool,
}

impl Inbox {
    /// Takes an alert in place of an older state of it.
    pub(super) fn put(&mut self, alert: Alert) {
        if self.ended {
            self.lost += 1;
            return;
        }
        match self.order.get(&alert.id).and_then(|order| self.alerts.get_mut(order)) {
            Some(waiting) => *waiting = alert,
            None => {
                self.insert(self.next, alert);
                self.next += 1;
            }
        }
    }

    /// At most so many alerts, those that wait longest, to be written.
    pub(super) fn take(&mut self, most: usize) -> Vec<(u64, Alert)> {
        let mut taken = Vec::new();
        while taken.len() < most
            && let Some((order, alert)) = self.alerts.pop_first()
        {
            self.order.remove(&alert.id);
            taken.push((order, alert));
        }
        self.writing = taken.len();
        taken
    }

    /// What was taken is written.
    pub(super) fn written(&mut self) {
        self.writing = 0;
    }

    /// What was taken could not be written; newer states have come since.
    pub(super) fn put_back(&mut self, taken: Vec<(u64, Alert)>) {
        self.writing = 0;
        for (order, alert) in taken {
            if !self.order.contains_key(&alert.id) {
                self.insert(order, alert);
            }
        }
    }

    /// What was learned could not be written; it waits again unless newer has come.
    pub(super) fn put_back_baseline(&mut self, baseline: Baseline, notes: i64) {
        self.baseline.get_or_insert((baseline, notes));
    }

    /// What people want forgotten.
    pub(super) fn take_notes(&mut self) -> Vec<(String, Option<String>)> {
        self.taken = self.notes.last().map_or(self.taken, |note| note.number);
        self.notes.drain(..).map(|note| (note.asset, note.destination)).collect()
    }

    /// The database is another one, whose notes count from 1.
    pub(super) fn begin_notes(&mut self) {
        self.taken = 0;
        self.notes.clear();
        if let Some((_, notes)) = &mut self.baseline {
            *notes = 0;
        }
    }

    /// Alerts that are not on disk.
    pub(super) fn unwritten(&self) -> usize {
        self.alerts.len() + self.writing
    }

    /// Whether all that came is on disk.
    pub(super) fn is_empty(&self) -> bool {
        self.unwritten() == 0 && self.baseline.is_none() && self.subscriptions.is_none()
    }

    /// How many alerts gave way, or came too late.
    pub(super) const fn lost(&self) -> u64 {
        self.lost
    }

    fn insert(&mut self, order: u64, alert: Alert) {
        self.order.insert(alert.id, order);
        self.alerts.insert(order, alert);
        if self.alerts.len() > ROOM {
            let least = self.alerts.iter().min_by_key(|(order, alert)| (alert.severity, **order));
            if let Some(alert) = least.map(|(order, _)| *order).and_then(|o| self.alerts.remove(&o))
            {
                self.order.remove(&alert.id);
                self.lost += 1;
            }
        }
    }
}
