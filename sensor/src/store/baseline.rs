//! What was learned, one row an asset; and what people want forgotten of it.
//!
//! The sensor that runs holds what it learned in memory. Who wants something forgotten takes it
//! out of the database and leaves a note for the sensor; until the sensor has followed the note,
//! whatever it saves is kept without what is to be forgotten.

use rusqlite::{Connection, OptionalExtension, Transaction, params};

use super::{Store, StoreError, mirrors, operators, told};
use crate::baseline::{AssetBaseline, Baseline};

/// A note for the running sensor.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Forget {
    /// Its number; notes are followed in this order.
    pub(super) number: i64,
    /// Which asset.
    pub asset: String,
    /// Which of its destinations; none: all that was learned of it.
    pub destination: Option<String>,
}

impl Store {
    /// What was learned; `None` when nothing ever was. A row that cannot be read is said and left out.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn baseline(&self) -> Result<Option<Baseline>, StoreError> {
        let (rows, operators, mirrors, told, through) = self.read(|connection| {
            let transaction = connection.unchecked_transaction()?;
            let sql = "SELECT COALESCE(MAX(number), 0) FROM forget";
            let through: i64 = transaction.query_row(sql, [], |row| row.get(0))?;
            let (operators, mirrors) =
                (operators::rows(&transaction)?, mirrors::rows(&transaction)?);
            let told = told::rows(&transaction)?;
            Ok((rows(&transaction)?, operators, mirrors, told, through))
        })?;
        // What is asked to be forgotten so far is not in here any more.
        self.forgotten.set(self.forgotten.get().max(through));
        if rows.is_empty() && operators.is_empty() && mirrors.is_empty() && told.is_empty() {
            return Ok(None);
        }
        let mut baseline = Baseline { told, ..Baseline::default() };
        for (asset, learned) in rows {
            match serde_json::from_str::<AssetBaseline>(&learned) {
                Ok(learned) => drop(baseline.assets.insert(asset, learned)),
                // One asset's loss is no reason to know nothing of the others.
                Err(error) => {
                    let error = self.bad_row(format!("what was learned of {asset}"), &error);
                    tracing::error!("{error}; it is learned anew");
                }
            }
        }
        for (name, learned) in operators {
            match serde_json::from_str(&learned) {
                Ok(learned) => drop(baseline.operators.insert(name, learned)),
                Err(error) => {
                    let error = self.bad_row(format!("what was learned of {name}"), &error);
                    tracing::error!("{error}; it is learned anew");
                }
            }
        }
        for (part, learned) in mirrors {
            if let Err(error) = mirrors::read(&mut baseline.mirrors, &part, &learned) {
                let error = self.bad_row(format!("what was learned of mirrors: {part}"), &error);
                tracing::error!("{error}; it is learned anew");
            }
        }
        Ok(Some(baseline))
    }

    /// What was learned of one asset, as it was kept last.
    ///
    /// # Errors
    /// When the database or the row cannot be read.
    pub fn learned_of(&self, asset: &str) -> Result<Option<AssetBaseline>, StoreError> {
        let row: Option<String> = self.read(|connection| {
            let sql = "SELECT learned FROM baseline WHERE asset = ?1";
            connection.query_row(sql, [asset], |row| row.get(0)).optional()
        })?;
        let learned = row.map(|row| serde_json::from_str(&row)).transpose();
        learned.map_err(|error| self.bad_row(format!("what was learned of {asset}"), &error))
    }

    /// Keeps what was learned in place of what was kept before, all or nothing.
    ///
    /// # Errors
    /// When the database cannot be written.
    pub fn save_baseline(&mut self, baseline: &Baseline) -> Result<(), StoreError> {
        let through = self.forgotten.get();
        self.write(|transaction| {
            let notes = notes(transaction, through)?;
            transaction.execute("DELETE FROM forget WHERE number <= ?1", [through])?;
            operators::replace(transaction, &baseline.operators)?;
            mirrors::replace(transaction, &baseline.mirrors)?;
            told::replace(transaction, &baseline.told)?;
            replace(transaction, baseline, &notes)
        })
    }

    /// Notes that the learner has followed all notes up to this one.
    pub(super) fn followed(&mut self, number: i64) {
        self.forgotten.set(self.forgotten.get().max(number));
    }

    /// Takes what was learned of an asset, or of it at one destination, out of the database, and
    /// leaves a note for the sensor; whether any of it was there.
    ///
    /// # Errors
    /// When that cannot be written.
    pub fn forget(&mut self, asset: &str, destination: Option<&str>) -> Result<bool, StoreError> {
        let row = match destination {
            None => None,
            Some(_) => self.baseline()?.and_then(|mut known| known.assets.remove(asset)),
        };
        self.write(|transaction| {
            transaction.execute(
                "INSERT INTO forget (asset, destination) VALUES (?1, ?2)",
                params![asset, destination],
            )?;
            let Some(destination) = destination else {
                let sql = "DELETE FROM baseline WHERE asset = ?1";
                let was_asset = transaction.execute(sql, [asset])? > 0;
                let was_mirror = mirrors::forget(transaction, asset)?;
                return Ok(operators::forget(transaction, asset)? || was_asset || was_mirror);
            };
            let Some(mut learned) = row else { return Ok(false) };
            let was_there = learned.destinations.remove(destination).is_some();
            if was_there {
                keep(transaction, asset, &learned)?;
            }
            Ok(was_there)
        })
    }

    /// Notes that the learner has not followed.
    pub(super) fn forgets(&self) -> Result<Vec<Forget>, StoreError> {
        let through = self.forgotten.get();
        self.read(|connection| notes(connection, through))
    }
}

