//! The keys of one table, read one by one into typed values.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use super::kinds::Kind;
use super::problem::{Origin, Report};
use super::raw::{Item, Table, Value};

/// A table that is being read. A key asked for is known; what is left at the end is unknown.
pub(super) struct Keys<'t, 'r> {
    /// Its key with a dot behind; empty at the top.
    prefix: String,
    table: &'t Table,
    /// Where it begins, for keys that are missing.
    at: Origin,
    asked: BTreeSet<&'static str>,
    report: &'r mut Report,
}

impl<'t> Keys<'t, '_> {
    /// Reads a whole file's table with `read`.
    pub(super) fn top(table: &'t Table, report: &mut Report, read: impl FnOnce(&mut Keys<'t, '_>)) {
        Keys::over(String::new(), table, Origin::Line(1), report, read);
    }

    /// If `key` is given, puts it where it belongs.
    pub(super) fn set<T, U: From<T>>(&mut self, key: &'static str, kind: &Kind<T>, to: &mut U) {
        if let Some(item) = self.find(key)
            && let Some(value) = self.typed(key, item, kind)
        {
            *to = value.into();
        }
    }

    /// The value of a key that must be given.
    pub(super) fn need<T>(&mut self, key: &'static str, kind: &Kind<T>) -> Option<T> {
        let Some(item) = self.find(key) else {
            let advice = format!("missing; expected {}", kind.expected);
            self.report.note(self.at, &self.path(key), &advice);
            return None;
        };
        self.typed(key, item, kind)
    }

    /// If a list is given, puts it where it belongs.
    pub(super) fn list<T>(&mut self, key: &'static str, kind: &Kind<T>, to: &mut Vec<T>) {
        if let Some(values) = self.placed_list(key, kind) {
            *to = values.into_iter().map(|(value, _)| value).collect();
        }
    }

    /// The items of a list and where each was given; `None` when there is no such list.
    pub(super) fn placed_list<T>(
        &mut self,
        key: &'static str,
        kind: &Kind<T>,
    ) -> Option<Vec<(T, Origin)>> {
        let item = self.find(key)?;
        let Value::List(items) = &item.value else {
            let expected = format!("a list in brackets, each item {}", kind.expected);
            self.wrong(key, item, &expected);
            return None;
        };
        Some(
            items.iter().filter_map(|item| Some((self.typed(key, item, kind)?, item.at))).collect(),
        )
    }

    /// The items of a list of texts that have a grammar of their own, whose mistakes say what was
    /// expected.
    pub(super) fn parsed_list<T, E: fmt::Display>(
        &mut self,
        key: &'static str,
        kind: &Kind<String>,
        parse: impl Fn(&str) -> Result<T, E>,
    ) -> Vec<T> {
        let mut parsed = Vec::new();
        for (text, at) in self.placed_list(key, kind).unwrap_or_default() {
            match parse(&text) {
                Ok(item) => parsed.push(item),
                Err(error) => {
                    let (path, value) = (self.path(key), Value::Text(text));
                    self.report.wrong(at, &path, &value, &error.to_string());
                }
            }
        }
        parsed
    }

    /// If a table with keys of the user's choice is given, puts it where it belongs.
    pub(super) fn map<T>(
        &mut self,
        key: &'static str,
        kind: &Kind<T>,
        to: &mut BTreeMap<String, T>,
    ) {
        if let Some((table, _)) = self.find_table(key) {
            *to = table
                .iter()
                .filter_map(|(name, item)| {
                    let value = self.typed(&format!("{key}.{name}"), item, kind)?;
                    Some((name.clone(), value))
                })
                .collect();
        }
    }

    /// Reads the table below `key`, as if empty when it is not given.
    pub(super) fn section(&mut self, key: &'static str, read: impl FnOnce(&mut Keys<'t, '_>)) {
        static EMPTY: Table = Table::new();
        let (table, at) = self.find_table(key).unwrap_or((&EMPTY, self.at));
        Keys::over(self.path(key) + ".", table, at, self.report, read);
    }

    /// Reads the table below `key` if it is given.
    pub(super) fn optional<T>(
        &mut self,
        key: &'static str,
        read: impl FnOnce(&mut Keys<'t, '_>) -> Option<T>,
    ) -> Option<T> {
        let (table, at) = self.find_table(key)?;
        Keys::over(self.path(key) + ".", table, at, self.report, read)
    }

    /// Reads each table of a list of tables, `[[key]]`; one with an error is left out.
    pub(super) fn tables<T>(
        &mut self,
        key: &'static str,
        mut read: impl FnMut(&mut Keys<'t, '_>) -> Option<T>,
    ) -> Vec<T> {
        let Some(item) = self.find(key) else { return Vec::new() };
        let path = self.path(key);
        let expected = format!("a list of tables: write [[{path}]], with two brackets, above each");
        let Value::List(items) = &item.value else {
            self.wrong(key, item, &expected);
            return Vec::new();
        };
        let mut all = Vec::new();
        for item in items {
            let Value::Table(table) = &item.value else {
                self.wrong(key, item, &expected);
                continue;
            };
            all.extend(Keys::over(format!("{path}."), table, item.at, self.report, &mut read));
        }
        all
    }

    /// Notes something about the value at `at` that its kind alone cannot tell.
    pub(super) fn note(&mut self, at: Origin, key: &str, advice: &str) {
        self.report.note(at, &self.path(key), advice);
    }

    /// Notes something about the table itself.
    pub(super) fn note_table(&mut self, advice: &str) {
        self.report.note(self.at, self.prefix.trim_end_matches('.'), advice);
    }

    /// Whether `key` says anything, right or wrong; an empty list does not.
    pub(super) fn is_given(&self, key: &str) -> bool {
        self.table
            .get(key)
            .is_some_and(|item| !matches!(&item.value, Value::List(items) if items.is_empty()))
    }

    /// Where `key` was given, else where its table begins.
    pub(super) fn origin(&self, key: &str) -> Origin {
        self.table.get(key).map_or(self.at, |item| item.at)
    }

    fn over<'r, T>(
        prefix: String,
        table: &'t Table,
        at: Origin,
        report: &'r mut Report,
        read: impl FnOnce(&mut Keys<'t, 'r>) -> T,
    ) -> T {
        let mut keys = Keys { prefix, table, at, asked: BTreeSet::new(), report };
        let result = read(&mut keys);
        for (key, item) in table {
            if !keys.asked.contains(key.as_str()) {
                keys.report.unknown(item.at, &keys.prefix, key);
            }
        }
        result
    }

    fn find(&mut self, key: &'static str) -> Option<&'t Item> {
        self.asked.insert(key);
        self.report.know(&self.prefix, key);
        self.table.get(key)
    }

    fn find_table(&mut self, key: &'static str) -> Option<(&'t Table, Origin)> {
        let item = self.find(key)?;
        if let Value::Table(table) = &item.value {
            return Some((table, item.at));
        }
        let expected = format!("a table: write [{}] and its keys below", self.path(key));
        self.wrong(key, item, &expected);
        None
    }

    fn typed<T>(&mut self, key: &str, item: &Item, kind: &Kind<T>) -> Option<T> {
        let value = (kind.read)(&item.value);
        if value.is_none() {
            self.wrong(key, item, kind.expected);
        }
        value
    }

    fn wrong(&mut self, key: &str, item: &Item, expected: &str) {
        self.report.wrong(item.at, &self.path(key), &item.value, expected);
    }

    fn path(&self, key: &str) -> String {
        format!("{}{key}", self.prefix)
    }
}
