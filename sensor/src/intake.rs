//! What is read besides packets: log messages of ESXi, vCenter and NSX.
//!
//! [`syslog`] finds messages in what arrives and reads their headers, [`esxi`] understands what they say,
//! and [`join`] puts together what several of them tell of one fact. Nothing here reads a clock:
//! times are those of messages and of their arrival.

use std::net::IpAddr;

use crate::event::{Report, Reporter};
use crate::time::Timestamp;

pub mod esxi;
pub mod join;
pub mod syslog;

/// How a message came here.
#[derive(Debug, Clone, Copy)]
pub struct Origin {
    /// When; of a file, none.
    pub arrival: Option<Timestamp>,
    /// Who sent it; of a file, none.
    pub peer: Option<IpAddr>,
}

/// What became of the messages that were read.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counts {
    /// They said something that is understood.
    pub understood: u64,
    /// They are of a known form and say nothing that is asked for.
    pub irrelevant: u64,
    /// They are no syslog messages.
    pub unreadable: u64,
}

/// Reads messages; one thread's own.
#[derive(Debug, Default)]
pub struct Reader {
    counts: Counts,
}

impl Reader {
    /// What one message says, if that is anything that detectors ask for.
    pub fn read(&mut self, origin: &Origin, message: &[u8]) -> Option<Report> {
        let Some(message) = syslog::parse(message) else {
            self.counts.unreadable += 1;
            return None;
        };
        let Some((service, said)) = esxi::read(&message) else {
            self.counts.irrelevant += 1;
            return None;
        };
        self.counts.understood += 1;
        let time = origin.arrival.or(message.time)?;
        let host = message.host.map(Into::into);
        let reporter = Reporter { service, host, peer: origin.peer };
        Some(Report { time, stated: message.time, reporter, said })
    }

    /// What became of the messages so far.
    pub const fn counts(&self) -> Counts {
        self.counts
    }
}
