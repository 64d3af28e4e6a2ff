//! `/api/approvals`: what is expected, as `egret baseline approve`, `approvals` and `unapprove` have it.
//!
//! An approval goes into the database, and is in effect within seconds. Those of the config are told of
//! where they are in effect: with each asset.

use axum::Json;
use axum::body::Bytes;
use axum::extract::rejection::BytesRejection;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use serde::Serialize;

use super::{Parts, Refusal};
use crate::config::{Approve, Expected};
use crate::store::Approval;
use crate::text::{printable, printable_within};
use crate::time::Timestamp;

/// The longest sentence about an approval, in bytes.
const LONGEST: usize = 1000;
/// Names, addresses and ports in one approval at most.
const MOST_VALUES: usize = 100;

/// What can be approved: a body for `POST /api/approvals`, and in words.
#[derive(Debug, Serialize)]
pub(in crate::http) struct Offered {
    /// What it would allow.
    sentence: String,
    #[serde(flatten)]
    entry: Entry,
}

/// An approval that was given.
#[derive(Debug, Serialize)]
pub(in crate::http) struct Given {
    number: i64,
    given: Timestamp,
    by: String,
    /// What it allows.
    sentence: String,
    #[serde(flatten)]
    entry: Entry,
    note: Option<String>,
}

#[derive(Debug, Serialize)]
struct Entry {
    asset: Vec<String>,
    role: Vec<&'static str>,
    sni: Vec<String>,
    destination: Vec<String>,
    port: Vec<u16>,
}

#[derive(Debug, Serialize)]
pub(in crate::http) struct All {
    approvals: Vec<Given>,
}

/// `GET /api/approvals`
pub(in crate::http) async fn list(State(parts): State<Parts>) -> Result<Json<All>, Refusal> {
    let approvals = parts.keeper.ask(|store| store.approval_list()).await?;
    Ok(Json(All { approvals: approvals.into_iter().map(Given::of).collect() }))
}

/// `POST /api/approvals`
pub(in crate::http) async fn approve(
    State(parts): State<Parts>,
    body: Result<Bytes, BytesRejection>,
) -> Result<(StatusCode, Json<Given>), Refusal> {
    let expected = "{\"asset\": [\"…\"], \"sni\": [\"…\"], \"port\": [443], \"note\": \"…\"}";
    let mut expected: Expected = super::body(body, expected)?;
    expected.note = super::note(expected.note)?;
    let lists = [&expected.asset, &expected.role, &expected.sni, &expected.destination];
    if lists.iter().any(|list| list.len() > MOST_VALUES) || expected.port.len() > MOST_VALUES {
        return Err(Refusal::bad(format!("more than {MOST_VALUES} values of a kind")));
    }
    let entry = expected.read().map_err(|error| Refusal::bad(error.to_string()))?;
    let given = (parts.clock)();
    let number = {
        let entry = entry.clone();
        parts.keeper.change(move |store| store.approve(&entry, "api", given)).await?
    };
    let approval = Approval { number, given, person: "api".to_owned(), entry };
    Ok((StatusCode::CREATED, Json(Given::of(approval))))
}

/// `DELETE /api/approvals/{number}`
pub(in crate::http) async fn unapprove(
    State(parts): State<Parts>,
    Path(number): Path<String>,
) -> Result<StatusCode, Refusal> {
    let wrong = |_| Refusal::bad("expected the number of an approval");
    let number: i64 = number.parse().map_err(wrong)?;
    let at = (parts.clock)();
    if parts.keeper.change(move |store| store.unapprove(number, "api", at)).await? {
        return Ok(StatusCode::NO_CONTENT);
    }
    Err(Refusal::missing(format!("there is no approval {number}")))
}

impl Offered {
    pub(super) fn of(entry: &Approve) -> Self {
        Self { sentence: sentence(entry), entry: Entry::of(entry) }
    }
}

impl Given {
    fn of(Approval { number, given, person, entry }: Approval) -> Self {
        let sentence = sentence(&entry);
        let note = entry.note.clone();
        let by = printable(&person).to_string();
        Self { number, given, by, sentence, entry: Entry::of(&entry), note }
    }
}

impl Entry {
    fn of(entry: &Approve) -> Self {
        Self {
            asset: entry.assets.clone(),
            role: entry.roles.iter().map(|role| role.name()).collect(),
            sni: entry.sni.iter().map(ToString::to_string).collect(),
            destination: entry.destinations.iter().map(ToString::to_string).collect(),
            port: entry.ports.clone(),
        }
    }
}

/// What an approval allows.
pub(super) fn sentence(entry: &Approve) -> String {
    let (who, place) = (entry.who(), entry.place());
    let (who, place) = (printable_within(&who, LONGEST), printable_within(&place, LONGEST));
    format!("{who} may reach {place}")
}
