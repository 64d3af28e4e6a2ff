//! The outbox: which target is owed which alert. One row for both, whose newest state stands for
//! all, so that an alert that keeps changing while a target is down takes no more room.

use std::collections::BTreeMap;

use rusqlite::{OptionalExtension, Transaction, params};
use uuid::Uuid;

use super::alerts::rank;
use super::keeper::{Delivery, Due, Subscription};
use super::{Store, StoreError, from_sql, to_sql};
use crate::alert::Alert;
use crate::text::printable_within;
use crate::time::Timestamp;

/// What one target is still owed of an alert.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Owed {
    /// To whom.
    pub target: String,
    /// How many attempts failed.
    pub attempts: u32,
    /// The next attempt is not before.
    pub not_before: Timestamp,
    /// Why the last attempt failed.
    pub last_error: Option<String>,
}

/// As much of an error is kept, in bytes.
const LONGEST_ERROR: usize = 400;

impl Store {
    /// What `target` has to do next: what became due first, and of what never failed the oldest. So
    /// an alert that is refused for ever stands behind new ones.
    pub(super) fn due(&self, target: &str, now: Timestamp) -> Result<Due, StoreError> {
        let earliest: Option<i64> = self.read(|connection| {
            let sql = "SELECT MIN(not_before) FROM outbox WHERE target = ?1";
            connection.prepare(sql)?.query_row([target], |row| row.get(0))
        })?;
        let Some(earliest) = earliest else { return Ok(Due::Nothing) };
        if earliest > to_sql(now) {
            return Ok(Due::At(from_sql(earliest)));
        }
        let row: Option<(i64, String, u32, i64, String)> = self.read(|connection| {
            let mut query = connection.prepare(
                "SELECT number, alert, attempts, alert.state, body
                 FROM outbox INDEXED BY outbox_wait JOIN alert ON alert.id = outbox.alert
                 WHERE target = ?1 AND not_before <= ?2 ORDER BY not_before, number LIMIT 1",
            )?;
            let columns = |row: &rusqlite::Row<'_>| {
                Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?, row.get(4)?))
            };
            query.query_row(params![target, to_sql(now)], columns).optional()
        })?;
        // Another process may have written between the two looks.
        let Some((number, id, attempts, state, body)) = row else { return Ok(Due::Nothing) };
        match serde_json::from_str::<Alert>(&body) {
            Ok(alert) => {
                let target = target.to_owned();
                Ok(Due::Now(Box::new(Delivery { target, alert, attempts, state })))
            }
            Err(error) => {
                self.set_aside(number)?;
                Err(self.bad_row(format!("alert {id}"), &error))
            }
        }
    }

    /// What cannot be read stays in the outbox, but holds up nothing.
    fn set_aside(&self, number: i64) -> Result<(), StoreError> {
        self.read(|connection| {
            let sql = "UPDATE outbox SET not_before = ?2, last_error = ?3 WHERE number = ?1";
            let never = to_sql(Timestamp::MAX);
            connection.execute(sql, params![number, never, "the stored alert cannot be read"])
        })?;
        Ok(())
    }

    /// A delivery was taken: nothing is owed of it unless a newer state is.
    pub(super) fn delivered(
        &mut self,
        target: &str,
        id: Uuid,
        state: i64,
    ) -> Result<(), StoreError> {
        let id = id.to_string();
        self.write(|transaction| {
            let taken = transaction.execute(
                "DELETE FROM outbox WHERE target = ?1 AND alert = ?2 AND state <= ?3",
                params![target, id, state],
            )?;
            if taken == 0 {
                // The target is well again, so the newer state need not wait.
                transaction.execute(
                    "UPDATE outbox SET attempts = 0, not_before = 0, last_error = NULL
                     WHERE target = ?1 AND alert = ?2",
                    params![target, id],
                )?;
            }
            Ok(())
        })
    }

    /// An attempt failed; the next is not before `next`.
    pub(super) fn failed(
        &mut self,
        target: &str,
        id: Uuid,
        reason: &str,
        next: Timestamp,
    ) -> Result<(), StoreError> {
        let reason = printable_within(reason, LONGEST_ERROR).to_string();
        self.write(|transaction| {
            transaction.execute(
                "UPDATE outbox SET attempts = attempts + 1, not_before = ?3, last_error = ?4
                 WHERE target = ?1 AND alert = ?2",
                params![target, id.to_string(), to_sql(next), reason],
            )
        })?;
        Ok(())
    }

    /// What waits after a failure is due at `now`, but not what was set aside.
    pub(super) fn retry(&mut self, target: &str, now: Timestamp) -> Result<(), StoreError> {
        self.write(|transaction| {
            transaction.execute(
                "UPDATE outbox SET not_before = ?2 WHERE target = ?1 AND not_before > ?2
                 AND not_before < ?3",
                params![target, to_sql(now), to_sql(Timestamp::MAX)],
            )
        })?;
        Ok(())
    }

    /// Drops what is owed to targets that are not among `subscriptions`; how much was owed to each.
    pub(super) fn drop_others(
        &mut self,
        subscriptions: &[Subscription],
    ) -> Result<BTreeMap<String, u64>, StoreError> {
        let mut others = self.pending()?;
        others.retain(|target, _| !subscriptions.iter().any(|owed| owed.target == *target));
        if !others.is_empty() {
            self.write(|transaction| {
                for target in others.keys() {
                    transaction.execute("DELETE FROM outbox WHERE target = ?1", [target])?;
                }
                Ok(())
            })?;
        }
        Ok(others)
    }

    /// How many alerts wait, by target.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn pending(&self) -> Result<BTreeMap<String, u64>, StoreError> {
        self.read(|connection| {
            let sql = "SELECT target, COUNT(*) FROM outbox GROUP BY target";
            let mut query = connection.prepare(sql)?;
            let rows = query.query_map([], |row| {
                Ok((row.get(0)?, u64::try_from(row.get::<_, i64>(1)?).unwrap_or_default()))
            })?;
            rows.collect()
        })
    }

    /// Who is still owed an alert.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn owed(&self, id: Uuid) -> Result<Vec<Owed>, StoreError> {
        self.read(|connection| {
            let mut query = connection.prepare(
                "SELECT target, attempts, not_before, last_error FROM outbox WHERE alert = ?1
                 ORDER BY target",
            )?;
            let rows = query.query_map([id.to_string()], |row| {
                Ok(Owed {
                    target: row.get(0)?,
                    attempts: row.get(1)?,
                    not_before: from_sql(row.get(2)?),
                    last_error: row.get(3)?,
                })
            })?;
            rows.collect()
        })
    }
}

/// Notes that everyone who subscribed to such alerts is owed this state; whether anyone has.
pub(super) fn owe(
    transaction: &Transaction<'_>,
    alert: &Alert,
    state: i64,
    subscriptions: &[Subscription],
) -> rusqlite::Result<bool> {
    let mut any = false;
    for owed in subscriptions {
        if rank(alert.severity) < rank(owed.min_severity) {
            continue;
        }
        let not_before = owed.held.map_or(0, to_sql);
        transaction
            .prepare(
                "INSERT INTO outbox (target, alert, state, not_before) VALUES (?1, ?2, ?3, ?4)
                 ON CONFLICT (target, alert) DO UPDATE SET state = excluded.state",
            )?
            .execute(params![owed.target, alert.id.to_string(), state, not_before])?;
        any = true;
    }
    Ok(any)
}
