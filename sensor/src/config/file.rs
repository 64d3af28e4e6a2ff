//! The config file and `--set`, read into a [`Config`].
//!
//! Two steps: `raw` turns TOML into a tree in which every value knows its line, and `overrides`
//! lays `--set` over it; `sections` reads typed values from the tree, key by key. Serde would
//! stop at the first error: here all of them are found and reported together.

use std::fmt;
use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use super::Config;
use crate::text::{self, file_name};

mod assets;
mod keys;
mod kinds;
mod overrides;
mod problem;
mod raw;
mod sections;

pub(crate) use kinds::{mac, prefix};
pub use problem::Problem;

/// Where the config is when `--config` does not say.
pub const DEFAULT_PATH: &str = "/etc/egret/egret.toml";

/// A config file has a few kilobytes; a capture file given by mistake should not be read whole.
const MAX_BYTES: u64 = 4 << 20;

/// A config that was read.
#[derive(Debug)]
pub struct Loaded {
    /// What it says.
    pub config: Config,
    /// The file it came from; `None`: there was none, and everything not set has its default.
    pub path: Option<PathBuf>,
}

/// Why there is no config. Prints as one line for each problem.
#[derive(Debug)]
pub enum ConfigError {
    /// The file could not be read.
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why.
        reason: io::Error,
    },
    /// What it says is wrong: all problems, in the order of their lines, never none.
    Invalid(Vec<Problem>),
}

/// Reads the config file at `path` and lays the `KEY=VALUE`s of `set` over it.
///
/// Without a path it is [`DEFAULT_PATH`], which need not exist. `sensor.name` is `host_name`
/// unless given.
///
/// # Errors
/// [`ConfigError`] with everything that is wrong.
pub fn load(path: Option<&Path>, set: &[String], host_name: &str) -> Result<Loaded, ConfigError> {
    let place = path.unwrap_or(Path::new(DEFAULT_PATH));
    let text = match read(place) {
        Ok(text) => Some(text),
        Err(reason) if path.is_none() && reason.kind() == io::ErrorKind::NotFound => None,
        Err(reason) => {
            return Err(ConfigError::Unreadable { path: place.to_owned(), reason });
        }
    };
    let mut defaults = Config::default();
    if !host_name.is_empty() {
        host_name.clone_into(&mut defaults.sensor.name);
    }
    let label = place.to_string_lossy();
    let config = parse(&label, text.as_deref().unwrap_or_default(), set, defaults)?;
    Ok(Loaded { config, path: text.map(|_| place.to_owned()) })
}

/// Reads the TOML in `text`, called `label` in errors, and lays the `KEY=VALUE`s of `set` over
/// it; what neither says stays as in `defaults`.
///
/// # Errors
/// [`ConfigError::Invalid`] with everything that is wrong.
pub fn parse(
    label: &str,
    text: &str,
    set: &[String],
    defaults: Config,
) -> Result<Config, ConfigError> {
    let mut report = problem::Report::new(label);
    let mut tree = raw::parse(text, &mut report);
    // After a syntax error the tree has holes, and more about it would only distract.
    if report.is_empty() {
        overrides::apply(set, &mut tree, &mut report);
        let mut config = defaults;
        sections::read(&tree, &mut config, &mut report);
        if report.is_empty() {
            return Ok(config);
        }
    }
    Err(ConfigError::Invalid(report.finish()))
}

fn read(path: &Path) -> io::Result<String> {
    let mut text = String::new();
    File::open(path)?.take(MAX_BYTES + 1).read_to_string(&mut text).map_err(|error| match error
        .kind()
    {
        io::ErrorKind::InvalidData => {
            io::Error::new(error.kind(), "not UTF-8 text, so it is no config file")
        }
        _ => error,
    })?;
    if text.len() as u64 > MAX_BYTES {
        let reason = format!("larger than {MAX_BYTES} bytes, so it is no config file");
        return Err(io::Error::new(io::ErrorKind::InvalidData, reason));
    }
    Ok(text)
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unreadable { path, reason } => write!(
                f,
                "{}: cannot read the config: {}; give --config a TOML file that this user may read",
                file_name(path),
                text::reason(reason)
            ),
            Self::Invalid(problems) => {
                for (i, problem) in problems.iter().enumerate() {
                    if i > 0 {
                        f.write_str("\n")?;
                    }
                    fmt::Display::fmt(problem, f)?;
                }
                Ok(())
            }
        }
    }
}

impl std::error::Error for ConfigError {}

#[cfg(test)]
mod tests;
