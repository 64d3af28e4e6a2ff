//! The arguments of `egret relay`.

use clap::Args;

/// The arguments of `egret relay`.
#[derive(Debug, Args)]
#[command(after_help = AFTER_HELP)]
pub struct Relay {}

const AFTER_HELP: &str = "\
It needs fleet.servers, and [[deliver.webhook]] or [[deliver.syslog]]. Several relays share the work; an alert
that one of them has taken and not delivered is given to another. It keeps the alerts of all sensors in
sensor.data_dir, where `egret alerts` shows them, and serves metrics, health, API and console.

Examples:
  egret relay --config /etc/egret/relay.toml
  egret relay --set sensor.name=relay-1 --set http.listen=127.0.0.1:9478";
