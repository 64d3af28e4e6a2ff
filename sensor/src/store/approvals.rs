//! Approvals that people gave without touching the config; each is kept as the `[[approve]]` it
//! would be there.

use rusqlite::params;

use super::{Store, StoreError, from_sql, to_sql};
use crate::config::{Approve, Config, file};
use crate::time::Timestamp;

/// An approval.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Approval {
    /// Its number, by which it can be taken back.
    pub number: i64,
    /// When it was given.
    pub given: Timestamp,
    /// By whom.
    pub person: String,
    /// What it approves.
    pub entry: Approve,
}

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
            transaction.execute(
                "INSERT INTO approval (given, person, entry) VALUES (?1, ?2, ?3)",
                params![to_sql(at), person, entry],
            )?;
            Ok(transaction.last_insert_rowid())
        })
    }

    /// Takes an approval back; whether there was one of that number.
    ///
    /// # Errors
    /// When that cannot be written.
    pub fn unapprove(&mut self, number: i64) -> Result<bool, StoreError> {
        let sql = "DELETE FROM approval WHERE number = ?1";
        self.write(|transaction| Ok(transaction.execute(sql, [number])? > 0))
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
            let sql = "SELECT number, given, person, entry FROM approval ORDER BY number";
            let mut query = connection.prepare(sql)?;
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
