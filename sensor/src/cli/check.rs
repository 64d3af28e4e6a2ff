//! The arguments of `egret check`.

use clap::Args;

/// The arguments of `egret check`.
#[derive(Debug, Args)]
#[command(after_help = AFTER_HELP)]
pub struct Check {
    /// Network interface to look at (repeatable) [default: capture.interface]
    #[arg(short, long, value_name = "NAME")]
    pub interface: Vec<String>,

    /// How long to look at each interface's traffic; 0: not at all
    #[arg(long, value_name = "N", default_value_t = 10, value_parser = clap::value_parser!(u32).range(..=3600))]
    pub seconds: u32,

    /// Print one JSON object a finding instead of text
    #[arg(long)]
    pub json: bool,
}

const AFTER_HELP: &str = "\
Each finding is ok, a note or a problem; a problem comes with the command or key that fixes it.
Nothing is changed, sent or stored. Traffic is looked at with the rights that `egret run` needs.
Exit codes: 0 no problem, 1 at least one problem, 2 bad usage or config.

Examples:
  sudo egret check
  sudo egret check -i eth1 --seconds 60
  egret check --seconds 0 --json";
