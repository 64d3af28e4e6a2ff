//! What people found alerts to be.

use rusqlite::params;
use uuid::Uuid;

use super::said::say;
use super::{Store, StoreError};
use crate::alert::Verdict;

impl Store {
    /// Notes what a person found an alert to be.
    ///
    /// # Errors
    /// When that cannot be written.
    pub fn judge(&mut self, id: Uuid, verdict: Verdict) -> Result<(), StoreError> {
        self.write(|transaction| {
            let given = params![id.to_string(), verdict.name()];
            transaction.execute("UPDATE alert SET verdict = ?2 WHERE id = ?1", given)?;
            // Of what was said at this sensor; what is said at another waits for the acknowledgement.
            let said = say(transaction)?;
            let sql = "UPDATE acknowledgement SET verdict = ?2, said = ?3
                       WHERE alert = ?1 AND sensor = ''";
            transaction.execute(sql, params![id.to_string(), verdict.name(), said]).map(drop)
        })
    }

    /// What people found the alerts to be that they judged last; at most 10,000.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn verdicts(&self) -> Result<Vec<(Uuid, Verdict)>, StoreError> {
        self.read(|connection| {
            let mut query = connection.prepare(
                "SELECT id, verdict FROM alert WHERE verdict IS NOT NULL
                 ORDER BY seen_at DESC, id LIMIT 10000",
            )?;
            let rows = query
                .query_map([], |row| Ok((row.get::<_, String>(0)?, row.get::<_, String>(1)?)))?;
            let parsed = |(id, name): (String, String)| Some((id.parse().ok()?, read(&name)?));
            rows.filter_map(|row| row.map(parsed).transpose()).collect()
        })
    }
}

/// The verdict of that name.
pub(super) fn read(name: &str) -> Option<Verdict> {
    Verdict::ALL.into_iter().find(|verdict| verdict.name() == name)
}
