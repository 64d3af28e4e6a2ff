//! Audit records of clouds and of vCenter: JSON, one record or many in an envelope.
//!
//! [`providers`] understands what one record says. Late and repeated records are normal: a report has the
//! time of its event, and what has a record's id is told once.

use serde_json::Value;

use crate::event::{Report, Reporter};
use crate::time::Timestamp;

pub mod providers;

/// What became of audit records.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counts {
    /// They said something that is understood.
    pub understood: u64,
    /// They say nothing that is asked for.
    pub irrelevant: u64,
    /// They came before.
    pub repeated: u64,
}

/// Reads audit records; one thread's own.
#[derive(Debug, Default)]
pub struct Reader {
    counts: Counts,
}

impl Reader {
    /// What one record says, if that is anything that detectors ask for. `arrival`: when it came here;
    /// of a file, none.
    pub fn record(&mut self, record: &Value, arrival: Option<Timestamp>) -> Option<Report> {
        let Some(told) = providers::read(record) else {
            self.counts.irrelevant += 1;
            return None;
        };
        let time = told.time.or(arrival)?;
        self.counts.understood += 1;
        let reporter = Reporter { service: told.service, host: None, peer: None };
        Some(Report { time, stated: told.time, reporter, said: told.said })
    }

    /// What became of the records so far.
    pub const fn counts(&self) -> Counts {
        self.counts
    }
}
