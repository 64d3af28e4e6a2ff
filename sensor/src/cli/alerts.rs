//! The arguments of `egret alerts`.

use std::time::Duration;

use clap::{Args, Subcommand, ValueEnum};

use super::{Stream, stream};
use crate::alert::{Severity, Status, Verdict};
use crate::time::parse_duration;

/// The arguments of `egret alerts`.
#[derive(Debug, Args)]
#[command(after_help = AFTER_HELP)]
pub struct Alerts {
    /// What to do; without it, list.
    #[command(subcommand)]
    pub command: Option<AlertsCommand>,
    /// What to list.
    #[command(flatten)]
    pub list: AlertsList,
}

impl Alerts {
    /// Flags of the list beside another command would do nothing.
    pub(super) fn clash(&self) -> Option<String> {
        let is_lost = self.command.is_some() && self.list != AlertsList::default();
        is_lost.then(|| {
            "flags of the list and a command are both given; write flags behind the command they \
             are for, such as egret alerts list --json"
                .to_owned()
        })
    }
}

/// The commands below `egret alerts`.
#[derive(Debug, Subcommand)]
pub enum AlertsCommand {
    /// List alerts, the latest first (the default)
    #[command(after_help = LIST_AFTER_HELP)]
    List(AlertsList),
    /// Show one alert with its evidence, what was noted, and who still waits for it
    #[command(after_help = SHOW_AFTER_HELP)]
    Show(AlertsShow),
    /// Acknowledge alerts: they are sent again only when they become worse
    #[command(after_help = ACK_AFTER_HELP)]
    Ack(AlertsAck),
    /// Write alerts as JSON lines to stdout, the oldest first
    #[command(after_help = EXPORT_AFTER_HELP)]
    Export(AlertsExport),
}

/// Which alerts are listed.
#[derive(Debug, PartialEq, Eq, Args)]
pub struct AlertsList {
    /// Of this severity or above: informational, low, medium, high or critical
    #[arg(long, value_name = "SEVERITY", hide_possible_values = true)]
    pub severity: Option<Severity>,

    /// Of this status: open, acknowledged, or suppressed (held back beyond the site's budget) [default:
    /// open and acknowledged]
    #[arg(long, value_name = "STATUS", hide_possible_values = true)]
    pub status: Option<Status>,

    /// About the asset of this name
    #[arg(long, value_name = "NAME")]
    pub asset: Option<String>,

    /// Raised or changed within this time, such as 24h
    #[arg(long, value_name = "DURATION", value_parser = parse_duration)]
    pub since: Option<Duration>,

    /// At most so many, the latest; 0 is all
    #[arg(long, value_name = "COUNT", default_value_t = LIMIT)]
    pub limit: usize,

    /// Print JSON lines (schema egret.alert/1) instead of a table
    #[arg(long)]
    pub json: bool,
}

impl Default for AlertsList {
    fn default() -> Self {
        Self { severity: None, status: None, asset: None, since: None, limit: LIMIT, json: false }
    }
}

/// Alerts that are listed unless more are asked for.
const LIMIT: usize = 50;

/// Which alert is shown.
#[derive(Debug, Args)]
pub struct AlertsShow {
    /// The alert's id, or as much of its beginning as is unique
    #[arg(value_name = "ID")]
    pub id: String,

    /// Print one JSON object instead of text
    #[arg(long, conflicts_with = "pcap")]
    pub json: bool,

    /// Write the first packets of its conversations as pcapng, such as --pcap alert.pcapng
    #[arg(long, value_name = "FILE|-", value_parser = stream())]
    pub pcap: Option<Stream>,
}

/// Which alerts are acknowledged.
#[derive(Debug, Args)]
pub struct AlertsAck {
    /// Ids, or as much of their beginning as is unique
    #[arg(value_name = "ID", required = true)]
    pub ids: Vec<String>,

    /// What you found, for whoever looks next
    #[arg(long, value_name = "TEXT")]
    pub note: Option<String>,

    /// What it was: harmless, or an incident, which does not count against the site's budget
    #[arg(long = "as", value_name = "VERDICT", hide_possible_values = true)]
    pub verdict: Option<Verdict>,
}

/// Which alerts are exported, and how.
#[derive(Debug, Args)]
pub struct AlertsExport {
    /// How they are written: egret (schema egret.alert/1)
    #[arg(long, value_name = "FORMAT", default_value = "egret", hide_possible_values = true)]
    pub format: ExportFormat,

    /// Of this severity or above: informational, low, medium, high or critical
    #[arg(long, value_name = "SEVERITY", hide_possible_values = true)]
    pub severity: Option<Severity>,

    /// Raised or changed within this time, such as 7d
    #[arg(long, value_name = "DURATION", value_parser = parse_duration)]
    pub since: Option<Duration>,
}

/// How alerts are exported.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum ExportFormat {
    /// One JSON object a line, schema `egret.alert/1`.
    Egret,
}

const AFTER_HELP: &str = "\
Alerts are read from the database in sensor.data_dir, beside a running sensor or without one.
All times are UTC.

Examples:
  egret alerts
  egret alerts --severity high --since 24h
  egret alerts show 1b9d6bcd
  egret alerts ack 1b9d6bcd --note 'new backup target, ticket 4711'
  egret alerts export --since 7d > week.jsonl";

const LIST_AFTER_HELP: &str = "\
Examples:
  egret alerts list --status open
  egret alerts list --status suppressed
  egret alerts list --asset esxi-01 --since 7d --limit 0
  egret alerts list --json | jq .summary";

const SHOW_AFTER_HELP: &str = "\
Examples:
  egret alerts show 1b9d6bcd
  egret alerts show 1b9d6bcd --json | jq .alert.evidence
  egret alerts show 1b9d6bcd --pcap alert.pcapng
  egret alerts show 1b9d6bcd --pcap - --set sensor.data_dir=state | tshark -r -";

const ACK_AFTER_HELP: &str = "\
What happens again is still counted and stored. When the severity rises, the alert is open again.

Examples:
  egret alerts ack 1b9d6bcd
  egret alerts ack 1b9d6bcd --as incident
  egret alerts ack 1b9d6bcd 7c9e6679 --note 'new backup target, ticket 4711'";

const EXPORT_AFTER_HELP: &str = "\
Examples:
  egret alerts export > alerts.jsonl
  egret alerts export --severity high --since 30d | gzip > month.jsonl.gz";
