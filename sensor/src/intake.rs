//! What is read besides packets: log messages of ESXi, vCenter, NSX, firewalls and network devices, audit
//! records, and flow records.
//!
//! [`syslog`] finds messages in what arrives and reads their headers, [`esxi`], `firewall` and [`device`]
//! understand what they say, and [`join`] puts together what several of them tell of one fact. [`audit`] and
//! [`flows`] read records, which need no such understanding. Nothing here reads a clock: times are those of
//! messages and of their arrival.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use crate::event::{Report, Reporter, Said};
use crate::text::{printable, printable_within};
use crate::time::{Elapsed, Timestamp};
use device::Devices;
use esxi::Gaps;
use syslog::{Form, Message, Skews};

pub mod audit;
pub mod device;
pub mod esxi;
pub mod files;
mod firewall;
pub mod flows;
pub mod join;
mod kept;
pub mod listen;
pub mod syslog;
mod waiting;

/// How a message came here.
#[derive(Debug, Clone, Copy)]
pub struct Origin {
    /// When; of a file, none.
    pub arrival: Option<Timestamp>,
    /// Who sent it; of a file, none.
    pub peer: Option<IpAddr>,
}

/// What became of the messages that were read: each is in one of these, but `cut` counts on top.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counts {
    /// They said something that is understood.
    pub understood: u64,
    /// They are of a known form and say nothing that is asked for.
    pub irrelevant: u64,
    /// They go on with the message before, and are not read by themselves.
    pub continuation: u64,
    /// They say that the message before was said again.
    pub repetition: u64,
    /// They are no syslog messages.
    pub unreadable: u64,
    /// They were cut on their way, and are in one of the others, too.
    pub cut: u64,
    /// Events that never came, by the numbers that hosts give theirs; they are in none of the others.
    pub missing: u64,
}

impl Counts {
    /// All of them, by what became of them.
    pub const fn by_result(&self) -> [(&'static str, u64); 5] {
        [
            ("understood", self.understood),
            ("irrelevant", self.irrelevant),
            ("continuation", self.continuation),
            ("repetition", self.repetition),
            ("unreadable", self.unreadable),
        ]
    }

    /// All of them.
    pub fn total(&self) -> u64 {
        self.by_result().iter().map(|(_, count)| count).sum()
    }
}

impl std::iter::Sum for Counts {
    fn sum<I: Iterator<Item = Self>>(counts: I) -> Self {
        counts.fold(Self::default(), |sum, more| Self {
            understood: sum.understood + more.understood,
            irrelevant: sum.irrelevant + more.irrelevant,
            continuation: sum.continuation + more.continuation,
            repetition: sum.repetition + more.repetition,
            unreadable: sum.unreadable + more.unreadable,
            cut: sum.cut + more.cut,
            missing: sum.missing + more.missing,
        })
    }
}

/// Reads messages; one thread's own.
#[derive(Debug, Default)]
pub struct Reader {
    counts: Counts,
    skews: Skews,
    gaps: Gaps,
    devices: Devices,
    /// When the file was written that the messages are in.
    written: Option<Timestamp>,
    /// How far the clock is ahead that wrote the last message, in nanoseconds.
    ahead: Option<i64>,
}

impl Reader {
    /// For messages in a file that was last `written` then.
    pub fn of_file(written: Option<Timestamp>) -> Self {
        Self { written, ..Self::default() }
    }

    /// What one message says, if that is anything that detectors ask for.
    pub fn read(&mut self, origin: &Origin, message: &[u8]) -> Option<Report> {
        let text = syslog::may_be_message(message).then(|| String::from_utf8_lossy(message));
        let (form, near) = match origin.arrival {
            Some(arrival) => (Form::Wire, Some(arrival)),
            None => (Form::File, self.written),
        };
        self.ahead = None;
        let Some(message) = text.as_deref().and_then(|text| syslog::parse(text, form, near)) else {
            self.counts.unreadable += 1;
            return None;
        };
        self.counts.cut += u64::from(message.is_cut);
        let time = self.time(origin, &message);
        if message.is_continuation {
            self.counts.continuation += 1;
            return None;
        }
        if message.is_repetition() {
            self.counts.repetition += 1;
            return None;
        }
        self.gaps.note(&message);
        let told = esxi::read(&message)
            .or_else(|| firewall::read(&message))
            .or_else(|| self.devices.read(&message, origin.peer));
        let (Some(time), Some(told)) = (time, told) else {
            self.counts.irrelevant += 1;
            return None;
        };
        self.counts.understood += 1;
        let stated = told.stated.or(message.time);
        // What happened before the message was written did so by the same clock.
        let before = message.time.zip(told.stated).map(|(written, stated)| written.since(stated));
        let time = time.minus(before.unwrap_or_default());
        let host = message.host.map(|host| printable(host).to_string().into());
        let reporter = Reporter { service: told.service, host, peer: origin.peer };
        Some(Report { time, stated, reporter, said: placed(told.said, time) })
    }

    /// A message that is not whole is about to be read.
    pub fn note_cut(&mut self) {
        self.counts.cut += 1;
    }

    /// When a message was written: by this sensor's clock, as far as that is known.
    fn time(&mut self, origin: &Origin, message: &Message<'_>) -> Option<Timestamp> {
        let (Some(arrival), Some(stated)) = (origin.arrival, message.time) else {
            return origin.arrival.or(message.time);
        };
        let (time, off) = self.skews.correct(origin.peer, message.host, stated, arrival);
        self.ahead = Some(self.skews.last_ahead());
        if let Some(off) = off {
            let host = message.host.unwrap_or("a host without a name");
            let way = if off.is_ahead { "ahead of" } else { "behind" };
            tracing::warn!(
                "the clock of {} is {} {way} this sensor's, by its log messages; set it by NTP",
                printable(host),
                Elapsed(Duration::from_secs(off.by.as_secs()))
            );
        }
        Some(time)
    }

    /// What became of the messages so far.
    pub const fn counts(&self) -> Counts {
        Counts { missing: self.gaps.missing(), ..self.counts }
    }

    /// How far the clock is ahead of this sensor's that wrote the last message, in nanoseconds, where it
    /// said what time it was.
    pub const fn clock_ahead(&self) -> Option<i64> {
        self.ahead
    }

    /// By how much the sender's clock is off that is off the most.
    pub fn largest_skew(&self) -> Duration {
        self.skews.largest()
    }
}

/// What a line that was written at `time` says. One of a firewall tells of what was over then, and at most
/// how long it took.
fn placed(mut said: Said, time: Timestamp) -> Said {
    if let Said::Exported(record) = &mut said {
        let lasted = record.last.since(record.first);
        (record.first, record.last) = (time.minus(lasted), time);
    }
    said
}

/// A name out of a message or a record, copied once and made harmless: at most 512 bytes, which 80
/// characters, the longest name of a virtual machine, nearly always fit into.
fn name(text: &str) -> Arc<str> {
    const LIMIT: usize = 512;
    printable_within(text, LIMIT).to_string().into()
}

#[cfg(test)]
mod tests;
