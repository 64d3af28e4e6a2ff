//! `cargo xtask bench live`: what it costs to take every frame from a flooded interface. Readers
//! take turns on one cable between two network namespaces; frames are sent from processor 0, and
//! the kernel's half and the reader run on processor 1.
//!
//! Costs are processor time by the kernel's schedule statistics, so that other work on the machine
//! counts to nobody; it still shows in caches, so ratios within a round are what lasts. A cable in
//! memory is no network card: the kernel's half is another one there.

use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context, bail, ensure};
use egret_tests::frames::Frames;
use egret_tests::net;

use self::cable::{Cable, Load};
use self::reader::{Program, Reader, Said};
use super::spread::Spread;

mod backends;
mod cable;
mod estate;
mod idle;
mod path;
mod reader;
mod scaling;
mod schedule;

/// Conversations that the frames belong to.
const FLOWS: u32 = 1000;
/// Different frames: more than are sent while Egret takes a second one for a copy of the first.
const DIFFERENT: u32 = 40_000;

#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// How often each program has its turn
    #[arg(long, default_value_t = 5)]
    rounds: usize,
    /// Frames sent each turn of the flood
    #[arg(long, default_value_t = 2_000_000)]
    frames: u64,
    /// Another release binary of egret, to take turns with this one
    #[arg(long)]
    against: Option<PathBuf>,
    /// Only this part
    #[arg(long)]
    only: Option<Part>,
}

#[derive(Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Part {
    /// Frames sent as fast as they go
    Flood,
    /// The same, through the AF_PACKET ring and through XDP
    Backends,
    /// Of that only short frames of half a million conversations
    Crowded,
    /// One worker and two under the same load
    Scaling,
    /// An interface on which nothing comes
    Idle,
    /// A host in the path of its own traffic, which iperf3 sends
    Path,
    /// 50 hosts and 1,000 guests on a working day, packets and logs, at their own pace
    Estate,
}

/// Says what is missing on this machine, before anything is built for it.
pub(crate) fn check() -> anyhow::Result<()> {
    if let Some(missing) = net::missing() {
        bail!("bench live makes network namespaces, and cannot here: {missing}");
    }
    let processors = std::thread::available_parallelism()?.get();
    ensure!(processors > 1, "bench live needs two processors, and may use {processors}");
    Ok(())
}

pub(crate) fn run(arguments: &Arguments) -> anyhow::Result<()> {
    schedule::pin(std::process::id(), 0)?;
    let cable = Cable::new()?;
    let is_wanted = |part| arguments.only.is_none_or(|only| only == part);
    if is_wanted(Part::Flood) {
        for length in [60, 1514] {
            flood(arguments, &cable, length)?;
        }
    }
    if is_wanted(Part::Backends) {
        backends::report(arguments, &cable)?;
    }
    if arguments.only == Some(Part::Crowded) {
        backends::crowded(arguments, &cable)?;
    }
    if is_wanted(Part::Scaling) {
        scaling::report(&cable, arguments.rounds)?;
    }
    if is_wanted(Part::Idle) {
        idle::report(&cable)?;
    }
    if is_wanted(Part::Path) {
        path::report(arguments.rounds)?;
    }
    if is_wanted(Part::Estate) {
        estate::report(&cable)?;
    }
    Ok(())
}

/// What one turn came to.
#[derive(Clone, Copy)]
struct Turn {
    /// Frames that arrived at the interface, and what the program did with them.
    arrived: u64,
    said: Said,
    /// Processor time.
    kernel: Duration,
    program: Duration,
    seconds: f64,
}

impl Turn {
    /// Nanoseconds of the kernel for each frame that arrived.
    fn kernel(&self) -> f64 {
        self.kernel.as_nanos() as f64 / self.arrived as f64
    }

    /// Nanoseconds of the program for each frame that it read.
    fn program(&self) -> f64 {
        self.program.as_nanos() as f64 / self.said.read as f64
    }

    fn cost(&self) -> f64 {
        self.kernel() + self.program()
    }
}

