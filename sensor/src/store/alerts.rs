//! Stored alerts: each is one row, which its newest state replaces.

use rusqlite::{Connection, OptionalExtension, Row, Transaction, params};
use uuid::Uuid;

use super::keeper::{Subscription, Wanted};
use super::{Store, StoreError, acknowledgements, from_sql, outbox, to_sql};
use crate::alert::{Alert, Analytic, Severity, Status, Verdict};
use crate::time::Timestamp;

/// A stored alert, and what was said of it.
#[derive(Debug, Clone)]
pub struct Stored {
    /// Its newest state.
    pub alert: Alert,
    /// When it was first raised.
    pub raised: Timestamp,
    /// What people noted.
    pub note: Option<String>,
    /// When it was last acknowledged, and by whom; it may have become worse since, and be open again.
    pub seen: Option<(Timestamp, String)>,
    /// What they found it to be.
    pub verdict: Option<Verdict>,
}

/// In which order alerts are listed, by the time of their newest state.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Order {
    /// For people.
    LatestFirst,
    /// For files.
    OldestFirst,
}

/// What a commit came to.
#[derive(Debug, Default)]
pub(crate) struct Committed {
    /// The alerts as they are stored now.
    pub(crate) alerts: Vec<Alert>,
    /// How many of them are new.
    pub(super) new: usize,
    /// Which of them are told for the first time, and which held back, as indices.
    pub(super) told: Vec<usize>,
    pub(super) held: Vec<usize>,
    /// Whether anyone is owed any of them.
    pub(super) owed: bool,
}

/// What retention removed.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub(super) struct Trimmed {
    /// Alerts that were owed to nobody.
    pub(super) settled: Vec<Uuid>,
    /// Alerts that were still to be delivered.
    pub(super) owed: Vec<Uuid>,
}

impl Store {
    /// Keeps alerts, and who is owed them, all or nothing. `run` tells one run of the sensor from
    /// another: a new run counts from 1 again.
    pub(crate) fn commit(
        &mut self,
        alerts: &[Alert],
        owed: &[Subscription],
        run: u64,
    ) -> Result<Committed, StoreError> {
        self.write(|transaction| {
            let mut committed = Committed::default();
            for alert in alerts {
                let (alert, before, is_owed) = keep(transaction, alert, owed, run)?;
                let was_held = before.as_deref() == Some(Status::Suppressed.name());
                committed.new += usize::from(before.is_none());
                if before.is_none() || was_held {
                    match alert.status {
                        Status::Suppressed if was_held => {}
                        Status::Suppressed => committed.held.push(committed.alerts.len()),
                        _ => committed.told.push(committed.alerts.len()),
                    }
                }
                committed.owed |= is_owed;
                committed.alerts.push(alert);
            }
            Ok(committed)
        })
    }

