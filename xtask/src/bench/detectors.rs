//! What share of the pipeline's processor time the detectors take: runs with all of them and with none,
//! taking turns.
//!
//! The pipeline is measured with its outputs, as a sensor is used and as others are measured: each event is
//! written as EVE JSON, and each alert. Without outputs the same time of the detectors is a larger share.

use std::ffi::OsString;
use std::path::Path;

use anyhow::Context;

use super::capture::Capture;
use super::measure::{Core, Usage};
use super::spread::Spread;

/// Of the pipeline with its outputs, all detectors together may take so much.
const BAR: f64 = 10.0;

/// As in the config, below `[detect]`.
const DETECTORS: [&str; 5] =
    ["tls_egress", "dns_port", "guest_operations", "mirror_policy", "channels"];

/// Reads the capture in each way in turn, and prints the share: median, least and most.
pub(crate) fn report(capture: &Capture, rounds: usize, core: &Core) -> anyhow::Result<()> {
    println!("\n{}: {} packets", capture.kind, capture.truth.packets);
    let folder = tempfile::tempdir()?;
    for outputs in [Some(folder.path()), None] {
        let mut shares = Vec::new();
        // The first brings the file into the page cache.
        let _ = run(capture, core, outputs, true)?;
        for _ in 0..rounds.max(1) {
            let all = run(capture, core, outputs, true)?.cpu.as_secs_f64();
            let none = run(capture, core, outputs, false)?.cpu.as_secs_f64();
            shares.push(100.0 * (all - none) / all);
        }
        let spread = Spread::of(shares.into_iter()).context("no round was run")?;
        let verdict = match outputs {
            Some(_) if capture.scale < 1.0 => "",
            Some(_) if spread.median <= BAR => "  within 10 %",
            Some(_) => "  OVER 10 %",
            None => "",
        };
        let what = if outputs.is_some() { "with events and alerts" } else { "without outputs" };
        println!("  detectors, {what:<22} {spread:.1} % of all processor time{verdict}");
    }
    Ok(())
}

fn run(
    capture: &Capture,
    core: &Core,
    outputs: Option<&Path>,
    detects: bool,
) -> anyhow::Result<Usage> {
    let mut arguments: Vec<OsString> =
        ["read".into(), capture.file.clone().into(), "--quiet".into()].into();
    if let Some(folder) = outputs {
        for (flag, file) in [("--events", "eve.json"), ("--alerts", "alerts.json")] {
            arguments.extend([flag.into(), folder.join(file).into()]);
        }
    }
    if !detects {
        for name in DETECTORS {
            arguments.extend(["--set".into(), format!("detect.{name}.enabled=false").into()]);
        }
    }
    core.run(super::egret()?.as_os_str(), &arguments)
}
