//! `--set KEY=VALUE`: any key, dotted, laid over the file.

use super::problem::{Origin, Report};
use super::raw::{self, Item, Table, Value};

/// Lays each `KEY=VALUE` of `set` over `tree`; a later one wins.
pub(super) fn apply(set: &[String], tree: &mut Table, report: &mut Report) {
    for flag in set {
        let parts = flag.split_once('=').map(|(key, value)| {
            let path: Vec<&str> = key.split('.').map(str::trim).collect();
            (path, value.trim())
        });
        match parts {
            Some((path, value)) if path.iter().all(|part| !part.is_empty()) => {
                put(&path, value, tree, report);
            }
            _ => report.note(
                Origin::Flag,
                flag,
                "expected KEY=VALUE, such as --set detect.tls_egress.window=30m",
            ),
        }
    }
}

fn put(path: &[&str], value: &str, tree: &mut Table, report: &mut Report) {
    let Some((name, sections)) = path.split_last() else { return };
    let mut table = tree;
    for (depth, section) in sections.iter().enumerate() {
        let item = table
            .entry((*section).to_owned())
            .or_insert_with(|| Item { at: Origin::Flag, value: Value::Table(Table::new()) });
        match &mut item.value {
            Value::Table(inner) => table = inner,
            other => {
                let above = path.get(..=depth).unwrap_or_default().join(".");
                let advice = match other {
                    Value::List(_) => format!("{above} is a list: set it whole, as {above}=[...]"),
                    _ => format!("{above} has no keys below it: set it as {above}=..."),
                };
                report.note(Origin::Flag, &path.join("."), &advice);
                return;
            }
        }
    }
    table.insert((*name).to_owned(), Item { at: Origin::Flag, value: raw::flag_value(value) });
}
