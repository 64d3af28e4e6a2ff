//! Live capture against the kernel: real interfaces, each test in a network namespace of its own.
//!
//! Needs root; without it each test says that it was skipped.

#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test that finds something else than it expects should fail there"
)]

mod accounting;
mod fanout;
mod interface;
mod lengths;
mod modes;
mod pcap;
mod world;
