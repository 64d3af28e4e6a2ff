//! Alerts of late, as the site's budget counts them: a row each.

use std::collections::BTreeMap;

use rusqlite::{Connection, Transaction};
use uuid::Uuid;

use crate::baseline::ToldAlert;

/// All of them. What cannot be read does not count.
pub(super) fn rows(connection: &Connection) -> rusqlite::Result<BTreeMap<Uuid, ToldAlert>> {
    let mut query = connection.prepare("SELECT alert, told FROM told")?;
    let rows =
        query.query_map([], |row| Ok((row.get::<_, String>(0)?, row.get::<_, String>(1)?)))?;
    let mut all = BTreeMap::new();
    for row in rows {
        let (alert, told) = row?;
        if let (Ok(alert), Ok(told)) = (alert.parse(), serde_json::from_str(&told)) {
            all.insert(alert, told);
        }
    }
    Ok(all)
}

/// Writes what differs, and removes what does not count any more.
pub(super) fn replace(
    transaction: &Transaction<'_>,
    told: &BTreeMap<Uuid, ToldAlert>,
) -> rusqlite::Result<()> {
    for (alert, _) in rows(transaction)? {
        if !told.contains_key(&alert) {
            transaction.execute("DELETE FROM told WHERE alert = ?1", [alert.to_string()])?;
        }
    }
    let mut write = transaction.prepare(
        "INSERT INTO told VALUES (?1, ?2) ON CONFLICT (alert)
         DO UPDATE SET told = excluded.told WHERE told <> excluded.told",
    )?;
    for (alert, told) in told {
        let told = serde_json::to_string(told)
            .map_err(|error| rusqlite::Error::ToSqlConversionFailure(Box::new(error)))?;
        write.execute([&alert.to_string(), &told])?;
    }
    Ok(())
}
