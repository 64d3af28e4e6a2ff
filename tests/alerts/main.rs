//! Alerts of `egret read` from outside: the real binary, on a host's egress and on the demo capture.

#![allow(
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test that finds something else than it expects should fail there"
)]

use std::path::{Path, PathBuf};

use egret_tests::egret::Egret;

mod demo;
mod egress;
mod events;
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
