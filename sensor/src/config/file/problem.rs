//! What is wrong in a config, and the collecting of it.

use std::collections::BTreeSet;
use std::fmt;

use super::raw::Value;
use crate::text::{printable, printable_within};

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

/// The longest advice in bytes; it may hold names from the file.
const LONGEST_ADVICE: usize = 500;

/// Collects problems while a config is read.
pub(super) struct Report {
    label: String,
    problems: Vec<(Origin, Problem)>,
    /// Keys that no section asked for, to be compared with all that some section did ask for.
    unknown: Vec<(Origin, Key)>,
    pub(super) known: BTreeSet<Key>,
}

/// The section of a key, with a dot behind unless it is the top, and its own name.
type Key = (String, String);

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
        self.push(at, key, value, &format!("expected {expected}"));
    }

    /// Notes anything else about `key`.
    pub(super) fn note(&mut self, at: Origin, key: &str, advice: &str) {
        self.push(at, key, None, advice);
    }

    /// Notes that `section` knows `key`.
    pub(super) fn know(&mut self, section: &str, key: &str) {
        self.known.insert((section.to_owned(), key.to_owned()));
    }

    /// Notes that `section` does not know `key`.
    pub(super) fn unknown(&mut self, at: Origin, section: &str, key: &str) {
        self.unknown.push((at, (section.to_owned(), key.to_owned())));
    }

    /// All problems, in the order of their lines, those of flags last.
    pub(super) fn finish(mut self) -> Vec<Problem> {
        for (at, key) in std::mem::take(&mut self.unknown) {
            let advice = suggestion(&key, &self.known);
            self.note(at, &(key.0 + &key.1), &advice);
        }
        self.problems.sort_by_key(|(at, _)| *at);
        self.problems.into_iter().map(|(_, problem)| problem).collect()
    }

    fn push(&mut self, at: Origin, key: &str, value: Option<String>, advice: &str) {
        let place = match at {
            Origin::Line(line) => format!("{}:{line}", self.label),
            Origin::Flag => "--set".to_owned(),
        };
        let key = printable(key).to_string();
        let advice = printable_within(advice, LONGEST_ADVICE).to_string();
        self.problems.push((at, Problem { place, key, value, advice }));
    }
}

/// What to say about an unknown `key`: the known one that was probably meant. A key of that
/// name in another section is as common a mistake as a misspelt one.
fn suggestion((section, name): &Key, known: &BTreeSet<Key>) -> String {
    let siblings = || known.iter().filter(|(of, _)| of == section).map(|(_, name)| name);
    let distance = |sibling: &str| strsim::damerau_levenshtein(name, sibling);
    let Some(nearest) = siblings().min_by_key(|sibling| distance(sibling)) else {
        return "unknown key".to_owned();
    };
    if distance(nearest) <= 1 + name.len() / 4 {
        return format!("unknown key; did you mean {section}{nearest}?");
    }
    match known.iter().find(|(_, known)| known == name) {
        Some((elsewhere, _)) => format!("unknown key; did you mean {elsewhere}{name}?"),
        None => {
            let all: Vec<&str> = siblings().map(String::as_str).collect();
            format!(
                "unknown key; the nearest known one is {section}{nearest}, all known here are {}",
                all.join(", ")
            )
        }
    }
}
