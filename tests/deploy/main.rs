//! What is installed beside the binary, asked of the programs that will read it: systemd,
//! Prometheus, Alertmanager. And every metric that is named anywhere must be one that Egret has.

#![allow(
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "helpers of tests count as code to clippy; what fails here should fail the test"
)]

mod metrics;
mod prometheus;
mod tool;
mod unit;
