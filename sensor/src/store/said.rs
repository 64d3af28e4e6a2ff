//! The order in which people said things, for who tells other sensors of it.

use rusqlite::Transaction;

use super::to_sql;
use crate::time::Timestamp;

/// The number of what is said now: higher than any before, also of what is gone.
pub(super) fn say(transaction: &Transaction<'_>) -> rusqlite::Result<i64> {
    transaction.execute("INSERT INTO said DEFAULT VALUES", [])?;
    let number = transaction.last_insert_rowid();
    transaction.execute("DELETE FROM said WHERE number < ?1", [number])?;
    Ok(number)
}

/// When it was said, as exact as others are told it.
pub(super) fn when(at: Timestamp) -> i64 {
    to_sql(at) / 1000 * 1000
}
