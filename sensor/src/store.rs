//! What lasts: one SQLite database, `egret.db`, in the data directory: alerts and who is owed
//! them, what was learned, and what people said.
//!
//! A write is on disk when the call returns. Several processes may use it at once: the sensor, and
//! the commands beside it. A database that cannot be read is renamed, never deleted, and a new one
//! is begun; [`Store::quarantined`] says where the old one is.

use std::cell::Cell;
use std::fmt::Display;
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::{Connection, Transaction, TransactionBehavior};

use crate::time::Timestamp;

pub mod keeper;

mod acknowledgements;
mod alerts;
mod approvals;
mod assets;
mod baseline;
mod error;
mod fleet;
mod lock;
mod mirrors;
mod operators;
mod outbox;
mod said;
mod schema;
mod told;
mod verdicts;

pub use alerts::{Order, Stored};
pub use approvals::Approval;
pub use assets::{Imported, unclaimed};
pub use baseline::Forget;
pub use error::StoreError;
pub(crate) use fleet::{Foreign, Position};
pub use lock::Lock;
pub use outbox::Owed;

/// The database's file name.
pub const FILE: &str = "egret.db";

/// The database.
#[derive(Debug)]
pub struct Store {
    connection: Connection,
    path: PathBuf,
    quarantined: Option<PathBuf>,
    /// Which files are open: the database and its journal.
    files: [Option<FileId>; 2],
    /// Up to which note what was loaded, and what is saved, is without what is to be forgotten.
    forgotten: Cell<i64>,
}

/// Device and inode.
type FileId = (u64, u64);

impl Store {
    /// Opens the database in `directory`, making both where they are missing.
    ///
    /// # Errors
    /// When the directory or the database cannot be made or opened; a damaged one is no error.
    pub fn open(directory: &Path) -> Result<Self, StoreError> {
        fs::create_dir_all(directory)
            .map_err(|source| StoreError::Directory { path: directory.to_owned(), source })?;
        let path = directory.join(FILE);
        match schema::open(&path) {
            Err(error) if schema::is_damage(&error) => {
                let quarantined = schema::quarantine(&path)?;
                Ok(Self::over(schema::open(&path)?, path, Some(quarantined)))
            }
            connection => Ok(Self::over(connection?, path, None)),
        }
    }

    /// Opens the database that is in `directory`, beside a sensor that may be using it.
    ///
    /// # Errors
    /// When there is none, or it cannot be opened.
    pub fn open_existing(directory: &Path) -> Result<Self, StoreError> {
        let path = directory.join(FILE);
        match fs::metadata(&path) {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                Err(StoreError::Missing { path })
            }
            _ => Ok(Self::over(schema::open_existing(&path)?, path, None)),
        }
    }

    /// Where a damaged database was moved on opening.
    pub fn quarantined(&self) -> Option<&Path> {
        self.quarantined.as_deref()
    }

    fn over(connection: Connection, path: PathBuf, quarantined: Option<PathBuf>) -> Self {
        let files = files(&path);
        Self { connection, path, quarantined, files, forgotten: Cell::new(0) }
    }

    /// Whether the file that is open is still the one at its path.
    fn is_in_place(&mut self) -> bool {
        let [database, journal] = files(&self.path);
        let in_place = database.is_some() && database == self.files[0];
        if in_place {
            self.files[1] = journal;
        }
        in_place
    }

    /// Opens what is at the path now, or begins anew.
    fn reopen(&mut self) -> Result<(), StoreError> {
        self.close()?;
        // Of the file that is gone; SQLite would play it into the one that took its place.
        let [_, journal] = files(&self.path);
        if journal.is_some() && journal == self.files[1] {
            schema::remove_journal(&self.path)?;
        }
        self.open_anew()
    }

    /// Moves a damaged database away and begins a new one.
    fn replace_damaged(&mut self) -> Result<PathBuf, StoreError> {
        self.close()?;
        let moved = schema::quarantine(&self.path)?;
        self.open_anew()?;
        Ok(moved)
    }

    fn close(&mut self) -> Result<(), StoreError> {
        let nothing = Connection::open_in_memory().map_err(|source| self.failure(source))?;
        drop(std::mem::replace(&mut self.connection, nothing));
        self.files[0] = None;
        Ok(())
    }

    fn open_anew(&mut self) -> Result<(), StoreError> {
        let opened = Self::open(self.path.parent().unwrap_or(Path::new(".")))?;
        // Notes count on in each database, and what was loaded is not from this one.
        *self = Self { forgotten: Cell::new(0), ..opened };
        Ok(())
    }

    /// How long a write waits for another process.
    fn wait_at_most(&self, patience: Duration) -> Result<(), StoreError> {
        self.connection.busy_timeout(patience).map_err(|source| self.failure(source))
    }

    /// Changes whenever another process has written.
    fn data_version(&self) -> Result<i64, StoreError> {
        self.read(|connection| {
            connection.pragma_query_value(None, "data_version", |row| row.get(0))
        })
    }

    /// Writes something that changes nothing, to see whether that is possible.
    fn probe(&mut self) -> Result<(), StoreError> {
        self.write(|transaction| {
            let version: u32 =
                transaction.pragma_query_value(None, "user_version", |row| row.get(0))?;
            transaction.pragma_update(None, "user_version", version)
        })
    }

    fn read<T>(
        &self,
        read: impl FnOnce(&Connection) -> rusqlite::Result<T>,
    ) -> Result<T, StoreError> {
        read(&self.connection).map_err(|source| self.failure(source))
    }

    /// All that `write` does, or nothing.
    fn write<T>(
        &mut self,
        write: impl FnOnce(&Transaction<'_>) -> rusqlite::Result<T>,
    ) -> Result<T, StoreError> {
        let begun = self.connection.transaction_with_behavior(TransactionBehavior::Immediate);
        let written = begun.and_then(|transaction| {
            let result = write(&transaction)?;
            transaction.commit()?;
            Ok(result)
        });
        written.map_err(|source| self.failure(source))
    }

    fn failure(&self, source: rusqlite::Error) -> StoreError {
        StoreError::Database { path: self.path.clone(), source }
    }

    fn bad_row(&self, row: String, reason: &dyn Display) -> StoreError {
        bad_row(&self.path, row, reason)
    }
}

