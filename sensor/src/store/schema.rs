//! The tables, how a database comes to have them, and what is done with one that is damaged.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::{Connection, ErrorCode, OpenFlags, OptionalExtension, TransactionBehavior};

use super::StoreError;

/// The steps from an empty database to today's, in order; `user_version` is how many were done.
const MIGRATIONS: [&str; 8] = [
    "
    CREATE TABLE baseline (
        asset   TEXT PRIMARY KEY NOT NULL,  -- its name
        learned TEXT NOT NULL               -- baseline::AssetBaseline as JSON
    ) STRICT, WITHOUT ROWID;",
    // Times are nanoseconds since the epoch, severities count from 0, informational.
    "
    CREATE TABLE alert (
        id       TEXT PRIMARY KEY NOT NULL,
        raised   INTEGER NOT NULL,          -- time of its first state
        updated  INTEGER NOT NULL,          -- time of its newest state
        severity INTEGER NOT NULL,
        analytic TEXT NOT NULL,
        asset    TEXT NOT NULL,
        status   TEXT NOT NULL,
        first_seen INTEGER NOT NULL,
        count    INTEGER NOT NULL,
        counted  INTEGER NOT NULL,          -- how much of it is from earlier runs of the sensor
        run      INTEGER NOT NULL,          -- the run that raised it last
        state    INTEGER NOT NULL,          -- grows with each state
        note     TEXT,
        seen_at  INTEGER,                   -- when a person acknowledged it, who, and how bad it was
        seen_by  TEXT,
        seen_severity INTEGER,
        body     TEXT NOT NULL              -- egret.alert/1
    ) STRICT;
    CREATE INDEX alert_updated ON alert (updated);

    CREATE TABLE outbox (
        number     INTEGER PRIMARY KEY AUTOINCREMENT,  -- in the order in which they were first owed
        target     TEXT NOT NULL,
        alert      TEXT NOT NULL REFERENCES alert (id) ON DELETE CASCADE,
        state      INTEGER NOT NULL,                   -- the newest that is owed
        attempts   INTEGER NOT NULL DEFAULT 0,         -- that failed
        not_before INTEGER NOT NULL DEFAULT 0,
        last_error TEXT,
        UNIQUE (target, alert)                         -- the newest state stands for all
    ) STRICT;
    CREATE INDEX outbox_order ON outbox (target);
    CREATE INDEX outbox_wait ON outbox (target, not_before);
    CREATE INDEX outbox_alert ON outbox (alert);

    CREATE TABLE approval (
        number INTEGER PRIMARY KEY AUTOINCREMENT,
        given  INTEGER NOT NULL,
        person TEXT NOT NULL,
        entry  TEXT NOT NULL                -- one [[approve]] of the config
    ) STRICT;

    -- What the running sensor is to forget, until it has.
    CREATE TABLE forget (
        number      INTEGER PRIMARY KEY AUTOINCREMENT,
        asset       TEXT NOT NULL,
        destination TEXT                    -- none: all that was learned of the asset
    ) STRICT;",
    "
    CREATE TABLE imported_asset (
        source    TEXT NOT NULL,            -- which import it is of; an import replaces its source's
        name      TEXT NOT NULL,
        imported  INTEGER NOT NULL,
        role      TEXT NOT NULL,
        addresses TEXT NOT NULL,            -- with blanks between
        macs      TEXT NOT NULL,            -- likewise
        host      TEXT,
        PRIMARY KEY (source, name)
    ) STRICT, WITHOUT ROWID;",
    "
    CREATE TABLE operator (
        name    TEXT PRIMARY KEY NOT NULL,  -- as in baseline::Baseline::operators
        learned TEXT NOT NULL               -- baseline::Operator as JSON
    ) STRICT, WITHOUT ROWID;",
    "
    CREATE TABLE mirror (
        part    TEXT PRIMARY KEY NOT NULL,  -- of baseline::Mirrors
        learned TEXT NOT NULL               -- that part as JSON
    ) STRICT, WITHOUT ROWID;",
    "
    ALTER TABLE alert ADD COLUMN verdict TEXT; -- what a person found it to be

    CREATE TABLE told (
        alert TEXT PRIMARY KEY NOT NULL,    -- its id
        told  TEXT NOT NULL                 -- baseline::Told as JSON
    ) STRICT, WITHOUT ROWID;",
    "
    ALTER TABLE alert ADD COLUMN origin TEXT;  -- which sensor raised it; none: this one
    CREATE INDEX alert_origin ON alert (origin, updated);

    -- Up to where the streams of the fleet were read.
    CREATE TABLE fleet_position (
        stream   TEXT PRIMARY KEY NOT NULL,
        created  INTEGER NOT NULL,          -- when the stream was made
        sequence INTEGER NOT NULL
    ) STRICT, WITHOUT ROWID;",
    // What people say is known to all sensors of a fleet. A sensor's name is empty where it was said at
    // this one.
    "
    CREATE TABLE said (number INTEGER PRIMARY KEY AUTOINCREMENT) STRICT; -- in the order it was said

    ALTER TABLE approval ADD COLUMN id TEXT NOT NULL DEFAULT '';         -- the same at every sensor
    ALTER TABLE approval ADD COLUMN sensor TEXT NOT NULL DEFAULT '';     -- where it was given
    ALTER TABLE approval ADD COLUMN said INTEGER NOT NULL DEFAULT 1;     -- see the table said
    -- Others are told times in microseconds.
    UPDATE approval SET id = lower(hex(randomblob(16))), given = given / 1000 * 1000;
    CREATE UNIQUE INDEX approval_id ON approval (id, sensor);

    CREATE TABLE withdrawal (
        id     TEXT NOT NULL,               -- of an approval, which may not be known yet
        sensor TEXT NOT NULL,               -- where it was withdrawn
        at     INTEGER NOT NULL,
        person TEXT NOT NULL,
        said   INTEGER NOT NULL,
        PRIMARY KEY (id, sensor)
    ) STRICT, WITHOUT ROWID;

    CREATE TABLE acknowledgement (          -- the latest of each alert, which may not be known yet
        alert    TEXT PRIMARY KEY NOT NULL,
        at       INTEGER NOT NULL,
        sensor   TEXT NOT NULL,             -- where it was said
        person   TEXT NOT NULL,
        note     TEXT NOT NULL,             -- empty: none
        verdict  TEXT NOT NULL,             -- empty: none
        severity INTEGER NOT NULL,          -- how bad the alert was then
        said     INTEGER NOT NULL
    ) STRICT, WITHOUT ROWID;
    CREATE INDEX acknowledgement_at ON acknowledgement (at);
    INSERT INTO acknowledgement
        SELECT id, seen_at / 1000 * 1000, '', COALESCE(seen_by, ''), COALESCE(note, ''), COALESCE(verdict, ''),
               COALESCE(seen_severity, severity), 1
        FROM alert WHERE seen_at IS NOT NULL;
    INSERT INTO said DEFAULT VALUES;",
];

