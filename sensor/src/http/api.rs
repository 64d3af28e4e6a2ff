//! The API: `/api/...`, JSON in and out.

use axum::Json;
use axum::body::Bytes;
use axum::extract::rejection::{BytesRejection, QueryRejection};
use axum::extract::{Query, State};

use super::Parts;
use super::refusal::Refusal;
use crate::status::Status;

pub(super) mod alerts;
pub(super) mod approvals;
pub(super) mod asset;
pub(super) mod assets;
pub(super) mod fleet;
pub(super) mod sources;

/// Entries in one answer unless asked otherwise.
const USUAL: usize = 100;
/// Entries in one answer at most.
const MOST: usize = 1000;
/// The longest note, in characters.
const LONGEST_NOTE: usize = 2000;

/// `GET /api/status`
pub(super) async fn status(State(parts): State<Parts>) -> Json<Status> {
    Json(parts.status())
}

impl Parts {
    /// A copy of the status.
    pub(super) fn status(&self) -> Status {
        self.status.read().unwrap_or_else(std::sync::PoisonError::into_inner).clone()
    }
}

/// What a body says, as JSON.
fn body<T: serde::de::DeserializeOwned>(
    body: Result<Bytes, BytesRejection>,
    expected: &str,
) -> Result<T, Refusal> {
    let body = body.map_err(|rejection| Refusal::new(rejection.status(), rejection.body_text()))?;
    serde_json::from_slice(&body)
        .map_err(|error| Refusal::bad(format!("expected {expected}: {error}")))
}

/// A note of a person, if there is anything in it.
fn note(note: Option<String>) -> Result<Option<String>, Refusal> {
    match note {
        Some(note) if note.chars().count() > LONGEST_NOTE => {
            Err(Refusal::bad(format!("the note is longer than {LONGEST_NOTE} characters")))
        }
        note => Ok(note.filter(|note| !note.trim().is_empty())),
    }
}

/// What was asked for behind the `?`, or what is wrong with it.
type Asked<T> = Result<Query<T>, QueryRejection>;

fn asked<T>(asked: Asked<T>) -> Result<T, Refusal> {
    match asked {
        Ok(Query(asked)) => Ok(asked),
        Err(rejection) => Err(Refusal::bad(rejection.body_text())),
    }
}

/// How many entries to give.
fn limit(asked: Option<usize>) -> Result<usize, Refusal> {
    let limit = asked.unwrap_or(USUAL);
    if (1..=MOST).contains(&limit) {
        return Ok(limit);
    }
    Err(Refusal::bad(format!("limit = {limit}: expected a number from 1 to {MOST}")))
}

/// The one of `all` that is called `name`.
fn named<T: Copy>(
    key: &str,
    name: Option<&str>,
    all: &[T],
    its_name: fn(T) -> &'static str,
) -> Result<Option<T>, Refusal> {
    let Some(name) = name else { return Ok(None) };
    let found = all.iter().copied().find(|one| its_name(*one) == name);
    if found.is_some() {
        return Ok(found);
    }
    let names: Vec<_> = all.iter().map(|one| its_name(*one)).collect();
    Err(Refusal::bad(format!("{key} = {name:?}: expected one of {}", names.join(", "))))
}
