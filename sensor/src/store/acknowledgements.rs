//! What people found alerts to be, and that they have seen them, at any sensor of a fleet.
//!
//! Of each alert the latest word counts, by its time and then the sensor at which it was said: who, when,
//! what they noted, what they found it to be, and how bad it was then. It is kept beside the alerts, because
//! it may come before its alert does, and what it says of an alert is written there.
//!
//! Bounds: [`MOST`] alerts, those that were acknowledged last.

use rusqlite::{OptionalExtension, Transaction, params};
use uuid::Uuid;

use super::alerts::{body_of, rank};
use super::said::{say, when};
use super::{Store, StoreError, bad_row, from_sql, verdicts};
use crate::alert::{Alert, Severity, Status};
use crate::exchange::Acknowledgement;
use crate::time::Timestamp;

/// Alerts of which a word is kept.
const MOST: i64 = 65_536;

/// A row: alert, time, person, note, verdict, severity, and when it was said.
type Row = (String, i64, String, String, String, u8, i64);

impl Store {
    /// Marks an alert as seen by a person; whether there is such an alert.
    ///
    /// # Errors
    /// When that cannot be written.
    pub fn acknowledge(
        &mut self,
        id: Uuid,
        person: &str,
        note: Option<&str>,
        at: Timestamp,
    ) -> Result<bool, StoreError> {
        let (path, id) = (self.path.clone(), id.to_string());
        let done = self.write(|transaction| {
            let said = say(transaction)?;
            // Another sensor's clock may be ahead: who says it later is later.
            let sql = "INSERT INTO acknowledgement
                       SELECT id, ?2, '', ?3, COALESCE(?4, note, ''), COALESCE(verdict, ''),
                              severity, ?5 FROM alert WHERE id = ?1
                       ON CONFLICT (alert) DO UPDATE SET
                       at = MAX(excluded.at, at + 1000), sensor = '', person = excluded.person,
                       note = excluded.note, verdict = excluded.verdict,
                       severity = excluded.severity, said = excluded.said";
            if transaction.execute(sql, params![id, when(at), person, note, said])? == 0 {
                return Ok(Ok(false));
            }
            apply(transaction, &id)
        })?;
        done.map_err(|error| bad_row(&path, format!("alert {id}"), &error))
    }

    /// What was said at this sensor, which is called `own`, after what is numbered `after`: at most so many,
    /// in the order in which it was said, and the number of the last.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn acknowledgements_owed(
        &self,
        own: &str,
        after: i64,
        most: usize,
    ) -> Result<(Vec<Acknowledgement>, i64), StoreError> {
        let rows: Vec<Row> = self.read(|connection| {
            let mut query = connection.prepare(
                "SELECT alert, at, person, note, verdict, severity, said FROM acknowledgement
                 WHERE sensor = '' AND said > ?1 ORDER BY said, alert LIMIT ?2",
            )?;
            let most = i64::try_from(most).unwrap_or(i64::MAX);
            let rows = query.query_map(params![after, most], |row| row.try_into())?;
            rows.collect()
        })?;
        let last = rows.last().map_or(after, |row| row.6);
        let message = |(alert, at, person, note, verdict, severity, _): Row| {
            let severity = Severity::ALL.into_iter().find(|one| rank(*one) == severity)?;
            let told = (alert.parse().ok()?, severity);
            let note = Some(note).filter(|note| !note.is_empty());
            let said = (note, verdicts::read(&verdict));
            Some(Acknowledgement::new(own, told, (from_sql(at), person), said))
        };
        Ok((rows.into_iter().filter_map(message).collect(), last))
    }

    /// Takes over what was said at another sensor, or at this one, which is called `own`, before it lost
    /// its database; whether that was news.
    ///
    /// # Errors
    /// When that cannot be written.
    pub fn merge_acknowledgement(
        &mut self,
        own: &str,
        told: &Acknowledgement,
    ) -> Result<bool, StoreError> {
        let (path, id) = (self.path.clone(), told.alert.to_string());
        let sensor = if told.sensor == own { "" } else { told.sensor.as_str() };
        let verdict = told.verdict.map_or("", |verdict| verdict.name());
        let done = self.write(|transaction| {
            let said = say(transaction)?;
            let sql = "INSERT INTO acknowledgement VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)
                       ON CONFLICT (alert) DO UPDATE SET at = excluded.at, sensor = excluded.sensor,
                       person = excluded.person, note = excluded.note, verdict = excluded.verdict,
                       severity = excluded.severity, said = excluded.said
                       WHERE (excluded.at, IIF(excluded.sensor = '', ?9, excluded.sensor),
                              excluded.person, excluded.note, excluded.verdict, excluded.severity)
                             > (at, IIF(sensor = '', ?9, sensor), person, note, verdict, severity)";
            let note = told.note.as_deref().unwrap_or("");
            let (at, severity) = (when(told.at), rank(told.severity));
            let values = params![id, at, sensor, told.person, note, verdict, severity, said, own];
            if transaction.execute(sql, values)? == 0 {
                return Ok(Ok(false));
            }
            drop_oldest(transaction)?;
            Ok(apply(transaction, &id)?.map(|_| true))
        })?;
        done.map_err(|error| bad_row(&path, format!("alert {id}"), &error))
    }
}

/// Whether somebody, at another sensor, has seen an alert that is as bad as this state of it, or worse.
pub(super) fn covers(transaction: &Transaction<'_>, alert: &Alert) -> rusqlite::Result<bool> {
    let sql = "SELECT severity FROM acknowledgement WHERE alert = ?1";
    let mut query = transaction.prepare(sql)?;
    let seen: Option<u8> = query.query_row([alert.id.to_string()], |row| row.get(0)).optional()?;
    Ok(seen.is_some_and(|seen| rank(alert.severity) <= seen))
}

/// Writes what was said of an alert into it, where it is here; whether it is.
pub(super) fn apply(
    transaction: &Transaction<'_>,
    id: &str,
) -> rusqlite::Result<Result<bool, serde_json::Error>> {
    let sql = "SELECT body, acknowledgement.severity FROM alert JOIN acknowledgement
               ON acknowledgement.alert = alert.id WHERE id = ?1";
    let row: Option<(String, u8)> =
        transaction.query_row(sql, [id], |row| Ok((row.get(0)?, row.get(1)?))).optional()?;
    let Some((body, seen)) = row else { return Ok(Ok(false)) };
    let mut alert: Alert = match serde_json::from_str(&body) {
        Ok(alert) => alert,
        Err(error) => return Ok(Err(error)),
    };
    alert.status = match alert.status {
        _ if rank(alert.severity) <= seen => Status::Acknowledged,
        // Who saw it last saw less.
        Status::Acknowledged => Status::Open,
        status => status,
    };
    let sql = "UPDATE alert SET status = ?2, body = ?3, note = NULLIF(said.note, ''),
               seen_at = said.at, seen_severity = said.severity, verdict = NULLIF(said.verdict, ''),
               seen_by = IIF(said.sensor = '', said.person, said.person || ' at ' || said.sensor)
               FROM acknowledgement AS said WHERE id = ?1 AND said.alert = id";
    transaction.execute(sql, params![id, alert.status.name(), body_of(&alert)?])?;
    Ok(Ok(true))
}

fn drop_oldest(transaction: &Transaction<'_>) -> rusqlite::Result<()> {
    let sql = "DELETE FROM acknowledgement WHERE alert IN
               (SELECT alert FROM acknowledgement ORDER BY at DESC, alert LIMIT -1 OFFSET ?1)";
    transaction.execute(sql, [MOST]).map(drop)
}

#[cfg(test)]
mod tests;
