//! What a check comes to: one line in plain words, and for a problem what fixes it.

use std::fmt;

use serde::Serialize;

/// How bad it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Level {
    /// As it should be.
    Ok,
    /// Worth knowing; the sensor works.
    Note,
    /// The sensor does not work, or sees or counts something wrongly.
    Problem,
}

impl Level {
    /// Its name, as printed.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Note => "note",
            Self::Problem => "problem",
        }
    }
}

/// One finding. Every text in it is harmless to print.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(super) struct Finding {
    /// How bad it is.
    pub(super) level: Level,
    /// What was looked at: `config`, `kernel`, an interface's name, …
    pub(super) subject: String,
    /// Which question was asked: the same word in every release, for scripts.
    pub(super) check: &'static str,
    /// What was seen, in numbers.
    pub(super) text: String,
    /// The command or the config key that changes it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) fix: Option<String>,
}

impl Finding {
    /// As it should be.
    pub(super) fn ok(subject: &str, check: &'static str, text: impl fmt::Display) -> Self {
        Self::new(Level::Ok, subject, check, text, None)
    }

    /// Worth knowing.
    pub(super) fn note(subject: &str, check: &'static str, text: impl fmt::Display) -> Self {
        Self::new(Level::Note, subject, check, text, None)
    }

    /// Wrong; there is no problem without something that fixes it.
    pub(super) fn problem(
        subject: &str,
        check: &'static str,
        text: impl fmt::Display,
        fix: impl fmt::Display,
    ) -> Self {
        Self::new(Level::Problem, subject, check, text, Some(fix.to_string()))
    }

    /// With what changes it, for a note.
    pub(super) fn fixed_by(self, fix: impl fmt::Display) -> Self {
        Self { fix: Some(fix.to_string()), ..self }
    }

    fn new(
        level: Level,
        subject: &str,
        check: &'static str,
        text: impl fmt::Display,
        fix: Option<String>,
    ) -> Self {
        Self { level, subject: subject.to_owned(), check, text: text.to_string(), fix }
    }
}
