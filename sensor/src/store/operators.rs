//! What was learned of those who use the Guest Operations API, one row each.

use std::collections::BTreeMap;

use rusqlite::{Connection, Transaction};

use crate::account::Account;
use crate::baseline::{Operator, account_key, host_key};

/// All rows: a name, and what was learned as JSON.
pub(super) fn rows(connection: &Connection) -> rusqlite::Result<Vec<(String, String)>> {
    let mut query = connection.prepare("SELECT name, learned FROM operator")?;
    let rows = query.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?;
    rows.collect()
}

/// Writes what differs, and removes who is not known any more.
pub(super) fn replace(
    transaction: &Transaction<'_>,
    operators: &BTreeMap<String, Operator>,
) -> rusqlite::Result<()> {
    for (name, _) in rows(transaction)? {
        if !operators.contains_key(&name) {
            transaction.execute("DELETE FROM operator WHERE name = ?1", [name])?;
        }
    }
    let mut write = transaction.prepare(
        "INSERT INTO operator VALUES (?1, ?2) ON CONFLICT (name)
         DO UPDATE SET learned = excluded.learned WHERE learned <> excluded.learned",
    )?;
    for (name, learned) in operators {
        let learned = serde_json::to_string(learned)
            .map_err(|error| rusqlite::Error::ToSqlConversionFailure(Box::new(error)))?;
        write.execute([name, &learned])?;
    }
    Ok(())
}

/// Removes an account, in any of its spellings, or who uses a host; whether there was any.
pub(super) fn forget(transaction: &Transaction<'_>, name: &str) -> rusqlite::Result<bool> {
    let keys = [account_key(&Account::new(name)), host_key(name)];
    let sql = "DELETE FROM operator WHERE name IN (?1, ?2)";
    Ok(transaction.execute(sql, keys)? > 0)
}