fn rows(connection: &Connection) -> rusqlite::Result<Vec<(String, String)>> {
    let mut query = connection.prepare("SELECT asset, learned FROM baseline")?;
    let rows = query.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?;
    rows.collect()
}

fn notes(connection: &Connection, after: i64) -> rusqlite::Result<Vec<Forget>> {
    let mut query = connection.prepare(
        "SELECT number, asset, destination FROM forget WHERE number > ?1 ORDER BY number",
    )?;
    let notes = query.query_map([after], |row| {
        Ok(Forget { number: row.get(0)?, asset: row.get(1)?, destination: row.get(2)? })
    })?;
    notes.collect()
}

/// Writes what differs, without what is to be forgotten.
fn replace(
    transaction: &Transaction<'_>,
    baseline: &Baseline,
    forget: &[Forget],
) -> rusqlite::Result<()> {
    let is_gone =
        |asset: &str| forget.iter().any(|note| note.asset == asset && note.destination.is_none());
    for (asset, _) in rows(transaction)? {
        if !baseline.assets.contains_key(&asset) || is_gone(&asset) {
            transaction.execute("DELETE FROM baseline WHERE asset = ?1", [asset])?;
        }
    }
    for (asset, learned) in &baseline.assets {
        if is_gone(asset) {
            continue;
        }
        let mut unlearned = forget.iter().filter(|note| note.asset == *asset).peekable();
        if unlearned.peek().is_none() {
            keep(transaction, asset, learned)?;
            continue;
        }
        let mut learned = learned.clone();
        for destination in unlearned.filter_map(|note| note.destination.as_deref()) {
            learned.destinations.remove(destination);
        }
        keep(transaction, asset, &learned)?;
    }
    Ok(())
}

fn keep(
    transaction: &Transaction<'_>,
    asset: &str,
    learned: &AssetBaseline,
) -> rusqlite::Result<()> {
    let learned = serde_json::to_string(learned)
        .map_err(|error| rusqlite::Error::ToSqlConversionFailure(Box::new(error)))?;
    transaction
        .prepare(
            "INSERT INTO baseline VALUES (?1, ?2) ON CONFLICT (asset)
             DO UPDATE SET learned = excluded.learned WHERE learned <> excluded.learned",
        )?
        .execute([asset, &learned])?;
    Ok(())
}
