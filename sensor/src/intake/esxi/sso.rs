//! Single sign-on of vCenter: its audit log holds one JSON object a line.

use std::borrow::Cow;

use serde::Deserialize;

use crate::event::{Access, Said, Session, SessionChange};

use super::session::session;

/// What is asked for of a record.
#[derive(Deserialize)]
struct Record<'a> {
    #[serde(borrow)]
    user: Cow<'a, str>,
    #[serde(borrow, default)]
    client: Cow<'a, str>,
    #[serde(borrow, rename = "type")]
    kind: Cow<'a, str>,
}

/// What a message says.
pub(super) fn read(body: &str) -> Option<Said> {
    // Nothing that somebody else chose stands before the first.
    let (_, record) = body.split_once("[auditlogger] ")?;
    let record: Record<'_> = serde_json::from_str(record.trim_end()).ok()?;
    let change = match &*record.kind {
        "com.vmware.sso.LoginSuccess" => SessionChange::LoggedIn,
        "com.vmware.sso.LoginFailure" => SessionChange::Refused,
        "com.vmware.sso.Logout" => SessionChange::LoggedOut,
        _ => return None,
    };
    let session = session(change, &record.user, &record.client)?;
    Some(Said::Session(Box::new(Session { access: Access::SignOn, ..session })))
}
