//! Audit records of clouds and of vCenter: JSON, one record or many in an envelope.
//!
//! [`providers`] understands what one record says. Late and repeated records are normal: a report has the
//! time of its event, and what has a record's id is told once.

use serde_json::Value;

use crate::event::{Report, Reporter};
use crate::time::Timestamp;
use providers::Providers;

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
    providers: Providers,
}

impl Reader {
    /// What one record says that detectors ask for. `arrival`: when it came here; of a file, none.
    pub fn record(&mut self, record: &Value, arrival: Option<Timestamp>) -> Vec<Report> {
        let told = self.providers.read(record);
        let Some((time, told)) = told.and_then(|told| Some((told.time.or(arrival)?, told))) else {
            self.counts.irrelevant += 1;
            return Vec::new();
        };
        self.counts.understood += 1;
        let reporter = Reporter { service: told.service, host: None, peer: None };
        let report = |said| Report { time, stated: told.time, reporter: reporter.clone(), said };
        told.said.into_iter().map(report).collect()
    }

    /// What became of the records so far.
    pub const fn counts(&self) -> Counts {
        self.counts
    }
}
