//! What is installed beside the binary, asked of the programs that will read it: systemd,
//! Prometheus, Alertmanager. And every metric that is named anywhere must be one that Egret has.

mod metrics;
mod prometheus;
mod tool;
mod unit;
