//! What several messages say together: that a host, its vCenter and its audit log tell of the same
//! operation, and who was logged in when it was done.
//!
//! Operations and logins wait a little for others that tell of them. Everything else is passed on as
//! it comes.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use crate::account::is_same;
use crate::event::{Operation, Report, Said};
use crate::time::Timestamp;
use beside::Beside;
use operation::Facts;
use repeated::Repeated;
use sessions::Sessions;

mod beside;
mod login;
mod operation;
mod repeated;
mod sessions;
#[cfg(test)]
mod tests;

/// How long a guest operation waits for others to tell more of it.
pub const PATIENCE: Duration = Duration::from_secs(5);

/// How far apart the clocks of those who tell of one thing may be.
const TOGETHER: Duration = Duration::from_secs(2);

/// Reports that wait at most; beyond, the one that has waited longest goes on as it is.
const MAX_WAITING: usize = 2048;

/// Reports that are looked through for others of one thing: as many as come in 5 s at 100 a second.
const MAX_LOOKED_THROUGH: usize = 512;

/// Records of calls that are remembered at most.
const MAX_CALLS: usize = 1024;

/// What became of reports that were to be joined.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counts {
    /// They told of what another one tells, and are part of it.
    pub merged: u64,
    /// They came a second time.
    pub repeated: u64,
    /// They went on before their time, because too many waited.
    pub hurried: u64,
}

impl Counts {
    /// All of them, by what became of them.
    pub const fn by_result(&self) -> [(&'static str, u64); 3] {
        [("merged", self.merged), ("repeated", self.repeated), ("hurried", self.hurried)]
    }
}

/// Reports that wait, and what is known of sessions.
#[derive(Debug, Default)]
pub struct Join {
    /// By time; of the same time, as they came.
    waiting: BTreeMap<(Timestamp, u64), Report>,
    came: u64,
    now: Timestamp,
    sessions: Sessions,
    beside: Beside,
    repeated: Repeated,
    calls: VecDeque<Call>,
    counts: Counts,
}

/// A record of a call that names who called and not for which virtual machine.
#[derive(Debug)]
struct Call {
    times: [Timestamp; 2],
    operation: Operation,
    account: Arc<str>,
}

impl Join {
    /// Takes a report; gives it back at once if nobody else tells of such things.
    pub fn take(&mut self, report: Report) -> Option<Report> {
        self.now = self.now.max(report.time);
        match &report.said {
            Said::GuestOperation(_) | Said::Session(_) => {}
            _ => return Some(report),
        }
        if self.repeated.note(&report) {
            self.counts.repeated += 1;
            return None;
        }
        self.learn(&report);
        self.waiting.insert((report.time, self.came), report);
        self.came += 1;
        None
    }

    /// It is `now` by the time of records.
    #[inline]
    pub fn advance(&mut self, now: Timestamp) {
        self.now = self.now.max(now);
    }

    /// The next report that has waited long enough. Asked at every event, and mostly nothing waits.
    #[inline]
    pub fn pop(&mut self) -> Option<Report> {
        if self.waiting.is_empty() { None } else { self.pop_due() }
    }

    #[cold]
    fn pop_due(&mut self) -> Option<Report> {
        let (&(time, _), _) = self.waiting.first_key_value()?;
        if time > self.now.minus(PATIENCE) {
            if self.waiting.len() <= MAX_WAITING {
                return None;
            }
            self.counts.hurried += 1;
        }
        self.pop_last()
    }

    /// The next report when nothing more will come.
    pub fn pop_last(&mut self) -> Option<Report> {
        let (_, report) = self.waiting.pop_first()?;
        Some(match report.said {
            Said::GuestOperation(_) => self.operation(report),
            _ => self.login(report),
        })
    }

    /// What became of the reports so far.
    pub const fn counts(&self) -> Counts {
        self.counts
    }

    /// Keeps what helps to understand other reports.
    fn learn(&mut self, report: &Report) {
        match &report.said {
            Said::Session(session) => self.sessions.note(&report.reporter, session, when(report)),
            Said::GuestOperation(said) if said.vm.is_some() => self.beside.note(report, said),
            Said::GuestOperation(said) => {
                let Some(claim) = &said.account else { return };
                if self.calls.len() == MAX_CALLS {
                    self.calls.pop_front();
                }
                self.calls.push_back(Call {
                    times: times(report),
                    operation: said.operation.clone(),
                    account: claim.account.clone(),
                });
            }
            _ => {}
        }
    }

    /// An operation with all that others tell of it.
    fn operation(&mut self, first: Report) -> Report {
        let Some(mut facts) = Facts::new(&first) else { return first };
        let waiting = self.waiting.iter().take(MAX_LOOKED_THROUGH);
        let parts: Vec<_> =
            waiting.filter(|(_, report)| facts.take(report)).map(|(key, _)| *key).collect();
        self.counts.merged += parts.len() as u64;
        let others = parts.iter().filter_map(|key| self.waiting.remove(key)).collect();
        let mut callers = self.calls.iter().filter(|call| facts.may_be(call)).map(|c| &*c.account);
        let is_clear =
            callers.next().is_none_or(|first| callers.all(|other| is_same(first, other)));
        let known = operation::Callers { sessions: &self.sessions, beside: &self.beside, is_clear };
        operation::merged(first, others, &known)
    }

    /// A login with all that others tell of it.
    fn login(&mut self, mut first: Report) -> Report {
        let waiting = self.waiting.iter().take(MAX_LOOKED_THROUGH);
        let same = |(key, report): (&_, &Report)| login::is_same(&first, report).then_some(*key);
        let parts: Vec<_> = waiting.filter_map(same).collect();
        for report in parts.iter().filter_map(|key| self.waiting.remove(key)) {
            self.counts.merged += 1;
            login::merge(&mut first, report);
        }
        first
    }
}

/// When a report's facts happened by the clock of who tells them, as far as that is said.
fn when(report: &Report) -> Timestamp {
    report.stated.unwrap_or(report.time)
}

/// The same by this sensor's clock, too.
fn times(report: &Report) -> [Timestamp; 2] {
    [when(report), report.time]
}

/// Whether two times may be one for two clocks.
fn is_near(one: Timestamp, other: Timestamp) -> bool {
    one.since(other).max(other.since(one)) <= TOGETHER
}

/// Whether two reports may be of one time: by the clocks of those who tell it, or by this sensor's,
/// where it knows how far those are off.
fn are_near(one: [Timestamp; 2], other: [Timestamp; 2]) -> bool {
    one.into_iter().zip(other).any(|(one, other)| is_near(one, other))
}
