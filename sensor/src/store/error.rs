//! What can go wrong with the database.

use std::path::PathBuf;

use crate::text::{file_name, printable, reason};

/// What can go wrong with the database.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The directory cannot be made.
    #[error(
        "{}: cannot be made a directory: {}; give a directory that this user may write",
        file_name(path),
        reason(source)
    )]
    Directory {
        /// Which.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// Another process has it.
    #[error(
        "{}: another sensor uses this directory; stop it, or give each its own sensor.data_dir",
        file_name(path)
    )]
    InUse {
        /// Which directory.
        path: PathBuf,
    },
    /// There is no database where one is to be looked at.
    #[error(
        "{}: there is no database; `egret run` makes one in sensor.data_dir: give the sensor's \
         config with --config, or --set sensor.data_dir=DIR",
        file_name(path)
    )]
    Missing {
        /// Where it was looked for.
        path: PathBuf,
    },
    /// A damaged database cannot be moved away.
    #[error(
        "{}: is damaged and cannot be renamed: {}; move it away, and learning starts anew",
        file_name(path),
        reason(source)
    )]
    Quarantine {
        /// Which.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The database was written by a later version.
    #[error(
        "{}: has schema version {found}, this egret knows up to {known}; use the newer egret",
        file_name(path)
    )]
    Newer {
        /// Which.
        path: PathBuf,
        /// Its version.
        found: u32,
        /// The latest version known here.
        known: u32,
    },
    /// A row does not hold what it should.
    #[error(
        "{}: {} cannot be read: {reason}; was it written by another version of egret?",
        file_name(path),
        printable(row)
    )]
    Row {
        /// Which database.
        path: PathBuf,
        /// Which row.
        row: String,
        /// Why.
        reason: String,
    },
    /// SQLite refuses.
    #[error(
        "{}: the database cannot be used: {source}; check its permissions and the free space",
        file_name(path)
    )]
    Database {
        /// Which.
        path: PathBuf,
        /// Why.
        source: rusqlite::Error,
    },
    /// The file was moved or deleted while it was open.
    #[error("{}: the database was moved away or deleted while it was in use", file_name(path))]
    Moved {
        /// Where it was.
        path: PathBuf,
    },
    /// The thread that writes could not be started.
    #[error("no thread for the database: {}; check the limits on threads and memory", reason(.0))]
    Thread(std::io::Error),
    /// The thread that writes has ended.
    #[error("the database is closed: the sensor is stopping")]
    Closed,
}
