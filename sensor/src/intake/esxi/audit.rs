//! Audit records of ESXi (8 and later, where they are sent): calls, sessions, what was denied.

use crate::event::{Access, GuestOperation, Said, Session, SessionChange};

use super::element::Element;
use super::{host, name, operation, session, stated};

/// What a record says.
pub(super) fn read(body: &str) -> Option<Said> {
    let record = Element::read(body)?;
    match record.id {
        "api.call" => call(&record, "object", !is_success(&record)),
        "vim.access.denied" => call(&record, "apiName", true),
        "vim.connect" => login(&record, Access::Api, !is_success(&record)),
        "vim.disconnect" | "vim.terminate" => logout(&record, Access::Api),
        "ssh.session.begin" => login(&record, Access::Ssh, !is_success(&record)),
        "ssh.session.end" => logout(&record, Access::Ssh),
        "shell.cmd" | "ssh.cmd" if is_success(&record) => {
            host::command(&record.get("subject")?, &record.get("command")?)
        }
        _ => None,
    }
}

fn is_success(record: &Element<'_>) -> bool {
    record.get("result").is_none_or(|result| result == "success")
}

fn call(record: &Element<'_>, method: &str, is_refused: bool) -> Option<Said> {
    let operation = operation::of_method(&record.get(method)?)?;
    Some(Said::GuestOperation(Box::new(GuestOperation {
        account: record.get("subject").and_then(|subject| stated(&subject)),
        client: record.get("ip").and_then(|ip| session::address(&ip)),
        op_id: record.get("opID").map(|id| name(&id)),
        is_refused,
        ..operation
    })))
}

fn login(record: &Element<'_>, access: Access, is_refused: bool) -> Option<Said> {
    let change = if is_refused { SessionChange::Refused } else { SessionChange::LoggedIn };
    changed(record, access, change)
}

fn logout(record: &Element<'_>, access: Access) -> Option<Said> {
    changed(record, access, SessionChange::LoggedOut)
}

fn changed(record: &Element<'_>, access: Access, change: SessionChange) -> Option<Said> {
    let client = record.get("ip").unwrap_or_default();
    let session = session::session(change, &record.get("subject")?, &client)?;
    let id = record.get("uniqueID").and_then(|id| session::short(&id));
    Some(Said::Session(Box::new(Session { id, access, ..session })))
}
