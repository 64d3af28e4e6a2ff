//! What lasts between runs: one SQLite database, `egret.db`, in the data directory.
//!
//! A write is on disk when the call returns. A database that cannot be read is renamed, never
//! deleted, and a new one is begun; [`Store::quarantined`] says where the old one is.

pub mod keeper;

use std::fs;
use std::path::{Path, PathBuf};

use rusqlite::{Connection, ErrorCode, OptionalExtension, params};

use crate::baseline::{AssetBaseline, Baseline};
use crate::text::{file_name, printable, reason};

/// The database's file name.
pub(crate) const FILE: &str = "egret.db";

/// The steps from an empty database to today's; `user_version` is the last that was done.
const MIGRATIONS: [(u32, &str); 1] = [(
    1,
    "
    CREATE TABLE baseline (
        asset   TEXT PRIMARY KEY NOT NULL,  -- its name
        learned TEXT NOT NULL               -- baseline::AssetBaseline as JSON
    ) STRICT, WITHOUT ROWID;",
)];

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
        "{}: what was learned of {} cannot be read: {source}; move the file away to learn anew",
        file_name(path),
        printable(asset)
    )]
    Row {
        /// Which database.
        path: PathBuf,
        /// Whose row.
        asset: String,
        /// Why.
        source: serde_json::Error,
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
}

/// The database.
#[derive(Debug)]
pub struct Store {
    connection: Connection,
    path: PathBuf,
    quarantined: Option<PathBuf>,
}

impl Store {
    /// Opens the database in `directory`, making both where they are missing.
    ///
    /// # Errors
    /// When the directory or the database cannot be made or opened; a damaged one is no error.
    pub fn open(directory: &Path) -> Result<Self, StoreError> {
        fs::create_dir_all(directory)
            .map_err(|source| StoreError::Directory { path: directory.to_owned(), source })?;
        let path = directory.join(FILE);
        match connect(&path) {
            Err(StoreError::Database { source, .. }) if is_damage(&source) => {
                let quarantined = quarantine(&path)?;
                let connection = connect(&path)?;
                Ok(Self { connection, path, quarantined: Some(quarantined) })
            }
            connected => Ok(Self { connection: connected?, path, quarantined: None }),
        }
    }

    /// Where a damaged database was moved on opening.
    pub fn quarantined(&self) -> Option<&Path> {
        self.quarantined.as_deref()
    }

    /// What was learned; `None` when nothing ever was.
    ///
    /// # Errors
    /// When the database or a row cannot be read.
    pub fn baseline(&self) -> Result<Option<Baseline>, StoreError> {
        let rows = self.rows().map_err(|source| self.failed(source))?;
        if rows.is_empty() {
            return Ok(None);
        }
        let mut baseline = Baseline::default();
        for (asset, learned) in rows {
            let learned: AssetBaseline = serde_json::from_str(&learned).map_err(|source| {
                StoreError::Row { path: self.path.clone(), asset: asset.clone(), source }
            })?;
            baseline.assets.insert(asset, learned);
        }
        Ok(Some(baseline))
    }

    /// Keeps what was learned in place of what was kept before, all or nothing.
    ///
    /// # Errors
    /// When the database cannot be written.
    pub fn save_baseline(&mut self, baseline: &Baseline) -> Result<(), StoreError> {
        let rows = baseline.assets.iter().map(|(asset, learned)| {
            let row = serde_json::to_string(learned).map_err(|source| StoreError::Row {
                path: self.path.clone(),
                asset: asset.clone(),
                source,
            });
            row.map(|row| (asset.as_str(), row))
        });
        let rows = rows.collect::<Result<Vec<_>, _>>()?;
        let saved = self.replace(&rows);
        saved.map_err(|source| self.failed(source))
    }

    fn rows(&self) -> rusqlite::Result<Vec<(String, String)>> {
        let mut query = self.connection.prepare("SELECT asset, learned FROM baseline")?;
        let rows = query.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?;
        rows.collect()
    }

    fn replace(&mut self, rows: &[(&str, String)]) -> rusqlite::Result<()> {
        let transaction = self.connection.transaction()?;
        transaction.execute("DELETE FROM baseline", [])?;
        {
            let mut insert = transaction.prepare("INSERT INTO baseline VALUES (?1, ?2)")?;
            for (asset, learned) in rows {
                insert.execute(params![asset, learned])?;
            }
        }
        transaction.commit()
    }

    fn failed(&self, source: rusqlite::Error) -> StoreError {
        StoreError::Database { path: self.path.clone(), source }
    }
}

/// Opens a database, checks it, and brings its schema up to date.
fn connect(path: &Path) -> Result<Connection, StoreError> {
    let failed = |source| StoreError::Database { path: path.to_owned(), source };
    let mut connection = Connection::open(path).map_err(failed)?;
    let found = check(&connection).map_err(failed)?;
    let known = MIGRATIONS.last().map_or(0, |(version, _)| *version);
    if found > known {
        return Err(StoreError::Newer { path: path.to_owned(), found, known });
    }
    migrate(&mut connection, found).map_err(failed)?;
    Ok(connection)
}

/// Whether the file is a whole database; its schema version.
fn check(connection: &Connection) -> rusqlite::Result<u32> {
    connection.pragma_update(None, "journal_mode", "WAL")?;
    connection.pragma_update(None, "synchronous", "FULL")?;
    let problem: Option<String> = connection
        .query_row("PRAGMA quick_check(1)", [], |row| row.get(0))
        .optional()?
        .filter(|answer| answer != "ok");
    if let Some(problem) = problem {
        let corrupt = rusqlite::ffi::Error::new(rusqlite::ffi::SQLITE_CORRUPT);
        return Err(rusqlite::Error::SqliteFailure(corrupt, Some(problem)));
    }
    connection.pragma_query_value(None, "user_version", |row| row.get(0))
}

fn migrate(connection: &mut Connection, done: u32) -> rusqlite::Result<()> {
    for (version, migration) in MIGRATIONS.into_iter().filter(|(version, _)| *version > done) {
        let transaction = connection.transaction()?;
        transaction.execute_batch(migration)?;
        transaction.pragma_update(None, "user_version", version)?;
        transaction.commit()?;
    }
    Ok(())
}

fn is_damage(error: &rusqlite::Error) -> bool {
    matches!(error.sqlite_error_code(), Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase))
}

/// Renames a damaged database and its journal to the first free name.
fn quarantine(path: &Path) -> Result<PathBuf, StoreError> {
    let beside = |suffix: &str| {
        let mut name = path.as_os_str().to_owned();
        name.push(suffix);
        PathBuf::from(name)
    };
    let free = (1..).map(|number| beside(&format!(".damaged-{number}"))).find(|to| !to.exists());
    let to = free.unwrap_or_else(|| beside(".damaged"));
    fs::rename(path, &to)
        .map_err(|source| StoreError::Quarantine { path: path.to_owned(), source })?;
    for journal in ["-wal", "-shm"] {
        // SQLite would play the damaged database's journal into the new one.
        match fs::remove_file(beside(journal)) {
            Err(source) if source.kind() != std::io::ErrorKind::NotFound => {
                return Err(StoreError::Quarantine { path: beside(journal), source });
            }
            _ => {}
        }
    }
    Ok(to)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn learned() -> Baseline {
        let asset = AssetBaseline { first_seen: 7, ..AssetBaseline::default() };
        Baseline { assets: [("web-01".to_owned(), asset)].into() }
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
