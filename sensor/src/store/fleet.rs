//! What the database has of other sensors: their alerts, up to where they were read, and what somebody else has
//! delivered. Alerts of others are shown beside this sensor's own; nobody is owed them here.

use rusqlite::{OptionalExtension, Transaction, params};
use uuid::Uuid;

use super::alerts::{self, Written, clamped};
use super::{Store, StoreError, acknowledgements, to_sql};
use crate::alert::{Alert, Status};

/// Alerts of others that are kept, and of one of them: whoever raises many takes no room of the rest.
const MOST: u64 = 50_000;
const MOST_OF_ONE: u64 = 5_000;

/// An alert of another sensor, and who that is, as subjects name it.
#[derive(Debug, Clone)]
pub(crate) struct Foreign {
    pub(crate) origin: String,
    pub(crate) alert: Alert,
}

/// Up to where a stream was read.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Position {
    /// When the stream was made, in nanoseconds: one that was made anew counts from 1 again.
    pub(crate) created: i64,
    /// The last that was read.
    pub(crate) sequence: u64,
}

impl Store {
    /// Up to where alerts of others were read.
    pub(crate) fn fleet_position(&self, stream: &str) -> Result<Position, StoreError> {
        let found = self.read(|connection| {
            let sql = "SELECT created, sequence FROM fleet_position WHERE stream = ?1";
            let columns = |row: &rusqlite::Row<'_>| Ok((row.get(0)?, row.get::<_, i64>(1)?));
            connection.query_row(sql, [stream], columns).optional()
        })?;
        Ok(found.map_or_else(Position::default, |(created, sequence)| Position {
            created,
            sequence: u64::try_from(sequence).unwrap_or_default(),
        }))
    }

    /// Keeps alerts of others, and up to where they were read, all or nothing; how many told something new.
    pub(crate) fn keep_foreign(
        &mut self,
        all: &[Foreign],
        stream: &str,
        position: Position,
    ) -> Result<usize, StoreError> {
        self.write(|transaction| {
            let mut news = 0;
            for foreign in all {
                news += usize::from(keep(transaction, foreign)?);
            }
            if news > 0 {
                let mut origins: Vec<&str> = all.iter().map(|one| one.origin.as_str()).collect();
                origins.sort_unstable();
                origins.dedup();
                make_room(transaction, &origins)?;
            }
            transaction.execute(
                "INSERT INTO fleet_position (stream, created, sequence) VALUES (?1, ?2, ?3)
                 ON CONFLICT (stream) DO UPDATE SET created = excluded.created,
                    sequence = excluded.sequence",
                params![stream, position.created, clamped(position.sequence)],
            )?;
            Ok(news)
        })
    }

    /// Somebody else has delivered an alert in this state: nobody but `except` is owed it any more, unless it
    /// has changed since. Whether anyone was.
    pub(crate) fn delivered_elsewhere(
        &mut self,
        id: Uuid,
        count: u64,
        except: &str,
    ) -> Result<bool, StoreError> {
        self.write(|transaction| {
            let settled = transaction.execute(
                "DELETE FROM outbox WHERE alert = ?1 AND target <> ?3 AND EXISTS
                 (SELECT 1 FROM alert WHERE id = ?1 AND count <= ?2)",
                params![id.to_string(), clamped(count), except],
            )?;
            Ok(settled > 0)
        })
    }
}

/// Keeps one alert in place of an older state of it; whether it told something new. This sensor's own alerts,
/// and those that another has told first, stay as they are: nobody changes what is not theirs.
fn keep(
    transaction: &Transaction<'_>,
    Foreign { origin, alert }: &Foreign,
) -> rusqlite::Result<bool> {
    let id = alert.id.to_string();
    let mut query = transaction.prepare(
        "SELECT origin, count, updated, status, seen_severity, state FROM alert WHERE id = ?1",
    )?;
    type Known = (Option<String>, i64, i64, String, Option<u8>, i64);
    let known: Option<Known> = query.query_row([&id], |row| row.try_into()).optional()?;
    let mut alert = alert.clone();
    alert.status = Status::Open;
    let mut state = 1;
    if let Some((of, count, updated, status, seen, before)) = known {
        let is_newer = (clamped(alert.count), to_sql(alert.time)) > (count, updated);
        if of.as_ref() != Some(origin) || !is_newer {
            return Ok(false);
        }
        if alerts::stays_acknowledged(&status, seen, &alert) {
            alert.status = Status::Acknowledged;
        }
        state = before.saturating_add(1);
    } else if acknowledgements::covers(transaction, &alert)? {
        alert.status = Status::Acknowledged;
    }
    // Of others' alerts nothing is counted here.
    let written = Written { counted: 0, run: 0, state, origin: Some(origin.as_str()) };
    alerts::write(transaction, &alert, &written)?;
    Ok(true)
}

/// Removes the oldest alerts of those of `origins` that have too many, then of whoever has most.
fn make_room(transaction: &Transaction<'_>, origins: &[&str]) -> rusqlite::Result<()> {
    let count = |sql: &str, origin: Option<&str>| -> rusqlite::Result<u64> {
        let mut query = transaction.prepare(sql)?;
        let number: i64 = match origin {
            Some(origin) => query.query_row([origin], |row| row.get(0))?,
            None => query.query_row([], |row| row.get(0))?,
        };
        Ok(u64::try_from(number).unwrap_or_default())
    };
    let remove = |origin: &str, surplus: u64| {
        transaction.execute(
            "DELETE FROM alert WHERE id IN
             (SELECT id FROM alert WHERE origin = ?1 ORDER BY updated, id LIMIT ?2)",
            params![origin, clamped(surplus)],
        )
    };
    for origin in origins {
        let has = count("SELECT COUNT(*) FROM alert WHERE origin = ?1", Some(origin))?;
        remove(origin, has.saturating_sub(MOST_OF_ONE))?;
    }
    let all = count("SELECT COUNT(*) FROM alert WHERE origin IS NOT NULL", None)?;
    if all > MOST {
        let largest = "SELECT origin FROM alert WHERE origin IS NOT NULL GROUP BY origin
                       ORDER BY COUNT(*) DESC, origin LIMIT 1";
        let origin: String = transaction.query_row(largest, [], |row| row.get(0))?;
        remove(&origin, all - MOST)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests;
