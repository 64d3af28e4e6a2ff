//! What was learned of mirrors: a row for each part of it.

use rusqlite::{Connection, Transaction};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::baseline::Mirrors;

const SINCE: &str = "since";
const PAIRS: &str = "pairs";
const SESSIONS: &str = "sessions";

/// All rows: a part's name, and what was learned as JSON.
pub(super) fn rows(connection: &Connection) -> rusqlite::Result<Vec<(String, String)>> {
    let mut query = connection.prepare("SELECT part, learned FROM mirror")?;
    let rows = query.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?;
    rows.collect()
}

/// Takes what one row says over.
///
/// # Errors
/// When it cannot be read.
pub(super) fn read(mirrors: &mut Mirrors, part: &str, learned: &str) -> serde_json::Result<()> {
    fn take<T: DeserializeOwned>(to: &mut T, learned: &str) -> serde_json::Result<()> {
        *to = serde_json::from_str(learned)?;
        Ok(())
    }
    match part {
        SINCE => take(&mut mirrors.since, learned),
        PAIRS => take(&mut mirrors.pairs, learned),
        SESSIONS => take(&mut mirrors.sessions, learned),
        // A later version's.
        _ => Ok(()),
    }
}

/// Writes what differs.
pub(super) fn replace(transaction: &Transaction<'_>, mirrors: &Mirrors) -> rusqlite::Result<()> {
    write(transaction, SINCE, &mirrors.since)?;
    write(transaction, PAIRS, &mirrors.pairs)?;
    write(transaction, SESSIONS, &mirrors.sessions)
}

/// Forgets the pairs that lead to an address; whether there were any.
pub(super) fn forget(transaction: &Transaction<'_>, name: &str) -> rusqlite::Result<bool> {
    let Ok(address) = name.parse() else { return Ok(false) };
    let mut mirrors = Mirrors::default();
    for (part, learned) in rows(transaction)?.iter().filter(|(part, _)| part == PAIRS) {
        // What cannot be read is not known either.
        let _unread = read(&mut mirrors, part, learned);
    }
    let was_there = mirrors.forget(address);
    if was_there {
        write(transaction, PAIRS, &mirrors.pairs)?;
    }
    Ok(was_there)
}

fn write(
    transaction: &Transaction<'_>,
    part: &str,
    learned: &impl Serialize,
) -> rusqlite::Result<()> {
    let learned = serde_json::to_string(learned)
        .map_err(|error| rusqlite::Error::ToSqlConversionFailure(Box::new(error)))?;
    let sql = "INSERT INTO mirror VALUES (?1, ?2) ON CONFLICT (part)
               DO UPDATE SET learned = excluded.learned WHERE learned <> excluded.learned";
    transaction.prepare(sql)?.execute([part, &learned])?;
    Ok(())
}
