//! What a second worker brings: under the same load, which loses nothing, the time that one worker
//! takes for all frames beside the time that two take together. Workers on processors of their own
//! take so much more as their sum stays the same. What they share (caches, memory) is not in this.

use std::time::Duration;

use anyhow::{Context, ensure};
use egret_tests::frames::Frames;

use super::cable::Cable;
use super::reader::{Program, Reader};
use super::{DIFFERENT, FLOWS, Spread, schedule};

/// Frames a second, and frames a turn.
const RATE: u64 = 200_000;
const FRAMES: u64 = 1_000_000;

/// What the second worker is to bring at least.
const BAR: f64 = 1.7;

pub(crate) fn report(cable: &Cable, rounds: usize) -> anyhow::Result<()> {
    let frames = Frames::datagrams(DIFFERENT, 60, FLOWS);
    let (mut one, mut two) = (Vec::new(), Vec::new());
    for _ in 0..rounds.max(1) {
        one.push(turn(cable, &frames, 1)?);
        two.push(turn(cable, &frames, 2)?);
    }
    println!("\n60 bytes a frame, {FLOWS} flows, {RATE} frames a second, nothing lost");
    for (workers, turns) in [(1, &one), (2, &two)] {
        let sum = |turn: &Vec<f64>| turn.iter().sum::<f64>();
        let spread = Spread::of(turns.iter().map(sum)).context("no round was run")?;
        let last = turns.last().context("no round was run")?;
        let each: Vec<_> = last.iter().map(|nanos| format!("{nanos:.0}")).collect();
        println!(
            "  {workers} worker threads {spread:>18.0} ns a frame; each of them, last: {}",
            each.join(", ")
        );
    }
    let ratio = |(one, two): (&Vec<f64>, &Vec<f64>)| {
        2.0 * one.iter().sum::<f64>() / two.iter().sum::<f64>()
    };
    let ratio = Spread::of(one.iter().zip(&two).map(ratio)).context("no round was run")?;
    let verdict = if ratio.median >= BAR { "at least" } else { "BELOW" };
    println!("  two workers take {ratio:.2} times what one takes: {verdict} {BAR}");
    Ok(())
}

/// Nanoseconds of each worker thread for each of all frames.
fn turn(cable: &Cable, frames: &Frames, workers: usize) -> anyhow::Result<Vec<f64>> {
    let binary = crate::bench::egret()?;
    let program = Program::Egret { binary, workers, backend: "afpacket", name: "egret" };
    let reader = Reader::start(&program, cable)?;
    let before = workers_of(&reader)?;
    let load = cable.send(frames, FRAMES, Some(RATE));
    std::thread::sleep(Duration::from_millis(500));
    let after = workers_of(&reader)?;
    let said = reader.end()?;
    ensure!(
        said.lost == 0 && said.read >= load.arrived,
        "{} frames of {} were lost: this machine has too much else to do",
        said.lost,
        load.arrived
    );
    let nanos = |(after, before): (Duration, Duration)| {
        after.saturating_sub(before).as_nanos() as f64 / load.arrived as f64
    };
    Ok(after.into_iter().zip(before).map(nanos).collect())
}

fn workers_of(reader: &Reader) -> anyhow::Result<Vec<Duration>> {
    let accounts: Vec<schedule::Account> = reader.accounts()?;
    let is_worker = |account: &&schedule::Account| account.name.starts_with("egret-work-");
    Ok(accounts.iter().filter(is_worker).map(|account| account.time).collect())
}
