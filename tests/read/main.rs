//! `egret read` from outside: the real binary, on captures made here.

#![allow(
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test that finds something else than it expects should fail there"
)]

use std::fs;
use std::path::Path;

use egret_tests::egret::Egret;
use tempfile::TempDir;

mod accounting;
mod audit;
mod captures;
mod config;
mod damage;
mod decap;
mod files;
mod hellos;
mod hostile;
mod learning;
mod log_files;
mod logs;
mod mirrored;
mod output;
mod quic;
mod records;
mod same;
mod tunnels;
mod unreadable;

/// A run of the binary under test.
fn egret() -> Egret {
    Egret::new(env!("CARGO_BIN_EXE_egret"))
}

/// A directory with one file in it.
fn directory(name: impl AsRef<Path>, content: impl AsRef<[u8]>) -> TempDir {
    let directory = tempfile::tempdir().unwrap();
    fs::write(directory.path().join(name), content).unwrap();
    directory
}
