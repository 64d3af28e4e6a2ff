//! Processor time and memory of whole runs, Egret and the floors taking turns.

use anyhow::Context;
use egret_tests::bench::Kind;

use super::capture::Capture;
use super::measure::{Core, Usage};
use super::spread::Spread;
use crate::floor::Floor;

/// What is run beside Egret; the last one is what the bars are set against.
const FLOORS: [Floor; 2] = [Floor::Walk, Floor::EtherparseFlow];

/// Reads the capture with each program in turn and prints what each took, with the ratio of
/// Egret to each floor in the same round: median, least and most.
pub(crate) fn report(capture: &Capture, rounds: usize, core: &Core) -> anyhow::Result<()> {
    let packets = capture.truth.packets;
    println!("\n{}: {packets} packets, {} MB", capture.kind, capture.size / 1_000_000);
    let mut egret = Vec::new();
    let mut floors = FLOORS.map(|_| Vec::new());
    // Brings the file into the page cache.
    run_floor(Floor::Walk, capture, core)?;
    for _ in 0..rounds.max(1) {
        egret.push(run_egret(capture, core)?);
        for (floor, runs) in FLOORS.iter().zip(&mut floors) {
            runs.push(run_floor(*floor, capture, core)?);
        }
    }
    println!("  {:<16} {:>22} {:>10} {:>10}", "", "CPU ns a packet", "peak MiB", "over file");
    line("egret", &egret, capture)?;
    for (floor, runs) in FLOORS.iter().zip(&floors) {
        line(floor.name(), runs, capture)?;
    }
    for (floor, runs) in FLOORS.iter().zip(&floors) {
        let ratios = egret.iter().zip(runs).map(|(egret, floor)| ratio(*egret, *floor));
        let spread = Spread::of(ratios).context("no round was run")?;
        print!("  egret / {:<15} {spread:.2}", floor.name());
        match bar(capture, *floor) {
            Some(bar) if spread.median <= bar => println!("  within {bar}"),
            Some(bar) => println!("  OVER {bar}"),
            None => println!(),
        }
    }
    Ok(())
}

/// How many times the floor's processor time a whole run may take. In a small capture starting up
/// is most of it, so there the figure means nothing.
fn bar(capture: &Capture, floor: Floor) -> Option<f64> {
    match (capture.kind, floor) {
        _ if capture.scale < 1.0 => None,
        (Kind::Bulk, Floor::EtherparseFlow) => Some(1.3),
        (Kind::Small, Floor::EtherparseFlow) => Some(1.5),
        (Kind::TlsDns, Floor::EtherparseFlow) => Some(2.5),
        (_, Floor::Walk) => None,
    }
}

fn run_egret(capture: &Capture, core: &Core) -> anyhow::Result<Usage> {
    let program = super::egret()?;
    core.run(program.as_os_str(), &["read".as_ref(), capture.file.as_os_str(), "--quiet".as_ref()])
}

fn run_floor(floor: Floor, capture: &Capture, core: &Core) -> anyhow::Result<Usage> {
    let program = std::env::current_exe()?;
    let arguments = ["floor".as_ref(), floor.name().as_ref(), capture.file.as_os_str()];
    core.run(program.as_os_str(), &arguments)
}

fn line(name: &str, runs: &[Usage], capture: &Capture) -> anyhow::Result<()> {
    let packets = capture.truth.packets as f64;
    let nanos = Spread::of(runs.iter().map(|usage| usage.cpu.as_nanos() as f64 / packets))
        .context("no round was run")?;
    let peak = runs.iter().map(|usage| usage.peak).max().unwrap_or(0);
    let mib = |bytes: u64| bytes / (1 << 20);
    let over = peak.saturating_sub(capture.size);
    println!("  {name:<16} {nanos:>22.0} {:>10} {:>10}", mib(peak), mib(over));
    Ok(())
}

fn ratio(egret: Usage, floor: Usage) -> f64 {
    egret.cpu.as_secs_f64() / floor.cpu.as_secs_f64()
}
