//! Instructions a packet under callgrind: slow to count, but the same on every machine and under
//! any load, so that a change of a percent can be seen.

use std::ffi::OsString;
use std::process::Command;

use anyhow::{Context, ensure};
use egret_tests::bench::Kind;

use super::capture::Capture;
use crate::floor::Floor;

/// Counts the instructions of Egret and the floors over a sample of each kind.
pub(crate) fn report(kinds: &[Kind]) -> anyhow::Result<()> {
    println!("instructions a packet, starting up included");
    println!(
        "  {:<8} {:>10} {:>8} {:>10} {:>16}",
        "", "packets", "egret", "walk", "etherparse-flow"
    );
    for kind in kinds {
        let capture = Capture::prepare(*kind, sample(*kind))?;
        let packets = capture.truth.packets;
        let program = super::egret()?;
        let arguments = ["read".into(), capture.file.clone().into(), "--quiet".into()];
        let egret = count(program.into(), &arguments)? / packets;
        let walk = count_floor(Floor::Walk, &capture)? / packets;
        let flow = count_floor(Floor::EtherparseFlow, &capture)? / packets;
        println!("  {kind:<8} {packets:>10} {egret:>8} {walk:>10} {flow:>16}");
    }
    Ok(())
}

/// A scale that gives about 200 000 packets: enough to make starting up small, few enough to wait
/// for.
const fn sample(kind: Kind) -> f64 {
    match kind {
        Kind::Bulk => 0.2,
        Kind::Small => 0.02,
        Kind::TlsDns => 0.05,
    }
}

fn count_floor(floor: Floor, capture: &Capture) -> anyhow::Result<u64> {
    let program = std::env::current_exe()?;
    count(program.into(), &["floor".into(), floor.name().into(), capture.file.clone().into()])
}

fn count(program: OsString, arguments: &[OsString]) -> anyhow::Result<u64> {
    let output = Command::new("valgrind")
        .args(["--tool=callgrind", "--callgrind-out-file=/dev/null"])
        .arg(program)
        .args(arguments)
        .output()
        .context("cannot run valgrind; is it installed?")?;
    let report = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "valgrind ended with {}: {report}", output.status);
    report
        .lines()
        .find_map(|line| line.split_once("Collected : "))
        .and_then(|(_, count)| count.trim().parse().ok())
        .with_context(|| format!("valgrind counted nothing: {report}"))
}
