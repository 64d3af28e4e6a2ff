//! Approvals that were given, and withdrawn, at any sensor of a fleet.
//!
//! Each sensor tells of those that were given or withdrawn at it. An approval stands while nobody has
//! withdrawn it: whoever hears of both in whatever order, and however often, has the same. Whoever gave it
//! tells of its withdrawal, too, so that nobody says any more that it was given.
//!
//! Bounds: [`OF_ONE`] approvals, and as many withdrawals, of each other sensor.

use rusqlite::{OptionalExtension, Transaction, params};
use uuid::Uuid;

use super::super::said::{say, when};
use super::super::{Store, StoreError, from_sql, to_sql};
use super::STANDS;
use crate::exchange::approval::{Approval, Given, Withdrawn};
use crate::time::Timestamp;

/// What is kept of one other sensor; what it says beyond is left out.
const OF_ONE: i64 = 1000;

/// A row of either table: id, time, person, what is approved, and when it was said.
type Row = (String, i64, String, Option<String>, i64);

impl Store {
    /// What was given or withdrawn at this sensor, which is called `own`, after what is numbered `after`:
    /// at most so many, in the order in which it was said, and the number of the last.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn approvals_owed(
        &self,
        own: &str,
        after: i64,
        most: usize,
    ) -> Result<(Vec<Approval>, i64), StoreError> {
        let rows: Vec<Row> = self.read(|connection| {
            let sql = format!(
                "SELECT id, given, person, entry, said FROM approval
                 WHERE sensor = '' AND said > ?1 AND {STANDS}
                 UNION ALL SELECT id, at, person, NULL, said FROM withdrawal
                 WHERE sensor = '' AND said > ?1 ORDER BY 5, 1 LIMIT ?2"
            );
            let mut query = connection.prepare(&sql)?;
            let most = i64::try_from(most).unwrap_or(i64::MAX);
            let rows = query.query_map(params![after, most], |row| row.try_into())?;
            rows.collect()
        })?;
        let last = rows.last().map_or(after, |row| row.4);
        let message = |(id, at, person, entry, _): Row| {
            let (id, at) = (id.parse().ok()?, from_sql(at));
            Some(match entry {
                Some(entry) => Approval::given(own, id, Given { at, person, entry }),
                None => Approval::withdrawn(own, id, Withdrawn { at, person }),
            })
        };
        Ok((rows.into_iter().filter_map(message).collect(), last))
    }

    /// Takes over what was given or withdrawn at another sensor, or at this one, which is called `own`,
    /// before it lost its database; whether that was news.
    ///
    /// # Errors
    /// When that cannot be written.
    pub fn merge_approval(&mut self, own: &str, told: &Approval) -> Result<bool, StoreError> {
        let sensor = if told.sensor == own { "" } else { told.sensor.as_str() };
        let id = told.id.simple().to_string();
        self.write(|transaction| {
            let mut is_news = false;
            if let Some(given) = &told.given {
                is_news |= give(transaction, &id, sensor, given)?;
            }
            if let Some(withdrawn) = &told.withdrawn {
                is_news |= withdraw(transaction, &id, sensor, withdrawn)?;
            }
            Ok(is_news | tell_withdrawn(transaction, &id)?)
        })
    }

    /// Drops approvals that were withdrawn before a time, and that they were; which those are. Who tells
    /// other sensors of them need not any more.
    ///
    /// # Errors
    /// When that cannot be written.
    pub fn drop_withdrawn(&mut self, before: Timestamp) -> Result<Vec<Uuid>, StoreError> {
        self.write(|transaction| {
            let sql = "SELECT id FROM withdrawal GROUP BY id HAVING MAX(at) < ?1";
            let mut query = transaction.prepare(sql)?;
            let ids = query.query_map([to_sql(before)], |row| row.get::<_, String>(0))?;
            let ids = ids.collect::<rusqlite::Result<Vec<_>>>()?;
            for id in &ids {
                transaction.execute("DELETE FROM withdrawal WHERE id = ?1", [id])?;
                transaction.execute("DELETE FROM approval WHERE id = ?1", [id])?;
            }
            Ok(ids.iter().filter_map(|id| id.parse().ok()).collect())
        })
    }
}

/// One sensor gives an approval once: of two words of it the later counts.
fn give(
    transaction: &Transaction<'_>,
    id: &str,
    sensor: &str,
    Given { at, person, entry }: &Given,
) -> rusqlite::Result<bool> {
    if !has_room(transaction, "approval", id, sensor)? {
        return Ok(false);
    }
    let said = say(transaction)?;
    let sql = "INSERT INTO approval (given, person, entry, id, sensor, said)
               VALUES (?1, ?2, ?3, ?4, ?5, ?6) ON CONFLICT (id, sensor) DO UPDATE SET
               given = excluded.given, person = excluded.person, entry = excluded.entry
               WHERE (excluded.given, excluded.person, excluded.entry) > (given, person, entry)";
    Ok(transaction.execute(sql, params![when(*at), person, entry, id, sensor, said])? > 0)
}

/// One sensor withdraws it once: of two words of it the earlier counts.
fn withdraw(
    transaction: &Transaction<'_>,
    id: &str,
    sensor: &str,
    Withdrawn { at, person }: &Withdrawn,
) -> rusqlite::Result<bool> {
    if !has_room(transaction, "withdrawal", id, sensor)? {
        return Ok(false);
    }
    let said = say(transaction)?;
    let sql = "INSERT INTO withdrawal VALUES (?1, ?2, ?3, ?4, ?5) ON CONFLICT (id, sensor)
               DO UPDATE SET at = excluded.at, person = excluded.person, said = excluded.said
               WHERE (excluded.at, excluded.person) < (at, person)";
    Ok(transaction.execute(sql, params![id, sensor, when(*at), person, said])? > 0)
}

/// What was given here and is withdrawn anywhere is withdrawn here.
fn tell_withdrawn(transaction: &Transaction<'_>, id: &str) -> rusqlite::Result<bool> {
    let sql = "SELECT at, person FROM withdrawal WHERE id = ?1
               AND EXISTS (SELECT 1 FROM approval WHERE id = ?1 AND sensor = '')
               ORDER BY at, person LIMIT 1";
    let first: Option<(i64, String)> =
        transaction.query_row(sql, [id], |row| Ok((row.get(0)?, row.get(1)?))).optional()?;
    let Some((at, person)) = first else { return Ok(false) };
    withdraw(transaction, id, "", &Withdrawn { at: from_sql(at), person })
}

/// Whether one more of a sensor is kept. What was said here is.
fn has_room(
    transaction: &Transaction<'_>,
    table: &str,
    id: &str,
    sensor: &str,
) -> rusqlite::Result<bool> {
    let sql =
        format!("SELECT COUNT(*) FROM {table} WHERE sensor = ?1 AND sensor <> '' AND id <> ?2");
    let others: i64 = transaction.query_row(&sql, [sensor, id], |row| row.get(0))?;
    Ok(others < OF_ONE)
}

#[cfg(test)]
mod tests;
