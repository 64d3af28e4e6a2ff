//! From facts to findings: nothing here asks the system.

mod backend;
pub(super) mod config;
pub(super) mod fleet;
pub(super) mod flows;
pub(super) mod interface;
pub(super) mod machine;
pub(super) mod syslog;
pub(super) mod traffic;

use std::fmt;

use crate::text::{counted, printable};

/// A part of a whole as people read it: `12 %`, `0.4 %`.
fn percent(part: u64, whole: u64) -> impl fmt::Display {
    let share = if whole == 0 { 0.0 } else { part as f64 * 100.0 / whole as f64 };
    fmt::from_fn(move |f| match share {
        0.0 => f.write_str("0 %"),
        10.0.. => write!(f, "{share:.0} %"),
        0.1.. => write!(f, "{share:.1} %"),
        _ => f.write_str("less than 0.1 %"),
    })
}

/// The first of many names, and how many more there are.
fn some_of<S: AsRef<str>>(names: &[S], most: usize) -> String {
    let shown: Vec<_> =
        names.iter().take(most).map(|name| printable(name.as_ref()).to_string()).collect();
    match names.len().saturating_sub(most) {
        0 => shown.join(", "),
        more => format!("{} and {more} more", shown.join(", ")),
    }
}

/// What a test says of findings: level, check, and whether the text and fix hold some words.
#[cfg(test)]
mod testing {
    use crate::commands::check::finding::{Finding, Level};

    /// The one finding that answers `check`.
    #[track_caller]
    pub(super) fn finding(findings: &[Finding], check: &str) -> Finding {
        let found: Vec<_> = findings.iter().filter(|finding| finding.check == check).collect();
        assert_eq!(found.len(), 1, "{check} in {findings:#?}");
        assert!(found[0].level != Level::Problem || found[0].fix.is_some());
        found[0].clone()
    }

    /// Fails unless `check` came to `level` with these words in its text and its fix.
    #[track_caller]
    pub(super) fn assert_finding(findings: &[Finding], check: &str, level: Level, words: &[&str]) {
        let found = finding(findings, check);
        let said = format!("{} -> {}", found.text, found.fix.as_deref().unwrap_or_default());
        assert_eq!(found.level, level, "{said}");
        for word in words {
            assert!(said.contains(word), "{word:?} in {said:?}");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_are_readable_and_never_nothing_when_there_is_something() {
        for (part, whole, shown) in [
            (0, 10, "0 %"),
            (1, 0, "0 %"),
            (1, 100_000, "less than 0.1 %"),
            (1, 200, "0.5 %"),
            (1, 2, "50 %"),
            (7, 7, "100 %"),
        ] {
            assert_eq!(percent(part, whole).to_string(), shown);
        }
    }

    #[test]
    fn long_lists_are_cut_and_say_so() {
        assert_eq!(some_of(&["a", "b\n"], 2), r"a, b\n");
        assert_eq!(some_of(&["a", "b", "c"], 1), "a and 2 more");
    }
}
