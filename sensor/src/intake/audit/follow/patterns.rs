//! Patterns of paths, as a shell has them: `/var/log/egret/cloudtrail/**/*.json.gz`.

use glob::{GlobResult, MatchOptions, Pattern, glob_with};

/// A pattern that is none.
#[derive(Debug, thiserror::Error)]
#[error("{pattern} is no pattern of paths: {reason}; write it as in a shell, such as /var/log/egret/*.json")]
pub struct PatternError {
    pattern: String,
    reason: &'static str,
}

/// Patterns of paths, each sound.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Patterns(Vec<String>);

impl Patterns {
    /// Reads patterns: `*`, `?`, `[a-z]`, and `**` for directories in each other.
    ///
    /// # Errors
    /// When one is no pattern.
    pub fn new(patterns: &[String]) -> Result<Self, PatternError> {
        for pattern in patterns {
            if let Err(error) = Pattern::new(pattern) {
                return Err(PatternError { pattern: pattern.clone(), reason: error.msg });
            }
        }
        Ok(Self(patterns.to_vec()))
    }

    /// The paths there are, found as they are asked for.
    pub(super) fn paths(&self) -> Paths {
        // As in a shell, `*` names nothing hidden: half a copied file is.
        let options = MatchOptions { require_literal_leading_dot: true, ..MatchOptions::new() };
        let paths = self.0.clone().into_iter();
        Paths(Box::new(
            paths.filter_map(move |pattern| glob_with(&pattern, options).ok()).flatten(),
        ))
    }
}

/// The paths of a round.
pub(super) struct Paths(Box<dyn Iterator<Item = GlobResult> + Send>);

impl Iterator for Paths {
    type Item = GlobResult;

    fn next(&mut self) -> Option<GlobResult> {
        self.0.next()
    }
}

impl std::fmt::Debug for Paths {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Paths").finish_non_exhaustive()
    }
}