fn flood(arguments: &Arguments, cable: &Cable, length: usize) -> anyhow::Result<()> {
    let frames = Frames::datagrams(DIFFERENT, length, FLOWS);
    let programs = programs(arguments)?;
    let mut turns: Vec<Vec<Turn>> = programs.iter().map(|_| Vec::new()).collect();
    for _ in 0..arguments.rounds.max(1) {
        for (program, turns) in programs.iter().zip(&mut turns) {
            let send = |cable: &Cable| cable.send(&frames, arguments.frames, None);
            turns.push(turn(cable, program, |_| {}, send)?);
        }
    }
    println!("\n{length} bytes a frame, {FLOWS} flows, as fast as they go");
    println!(
        "  {:<14} {:>8} {:>8} {:>8} {:>16} {:>16} {:>16} {:>6} {:>20}",
        "",
        "Mpps in",
        "read %",
        "lost %",
        "kernel ns",
        "program ns",
        "both",
        "Mpps",
        "of tcpdump's"
    );
    let base = turns.last().context("there is always tcpdump")?.clone();
    for (program, turns) in programs.iter().zip(&turns) {
        line(&program.name(), turns, &base)?;
    }
    println!(
        "  ns: processor time, of the kernel a frame that arrived, of the program a frame it read;\n  \
         Mpps: what one processor that does both takes by that; median (least to most) of {} rounds",
        arguments.rounds.max(1)
    );
    Ok(())
}

/// The last one is what the others are compared with.
fn programs(arguments: &Arguments) -> anyhow::Result<Vec<Program>> {
    let egret = |binary, name| Program::Egret { binary, workers: 1, backend: "afpacket", name };
    let mut programs = vec![egret(super::egret()?, "egret")];
    if let Some(binary) = arguments.against.clone() {
        programs.push(egret(binary, "other egret"));
    }
    programs.push(Program::Tcpdump);
    Ok(programs)
}

fn line(name: &str, turns: &[Turn], base: &[Turn]) -> anyhow::Result<()> {
    let spread =
        |figure: fn(&Turn) -> f64| Spread::of(turns.iter().map(figure)).context("no round was run");
    let rate = spread(|turn| turn.arrived as f64 / turn.seconds / 1e6)?.median;
    let read = spread(|turn| turn.said.read as f64 / turn.arrived as f64 * 100.0)?.median;
    let lost = spread(|turn| turn.said.lost as f64 / turn.arrived as f64 * 100.0)?.median;
    let [kernel, program, both] =
        [spread(Turn::kernel)?, spread(Turn::program)?, spread(Turn::cost)?];
    let ratios = turns.iter().zip(base).map(|(turn, base)| turn.cost() / base.cost());
    let ratio = Spread::of(ratios).context("no round was run")?;
    println!(
        "  {name:<14} {rate:>8.2} {read:>8.1} {lost:>8.1} {kernel:>16.0} {program:>16.0} {both:>16.0} {:>6.2} {ratio:>20.2}",
        1000.0 / both.median
    );
    Ok(())
}

/// Has a program read while frames are sent.
fn turn(
    cable: &Cable,
    program: &Program,
    warm_up: impl FnOnce(&Cable),
    send: impl FnOnce(&Cable) -> Load,
) -> anyhow::Result<Turn> {
    let reader = Reader::start(program, cable)?;
    warm_up(cable);
    let before = reader.said()?;
    let (kernel, spent) = (cable.kernel_time()?, reader.time()?);
    let load = send(cable);
    // The last block of the ring is given out when its time is over.
    std::thread::sleep(Duration::from_millis(500));
    let kernel = cable.kernel_time()?.saturating_sub(kernel);
    let spent = reader.time()?.saturating_sub(spent);
    let said = reader.end()?.since(before);
    ensure!(said.read > 0, "{} read nothing of {} frames", program.name(), load.arrived);
    Ok(Turn { arrived: load.arrived, said, kernel, program: spent, seconds: load.seconds })
}
