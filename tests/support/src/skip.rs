//! Tests that cannot run on a machine, and say so.

use std::fmt::Display;
use std::io::Write;

/// Where everything must run, such as in CI, this is set, and a test that would skip fails.
const NOTHING: &str = "EGRET_SKIP_NOTHING";

/// Says, where the test harness cannot hide it, that a test does not run, and why.
///
/// # Panics
/// When `EGRET_SKIP_NOTHING` is set.
pub fn skip(reason: impl Display) {
    assert!(std::env::var_os(NOTHING).is_none(), "must run here, and cannot: {reason}");
    // Not `eprintln!`, which a test that passes shows nobody.
    let _ = writeln!(std::io::stderr(), "SKIPPED: {reason}");
}
