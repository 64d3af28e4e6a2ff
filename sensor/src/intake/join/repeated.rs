//! The same message twice: sent anew over a new connection, or seen on the mirror and received.

use std::hash::{DefaultHasher, Hash, Hasher};

use crate::event::{Report, Said};
use crate::intake::kept::Kept;

/// Messages that are remembered at most.
const KEPT: usize = 8192;

/// What tells messages apart, of the latest, as hashes: one in 2^50 messages is taken for another by chance.
#[derive(Debug)]
pub(super) struct Repeated(Kept<u64, ()>);

impl Default for Repeated {
    fn default() -> Self {
        Self(Kept::new(KEPT))
    }
}

impl Repeated {
    /// Takes a message; whether it came before.
    pub(super) fn note(&mut self, report: &Report) -> bool {
        identity(report).is_some_and(|identity| self.0.insert(identity, ()).is_some())
    }
}

/// What no other message has: its time, and its number or its session; or the id of its call. Where a
/// message has none of them, two can be equal and tell of two things.
fn identity(report: &Report) -> Option<u64> {
    let mut hasher = DefaultHasher::new();
    (report.reporter.service, &report.reporter.host, report.stated).hash(&mut hasher);
    match &report.said {
        Said::GuestOperation(said) => {
            if said.event.is_none() && said.op_id.is_none() {
                return None;
            }
            (0, said.event, &said.op_id, &said.operation, &said.vm).hash(&mut hasher);
        }
        Said::Session(session) => {
            report.stated?;
            (1, &session.account, &session.client, &session.agent, &session.id).hash(&mut hasher);
            (session.change, session.access).hash(&mut hasher);
        }
        _ => return None,
    }
    Some(hasher.finish())
}
