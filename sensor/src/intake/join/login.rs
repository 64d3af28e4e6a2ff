//! Logins that several messages tell of.

use super::sessions::host;
use super::{are_near, times};
use crate::account;
use crate::event::{Report, Said, Session};

/// Whether two reports tell of one login, logout or refusal.
pub(super) fn is_same(one: &Report, other: &Report) -> bool {
    let (Said::Session(a), Said::Session(b)) = (&one.said, &other.said) else { return false };
    let is_one_session = match (&a.id, &b.id) {
        (Some(a), Some(b)) => a == b,
        // A program that tells of a login twice has its id in one of them.
        (None, None) => one.reporter.service != other.reporter.service,
        _ => true,
    };
    is_one_session
        && (a.change, a.access) == (b.change, b.access)
        && (a.client == b.client || a.client.is_none() || b.client.is_none())
        && are_near(times(one), times(other))
        && host(&one.reporter) == host(&other.reporter)
        && account::is_same(&a.account, &b.account)
}

/// Adds what another report tells of a login.
pub(super) fn merge(report: &mut Report, other: Report) {
    let (Said::Session(known), Said::Session(other)) = (&mut report.said, other.said) else {
        return;
    };
    let Session { client, agent, id, .. } = *other;
    known.client = known.client.or(client);
    known.agent = known.agent.take().or(agent);
    known.id = known.id.take().or(id);
}