/// How long a write waits for another process before it fails.
const PATIENCE: Duration = Duration::from_secs(5);

/// A journal that grew larger is cut back to this.
const JOURNAL_BYTES: u32 = 16 << 20;

/// Opens a database, checks every page of it, and brings its schema up to date.
pub(super) fn open(path: &Path) -> Result<Connection, StoreError> {
    let failed = |source| StoreError::Database { path: path.to_owned(), source };
    let connection = Connection::open(path).map_err(failed)?;
    prepare(&connection).and_then(|()| check(&connection)).map_err(failed)?;
    up_to_date(connection, path)
}

/// Opens a database that is there, beside the sensor that may be using it.
pub(super) fn open_existing(path: &Path) -> Result<Connection, StoreError> {
    let failed = |source| StoreError::Database { path: path.to_owned(), source };
    let connection =
        Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_WRITE).map_err(failed)?;
    prepare(&connection).map_err(failed)?;
    up_to_date(connection, path)
}

fn prepare(connection: &Connection) -> rusqlite::Result<()> {
    connection.busy_timeout(PATIENCE)?;
    connection.pragma_update(None, "journal_mode", "WAL")?;
    connection.pragma_update(None, "synchronous", "FULL")?;
    connection.pragma_update(None, "foreign_keys", true)?;
    connection.pragma_update(None, "journal_size_limit", JOURNAL_BYTES)
}

/// Whether the file is a whole database.
fn check(connection: &Connection) -> rusqlite::Result<()> {
    let problem: Option<String> = connection
        .query_row("PRAGMA quick_check(1)", [], |row| row.get(0))
        .optional()?
        .filter(|answer| answer != "ok");
    let Some(problem) = problem else { return Ok(()) };
    let corrupt = rusqlite::ffi::Error::new(rusqlite::ffi::SQLITE_CORRUPT);
    Err(rusqlite::Error::SqliteFailure(corrupt, Some(problem)))
}

