//! hostd, the agent of an ESXi host: its events, and logins at its API.

use crate::event::Said;

use super::originator::{self, Head};
use super::{name, operation, placement, session, stated};

/// The part of hostd that writes events.
pub(super) const EVENTS: &str = "Vimsvc.ha-eventmgr";
/// That before ESXi 6.
const EVENTS_EARLY: &str = "ha-eventmgr";
/// The parts that write of passwords.
const LOGINS: [&str; 3] = ["Vimsvc.HaSessionManager", "Vimsvc", "Default"];

/// What a message of hostd says.
pub(super) fn read(body: &str) -> Option<Said> {
    let (head, text) = originator::split(body)?;
    if head.sub == EVENTS || head.sub == EVENTS_EARLY {
        return event(&head, text);
    }
    if LOGINS.contains(&head.sub) {
        return session::of_password(text).map(|session| Said::Session(Box::new(session)));
    }
    None
}

/// An event and its number: `Event 246 : …`.
pub(super) fn numbered(text: &str) -> Option<(u64, &str)> {
    let (number, text) = text.strip_prefix("Event ")?.split_once(" : ")?;
    Some((number.parse().ok()?, text))
}

fn event(head: &Head<'_>, text: &str) -> Option<Said> {
    let (number, text) = numbered(text)?;
    if let Some(mut operation) = operation::of_event(text) {
        // A client chooses the id of its call, and may choose one that looks like the end of a head
        // with an event behind it. Then the true event follows.
        if head.op_id().is_some() && holds_an_event(text) {
            return None;
        }
        operation.event = Some(number);
        operation.op_id = head.op_id().map(name);
        operation.session = head.sid().and_then(session::short);
        operation.account = head.user().and_then(stated);
        return Some(Said::GuestOperation(Box::new(operation)));
    }
    // Before sessions: "VM on HOST in DATACENTER is powered on" begins with a name that may be the
    // sentence of a login. A login that ends like that is told of by its password, too.
    if let Some(placed) = placement::of_event(text) {
        return Some(placed);
    }
    let mut session = session::of_event(text)?;
    session.id = head.sid().and_then(session::short);
    Some(Said::Session(Box::new(session)))
}

/// Whether there is the end of a head with an event behind it in a text.
fn holds_an_event(text: &str) -> bool {
    text.split("] ").skip(1).any(|rest| numbered(rest).is_some())
}
