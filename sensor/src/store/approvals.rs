//! Approvals that people gave without touching the config; each is kept as the `[[approve]]` it
//! would be there.

use rusqlite::{OptionalExtension, params};

use super::said::{say, when};
use super::{Store, StoreError, from_sql};
use crate::config::{Approve, Config, file};
use crate::time::Timestamp;

mod merge;

/// An approval.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Approval {
    /// Its number, by which it can be taken back.
    pub number: i64,
    /// When it was given.
    pub given: Timestamp,
    /// By whom, and at which sensor where that was another.
    pub person: String,
    /// What it approves.
    pub entry: Approve,
}

/// Nobody has withdrawn it.
const STANDS: &str = "NOT EXISTS (SELECT 1 FROM withdrawal WHERE withdrawal.id = approval.id)";

impl Store {
    /// Keeps an approval; its number. A running sensor follows it within seconds.
    ///
    /// # Errors
    /// When that cannot be written, or is no approval that the config could have.
    pub fn approve(
        &mut self,
        entry: &Approve,
        person: &str,
        at: Timestamp,
    ) -> Result<i64, StoreError> {
        let entry = entry.to_string();
        self.entry("the approval", &entry)?;
        self.write(|transaction| {
            let said = say(transaction)?;
            transaction.execute(
                "INSERT INTO approval (given, person, entry, id, said)
                 VALUES (?1, ?2, ?3, lower(hex(randomblob(16))), ?4)",
                params![when(at), person, entry, said],
            )?;
            Ok(transaction.last_insert_rowid())
        })
    }

    /// Takes an approval back, wherever it was given; whether there was one of that number. It is kept
    /// that it was, so that it does not come back from another sensor.
    ///
    /// # Errors
    /// When that cannot be written.
    pub fn unapprove(
        &mut self,
        number: i64,
        person: &str,
        at: Timestamp,
    ) -> Result<bool, StoreError> {
        self.write(|transaction| {
            let sql = format!("SELECT id FROM approval WHERE number = ?1 AND {STANDS}");
            let id: Option<String> =
                transaction.query_row(&sql, [number], |row| row.get(0)).optional()?;
            let Some(id) = id else { return Ok(false) };
            let said = say(transaction)?;
            let sql = "INSERT INTO withdrawal VALUES (?1, '', ?2, ?3, ?4)";
            transaction.execute(sql, params![id, when(at), person, said])?;
            Ok(true)
        })
    }

    /// What is approved, for the detectors, beside what the config approves.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn approvals(&self) -> Result<Vec<Approve>, StoreError> {
        Ok(self.approval_list()?.into_iter().map(|approval| approval.entry).collect())
    }

    /// All approvals, in the order they were given. One that cannot be read is said and left out.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn approval_list(&self) -> Result<Vec<Approval>, StoreError> {
        let rows: Vec<(i64, i64, String, String)> = self.read(|connection| {
            let sql = format!(
                "SELECT number, given, IIF(sensor = '', person, person || ' at ' || sensor), entry
                 FROM approval WHERE {STANDS} ORDER BY number"
            );
            let mut query = connection.prepare(&sql)?;
            let rows = query
                .query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?)))?;
            rows.collect()
        })?;
        let mut all = Vec::new();
        for (number, given, person, entry) in rows {
            match self.entry(&format!("approval {number}"), &entry) {
                Ok(entry) => all.push(Approval { number, given: from_sql(given), person, entry }),
                Err(error) => tracing::warn!("{error}"),
            }
        }
        Ok(all)
    }

    fn entry(&self, name: &str, text: &str) -> Result<Approve, StoreError> {
        let read = file::parse(name, text, &[], Config::default());
        let mut entries = read.map_err(|error| self.bad_row(name.to_owned(), &error))?.approve;
        entries.pop().ok_or_else(|| self.bad_row(name.to_owned(), &"it is empty"))
    }
}