/// Does the steps that are missing; two processes may come to it at once.
fn up_to_date(mut connection: Connection, path: &Path) -> Result<Connection, StoreError> {
    let failed = |source| StoreError::Database { path: path.to_owned(), source };
    let known = u32::try_from(MIGRATIONS.len()).unwrap_or(u32::MAX);
    let found = version(&connection).map_err(failed)?;
    if found > known {
        return Err(StoreError::Newer { path: path.to_owned(), found, known });
    }
    if found < known {
        migrate(&mut connection).map_err(failed)?;
    }
    Ok(connection)
}

fn version(connection: &Connection) -> rusqlite::Result<u32> {
    connection.pragma_query_value(None, "user_version", |row| row.get(0))
}

fn migrate(connection: &mut Connection) -> rusqlite::Result<()> {
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let done = version(&transaction)?;
    for (number, migration) in (1u32..).zip(MIGRATIONS).filter(|(number, _)| *number > done) {
        transaction.execute_batch(migration)?;
        transaction.pragma_update(None, "user_version", number)?;
    }
    transaction.commit()
}

/// Whether it is the file itself that is wrong.
pub(super) fn is_damage(error: &StoreError) -> bool {
    let StoreError::Database { source, .. } = error else { return false };
    matches!(source.sqlite_error_code(), Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase))
}

/// Renames a damaged database to the first free name, and removes its journal.
pub(super) fn quarantine(path: &Path) -> Result<PathBuf, StoreError> {
    let free =
        (1..).map(|number| beside(path, &format!(".damaged-{number}"))).find(|to| !to.exists());
    let to = free.unwrap_or_else(|| beside(path, ".damaged"));
    fs::rename(path, &to)
        .map_err(|source| StoreError::Quarantine { path: path.to_owned(), source })?;
    remove_journal(path)?;
    Ok(to)
}

/// SQLite would play one database's journal into another that took its place.
pub(super) fn remove_journal(path: &Path) -> Result<(), StoreError> {
    for journal in ["-wal", "-shm"] {
        let journal = beside(path, journal);
        match fs::remove_file(&journal) {
            Err(source) if source.kind() != io::ErrorKind::NotFound => {
                return Err(StoreError::Quarantine { path: journal, source });
            }
            _ => {}
        }
    }
    Ok(())
}

/// The file called the same with `suffix` behind.
pub(super) fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    PathBuf::from(name)
}

#[cfg(test)]
mod tests {
    use super::super::Store;
    use super::*;
    use crate::alert::sample::numbered;
    use crate::alert::{Alert, Status, Verdict};
    use crate::time::Timestamp;

    /// Fails when a database of the version before loses approvals or what was said of alerts, or others are
    /// not told of them.
    #[test]
    fn what_people_said_before_there_were_fleets_is_known_and_told() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join(super::super::FILE);
        let alert = Alert { status: Status::Acknowledged, ..numbered(1) };
        let before = Connection::open(&path).unwrap();
        for migration in MIGRATIONS.iter().take(6) {
            before.execute_batch(migration).unwrap();
        }
        before.pragma_update(None, "user_version", 6).unwrap();
        let entry = "[[approve]]\nasset = [\"web-01\"]\nsni = [\"a.example\"]\n";
        for given in [5_000_001_234_i64, 6_000_000_000] {
            let sql = "INSERT INTO approval (given, person, entry) VALUES (?1, 'ann', ?2)";
            before.execute(sql, (given, entry)).unwrap();
        }
        let body = serde_json::to_string(&alert).unwrap();
        let sql = "INSERT INTO alert (id, raised, updated, severity, analytic, asset, status, first_seen,
                   count, counted, run, state, note, seen_at, seen_by, seen_severity, verdict, body)
                   VALUES (?1, 1, 1, 2, 'AN1416', 'a', 'acknowledged', 1, 1, 0, 1, 1, 'note', 7000001,
                           'bob', 2, 'incident', ?2)";
        before.execute(sql, (alert.id.to_string(), body)).unwrap();
        drop(before);

        let store = Store::open(directory.path()).unwrap();
        let approvals = store.approval_list().unwrap();
        assert_eq!(approvals.iter().map(|given| given.number).collect::<Vec<_>>(), [1, 2]);
        assert_eq!(approvals[0].given, Timestamp::from_nanos(5_000_001_000));
        let (owed, mark) = store.approvals_owed("a", 0, 9).unwrap();
        assert!(owed.len() == 2 && owed[0].id != owed[1].id && mark > 0);
        let (said, _) = store.acknowledgements_owed("a", 0, 9).unwrap();
        assert_eq!((said[0].person.as_str(), said[0].verdict), ("bob", Some(Verdict::Incident)));
        assert_eq!((said[0].alert, said[0].note.as_deref()), (alert.id, Some("note")));
    }
}