    /// Hands over stored alerts one by one. A row that cannot be read is said and left out.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn each_alert(
        &self,
        wanted: &Wanted,
        order: Order,
        mut each: impl FnMut(Stored),
    ) -> Result<(), StoreError> {
        let order = match order {
            Order::LatestFirst => "DESC",
            Order::OldestFirst => "ASC",
        };
        let sql = format!(
            "SELECT body, raised, note, seen_at, seen_by, verdict FROM alert
             WHERE severity >= ?1 AND (?3 IS NULL OR asset = ?3) AND (?6 IS NULL OR analytic = ?6)
             AND CASE WHEN ?2 IS NULL THEN status <> 'suppressed' ELSE status = ?2 END
             AND updated >= ?4 ORDER BY updated {order}, id LIMIT ?5"
        );
        let least = wanted.min_severity.unwrap_or(Severity::Informational);
        let limit = match wanted.limit {
            0 => -1,
            limit => i64::try_from(limit).unwrap_or(-1),
        };
        let wanted = params![
            rank(least),
            wanted.status.map(Status::name),
            wanted.asset,
            to_sql(wanted.since.unwrap_or_default()),
            limit,
            wanted.analytic.map(Analytic::name)
        ];
        self.read(|connection| {
            let mut query = connection.prepare(&sql)?;
            let mut rows = query.query(wanted)?;
            while let Some(row) = rows.next()? {
                match stored(row)? {
                    Ok(stored) => each(stored),
                    Err(error) => tracing::warn!("a stored alert cannot be read: {error}"),
                }
            }
            Ok(())
        })
    }

    /// Stored alerts, the latest first.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn alerts(&self, wanted: &Wanted) -> Result<Vec<Alert>, StoreError> {
        let mut all = Vec::new();
        self.each_alert(wanted, Order::LatestFirst, |stored| all.push(stored.alert))?;
        Ok(all)
    }

    /// One stored alert.
    ///
    /// # Errors
    /// When the database or the row cannot be read.
    pub fn alert(&self, id: Uuid) -> Result<Option<Stored>, StoreError> {
        let found = self.read(|connection| {
            let mut query = connection.prepare(
                "SELECT body, raised, note, seen_at, seen_by, verdict FROM alert WHERE id = ?1",
            )?;
            query.query_row([id.to_string()], stored).optional()
        })?;
        found.transpose().map_err(|error| self.bad_row(format!("alert {id}"), &error))
    }

    /// The ids that begin with `prefix`, at most `limit` of them.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn alert_ids(&self, prefix: &str, limit: usize) -> Result<Vec<Uuid>, StoreError> {
        let prefix = prefix.to_ascii_lowercase();
        self.read(|connection| {
            // Behind all that an id is made of comes the letter g.
            let mut query = connection.prepare(
                "SELECT id FROM alert WHERE id >= ?1 AND id < ?1 || 'g' ORDER BY id LIMIT ?2",
            )?;
            let limit = i64::try_from(limit).unwrap_or(i64::MAX);
            let ids = query.query_map(params![prefix, limit], |row| row.get::<_, String>(0))?;
            ids.map(|id| Ok(id?.parse().unwrap_or_default())).collect()
        })
    }

    /// How many alerts there are of each status and severity, those there are none of left out.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn alert_counts(&self) -> Result<Vec<(Status, Severity, u64)>, StoreError> {
        let rows = self.read(|connection| {
            let sql = "SELECT status, severity, COUNT(*) FROM alert GROUP BY status, severity";
            let mut query = connection.prepare(sql)?;
            let rows = query.query_map([], |row| {
                Ok((row.get::<_, String>(0)?, row.get::<_, u8>(1)?, row.get::<_, i64>(2)?))
            })?;
            rows.collect::<rusqlite::Result<Vec<_>>>()
        })?;
        let known = rows.into_iter().filter_map(|(status, severity, count)| {
            let status = Status::ALL.into_iter().find(|one| one.name() == status)?;
            let severity = Severity::ALL.into_iter().find(|one| rank(*one) == severity)?;
            Some((status, severity, u64::try_from(count).unwrap_or_default()))
        });
        Ok(known.collect())
    }

    /// How many alerts are held back.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn suppressed(&self) -> Result<u64, StoreError> {
        self.read(|connection| {
            let sql = "SELECT COUNT(*) FROM alert WHERE status = ?1";
            connection.query_row(sql, [Status::Suppressed.name()], |row| row.get::<_, i64>(0))
        })
        .map(|count| u64::try_from(count).unwrap_or_default())
    }

    /// How many alerts this sensor has raised.
    pub(super) fn alert_count(&self) -> Result<usize, StoreError> {
        const OWN: &str = "SELECT COUNT(*) FROM alert WHERE origin IS NULL";
        self.read(|connection| {
            let count: i64 = connection.query_row(OWN, [], |row| row.get(0))?;
            Ok(usize::try_from(count).unwrap_or_default())
        })
    }

    /// Removes so many alerts: the oldest that are owed to nobody, then the oldest.
    pub(super) fn trim(&mut self, surplus: usize) -> Result<Trimmed, StoreError> {
        self.write(|transaction| {
            let oldest = |filter: &str, count: usize| {
                let count = i64::try_from(count).unwrap_or(i64::MAX);
                let mut delete = transaction.prepare(&format!(
                    "DELETE FROM alert WHERE id IN
                     (SELECT id FROM alert WHERE origin IS NULL AND {filter}
                      ORDER BY updated LIMIT ?1) RETURNING id"
                ))?;
                let ids = delete.query_map([count], |row| row.get::<_, String>(0))?;
                let ids = ids.map(|id| Ok(id?.parse().unwrap_or_default()));
                ids.collect::<rusqlite::Result<Vec<Uuid>>>()
            };
            let settled =
                oldest("NOT EXISTS (SELECT 1 FROM outbox WHERE outbox.alert = alert.id)", surplus)?;
            let owed = match surplus.saturating_sub(settled.len()) {
                0 => Vec::new(),
                rest => oldest("TRUE", rest)?,
            };
            Ok(Trimmed { settled, owed })
        })
    }
}

/// What is kept of an alert beside its newest state.
struct Known {
    status: String,
    first_seen: Timestamp,
    count: u64,
    counted: u64,
    run: u64,
    state: i64,
    seen_severity: Option<u8>,
}

