//! What is wrong in a config, and the collecting of it.

use std::collections::BTreeSet;
use std::fmt;

use super::raw::Value;
use crate::text::printable;

/// Where a value was given.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Origin {
    /// This line of the file, from 1.
    Line(usize),
    /// A `--set` flag.
    Flag,
}

/// One thing that is wrong in a config. Prints as one line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// `egret.toml:12`, or `--set`.
    pub place: String,
    /// The key, dotted from the top; empty when the text is no TOML.
    pub key: String,
    /// The value as it was given; none when it is the key that is wrong.
    pub value: Option<String>,
    /// What was expected and what to do.
    pub advice: String,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: ", self.place)?;
        if !self.key.is_empty() {
            f.write_str(&self.key)?;
            if let Some(value) = &self.value {
                write!(f, " = {value}")?;
            }
            f.write_str(": ")?;
        }
        f.write_str(&self.advice)
    }
}

/// Collects problems while a config is read.
pub(super) struct Report {
    label: String,
    problems: Vec<(Origin, Problem)>,
    /// Keys that no section asked for, to be compared with all that some section did ask for.
    unknown: Vec<(Origin, String)>,
    known: BTreeSet<String>,
}

impl Report {
    pub(super) fn new(label: &str) -> Self {
        Self {
            label: printable(label).to_string(),
            problems: Vec::new(),
            unknown: Vec::new(),
            known: BTreeSet::new(),
        }
    }

    /// Whether nothing is wrong so far.
    pub(super) fn is_empty(&self) -> bool {
        self.problems.is_empty() && self.unknown.is_empty()
    }

    /// Notes that `key` has a value that is not what is `expected`.
    pub(super) fn wrong(&mut self, at: Origin, key: &str, value: &Value, expected: &str) {
        let value = Some(printable(&value.to_string()).to_string());
        self.push(at, key, value, format!("expected {expected}"));
    }

    /// Notes anything else about `key`.
    pub(super) fn note(&mut self, at: Origin, key: &str, advice: String) {
        self.push(at, key, None, advice);
    }

    /// Notes that some section knows `key`.
    pub(super) fn know(&mut self, key: String) {
        self.known.insert(key);
    }

    /// Notes that no section knows `key`.
    pub(super) fn unknown(&mut self, at: Origin, key: String) {
        self.unknown.push((at, key));
    }

    /// All problems, in the order of their lines, those of flags last.
    pub(super) fn finish(mut self) -> Vec<Problem> {
        for (at, key) in std::mem::take(&mut self.unknown) {
            let advice = match nearest(&key, &self.known) {
                Some(known) => format!("unknown key; did you mean {known}?"),
                None => "unknown key".to_owned(),
            };
            self.note(at, &key, advice);
        }
        self.problems.sort_by_key(|(at, _)| *at);
        self.problems.into_iter().map(|(_, problem)| problem).collect()
    }

    fn push(&mut self, at: Origin, key: &str, value: Option<String>, advice: String) {
        let place = match at {
            Origin::Line(line) => format!("{}:{line}", self.label),
            Origin::Flag => "--set".to_owned(),
        };
        let key = printable(key).to_string();
        self.problems.push((at, Problem { place, key, value, advice }));
    }
}

/// The known key most like `key`: by its own name first, because a key in the wrong section is
/// as common a mistake as a misspelt one, then by its section.
fn nearest<'a>(key: &str, known: &'a BTreeSet<String>) -> Option<&'a String> {
    let split = |key: &str| match key.rsplit_once('.') {
        Some((section, name)) => (section.to_owned(), name.to_owned()),
        None => (String::new(), key.to_owned()),
    };
    let (section, name) = split(key);
    known.iter().min_by_key(|known| {
        let (its_section, its_name) = split(known);
        let distance = strsim::damerau_levenshtein(&name, &its_name);
        (2 * distance + usize::from(section != its_section), strsim::levenshtein(key, known))
    })
}
