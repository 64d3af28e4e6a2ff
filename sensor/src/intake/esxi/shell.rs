//! The shell of ESXi: who is let in over SSH, by the SSH server itself and by vobd, and what is done there.

use crate::event::{Access, Said, Session, SessionChange};

use super::host;
use super::session::{at, session};

/// What the SSH server says, and the shell of what it is told to do.
pub(super) fn read(body: &str) -> Option<Said> {
    if let Some((user, line)) = body.strip_prefix('[').and_then(|rest| rest.split_once("]: ")) {
        return host::command(user, line);
    }
    if let Some(rest) = body.strip_prefix("Session closed for ") {
        let user = rest.rsplit_once(" on ").map_or(rest, |(user, _terminal)| user);
        return told(session(SessionChange::LoggedOut, user, "")?);
    }
    let (change, rest) = match body.strip_prefix("Accepted ") {
        Some(rest) => (SessionChange::LoggedIn, rest),
        None => (SessionChange::Refused, body.strip_prefix("Failed ")?),
    };
    let (_method, rest) = rest.split_once(" for ")?;
    let rest = rest.strip_prefix("invalid user ").unwrap_or(rest);
    // From the end: a user who is refused may have any name.
    let (rest, _port) = rest.rsplit_once(" port ")?;
    let (user, client) = rest.rsplit_once(" from ")?;
    told(session(change, user, client)?)
}

/// What vobd observed: `[correlator] 123us: [id] text`. It tells each thing twice, as `vob.…` and as
/// `esx.…`: of sessions the first counts, of other things the second.
pub(super) fn observed(body: &str) -> Option<Said> {
    let (_, rest) = body.strip_prefix('[')?.split_once("us: [")?;
    let (id, text) = rest.split_once("] ")?;
    let (change, text) = match id {
        "vob.user.ssh.session.opened" => {
            (SessionChange::LoggedIn, text.strip_prefix("SSH session was opened for ")?)
        }
        "vob.user.ssh.session.closed" => {
            (SessionChange::LoggedOut, text.strip_prefix("SSH session was closed for ")?)
        }
        _ => return host::observed(id, text),
    };
    let who = text.trim_end().trim_end_matches('.').trim_matches('\'');
    let (user, client) = at(who)?;
    told(session(change, user, client)?)
}

fn told(session: Session) -> Option<Said> {
    Some(Said::Session(Box::new(Session { access: Access::Ssh, ..session })))
}
