//! Records as providers write them, made by hand in the forms of their documentation.

use serde_json::{Value, json};

use super::*;
use crate::event::{ChangeAction, MirrorChange, MirrorObject, Principal, TunnelKind};

mod aws;
mod corpus;
mod flows;
mod others;
mod variants;

/// What a record tells, by somebody who knows of none before.
fn told(record: &Value) -> Option<Told> {
    Providers::default().read(record)
}

#[track_caller]
fn change(record: &Value) -> MirrorChange {
    changed(told(record))
}

#[track_caller]
fn changed(told: Option<Told>) -> MirrorChange {
    let said = told.map(|told| told.said);
    match said.as_deref() {
        Some([Said::MirrorChanged(change)]) => (**change).clone(),
        other => panic!("{other:?}"),
    }
}

/// With a member changed: of `a.b.c`, the one of the innermost.
fn with(record: &Value, path: &str, value: Value) -> Value {
    let mut record = record.clone();
    let pointer = format!("/{}", path.replace('.', "/"));
    let (parent, key) = pointer.rsplit_once('/').unwrap();
    record.pointer_mut(parent).unwrap()[key] = value;
    record
}

fn names(names: &[&str]) -> Vec<Arc<str>> {
    names.iter().map(|name| (*name).into()).collect()
}