/// Keeps one alert; as it is kept, its status before if it was there, and whether anyone is owed it.
fn keep(
    transaction: &Transaction<'_>,
    alert: &Alert,
    owed: &[Subscription],
    run: u64,
) -> rusqlite::Result<(Alert, Option<String>, bool)> {
    let known = known(transaction, alert.id)?;
    let mut alert = alert.clone();
    let (mut counted, mut state) = (0, 1);
    if let Some(known) = &known {
        counted = if known.run == run { known.counted } else { known.count };
        state = known.state.saturating_add(1);
        alert.count = counted.saturating_add(alert.count).max(known.count);
        alert.first_seen = alert.first_seen.min(known.first_seen);
        if stays_acknowledged(&known.status, known.seen_severity, &alert) {
            alert.status = Status::Acknowledged;
        }
    } else if acknowledgements::covers(transaction, &alert)? {
        alert.status = Status::Acknowledged;
    }
    write(transaction, &alert, &Written { counted, run, state, origin: None })?;
    let is_owed = alert.status == Status::Open && outbox::owe(transaction, &alert, state, owed)?;
    Ok((alert, known.map(|known| known.status), is_owed))
}

/// Whether an alert of this status, as bad as it was when somebody saw it, is still seen in its new state.
pub(super) fn stays_acknowledged(status: &str, seen: Option<u8>, alert: &Alert) -> bool {
    status == Status::Acknowledged.name() && seen.is_some_and(|seen| rank(alert.severity) <= seen)
}

/// What is written of an alert beside what it tells.
pub(super) struct Written<'a> {
    pub(super) counted: u64,
    pub(super) run: u64,
    /// Which state of it this is, from 1.
    pub(super) state: i64,
    /// Whose it is; this sensor's own is nobody's else.
    pub(super) origin: Option<&'a str>,
}

/// Writes an alert in place of an older state of it. To the first applies what was said of it before it came.
pub(super) fn write(
    transaction: &Transaction<'_>,
    alert: &Alert,
    written: &Written<'_>,
) -> rusqlite::Result<()> {
    let id = alert.id.to_string();
    let mut insert = transaction.prepare(
        "INSERT INTO alert (id, raised, updated, severity, analytic, asset, status, first_seen,
                            count, counted, run, state, body, origin)
         VALUES (?1, ?2, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13)
         ON CONFLICT (id) DO UPDATE SET
            updated = excluded.updated, severity = excluded.severity, asset = excluded.asset,
            status = excluded.status, first_seen = excluded.first_seen, count = excluded.count,
            counted = excluded.counted, run = excluded.run, state = excluded.state,
            body = excluded.body, origin = excluded.origin",
    )?;
    insert.execute(params![
        id,
        to_sql(alert.time),
        rank(alert.severity),
        alert.analytic.name(),
        alert.asset.name,
        alert.status.name(),
        to_sql(alert.first_seen),
        clamped(alert.count),
        clamped(written.counted),
        clamped(written.run),
        written.state,
        body_of(alert)?,
        written.origin
    ])?;
    if written.state == 1 {
        // It was just written, so that it can be read.
        let _is_seen = acknowledgements::apply(transaction, &id)?;
    }
    Ok(())
}

fn known(connection: &Connection, id: Uuid) -> rusqlite::Result<Option<Known>> {
    let mut query = connection.prepare(
        "SELECT status, first_seen, count, counted, run, state, seen_severity
         FROM alert WHERE id = ?1 AND origin IS NULL",
    )?;
    let number = |row: &Row<'_>, column| -> rusqlite::Result<u64> {
        Ok(u64::try_from(row.get::<_, i64>(column)?).unwrap_or_default())
    };
    query
        .query_row([id.to_string()], |row| {
            Ok(Known {
                status: row.get(0)?,
                first_seen: from_sql(row.get(1)?),
                count: number(row, 2)?,
                counted: number(row, 3)?,
                run: number(row, 4)?,
                state: row.get(5)?,
                seen_severity: row.get(6)?,
            })
        })
        .optional()
}

/// Reads `body, raised, note, seen_at, seen_by, verdict`.
fn stored(row: &Row<'_>) -> rusqlite::Result<Result<Stored, serde_json::Error>> {
    let body: String = row.get(0)?;
    let alert = match serde_json::from_str(&body) {
        Ok(alert) => alert,
        Err(error) => return Ok(Err(error)),
    };
    let seen: (Option<i64>, Option<String>) = (row.get(3)?, row.get(4)?);
    Ok(Ok(Stored {
        alert,
        raised: from_sql(row.get(1)?),
        note: row.get(2)?,
        seen: seen.0.zip(seen.1).map(|(at, person)| (from_sql(at), person)),
        verdict: row.get::<_, Option<String>>(5)?.as_deref().and_then(super::verdicts::read),
    }))
}

pub(super) fn body_of(alert: &Alert) -> rusqlite::Result<String> {
    serde_json::to_string(alert)
        .map_err(|error| rusqlite::Error::ToSqlConversionFailure(Box::new(error)))
}

/// Where a severity stands, from 0.
pub(super) const fn rank(severity: Severity) -> u8 {
    severity as u8
}

pub(super) fn clamped(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests;
