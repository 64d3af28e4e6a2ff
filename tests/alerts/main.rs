//! Alerts of `egret read` from outside: the real binary, on a host's egress and on the demo capture.

#![allow(
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test that finds something else than it expects should fail there"
)]

use std::fs;
use std::path::{Path, PathBuf};

use egret_tests::egret::{Egret, Ran};
use serde_json::Value;

mod demo;
mod egress;
mod events;
mod evidence;
mod mirrors;
mod operations;
mod schema;

/// A run of the binary under test.
fn egret() -> Egret {
    Egret::new(env!("CARGO_BIN_EXE_egret"))
}

/// A file beside the tests.
fn kept(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests").join(name)
}

/// Panics where what a file beside the tests holds is not this; takes it over when that is asked for.
fn agreed(name: &str, now: &str) {
    if std::env::var_os("EGRET_BLESS").is_some_and(|value| value == "1") {
        fs::create_dir_all(kept("golden")).unwrap();
        fs::write(kept(name), now).unwrap();
        return;
    }
    let agreed = fs::read_to_string(kept(name)).unwrap_or_default();
    let differing = agreed.lines().zip(now.lines()).find(|(agreed, now)| agreed != now);
    assert!(agreed == now, "{name}: {differing:#?}; EGRET_BLESS=1 takes it over");
}

/// All that is printed, without how long the reading took and the rates that follow from it.
fn without_wall_time(ran: &Ran) -> String {
    let stable = |line: &'_ str| match line.split_once(", in ") {
        Some((stable, _)) if line.starts_with("read ") => format!("{stable}\n"),
        _ => format!("{line}\n"),
    };
    ran.stdout.lines().map(stable).collect()
}

/// The evidence whose `field` is `value`.
fn pieces<'a>(alert: &'a Value, field: &str, value: &str) -> Vec<&'a Value> {
    let evidence = alert["evidence"].as_array().unwrap();
    evidence.iter().filter(|piece| piece[field] == value).collect()
}
