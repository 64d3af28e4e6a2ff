//! `egret run`: the live sensor.
//!
//! Threads: one a worker, which takes frames to events; one for detection, which puts the events of
//! all workers in order; the keeper, which owns the database; one for log messages and audit
//! records, where any are taken in; one that keeps the packets of alerts; one for delivery and HTTP; and the one that
//! starts them all, watches over them and ends them. Channels between them are bounded, and what
//! finds no room is counted.

use crate::capture::live::LiveError;
use crate::capture::receive::ReceiveError;
use crate::cli::{self, Exit, Failure};
use crate::config::file::Loaded;
use crate::http::HttpError;
use crate::intake::audit::follow::PatternError;
use crate::intake::listen::ListenError;
use crate::store::StoreError;
use crate::text::reason;
use settings::Settings;

pub use relay::relay;

mod accounts;
mod assets;
mod clock;
mod control;
mod detection;
mod event_file;
mod evidence;
mod input;
mod intake;
mod io;
mod links;
mod merge;
mod mirrors;
mod privileges;
mod processors;
mod pulse;
mod refused;
mod relay;
mod reload;
mod settings;
mod start;
mod tally;
mod teller;
mod worker;

/// Why the sensor could not start.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// One interface is named twice: each frame would count as its own copy.
    #[error(
        "{first} and {second} are the same interface; name it once, with -i or in capture.interface"
    )]
    Twice {
        /// Its name.
        first: String,
        /// Its name again, or another one that it has.
        second: String,
    },
    /// An interface cannot be captured from.
    #[error(transparent)]
    Capture(#[from] LiveError),
    /// Mirrors to this host cannot be received.
    #[error(transparent)]
    Receive(#[from] ReceiveError),
    /// The port for HTTP cannot be taken.
    #[error(transparent)]
    Http(#[from] HttpError),
    /// Syslog cannot be listened to.
    #[error(transparent)]
    Listen(#[from] ListenError),
    /// Audit files cannot be followed.
    #[error("intake.audit.files: {0}")]
    Files(#[from] PatternError),
    /// The database cannot be opened.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A result cannot be written.
    #[error(
        "{path}: cannot be opened for writing: {}; check the path, its permissions and the free space",
        reason(source)
    )]
    Output {
        /// Where.
        path: String,
        /// Why.
        source: std::io::Error,
    },
    /// There is no memory for the flow tables.
    #[error("no memory for the flow tables: {0}")]
    Memory(std::io::Error),
    /// A thread cannot be started.
    #[error("cannot start a thread: {0}")]
    Thread(std::io::Error),
    /// Capabilities cannot be given up.
    #[error("cannot give up capabilities: {0}")]
    Privileges(String),
    /// A relay of nobody.
    #[error("a relay takes alerts from the fleet: name its servers in fleet.servers")]
    Alone,
    /// A relay to nowhere.
    #[error("a relay delivers: give [[deliver.webhook]] or [[deliver.syslog]]")]
    Nowhere,
    /// Metrics contradict each other.
    #[error("cannot make the metrics: {0}")]
    Metrics(#[from] prometheus::Error),
}

impl Failure for RunError {
    fn exit(&self) -> Exit {
        match self {
            // No restart helps: that needs a person.
            Self::Twice { .. } | Self::Alone | Self::Nowhere => Exit::Usage,
            _ => Exit::Failed,
        }
    }
}

/// Runs the sensor until it is told to stop.
///
/// # Errors
/// When it cannot start: an interface that is not there, no capability, no data directory, a port taken.
pub fn run(arguments: &cli::Run, global: &cli::Global, loaded: Loaded) -> Result<Exit, RunError> {
    let settings = Settings::new(arguments, global, loaded.path);
    let config = settings.with_flags(loaded.config);
    let running = start::start(arguments, settings, config)?;
    Ok(running.watch())
}
