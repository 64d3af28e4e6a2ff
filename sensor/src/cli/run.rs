//! The arguments of `egret run`.

use clap::Args;

use super::Output;
use crate::config::Backend;

/// The arguments of `egret run`.
#[derive(Debug, Args)]
#[command(after_help = AFTER_HELP)]
pub struct Run {
    /// Network interface that receives the mirrored traffic (repeatable) [default: capture.interface]
    #[arg(short, long, value_name = "NAME")]
    pub interface: Vec<String>,

    /// How frames are taken: auto, xdp, xdp-generic, tc, afpacket or pcap [default: capture.backend]
    #[arg(long, value_name = "BACKEND", hide_possible_values = true)]
    pub backend: Option<Backend>,

    /// Where results go.
    #[command(flatten)]
    pub output: Output,
}

const AFTER_HELP: &str = "\
Alerts are stored in sensor.data_dir before they are sent; `egret alerts` shows them.

A backend that cannot be had is replaced by the next best, and the log says why. With xdp a mirror
port's packets end in the driver once they are counted; `egret check` says what is possible here.

Examples:
  egret run -i eth1
  egret run -i eth1 -i eth2 --events /var/log/egret/eve.json
  egret run -i eth1 --backend afpacket      # without a program in the kernel
  egret run --config estate.toml --set capture.workers=2";