fn bad_row(path: &Path, row: String, reason: &dyn Display) -> StoreError {
    StoreError::Row { path: path.to_owned(), row, reason: reason.to_string() }
}

fn files(path: &Path) -> [Option<FileId>; 2] {
    [path.to_owned(), schema::beside(path, "-wal")].map(|file| {
        let metadata = fs::metadata(file).ok()?;
        Some((metadata.dev(), metadata.ino()))
    })
}

/// Time as the database has it.
fn to_sql(time: Timestamp) -> i64 {
    i64::try_from(time.as_nanos()).unwrap_or(i64::MAX)
}

fn from_sql(nanos: i64) -> Timestamp {
    Timestamp::from_nanos(u64::try_from(nanos).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::alert::{Analytic, Verdict};
    use crate::baseline::{
        AssetBaseline, Baseline, MirrorSession, Mirrors, Operator, Pair, Standing, ToldAlert,
    };

    fn learned() -> Baseline {
        let asset = AssetBaseline { first_seen: 7, ..AssetBaseline::default() };
        let operator = Operator::new(crate::time::Timestamp::from_parts(8, 0));
        let told = ToldAlert {
            analytic: Analytic::AN1416,
            first: 7,
            last: 8,
            standing: Standing::Held,
            high: false,
            lift: 0.1 + 0.2,
            needed: Some(0.7),
            verdict: Some(Verdict::Harmless),
        };
        let destination = "198.51.100.7".parse().unwrap();
        let pair = Pair { destination, first_seen: 7, last_day: 1 };
        Baseline {
            assets: [("web-01".to_owned(), asset)].into(),
            operators: [("account:corp\\svc".to_owned(), operator)].into(),
            mirrors: Mirrors {
                since: 7,
                pairs: [("vxlan 10.0.0.1 > 198.51.100.7".to_owned(), pair)].into(),
                sessions: [("1 tms-01".to_owned(), MirrorSession::default())].into(),
            },
            told: [(uuid::Uuid::from_u128(7), told)].into(),
        }
    }

    #[test]
    fn what_is_saved_is_there_after_opening_again() {
        let directory = tempfile::tempdir().unwrap();
        let mut store = Store::open(&directory.path().join("new")).unwrap();
        assert_eq!(store.baseline().unwrap(), None);
        store.save_baseline(&learned()).unwrap();
        store.save_baseline(&learned()).unwrap();
        drop(store);
        let store = Store::open(&directory.path().join("new")).unwrap();
        assert_eq!(store.baseline().unwrap(), Some(learned()));
        assert_eq!(store.quarantined(), None);
    }

    #[test]
    fn an_account_is_forgotten_by_its_name() {
        let directory = tempfile::tempdir().unwrap();
        let mut store = Store::open(directory.path()).unwrap();
        store.save_baseline(&learned()).unwrap();
        assert!(!store.forget("CORP\\other", None).unwrap());
        assert!(store.forget("CORP\\SVC", None).unwrap());
        let left = store.baseline().unwrap().unwrap();
        assert!(left.operators.is_empty() && left.assets.len() == 1);
    }

    #[test]
    fn a_row_that_cannot_be_read_costs_one_asset_its_baseline() {
        let directory = tempfile::tempdir().unwrap();
        let mut store = Store::open(directory.path()).unwrap();
        let mut two = learned();
        two.assets.insert("db-01".to_owned(), AssetBaseline::default());
        store.save_baseline(&two).unwrap();
        let sql = "UPDATE baseline SET learned = '{' WHERE asset = 'db-01'";
        Connection::open(directory.path().join(FILE)).unwrap().execute(sql, []).unwrap();
        assert_eq!(store.baseline().unwrap(), Some(learned()));
    }

    #[test]
    fn a_damaged_database_is_renamed_and_a_new_one_begun() {
        let directory = tempfile::tempdir().unwrap();
        for number in 1..=2 {
            fs::write(directory.path().join(FILE), "this is no database, whatever it says")
                .unwrap();
            let mut store = Store::open(directory.path()).unwrap();
            let moved = store.quarantined().unwrap().to_owned();
            assert!(moved.ends_with(format!("egret.db.damaged-{number}")), "{moved:?}");
            store.save_baseline(&learned()).unwrap();
        }
    }

    #[test]
    fn a_page_overwritten_in_the_middle_is_damage_too() {
        let directory = tempfile::tempdir().unwrap();
        let mut store = Store::open(directory.path()).unwrap();
        let mut large = learned();
        for number in 0..500 {
            large.assets.insert(format!("asset-{number}"), AssetBaseline::default());
        }
        store.save_baseline(&large).unwrap();
        drop(store);
        let path = directory.path().join(FILE);
        let mut bytes = fs::read(&path).unwrap();
        bytes[4096..8192].fill(0x5a);
        fs::write(&path, bytes).unwrap();
        assert!(Store::open(directory.path()).unwrap().quarantined().is_some());
    }

    #[test]
    fn a_newer_schema_is_refused_and_left_alone() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join(FILE);
        Connection::open(&path).unwrap().pragma_update(None, "user_version", 99).unwrap();
        let error = Store::open(directory.path()).unwrap_err();
        assert!(error.to_string().contains("schema version 99"), "{error}");
        assert!(path.exists());
    }
}
